"""Reading: a moment, and all that insight has measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.engine import WORTH_COMPILING
from gdtui.insight.forecast import predicted_curve
from gdtui.insight.instruments import alignments, distance, measure
from gdtui.insight.stability import ladder
from gdtui.insight.tracked import newest_alpha

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.insight.instruments import Alignments, Instruments
    from gdtui.insight.stability import Stability
    from gdtui.problems.datasets import Array

MOST_NUMBERS = 500_000
"""Numbers of gradients that a reading's Hessian may ask for where the gradients are computed by the interpreter."""

COMPILED_MOST_NUMBERS = 20_000_000
"""The same where there are so many samples that they are computed by compiled code."""

FORECAST = 200
"""Epochs from the start for which f is predicted one by one; later ones are as many, ever further apart."""


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
        forecast: epochs and the f that theory predicts for them, shape (m, 2); None where it has none.
    """

    snapshot: Snapshot
    alignments: Alignments
    instruments: Instruments
    alpha: float | None
    update_size: float | None
    distance: float | None
    stability: Stability
    forecast: Array | None = None


def read(snapshot: Snapshot, before: Reading | None = None) -> Reading:
    """Measure a moment; costs some passes over the data, so not on an event loop.

    Args:
        snapshot: the moment.
        before: an earlier reading of any run: what still holds of it is not computed again.
    """
    gradients, thetas = snapshot.now.gradients, snapshot.visits.thetas
    stability = _stability(snapshot, before)
    return Reading(
        snapshot=snapshot,
        alignments=alignments(gradients),
        instruments=measure(gradients),
        alpha=newest_alpha(snapshot),
        update_size=distance(snapshot.theta, thetas[-1]) if len(thetas) else None,
        distance=distance(snapshot.theta, snapshot.problem.start(snapshot.experiment.init)),
        stability=stability,
        forecast=_forecast(snapshot, stability, before),
    )


def _forecast(snapshot: Snapshot, stability: Stability, before: Reading | None) -> Array | None:
    """From the start to the planned end: every epoch at first, then ever fewer."""
    problem, experiment, known = snapshot.problem, snapshot.experiment, stability.curvature
    if snapshot.events or known is None:
        return None
    is_known = before is not None and before.snapshot.problem is problem and not before.snapshot.events
    if before and is_known and before.snapshot.experiment == experiment:
        return before.forecast
    late = np.geomspace(FORECAST, max(FORECAST, experiment.epochs), FORECAST)
    epochs = np.unique(np.concatenate([np.arange(FORECAST), late.round()]).astype(np.int64))
    epochs = epochs[epochs <= experiment.epochs]
    losses = predicted_curve(problem, experiment, problem.start(experiment.init), snapshot.evaluate, known, epochs)
    return None if losses is None else np.column_stack([epochs, losses])


def _stability(snapshot: Snapshot, before: Reading | None) -> Stability:
    problem, experiment = snapshot.problem, snapshot.experiment
    known = before.stability.curvature if before and before.snapshot.problem is problem else None
    if before and known and known.is_exact and _same_method(before.snapshot.experiment, experiment):
        return before.stability.at(snapshot.lr)
    is_large = problem.n * len(snapshot.theta) >= WORTH_COMPILING
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
