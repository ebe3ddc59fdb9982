"""The first keys: shown to one who has never run anything, until the first key."""

from __future__ import annotations

import pytest
from labs import Lab, lab
from textual.app import App

from gdtui.cli import main
from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.widgets.welcome import Welcome
from gdtui.experiment import Experiment

LINES = (" space  run, pause", ".  one update", "+ -  learning rate", "?  what all this is")


def is_welcomed(driven: Lab) -> bool:
    return len(driven.screen.query(Welcome)) > 0


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (120, 36)])
async def test_the_first_start_shows_four_keys(size: tuple[int, int]) -> None:
    async with lab(size) as driven:
        await driven.until(lambda: is_welcomed(driven))
        await driven.pilot.pause()
        for line in LINES:
            assert line in driven.text


@pytest.mark.parametrize("key", ["tab", "space", "question_mark", "z", "up"])
async def test_any_key_ends_it_for_good(key: str) -> None:
    async with lab() as driven:
        await driven.until(lambda: is_welcomed(driven))
        await driven.press(key)
        await driven.until(lambda: not is_welcomed(driven))
        assert LINES[0] not in driven.text


async def test_a_key_that_comes_first_prevents_it() -> None:
    app = LabApp(Opening(Experiment()))
    async with app.run_test() as pilot:
        driven = Lab(pilot, app)
        await driven.tap("z")
        await driven.until(lambda: driven.player.trainer is not None)
        await pilot.pause(0.2)
        assert not is_welcomed(driven)
    app.end()


async def test_one_who_has_run_something_is_not_told() -> None:
    main(["run", "--epochs", "1", "--format", "jsonl"])
    async with lab() as driven:
        await driven.pilot.pause(0.2)
        assert not is_welcomed(driven)


@pytest.mark.parametrize("opening", [Opening(Experiment(), play=True), Opening(Experiment(), is_kept=False)])
async def test_one_who_asks_for_something_is_not_told(opening: Opening) -> None:
    app: App[int] = LabApp(opening)
    async with app.run_test() as pilot:
        await pilot.pause(0.3)
        assert not app.screen.query(Welcome)


async def test_there_is_none_where_it_would_hide_the_chart() -> None:
    async with lab((40, 8)) as driven:
        await driven.pilot.pause(0.2)
        assert not is_welcomed(driven)
