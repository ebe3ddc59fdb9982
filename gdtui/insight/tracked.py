"""Tracked: the instruments that a run keeps at its tracked epochs, for the chart's overlays and for JSON lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gdtui.insight.alpha import step_alpha
from gdtui.insight.hessian import curvature
from gdtui.insight.instruments import distance, measure

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.insight.hessian import Curvature

INSTRUMENTS = (
    "grad_norm",
    "noise_scale",
    "alignment",
    "conflicts",
    "largest_share",
    "diversity",
    "alpha",
    "update_size",
    "distance",
    "sharpness",
)
"""The values of a tracked epoch, in their order; the sharpness of a costly problem at some of them only."""

SHARPNESS_NUMBERS = 10_000
"""Numbers of gradients that the sharpness may ask for at each tracked epoch, on the average."""


class Tracker:
    """Computes a tracked epoch's instruments; remembers what no epoch changes."""

    def __init__(self) -> None:
        self._known: Curvature | None = None

    def __call__(self, snapshot: Snapshot) -> tuple[float, ...]:
        """The instruments of an epoch's end, as in `INSTRUMENTS`; nan where one is undefined."""
        now = measure(snapshot.now.gradients)
        start = snapshot.problem.start(snapshot.experiment.init)
        values = (
            now.grad_norm,
            now.noise_scale,
            now.alignment,
            now.conflicts,
            now.largest_share,
            now.diversity,
            newest_alpha(snapshot),
            distance(snapshot.theta, snapshot.visits.thetas[-1]),
            distance(snapshot.theta, start),
            self._sharpness(snapshot),
        )
        return tuple(math.nan if value is None else float(value) for value in values)

    def _sharpness(self, snapshot: Snapshot) -> float | None:
        problem, p = snapshot.problem, len(snapshot.theta)
        if self._known is None or not self._known.is_exact:
            numbers = problem.n * p * (p + 1 if problem.model.is_quadratic else 4 * min(p, 32))
            if len(snapshot.tracked) % math.ceil(numbers / SHARPNESS_NUMBERS):
                return None
            self._known = curvature(problem, snapshot.theta, snapshot.evaluate)
        return self._known.largest if self._known else None


def newest_alpha(snapshot: Snapshot) -> float | None:
    """Where the newest update landed between the two walls; costs a pass over the data."""
    thetas = snapshot.visits.thetas
    if not len(thetas):
        return None
    return step_alpha(thetas[-1], snapshot.theta, snapshot.evaluate(thetas[-1]), snapshot.now)
