"""Clock: how long work takes, in turn with its peers', each repeated until it can be timed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from time import perf_counter

Work = Callable[[int], object]
"""Does something so many times."""

PAIRS = 5
LEAST_S = 0.06
"""A measurement shorter than this is repeated more often."""


def in_turn(works: Mapping[str, Work], pairs: int = PAIRS) -> dict[str, list[float]]:
    """Seconds for one time of each work, measured one after the other, and that `pairs` times over."""
    times = {name: _enough(work) for name, work in works.items()}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(pairs):
        for name, work in works.items():
            seconds[name].append(_seconds(work, times[name]) / times[name])
    return seconds


def _enough(work: Work) -> int:
    """How often the work is repeated in a measurement."""
    times = 1
    while (seconds := _seconds(work, times)) < LEAST_S:
        times = max(2 * times, round(1.2 * times * LEAST_S / max(seconds, LEAST_S / 100)))
    return times


def _seconds(work: Work, times: int) -> float:
    gc.disable()
    try:
        began = perf_counter()
        work(times)
        return perf_counter() - began
    finally:
        gc.enable()
