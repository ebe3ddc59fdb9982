"""Training: the main screen that follows another program's training."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on

from gdtui.dashboard.curves import event_text
from gdtui.dashboard.keymap import TRAINING, bindings, key_of
from gdtui.dashboard.screens.tracks import TracksScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import KeyBar
from gdtui.dashboard.widgets.trainstatus import TrainingStatus
from gdtui.dashboard.widgets.values import Values
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from textual.binding import BindingType

    from gdtui.dashboard.screens.export import Source
    from gdtui.preferences import Preferences
    from gdtui.training.moment import Moment
    from gdtui.training.training import Following, Training

LOOK_EVERY_S = 0.25
"""Seconds between two looks; a program's records are written about as often."""

SOON_S = 0.02
"""The same while there is more of a long log to be read."""

LR_STEP = 1.25
TWICE_S = 3.0
"""Within so many seconds the key that stops a training has to be pressed once more."""

FIRST_LINES = 100
"""Of a text that has gone on for long already, so many lines are shown at first, the newest."""


class TrainingScreen(TracksScreen):
    """A training, live: what it has told is shown as it comes."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(TRAINING)]

    def __init__(self, following: Following, preferences: Preferences) -> None:
        super().__init__()
        self._following = following
        self._newest: Training | None = None  # of now, also while the picture is held
        self._is_held = False
        self._is_looking = False
        self._is_gone = False
        self._step: int | None = None  # of the probe that is looked at; None for the newest
        self._said = -1  # the number of the last line of its text that is in the log
        self._stop_asked_at = -TWICE_S
        self.hidden = frozenset(preferences.hidden)
        self.has_come = False

    # --- following -----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the frame first."""
        self.hide_unwanted()
        self.query_one(TrainingStatus).show(None, "loading")
        self.query_one(KeyBar).show("following")
        self.call_after_refresh(self._fill)

    async def _fill(self) -> None:
        with self.app.batch_update():
            await self.mount_side()
            self.hide_unwanted()
        self.has_come = True
        self.set_interval(LOOK_EVERY_S, self._look)
        self._look()

    def _look(self) -> None:
        """One look at a time; those that take long are not queued."""
        if not (self._is_looking or self._is_gone):
            self._is_looking = True
            self.run_worker(self._follow(), group="follow")

    async def _follow(self) -> None:
        with self.unless_leaving():
            try:
                training = await in_thread(self._following.look)
            except InputError as error:
                self._is_gone = self._newest is not None and error.setting == "run"
                if self._newest is None:
                    self.app.fail(str(error))  # type: ignore[attr-defined]
                elif str(error) not in self.query_one(Log).entries[-1:]:
                    self.query_one(Log).say(str(error), "bad")
                return
            finally:
                self._is_looking = False
            if training is not None:
                self._newest = training
                if not self._is_held:
                    self._show_newest()
                if training.read < 1:  # there is more to read: do not wait for the next look
                    self.set_timer(SOON_S, self._look)
            self._show_status()

    def _show_newest(self) -> None:
        before, training = self.training, self._newest
        if training is None:
            return
        with self.app.batch_update():
            self.set_class(training.moment is None, "-bare")
            self._say_news(before, training)
            self.show_training(training)
            if self._step is None:
                is_new = before is None or training.moment is not before.moment
                self._show_probe(training, training.moment if is_new else None)
            self._show_status()

    def _show_probe(self, training: Training, moment: Moment | None) -> None:
        from gdtui.dashboard.widgets.cloud import Cloud
        from gdtui.dashboard.widgets.readings import Readings

        if moment is not None:
            self.query_one(Samples).show_moment(moment)
            self.query_one(Cloud).show(moment)
        self.query_one(Readings).show(replace(training, moment=moment) if moment is not None else training)

    def _say_news(self, before: Training | None, training: Training) -> None:
        """Say in the log what has happened since the training that is shown."""
        log = self.query_one(Log)
        for number, text in training.lines[-FIRST_LINES if before is None else 0 :]:
            if number > self._said:
                log.say(text)
                self._said = number
        known = len(before.events) if before else 0
        for event in training.events[known:]:
            log.say(f"▾ {event_text(event)} from step {event.update + 1:,}", "event")
        if training.notice and (before is None or training.notice != before.notice):
            log.say(training.notice, "note")
        if before is None:
            self._say_what_to_press(training)
        elif training.state not in (before.state, "running"):
            kind = {"finished": "good", "interrupted": "bad"}.get(training.state, "event")
            log.say(f"{training.state} {training.reason}".strip(), kind)

    def _say_what_to_press(self, training: Training) -> None:
        value, second, back = (key_of(self.app, command) for command in ("value-on", "overlay", "back-1"))
        text = f"{value} charts another value · {second} one more below · {back} an earlier probe"
        self.query_one(Log).say(text, "note")
        if training.moment is None:
            self.query_one(Log).say("nothing of its samples: gdtui.torch.Watcher or Recorder.samples tell it", "note")
        if training.is_controlled:
            run, faster, stop = (key_of(self.app, command) for command in ("run", "lr-up", "stop"))
            self.query_one(Log).say(f"its loop asks: {run} pauses it · {faster} - change lr · {stop} stops it", "note")

    def _show_status(self) -> None:
        training = self.training
        self.query_one(TrainingStatus).show(training, self._state, getattr(self.app, "slow_link", None))
        state = training.state if training is not None and training.is_controlled else ""
        self.query_one(KeyBar).show({"": "following", "paused": "waiting"}.get(state, "asking"))

    @property
    def _state(self) -> str:
        training = self._newest
        if training is None:
            return "loading"
        if self._is_held:
            return "held"
        return "watching" if training.state == "running" else training.state

    def source(self) -> Source | None:
        """What can be written of it by now."""
        from gdtui.dashboard.picture import chart_svg
        from gdtui.dashboard.screens.export import OF_TRAININGS, Source
        from gdtui.training.export import export

        training, plot = self.training, self._plot
        if training is None or plot is None:
            return None
        return Source(
            words=(training.name if self._following.run else Path(training.name).stem,),
            title=training.name,
            write=partial(export, training),
            chart=lambda: chart_svg(plot, training.name, self.value),
            contents=OF_TRAININGS,
        )

    @property
    def is_moving(self) -> bool:
        """Moment follows moment."""
        return self._newest is not None and self._newest.state == "running"

    def end(self) -> None:
        """Follow it no longer."""
        self._following.close()

    # --- keys ----------------------------------------------------------------------------------------------------

    def action_run_or_pause(self) -> None:
        """Pause the training, where its loop asks; else hold the picture."""
        training = self._newest
        if training is not None and training.is_controlled and training.state in ("running", "paused"):
            self._ask("go-on" if training.state == "paused" else "pause")
            return
        if not (self._is_held or self.is_moving):
            self.query_one(Log).say("it has ended: there is nothing to hold", "note")
            return
        self._is_held = not self._is_held
        if not self._is_held:
            self._step = None
            self._show_newest()
        self._show_status()

    def action_scale_lr(self, steps: int) -> None:
        """Ask for another learning rate."""
        from gdtui.training.curves import Column

        training = self._newest
        if training is None:
            return
        if "lr" not in training.curves:
            self.query_one(Log).say("it has told no lr yet: log it as lr", "note")
            return
        lr = float(training.curves["lr"][-1, Column.VALUE])
        self._ask("lr", float(f"{lr * LR_STEP**steps:.6g}"))

    def action_ask_stop(self) -> None:
        """Ask the training to stop; only the second of two presses does."""
        training = self._newest
        if training is None or not training.is_controlled:
            is_over = training is not None and not self.is_moving
            text = "it has ended already" if is_over else "its loop does not ask: it cannot be stopped from here"
            self.query_one(Log).say(text, "note")
            return
        if monotonic() - self._stop_asked_at < TWICE_S:
            self._ask("stop")
            return
        self._stop_asked_at = monotonic()
        self.query_one(Log).say(f"{key_of(self.app, 'stop')} once more stops the training for good", "bad")

    def _ask(self, what: str, value: float | None = None) -> None:
        async def ask() -> None:
            log = self.query_one(Log)
            with self.unless_leaving():
                try:
                    await in_thread(partial(self._following.ask, what, value))
                except InputError as error:
                    log.say(str(error), "bad")
                else:
                    log.say(f"asked for {what}" + (f" {value:g}" if value is not None else ""), "event")

        self.run_worker(ask(), group="ask")

    def action_rewind(self, probes: int) -> None:
        """The samples at an earlier probe, or a later one."""
        training = self.training
        if training is None or not training.moments:
            self.query_one(Log).say("it has told nothing of its samples yet", "note")
            return
        steps = training.moments
        at = steps.index(self._step) if self._step in steps else len(steps) - 1
        at = max(0, min(at + probes, len(steps) - 1))
        self._step = steps[at] if at < len(steps) - 1 else None
        self.run_worker(self._show_step(training, steps[at], at, len(steps)), group="probe", exclusive=True)

    async def _show_step(self, training: Training, step: int, at: int, of: int) -> None:
        with self.unless_leaving():
            moment = await in_thread(partial(self._following.moment, step))
            if moment is None:
                self.query_one(Log).say(f"the probe of step {step:,} is not kept any more", "note")
                return
            self._show_probe(training, moment)
            where = "the newest" if at == of - 1 else f"{at + 1:,} of {of:,}"
            self.query_one(Log).say(f"◂ samples at step {step:,}, probe {where}", "event")

    @on(Values.Chosen)
    def _choose(self, message: Values.Chosen) -> None:
        message.stop()
        self.choose(message.name)

    # --- the samples ---------------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """The next column."""
        self.query_one(Samples).sort_by_next_column()

    def action_reverse_sort(self) -> None:
        """The other way round."""
        self.query_one(Samples).reverse()

    async def action_filter(self) -> None:
        """Type which samples to show."""
        await self.query_one(Samples).open_filter()

    @property
    def shown(self) -> str:
        """The kept training's id; empty where it is a log."""
        run = self._following.run
        return run.id if run else ""
