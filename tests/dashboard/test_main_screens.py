"""Main screens: from the lab to a training and back, while something goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labs import Lab, lab, rows_of

import gdtui
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.screens.panes import PanesScreen
from gdtui.dashboard.screens.training import TrainingScreen
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from gdtui.dashboard.app import LabApp


def record(name: str) -> str:
    """A short training of that name; returns its id."""
    with gdtui.Recorder(name) as run:
        for step in range(20):
            run.log(step=step, loss=1 / (step + 1))
    return run.id


def main_of(app: LabApp) -> PanesScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, PanesScreen)
    return screen


async def open_in_runs(here: Lab, name: str) -> None:
    """Open a kept run as a person does."""
    await here.pilot.press("R")
    await here.until(lambda: name in "\n".join(rows_of(here.app)))
    await here.pilot.press("slash", *name, "enter")
    await here.until(lambda: "esc" not in rows_of(here.app)[-1])
    await here.pilot.press("enter")


async def test_a_training_is_opened_while_a_run_plays_and_the_run_again_from_there() -> None:
    record("watched")
    async with lab(play=True, epochs=100_000) as here:
        played = here.player
        await here.until(lambda: played.keeping.keeper is not None and played.keeping.keeper.is_begun)
        await open_in_runs(here, "watched")
        await here.until(lambda: isinstance(main_of(here.app), TrainingScreen))
        await here.until(lambda: "watched" in rows_of(here.app)[0] and "finished" in rows_of(here.app)[0])
        assert len(here.app.screen_stack) == 1
        run = next(run for run in Store().runs() if not run.is_training)
        await here.until(lambda: not Store().run(run.id).is_made)
        await main_of(here.app).open_run(run.id)
        await here.until(lambda: isinstance(main_of(here.app), LabScreen))
        await here.until(lambda: "linear" in rows_of(here.app)[0])


async def test_a_training_is_opened_again_from_another_one() -> None:
    one, other = record("one"), record("other")
    async with lab() as here:
        for run, name in ((one, "one"), (other, "other"), (other, "other"), (one, "one")):
            await main_of(here.app).open_run(run)
            await here.until(lambda name=name: f" {name} " in rows_of(here.app)[0])
