"""Preconditioners: what an adaptive optimizer divides by, read from its state, and the recurrence that is left.

Held still, θ ← θ − lr·P⁻¹(γ·g + κ·m) with P = diag(denominators) is a linear recurrence on P⁻¹H (Cohen et al. 2022,
*Adaptive gradient methods at the edge of stability*). The state is laid out as `gdtui.descent.updates` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.updates import LOG_096
from gdtui.insight.limits import Recurrence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gdtui.problems.datasets import Array


@dataclass(frozen=True, slots=True, eq=False)
class Preconditioned:
    """An adaptive optimizer with what it divides by held still.

    Attributes:
        denominators: P's diagonal, shape (p,), none below 0.
        method: how θ is updated, for H in place of which P⁻¹H stands.
    """

    denominators: Array
    method: Recurrence


def preconditioned(rule: str, values: Mapping[str, float], state: Array, p: int) -> Preconditioned | None:
    """An optimizer as it stands after an update.

    Args:
        rule: its name.
        values: its hyperparameters by name.
        state: as its update lays it out.
        p: the number of parameters.

    Returns:
        None before the first update, when it has nothing to divide by, and for a rule that divides by nothing.
    """
    if rule not in _READERS or not state.any():
        return None
    with np.errstate(all="ignore"):
        read = _READERS[rule](values, state, p)
    return read if np.isfinite(read.denominators).all() else None


def _adam(values: Mapping[str, float], state: Array, p: int) -> Preconditioned:
    """(1 − β₁ᵗ)(√v̂ + eps): both corrections are in it, as in Cohen et al.; AMSGrad's v is the greatest so far."""
    v = state[2 * p : 3 * p] if values["amsgrad"] else state[p : 2 * p]
    correction1, correction2 = state[3 * p :].tolist()
    denominators = correction1 * (np.sqrt(v) / math.sqrt(correction2) + values["eps"])
    return Preconditioned(denominators, Recurrence(0.0, 1.0, values["beta1"], 1 - values["beta1"]))


def _adamw(values: Mapping[str, float], state: Array, p: int) -> Preconditioned:
    """As Adam's; the decay stays out of P."""
    adam, beta1 = _adam(values, state, p), values["beta1"]
    return Preconditioned(adam.denominators, Recurrence(0.0, 1.0, beta1, 1 - beta1, decay=values["weight_decay"]))


def _nadam(values: Mapping[str, float], state: Array, p: int) -> Preconditioned:
    """√v̂ + eps; the weights of g and m are those of the next update."""
    (t, correction1, correction2), beta1 = state[2 * p :].tolist(), values["beta1"]
    mu, mu_next = (beta1 * (1 - 0.5 * math.exp(LOG_096 * (at * values["momentum_decay"]))) for at in (t + 1.0, t + 2.0))
    correction1 = mu * correction1 + (1 - mu)
    direct, kept = (1 - mu) / correction1, mu_next / (mu_next * correction1 + (1 - mu_next))
    denominators = np.sqrt(state[p : 2 * p] / correction2) + values["eps"]
    return Preconditioned(denominators, Recurrence(direct, kept, beta1, 1 - beta1))


def _rmsprop(values: Mapping[str, float], state: Array, p: int) -> Preconditioned:
    """√v + eps, or where it is centered √(v − m²) + eps; its momentum is of the steps."""
    v, momentum = state[:p], values["momentum"]
    if values["centered"]:
        v = np.maximum(v - state[2 * p :] ** 2, 0.0)
    method = Recurrence(0.0, 1.0, momentum, 1.0) if momentum else Recurrence()
    return Preconditioned(np.sqrt(v) + values["eps"], method)


def _adagrad(values: Mapping[str, float], state: Array, p: int) -> Preconditioned:
    """√(s₀ + s) + eps, with lr divided by 1 + t·lr_decay."""
    denominators = np.sqrt(values["initial_accumulator_value"] + state[:p]) + values["eps"]
    return Preconditioned(denominators, Recurrence(direct=1 / (1 + float(state[p]) * values["lr_decay"])))


def _adadelta(values: Mapping[str, float], state: Array, p: int) -> Preconditioned:
    """√(v + eps)/√(u + eps)."""
    v, u = state[:p], state[p : 2 * p]
    return Preconditioned(np.sqrt((v + values["eps"]) / (u + values["eps"])), Recurrence())


_READERS: dict[str, Callable[[Mapping[str, float], Array, int], Preconditioned]] = {
    "adam": _adam,
    "adamw": _adamw,
    "nadam": _nadam,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
}
