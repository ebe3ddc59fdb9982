"""The lab: the main screen; keys become calls of the player, snapshots go to the panes."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from gdtui.dashboard.begin import begin
from gdtui.dashboard.curves import XAxis, event_text, loss_plot
from gdtui.dashboard.keymap import bindings
from gdtui.dashboard.messages import SettingEdited
from gdtui.dashboard.player import Grain, Player, prepared
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import KeyBar, Status
from gdtui.experiment import Experiment, InputError

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer
    from gdtui.problems.datasets import Dataset

LR_STEP = 1.25

LONG_LOAD_S = 0.2
"""A load that takes longer is said to be under way."""

W = TypeVar("W", bound="Widget")

PANES = {"experiment": "1 Experiment", "loss": "2 Loss", "samples": "3 Samples", "log": "7 Log"}


class LabScreen(Screen[None]):
    """One experiment, live.

    Attributes:
        player: plays the run that is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    AUTO_FOCUS = ""

    def __init__(self, experiment: Experiment, play: bool = False) -> None:
        super().__init__()
        self.player = Player(self.show_snapshot, self._show_failure)
        self.player.is_playing = play
        self._experiment = experiment
        self._snapshot: Snapshot | None = None
        self._is_loading = True
        self._x_axis = XAxis.EPOCHS
        self._log_y = True
        self._reading = ""
        self._forked_from: list[Snapshot] = []

    # --- the screen ----------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Status, panes, keys."""
        yield Status(id="status")
        with Horizontal(id="body"):
            yield _titled(Controls(self._experiment, id="experiment", classes="pane"))
            with Vertical(id="right"):
                yield _titled(Chart(id="loss", classes="pane"))
                yield _titled(Samples(id="samples", classes="pane"))
                yield _titled(Log(id="log", classes="pane"))
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Show the frame first: the fields, numpy and the data can wait until there is something to look at."""
        self._show_status()
        self.query_one(Log).say("space runs · . makes one update · ? explains every key and pane", "note")
        self.call_after_refresh(self._fill)

    async def _fill(self) -> None:
        await self.query_one(Controls).mount_fields()
        self.player.ask(partial(self._load, self._experiment))
        self.run_worker(self.player.work(), group="descent")

    # --- from the trainer to the panes ---------------------------------------------------------------------------

    async def _load(self, experiment: Experiment) -> None:
        """Begin a new run of an experiment; what runs is left once there is something to run instead."""
        player, before = self.player, self._snapshot
        was_playing = player.is_playing
        player.is_playing = was_playing and before is None  # space, from now on, is meant for the new run
        loading = asyncio.ensure_future(in_thread(lambda: begin(experiment, before)))
        await asyncio.wait({loading}, timeout=LONG_LOAD_S)
        self._is_loading = not loading.done()
        self._show_status()
        try:
            trainer, snapshot = await loading
        except InputError as error:
            if before is None:
                self.app.fail(str(error))  # type: ignore[attr-defined]
                return
            player.is_playing = was_playing
            self.query_one(Controls).show_error(error.setting, str(error))
            return
        finally:
            self._is_loading = False
            self._show_status()
        if before is None or before.problem is not trainer.problem:
            self._forked_from = []
        self._experiment = experiment
        await self._show_settings(experiment, trainer.problem.dataset)
        self._snapshot = None
        player.begin(trainer, snapshot)

    async def _show_settings(self, experiment: Experiment, dataset: Dataset) -> None:
        from gdtui.descent.method import hyperparameters

        controls = self.query_one(Controls)
        await controls.mount_hyperparameters(hyperparameters(experiment))
        controls.show(experiment)
        controls.show_data(dataset)
        if dataset.dropped:
            self.query_one(Log).say(f"{dataset.dropped:,} rows with missing values left out", "note")

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Give every pane a moment to show."""
        if not self.app.is_running:
            return  # the panes are on their way out
        with self.app.batch_update():
            self._log_progress(snapshot)
            self._snapshot = snapshot
            self._show_loss()
            self.query_one(Samples).show(snapshot)
            self._show_status()

    def _show_failure(self, error: InputError) -> None:
        """Say why the descent could not go on."""
        self.query_one(Log).say(str(error), "bad")
        self._show_status()

    def _show_loss(self) -> None:
        chart, y = self.query_one(Chart), "log y" if self._log_y else "linear y"
        if self._snapshot is not None and chart.display:
            plot = loss_plot(
                self._snapshot, self._x_axis, self._log_y, self.app.theme_variables["primary"], self._forked_from
            )
            chart.show(plot)
            y = y if plot.log_y == self._log_y else "linear y, as f < 0"
        self._set_subtitle(chart, self._reading or f"{y} · {self._x_axis.value}")

    def _show_status(self) -> None:
        if not self.app.is_running:
            return
        player, snapshot = self.player, self._snapshot
        if snapshot is None:
            self.query_one(Status).show(self._experiment, None, "loading", "")
            return
        state = str(snapshot.state)
        if self._is_loading:
            state = "loading"
        elif player.is_playing:
            state = "running"
        elif not snapshot.state.is_over and snapshot.visited:
            state = "running" if player.is_stepping else "paused"
        speed = "max" if player.rate is None else f"{player.rate:g} {player.grain}s/s"
        self.query_one(Status).show(snapshot.experiment, snapshot, state, speed)
        self.query_one(KeyBar).show(player.is_playing)

    def _log_progress(self, snapshot: Snapshot) -> None:
        """Say what has happened since the moment that is shown."""
        from gdtui.insight.verdict import verdict

        log, before = self.query_one(Log), self._snapshot
        if before is None or before.visited == snapshot.visited:
            return
        if self.player.grain is Grain.UPDATE and self.player.rate and len(snapshot.visits):
            log.say_update(snapshot)
        if snapshot.epoch != before.epoch:
            log.say_epoch(snapshot)
        if snapshot.state.is_over:
            is_bad = snapshot.state == "diverged"
            log.say("- lowers the learning rate, r starts again" if is_bad else "r starts again", "note")
            log.say(verdict(snapshot), "bad" if is_bad else "good")

    @on(Chart.CursorMoved)
    def _read_cursor(self, message: Chart.CursorMoved) -> None:
        message.stop()
        self._reading = (
            ""
            if message.x is None
            else f"{self._x_axis.value} {message.x:,.7g}: "
            + ", ".join(f"{name} {value!r}" for name, value in message.values)
        )
        self._show_loss()

    def _set_subtitle(self, widget: Widget, text: str) -> None:
        content = Content(text)
        if widget.border_subtitle != content.markup:
            widget.border_subtitle = content

    # --- settings ------------------------------------------------------------------------------------------------

    @on(SettingEdited)
    def _edit(self, message: SettingEdited) -> None:
        message.stop()
        self.player.ask(partial(self._change, message.setting, message.value))

    async def _change(self, setting: str, value: Any) -> None:
        """Change the run under way where that can be; otherwise begin a new one."""
        from gdtui.dashboard.edits import edited
        from gdtui.descent.method import changes_run

        if self._snapshot is None:
            return  # there is nothing yet, and never will be
        experiment = self._snapshot.experiment
        try:
            if changes_run(experiment, setting):
                await self._change_run(setting, value)
            else:
                await self._load(edited(experiment, setting, value))
        except InputError as error:
            self.query_one(Controls).show_error(setting, str(error))

    async def _change_run(self, setting: str, value: Any) -> None:
        from gdtui.descent.method import hyperparameters, only_known

        trainer, controls = self.player.trainer, self.query_one(Controls)
        assert trainer is not None
        before = trainer.experiment
        after = only_known(before.replace(**{setting: value}))
        gone = dict.fromkeys(dict(before.set).keys() - dict(after.set).keys())
        await controls.mount_hyperparameters(hyperparameters(after))
        events, snapshot = await in_thread(
            lambda: (trainer.change(**{setting: value}, **gone), prepared(trainer.snapshot()))
        )
        for event in events:
            self.query_one(Log).say(f"▾ {event_text(event)} from update {event.update + 1}", "event")
        controls.show(snapshot.experiment)
        self.player.show(snapshot)  # with the event's mark

    # --- keys ----------------------------------------------------------------------------------------------------

    def action_run_or_pause(self) -> None:
        """Run, or pause."""
        player, snapshot = self.player, self._snapshot
        if player.is_playing or player.is_stepping:
            player.stop()
        elif snapshot is None or self._is_loading or not snapshot.state.is_over:
            player.play()
        self._show_status()

    def action_step(self, grain: str) -> None:
        """One update or epoch."""
        self.player.step(Grain(grain))

    def action_rewind(self, epochs: int) -> None:
        """Back, or forward in what was run before."""
        self.player.is_playing = False
        self.player.ask(partial(self._rewind, epochs))

    async def _rewind(self, epochs: int) -> None:
        trainer, before = self.player.trainer, self._snapshot
        if trainer is None or before is None or (epochs > 0 and before.farthest == before.epoch):
            return
        snapshot = await in_thread(lambda: prepared(trainer.rewind(before.epoch + epochs)))
        if snapshot.visited != before.visited:
            text = f"◂ at epoch {snapshot.epoch} of the {snapshot.farthest} that were run"
            self.query_one(Log).say(text, "event")
        self.query_one(Controls).show(snapshot.experiment)
        self._snapshot = None
        self.player.show(snapshot)

    def action_fork(self) -> None:
        """Another run from here."""
        self.player.is_playing = False
        self.player.ask(self._fork)

    async def _fork(self) -> None:
        trainer, before = self.player.trainer, self._snapshot
        if trainer is None or before is None or not before.visited:
            return

        def fork() -> tuple[Trainer, Snapshot]:
            other = trainer.fork()
            return other, prepared(other.snapshot())

        self.player.begin(*await in_thread(fork))
        self._forked_from = [*self._forked_from[-3:], before]
        self.query_one(Log).say(f"◂ forked at epoch {before.epoch}: what changes now is another way", "event")
        self._show_loss()

    def action_reset(self) -> None:
        """Back to the start."""
        self.player.stop()
        self.player.ask(self._reset)

    async def _reset(self) -> None:
        if self._snapshot is not None:
            self.query_one(Log).say("reset", "event")
            await self._load(self._snapshot.experiment)

    def action_scale_lr(self, steps: int) -> None:
        """Learning rate up or down."""
        self.player.ask(partial(self._scale_lr, LR_STEP**steps))

    async def _scale_lr(self, factor: float) -> None:
        if self._snapshot is not None:
            await self._change("lr", float(f"{self._snapshot.experiment.lr * factor:.6g}"))

    def action_change_speed(self, rungs: int) -> None:
        """Faster or slower."""
        self.player.change_speed(rungs)
        self._show_status()

    def action_change_grain(self) -> None:
        """Epochs or updates."""
        self.player.grain = Grain.UPDATE if self.player.grain is Grain.EPOCH else Grain.EPOCH
        self._show_status()

    def action_toggle_log_y(self) -> None:
        """Log or linear."""
        self._log_y = not self._log_y
        self._show_loss()

    def action_change_x_axis(self) -> None:
        """The next x axis."""
        self._x_axis = self._x_axis.next()
        self._show_loss()

    def action_sort(self) -> None:
        """The next column."""
        self.query_one(Samples).sort_by_next_column()

    def action_reverse_sort(self) -> None:
        """The other way round."""
        self.query_one(Samples).reverse()

    async def action_filter(self) -> None:
        """Type which samples to show."""
        await self.query_one(Samples).open_filter()

    def action_toggle_applied(self) -> None:
        """As applied, or now."""
        samples = self.query_one(Samples)
        samples.applied = not samples.applied

    def action_toggle_pane(self, pane: str) -> None:
        """Show or hide a pane."""
        if pane == "experiment" and not self.has_class("-wide"):
            self.toggle_class("-drawer")
        else:
            self.query_one(f"#{pane}").toggle_class("-off")
            self.call_after_refresh(self._show_loss)  # it is not drawn while it is hidden

    def action_zoom(self) -> None:
        """The focused pane on the whole screen, or back."""
        if self.has_class("-zoomed"):
            self._unzoom()
        elif self.focused is not None:
            pane = next((node for node in self.focused.ancestors_with_self if node.id in PANES), None)
            if pane is not None:
                pane.add_class("-zoom")
                self.query_one("#right").set_class(pane.id == "experiment", "-empty")
                self.add_class("-zoomed")

    def _unzoom(self) -> None:
        self.remove_class("-zoomed")
        for pane in self.query(".pane"):
            pane.remove_class("-zoom")
        self.call_after_refresh(self._show_loss)

    def action_help(self) -> None:
        """Keys and panes explained."""
        from gdtui.dashboard.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

    def action_leave(self) -> None:
        """One layer out: a field, a zoomed pane, the focus, the drawer."""
        if isinstance(self.focused, Input):
            self.query_one(Controls).give_up(self.focused)
            self.set_focus(None)
        elif self.has_class("-zoomed"):
            self._unzoom()
        elif self.focused is not None:
            self.set_focus(None)
        else:
            self.remove_class("-drawer")


def _titled(pane: W) -> W:
    pane.border_title = PANES[pane.id or ""]
    return pane
