"""The sweep screen with many runs against few: CPU time of the event loop, of a redraw and of a key."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory
from time import thread_time
from typing import TYPE_CHECKING

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.screens.sweep import SweepScreen
from gdtui.experiment import Experiment
from gdtui.sweeps.conduct import Conductor
from gdtui.sweeps.crew import Processes
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep
from tests.benchmarks.ratio import Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gdtui.sweeps.kept import KeptSweep

PAIRS = 5
TIMES = 20
SETTLED_S = 0.06
"""What threads have to say is drawn within so long."""

FEW, MANY = 20, 100
"""Values of each of two axes: the map and the leaderboard are full with either."""


@contextmanager
def a_home() -> Iterator[None]:
    """A store for nothing but this."""
    before = os.environ.get("GDTUI_HOME")
    with TemporaryDirectory() as folder:
        os.environ["GDTUI_HOME"] = folder
        try:
            yield
        finally:
            os.environ.pop("GDTUI_HOME") if before is None else os.environ.update(GDTUI_HOME=before)


def kept(side: int) -> KeptSweep:
    """A sweep of side² runs, made."""
    over = parse_axis(f"lr=log:0.001:0.3:{side}"), parse_axis(f"momentum=lin:0:0.95:{side}")
    ledger = Ledger()
    begun = ledger.begin(Sweep(Experiment(epochs=50), over))
    for _ in Conductor(ledger, begun, os.environ["GDTUI_HOME"], Processes(2)).run():
        pass
    return ledger.named(begun)


async def of_one(sweep: KeptSweep) -> tuple[float, float]:
    """Milliseconds of a redraw in which every loss is another one, and of a key that selects another point."""
    app = LabApp(Opening(sweep=sweep))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = app.screen_stack[0]
        assert isinstance(screen, SweepScreen)
        while screen.seen is None or not screen.seen.is_whole:
            await pilot.pause(0.1)
        await pilot.pause(1.0)
        seen = screen.seen
        other = replace(seen, board=replace(seen.board, losses=1.5 * seen.board.losses))
        redraws, keys = [], []
        for turn in range(TIMES):
            began = thread_time()
            screen.show_seen((other, seen)[turn % 2])
            await asyncio.sleep(SETTLED_S)
            redraws.append(thread_time() - began)
            began = thread_time()
            await pilot.press(("left", "right")[turn % 2])
            await asyncio.sleep(SETTLED_S)
            keys.append(thread_time() - began)
        return 1000 * sum(redraws) / TIMES, 1000 * sum(keys) / TIMES


def measure() -> list[Ratio]:
    """Ratios of CPU time, in turn in one process."""
    with a_home():
        many, few = kept(MANY), kept(FEW)
        figures = [[asyncio.run(of_one(sweep)) for sweep in (many, few)] for _ in range(PAIRS)]
    return [
        Ratio(
            f"{what} of the sweep screen, {MANY**2:,} runs, CPU ms",
            f"{FEW**2} runs",
            [of_many[at] for of_many, _ in figures],
            [of_few[at] for _, of_few in figures],
            "≤ 1.5",
        )
        for at, what in enumerate(("a redraw", "a key"))
    ]
