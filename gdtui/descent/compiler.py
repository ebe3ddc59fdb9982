"""Compiler: the kernel bound to one model and one update rule, interpreted at once, compiled by numba when it pays.

numba keeps what it compiles on disk, but knows a function only by its file and name: a bound kernel has a name of its
own, made of all that it is bound to, so that a second process compiles nothing and a changed model is compiled anew.
"""

from __future__ import annotations

import hashlib
import threading
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
    return _bound(loss, update, lambda function: function, is_compiled=False)


@cache
def compiled(loss: Loss, update: Update) -> Kernel | None:
    """The kernel as numba compiles it; None where there is no numba, or it is told not to compile."""
    try:
        from numba import config
    except ImportError:
        return None
    if getattr(config, "DISABLE_JIT", False):
        return None
    return _bound(loss, update, _jit, is_compiled=True)


class Compilation:
    """Compiles behind what runs, in a thread that nobody waits for at exit."""

    def __init__(self, loss: Loss, update: Update, warm_up: Callable[[Kernel], None]) -> None:
        self._result: Kernel | None = None
        self._thread = threading.Thread(target=self._run, args=(loss, update, warm_up), daemon=True)
        self._thread.start()

    @property
    def kernel(self) -> Kernel | None:
        """The compiled kernel; None while there is none."""
        return self._result

    def _run(self, loss: Loss, update: Update, warm_up: Callable[[Kernel], None]) -> None:
        result = compiled(loss, update)
        if result is not None:
            warm_up(result)  # numba compiles at the first call
            self._result = result


def _bound(loss: Loss, update: Update, finish: Callable[[Function], Function], is_compiled: bool) -> Kernel:
    names = {"loss": _inner(loss) if is_compiled else loss, "update": _inner(update) if is_compiled else update}
    if is_compiled:
        names["clip"] = _inner(clip)
    suffix = _digest(loss, update)
    descend = finish(_named(kernel.bind(kernel.descend, **names), suffix))
    evaluate = finish(_named(kernel.bind(kernel.evaluate, **names), suffix))
    epochs = finish(_named(kernel.bind(kernel.descend_epochs, descend=descend, evaluate=evaluate), suffix))
    return Kernel(descend, evaluate, epochs, is_compiled)


def _named(function: Function, suffix: str) -> Function:
    function.__qualname__ = f"{function.__name__}_{suffix}"
    return function


# numba's own error model raises where a number is divided by zero, and costs a test each time.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def _jit(function: Function) -> Function:
    from numba import njit

    try:
        return njit(function, cache=True, **_OPTIONS)  # type: ignore[no-any-return]
    except RuntimeError:
        return njit(function, **_OPTIONS)  # type: ignore[no-any-return]  # nowhere to keep it


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
    return njit(copy, **_OPTIONS)  # type: ignore[no-any-return]


def _callees(function: FunctionType) -> dict[str, FunctionType]:
    """The Python functions that a function calls by their global names."""
    found = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    return {name: callee for name, callee in found.items() if isinstance(callee, FunctionType)}


def _digest(*functions: Function) -> str:
    """What these functions and all that they call compute, in a few letters."""
    digest = hashlib.sha256()
    for function in functions:
        _feed(digest, function)
    return digest.hexdigest()[:16]


def _feed(digest: Any, function: Any) -> None:
    code: CodeType = function.__code__
    digest.update(code.co_code + repr((code.co_name, code.co_names, code.co_varnames)).encode())
    for constant in code.co_consts:
        digest.update(constant.co_code if isinstance(constant, CodeType) else repr(constant).encode())
    for cell in function.__closure__ or ():
        if isinstance(cell.cell_contents, FunctionType):
            _feed(digest, cell.cell_contents)
        else:
            digest.update(repr(cell.cell_contents).encode())
    for callee in _callees(function).values():
        _feed(digest, callee)
