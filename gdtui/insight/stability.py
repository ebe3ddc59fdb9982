"""Stability: how far the learning rate is from where descent breaks, and what breaks there.

A ladder of learning rates for the experiment as it is set: the limit that applies to it, those of its neighbours (the
full batch, a fixed order, draws with replacement, one sample alone), and the fastest. For quadratics they are exact;
elsewhere the full batch's is that of the curvature at this θ, which moves as θ does (Cohen et al. 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.batching import samples_in_batch
from gdtui.descent.method import Method
from gdtui.insight import limits
from gdtui.insight.hessian import MOST_NUMBERS, Curvature, Evaluate, curvature, preconditioned_sharpness
from gdtui.insight.limits import Recurrence, critical
from gdtui.insight.preconditioners import preconditioned

if TYPE_CHECKING:
    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array
    from gdtui.problems.problem import Problem

SAMPLES_SHOWN = 3
"""So many samples have a limit of their own in the ladder: the steepest."""


class Kind(StrEnum):
    """Of what a limit is true: of the whole descent, since f is quadratic, or of the neighbourhood of this θ."""

    EXACT = "exact"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Limit:
    """A learning rate at which something happens, or why none is known.

    Attributes:
        name: what it is the limit of, in a few words.
        lr: the learning rate; None where there is none, or none is known.
        kind: of what it is true.
        source: its formula and where it comes from.
        reason: why there is none; where there is one, what it leaves out.
    """

    name: str
    lr: float | None
    kind: Kind
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """An experiment's learning rate among its limits.

    Attributes:
        lr: the learning rate.
        applies: the limit of the experiment as it is set.
        others: those of its neighbours, for comparison.
        fastest: the learning rate that settles soonest; None where it is not known.
        curvature: of f at this θ; None where there is none.
    """

    lr: float
    applies: Limit
    others: tuple[Limit, ...]
    fastest: Limit | None
    curvature: Curvature | None

    @property
    def is_stable(self) -> bool | None:
        """Whether the learning rate is below the limit that applies; None where that is not known."""
        return None if self.applies.lr is None else self.lr < self.applies.lr

    def at(self, lr: float) -> Stability:
        """Another learning rate among the same limits."""
        return replace(self, lr=lr)

    @property
    def rungs(self) -> tuple[Limit, ...]:
        """All that have a learning rate, the smallest first."""
        known = [one for one in (self.applies, *self.others, self.fastest) if one is not None and one.lr is not None]
        return tuple(sorted(known, key=lambda limit: limit.lr or 0.0))


def ladder(
    problem: Problem,
    experiment: Experiment,
    theta: Array,
    evaluate: Evaluate,
    *,
    optimizer_state: Array | None = None,
    lr: float | None = None,
    known: Curvature | None = None,
    most_numbers: int = MOST_NUMBERS,
) -> Stability:
    """The limits of an experiment at θ.

    On a quadratic, with SGD, nothing here depends on θ or lr: ask for it again when another setting changes.
    At most `hessian.MOST_EVALUATIONS` passes over the data, twice that for an adaptive optimizer of many parameters.

    Args:
        problem: what is minimised.
        experiment: how.
        theta: θ, shape (p,).
        evaluate: every sample at any θ; not only at the one that a snapshot has at hand.
        optimizer_state: the update rule's state, for the optimizers that divide by what they remember.
        lr: the learning rate, where a schedule has it differ from the experiment's.
        known: this problem's curvature, as an earlier ladder had it; saves all passes where that one is exact.
        most_numbers: numbers of gradients that a Hessian may ask for: fewer where `evaluate` is slow.
    """
    lr = experiment.lr if lr is None else lr
    here = known if known is not None and known.is_exact else curvature(problem, theta, evaluate, most_numbers)
    if here is None:
        none = Limit("full batch", None, Kind.LOCAL, "", "the curvature here is not finite, or too much work to find")
        return Stability(lr, none, (), None, None)
    with np.errstate(all="ignore"):
        method = Method.of(experiment)
        values = dict(zip((h.name for h in method.rule.hyperparameters), method.h.tolist(), strict=True))
        if method.rule.name == "sgd":
            applies, others, fastest = _sgd(problem, experiment, here, values)
        else:
            adaptive = _adaptive(
                problem, theta, evaluate, here, method.rule.name, values, optimizer_state, most_numbers
            )
            applies, others, fastest = _of_batches(adaptive, experiment, problem.n), (), None
    if method.clip > 0:
        applies = replace(applies, kind=Kind.LOCAL, reason=applies.reason or "where no gradient is long enough to clip")
    return Stability(lr, applies, others, fastest, here)


# --- SGD -------------------------------------------------------------------------------------------------------------


def _sgd(
    problem: Problem, experiment: Experiment, here: Curvature, values: dict[str, float]
) -> tuple[Limit, tuple[Limit, ...], Limit | None]:
    method = limits.sgd(values["momentum"], values["dampening"], values["nesterov"] != 0)
    kind, decay = Kind.EXACT if here.is_exact else Kind.LOCAL, values["weight_decay"]
    full = _of_one("full batch", method, here.largest + decay, kind)
    if problem.n == 1:
        return full, (), _fastest(method, here, decay)
    if not here.is_exact:
        return _of_batches(full, experiment, problem.n), (full,) if is_split(experiment, problem.n) else (), None
    batch_size = samples_in_batch(experiment.batch_size, problem.n)
    if not is_split(experiment, problem.n):
        batch_size = 1  # as what the full batch is compared with
    samples = None if here.samples is None else here.samples + decay * np.eye(here.samples.shape[-1])
    random = _random(method, samples, batch_size)
    ordered = _ordered(method, samples, batch_size)
    if full.lr is None:
        random, ordered = replace(random, reason=full.reason), replace(ordered, reason=full.reason)
    alone = () if samples is None else _alone(method, samples, full)
    applies = {
        "sequential": ordered,
        "replacement": random,
        "shuffle": _shuffled(method, samples, batch_size, ordered, alone),
    }[experiment.order]
    if not is_split(experiment, problem.n):
        applies = full
    others = tuple(one for one in (full, ordered, random, *alone) if not _is_same(one, applies))
    return applies, others, _fastest(method, here, decay)


def _is_same(one: Limit, other: Limit) -> bool:
    return one is other or (one.lr is not None and other.lr is not None and math.isclose(one.lr, other.lr))


def _of_one(name: str, method: Recurrence, eigenvalue: float, kind: Kind) -> Limit:
    lr = critical(method, eigenvalue)
    reason = ""
    if lr is None and method.beta >= 1:
        reason = "momentum of 1 or more never settles"
    elif lr is None and not eigenvalue > 0:
        reason = "nothing here curves upward: no step is too long"
    elif lr is None:
        reason = "the dampening leaves nothing of the gradient, or turns it round"
    return Limit(name, lr, kind, _formula(method), reason)


def _formula(method: Recurrence) -> str:
    if not method.has_memory:
        return "2/λmax"
    if method.direct:
        return "2(1 + μ)/((1 + 2μ)λmax), PyTorch's Nesterov"
    return "(2 + 2μ)/((1 − dampening)λmax), Polyak 1964"


def _fastest(method: Recurrence, here: Curvature, decay: float) -> Limit | None:
    if here.matrix is None or not here.is_exact:
        return None
    curved = [value for value in np.linalg.eigvalsh(here.matrix).tolist() if value > 1e-12 * here.largest]
    lr = limits.fastest(method, curved[0] + decay, curved[-1] + decay) if curved else None
    if lr is None:
        return None
    is_one_step = not method.has_memory and curved[0] == curved[-1]
    name, source = ("one step", "1/λ") if is_one_step else ("fastest", "2/(λmin + λmax), Polyak 1964")
    if method.has_memory:
        source = "2(1 + μ)/((1 − dampening)(λmin + λmax)), Polyak 1964"
    return Limit(name, lr, Kind.EXACT, source)


def _ordered(method: Recurrence, samples: Array | None, batch_size: int) -> Limit:
    name, source = "in order", "ρ(Π(A − lr·H_B)) = 1 over an epoch's batches; Wu, Ma & E 2018"
    if samples is None:
        return Limit(name, None, Kind.EXACT, source, "too many samples to find it")
    lr = limits.in_order(method, _in_batches(samples, batch_size))
    return Limit(name, lr, Kind.EXACT, source, "" if lr else "too many batches or parameters to find it")


def _in_batches(samples: Array, batch_size: int) -> Array:
    """The Hessians of batches in the samples' order, each the mean of its samples', shape (k, p, p)."""
    first = np.arange(0, len(samples), batch_size)
    counts = np.diff(np.append(first, len(samples)))
    sums: Array = np.add.reduceat(samples, first, axis=0)
    return sums / counts[:, np.newaxis, np.newaxis]


def _random(method: Recurrence, samples: Array | None, batch_size: int) -> Limit:
    name, source = "with replacement", "ρ(E[A ⊗ A]) = 1, in the mean square; Ma, Bassily & Belkin 2018"
    if samples is None:
        return Limit(name, None, Kind.EXACT, source, "too many samples to find it")
    lr = limits.with_replacement(method, samples, batch_size)
    return Limit(name, lr, Kind.EXACT, source, "" if lr else "too many samples or parameters to find it")


def _alone(method: Recurrence, samples: Array, full: Limit) -> tuple[Limit, ...]:
    """The limits of the steepest samples, each as if it were all the data; none where all samples are the same."""
    if (samples == samples[0]).all():
        return ()
    norms = np.sqrt((samples * samples).sum(axis=(1, 2)))  # bounds λmax; equal to it where a Hessian has rank one
    tried = np.argsort(-norms, kind="stable")[: 8 * SAMPLES_SHOWN]
    steepness = np.linalg.eigvalsh(samples[tried])[:, -1]
    steepest = np.argsort(-steepness, kind="stable")[:SAMPLES_SHOWN]
    return tuple(
        replace(_of_one(f"sample {tried[at]} alone", method, float(steepness[at]), full.kind), source="of its own λ")
        for at in steepest
    )


def _shuffled(
    method: Recurrence, samples: Array | None, batch_size: int, ordered: Limit, alone: tuple[Limit, ...]
) -> Limit:
    """In one dimension any order of single samples is the same; otherwise what can be said is what is certain."""
    if samples is not None and (
        (samples.shape[-1] == 1 and batch_size == 1 and not method.has_memory) or (samples == samples[0]).all()
    ):
        return replace(ordered, name="in any order")
    reason = "every epoch has another order: no one limit"
    if alone and alone[0].lr is not None and not method.has_memory:
        reason += f"; below {alone[0].lr:.4g}, the limit of {alone[0].name}, none of them breaks"
    return Limit("shuffled", None, Kind.EXACT, "", reason)


def is_split(experiment: Experiment, n: int) -> bool:
    """Updates that do not see every sample, once each."""
    return experiment.order == "replacement" or samples_in_batch(experiment.batch_size, n) < n


def _of_batches(full: Limit, experiment: Experiment, n: int) -> Limit:
    """The full batch's limit where it applies; for batches of an f that is not quadratic none is known."""
    if n == 1 or not is_split(experiment, n):
        return full
    return Limit("batches", None, Kind.LOCAL, "", full.reason or "known only for the full batch here")


# --- adaptive optimizers ---------------------------------------------------------------------------------------------


def _adaptive(
    problem: Problem,
    theta: Array,
    evaluate: Evaluate,
    here: Curvature,
    rule: str,
    values: dict[str, float],
    state: Array | None,
    most_numbers: int,
) -> Limit:
    source = "lr·λmax(P⁻¹H) at its limit, (2 + 2β₁)/(1 − β₁) for Adam; Cohen et al. 2022"
    if rule == "lion":
        reason = "steps are signs, always lr long: it neither breaks nor settles closer than lr"
        return Limit("full batch", None, Kind.LOCAL, source, reason)
    frozen = None if state is None else preconditioned(rule, values, state, len(theta))
    if frozen is None:
        return Limit("full batch", None, Kind.LOCAL, source, "what it divides by is known after the first update")
    shift = values.get("weight_decay", 0.0) if rule != "adamw" else 0.0
    denominators = frozen.denominators
    sharpness = preconditioned_sharpness(problem, theta, evaluate, here, denominators, shift, most_numbers)
    if sharpness is None:
        return Limit("full batch", None, Kind.LOCAL, source, "the curvature it sees is not finite")
    return replace(_of_one("full batch", frozen.method, sharpness, Kind.LOCAL), source=source)
