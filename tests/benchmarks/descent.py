"""Descent: epochs a second headless against with the dashboard at max speed, and against the tutorial's own loop."""

from __future__ import annotations

import asyncio
from time import perf_counter

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.player import SPEEDS
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem
from tests.benchmarks.ratio import Ratio

PAIRS = 5
SECONDS = 2.0
FOREVER = Experiment(epochs=10**9)


def headless() -> float:
    """Epochs a second of the tutorial's SGD, with every visit recorded."""
    trainer = Trainer(FOREVER, load_problem(FOREVER))
    snapshot = trainer.advance(budget_s=SECONDS)
    return snapshot.epoch / snapshot.seconds


def tutorial_loop() -> float:
    """Epochs a second of the tutorial's own loop, with its output left out and its gradients kept."""
    x_data, y_data = [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
    w, epochs, began = 1.0, 0, perf_counter()
    while perf_counter() - began < SECONDS:
        gradients, losses = [], []
        for x, y in zip(x_data, y_data, strict=True):
            gradient = 2 * x * (x * w - y)
            w = w - 0.01 * gradient
            gradients.append(gradient)
            losses.append((x * w - y) ** 2)
        epochs += 1
    return epochs / (perf_counter() - began)


async def _with_dashboard() -> float:
    app = LabApp(FOREVER)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.5)
        lab = app.screen
        assert isinstance(lab, LabScreen)
        player = lab.player
        assert player is not None
        player.change_speed(len(SPEEDS))
        began = perf_counter()
        await pilot.press("space")
        await asyncio.sleep(SECONDS)
        player.pause()
        await pilot.pause(0.2)
        snapshot = player.trainer.snapshot()
        # The last slice ends a little after the pause: its own clock says how long the descent had.
        return snapshot.epoch / max(SECONDS, perf_counter() - began - 0.2)


def measure() -> list[Ratio]:
    """Ratios of epochs a second."""
    rows = [(headless(), asyncio.run(_with_dashboard()), tutorial_loop()) for _ in range(PAIRS)]
    ours, watched, loop = ([row[j] for row in rows] for j in range(3))
    return [
        Ratio("with the dashboard at max, epochs/s", "headless", watched, ours, "≥ 0.9"),
        Ratio("headless, everything recorded, epochs/s", "the tutorial's loop", ours, loop, "≥ 10 (compiled)"),
    ]
