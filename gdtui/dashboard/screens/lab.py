"""The lab: the main screen; keys and fields become jobs of the player, done in their order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on

from gdtui.dashboard.begin import fork
from gdtui.dashboard.curves import event_text
from gdtui.dashboard.keymap import bindings, key_of
from gdtui.dashboard.messages import SettingEdited
from gdtui.dashboard.player import Grain, prepared
from gdtui.dashboard.screens.openings import OpeningsScreen
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from textual.binding import BindingType

    from gdtui.dashboard.begin import Begun
    from gdtui.descent.snapshot import Event, Snapshot
    from gdtui.descent.trainer import Trainer
    from gdtui.sweeps.sweep import Sweep

LR_STEP = 1.25


class LabScreen(OpeningsScreen):
    """One experiment, live."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

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

        player, controls = self.player, self.query_one(Controls)
        if player.trainer is None or not self._take_over():
            return
        before = player.trainer.experiment
        after = only_known(before.replace(**{setting: value}))
        gone = dict.fromkeys(dict(before.set).keys() - dict(after.set).keys())
        await controls.mount_hyperparameters(hyperparameters(after))

        def change(trainer: Trainer) -> tuple[tuple[Event, ...], Snapshot]:
            events = trainer.change(**{setting: value}, **gone)
            player.keeping.look_at(trainer, player.is_playing)
            return events, prepared(trainer.snapshot())

        events, snapshot = await player.with_trainer(change)
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
        if self._watching is not None and (self._watching.run.is_made or self._watching.is_held):
            self._hold(not self._watching.is_held)
        elif not self._take_over():
            pass
        elif player.is_playing or player.is_stepping:
            player.stop()
        elif snapshot is None or self._is_loading or not snapshot.state.is_over:
            player.play()
        self._show_status()

    def action_step(self, grain: str) -> None:
        """One update or epoch."""
        if self._take_over():
            self.player.step(Grain(grain))

    def action_rewind(self, epochs: int) -> None:
        """Back, or forward in what was run before."""
        self.player.is_playing = False
        self._hold(True)
        self._ask(partial(self._rewind, epochs))

    async def _rewind(self, epochs: int) -> None:
        before = self._snapshot
        if before is None or (epochs > 0 and before.farthest == before.epoch):
            return
        to = before.epoch + epochs
        snapshot = await self.player.with_trainer(lambda trainer: prepared(trainer.rewind(to)))
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
        before = self._snapshot
        if before is None or not before.visited:
            return
        keeper = self.player.keeping.keeper
        parent = self._watching.run.id if self._watching else keeper.run if keeper else ""

        def begun(trainer: Trainer) -> Begun:
            return fork(trainer, parent, self._opening.is_kept)

        forked = await self.player.with_trainer(begun)
        self.pin_forked()
        self.begin_run()
        self._watching = None
        self.player.begin(forked)
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

    def action_sweep(self) -> None:
        """Many runs of this experiment, over ranges of its settings."""
        from gdtui.dashboard.screens.sweepprompt import SweepPrompt, judged

        if self._snapshot is not None:
            experiment = self._snapshot.experiment
            text = f"lr=log:{experiment.lr / 10:.3g}:{experiment.lr * 10:.3g}:20 batch-size=1,full"
            judge = partial(judged, lambda wanted: wanted.of(experiment))
            self.app.push_screen(SweepPrompt("Sweep over", text, judge), self._begin_sweep)

    def _begin_sweep(self, sweep: Sweep | None) -> None:
        if sweep is not None:
            self.app.run_worker(self._leave_for_sweep(sweep), group="open")

    async def _leave_for_sweep(self, sweep: Sweep) -> None:
        try:
            await self.app.make_sweep(sweep)  # type: ignore[attr-defined]
        except InputError as error:
            self.query_one(Log).say(str(error), "bad")

    def rest(self) -> None:
        """Run no further while nobody sees it."""
        self.player.stop()

    def action_lesson(self, step: int) -> None:
        """The next lesson, or the one before."""
        from gdtui.lessons.catalog import LESSONS

        names = list(LESSONS)
        at = names.index(self.lesson) + step if self.lesson else 0 if step > 0 else -1
        self.open_lesson(names[at % len(names)])

    def open_lesson(self, name: str) -> None:
        """The lesson of that name."""
        self.player.is_playing = False
        self._ask(partial(self._teach, name))

    def action_toggle_lesson(self) -> None:
        """The lesson's words, or none."""
        if self.lesson:
            self.show_lesson(not self.has_class("-taught"))
        else:
            text = f"no lesson is open: {key_of(self.app, 'lesson-on')} opens the first"
            self.query_one(Log).say(text, "note")
