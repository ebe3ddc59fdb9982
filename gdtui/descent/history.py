"""History: loss and progress over the epochs, in bounded memory; thinned without losing an extreme."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def extremes(values: NDArray[np.float64], block: int) -> NDArray[np.intp]:
    """Where the smallest and the largest value of every `block` consecutive values stand, in order.

    What is left of a curve when only these are drawn has the same peaks and valleys. Two indices a block, the same one
    twice at most once (a constant block keeps its first and its last); values that are not finite count as large.

    Args:
        values: shape (m,).
        block: values in a block, at least 1; the last block may be shorter.

    Returns:
        Rising indices into `values`, at most 2 * ceil(m / block).
    """
    m = len(values)
    if m == 0 or block <= 2:
        return np.arange(m)
    whole = m // block * block
    rows = np.where(np.isfinite(values[:whole]), values[:whole], np.inf).reshape(-1, block)
    low, high = rows.argmin(axis=1), block - 1 - rows[:, ::-1].argmax(axis=1)
    pairs = np.sort(np.stack([low, high], axis=1), axis=1) + np.arange(0, whole, block)[:, None]
    picked = pairs.reshape(-1)
    if whole < m:
        picked = np.concatenate([picked, whole + extremes(values[whole:], m - whole)])
    return np.unique(picked)
