"""Sweep prompt: a line at the bottom that asks what to sweep over, and says at once what comes of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from gdtui.dashboard.screens.asking import AskingScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.controls import Field
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from gdtui.sweeps.sweep import Sweep
    from gdtui.sweeps.wanted import Wanted


class SweepPrompt(AskingScreen["Sweep | None"]):
    """Ends with the sweep that is wanted, if any."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Leave", show=False)]
    AUTO_FOCUS = "Field"

    def __init__(self, title: str, text: str, judge: Callable[[str], tuple[Sweep, str]]) -> None:
        """A prompt.

        Args:
            title: what it asks.
            text: what is typed already.
            judge: the sweep that a line means, and what is to be said of it; raises InputError where it means none.
        """
        super().__init__()
        self._asks, self._text, self._judge = title, text, judge

    def compose(self) -> ComposeResult:
        """The line, and what comes of it."""
        with Vertical() as box:
            box.border_title = self._asks
            box.border_subtitle = "enter begin · esc leave"
            yield Field(self._text, compact=True, select_on_focus=False)
            yield Static(markup=False, id="told")

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        self._tell(event.value)

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        self._take(event.value)

    @work(group="judge", exclusive=True)
    async def _tell(self, typed: str) -> None:
        await self._meant(typed)

    @work(group="judge", exclusive=True)
    async def _take(self, typed: str) -> None:
        if sweep := await self._meant(typed):
            self.dismiss(sweep)

    async def _meant(self, typed: str) -> Sweep | None:
        """Say what a line means, or what is wrong with it; off the event loop: a sweep may have many points."""
        try:
            sweep, told = await in_thread(partial(self._judge, typed))
        except InputError as error:
            sweep, told = None, f"✗ {str(error).removeprefix('--over ')}"
        self.say(told, "" if sweep else "wrong")
        return sweep


def judged(made: Callable[[Wanted], Sweep], text: str) -> tuple[Sweep, str]:
    """The sweep that a line means, and how many runs that is.

    Raises:
        InputError: if it means none, or none of its points can be run.
    """
    from gdtui.sweeps.preparing import check
    from gdtui.sweeps.wanted import parse_wanted

    sweep = made(parse_wanted(text))
    check(sweep, str(Path.cwd()))
    over = " × ".join(f"{len(axis.values) or '?'} {axis.option}" for axis in sweep.axes)
    points = f"{sweep.samples:,} random points" if sweep.samples else over
    seeds = f" × {sweep.seeds} seeds" if sweep.seeds > 1 else ""
    return sweep, f"{len(sweep.points()):,} runs: {points}{seeds}{', halving' if sweep.is_halving else ''}"
