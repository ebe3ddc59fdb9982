"""Compiler: the kernel bound to one model and one update rule, interpreted at once, compiled by numba when it pays.

numba keeps what it compiles on disk, but knows a function only by its file and name: a bound kernel has a name of its
own, made of all that it is bound to, so that a second process compiles nothing and a changed model is compiled anew.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from gdtui.descent import kernel
from gdtui.descent.clipping import clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gdtui.descent.updates import Update
    from gdtui.problems.models import Loss

Function = Callable[..., Any]


SHORT_TURN_S = 0.0002
"""The interpreter's turn while code is compiled behind: with its usual 5 ms that takes ten times as long."""

MOST_HELD = 8
"""With more parameters or features than this, a kernel is compiled for any number of them."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many numbers a kernel works on.

    Attributes:
        p: parameters.
        d: features of a sample.
        h: the update rule's hyperparameters.
        state: the numbers of its state.
    """

    p: int
    d: int
    h: int
    state: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel's functions bound to a model and an update rule, and how they take an array.

    Attributes:
        descend: `kernel.descend`.
        evaluate: `kernel.evaluate`.
        descend_epochs: `kernel.descend_epochs`.
        is_compiled: machine code that needs no interpreter lock; otherwise Python.
    """

    descend: Function
    evaluate: Function
    descend_epochs: Function
    is_compiled: bool = False

    def flat(self, array: NDArray[np.generic]) -> Any:
        """An array as a flat buffer over the same memory: a memoryview is much faster for Python to index."""
        return array.reshape(-1) if self.is_compiled else array.reshape(-1).data


def interpreted(loss: Loss, update: Update) -> Kernel:
    """The kernel as Python runs it."""
    names = {"loss": loss, "update": update}
    descend, evaluate = kernel.bind(kernel.descend, **names), kernel.bind(kernel.evaluate, **names)
    sums = kernel.bind(kernel.loss_sum_at, **names)
    epochs = kernel.bind(kernel.descend_epochs, descend=descend, evaluate=evaluate, loss_sum_at=sums)
    return Kernel(descend, evaluate, epochs)


@cache
def compiled(loss: Loss, update: Update, sizes: Sizes) -> Kernel | None:
    """The kernel as numba compiles it for such sizes; None where there is no numba, or it is told not to compile."""
    try:
        from numba import config
    except ImportError:
        return None
    if getattr(config, "DISABLE_JIT", False):
        return None
    from numba.core.errors import NumbaWarning

    from gdtui.descent import native

    # What numba thinks of a person's own model would be written across the screen.
    warnings.simplefilter("ignore", NumbaWarning)
    lengths = {"P": sizes.p, "D": sizes.d, "H": sizes.h, "STATE": sizes.state}
    if sizes.p > MOST_HELD or sizes.d > MOST_HELD:
        lengths = dict.fromkeys(lengths, 0)
    functions = kernel.descend, kernel.evaluate, kernel.loss_sum_at
    suffix = _digest(loss, update, clip, *functions, kernel.descend_epochs, *native.SOURCES, lengths, _OWN, _MODELS)
    if suffix not in _KERNELS:  # a model that is made again is another function, and computes the same
        _KERNELS[suffix] = _bound(loss, update, lengths, suffix)
    return _KERNELS[suffix]


_KERNELS: dict[str, Kernel] = {}
"""The compiled kernels by what they compute."""


def _bound(loss: Loss, update: Update, lengths: dict[str, int], suffix: str) -> Kernel:
    from numba import njit

    from gdtui.descent import native

    names: dict[str, Any] = {"loss": _inner(loss), "update": _inner(update), "clip": _inner(clip)}
    names |= {"row": native.row, "held": native.held, "put_back": njit(native.put_back, **_OWN)}
    functions = kernel.descend, kernel.evaluate, kernel.loss_sum_at
    bound = {function.__name__: kernel.bind(function, **names, **lengths) for function in functions}
    # Within whole epochs they are inlined before anything is compiled: that takes half the time.
    inlined = {name: njit(function, inline="always", **_OWN) for name, function in bound.items()}
    epochs = kernel.bind(kernel.descend_epochs, **inlined, row=native.row)
    descend, evaluate, epochs = (_jit(_named(one, suffix)) for one in (bound["descend"], bound["evaluate"], epochs))
    return Kernel(descend, evaluate, epochs, is_compiled=True)


def compiled_now(loss: Loss, update: Update, sizes: Sizes, warm_up: Callable[[Kernel], None]) -> Kernel | None:
    """The kernel, compiled at once by a first call; None where that cannot be: a person's model may be any Python."""
    try:
        kernel = compiled(loss, update, sizes)
        if kernel is not None:
            warm_up(kernel)  # numba compiles at the first call
    except Exception:  # numba's own of many kinds, or the model's
        return None
    return kernel


class Compilation:
    """Compiles behind what runs, in a thread that nobody waits for at exit."""

    def __init__(self, loss: Loss, update: Update, sizes: Sizes, warm_up: Callable[[Kernel], None]) -> None:
        self._result: Kernel | None = None
        self._thread = threading.Thread(target=self._run, args=(loss, update, sizes, warm_up), daemon=True)
        self._thread.start()

    @property
    def kernel(self) -> Kernel | None:
        """The compiled kernel; None while there is none."""
        return self._result

    def _run(self, loss: Loss, update: Update, sizes: Sizes, warm_up: Callable[[Kernel], None]) -> None:
        # Importing and linking give the interpreter up thousands of times, and the descent takes whole turns of it.
        turn = sys.getswitchinterval()
        sys.setswitchinterval(min(turn, SHORT_TURN_S))
        try:
            self._result = compiled_now(loss, update, sizes, warm_up)
        finally:
            sys.setswitchinterval(turn)


def _named(function: Function, suffix: str) -> Function:
    function.__qualname__ = f"{function.__name__}_{suffix}"
    return function


# numba's own error model raises where a number is divided by zero, and costs a test each time.
# Inlining spares a call and a counted reference to every slice: twice as fast for a small model.
_MODELS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "forceinline": True, "_nrt": True}
"""For models and rules: a person's own may allocate."""

_OWN: dict[str, Any] = {**_MODELS, "_nrt": False}
"""For the kernel's own functions: they allocate nothing, and count no references."""


def _jit(function: Function) -> Function:
    from numba import njit

    try:
        return njit(function, cache=True, **_OWN)  # type: ignore[no-any-return]
    except RuntimeError:
        return njit(function, **_OWN)  # type: ignore[no-any-return]  # nowhere to keep it


def _inner(function: Function) -> Function:
    """A function ready to be called from a compiled one: it, and all Python functions that it calls."""
    from numba import njit

    assert isinstance(function, FunctionType)
    names = {name: _inner(callee) for name, callee in _callees(function).items()}
    cells = tuple(
        CellType(_inner(cell.cell_contents)) if isinstance(cell.cell_contents, FunctionType) else cell
        for cell in function.__closure__ or ()
    )
    copy = FunctionType(
        function.__code__, {**function.__globals__, **names}, function.__name__, function.__defaults__, cells or None
    )
    copy.__module__ = kernel.__name__  # where numba looks as it reads its cache: a file of one's own is no module
    return njit(copy, **_MODELS)  # type: ignore[no-any-return]


def _callees(function: FunctionType) -> dict[str, FunctionType]:
    """The Python functions that a function calls by their global names."""
    found = {name: function.__globals__.get(name) for name in _names(function.__code__)}
    return {name: callee for name, callee in found.items() if isinstance(callee, FunctionType)}


def _names(code: CodeType) -> list[str]:
    """The names that code, and code within it as of a comprehension, looks up."""
    inner = [name for constant in code.co_consts if isinstance(constant, CodeType) for name in _names(constant)]
    return [*code.co_names, *inner]


def _digest(*values: Any) -> str:
    """What these functions and all that they call compute, in a few letters; globals count, they are compiled in."""
    digest, seen = hashlib.sha256(), set[FunctionType]()
    for value in values:
        _feed(digest, value, seen)
    return digest.hexdigest()[:16]


def _feed(digest: Any, value: Any, seen: set[FunctionType]) -> None:
    if isinstance(value, CodeType):
        digest.update(value.co_code + repr((value.co_name, value.co_names, value.co_varnames)).encode())
        for constant in value.co_consts:
            _feed(digest, constant, seen)
    elif not isinstance(value, FunctionType):
        digest.update(repr(value).encode())
        if hasattr(value, "tobytes"):  # of a long array, the text leaves out the middle
            digest.update(value.tobytes())
    elif value not in seen:
        seen.add(value)
        _feed(digest, value.__code__, seen)
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        names = [name for name in _names(value.__code__) if name in value.__globals__]
        for one in (*(value.__defaults__ or ()), *cells, *(value.__globals__[name] for name in names)):
            _feed(digest, one, seen)
