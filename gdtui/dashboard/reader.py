"""Reader: measures the moments that are shown, off the event loop, and leaves the descent most of the time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gdtui.dashboard.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.descent.snapshot import Snapshot
    from gdtui.insight.anatomy import Anatomy
    from gdtui.insight.reading import Reading
    from gdtui.insight.terrain import Terrain
    from gdtui.insight.verdict import Judgement
    from gdtui.problems.datasets import Array

REST = 19
"""While the descent runs, a measurement is followed by a rest that lasts so many times as long."""

LONGEST_REST_S = 5.0
LOOK_S = 0.05
"""Seconds between two looks at whether the descent still runs, during a rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """A moment measured and judged.

    Attributes:
        reading: what was measured.
        judgement: what it means.
        terrain: where θ stands on f.
        anatomy: the newest update taken apart; None where it was not asked for, or there is none.
    """

    reading: Reading
    judgement: Judgement
    terrain: Terrain
    anatomy: Anatomy | None


class Reader:
    """Measures the newest moment, one at a time, however fast they come.

    Attributes:
        findings: what was found last; None before the first.
    """

    def __init__(self, show: Callable[[Findings], None], is_running: Callable[[], bool]) -> None:
        self._show, self._is_running = show, is_running
        self._newest: Snapshot | None = None
        self._with_anatomy = False
        self.findings: Findings | None = None
        self._wake = asyncio.Event()

    def look_at(self, snapshot: Snapshot, with_anatomy: bool) -> None:
        """Measure this moment next, unless a newer one comes before its turn; with its newest update taken apart."""
        self._newest, self._with_anatomy = snapshot, with_anatomy
        self._wake.set()

    def forecast(self, snapshot: Snapshot) -> Array | None:
        """What theory predicted of the run that is at this moment, once one of its moments has been measured."""
        read = self.findings.reading if self.findings else None
        if read is None or snapshot.events or read.snapshot.problem is not snapshot.problem:
            return None
        return read.forecast if read.snapshot.experiment == snapshot.experiment else None

    async def work(self) -> None:
        """Measure what there is to measure; for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._newest is None:
                continue
            begun = clock()
            self.findings = await in_thread(partial(_find, self._newest, self._with_anatomy, self.findings))
            self._show(self.findings)
            rested_at = clock() + min(REST * (clock() - begun), LONGEST_REST_S)
            while self._is_running() and clock() < rested_at:
                await asyncio.sleep(min(LOOK_S, max(0.0, rested_at - clock())))


def _find(snapshot: Snapshot, with_anatomy: bool, before: Findings | None) -> Findings:
    from gdtui.insight.anatomy import anatomy
    from gdtui.insight.reading import read
    from gdtui.insight.terrain import terrain
    from gdtui.insight.verdict import judge

    reading = read(snapshot, before.reading if before else None)
    return Findings(
        reading=reading,
        judgement=judge(reading, before.judgement if before else None),
        terrain=terrain(snapshot, before.terrain if before else None),
        anatomy=anatomy(snapshot) if with_anatomy else None,
    )
