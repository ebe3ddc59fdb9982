"""Halving: which of many runs are stopped early, from their losses at a few epochs on the way.

Successive halving (Karnin, Koren & Somekh 2013; Jamieson & Talwalkar 2016) keeps the better half at each rung and stops
the rest. Here a run of the worse half gets the benefit of the doubt: it is stopped only if it would stay behind where
the leader is *now* though its loss fell, in what is left, at the better of its last two rates. Losses that level off,
as most do, fall more slowly than that, so what is stopped is hopeless.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Curve = Sequence[tuple[int, float]]
    """Epochs, rising, and the loss at each."""

PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Of the planned epochs, at which the runs are compared."""

FEWEST_EPOCHS = 4
"""Before so many, nothing is known of a run."""


def rung(planned: int, part: float) -> int:
    """The epoch at which a run of so many planned epochs is compared."""
    return min(planned, max(FEWEST_EPOCHS, round(part * planned)))


def stopped(losses: Mapping[str, Curve], planned: Mapping[str, int]) -> frozenset[str]:
    """Which runs are stopped at a rung.

    Args:
        losses: each run's epochs and losses at the rungs, from the start to this one; one that is not finite has lost.
        planned: how many epochs each is to have.
    """
    newest = {run: curve[-1][1] if math.isfinite(curve[-1][1]) else math.inf for run, curve in losses.items()}
    order = sorted(newest, key=lambda run: newest[run])
    if not order or math.isinf(newest[order[0]]):
        return frozenset()
    leader, middle = newest[order[0]], newest[order[(len(order) - 1) // 2]]
    behind = [run for run in order if newest[run] > middle]
    return frozenset(run for run in behind if hoped_for(losses[run], planned[run], leader) > leader)


def hoped_for(curve: Curve, planned: int, leader: float) -> float:
    """The loss at the planned end, if it falls as fast as between the last two rungs, or the two before if faster.

    By the same part an epoch; or by the same amount, which is more, where the leader is below 0: there, a loss has no
    bottom that is known.
    """
    epoch, loss = curve[-1]
    if not math.isfinite(loss):
        return math.inf
    steps = [(before, after, later - earlier) for (earlier, before), (later, after) in pairwise(curve[-3:])]
    falls = [(before, after, epochs) for before, after, epochs in steps if epochs > 0 and after < before < math.inf]
    left = planned - epoch
    if leader < 0 or loss <= 0:
        return loss - max(((before - after) / epochs for before, after, epochs in falls), default=0.0) * left
    rates = [math.log(before / after) / epochs for before, after, epochs in falls if after > 0]
    return loss * math.exp(-max(rates, default=0.0) * left)
