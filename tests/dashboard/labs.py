"""What the tests of the dashboard share: moments to show, a lab on a screen, and waiting for what keys bring about."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key, Resize
from textual.geometry import Size

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.widgets.lines import Lines
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.runs import Runs
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import Status
from gdtui.descent.snapshot import Epoch, Update, Visits
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.preferences import DEFAULTS, SPEEDS
from gdtui.problems.datasets import Dataset
from gdtui.problems.loading import load_problem
from gdtui.problems.models import MODELS
from gdtui.problems.problem import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.app import App
    from textual.pilot import Pilot

    from gdtui.dashboard.player import Player
    from gdtui.descent.snapshot import Snapshot
    from gdtui.preferences import Preferences

CHARACTERS = {"space": " ", "full_stop": ".", "question_mark": "?", "plus": "+", "minus": "-"}


# Moments


def problem_of(x: Any, y: Any, model: str = "linear", features: tuple[str, ...] = (), target: str = "y") -> Problem:
    """A problem of the given numbers, x (n, d) and y (n,)."""
    x = np.array(x, dtype=np.float64).reshape(len(y), -1)
    names = features or tuple(f"x{j}" for j in range(x.shape[1]))
    return Problem(MODELS[model], Dataset("here", x, np.array(y, dtype=np.float64), names, target))


def trainer_of(problem: Problem | None = None, **settings: Any) -> Trainer:
    """A trainer of the tutorial's experiment with other settings, perhaps on another problem."""
    experiment = Experiment(**settings)
    return Trainer(experiment, problem or load_problem(experiment))


def moment(problem: Problem | None = None, epoch: int = 0, update: int = 0, **settings: Any) -> Snapshot:
    """The moment after so many epochs, and at least so many updates."""
    trainer = trainer_of(problem, **settings)
    trainer.advance(Epoch(epoch))
    return trainer.advance(Update(update))


def moment_of_many(n: int) -> Snapshot:
    """A moment before the first visit, of n samples of y = 2x that nobody has to evaluate."""
    x = np.arange(float(n))
    problem = problem_of(x, 2 * x)
    none = np.arange(0)
    visits = Visits(none, np.empty(0), np.empty((0, 1)), none == 1, (), np.empty((0, 1)), 0, n)
    return replace(moment(), problem=problem, visits=visits)


# Screens


async def until(pilot: Pilot[Any], condition: Callable[[], object], timeout: float = 30.0) -> None:
    """Let the app work until a condition holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.02)
        if condition():  # a pause asks every widget, which takes longer than to look once more
            await pilot.pause(0)


def rows_of(app: App[Any]) -> list[str]:
    """The screen's rows, as text."""
    return ["".join(part.text for part in strip) for strip in app.screen._compositor.render_strips()]


@dataclass
class Lab:
    """The real app under test."""

    pilot: Pilot[int]
    app: LabApp

    @property
    def screen(self) -> LabScreen:
        """The lab screen, also where another lies on top."""
        screen = self.app.screen_stack[0]
        assert isinstance(screen, LabScreen)
        return screen

    @property
    def player(self) -> Player:
        """What plays the run."""
        return self.screen.player

    @property
    def experiment(self) -> Experiment:
        """The settings in force."""
        return self.trainer.experiment

    @property
    def trainer(self) -> Trainer:
        """What runs."""
        assert self.player.trainer is not None
        return self.player.trainer

    @property
    def status(self) -> str:
        """The line on top."""
        return self.screen.query_one(Status).render().plain

    @property
    def log(self) -> tuple[str, ...]:
        """What the log keeps."""
        return self.screen.query_one(Log).entries

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(rows_of(self.app))

    @property
    def samples(self) -> list[list[str]]:
        """The samples pane's lines, as words; the header first."""
        pane = self.screen.query_one(Samples)
        return [pane.render_line(y).text.split() for y in range(pane.size.height)]

    @property
    def runs(self) -> list[list[str]]:
        """The lines of the pane of runs, as words."""
        pane = self.screen.query_one(Runs)
        return [pane.render_line(y).text.split() for y in range(pane.size.height)]

    @property
    def loss_marks(self) -> int:
        """How many changes of the learning rate the chart marks; a choice has another arrow."""
        return self.text.count("▾lr")

    def pane(self, name: str) -> str:
        """What stands in a pane's lower border."""
        return str(self.screen.query_one(f"#{name}").border_subtitle)

    def is_seen(self, name: str) -> bool:
        """Whether a pane is on the screen."""
        widget = self.screen.query_one(f"#{name}")
        return bool(widget.display and widget.region.area)

    def is_at(self, epoch: int) -> bool:
        """Whether the screen has come to this epoch; the status line says so."""
        return re.search(rf"epoch +{epoch:,}/", self.status) is not None

    async def press(self, *keys: str) -> None:
        """Press keys, each when the app has nothing more to do for the one before."""
        await self.pilot.press(*keys)

    async def tap(self, *keys: str) -> None:
        """Press keys quickly, while the app is busy."""
        for key in keys:
            self.app.post_message(Key(key, key if len(key) == 1 else CHARACTERS.get(key)))
        await self.pilot.pause(0)

    async def resize(self, width: int, height: int) -> None:
        """Another size of the terminal, while the app is busy."""
        size = Size(width, height)
        if isinstance(self.app._driver, HeadlessDriver):
            self.app._driver._size = size
        self.app.post_message(Resize(size, size))
        await self.pilot.pause(0)

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until a condition holds."""
        await until(self.pilot, condition)

    async def step_to(self, epoch: int) -> None:
        """Make epochs, by key, until this one is on the screen."""
        while not self.is_at(epoch):
            before = self.status
            await self.tap("e")
            await self.until(lambda before=before: self.status != before)

    async def play_at_max(self) -> None:
        """Play as fast as can be, by key, and see it run."""
        self.player.change_speed(len(SPEEDS))
        await self.tap("space")
        await self.until(lambda: re.search(r"running.*epoch +[1-9]", self.status))

    async def measured(self) -> None:
        """Let the app work until what is shown has been measured too."""

        def is_measured() -> bool:
            findings = self.screen.reader.findings
            return findings is not None and findings.reading.snapshot is self.player.snapshot

        await self.until(is_measured)
        await self.pilot.pause()

    async def drawn(self) -> None:
        """Let the app work until all that there is to be seen is drawn."""
        await self.until(lambda: not any(pane.is_behind for pane in self.screen.query(Lines)))
        await self.pilot.pause()

    async def write(self, setting: str, text: str) -> None:
        """Focus a field, and type a text in place of what it holds."""
        field = self.screen.query_one(f"#{setting}")
        field.focus()
        await self.press("home", "shift+end", "delete", *text)


@asynccontextmanager
async def lab(
    size: tuple[int, int] = (120, 36), play: bool = False, preferences: Preferences = DEFAULTS, **settings: Any
) -> AsyncIterator[Lab]:
    """The real app on an experiment, loaded."""
    app = LabApp(Opening(Experiment(**settings), play=play), preferences=preferences)
    async with app.run_test(size=size) as pilot:
        driven = Lab(pilot, app)
        await until(pilot, lambda: app.failure or driven.player.trainer is not None)
        await pilot.pause()
        yield driven
    app.end()


def table(path: Path, header: str = "x,y", rows: str = "1,2\n2,4\n3,6\n") -> str:
    """Write a file of data; returns its path as one gives it to --data."""
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    return str(path)
