"""Advice: sentences from the numbers of a training whose model and data are not known; silent where one is missing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gdtui.insight.sentences import Sentence, exactly, number, part, rough

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gdtui.problems.datasets import Array

MOST = 3
"""Sentences at once."""

APART = 4.0
"""A batch this many times smaller or larger than the noise scale is clearly so."""

AGAINST = 0.1
"""The part of the samples that pull against the step from which on it is said."""

OWNED = 0.5
"""The part of the step from which on one sample owns it, among so many samples at least:"""

FEWEST = 10

STILL = 0.005
"""A loss whose mean moves by no more than this part of itself stands still."""

TAILS = np.arange(1.0, 0.29, -0.05)
"""The parts of a run, up to now, that a loss may have stood still for, the longest first."""

QUARTERS, IN_QUARTER = 4, 4
"""A tail's means are taken in so many parts, each with so many values at least."""


def advise(
    instruments: Mapping[str, float],
    *,
    samples: int = 0,
    largest: int | None = None,
    batch: int | None = None,
    lr: float | None = None,
    losses: Array | None = None,
) -> tuple[Sentence, ...]:
    """Say what the numbers say, the most important first, at most three sentences.

    Args:
        instruments: by name, as of `instruments.Instruments` and `tracked.INSTRUMENTS`; any may be missing.
        samples: how many gradients they are of.
        largest: the sample whose share of the step is largest in size.
        batch: samples in each of the training's batches.
        lr: its learning rate.
        losses: steps, rising, and the loss at each, shape (m, 2).
    """
    known = {name: value for name, value in instruments.items() if math.isfinite(value)}
    found = [_edge(known, lr), _owned(known, samples, largest), _noise(known, batch), _conflicts(known, samples)]
    if losses is not None and len(losses):
        steps, values = losses.T
        found = [_diverging(steps, values), found[0], _still(steps, values), *found[1:]]
    return tuple(sentence for sentence in found if sentence)[:MOST]


def _diverging(steps: Array, losses: Array) -> Sentence | None:
    """All losses from some step on are not finite."""
    finite = np.flatnonzero(np.isfinite(losses))
    first = int(finite[-1]) + 1 if len(finite) else 0
    if first == len(losses):
        return None
    return Sentence(f"Diverging: the loss is not finite since step {int(steps[first]):,}.", "bad", "diverging")


def _edge(known: Mapping[str, float], lr: float | None) -> Sentence | None:
    """Where gradient descent with this learning rate would not stay (Cohen et al. 2021)."""
    limit = stable_lr(known)
    if limit is None or lr is None or not lr > limit:
        return None
    text = f"Edge of stability: lr {number(lr)} is beyond 2/λmax = {exactly(limit)}, plain descent's limit here."
    return Sentence(text, "note", "edge")


def stable_lr(instruments: Mapping[str, float]) -> float | None:
    """2/λmax, the learning rate from which on plain gradient descent leaves a valley; None where there is none."""
    sharpness = instruments.get("sharpness", math.nan)
    return 2 / sharpness if 0 < sharpness < math.inf else None


def _still(steps: Array, losses: Array) -> Sentence | None:
    """The loss stays the same, up to the newest step, for a good part of the run."""
    is_finite = np.isfinite(losses)
    if not is_finite[-1]:
        return None
    steps, losses = steps[is_finite], losses[is_finite]
    for tail in TAILS.tolist():
        means = _means(steps, losses, steps[-1] - tail * (steps[-1] - steps[0]))
        if means is not None and np.ptp(means) <= STILL * abs(means.mean()):
            since = "since the start" if tail == 1 else f"for the last {100 * tail:.0f} % of the run"
            return Sentence(f"The loss has not moved {since}: it stays at {number(means.mean())}.", "note", "still")
    return None


def _means(steps: Array, losses: Array, since: float) -> Array | None:
    """The losses' means in four equal parts of the steps since one; None where there are too few to tell."""
    edges = np.searchsorted(steps, np.linspace(since, steps[-1], QUARTERS + 1)[:-1])
    counts = np.diff(edges, append=len(steps))
    return np.add.reduceat(losses, edges) / counts if counts.min() >= IN_QUARTER else None


def _owned(known: Mapping[str, float], samples: int, largest: int | None) -> Sentence | None:
    share = known.get("largest_share", 0.0)
    if largest is None or samples < FEWEST or not share >= OWNED:
        return None
    return Sentence(f"Sample {largest:,} makes {part(share)} of the step, one of {samples:,}.", "note", "owned")


def _noise(known: Mapping[str, float], batch: int | None) -> Sentence | None:
    """The batch is far from the noise scale, whichever way it is estimated (McCandlish et al. 2018)."""
    scale, debiased = known.get("noise_scale"), known.get("noise_scale_debiased")
    if batch is None or scale is None:
        return None
    if batch * APART <= scale:
        text = f"Batch {batch:,} is well below the noise scale {rough(scale)}: a larger batch would still pay."
        return Sentence(text, "note", "small batch")
    if debiased is not None and batch >= APART * debiased and batch > 1:
        text = f"Batch {batch:,} is well above the noise scale {rough(debiased)}: a smaller one would learn as much"
        return Sentence(f"{text} from fewer samples.", "note", "large batch")
    return None


def _conflicts(known: Mapping[str, float], samples: int) -> Sentence | None:
    against = known.get("conflicts", 0.0)
    if not samples or not against >= AGAINST * samples:
        return None
    return Sentence(f"{int(against):,} of {samples:,} samples pull against the step.", "note", "conflicts")
