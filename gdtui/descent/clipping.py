"""Clipping: a sample's gradient, cut to a norm before the batch is averaged, so that none pulls harder than that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableSequence


def clip(g: MutableSequence[float], bound: float) -> bool:
    """g ← g·min(1, C/‖g‖), in place (per-sample clipping: Abadi et al. 2016, algorithm 1).

    Plain arithmetic, the same bits interpreted and compiled. The norm is taken of g over its largest entry, so that no
    square overflows or vanishes. A gradient that is not finite stays as it is, for the descent to stop at.

    Args:
        g: one sample's gradient, (p,).
        bound: C, above 0; inf clips nothing.

    Returns:
        Whether g was longer than the bound.
    """
    largest = 0.0
    for j in range(len(g)):
        largest = abs(g[j]) if abs(g[j]) > largest else largest
    if largest == 0.0:
        return False
    total = 0.0
    for j in range(len(g)):
        share = g[j] / largest
        total += share * share
    relative_norm = math.sqrt(total)
    if not largest * relative_norm > bound:  # nan, from nan or inf, is not
        return False
    for j in range(len(g)):
        g[j] = g[j] / largest * (bound / relative_norm)
    return True
