"""Sweep status: the line on top of the sweep screen: what is swept, how many runs are done, how long it takes yet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gdtui.dashboard.figures import shortened
from gdtui.dashboard.widgets.status import StatusLine
from gdtui.experiment import printable

if TYPE_CHECKING:
    from gdtui.sweeps.outcome import Progress
    from gdtui.terminal.pace import Link

LONGEST, SHORT = 48, 20
"""Cells of a name, at most, and where there is little room."""

MINUTE, HOUR, DAY = 60, 3_600, 86_400
LONG = 100 * DAY
"""So many seconds and more are not counted any more."""


class SweepStatus(StatusLine):
    """A sweep's: its name and axes, its runs, runs a second, time left or taken."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._progress: Progress | None = None
        self._swept = ""

    def show(
        self, progress: Progress | None, name: str, state: str, link: Link | None = None, trouble: str = ""
    ) -> None:
        """Show a sweep's moment and state, a link that is the limit, and what there is to worry about."""
        self._progress, self._swept = progress, name
        self.show_state(state, trouble, link)

    def descriptions(self) -> list[str]:
        """What is swept, and over what."""
        name = shortened(printable(self._swept), LONGEST)
        if self._progress is None:
            return [name]
        axes = " × ".join(printable(axis.option) for axis in self._progress.sweep.axes)
        return [f"{name} · over {axes}", name, shortened(name, SHORT)]

    def figures(self) -> list[list[tuple[str, str]]]:
        """How far it has come, the most important first."""
        p = self._progress
        if p is None:
            return []
        total = f"{p.total:,}"
        done = f"{p.done:>{len(total)},}"
        runs = [[(label, f"{done}{of}") for label, of in (("runs", f"/{total}"), ("", f"/{total}"), ("", ""))]]
        if not p.is_made:
            return [*runs, [("took", clock(p.seconds))]]
        return [*runs, [("left", f"{clock(p.seconds_left):>7}")], [("", f"{rate_text(p.rate):>6} runs/s")]]


def clock(seconds: float) -> str:
    """A time as people read it; – where it is not known.

    >>> clock(12.3), clock(3_725), clock(200_000), clock(float("inf"))
    ('0:12', '1:02:05', '2 d 7 h', '–')
    """
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    if seconds >= LONG:
        return "> 99 d"
    whole = round(seconds)
    if whole >= DAY:
        return f"{whole // DAY} d {whole % DAY // HOUR} h"
    minutes = f"{whole % HOUR // MINUTE:02d}" if whole >= HOUR else f"{whole // MINUTE}"
    return f"{f'{whole // HOUR}:' if whole >= HOUR else ''}{minutes}:{whole % MINUTE:02d}"


def rate_text(rate: float) -> str:
    """Runs a second with two or three digits; – where it is not known.

    >>> rate_text(0.034), rate_text(7.25), rate_text(1234.5), rate_text(0.0)
    ('0.034', '7.2', '1,234', '–')
    """
    if not (math.isfinite(rate) and rate > 0):
        return "–"
    return f"{rate:.2g}" if rate < 1 else f"{rate:.1f}" if rate < 100 else f"{rate:,.0f}"
