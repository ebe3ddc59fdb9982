"""Link: the lab on a real terminal behind a link of some bytes a second: the paced driver against Textual's own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.ratio import Ratio
from tests.terminal.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

PAIRS = 3
DRIVERS = ("paced", "plain")
PATIENCE_S = 30.0
KEYS = 10


@dataclass(frozen=True)
class Live:
    """What a run at ten epochs a second costs.

    Attributes:
        bytes_per_s: written to the terminal, of a second with ten epochs.
        cpu_ms: the process's CPU time for an epoch, in milliseconds.
    """

    bytes_per_s: float
    cpu_ms: float


def live(driver: str) -> Live:
    """Sixty of the tutorial's epochs."""
    with Line("lab", driver) as line:
        line.shows("ready")
        line.rest()
        line.press(" ")
        line.until(lambda: line.epoch >= 5)
        size, cpu, epoch = line.size, line.cpu_s, line.epoch
        line.until(lambda: line.epoch >= epoch + 60)
        epochs = line.epoch - epoch
        return Live(10 * (line.size - size) / epochs, 1000 * (line.cpu_s - cpu) / epochs)


def reactions(driver: str, bytes_per_s: float, count: int) -> Iterator[float]:
    """Seconds from a key to what it shows, in a run at ten epochs a second whose numbers all go on changing."""
    with Line("long", driver, bytes_per_s) as line:
        if not line.has_shown("ready", PATIENCE_S):
            yield PATIENCE_S
            return
        line.press(" ")
        line.has_shown("running", PATIENCE_S)
        line.read(2.0)
        for n in range(count):
            began = time.monotonic()
            line.press("-" if n % 2 else "+")
            if not line.has_shown(r"\A.* lr 0\.0001 " if n % 2 else r"\A.* lr 0\.000125 ", PATIENCE_S):
                yield PATIENCE_S
                return
            yield time.monotonic() - began
            line.read(0.35)


def epochs_per_s(driver: str, is_stalled: bool) -> float:
    """The descent's, at max speed, after five seconds in which the terminal is read, or is not."""
    with Line("max", driver) as line:
        line.shows("ready")
        line.press(" >>>>>>>")
        line.read(6.0)
        first = line.epoch
        began = time.monotonic()
        if is_stalled:
            time.sleep(5.0)
        else:
            line.read(5.0)
        line.read(1.5)  # what waited in the line, and then the newest
        return (line.epoch - first) / (time.monotonic() - began)


def measure() -> list[Ratio]:
    """Ratios of the paced driver's figures over the plain one's, and of a stalled link's over a fast one's."""
    runs = {driver: [live(driver) for _ in range(PAIRS)] for driver in DRIVERS}
    ours, theirs = (runs[driver] for driver in DRIVERS)
    quick = {driver: list(reactions(driver, 4000, KEYS if driver == "paced" else 2)) for driver in DRIVERS}
    slow = {driver: list(reactions(driver, 1000, KEYS if driver == "paced" else 1)) for driver in DRIVERS}
    rates = {driver: [[epochs_per_s(driver, is_stalled) for is_stalled in (True, False)]] for driver in DRIVERS}
    plain = "Textual's driver"
    return [
        Ratio("10 epochs/s, bytes/s", plain, *([run.bytes_per_s for run in side] for side in (ours, theirs)), "≤ 0.1"),
        Ratio(
            "10 epochs/s, CPU ms an epoch", plain, *([run.cpu_ms for run in side] for side in (ours, theirs)), "≤ 1.2"
        ),
        *(
            Ratio(f"{rate} B/s, {what} s from key to screen", plain, [of(side["paced"])], [of(side["plain"])], budget)
            for rate, side, budget in ((4000, quick, "≤ 0.4 s, 1.5 s"), (1000, slow, ""))
            for what, of in (("median", median), ("worst", max))
        ),
        *(
            Ratio(f"{driver}: epochs/s at max, nobody reads", "somebody reads", [one[0]], [one[1]], "≥ 0.9")
            for driver, (one,) in rates.items()
        ),
    ]
