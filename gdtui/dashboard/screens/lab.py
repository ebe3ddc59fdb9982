"""The lab: the main screen; keys become calls of the player, snapshots go to the panes."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.widgets import Input

from gdtui.dashboard.begin import begin
from gdtui.dashboard.curves import XAxis, event_text, loss_plot
from gdtui.dashboard.keymap import bindings
from gdtui.dashboard.messages import SettingEdited
from gdtui.dashboard.overlays import Overlay, instrument_plot, reading
from gdtui.dashboard.player import Grain, Player, prepared
from gdtui.dashboard.reader import Reader
from gdtui.dashboard.screens.panes import PanesScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import KeyBar, Status
from gdtui.experiment import Experiment, InputError

if TYPE_CHECKING:
    from textual.binding import BindingType

    from gdtui.dashboard.player import Job
    from gdtui.dashboard.reader import Findings
    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer
    from gdtui.problems.problem import Problem

LR_STEP = 1.25

LONG_LOAD_S = 0.2
"""A load that takes longer is said to be under way."""


class LabScreen(PanesScreen):
    """One experiment, live.

    Attributes:
        player: plays the run that is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(self, experiment: Experiment, play: bool = False) -> None:
        super().__init__(experiment)
        self.player = Player(self.show_snapshot, self._show_failure)
        self.player.is_playing = play
        self.reader = Reader(self._show_findings, lambda: self.player.is_playing or self.player.is_stepping)
        self._snapshot: Snapshot | None = None
        self._is_loading = True
        self._x_axis = XAxis.EPOCHS
        self._log_y = True
        self._reading = ""
        self._overlay = Overlay.NONE
        self._forked_from: list[Snapshot] = []

    # --- the screen ----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the frame first: the fields, numpy and the data can wait until there is something to look at."""
        self._show_status()
        self.query_one(Log).say("space runs · . makes one update · ? explains every key and pane", "note")
        self.call_after_refresh(self._fill)

    async def _fill(self) -> None:
        await self.query_one(Controls).mount_fields()
        await self.mount_side()
        self._ask(partial(self._load, self._experiment))
        self.run_worker(self.player.work(), group="descent")
        self.run_worker(self.reader.work(), group="insight")

    def _ask(self, job: Job) -> None:
        """Have a job done in its turn."""

        async def guarded() -> None:
            with self.unless_leaving():
                await job()

        self.player.ask(guarded)

    # --- from the trainer to the panes ---------------------------------------------------------------------------

    async def _load(self, experiment: Experiment) -> None:
        """Begin a new run of an experiment; what runs is left once there is something to run instead."""
        player, before = self.player, self._snapshot
        was_playing = player.is_playing
        player.is_playing = was_playing and before is None  # space, from now on, is meant for the new run
        loading = in_thread(lambda: begin(experiment, before))
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
        await self._show_settings(experiment, trainer.problem)
        self._snapshot = None
        player.begin(trainer, snapshot)

    async def _show_settings(self, experiment: Experiment, problem: Problem) -> None:
        from gdtui.descent.method import hyperparameters

        controls = self.query_one(Controls)
        await controls.mount_hyperparameters(hyperparameters(experiment))
        controls.show(experiment)
        controls.show_problem(problem)
        if problem.dataset.dropped:
            self.query_one(Log).say(f"{problem.dataset.dropped:,} rows with missing values left out", "note")

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Give every pane a moment to show."""
        with self.unless_leaving(), self.app.batch_update():
            self._log_progress(snapshot)
            self._snapshot = snapshot
            self._show_loss()
            self.query_one(Samples).show(snapshot)
            self._show_status()
        self.reader.look_at(snapshot, with_anatomy=self.player.grain is Grain.UPDATE)

    def _show_findings(self, findings: Findings) -> None:
        """Show what was measured, unless another run is shown by now."""
        from gdtui.dashboard.widgets.insight import Insight
        from gdtui.dashboard.widgets.landscape import Landscape

        read, shown = findings.reading, self._snapshot
        if shown is None or shown.problem is not read.snapshot.problem:
            return
        sentences = [(sentence.text, sentence.kind) for sentence in findings.judgement.sentences]
        with self.unless_leaving(), self.app.batch_update():
            self.query_one(Insight).show(read, sentences)
            self.query_one(Samples).show_reading(read)
            if read.forecast is not None and not shown.visited:
                self._show_loss()  # with what is predicted of it
            self.query_one(Landscape).show(findings.terrain, findings.anatomy)
            log = self.query_one(Log)
            if read.snapshot.state == "diverged" and sentences[0][0] not in log.entries:
                log.say(*sentences[0])

    def _show_failure(self, error: InputError) -> None:
        """Say why the descent could not go on."""
        with self.unless_leaving():
            self.query_one(Log).say(str(error), "bad")
            self._show_status()

    def show_again(self) -> None:
        """Draw the charts: they are not drawn while they are hidden."""
        self._show_loss()

    def _show_loss(self) -> None:
        chart, overlay, snapshot = self.query_one("#loss", Chart), self.query_one("#overlay", Chart), self._snapshot
        y = "log y" if self._log_y else "linear y"
        if snapshot is not None and (chart.display or overlay.display):
            color = self.app.theme_variables["primary"]
            plot = loss_plot(
                snapshot, self._x_axis, self._log_y, color, self._forked_from, self.reader.forecast(snapshot)
            )
            y = y if plot.log_y == self._log_y else "linear y, as f < 0"
            chart.show(plot)
            if overlay.display:
                overlay.show(instrument_plot(snapshot, self._overlay, self._x_axis, color, plot))
                self.subtitle(overlay, reading(snapshot, self._overlay))
        self.subtitle(chart, self._reading or f"{y} · {self._x_axis.value}")

    def _show_status(self) -> None:
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
            log.say(verdict(snapshot, with_why=False), "bad" if is_bad else "good")

    @on(Chart.CursorMoved, "#loss")
    def _read_cursor(self, message: Chart.CursorMoved) -> None:
        message.stop()
        self._reading = (
            ""
            if message.x is None
            else f"{self._x_axis.value} {message.x:,.7g}: "
            + ", ".join(f"{name} {value!r}" for name, value in message.values)
        )
        self._show_loss()

    # --- settings ------------------------------------------------------------------------------------------------

    @on(SettingEdited)
    def _edit(self, message: SettingEdited) -> None:
        message.stop()
        self._ask(partial(self._change, message.setting, message.value))

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
        self._ask(partial(self._rewind, epochs))

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
        self._ask(self._fork)

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
        self._ask(self._reset)

    async def _reset(self) -> None:
        if self._snapshot is not None:
            self.query_one(Log).say("reset", "event")
            await self._load(self._snapshot.experiment)

    def action_scale_lr(self, steps: int) -> None:
        """Learning rate up or down."""
        self._ask(partial(self._scale_lr, LR_STEP**steps))

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
        if self._snapshot is not None:
            self.reader.look_at(self._snapshot, with_anatomy=self.player.grain is Grain.UPDATE)

    def action_toggle_log_y(self) -> None:
        """Log or linear."""
        self._log_y = not self._log_y
        self._show_loss()

    def action_change_x_axis(self) -> None:
        """The next x axis."""
        self._x_axis = self._x_axis.next()
        self._show_loss()

    def action_change_overlay(self) -> None:
        """The next instrument under the loss, or none."""
        self._overlay = self._overlay.next()
        overlay = self.query_one("#overlay", Chart)
        overlay.border_title = self._overlay.value
        overlay.set_class(self._overlay is Overlay.NONE, "-off")
        self.call_after_refresh(self.show_again)

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
