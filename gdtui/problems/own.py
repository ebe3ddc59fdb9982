"""Own: a person's own model from a Python file, FILE.py:NAME, gradient-checked as it is loaded."""

from __future__ import annotations

import importlib.util
import math
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from gdtui.experiment import InputError, shown, unknown
from gdtui.problems.gradcheck import GradientCheck, check_gradient
from gdtui.problems.models import Model
from gdtui.problems.problem import Problem

if TYPE_CHECKING:
    from collections.abc import MutableSequence

    from gdtui.problems.datasets import Array, Dataset
    from gdtui.problems.models import Loss, Vector

CHECKED_SAMPLES = 3
MOST_PARAMETERS = 1_000_000


def load_own(name: str, dataset: Dataset, init: tuple[float, ...]) -> Problem:
    """The model `NAME(theta, x, y, g) -> loss` of a file, on some data.

    Its parameters are as many as `NAME.parameters` says, a number or names; without that, as the start has numbers,
    or else as the data has features. `NAME.predict(theta, x)` is its prediction, where it has one.

    Raises:
        InputError: if the file or the function is not there, fails, or writes a wrong gradient.
    """
    function = _function(name)
    parameters = _parameters(function, dataset, init)
    model = Model(
        name,
        (function.__doc__ or "").split("\n")[0],
        _guarded(function),
        getattr(function, "predict", None),
        lambda _: parameters,
        own=function,
    )
    problem = Problem(model, dataset)
    for sample, check in enumerate(own_checks(problem, problem.start(init))):
        if not check.ok:
            raise InputError(
                "problem", f"{name}: the gradient is wrong at sample {sample}: {_wrong(check, parameters)}"
            )
    return problem


def _guarded(own: Loss) -> Loss:
    """nan instead of an error, as compiled arithmetic has it where a logarithm or a division fails."""

    def guarded(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
        try:
            return own(theta, x, y, g)
        except Exception:  # whatever a person's own code raises; compiled code knows no other kind to catch
            return math.nan

    return guarded


def failure(problem: Problem, theta: Array, sample: int) -> str:
    """What a person's own model raises for a sample at θ (p,), in brackets; empty where nothing is raised."""
    if problem.model.own is None:
        return ""
    x, y = problem.dataset.x[sample].tolist(), float(problem.dataset.y[sample])
    try:
        problem.model.own(theta.tolist(), x, y, [0.0] * len(theta))
    except (Exception, SystemExit) as error:
        return f" ({_described(error)})"
    return ""


def own_checks(problem: Problem, theta: Array) -> list[GradientCheck]:
    """Gradient checks at some samples, beside the start: there a mistake may happen to vanish.

    Raises:
        InputError: if the model raises, or its loss is not a finite number.
    """
    import numpy as np

    dataset, own, checks = problem.dataset, problem.model.own or problem.model.loss, []
    beside = [value + 0.1 * (j + 1) for j, value in enumerate(theta.tolist())]
    for sample in range(min(CHECKED_SAMPLES, problem.n)):
        x, y = dataset.x[sample].tolist(), float(dataset.y[sample])
        try:
            # As the interpreted kernel calls it, over memoryviews; the check below uses lists.
            flat: list[Any] = [np.array(numbers).data for numbers in (beside, x, [0.0] * len(beside))]
            value = own(flat[0], flat[1], y, flat[2])
            if not math.isfinite(value):
                raise InputError("problem", f"{problem.model.name}: the loss of sample {sample} is {value}, not finite")
            checks.append(check_gradient(own, beside, x, y))
            if problem.model.predict is not None:
                float(problem.model.predict(beside, x))
        except InputError:
            raise
        except (Exception, SystemExit) as error:  # whatever a person's own code raises
            raise InputError("problem", f"{problem.model.name} fails: {_described(error)}") from None
    return checks


def _function(name: str) -> Any:
    path, _, attribute = name.rpartition(":")
    if not Path(path).is_file():
        raise InputError("problem", f"there is no file {shown(path)}")
    spec = importlib.util.spec_from_file_location("gdtui_own_model", path)
    if spec is None or not isinstance(spec.loader, SourceFileLoader):
        raise InputError("problem", f"{shown(path)} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        # Not by `exec_module`: it takes a file that was changed within a second, to the same length, for the old one.
        exec(spec.loader.source_to_code(spec.loader.get_data(path), path), vars(module))
    except (Exception, SystemExit) as error:  # whatever a person's own code raises
        raise InputError("problem", f"{shown(path)} does not import: {_described(error)}") from None
    functions = tuple(key for key, value in vars(module).items() if callable(value) and not key.startswith("_"))
    function = getattr(module, attribute, None)
    if not callable(function):
        raise InputError("problem", f"{shown(path)}: " + unknown("function", attribute, functions))
    function = getattr(function, "py_func", function)  # what numba was asked to compile
    if not isinstance(function, FunctionType):
        raise InputError("problem", f"{name} is not a plain function: write def {attribute}(theta, x, y, g)")
    return function


def _parameters(function: Any, dataset: Dataset, init: tuple[float, ...]) -> tuple[str, ...]:
    declared = getattr(function, "parameters", None)
    if isinstance(declared, (tuple, list)) and declared:
        return tuple(map(str, declared))
    if declared is not None and not (type(declared) is int and 1 <= declared <= MOST_PARAMETERS):
        raise InputError(
            "problem",
            f"{function.__name__}.parameters must be names or a number from 1 to {MOST_PARAMETERS:,}, "
            f"got {shown(declared)}",
        )
    p = declared or (len(init) if len(init) > 1 else dataset.x.shape[1])
    return ("w",) if p == 1 else tuple(f"w{j + 1}" for j in range(p))


def _wrong(check: GradientCheck, parameters: tuple[str, ...]) -> str:
    j = check.worst
    return f"∂ℓ/∂{parameters[j]} is {check.analytic[j]:.6g}, but finite differences give {check.numeric[j]:.6g}"


def _described(error: BaseException) -> str:
    return shown(f"{type(error).__name__}: {error}", 120)[1:-1]
