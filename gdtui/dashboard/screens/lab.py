"""The lab: the main screen; keys become calls of the player, snapshots go to the panes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from gdtui.dashboard.curves import XAxis, event_text, loss_plot
from gdtui.dashboard.keymap import bindings
from gdtui.dashboard.messages import SettingEdited
from gdtui.dashboard.player import Grain, Player
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import KeyBar, Status
from gdtui.experiment import Experiment, InputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer
    from gdtui.problems.datasets import Dataset

LR_STEP = 1.25
W = TypeVar("W", bound="Widget")

PANES = {"experiment": "1 Experiment", "loss": "2 Loss", "samples": "3 Samples", "log": "7 Log"}


class LabScreen(Screen[None]):
    """One experiment, live.

    Attributes:
        player: plays the run that is shown; None until it is loaded.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    AUTO_FOCUS = ""

    def __init__(self, experiment: Experiment, play: bool = False) -> None:
        super().__init__()
        self._experiment = experiment
        self._play_at_once = play
        self.player: Player | None = None
        self._snapshot: Snapshot | None = None
        self._x_axis = XAxis.EPOCHS
        self._log_y = True
        self._reading = ""
        self._forked_from: list[Snapshot] = []
        self._loading: Experiment | None = None  # the newest that was asked for and is not shown yet
        self._showing = asyncio.Lock()

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
        self._load(self._experiment)

    # --- from the trainer to the panes ---------------------------------------------------------------------------

    def _load(self, experiment: Experiment) -> None:
        """Begin a new run of an experiment; what runs is left once there is something to run instead."""
        # Not exclusive: a worker that is cancelled while it changes the fields leaves them half removed for ever.
        self._loading = experiment
        self.run_worker(self._begin(experiment), group="load")

    async def _begin(self, experiment: Experiment) -> None:
        def load() -> Trainer:
            import gdtui.dashboard.widgets.plot  # noqa: F401 (plotext, for the first chart)
            from gdtui.descent.trainer import Trainer
            from gdtui.problems.loading import load_problem

            same = self._snapshot is not None and _same_problem(self._snapshot.experiment, experiment)
            problem = self._snapshot.problem if same and self._snapshot else load_problem(experiment)
            return Trainer(experiment, problem)

        try:
            trainer = await asyncio.to_thread(load)
        except InputError as error:
            if self._loading is experiment:
                self._loading = None
                if self.player is None:
                    self.app.fail(str(error))  # type: ignore[attr-defined]
                elif self.app.is_running:
                    self.query_one(Controls).show_error(error.setting, str(error))
            return
        async with self._showing:
            # Unless another was asked for meanwhile, or the panes are on their way out.
            if self._loading is experiment and self.app.is_running:
                self._loading = None
                await self._play_instead(trainer)

    async def _play_instead(self, trainer: Trainer) -> None:
        experiment, before = trainer.experiment, self.player
        if before:
            before.pause()
        self.workers.cancel_group(self, "descent")
        self.player = Player(trainer, before.grain, before.speed) if before else Player(trainer)
        self._experiment = experiment
        if self._snapshot is None or self._snapshot.problem is not trainer.problem:
            self._forked_from = []
        await self._show_settings(experiment, trainer.problem.dataset)
        self.show_snapshot(trainer.snapshot())
        if self._play_at_once:
            self._play_at_once = False
            self.action_run_or_pause()

    async def _show_settings(self, experiment: Experiment, dataset: Dataset) -> None:
        from gdtui.descent.method import hyperparameters

        controls = self.query_one(Controls)
        await controls.mount_hyperparameters(hyperparameters(experiment))
        controls.show(experiment)
        controls.show_data(dataset)
        if dataset.dropped:
            self.query_one(Log).say(f"{dataset.dropped:,} rows with missing values left out", "note")

    def _drive(self, frames: AsyncIterator[Snapshot]) -> None:
        self.run_worker(self._show_all(frames), group="descent")

    async def _show_all(self, frames: AsyncIterator[Snapshot]) -> None:
        async for snapshot in frames:
            if not self.app.is_running:
                return  # the panes are on their way out
            with self.app.batch_update():
                self._log_progress(snapshot)
                self.show_snapshot(snapshot)
        if self.app.is_running:
            self._show_status()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Give every pane a moment to show."""
        self._snapshot = snapshot
        with self.app.batch_update():
            self._show_loss()
            self.query_one(Samples).show(snapshot)
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
        player, snapshot = self.player, self._snapshot
        if player is None or snapshot is None:
            self.query_one(Status).show(self._experiment, None, "loading", "")
            return
        state = str(snapshot.state)
        if not snapshot.state.is_over and snapshot.visited:
            state = "running" if player.is_playing or player.is_stepping else "paused"
        elif player.is_playing:
            state = "running"
        speed = "max" if player.rate is None else f"{player.rate:g} {player.grain}s/s"
        self.query_one(Status).show(player.trainer.experiment, snapshot, state, speed)
        self.query_one(KeyBar).show(player.is_playing)

    def _log_progress(self, snapshot: Snapshot) -> None:
        from gdtui.insight.verdict import verdict

        log, before = self.query_one(Log), self._snapshot
        if self.player and self.player.grain is Grain.UPDATE and self.player.rate and len(snapshot.visits):
            log.say_update(snapshot)
        if before is None or snapshot.epoch != before.epoch:
            log.say_epoch(snapshot)
        is_news = before is None or not before.state.is_over or before.updates != snapshot.updates
        if snapshot.state.is_over and is_news:
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
    async def _edit(self, message: SettingEdited) -> None:
        message.stop()
        await self._change(message.setting, message.value)

    async def _change(self, setting: str, value: Any) -> None:
        """Change the run under way where that can be; otherwise begin a new one."""
        player = self.player
        if player is None:
            return
        controls = self.query_one(Controls)
        try:
            from gdtui.dashboard.edits import edited
            from gdtui.descent.method import changes_run, hyperparameters, only_known

            experiment = self._loading or player.trainer.experiment
            if self._loading is None and changes_run(experiment, setting):
                after = only_known(experiment.replace(**{setting: value}))
                gone = dict.fromkeys(dict(experiment.set).keys() - dict(after.set).keys())
                await controls.mount_hyperparameters(hyperparameters(after))
                for event in await player.change(**{setting: value}, **gone):
                    self.query_one(Log).say(f"▾ {event_text(event)} from update {event.update + 1}", "event")
                self._experiment = player.trainer.experiment
                controls.show(self._experiment)
                if player.is_playing:
                    self._show_status()
                elif player is self.player:
                    self.show_snapshot(await player.snapshot())  # with the event's mark
                return
            self._load(edited(experiment, setting, value))
        except InputError as error:
            controls.show_error(setting, str(error))

    # --- keys ----------------------------------------------------------------------------------------------------

    def action_run_or_pause(self) -> None:
        """Run, or pause."""
        player = self.player
        if player is None:
            self._play_at_once = not self._play_at_once
        elif player.is_playing or player.is_stepping:
            player.stop()
        elif not player.trainer.state.is_over:
            player.is_playing = True
            self._drive(player.play())
        self._show_status()

    def action_step(self, grain: str) -> None:
        """One update or epoch."""
        if self.player:
            self.player.pause()
            self._drive(self.player.step(Grain(grain)))

    async def action_rewind(self, epochs: int) -> None:
        """Back, or forward in what was run before."""
        if self.player:
            self.player.pause()
            before = self._snapshot.epoch if self._snapshot else 0
            snapshot = await self.player.rewind(epochs)
            if snapshot.epoch != before:
                self.query_one(Log).say(
                    f"◂ at epoch {snapshot.epoch} of the {snapshot.farthest} that were run", "event"
                )
            self.query_one(Controls).show(snapshot.experiment)
            self.show_snapshot(snapshot)

    async def action_fork(self) -> None:
        """Another run from here."""
        if self.player and self._snapshot and self._snapshot.visited:
            self.player.pause()
            fork = await self.player.fork()
            self._forked_from = [*self._forked_from[-3:], self._snapshot]
            self.player = fork
            snapshot = fork.trainer.snapshot()
            self.query_one(Log).say(f"◂ forked at epoch {snapshot.epoch}: what changes now is another way", "event")
            self.show_snapshot(snapshot)

    def action_reset(self) -> None:
        """Back to the start."""
        if self.player:
            self.player.pause()
            self.query_one(Log).say("reset", "event")
            self._load(self._loading or self.player.trainer.experiment)

    async def action_scale_lr(self, steps: int) -> None:
        """Learning rate up or down."""
        if self.player:
            lr = self.player.trainer.experiment.lr * LR_STEP**steps
            await self._change("lr", float(f"{lr:.6g}"))

    def action_change_speed(self, rungs: int) -> None:
        """Faster or slower."""
        if self.player:
            self.player.change_speed(rungs)
            self._show_status()

    def action_change_grain(self) -> None:
        """Epochs or updates."""
        if self.player:
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


def _same_problem(one: Experiment, other: Experiment) -> bool:
    names = ("problem", "data", "features", "target", "standardize", "drop_missing", "seed", "set", "init")
    return all(getattr(one, name) == getattr(other, name) for name in names)
