"""Haste: keys pressed faster than the screens come and go, as a slow link or an impatient hand sends them."""

from __future__ import annotations

import asyncio
import os
from signal import SIGKILL
from typing import TYPE_CHECKING

import pytest
from labs import until
from test_sweep_screen import GRID, SHORT, Shown, kept, shown
from textual.events import Key

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.commands import Palette
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.screens.sweep import SweepScreen
from gdtui.dashboard.screens.sweepprompt import SweepPrompt
from gdtui.experiment import Experiment
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.maker import Maker

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.sweeps.kept import KeptSweep


def hit(app: LabApp, *keys: str) -> None:
    """Press keys, all at once."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


@pytest.fixture
def grid() -> KeptSweep:
    return kept(*GRID, line=SHORT)


@pytest.mark.parametrize("layer", [HelpScreen, Palette])
async def test_what_is_left_before_it_is_there_is_left(grid: KeptSweep, layer: type[HelpScreen]) -> None:
    async with shown(grid) as here:
        await here.sees("◆")
        early = layer()
        here.app.push_screen(early)
        early.dismiss()
        await until(here.pilot, lambda: len(here.app.screen_stack) == 1)
        await here.press("v")
        await here.sees("4 Map · epochs to target")


async def test_the_help_takes_no_key_before_it_is_there(grid: KeptSweep) -> None:
    async with shown(grid) as here:
        await here.sees("◆")
        early = HelpScreen()
        here.app.push_screen(early)
        await here.app.run_action("go_to('loss')", early)
        await here.sees("Help", "esc close")


async def test_what_a_prompt_has_to_say_after_it_is_left_is_not_said(grid: KeptSweep) -> None:
    async with shown(grid) as here:
        await here.sees("◆")
        prompt = SweepPrompt("Sweep over", "lr=0.1", lambda _: (grid.sweep, "6 runs"))
        await here.app.push_screen(prompt)
        await prompt.dismiss()
        prompt.say("6 runs")  # the judge was still at it
        await here.press("v")
        await here.sees("4 Map · epochs to target")


async def test_a_run_is_opened_and_left_before_it_is_there(grid: KeptSweep) -> None:
    async with shown(grid) as here:
        await here.sees("◆")
        for _ in range(3):
            hit(here.app, "enter")
            await here.is_main(LabScreen)
            hit(here.app, "escape", "ctrl+p", "escape")
            await here.is_main(SweepScreen)
        await until(here.pilot, lambda: len(here.app.screen_stack) == 1)
        await here.sees("4 Map · loss", "runs 6/6", "◆")


async def first_screen(sees: Callable[[Shown], bool], *keys: str) -> LabScreen:
    """The lab, after keys that were pressed before it was there."""
    app = LabApp(Opening(Experiment()))
    async with app.run_test(size=(120, 36)) as pilot:
        hit(app, *keys)
        here = Shown(app, pilot)
        await until(pilot, lambda: sees(here))
        screen = app.screen_stack[0]
        assert isinstance(screen, LabScreen)
    await asyncio.to_thread(app.end)
    assert not app.failure
    return screen


async def test_a_step_that_is_asked_for_before_there_is_a_run_is_made() -> None:
    screen = await first_screen(lambda here: "updates   1" in here.text, "full_stop")
    assert screen.player.snapshot is not None
    assert screen.player.snapshot.updates == 1


async def test_a_pane_that_is_hidden_before_it_is_there_is_hidden() -> None:
    await first_screen(lambda here: "4 Landscape" in here.text and "5 Insight" not in here.text, "5")


@pytest.mark.parametrize("layer", [HelpScreen, Palette])
async def test_a_screen_that_another_one_covers_takes_nothing_away(grid: KeptSweep, layer: type[HelpScreen]) -> None:
    async with shown(grid) as here:
        await here.sees("◆")
        beneath, above = layer(), HelpScreen()
        await here.app.push_screen(beneath)
        await here.app.push_screen(above)
        await beneath.dismiss()
        assert here.app.screen is above


def test_a_maker_that_is_stopped_at_once_has_no_trouble() -> None:
    maker = Maker(kept(*GRID, line="epochs=300000", is_made=False).id)
    maker.start()
    maker.end()
    assert not maker.trouble()


def test_a_maker_that_is_killed_says_so() -> None:
    sweep = kept(*GRID, line="epochs=3000000", is_made=False)
    maker = Maker(sweep.id)
    maker.start()
    while not Ledger().named(sweep.id).process:
        assert maker.is_alive
    os.kill(int(Ledger().named(sweep.id).process.split("@")[0]), SIGKILL)
    while maker.is_alive:
        pass
    assert maker.trouble() == "the process that made it was killed by signal 9"
