"""Pinning: what the main screens of a run have in common: their panes, and other runs beside the one that is shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, Vertical

from gdtui.dashboard.pins import Pin, Pins
from gdtui.dashboard.screens.panes import COLUMN, PanesScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.runs import Runs
from gdtui.dashboard.widgets.samples import Samples
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.widget import Widget

    from gdtui.runs.store import Run


class PinningScreen(PanesScreen):
    """A main screen of a run, with pinned runs."""

    def __init__(self) -> None:
        super().__init__()
        self._pins = Pins()
        self._is_difference = False

    def first_pane(self) -> Widget:
        """Pane 1: what is run."""
        raise NotImplementedError

    def side_panes(self) -> Sequence[Widget]:
        """The panes of the side, which have nothing to show yet: the first frame need not wait for them."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """At the left what is run, and the runs beside it; in the middle its curves and samples; the side; the log."""
        curves = Chart(id="loss", classes="pane"), Chart(id="overlay", classes="pane -off")
        middle = Vertical(
            *map(self.titled, (*curves, Samples(id="samples", classes="pane"))), id="middle", classes=COLUMN
        )
        lab = Horizontal(middle, Vertical(id="side", classes=COLUMN), id="lab")
        left = self.first_pane(), Runs(id="runs", classes="pane")
        yield Vertical(*map(self.titled, left), id="left", classes=COLUMN)
        yield Vertical(lab, self.titled(Log(id="log", classes="pane")), id="right")

    async def mount_side(self) -> None:
        """Mount the panes of the side."""
        await self.query_one("#side").mount_all(map(self.titled, self.side_panes()))

    def show_pins(self) -> None:
        """Draw them, now that they are others."""
        raise NotImplementedError

    def pin(self, pin: Pin) -> bool:
        """Compare with this run, or with what has become of it; say so where there is no place left.

        Returns:
            Whether it is pinned.
        """
        if not self._pins.has_room_for(pin.key):
            text = f"{len(self._pins)} runs are pinned already: P unpins all, 6 shows them, delete there unpins one"
            self.query_one(Log).say(text, "note")
            return False
        self._pins = self._pins.put(pin)
        self.show_pins()
        return True

    def unpin(self, key: str) -> None:
        """Compare with a run no longer."""
        self._pins = self._pins.without(key)
        self._is_difference = self._is_difference and len(self._pins) > 0
        self.show_pins()

    @on(Runs.Unpinned)
    def _unpin_selected(self, message: Runs.Unpinned) -> None:
        message.stop()
        if self._pins.get(message.key):
            self.unpin(message.key)

    def clear_pins(self) -> None:
        """Compare no longer."""
        self._pins, self._is_difference = Pins(), False
        self.show_pins()

    def toggle_difference(self) -> None:
        """Losses, or the pinned runs against the run of now."""
        if not self._pins:
            self.query_one(Log).say("there is no run to take the difference to: pin one first (p)", "note")
            return
        self._is_difference = not self._is_difference
        self.show_pins()

    # --- the runs that are kept ----------------------------------------------------------------------------------

    def action_runs(self) -> None:
        """The runs that are kept: one of them may be opened, or pinned."""
        self.browse(lambda: {pin.key: look for look, pin in self._pins}, self._pin_kept)

    async def _pin_kept(self, run: Run) -> None:
        """Compare with a kept run, or no longer.

        Raises:
            InputError: if there is no place left, or it is not kept any more.
        """
        from gdtui.runs.store import Store

        if self._pins.get(run.id):
            self.unpin(run.id)
            return
        if not self._pins.has_room_for(run.id):
            raise InputError("run", f"{len(self._pins)} runs are pinned already: unpin one first")
        self.pin(await in_thread(partial(Pin.found, Store(), run)))
