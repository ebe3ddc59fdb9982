"""Pinning: what the main screens have in common: runs beside the one that is shown, kept ones to choose from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on

from gdtui.dashboard.pins import Pin, Pins
from gdtui.dashboard.screens.panes import PanesScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.runs import Runs
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from gdtui.runs.store import Run


class PinningScreen(PanesScreen):
    """A main screen with pinned runs."""

    def __init__(self) -> None:
        super().__init__()
        self._pins = Pins()
        self._is_difference = False

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
        from gdtui.dashboard.screens.runs import RunsScreen
        from gdtui.runs.store import Store

        def looks() -> dict[str, tuple[str, str]]:
            return {pin.key: look for look, pin in self._pins}

        def leave(run: Run | None) -> None:
            if run is not None:
                self.app.run_worker(self.open_run(run.id), group="open")  # this screen may go meanwhile

        if self.app.screen is self:  # the palette may lie over another screen
            self.app.push_screen(RunsScreen(Store(), looks, self._pin_kept), leave)

    async def open_run(self, id: str) -> None:
        """Show the kept run of that id in place of this one."""
        from gdtui.runs.store import Store

        try:
            await self.app.open_kept(await in_thread(partial(Store().run, id)))  # type: ignore[attr-defined]
        except InputError as error:
            self.query_one(Log).say(str(error), "bad")

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
