"""Descent: updates a second with the dashboard at max speed against headless; both compiled, after a warm-up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.preferences import SPEEDS
from gdtui.problems.loading import load_problem
from tests.benchmarks.ratio import Ratio

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot

PAIRS = 5
WARM_UP_S, SECONDS = 3.0, 3.0
FOREVER = 10**9


def headless(experiment: Experiment) -> float:
    """Updates a second, with every visit recorded, in slices as the dashboard's."""
    trainer = Trainer(experiment, load_problem(experiment))
    began, first = perf_counter(), None
    while (now := perf_counter()) - began < WARM_UP_S + SECONDS:
        if first is None and now - began > WARM_UP_S:
            first = now, trainer.snapshot()
        trainer.advance(budget_s=0.1)
    assert first is not None
    return _rate(first, (perf_counter(), trainer.snapshot()))


async def with_dashboard(experiment: Experiment) -> float:
    """The same in the lab, at max, everything on the screen."""
    app = LabApp(Opening(experiment, is_kept=False))
    async with app.run_test(size=(120, 36)) as pilot:
        lab = app.screen
        assert isinstance(lab, LabScreen)
        while lab.player.trainer is None:
            await pilot.pause(0.1)
        lab.player.change_speed(len(SPEEDS))
        await pilot.press("space")
        await asyncio.sleep(WARM_UP_S)
        first = await _moment(lab)
        await asyncio.sleep(SECONDS)
        last = await _moment(lab)
        lab.player.stop()
        await pilot.pause(0.3)
        return _rate(first, last)


async def _moment(lab: LabScreen) -> tuple[float, Snapshot]:
    """The newest moment, just after it came."""
    before = lab.player.snapshot
    while lab.player.snapshot is before:
        await asyncio.sleep(0.001)
    assert lab.player.snapshot is not None
    return perf_counter(), lab.player.snapshot


def _rate(first: tuple[float, Snapshot], last: tuple[float, Snapshot]) -> float:
    return (last[1].updates - first[1].updates) / (last[0] - first[0])


def _wide_table(folder: str) -> str:
    """100,000 samples of ten features, in a file."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(100_000, 10))
    y = x @ generator.normal(size=10) + generator.normal(size=100_000)
    path = Path(folder) / "wide.csv"
    header = ",".join([*(f"x{j}" for j in range(10)), "y"])
    np.savetxt(path, np.column_stack([x, y]), delimiter=",", header=header, comments="", fmt="%.6g")
    return str(path)


def measure() -> list[Ratio]:
    """Ratios of updates a second."""
    with TemporaryDirectory() as folder:
        cases = {
            "tutorial": Experiment(epochs=FOREVER),
            "linear, n = 100,000, p = 10": Experiment(epochs=FOREVER, data=_wide_table(folder), lr=1e-6),
        }
        ratios = []
        for name, experiment in cases.items():
            rows = [(headless(experiment), asyncio.run(with_dashboard(experiment))) for _ in range(PAIRS)]
            ours, watched = ([row[j] for row in rows] for j in range(2))
            ratios.append(Ratio(f"with the dashboard at max, {name}, updates/s", "headless", watched, ours, "≥ 0.9"))
        return ratios
