"""Knots: f between the few points at which it was evaluated.

Every evaluation gives f's slopes as well, so that between two knots f is read off the cubic which has their values and
slopes (Hermite's): exact where f is a cubic there, and for a smooth f good to the fourth power of the knots' distance.
What is not finite at a knot stays between its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array


def between(knots: Array, values: Array, slopes: Array, x: Array) -> Array:
    """The values at x, shape (m, ...), from those at the knots and their slopes along x.

    Args:
        knots: rising, shape (k,), k > 1.
        values: shape (k, ...).
        slopes: shape (k, ...).
        x: where, shape (m,); beyond the knots the last cubic goes on.
    """
    left = np.clip(knots.searchsorted(x, side="right") - 1, 0, len(knots) - 2)
    width = knots[left + 1] - knots[left]
    with np.errstate(all="ignore"):
        t = (x - knots[left]) / width
        rest = (slice(None), *[np.newaxis] * (values.ndim - 1))
        t, width = t[rest], width[rest]
        # As the left value plus what is gained, so that a flat f stays flat to the bit.
        rise = values[left + 1] - values[left]
        gained = t * t * (3 - 2 * t) * rise
        bent = t * (1 - t) * ((1 - t) * slopes[left] - t * slopes[left + 1]) * width
        read: Array = values[left] + gained + bent
    return read


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """f(x, y) at the knots of a grid, and its slopes.

    Attributes:
        x: shape (k,), rising.
        y: shape (m,), rising.
        f: shape (m, k).
        f_x: ∂f/∂x, shape (m, k).
        f_y: ∂f/∂y, shape (m, k).
        f_xy: ∂²f/∂x∂y, shape (m, k): differences of the slopes, exact where f is quadratic.
    """

    x: Array
    y: Array
    f: Array
    f_x: Array
    f_y: Array
    f_xy: Array

    @classmethod
    def of(cls, x: Array, y: Array, f: Array, f_x: Array, f_y: Array) -> Surface:
        """From f and its slopes at every knot."""
        with np.errstate(all="ignore"):
            f_xy = (np.gradient(f_x, y, axis=0) + np.gradient(f_y, x, axis=1)) / 2
        return cls(x, y, f, f_x, f_y, f_xy)

    def at(self, x: Array, y: Array) -> Array:
        """f on the grid of these x (i,) and y (j,), shape (j, i)."""
        f = between(self.x, self.f.T, self.f_x.T, x).T
        f_y = between(self.x, self.f_y.T, self.f_xy.T, x).T
        return between(self.y, f, f_y, y)
