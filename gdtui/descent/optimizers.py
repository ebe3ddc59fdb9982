"""Rules: the optimizers by name, each an update with its hyperparameters and its state's size; PyTorch's defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.descent import updates
from gdtui.experiment import InputError, Value, unknown
from gdtui.hyperparameters import Hyperparameter, with_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray


def _anything(values: Mapping[str, Value]) -> None:
    """Every value in its range is right."""


def _check_nesterov(values: Mapping[str, Value]) -> None:
    if values["nesterov"] and (values["momentum"] == 0 or values["dampening"] != 0):
        raise InputError("nesterov", "nesterov needs momentum above 0 and dampening 0: set momentum=0.9, say")


def _check_betas(values: Mapping[str, Value]) -> None:
    for name in ("beta1", "beta2"):
        if values[name] == 1:
            raise InputError(name, f"{name} must be below 1, got 1: the average would never learn of a gradient")


@dataclass(frozen=True, slots=True)
class Rule:
    """An update rule with what it needs.

    Attributes:
        name: as in `--optimizer`.
        summary: its formula, for people.
        update: (θ (p,), mean gradient (p,), lr, h, state) -> None; changes θ and the state.
        lr: PyTorch's default learning rate; Lion's is its authors'.
        hyperparameters: in the order of h.
        slots: rows of p numbers in its state.
        scalars: single numbers in its state, after the rows.
        check: raises InputError if values, each in its range, do not go together.
    """

    name: str
    summary: str
    update: updates.Update
    lr: float
    hyperparameters: tuple[Hyperparameter, ...]
    slots: int
    scalars: int = 0
    check: Callable[[Mapping[str, Value]], None] = _anything

    def h(self, given: Mapping[str, Value]) -> tuple[float, ...]:
        """The hyperparameters as `update` takes them: each as given, or its default.

        Raises:
            InputError: if one is unknown, out of its range, or does not go with the others.
        """
        values = with_defaults(self.name, self.hyperparameters, given)
        self.check(values)
        return tuple(float(values[one.name]) for one in self.hyperparameters)


def initial_state(rule: Rule, p: int) -> NDArray[np.float64]:
    """The state before the first update, flat: zeros, (slots·p + scalars,)."""
    import numpy as np

    return np.zeros(rule.slots * p + rule.scalars)


def rule_named(name: str) -> Rule:
    """The rule of that name.

    Raises:
        InputError: if there is none; it names the nearest.
    """
    if name not in RULES:
        raise InputError("optimizer", unknown("optimizer", name, tuple(RULES)))
    return RULES[name]


# --- the rules by name -----------------------------------------------------------------------------------------------


def _flag(name: str, what: str) -> Hyperparameter:
    return Hyperparameter(name, 0, f"1: {what}; 0: not", 0, 1)


def _eps(default: float) -> Hyperparameter:
    return Hyperparameter("eps", default, "keeps the denominator from 0", 0)


def _momentum(default: float = 0.0) -> Hyperparameter:
    return Hyperparameter("momentum", default, "μ, memory of the steps before", 0)


def _weight_decay(default: float = 0.0) -> Hyperparameter:
    return Hyperparameter("weight_decay", default, "λ, pull of θ towards 0", 0)


BETA1 = Hyperparameter("beta1", 0.9, "β₁, memory of the gradient's average", 0, 1)
BETA2 = Hyperparameter("beta2", 0.999, "β₂, memory of the average of g²", 0, 1)
AMSGRAD = _flag("amsgrad", "divide by the greatest √v so far")

RULES = {
    rule.name: rule
    for rule in (
        Rule(
            "sgd",
            "θ ← θ − lr·g; with momentum b ← μ·b + g, θ ← θ − lr·b",
            updates.sgd,
            lr=1e-3,
            hyperparameters=(
                _momentum(),
                Hyperparameter("dampening", 0.0, "share of the gradient that momentum leaves out"),
                _flag("nesterov", "look ahead along the momentum"),
                _weight_decay(),
            ),
            slots=1,
            scalars=1,
            check=_check_nesterov,
        ),
        Rule(
            "adagrad",
            "s ← s + g²; θ ← θ − lr·g/(√s + eps)",
            updates.adagrad,
            lr=1e-2,
            hyperparameters=(
                Hyperparameter("lr_decay", 0.0, "lr is divided by 1 + (t − 1)·lr_decay", 0),
                _weight_decay(),
                Hyperparameter("initial_accumulator_value", 0.0, "s before the first update", 0),
                _eps(1e-10),
            ),
            slots=1,
            scalars=1,
        ),
        Rule(
            "rmsprop",
            "v ← α·v + (1 − α)·g²; θ ← θ − lr·g/(√v + eps)",
            updates.rmsprop,
            lr=1e-2,
            hyperparameters=(
                Hyperparameter("alpha", 0.99, "α, memory of the average of g²", 0, 1),
                _eps(1e-8),
                _weight_decay(),
                _momentum(),
                _flag("centered", "divide by the spread of g about its average"),
            ),
            slots=3,
        ),
        Rule(
            "adadelta",
            "v ← ρ·v + (1 − ρ)·g²; Δ = √(u + eps)/√(v + eps)·g; u ← ρ·u + (1 − ρ)·Δ²; θ ← θ − lr·Δ",
            updates.adadelta,
            lr=1.0,
            hyperparameters=(
                Hyperparameter("rho", 0.9, "ρ, memory of the averages of g² and Δ²", 0, 1),
                _eps(1e-6),
                _weight_decay(),
            ),
            slots=2,
        ),
        Rule(
            "adam",
            "m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²; θ ← θ − lr·m̂/(√v̂ + eps), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ)",
            updates.adam,
            lr=1e-3,
            hyperparameters=(BETA1, BETA2, _eps(1e-8), _weight_decay(), AMSGRAD),
            slots=3,
            scalars=2,
            check=_check_betas,
        ),
        Rule(
            "adamw",
            "θ ← (1 − lr·λ)·θ, then adam's step",
            updates.adamw,
            lr=1e-3,
            hyperparameters=(BETA1, BETA2, _eps(1e-8), _weight_decay(1e-2), AMSGRAD),
            slots=3,
            scalars=2,
            check=_check_betas,
        ),
        Rule(
            "nadam",
            "θ ← θ − lr·((1 − μₜ)·ĝ + μₜ₊₁·m̂)/(√v̂ + eps): adam with Nesterov's look ahead",
            updates.nadam,
            lr=2e-3,
            hyperparameters=(
                BETA1,
                BETA2,
                _eps(1e-8),
                _weight_decay(),
                Hyperparameter("momentum_decay", 4e-3, "how fast μₜ goes from β₁/2 to β₁", 0),
            ),
            slots=2,
            scalars=3,
            check=_check_betas,
        ),
        Rule(
            "lion",
            "c = β₁·m + (1 − β₁)·g; m ← β₂·m + (1 − β₂)·g; θ ← θ − lr·(sign(c) + λ·θ)",
            updates.lion,
            lr=1e-4,
            hyperparameters=(
                Hyperparameter("beta1", 0.9, "β₁, share of m in the direction", 0, 1),
                Hyperparameter("beta2", 0.99, "β₂, memory of the gradient's average m", 0, 1),
                _weight_decay(),
            ),
            slots=1,
            check=_check_betas,
        ),
    )
}
"""Every rule by its name, the simplest first."""
