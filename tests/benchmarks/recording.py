"""Recording: a call of the recorder's against a line of `logging`'s in a file, and a row of `csv`'s that is flushed.

Prints besides how long single calls take, one of a hundred and the longest among them, and what a full queue costs.
"""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from gdtui.training import inbox
from gdtui.training.recorder import Recorder
from tests.benchmarks.clock import in_turn
from tests.benchmarks.ratio import Ratio

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 100_000
PAIRS = 7
MICRO = 1e6


def recorded(run: Recorder) -> Callable[[int], object]:
    """Three values, recorded."""

    def work(times: int) -> None:
        for step in range(times):
            run.log(step=step, loss=0.5, lr=0.1, accuracy=0.9)

    return work


def logged(folder: Path) -> Callable[[int], object]:
    """Three values in a line of a log file."""
    logger = logging.getLogger("gdtui.benchmark")
    handler = logging.FileHandler(folder / "bench.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False

    def work(times: int) -> None:
        for step in range(times):
            logger.info("step %d loss %f lr %f accuracy %f", step, 0.5, 0.1, 0.9)

    return work


def row_by_row(folder: Path) -> Callable[[int], object]:
    """Three values in a row of a table, flushed."""
    file = (folder / "bench.csv").open("w", newline="")
    writer = csv.writer(file)

    def work(times: int) -> None:
        for step in range(times):
            writer.writerow((step, 0.5, 0.1, 0.9))
            file.flush()

    return work


def single_calls(folder: Path, calls: int = CALLS) -> list[float]:
    """Seconds of each of many calls, one right after the other."""
    seconds = []
    with Recorder("single", store=folder / "runs.sqlite") as run:
        for step in range(calls):
            began = perf_counter()
            run.log(step=step, loss=0.5, lr=0.1, accuracy=0.9)
            seconds.append(perf_counter() - began)
    return seconds


def calls_of_a_full_queue(folder: Path) -> list[float]:
    """The same where nothing fits in."""
    most, inbox.MOST = inbox.MOST, 0
    try:
        return single_calls(folder)
    finally:
        inbox.MOST = most


def measure() -> list[Ratio]:
    """Ratios of seconds a call; and the seconds of single calls, in microseconds."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for what, calls in (("calls", single_calls(folder)), ("full queue", calls_of_a_full_queue(folder))):
            marks = quantiles(calls, n=100)
            figures = (MICRO * seconds for seconds in (marks[49], marks[98], max(calls)))
            print("{}: median {:.2f} µs, 99th percentile {:.2f} µs, longest {:,.0f} µs".format(what, *figures))
        with Recorder("turns", store=folder / "runs.sqlite") as run:
            works = {"ours": recorded(run), "logging": logged(folder), "csv": row_by_row(folder)}
            seconds = in_turn(works, PAIRS)
        print(f"in turns: {run.dropped:,} values dropped")
    micros = {work: [MICRO * one for one in times] for work, times in seconds.items()}
    return [
        Ratio("log() of three values, µs", "logging's info() to a file", micros["ours"], micros["logging"], "≤ 0.5"),
        Ratio("log() of three values, µs", "csv's writerow() and flush", micros["ours"], micros["csv"], "≤ 1"),
    ]
