"""Sweep screen: a sweep that is kept or being made, looked at and gone on with by keyboard."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from labs import lab, rows_of, until
from textual.widgets import Input

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.screens.sweep import SweepScreen
from gdtui.dashboard.widgets.log import Log
from gdtui.experiment import Experiment
from gdtui.runs.store import Store
from gdtui.sweeps.conduct import Conductor
from gdtui.sweeps.crew import Processes
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from gdtui.sweeps.kept import KeptSweep


def kept(*over: str, line: str = "", is_made: bool = True, seeds: int = 1) -> KeptSweep:
    """A sweep in the store, made to its end, or not begun."""
    ledger = Ledger()
    begun = ledger.begin(Sweep(Experiment.from_line(line), tuple(map(parse_axis, over)), seeds))
    if is_made:
        for _ in Conductor(ledger, begun, str(Path.cwd()), Processes(1)).run():
            pass
    else:
        ledger.let_go(begun)
    return ledger.named(begun)


class Shown:
    """The app, showing a sweep."""

    def __init__(self, app: LabApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(rows_of(self.app))

    @property
    def log(self) -> str:
        """What the log of the main screen keeps."""
        return "\n".join(self.app.screen_stack[0].query_one(Log).entries)

    async def sees(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""
        try:
            await until(self.pilot, lambda: all(text in self.text for text in texts))
        except AssertionError:
            raise AssertionError(f"{[text for text in texts if text not in self.text]} not in\n{self.text}") from None

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def is_main(self, kind: type[LabScreen | SweepScreen]) -> None:
        """Wait for a main screen of this kind."""
        await until(self.pilot, lambda: isinstance(self.app.screen_stack[0], kind))


@asynccontextmanager
async def shown(sweep: KeptSweep, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Shown]:
    app = LabApp(Opening(sweep=sweep))
    try:
        async with app.run_test(size=size) as pilot:
            yield Shown(app, pilot)
    finally:
        await asyncio.to_thread(app.end)
    assert not app.failure


GRID = ("lr=0.05,0.1,0.3", "batch-size=1,full")
SHORT = "epochs=30"


@pytest.fixture
def grid() -> KeptSweep:
    return kept(*GRID, line=SHORT)


# --- what is seen ----------------------------------------------------------------------------------------------------


async def test_a_kept_sweep_is_seen_whole(grid: KeptSweep) -> None:
    async with shown(grid) as here:
        await here.sees("runs 6/6", "finished", "4 Map · loss", "3 Leaderboard", "2 Curves", "6 runs", "◆", "×")
        await here.sees("batch-size 1, full", "3 points reach 0.")


async def test_a_sweep_of_nothing_yet_says_what_to_press() -> None:
    async with shown(kept(*GRID, is_made=False)) as here:
        await here.sees("runs 0/6", "interrupted", "space goes on")
        await here.press("enter")
        await until(here.pilot, lambda: "none is kept" in here.log)


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (40, 12), (30, 8), (200, 60), (20, 5)])
async def test_at_any_size(grid: KeptSweep, size: tuple[int, int]) -> None:
    async with shown(grid, size) as here:
        if size[0] >= 60:
            await here.sees("4 Map", "◆")
        for key in "1234571234567zvyx][S":
            await here.press(key)
        await here.press("escape", "z")
        await here.pilot.pause()


async def test_one_axis_and_no_learning_rate() -> None:
    async with shown(kept("momentum=0,0.5,0.9", line=SHORT)) as here:
        await here.sees("runs 3/3", "momentum", "◆")
        await here.press("x", "y", "right_square_bracket", "left_square_bracket")
        await here.sees("4 Map · loss")


# --- keys ------------------------------------------------------------------------------------------------------------


async def test_the_map_and_the_leaderboard_select_one_point(grid: KeptSweep) -> None:
    async with shown(grid) as here:
        await here.sees("◆")
        screen = here.app.screen_stack[0]
        assert isinstance(screen, SweepScreen)
        best = screen.selected
        await here.press("right", "right", "right")
        await until(here.pilot, lambda: screen.selected != best)
        await here.sees("● lr 0.3")
        await here.press("tab", "home")
        await until(here.pilot, lambda: screen.selected == best)


async def test_axes_measures_and_targets_are_chosen() -> None:
    async with shown(kept("lr=0.05,0.1", "batch-size=1,full", "momentum=0,0.5", line=SHORT)) as here:
        await here.sees("4 Map · loss · best momentum", "lr →", "batch-size ↑")
        await here.press("right_square_bracket")
        await here.sees("4 Map · loss · momentum 0 ")
        await here.press("right_square_bracket")
        await here.sees("4 Map · loss · momentum 0.5 ")
        await here.press("right_square_bracket")
        await here.sees("4 Map · loss · best momentum")
        await here.press("left_square_bracket")
        await here.sees("4 Map · loss · momentum 0.5 ")
        await here.press("y")
        await here.sees("momentum ↑", "best batch-size")
        await here.press("x")
        await here.sees("batch-size →")
        await here.press("v")
        await here.sees("4 Map · epochs to target 0.0467")  # a hundredth of 14/3
        await here.press("plus")
        await here.sees("4 Map · epochs to target 0.467")
        await here.press("minus", "minus")
        await here.sees("4 Map · epochs to target 0.00467")
        await here.press("v")
        await here.sees("4 Map · loss")


async def test_a_run_is_opened_and_left_again_and_the_sweep_has_its_numbers_still(grid: KeptSweep) -> None:
    async with shown(grid) as here:
        await here.sees("◆")
        await here.press("enter")
        await here.is_main(LabScreen)
        await here.sees("epoch 30/30")
        assert "esc goes back to the sweep" in here.log
        await here.press("left_square_bracket", "plus", "space")  # another way from there: another run
        await here.sees("epoch 30/30")
        await here.press("escape")
        await here.is_main(SweepScreen)
        await here.sees("4 Map · loss", "runs 6/6", "◆")
    runs = Store().runs_of(grid.id)
    assert [run.epoch for run in runs if run.state != "diverged"] == [30] * (
        6 - sum(run.state == "diverged" for run in runs)
    )
    assert all(run.experiment == run.settings for run in runs)


async def test_another_sweep_is_opened_from_the_kept_runs_and_the_first_one_again(grid: KeptSweep) -> None:
    other = kept("lr=0.01,0.02", line=SHORT)
    async with shown(grid) as here:
        await here.sees("runs 6/6")
        for sweep, count in ((other, "2/2"), (grid, "6/6")):
            await here.press("R")
            await here.sees("sweep over lr")
            await here.press("slash", *sweep.id, "enter")
            await here.sees("1 of ")
            await here.press("enter")
            await here.sees(f"runs {count}")
        assert len(here.app.screen_stack) == 1


# --- making ----------------------------------------------------------------------------------------------------------


async def test_space_goes_on_and_stops() -> None:
    sweep = kept("lr=log:0.001:0.1:20", "batch-size=1,full", line="epochs=200000", is_made=False)
    async with shown(sweep) as here:
        await here.sees("interrupted")
        await here.press("space")
        await here.sees("running")
        await until(here.pilot, lambda: any(Ledger().named(sweep.id).states.values()))
        await here.press("space")
        await here.sees("interrupted", "space goes on")
    assert 0 < sum(Ledger().named(sweep.id).states.values()) < 40
    assert not Ledger().named(sweep.id).process


async def test_what_the_maker_says_when_it_fails_is_said() -> None:
    sweep = kept("lr=0.1", line="data=gone.csv", is_made=False)
    async with shown(sweep) as here:
        await here.press("space")
        await here.sees("gone.csv")


async def test_a_sweep_is_extended() -> None:
    sweep = kept("lr=0.05,0.1", line=SHORT)
    async with shown(sweep) as here:
        await here.sees("runs 2/2")
        await here.press("S")
        await here.sees("Extend by", "4 runs")
        await here.press("ctrl+u", *"lr=0.07,oops")
        await here.sees("✗ lr: ")
        await here.press("enter")
        await here.press(*["backspace"] * 5, "enter")
        await here.sees("runs 3/3", "finished")


async def test_a_sweep_is_begun_in_the_lab_and_left_for_it_again() -> None:
    async with lab(epochs=30) as driven:
        await driven.press("S")
        await driven.until(lambda: "Sweep over" in driven.text and "40 runs" in driven.text)
        assert driven.app.screen.query_one(Input).value.startswith("lr=log:0.001:0.1:20")
        await driven.press("ctrl+u", *"lr=0.1,0.2 seeds=2", "enter")
        here = Shown(driven.app, driven.pilot)
        await here.is_main(SweepScreen)
        await here.sees("runs 4/4", "finished")
        await here.press("escape")
        await here.is_main(LabScreen)
        assert "epoch" in driven.status


async def test_a_sweep_that_is_deleted_meanwhile_says_so(grid: KeptSweep) -> None:
    async with shown(grid) as here:
        await here.sees("runs 6/6")
        Ledger().remove(grid)
        await until(here.pilot, lambda: "is not kept any more" in here.log)


async def test_its_runs_and_its_picture_are_written(grid: KeptSweep, tmp_path: Path) -> None:
    async with shown(grid) as here:
        await here.sees("runs 6/6")
        for file, said in (("runs.csv", "6 rows"), ("lab.svg", "wrote lab")):
            await here.press("w")
            await here.sees("every run, its settings")
            if file.endswith("svg"):
                await here.press("tab")
            await here.press("ctrl+u", *str(tmp_path / file), "enter")
            await until(here.pilot, lambda said=said: said in here.log)
    assert (tmp_path / "runs.csv").read_text().startswith("lr,batch-size,run,state")
    assert "Leaderboard" in (tmp_path / "lab.svg").read_text()
