"""Pictures of the training screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from probes import many
from trainings import Followed, points, training

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.screens.training import TrainingScreen
from gdtui.dashboard.widgets.lines import Lines
from gdtui.descent.snapshot import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from gdtui.training.training import Training

SMALL, MIDDLE, LARGE = (80, 24), (120, 36), (200, 60)

STEPS = np.arange(1, 401)
NOISE = np.exp(np.random.default_rng(0).normal(0, 0.15, len(STEPS)))
TOLD = training(
    curves={
        "loss": points(2 / (1 + STEPS / 40) * NOISE, a_epoch=50),
        "val_loss": points(2.2 / (1 + STEPS / 50), a_epoch=50),
        "lr": points(np.where(STEPS < 250, 0.1, 0.05), a_epoch=50),
        "accuracy": points(1 - 1 / (1 + STEPS / 30), a_epoch=50),
    },
    events=(Event(250, 5.0, "lr", 0.1, 0.05),),
    lines=tuple((k, f"Epoch {k}/8 loss: {2 / k:.3f}") for k in range(1, 9)),
    values=1_600,
)
PROBED = training(moment=many(256, step=400), moments=(400,), curves=TOLD.curves, events=TOLD.events, lines=TOLD.lines)


@pytest.mark.parametrize(
    ("told", "size", "keys"),
    [
        pytest.param(PROBED, SMALL, "ooo", id="probed-80x24"),
        pytest.param(PROBED, MIDDLE, "ooo", id="probed-120x36"),
        pytest.param(PROBED, LARGE, "iooo", id="probed-200x60"),
        pytest.param(TOLD, SMALL, "", id="bare-80x24"),
        pytest.param(TOLD, MIDDLE, "vvvi", id="bare-120x36"),
        pytest.param(training(read=0.34, dropped=12), MIDDLE, "", id="reading-120x36"),
    ],
)
def test_picture_of_a_training(
    snap_compare: Callable[..., bool], told: Training, size: tuple[int, int], keys: str
) -> None:
    app = LabApp(Opening(following=Followed(told)))

    async def shown(pilot: Pilot[int]) -> None:
        screen = app.screen_stack[0]
        assert isinstance(screen, TrainingScreen)
        while screen.training is None:
            await pilot.pause(0.01)
        await pilot.press(*keys)
        while any(pane.is_behind for pane in screen.query(Lines)):
            await pilot.pause(0.01)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=shown)
