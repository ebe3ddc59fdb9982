"""Native: what a compiled kernel does otherwise than Python, in terms of numba, which is imported only to compile.

A slice of an array is counted and clamped, and costs as much as a small model: `row` is neither. And a compiler cannot
know that what it writes into one array does not change another: `held` copies a few numbers to where nothing else can
reach them, in registers as far as there are enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

if TYPE_CHECKING:
    from gdtui.descent.kernel import Buffer


def _view(context: Any, builder: Any, array_type: Any, data: Any, count: Any) -> Any:
    """An array of so many numbers that are there already, of which it counts no reference."""
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(array_type.dtype)))
    view = make_array(array_type)(context, builder)
    populate_array(
        view, data, cgutils.pack_array(builder, [count]), cgutils.pack_array(builder, [itemsize]), itemsize, None
    )
    return view._getvalue()


def _row(_typing: Any, buffer: Any, start: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, count = arguments
        start = context.cast(builder, start, signature.args[1], types.intp)
        count = context.cast(builder, count, signature.args[2], types.intp)
        data = builder.gep(make_array(buffer)(context, builder, array).data, [start], inbounds=True)
        return _view(context, builder, buffer, data, count)

    return buffer(buffer, start, count), generate


def _held(_typing: Any, buffer: Any, count: Any) -> Any:
    if not isinstance(count, types.IntegerLiteral):
        return None
    room = ir.ArrayType(ir.DoubleType(), count.literal_value)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source = make_array(buffer)(context, builder, arguments[0])
        if not count.literal_value:
            return _view(context, builder, buffer, source.data, source.nitems)
        here = builder.bitcast(cgutils.alloca_once(builder, room), source.data.type)
        for j in range(count.literal_value):
            at = [context.get_constant(types.intp, j)]
            builder.store(builder.load(builder.gep(source.data, at)), builder.gep(here, at))
        return _view(context, builder, buffer, here, context.get_constant(types.intp, count.literal_value))

    return buffer(buffer, count), generate


row = intrinsic(_row)
"""As `kernel.row`."""

held = intrinsic(prefer_literal=True)(_held)
"""As `kernel.held`: a copy where the count is known as it is compiled; for 0 the buffer itself."""


def put_back(held: Buffer, buffer: Buffer) -> None:
    """What has become of the numbers held."""
    for j in range(len(held)):
        buffer[j] = held[j]


SOURCES = tuple(function.__code__ for function in (_view, _row, _held, put_back))
"""What the kernel is compiled with from here."""
