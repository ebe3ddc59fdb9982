"""Openings: what the lab shows: a new run, a kept one, one that another process makes, or a lesson."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from gdtui.dashboard.begin import begin, open_kept
from gdtui.dashboard.curves import XAxis
from gdtui.dashboard.keymap import key_of
from gdtui.dashboard.pins import Pin
from gdtui.dashboard.screens.moments import MomentsScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.caption import Caption
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.experiment import Experiment, InputError
from gdtui.preferences import DEFAULTS, SPEEDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.dashboard.begin import Begun, Opening
    from gdtui.dashboard.player import Job
    from gdtui.dashboard.watching import Sighting, Watching
    from gdtui.descent.snapshot import Snapshot
    from gdtui.lessons.lesson import Lesson, Outcome
    from gdtui.preferences import Preferences
    from gdtui.problems.problem import Problem
    from gdtui.runs.store import Run

LONG_LOAD_S = 0.2
"""A load that takes longer is said to be under way."""

CHECK_KEEPING_S = 0.4

ROOM_TO_WELCOME = 8
"""Lines of the chart without which the first keys would cover it."""


class OpeningsScreen(MomentsScreen):
    """The lab's panes, showing the run that was asked for last.

    Attributes:
        lesson: the name of the lesson that is open; empty where none is.
    """

    def __init__(self, opening: Opening, preferences: Preferences = DEFAULTS) -> None:
        super().__init__(opening.experiment)
        self._opening = opening
        self._watching: Watching | None = None
        self._sighting: Sighting | None = None
        self._is_welcomed = False
        self.lesson = ""
        self.has_come = False
        self.player.is_playing = opening.play
        self.player.speed = SPEEDS.index(preferences.speed)
        self.hidden = frozenset(preferences.hidden)

    # --- the beginning -------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the frame first: the fields, numpy and the data can wait until there is something to look at."""
        self.hide_unwanted()
        self._show_status()
        run, update, explain = (key_of(self.app, command) for command in ("run", "update", "help"))
        text = f"{run} runs · {update} makes one update · {explain} explains every key and pane"
        self.query_one(Log).say(text, "note")
        self._ask(self._open_first)  # before whatever is typed until the fields are there
        self.call_after_refresh(self._fill)

    async def _fill(self) -> None:
        await self.query_one(Controls).mount_fields()
        with self.app.batch_update():
            await self.mount_side()
            self.hide_unwanted()
        self.has_come = True
        self.run_worker(self.player.work(), group="descent")
        self.run_worker(self.reader.work(), group="insight")
        self.set_interval(CHECK_KEEPING_S, self._check_keeping)
        await self._welcome()

    async def _welcome(self) -> None:
        """Show the first keys to one who has never run anything."""
        opening = self._opening
        if opening.play or opening.lesson or opening.run is not None or not opening.is_kept:
            return
        is_used = await in_thread(_is_used)
        with self.unless_leaving():
            chart = self.query_one("#loss")
            is_wanted = chart.is_attached and not (is_used or self._is_welcomed)  # the app may have ended meanwhile
            if is_wanted and chart.size.height >= ROOM_TO_WELCOME:
                from gdtui.dashboard.widgets.welcome import Welcome

                await chart.mount(Welcome())

    def end_welcome(self) -> None:
        """The first key is pressed."""
        if not self._is_welcomed:
            self._is_welcomed = True
            self.query("Welcome").remove()

    async def _open_first(self) -> None:
        opening = self._opening
        if opening.lesson:
            await self._teach(opening.lesson)
        elif opening.run is not None:
            await self._open(opening.run, opening.is_watched)
        else:
            await self._load(opening.experiment)

    def _ask(self, job: Job | Callable[[], None]) -> None:
        """Have a job done in its turn."""

        async def guarded() -> None:
            with self.unless_leaving():
                under_way = job()
                if under_way is not None:
                    await under_way

        self.player.ask(guarded)

    # --- a run ---------------------------------------------------------------------------------------------------

    async def _load(self, experiment: Experiment) -> None:
        """Begin a new run of an experiment."""
        is_kept = self._opening.is_kept
        await self._begin(partial(begin, experiment, self._snapshot, is_kept))

    async def _open(self, run: Run, is_watched: bool = False) -> None:
        """Show a kept run; one that another process makes is followed."""
        if await self._begin(partial(open_kept, run, self._opening.is_kept)) and (is_watched or run.is_made):
            self._watch(run)

    async def _begin(self, load: Callable[[], Begun]) -> bool:
        """Show another run; what runs is left once there is something to run instead.

        Returns:
            Whether there is.
        """
        player, before = self.player, self._snapshot
        was_playing = player.is_playing
        player.is_playing = was_playing and before is None  # space, from now on, is meant for the new run
        loading = in_thread(load)
        await asyncio.wait({loading}, timeout=LONG_LOAD_S)
        self._is_loading = not loading.done()
        self._show_status()
        try:
            begun = await loading
        except InputError as error:
            if before is None:
                self.app.fail(str(error))  # type: ignore[attr-defined]
                return False
            player.is_playing = was_playing
            if error.setting == "run":
                self.query_one(Log).say(str(error), "bad")
            else:
                self.query_one(Controls).show_error(error.setting, str(error))
            return False
        finally:
            self._is_loading = False
            self._show_status()
        await self._show_begun(begun)
        return True

    async def _show_begun(self, begun: Begun) -> None:
        snapshot = begun.snapshot
        self._watching = None
        self._experiment = snapshot.experiment
        await self._show_settings(snapshot.experiment, snapshot.problem)
        self._snapshot = None
        self.begin_run()
        self.player.begin(begun)

    async def _show_settings(self, experiment: Experiment, problem: Problem) -> None:
        from gdtui.descent.method import hyperparameters

        controls = self.query_one(Controls)
        await controls.mount_hyperparameters(hyperparameters(experiment))
        controls.show(experiment)
        controls.show_problem(problem)
        if problem.dataset.dropped:
            self.query_one(Log).say(f"{problem.dataset.dropped:,} rows with missing values left out", "note")

    # --- the runs that are kept ----------------------------------------------------------------------------------

    def leave_for(self, run: Run) -> None:
        """Show a kept run, unless it is the one that is shown."""
        keeper = self.player.keeping.keeper
        if not (keeper and keeper.is_begun and run.id == keeper.run):
            self.player.is_playing = False
            self._ask(partial(self._open, run))

    # --- a run that another process makes ------------------------------------------------------------------------

    def _watch(self, run: Run) -> None:
        from gdtui.dashboard.watching import LOOK_EVERY_S, Watching
        from gdtui.runs.store import Store

        self._watching = watching = Watching(Store(), run)
        self.player.is_playing = False
        hold, fork = key_of(self.app, "run"), key_of(self.app, "fork")
        text = f"following run {run.id}: {hold} holds the picture, {fork} goes another way from here"
        self.query_one(Log).say(text, "note")

        def look() -> None:
            if self._watching is not watching:
                timer.stop()
            elif not watching.is_held and not self.player.has_jobs:
                self._ask(partial(self._follow, watching))

        timer = self.set_interval(LOOK_EVERY_S, look)
        self._show_status()

    async def _follow(self, watching: Watching) -> None:
        try:
            sighting = await self.player.with_trainer(watching.look)
        except InputError as error:
            log = self.query_one(Log)
            if str(error) not in log.entries[-1:]:
                log.say(str(error), "bad")
            if error.setting == "run":  # it is gone; anything else may pass
                self._watching = None
            return
        if sighting is not None and self._watching is watching:
            self._sighting = sighting
            self._show_sighting(sighting.snapshot)

    def _show_sighting(self, snapshot: Snapshot) -> None:
        before = self._snapshot
        if before is not None and before.experiment != snapshot.experiment:
            self.query_one(Controls).show(snapshot.experiment)
        if before is not None and snapshot.farthest < before.farthest:
            self._snapshot = None  # it has gone another way
        self.player.show(snapshot)
        self._show_status()

    @property
    def is_moving(self) -> bool:
        """Moment follows moment."""
        watching = self._watching
        return super().is_moving or (watching is not None and watching.run.is_made and not watching.is_held)

    def _state(self, snapshot: Snapshot) -> str:
        watching = self._watching
        if watching is None or snapshot.state.is_over:
            return super()._state(snapshot)
        if watching.is_held:
            return "held"
        return "watching" if watching.run.state == "running" else watching.run.state

    def _hold(self, is_held: bool) -> None:
        if self._watching is not None:
            self._watching.is_held = is_held
            self._show_status()

    def _take_over(self) -> bool:
        """Go on with a run whose process has ended; say who makes it where one still does.

        Returns:
            Whether the run can be played here.
        """
        watching, sighting = self._watching, self._sighting
        if watching is None:
            return True
        run = watching.run
        if run.is_made or sighting is None:
            text = f"{run.maker} makes this run: {key_of(self.app, 'fork')} goes another way from here"
            self.query_one(Log).say(text, "note")
            return False
        from gdtui.runs.keeper import Keeper
        from gdtui.runs.store import Store

        if self._opening.is_kept:
            self.player.keeping.begin(Keeper(Store(), run=run.id, record=sighting.record))
        self._watching = None
        return True

    # --- a lesson ------------------------------------------------------------------------------------------------

    async def _teach(self, name: str) -> None:
        """Run a lesson's experiments, pin all but the first, which is left to run, and say what they show."""
        from gdtui.lessons.catalog import lesson_named

        lesson = lesson_named(name)
        self.lesson = name
        self.show_caption(lesson.title, "…", lesson.hint)
        if not await self._begin(partial(begin, lesson.shown, self._snapshot, self._opening.is_kept)):
            return
        self.clear_pins()
        self.look_at(XAxis(lesson.x_axis), lesson.log_y)
        outcomes, caption = await in_thread(partial(_taught, lesson))
        for outcome in outcomes:
            if outcome.trial in lesson.pins:
                self.pin(Pin.of(outcome.end, f"{lesson.name} {outcome.trial.label}", outcome.trial.label))
        self.show_caption(lesson.title, caption, lesson.hint)

    def show_caption(self, title: str, text: str, hint: str) -> None:
        """Say something above the panes."""
        caption = self.query_one(Caption)
        caption.border_title = title
        caption.show(text, hint)
        self.show_lesson(True)

    # --- whether it is kept --------------------------------------------------------------------------------------

    def _check_keeping(self) -> None:
        """Say where the run is kept, and why it is not."""
        keeping, log = self.player.keeping, self.query_one(Log)
        keeper, watching = keeping.keeper, self._watching
        if keeper is not None and keeper.notice:
            log.say(keeper.notice, "bad")
            keeper.notice = ""
        if keeping.problem != self._not_kept:
            self._not_kept = keeping.problem
            text = f"this run is not being kept: {self._not_kept}" if self._not_kept else "this run is kept again"
            log.say(text, "bad" if self._not_kept else "good")
            self._show_status()
        kept_as = f"run {watching.run.id}" if watching else f"run {keeper.run}" if keeper and keeper.is_begun else ""
        self.subtitle(self.query_one(Controls), kept_as)


def _is_used() -> bool:
    """Something has been run here before."""
    from gdtui.runs.files import store_path

    return store_path().exists()


def _taught(lesson: Lesson) -> tuple[tuple[Outcome, ...], str]:
    from gdtui.lessons.lesson import run

    outcomes = run(lesson)
    return outcomes, lesson.caption(outcomes)
