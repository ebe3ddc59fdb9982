"""A redraw of the whole lab: CPU time with many samples and a long history against the tutorial's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import thread_time

import numpy as np

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.pins import Pin
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.descent.history import History
from gdtui.descent.snapshot import Snapshot
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.datasets import from_columns
from gdtui.problems.models import MODELS
from gdtui.problems.problem import Problem
from tests.benchmarks.ratio import Ratio

PAIRS = 7
REDRAWS = 20


def line(n: int) -> Problem:
    """A line's n samples."""
    x = np.linspace(0.0, 1.0, n)
    return Problem(MODELS["linear"], from_columns("line", {"x": x, "y": 2 * x}, "y"))


def frames(n: int, epochs: int) -> list[Snapshot]:
    """Two moments that differ in every number, after so many epochs."""
    trainer = Trainer(Experiment(batch_size=4096, order="shuffle", epochs=epochs + 2), line(n))
    moments = [trainer.advance(until=None, budget_s=0.0) for _ in range(2)]
    history = History()
    generator = np.random.default_rng(0)
    for epoch, noise in enumerate(generator.random(epochs + 1)):
        history.append(
            (epoch, epoch, epoch * n, epoch * 0.1, float(np.exp(-5 * epoch / epochs) + 0.1 * noise), 1.0, 0.01)
        )
    views = []
    for moment in moments:
        history.append((epochs + len(views), 0, 0, 0, 0.5 + len(views), 1.0, 0.01))
        views.append(replace(moment, history=history.view(), loss=0.5 + len(views)))
    return views


async def cpu_seconds(app: LabApp, moments: list[Snapshot]) -> float:
    """The event loop's CPU time for one redraw, layout and compositing included."""
    lab = app.screen
    assert isinstance(lab, LabScreen)
    lab.player.is_playing = True  # as in a run: moments are measured with rests between
    for moment in moments:
        _ = moment.visits.last_visit
        lab.show_snapshot(moment)
        await asyncio.sleep(0.1)
    began = thread_time()
    for turn in range(REDRAWS):
        lab.show_snapshot(moments[turn % 2])
        await asyncio.sleep(0.02)
    return (thread_time() - began) / REDRAWS


async def of_one(app: LabApp, moments: list[Snapshot]) -> float:
    """Milliseconds of a redraw of these moments."""
    return await cpu_seconds(app, moments) * 1000


async def of_pinned(app: LabApp, moments: list[Snapshot], pinned: list[Snapshot]) -> float:
    """The same beside eight pinned runs."""
    lab = app.screen
    assert isinstance(lab, LabScreen)
    for k in range(8):
        lab.pin(Pin.of(replace(pinned[k % 2], experiment=Experiment(lr=0.01 * (k + 1))), f"run {k}"))
    milliseconds = await of_one(app, moments)
    lab.clear_pins()
    return milliseconds


async def _measure() -> list[Ratio]:
    small, large, long = frames(3, 100), frames(1_000_000, 100), frames(3, 1_000_000)
    app = LabApp(Opening())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.5)
        figures = [[await of_one(app, moments) for moments in (small, large, long)] for _ in range(PAIRS)]
        for row in figures:
            row.append(await of_pinned(app, small, long))
    of_small, of_large, of_long, beside = ([row[j] for row in figures] for j in range(4))
    return [
        Ratio("a redraw with 1,000,000 samples, CPU ms", "3 samples", of_large, of_small, "≤ 1.5"),
        Ratio("a redraw after 1,000,000 epochs, CPU ms", "100 epochs", of_long, of_small, "≤ 1.5"),
        Ratio("a redraw beside 8 pinned runs of 1,000,000 epochs, CPU ms", "none", beside, of_small, "≤ 1.5"),
    ]


def measure() -> list[Ratio]:
    """Ratios of CPU time, in turn in one app."""
    return asyncio.run(_measure())
