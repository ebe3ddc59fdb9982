"""Alpha: where a step landed in the valley that it stepped through.

A quadratic is fitted to f and its slope at both ends of the step, each weighted by how well it is known. On it −1 is
where the step began, 0 the minimum, 1 the far wall, as high as the beginning: below 0 a step falls short, above 0 it
goes too far, above 1 it climbs. (Schneider, Dangel, Hennig 2021, "Cockpit: A Practical Debugging Tool for the Training
of Deep Neural Networks".)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Evaluation
    from gdtui.problems.datasets import Array

Variances = tuple[float, float, float, float]

ALIKE: Variances = (1.0, 1.0, 1.0, 1.0)
"""Nothing is known of how well f and its slopes are known."""


def alpha(f0: float, f1: float, d0: float, d1: float, t: float, variances: Variances = ALIKE) -> float | None:
    """Where a step landed, from f and its slope at both ends; exact where f is quadratic along the step.

    Four numbers fix a quadratic's three coefficients and leave one condition, that f rises by the mean slope times t;
    where they miss it, the most likely slopes (least squares, weighted by 1/variance) share the gap by their variances.
    The slope of a quadratic is linear, so these two alone say where it is 0.

    Conventions where there is no valley are Cockpit's: −1 for no step and where f bends down (no minimum lies ahead),
    as for a line; below −1 where the step went uphill from its start.

    Args:
        f0: f before the step.
        f1: f after it.
        d0: df/dτ before the step, τ the distance along it.
        d1: df/dτ after it, in the same direction.
        t: the step's length, at least 0.
        variances: of f0, f1, d0, d1, up to a common factor; where all are 0 they count as alike.

    Returns:
        α, or None where it is undefined: the step began where the slope is 0, or a number is not finite.
    """
    if t == 0:
        return -1.0
    if not all(map(math.isfinite, (f0, f1, d0, d1, t, *variances))):
        return None
    var_f0, var_f1, var_d0, var_d1 = variances if any(variances) else ALIKE
    gap = f1 - f0 - t * (d0 + d1) / 2
    var_gap = var_f0 + var_f1 + t * t * (var_d0 + var_d1) / 4
    correction = t / 2 * gap / var_gap if var_gap > 0 else 0.0
    slope0, slope1 = d0 + var_d0 * correction, d1 + var_d1 * correction
    if slope1 < slope0:
        return -1.0
    landed = -slope1 / slope0 if slope0 else math.nan
    return landed if math.isfinite(landed) else None


def step_alpha(theta0: Array, theta1: Array, before: Evaluation, after: Evaluation) -> float | None:
    """Where a step landed, from all samples at both of its ends: the variances are those of the samples' means.

    Args:
        theta0: θ before the step, shape (p,).
        theta1: θ after it, shape (p,); any number of updates later.
        before: every sample at θ before.
        after: every sample at θ after.

    Returns:
        As of `alpha`. One sample has no variance: f and its slopes then count alike.
    """
    with np.errstate(all="ignore"):
        step = theta1 - theta0
        t = math.hypot(*step.tolist())
        if t == 0:
            return -1.0
        slopes0, slopes1 = (np.einsum("ij,j->i", each.gradients, step / t) for each in (before, after))
        variances = ALIKE
        if len(slopes0) > 1:
            variances = (
                variance_of_mean(before.losses),
                variance_of_mean(after.losses),
                variance_of_mean(slopes0),
                variance_of_mean(slopes1),
            )
        return alpha(before.loss, after.loss, float(slopes0.mean()), float(slopes1.mean()), t, variances)


def variance_of_mean(values: Array) -> float:
    """How well the mean of n > 1 values is known, shape (n,); exactly 0 where all are the same."""
    return float((values - values[0]).var(ddof=1)) / len(values)
