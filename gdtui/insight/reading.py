"""Reading: a moment, and all that insight has measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.insight.instruments import alignments, distance, measure
from gdtui.insight.stability import ladder
from gdtui.insight.tracked import newest_alpha

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.insight.instruments import Alignments, Instruments
    from gdtui.insight.stability import Stability

MOST_NUMBERS = 500_000
"""Numbers of gradients that a reading's Hessian may ask for where the gradients are computed by the interpreter."""

COMPILED_MOST_NUMBERS = 20_000_000
"""The same where there are so many samples that they are computed by compiled code."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was measured at one moment, all of it at the θ of that moment.

    Attributes:
        snapshot: the moment.
        alignments: each sample's gradient against the mean, arrays of shape (n,).
        instruments: the numbers of all of them together.
        alpha: where the newest update landed: −1 not moved, 0 the minimum along it, 1 the far wall; None undefined.
        update_size: the newest update's length; None before the first.
        distance: from the start.
        stability: the learning rate among its limits, with f's curvature.
    """

    snapshot: Snapshot
    alignments: Alignments
    instruments: Instruments
    alpha: float | None
    update_size: float | None
    distance: float | None
    stability: Stability


def read(snapshot: Snapshot, before: Reading | None = None) -> Reading:
    """Measure a moment; costs some passes over the data, so not on an event loop.

    Args:
        snapshot: the moment.
        before: an earlier reading of any run: what still holds of it is not computed again.
    """
    gradients, thetas = snapshot.now.gradients, snapshot.visits.thetas
    return Reading(
        snapshot=snapshot,
        alignments=alignments(gradients),
        instruments=measure(gradients),
        alpha=newest_alpha(snapshot),
        update_size=distance(snapshot.theta, thetas[-1]) if len(thetas) else None,
        distance=distance(snapshot.theta, snapshot.problem.start(snapshot.experiment.init)),
        stability=_stability(snapshot, before),
    )


def _stability(snapshot: Snapshot, before: Reading | None) -> Stability:
    problem, experiment = snapshot.problem, snapshot.experiment
    known = before.stability.curvature if before and before.snapshot.problem is problem else None
    if before and known and known.is_exact and _same_method(before.snapshot.experiment, experiment):
        return before.stability.at(snapshot.lr)
    is_large = problem.n * len(snapshot.theta) >= MOST_NUMBERS
    return ladder(
        problem,
        experiment,
        snapshot.theta,
        snapshot.evaluate,
        optimizer_state=snapshot.optimizer_state,
        lr=snapshot.lr,
        known=known,
        most_numbers=COMPILED_MOST_NUMBERS if is_large else MOST_NUMBERS,
    )


def _same_method(one: Experiment, other: Experiment) -> bool:
    """Whether the limits of a quadratic are the same: with SGD they depend on neither θ nor lr."""
    names = ("optimizer", "batch_size", "order", "set")
    return one.optimizer == "sgd" and all(getattr(one, name) == getattr(other, name) for name in names)
