"""Benchmarks: speed and memory as ratios, each against a peer measured in the same run.

    python -m tests.benchmarks [NAME ...]

Prints the median of several pairs; machines are noisy, so only the ratio is worth quoting.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.benchmarks import (
    descent,
    first_frame,
    keeping,
    link,
    peers,
    per_sample,
    recording,
    redraw,
    sweep_screen,
    sweeping,
    tailing,
    watching,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.ratio import Ratio

BENCHMARKS: dict[str, Callable[[], list[Ratio]]] = {
    "first_frame": first_frame.measure,
    "redraw": redraw.measure,
    "link": link.measure,
    "descent": descent.measure,
    "keeping": keeping.measure,
    "recording": recording.measure,
    "peers": peers.measure,
    "per_sample": per_sample.measure,
    "watching": watching.measure,
    "tailing": tailing.measure,
    "sweeping": sweeping.measure,
    "sweep_screen": sweep_screen.measure,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r} (there is {', '.join(BENCHMARKS)})", file=sys.stderr)
        return 2
    table = Table("benchmark", "what", "against", "ratio", "budget", box=None, pad_edge=False)
    for name in names or BENCHMARKS:
        for ratio in BENCHMARKS[name]():
            table.add_row(name, ratio.what, ratio.against, ratio.text, ratio.budget)
    Console(width=140).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
