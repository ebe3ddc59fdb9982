"""The lab: the main screen; keys and fields become jobs of the player, done in their order."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on

from gdtui.dashboard.begin import begin
from gdtui.dashboard.curves import event_text
from gdtui.dashboard.keymap import bindings
from gdtui.dashboard.messages import SettingEdited
from gdtui.dashboard.player import Grain, prepared
from gdtui.dashboard.screens.moments import MomentsScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.experiment import Experiment, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType

    from gdtui.dashboard.player import Job
    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer
    from gdtui.problems.problem import Problem

LR_STEP = 1.25

LONG_LOAD_S = 0.2
"""A load that takes longer is said to be under way."""


class LabScreen(MomentsScreen):
    """One experiment, live."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(self, experiment: Experiment, play: bool = False) -> None:
        super().__init__(experiment)
        self.player.is_playing = play

    # --- the run -------------------------------------------------------------------------------------------------

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

    def _ask(self, job: Job | Callable[[], None]) -> None:
        """Have a job done in its turn."""

        async def guarded() -> None:
            with self.unless_leaving():
                under_way = job()
                if under_way is not None:
                    await under_way

        self.player.ask(guarded)

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
        self._experiment = experiment
        await self._show_settings(experiment, trainer.problem)
        self._snapshot = None
        self.begin_run()
        player.begin(trainer, snapshot)

    async def _show_settings(self, experiment: Experiment, problem: Problem) -> None:
        from gdtui.descent.method import hyperparameters

        controls = self.query_one(Controls)
        await controls.mount_hyperparameters(hyperparameters(experiment))
        controls.show(experiment)
        controls.show_problem(problem)
        if problem.dataset.dropped:
            self.query_one(Log).say(f"{problem.dataset.dropped:,} rows with missing values left out", "note")

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
        if self._snapshot is not None and snapshot.farthest < self._snapshot.farthest:
            self.begin_run()  # what lay ahead after a rewind may be pinned: that was another run
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

        forked = await in_thread(fork)
        self.pin_forked()
        self.begin_run()
        self.player.begin(*forked)
        self.query_one(Log).say(f"◂ forked at epoch {before.epoch}: what changes now is another way", "event")

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

    def action_pin(self) -> None:
        """Pin this run, or no longer."""
        self._ask(self.pin_now)

    def action_clear_pins(self) -> None:
        """Unpin all."""
        self._ask(self.clear_pins)

    def action_toggle_difference(self) -> None:
        """Losses or differences."""
        self._ask(self.toggle_difference)
