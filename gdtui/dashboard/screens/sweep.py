"""Sweep: the main screen of many runs: how far they are, which are best, and where they break."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.containers import Horizontal, Vertical

from gdtui.dashboard import sweepview
from gdtui.dashboard.keymap import SWEEP, bindings, key_of
from gdtui.dashboard.screens.panes import COLUMN, PANES, PanesScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.heatmap import HeatMap
from gdtui.dashboard.widgets.leaderboard import Leaderboard
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.status import KeyBar
from gdtui.dashboard.widgets.sweepcurves import SweepCurves
from gdtui.dashboard.widgets.sweeppane import SweepInsight, SweepPane
from gdtui.dashboard.widgets.sweepstatus import SweepStatus
from gdtui.experiment import InputError, printable
from gdtui.sweeps.following import Following
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.outcome import FAILED
from gdtui.sweeps.plane import Measure, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from textual.binding import BindingType
    from textual.widget import Widget

    from gdtui.dashboard.screens.export import Source
    from gdtui.dashboard.widgets.curvefield import Raster
    from gdtui.problems.datasets import Array
    from gdtui.runs.store import Run
    from gdtui.sweeps.board import Board
    from gdtui.sweeps.following import Seen
    from gdtui.sweeps.kept import KeptSweep
    from gdtui.sweeps.maker import Maker
    from gdtui.sweeps.plane import Plane, View
    from gdtui.sweeps.sweep import Sweep

LOOK_EVERY_S = 0.25
"""Seconds between two looks at a sweep that is being made."""

REST = 4
"""So many times as long where nobody makes it."""

STATES = {"running": "sweeping", "interrupted": "unswept", "finished": "swept"}
"""What the key bar calls a sweep's states."""


class SweepScreen(PanesScreen):
    """A kept sweep, followed as it is made by whichever process makes it.

    Attributes:
        seen: the sweep as it is shown; None before the first look.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SWEEP)]
    AUTO_FOCUS = "#landscape"

    kind: ClassVar[str] = SWEEP
    home: ClassVar[str] = "landscape"
    titles: ClassVar[Mapping[str, str]] = {
        **PANES,
        "experiment": "1 Sweep",
        "loss": "2 Curves",
        "samples": "3 Leaderboard",
        "landscape": "4 Map",
    }

    def __init__(self, kept: KeptSweep, maker: Maker, is_begun: bool = False) -> None:
        """A sweep's.

        Args:
            kept: the sweep.
            maker: a process to make it with.
            is_begun: make it at once.
        """
        super().__init__()
        self._following = Following(Ledger(), kept)
        self._sweep, self._maker, self._is_begun = kept.id, maker, is_begun
        self.seen: Seen | None = None
        self._view: View | None = None
        self._plane: Plane | None = None
        self._raster: Raster | None = None
        self._target: float | None = None
        self._arm: int | None = None  # the point that a person has selected; None: the best one
        self._rests = 0
        self._is_looking = False

    def head(self) -> Iterable[Widget]:
        """The status line."""
        yield SweepStatus(id="status")

    def body(self) -> Iterable[Widget]:
        """What is swept and what it says; the map over the leaderboard and the curves; the log."""
        left = SweepPane(id="experiment", classes="pane"), SweepInsight(id="insight", classes="pane")
        below = Leaderboard(id="samples", classes="pane"), SweepCurves(id="loss", classes="pane")
        right = HeatMap(id="landscape", classes="pane"), Log(id="log", classes="pane")
        above, log = map(self.titled, right)
        yield Vertical(*map(self.titled, left), id="left", classes=COLUMN)
        yield Vertical(above, Horizontal(*map(self.titled, below), id="below", classes=COLUMN), log, id="right")

    # --- following -----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the frame first."""
        self.query_one(KeyBar).show("unswept")
        if self._is_begun:
            self._maker.start()
        self._say_what_to_press()
        self.set_interval(LOOK_EVERY_S, self._look_in_turn)
        self.call_after_refresh(self._look)

    def _say_what_to_press(self) -> None:
        opens, x, y, others = (key_of(self.app, command) for command in ("zoom", "x-axis", "log-y", "on-1"))
        text = f"arrows select a point · {opens} opens its best run · {x} {y} other axes · {others} their other values"
        self.query_one(Log).say(text, "note")

    def _look_in_turn(self) -> None:
        """Look; where nobody makes the sweep, not as often."""
        self._rests += 1
        is_made = self._maker.is_alive or (self.seen is not None and self.seen.kept.state == "running")
        if self.is_current and (is_made or self._rests >= REST):
            self._look()

    def _look(self) -> None:
        """One look at a time; those that take long are not queued."""
        if not self._is_looking:
            self._is_looking, self._rests = True, 0
            self._follow()

    @work(group="follow")
    async def _follow(self) -> None:
        with self.unless_leaving():
            try:
                seen = await in_thread(partial(self._following.look, self._target))
            except InputError as error:
                if self.seen is None:
                    self.app.fail(str(error))  # type: ignore[attr-defined]
                elif str(error) not in self.query_one(Log).entries[-1:]:
                    self.query_one(Log).say(str(error), "bad")
                return
            finally:
                self._is_looking = False
            trouble = self._maker.trouble()
            if trouble:
                self.query_one(Log).say(trouble, "bad")
            if seen is not None:
                self.show_seen(seen)
            self._show_status()
            if seen is not None and not seen.is_whole:
                self._look()

    def show_seen(self, seen: Seen) -> None:
        """Show the sweep as it was seen."""
        before, self.seen = self.seen, seen
        if self._view is None or before is None or len(before.board.axes) != len(seen.board.axes):
            self._view = sweepview.first_view(seen.board)
        self._target = seen.curves.target
        self._view = replace(self._view, target=self._target)
        if before is not None and self._arm is not None and before.board.arms is not seen.board.arms:
            self._arm = seen.board.arms.index(before.board.arms[self._arm])  # it was extended: what was there stays
        with self.app.batch_update():
            self._say_news(before, seen)
            self.query_one(SweepInsight).show(seen.sentences)
            self._show_selected()
        self._show_map()

    def _say_news(self, before: Seen | None, seen: Seen) -> None:
        """Say in the log what failed since, and how the sweep has ended."""
        log = self.query_one(Log)
        for reason in seen.failures:
            log.say(f"failed: {printable(reason)}", "bad")
        if before is not None and before.kept.state != seen.kept.state:
            progress = seen.board.progress
            kind = {"finished": "good", "interrupted": "bad"}.get(seen.kept.state, "event")
            log.say(f"{seen.kept.state}: {progress.done:,} of {progress.total:,} runs", kind)

    def _workers(self, seen: Seen) -> str:
        """Who makes it, or how it can be gone on with."""
        if self._maker.is_alive:
            return " ".join(self._maker.workers).replace("--jobs ", "processes ").replace("--scheduler", "Dask")
        if seen.kept.process:
            return f"made by {printable(seen.kept.maker)}"
        return "" if seen.kept.state == "finished" else f"{key_of(self.app, 'run')} goes on"

    def _show_status(self) -> None:
        seen = self.seen
        if seen is None:
            return
        name = printable(seen.kept.name or seen.kept.id)
        self.query_one(SweepStatus).show(seen.board.progress, name, seen.kept.state, self.app.slow_link)  # type: ignore[attr-defined]
        self.query_one(SweepPane).show(seen.board, seen.states, self._workers(seen))
        self.query_one(KeyBar).show(STATES[seen.kept.state])

    # --- what is drawn -------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Other cells have room."""
        self.call_after_refresh(self.show_again)

    def show_again(self) -> None:
        """Draw what is not drawn while it is hidden."""
        self._show_map()
        self._show_selected()

    @work(group="map", exclusive=True)
    async def _show_map(self) -> None:
        """Lay the map out, off the event loop, and draw it; only the last of several in a row."""
        from gdtui.sweeps.plane import plane_of

        with self.unless_leaving():
            seen, view, heat = self.seen, self._view, self.query_one(HeatMap)
            if seen is None or view is None or not heat.size:
                return
            lay_out = partial(plane_of, seen.board, view, *heat.columns_rows_room(), seen.curves.reached)
            if self._plane is None:  # the limits may take a while
                self._plane = await in_thread(lay_out)
                self._draw_map()
            self._plane = await in_thread(partial(lay_out, self._following.limits))
            self._draw_map()

    def _draw_map(self) -> None:
        if self.seen is not None and self._view is not None and self._plane is not None:
            heat, (x, y) = self.query_one(HeatMap), sweepview.names(self._view, self.seen.board)
            heat.show(self._plane, x, y, self.selected)
            heat.border_title = f"4 Map · {sweepview.described(self._view, self.seen.board)}".replace("[", "\\[")

    @property
    def selected(self) -> int | None:
        """The point that is looked at: the one that a person has chosen, or the best."""
        if self.seen is None:
            return None
        order = self.seen.board.order
        return int(order[0]) if self._arm is None and len(order) else self._arm

    def _show_selected(self) -> None:
        seen, selected = self.seen, self.selected
        if seen is None:
            return
        self.query_one(Leaderboard).show(seen.board, selected)
        self._draw_map()
        self._show_curves()

    @work(group="curves", exclusive=True)
    async def _show_curves(self) -> None:
        from gdtui.dashboard.widgets.curvefield import rasterised
        from gdtui.sweeps.curves import exact_curves

        seen, selected, pane = self.seen, self.selected, self.query_one(SweepCurves)
        if seen is None or selected is None or not pane.size:
            return
        curves, size, before = seen.curves, pane.size, self._raster

        def draw() -> tuple[list[Array], Raster]:
            log_y = not (curves.losses < 0).any()
            is_same = before is not None and before.fits(curves, *size, log_y)
            raster = before if before and is_same else rasterised(curves, *size, log_y)
            return exact_curves(Ledger(), seen.kept.id, seen.board, selected), raster

        with self.unless_leaving():
            try:
                exact, raster = await in_thread(draw)
            except InputError:  # it has been deleted meanwhile; the next look says so
                return
            self._raster = raster
            pane.show(curves, exact, named(seen.board, selected), raster.log_y, raster)

    # --- keys ----------------------------------------------------------------------------------------------------

    @on(HeatMap.Moved)
    @on(Leaderboard.Moved)
    def _select(self, message: HeatMap.Moved | Leaderboard.Moved) -> None:
        message.stop()
        if self.seen is not None:
            self._arm = message.arm
            self._show_selected()

    def action_change_x_axis(self) -> None:
        """Another axis from left to right."""
        self._look_over(sweepview.with_next_x)

    def action_toggle_log_y(self) -> None:
        """Another axis from bottom to top."""
        self._look_over(sweepview.with_next_y)

    def action_rewind(self, steps: int) -> None:
        """Other values of the axes that are not drawn."""
        self._look_over(partial(sweepview.with_next_others, steps=steps))

    def action_choose_value(self, _steps: int) -> None:
        """The loss at the end, or the epochs to the target."""
        self._look_over(lambda view, _: sweepview.with_next_measure(view))

    def action_scale_lr(self, steps: int) -> None:
        """A target ten times as high, or a tenth."""
        if self.seen is None or self._view is None:
            return
        target = self.seen.curves.target * sweepview.FACTOR**steps
        if not 0 < target < math.inf:
            self.query_one(Log).say("there is no target: the loss at the start is not above 0", "note")
            return
        self._target = target
        self._view = replace(self._view, measure=Measure.EPOCHS)
        self._look()

    def _look_over(self, change: Callable[[View, Board], View]) -> None:
        if self.seen is not None and self._view is not None:
            self._view = change(self._view, self.seen.board)
            self._show_map()

    def action_run_or_pause(self) -> None:
        """Stop the sweep, or go on with it."""
        seen, log = self.seen, self.query_one(Log)
        if seen is None:
            return
        if self._maker.is_alive:
            self._maker.stop()
            log.say("stopping: what is under way is kept", "event")
        elif seen.kept.process:
            log.say(f"the sweep is made by {printable(seen.kept.maker)}: end that first", "note")
        elif seen.kept.state == "finished" and FAILED not in seen.kept.states:
            log.say(f"all runs are made: gdtui sweep --extend {seen.kept.id} --over ... makes it larger", "note")
        else:
            self._maker.start()
            log.say("going on with what is missing", "event")

    def action_sweep(self) -> None:
        """More values, seeds or samples."""
        from gdtui.dashboard.screens.sweepprompt import SweepPrompt, judged

        seen = self.seen
        if seen is not None:
            sweep = seen.board.progress.sweep
            text = f"seeds={sweep.seeds + 1}" if not sweep.samples else f"samples={2 * sweep.samples}"
            judge = partial(judged, lambda wanted: wanted.more_of(sweep))
            self.app.push_screen(SweepPrompt("Extend by", text, judge), self._extend)

    def _extend(self, wider: Sweep | None) -> None:
        if wider is not None:
            self.run_worker(self._make_wider(wider), group="extend")

    async def _make_wider(self, wider: Sweep) -> None:
        from gdtui.sweeps import preparing

        try:
            await in_thread(partial(preparing.extend, self._sweep, wider))
        except InputError as error:
            self.query_one(Log).say(str(error), "bad")
        else:
            self._maker.start()

    def action_open_best(self) -> None:
        """Open the best run of the selected point."""
        seen, selected = self.seen, self.selected
        run = seen.board.best[selected] if seen is not None and selected is not None else ""
        if run:
            self.app.run_worker(self.open_run(run), group="open")
        else:
            self.query_one(Log).say("none of this point's runs can be opened: none is kept", "note")

    def action_runs(self) -> None:
        """The runs that are kept, to open one of them."""
        self.browse(dict, self._refuse_pin)

    async def _refuse_pin(self, _run: Run) -> None:
        raise InputError("run", "a sweep's screen compares its own runs: open one, and others can be pinned to it")

    def action_help(self) -> None:
        """The screen explained, and its keys."""
        self.explain("sweeps")

    def source(self) -> Source | None:
        """The sweep as it is shown; None before the first look."""
        from gdtui.dashboard.screens.export import OF_SWEEPS, Source
        from gdtui.sweeps.export import export

        if self.seen is None:
            return None
        name = self.seen.kept.name or self._sweep
        return Source(
            words=("sweep", name),
            title=f"sweep {printable(name)}",
            write=partial(export, self.seen.board.progress),
            chart=lambda: "",
            contents=OF_SWEEPS,
        )

    @property
    def shown(self) -> str:
        """The sweep's id."""
        return self._sweep

    @property
    def is_moving(self) -> bool:
        """Look follows look."""
        return self._maker.is_alive
