"""Optimizers: update rules, each one function that changes θ in place; PyTorch's formulas and names."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass

from gdtui.experiment import InputError, unknown

Update = Callable[[MutableSequence[float], Sequence[float], float], None]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An update rule: (θ (p,), mean gradient g (p,), lr), changes θ."""

    name: str
    summary: str
    update: Update


def sgd(theta: MutableSequence[float], g: Sequence[float], lr: float) -> None:
    """θ ← θ − lr·g."""
    for j in range(len(theta)):
        theta[j] -= lr * g[j]


OPTIMIZERS = {optimizer.name: optimizer for optimizer in (Optimizer("sgd", "θ ← θ − lr·g", sgd),)}


def optimizer_named(name: str) -> Optimizer:
    """The optimizer of that name.

    Raises:
        InputError: if there is none; it names the nearest.
    """
    if name not in OPTIMIZERS:
        raise InputError("optimizer", unknown("optimizer", name, tuple(OPTIMIZERS)))
    return OPTIMIZERS[name]
