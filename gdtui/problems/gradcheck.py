"""Gradient check: a model's gradient against finite differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.problems.datasets import Array
    from gdtui.problems.models import Loss, Vector

TOLERANCE = 1e-6
"""The relative error up to which two gradients are the same."""

_EPSILON = 2.0**-52


@dataclass(frozen=True, slots=True, eq=False)
class GradientCheck:
    """What a loss says its gradient is at one θ and one sample, beside what differences of the loss say.

    Attributes:
        analytic: what the loss wrote into g, shape (p,); nan where it wrote nothing.
        numeric: finite differences of the loss, shape (p,).
        errors: the relative error of each coordinate, shape (p,).
    """

    analytic: Array
    numeric: Array
    errors: Array

    @property
    def worst(self) -> int:
        """The coordinate with the largest relative error; one that is not a number is worse than any."""
        return int(self.errors.argmax())

    @property
    def error(self) -> float:
        """The largest relative error."""
        return float(self.errors[self.worst])

    @property
    def ok(self) -> bool:
        """Whether the two agree in every coordinate."""
        return self.error <= TOLERANCE


def check_gradient(loss: Loss, theta: Vector, x: Vector, y: float) -> GradientCheck:
    """Compare a loss's gradient with central differences of the loss.

    Args:
        loss: (θ, x, y, g) -> ℓ, which writes ∇ℓ into g, as in `Model.loss`.
        theta: where, shape (p,), p ≥ 1.
        x: the sample's features, shape (d,).
        y: its target.
    """
    import numpy as np

    point, features = [float(v) for v in theta], [float(v) for v in x]
    g = [math.nan] * len(point)
    centre = loss(point, features, y, g)

    def loss_along(j: int) -> Callable[[float], float]:
        return lambda value: loss([*point[:j], value, *point[j + 1 :]], features, y, [0.0] * len(point))

    slopes = np.array([_slope(loss_along(j), point[j], centre) for j in range(len(point))])
    analytic, numeric, floor = np.array(g), slopes[:, 0], slopes[:, 1]
    scale = np.maximum(np.maximum(abs(analytic), abs(numeric)), floor)
    with np.errstate(invalid="ignore"):  # a loss may well write ∞
        difference = abs(analytic - numeric)
        errors = np.divide(difference, scale, out=difference.copy(), where=scale != 0)
    return GradientCheck(analytic, numeric, errors)


def _slope(f: Callable[[float], float], t: float, centre: float) -> tuple[float, float]:
    """f'(t) by central differences, extrapolated to h = 0 (Richardson 1911), and the scale of its errors.

    The step h is halved from 2⁻⁴ of t's own size; taken is where two extrapolations in succession agree best
    (Ridders 1982), so that neither a steep f nor rounding spoils it. Powers of two keep t ± h all but exact.

    Returns:
        The slope, and the least scale on which to judge an error in it: f's change over the step (all that is
        left at a minimum) or f's rounding error over the tolerance (all that is left where f is flat).
    """
    h = 2.0**-4 * 2.0 ** math.frexp(max(1.0, abs(t)))[1]
    best, floor, closest = math.nan, 0.0, math.inf
    plain, extrapolated = math.nan, math.nan
    for _ in range(16):
        above, below = f(t + h), f(t - h)
        rounding = 4 * _EPSILON * max(abs(above), abs(below)) / h
        previous, plain = plain, (above - below) / (2 * h)
        before, extrapolated = extrapolated, (4 * plain - previous) / 3
        distance = abs(extrapolated - before) + rounding
        if distance < closest:
            change = max(abs(above - centre), abs(below - centre)) / h
            best, floor, closest = extrapolated, max(change, rounding / TOLERANCE), distance
        h /= 2
    return best, floor
