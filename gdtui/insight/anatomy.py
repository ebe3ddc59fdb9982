"""Anatomy: the newest update taken apart: the batch's gradient, what the optimizer's memory makes of it, the step.

The stages are read off the state that the update has left behind; from them alone the step is made again. Where that
is not the step which θ has taken, there is no anatomy rather than a wrong one. Formulas: `gdtui.descent.updates`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.method import Method
from gdtui.descent.updates import LOG_096

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array

AGREES = 1e-7
"""How far the step made again may be off, relative to θ and the step: far more than rounding, far less than a stage."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One quantity on the way from the gradient to the step.

    Attributes:
        name: as in the formulas of the stages after it.
        formula: what made it.
        values: shape (p,).
        norm: ‖values‖.
    """

    name: str
    formula: str
    values: Array
    norm: float

    @classmethod
    def of(cls, name: str, formula: str, values: Array) -> Stage:
        """With its norm, which is not to be computed where it is drawn."""
        return cls(name, formula, values, math.hypot(*values.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """One update, from the batch's gradient to the step.

    Attributes:
        update: its number, from 1.
        optimizer: the rule's name.
        lr: the learning rate that it had.
        batch: how many samples made it.
        clipped: how many of their gradients were clipped.
        parameters: the names of the p parameters.
        stages: g first, then what becomes of it; last the step that θ has taken, Δθ.
        made: the same step, from the stages before it by its formula, shape (p,).
    """

    update: int
    optimizer: str
    lr: float
    batch: int
    clipped: int
    parameters: tuple[str, ...]
    stages: tuple[Stage, ...]
    made: Array

    @property
    def step(self) -> Stage:
        """θ after − θ before."""
        return self.stages[-1]


def newest_step(snapshot: Snapshot) -> tuple[int, Array, Array] | None:
    """The newest update that is complete: which of its epoch's, from 0, θ before it and θ after, shapes (p,).

    None before the first, and while the first batch of an epoch is under way: its predecessor was another epoch's.
    """
    visits = snapshot.visits
    made = snapshot.updates - visits.first_update
    if made < 1 or made > len(visits.thetas):
        return None
    after = visits.thetas[made] if made < len(visits.thetas) else snapshot.theta
    return made - 1, visits.thetas[made - 1], after


def experiment_at(snapshot: Snapshot, update: int) -> Experiment:
    """The experiment as it was in force for an update, counted from 0: without the events from after it."""
    experiment = snapshot.experiment
    for event in reversed(snapshot.events):
        if event.update > update:
            experiment = experiment.replace(**{event.setting: event.before})
    return experiment


def anatomy(snapshot: Snapshot) -> Anatomy | None:
    """The newest update taken apart; None where there is none, or where it cannot be made again from its stages."""
    newest = newest_step(snapshot)
    if newest is None:
        return None
    which, before, after = newest
    visits = snapshot.visits
    start, stop = np.searchsorted(visits.update_of, [which, which + 1])
    experiment = experiment_at(snapshot, visits.first_update + which)
    method = Method.of(experiment)
    lr = method.lr_at(snapshot.epoch - 1 if snapshot.is_between_epochs else snapshot.epoch)
    with np.errstate(all="ignore"):
        g = visits.gradients[start:stop].sum(axis=0) / (stop - start)
        parts = _PARTS[method.rule.name](g, before, lr, method.h.tolist(), snapshot.optimizer_state)
        step = after - before
        scale = np.maximum(np.maximum(np.abs(before), np.abs(after)), np.abs(step))
        is_same = np.abs(parts.step - step) <= AGREES * np.abs(step) + 1e-12 * scale
    if not is_same.all():
        return None
    return Anatomy(
        update=visits.first_update + which + 1,
        optimizer=method.rule.name,
        lr=lr,
        batch=int(stop - start),
        clipped=int(visits.clipped[start:stop].sum()),
        parameters=snapshot.problem.parameters,
        stages=(Stage.of("g", "mean gradient", g), *parts.stages, Stage.of("Δθ", parts.formula, step)),
        made=parts.step,
    )


# --- the rules: each (g, θ before, lr, h, the state afterwards) -> stages and step -----------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    stages: list[Stage]
    step: Array
    formula: str


def _decayed(g: Array, theta: Array, weight_decay: float, stages: list[Stage]) -> tuple[Array, str]:
    """g with the pull of weight decay, where there is any, and its name."""
    if weight_decay == 0.0:
        return g, "g"
    d: Array = g + weight_decay * theta
    stages.append(Stage.of("d", "g + λ·θ", d))
    return d, "d"


def _quotient(numerator: Array, denominator: Array) -> Array:
    """0 where the denominator is 0: there an update leaves θ as it is."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0.0)


def _sgd(g: Array, theta: Array, lr: float, h: list[float], state: Array) -> _Parts:
    momentum, dampening, nesterov, weight_decay = h
    stages: list[Stage] = []
    d, name = _decayed(g, theta, weight_decay, stages)
    if momentum == 0.0:
        return _Parts(stages, -lr * d, f"−lr·{name}")
    b = state[: len(g)]
    stages.append(Stage.of("b", f"μ·b + (1 − dampening)·{name}" if dampening else f"μ·b + {name}", b))
    if nesterov != 0.0:
        return _Parts(stages, -lr * (d + momentum * b), f"−lr·({name} + μ·b)")
    return _Parts(stages, -lr * b, "−lr·b")


def _adagrad(g: Array, theta: Array, lr: float, h: list[float], state: Array) -> _Parts:
    lr_decay, weight_decay, initial, eps = h
    p, stages = len(g), list[Stage]()
    d, name = _decayed(g, theta, weight_decay, stages)
    root = np.sqrt(initial + state[:p])
    decayed_lr = lr / (1.0 + (float(state[p]) - 1.0) * lr_decay)
    stages.append(Stage.of("√s", f"s ← s + {name}²", root))
    rate = "lr/(1 + (t − 1)·lr_decay)" if lr_decay else "lr"
    return _Parts(stages, -decayed_lr * _quotient(d, root + eps), f"−{rate}·{name}/(√s + eps)")


def _rmsprop(g: Array, theta: Array, lr: float, h: list[float], state: Array) -> _Parts:
    _, eps, weight_decay, momentum, centered = h
    p, stages = len(g), list[Stage]()
    d, name = _decayed(g, theta, weight_decay, stages)
    v = state[:p]
    if centered != 0.0:
        m = state[2 * p :]
        stages.append(Stage.of("m", f"α·m + (1 − α)·{name}", m))
        v = np.maximum(v - m * m, 0.0)
    root = np.sqrt(v)
    stages.append(Stage.of("√(v−m²)" if centered else "√v", f"v ← α·v + (1 − α)·{name}²", root))
    ratio = f"{name}/({stages[-1].name} + eps)"
    if momentum == 0.0:
        return _Parts(stages, -lr * _quotient(d, root + eps), f"−lr·{ratio}")
    b = state[p : 2 * p]
    stages.append(Stage.of("b", f"μ·b + {ratio}", b))
    return _Parts(stages, -lr * b, "−lr·b")


def _adadelta(g: Array, theta: Array, lr: float, h: list[float], state: Array) -> _Parts:
    rho, eps, weight_decay = h
    p, stages = len(g), list[Stage]()
    d, name = _decayed(g, theta, weight_decay, stages)
    v, u_after = state[:p], state[p:]
    # The u that the step was made with, from the one it has left: u' = ρ·u + (1 − ρ)·(u + eps)·d²/(v + eps).
    share = (1.0 - rho) * _quotient(d * d, v + eps)
    u = np.maximum(_quotient(u_after - share * eps, rho + share), 0.0)
    stages.append(Stage.of("√v", f"v ← ρ·v + (1 − ρ)·{name}²", np.sqrt(v)))
    stages.append(Stage.of("√u", "of the steps so far", np.sqrt(u)))
    delta = _quotient(np.sqrt(u + eps), np.sqrt(v + eps)) * d
    return _Parts(stages, -lr * delta, f"−lr·√(u + eps)/√(v + eps)·{name}")


def _adam_moments(d: Array, name: str, h: list[float], state: Array, stages: list[Stage]) -> Array:
    """m̂ and √v̂ as stages, and their quotient."""
    p, eps, amsgrad = len(d), h[2], h[4]
    v = state[2 * p : 3 * p] if amsgrad else state[p : 2 * p]
    mean = state[:p] / state[3 * p]
    root = np.sqrt(v) / math.sqrt(state[3 * p + 1])
    stages.append(Stage.of("m̂", f"m ← β₁·m + (1 − β₁)·{name}", mean))
    stages.append(Stage.of("√v̂", f"v ← β₂·v + (1 − β₂)·{name}²" + (", the greatest" if amsgrad else ""), root))
    return _quotient(mean, root + eps)


def _adam(g: Array, theta: Array, lr: float, h: list[float], state: Array) -> _Parts:
    stages: list[Stage] = []
    d, name = _decayed(g, theta, h[3], stages)
    return _Parts(stages, -lr * _adam_moments(d, name, h, state, stages), "−lr·m̂/(√v̂ + eps)")


def _adamw(g: Array, theta: Array, lr: float, h: list[float], state: Array) -> _Parts:
    stages: list[Stage] = []
    ratio, weight_decay = _adam_moments(g, "g", h, state, stages), h[3]
    if weight_decay == 0.0:
        return _Parts(stages, -lr * ratio, "−lr·m̂/(√v̂ + eps)")
    stages.append(Stage.of("λ·θ", "pulls θ towards 0", weight_decay * theta))
    return _Parts(stages, -lr * (ratio + weight_decay * theta), "−lr·(m̂/(√v̂ + eps) + λ·θ)")


def _nadam(g: Array, theta: Array, lr: float, h: list[float], state: Array) -> _Parts:
    beta1, _, eps, weight_decay, momentum_decay = h
    p, stages = len(g), list[Stage]()
    d, name = _decayed(g, theta, weight_decay, stages)
    t, correction1, correction2 = state[2 * p :].tolist()
    mu, mu_next = (beta1 * (1.0 - 0.5 * math.exp(LOG_096 * (s * momentum_decay))) for s in (t, t + 1.0))
    correction1_next = mu_next * correction1 + (1.0 - mu_next)
    mean = (1.0 - mu) / correction1 * d + mu_next / correction1_next * state[:p]
    root = np.sqrt(state[p : 2 * p] / correction2)
    stages.append(Stage.of("m̂", f"m ahead: (1 − μ)·{name} + μ·m", mean))
    stages.append(Stage.of("√v̂", f"v ← β₂·v + (1 − β₂)·{name}²", root))
    return _Parts(stages, -lr * _quotient(mean, root + eps), "−lr·m̂/(√v̂ + eps)")


def _lion(g: Array, theta: Array, lr: float, h: list[float], state: Array) -> _Parts:
    beta1, beta2, weight_decay = h
    # The m that the sign was made with, from the one it has left; with β₂ = 0 nothing is left of it.
    m = (state - (1.0 - beta2) * g) / beta2 if beta2 else np.full_like(g, math.nan)
    c = beta1 * m + (1.0 - beta1) * g
    stages = [Stage.of("c", "β₁·m + (1 − β₁)·g", c)]
    if weight_decay == 0.0:
        return _Parts(stages, -lr * np.sign(c), "−lr·sign(c)")
    stages.append(Stage.of("λ·θ", "pulls θ towards 0", weight_decay * theta))
    return _Parts(stages, -lr * (np.sign(c) + weight_decay * theta), "−lr·(sign(c) + λ·θ)")


_PARTS: dict[str, Callable[[Array, Array, float, list[float], Array], _Parts]] = {
    "sgd": _sgd,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adadelta": _adadelta,
    "adam": _adam,
    "adamw": _adamw,
    "nadam": _nadam,
    "lion": _lion,
}
