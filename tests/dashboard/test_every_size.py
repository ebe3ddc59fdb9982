"""Every size: panes have a place or can be reached, no number is cut, and what is not seen costs nothing."""

from __future__ import annotations

import os
import random
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from labs import Lab, lab, rows_of
from textual.widgets import Input

from gdtui.dashboard.keymap import PANES
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.insight import Insight
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.samples import Samples

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SIZES = [(120, 36), (80, 24), (40, 10), (200, 12)]

SIZES_TRIED = int(os.environ.get("GDTUI_SIZES", "1"))
"""How many random sizes are looked at for cut numbers, beside those above; more take their time."""


# What is to be seen


@pytest.mark.parametrize("size", SIZES)
async def test_every_pane_comes_and_goes_by_its_key(size: tuple[int, int]) -> None:
    async with lab(size) as driven:
        before = {pane: driven.is_seen(pane) for pane in PANES.values()}
        assert before["loss"]
        for key, pane in PANES.items():
            for is_seen in (not before[pane], before[pane]):
                await driven.press(key)
                await driven.pilot.pause()
                assert driven.is_seen(pane) == is_seen, (pane, "by its key")
            if not before[pane]:
                await driven.press(key)
                await driven.pilot.pause()
                widget = driven.screen.query_one(f"#{pane}")
                assert driven.screen.region.contains_region(widget.region)
                await driven.press("escape")
        await driven.pilot.pause()
        assert {pane: driven.is_seen(pane) for pane in PANES.values()} == before


@pytest.mark.parametrize("size", SIZES[1:3])
async def test_an_instrument_can_be_seen_and_is_left(size: tuple[int, int]) -> None:
    async with lab(size) as driven:
        await driven.press("i")
        await driven.pilot.pause()
        assert driven.is_seen("overlay")
        overlay = driven.screen.query_one("#overlay")
        while not overlay.has_class("-off"):
            await driven.press("i")
        await driven.pilot.pause()
        assert driven.is_seen("loss")
        assert not driven.is_seen("overlay")


async def test_a_pane_that_takes_all_of_a_small_terminal_says_so_in_its_border() -> None:
    async with lab((40, 10)) as driven:
        await driven.press("e")
        await driven.until(lambda: driven.is_at(1))
        await driven.press("3")
        await driven.until(lambda: "as applied · sort # · 3 samples" in driven.text)


async def test_another_panes_key_zooms_that_pane() -> None:
    async with lab() as driven:
        driven.screen.query_one("#log").focus()
        await driven.press("enter", "3")
        assert [pane for pane in PANES.values() if driven.is_seen(pane)] == ["samples"]
        await driven.press("escape")
        assert all(map(driven.is_seen, PANES.values()))


async def test_a_terminal_too_small_says_so_and_the_lab_comes_back() -> None:
    sizes = {
        (29, 24): "30×8 at least, this is 29×24",
        (100, 7): "30×8 at least, this is 100×7",
        (20, 5): "30×8 at least",
        (7, 3): "≥ 30×8",
        (1, 1): "…",
    }
    async with lab() as driven:
        for epoch, (size, text) in enumerate(sizes.items(), start=1):
            await driven.resize(*size)
            await driven.until(lambda text=text: driven.text.strip() == text)
            await driven.press("e")
            await driven.resize(30, 8)
            await driven.until(lambda epoch=epoch: driven.is_seen("loss") and f"{epoch}/100" in driven.text)


async def test_the_smallest_lab_says_the_state_and_the_epoch() -> None:
    async with lab((30, 8)) as driven:
        await driven.press("e")
        await driven.until(lambda: "‖ paused" in driven.text and "1/100" in driven.text)


@pytest.mark.parametrize("size", [(80, 24), (30, 8)])
async def test_a_lesson_can_be_read_to_its_end_and_left(size: tuple[int, int]) -> None:
    from gdtui.lessons.catalog import LESSONS

    async with lab(size) as driven:
        await driven.press("right_parenthesis")
        await driven.until(
            lambda: driven.screen.lesson and "…" not in driven.screen.query_one("#lesson Static").render()
        )
        hint = next(iter(LESSONS.values())).hint
        await driven.press(*["down"] * 20)
        await driven.until(lambda: hint.split()[-1] in driven.text)
        await driven.press("0")
        await driven.pilot.pause()
        assert not driven.is_seen("lesson")
        assert driven.is_seen("loss")
        await driven.press("0")
        await driven.pilot.pause()
        assert driven.is_seen("lesson")


# Numbers and names

NUMBER = re.compile(r"[-−]?\d[\d.,]*(?:e[-+]?\d*)?")
EDGES = "│╭╮╰╯"


def cut_numbers(rows: list[str], whole: set[str]) -> list[str]:
    """Numbers beside an edge that are the end, or the beginning, of one of the whole numbers."""
    found = []
    for row in rows:
        framed = f"│{row}│"
        for match in NUMBER.finditer(framed):
            text, before, after = match[0], framed[match.start() - 1], framed[match.end()]
            is_end = before in EDGES and any(number.endswith(text) for number in whole)
            is_beginning = after in EDGES and any(number.startswith(text) for number in whole)
            if text not in whole and (is_end or is_beginning):
                found.append(f"{text} in {row}")
    return found


def test_a_cut_number_is_found() -> None:
    assert cut_numbers(["│1.59  │"], {"1.5959"}) == []
    assert cut_numbers(["│  1.59│"], {"1.5959"}) == ["1.59 in │  1.59│"]
    assert cut_numbers(["│59 cos│"], {"1.5959"}) == ["59 in │59 cos│"]
    assert cut_numbers(["  1.59"], {"1.5959"}) == ["1.59 in   1.59"]
    assert cut_numbers(["│  1.59│"], {"1.5959", "1.59"}) == []


@asynccontextmanager
async def at_work(scene: str, settings: dict[str, Any]) -> AsyncIterator[Lab]:
    async with lab((200, 60), **settings) as driven:
        await driven.step_to(5)
        if scene == "compared":
            await driven.press("p", "plus")
            await driven.step_to(8)
            await driven.press("p", "f", "minus")
        await driven.measured()
        yield driven


async def whole_numbers(driven: Lab) -> set[str]:
    """All that are seen where there is room for them, and those of the log."""
    rows = rows_of(driven.app)
    for pane in PANES.values():
        driven.screen.query_one(f"#{pane}").focus()
        await driven.press("enter")
        await driven.pilot.pause()
        rows += rows_of(driven.app)
        await driven.press("escape")
    await driven.press("escape", "escape")
    return {number for text in (*rows, *driven.log) for number in NUMBER.findall(text)}


@pytest.mark.parametrize(
    ("scene", "settings"),
    [
        ("short", {}),
        ("compared", {"lr": 0.0123456, "epochs": 123_456}),
        ("many parameters", {"problem": "mlp", "data": "moons", "batch_size": 32}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_at_no_size_is_a_number_cut(scene: str, settings: dict[str, Any]) -> None:
    chance = random.Random(scene)
    async with at_work(scene, settings) as driven:
        whole = await whole_numbers(driven)
        sizes = [(chance.randint(30, 160), chance.randint(8, 45)) for _ in range(SIZES_TRIED)]
        for size in [*SIZES[1:3], *sizes]:
            await driven.resize(*size)
            await driven.until(lambda size=size: len(rows_of(driven.app)) == size[1])
            for key in ("", "1", "5"):
                await driven.press(*key)
                await driven.pilot.pause()
                assert cut_numbers(rows_of(driven.app), whole) == [], (size, key)
                await driven.press(*key)


async def test_where_a_line_of_the_log_has_no_room_for_its_end_it_says_so() -> None:
    async with lab((60, 16)) as driven:
        await driven.step_to(12)
        await driven.until(lambda: re.search(r"│ Epoch 12 w= 1\.97\d* loss= … +│", driven.text))


async def test_long_names_are_shortened_and_the_numbers_beside_them_whole(tmp_path: Path) -> None:
    file = tmp_path / f"データ_{'a_very_long_name_' * 5}end.csv"
    file.write_text("a_feature_with_a_long_name_12345,特徴量の名前が長い\n1,2\n2,4\n3,6\n", encoding="utf-8")
    async with lab((80, 24), problem="linear", data=str(file), lr=0.012345678901234567) as driven:
        await driven.press("1")
        await driven.pilot.pause()
        rows = [row for row in rows_of(driven.app) if row.startswith("│")]
        assert re.search(r"│ Data +\S*…\S*end\.csv", rows[1])
        assert any(re.search(r"│ lr +0\.0123\d*…", row) for row in rows)
        driven.screen.query_one("#lr", Input).focus()
        await driven.pilot.pause()
        assert "…" not in next(row for row in rows_of(driven.app) if row.startswith("│ lr "))[:32]


# What is not seen


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The panes that have drawn, one after the other."""
    names: list[str] = []
    for kind in (Chart, Log, Samples, Insight):

        def draw(self: Any, draw: Any = kind.draw) -> Any:
            names.append(self.id)
            return draw(self)

        monkeypatch.setattr(kind, "draw", draw)
    return names


@pytest.mark.parametrize("key", ["question_mark", "R"])
async def test_under_another_screen_nothing_is_drawn_and_then_the_newest(drawn: list[str], key: str) -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.press(key)
        await driven.pilot.pause(0.1)
        drawn.clear()
        driven.screen.action_step("epoch")
        await driven.until(lambda: driven.is_at(3))
        await driven.pilot.pause(0.2)
        assert drawn == []
        await driven.press("escape")
        await driven.until(lambda: driven.log[-1] in driven.text)
        assert re.search("epoch +3/100", driven.text)
        await driven.until(lambda: {"loss", "samples", "insight", "log"} <= set(drawn))


async def test_beside_a_zoomed_pane_and_where_there_is_no_place_nothing_is_drawn(drawn: list[str]) -> None:
    async with lab((80, 24)) as driven:
        await driven.step_to(2)
        await driven.press("3")
        await driven.pilot.pause()
        drawn.clear()
        await driven.step_to(3)
        await driven.measured()
        await driven.drawn()
        assert set(drawn) == {"loss", "log"}
        driven.screen.query_one("#log").focus()
        await driven.press("enter")
        drawn.clear()
        await driven.step_to(4)
        await driven.measured()
        await driven.drawn()
        assert set(drawn) == {"log"}
        await driven.press("escape", "3")
        await driven.until(lambda: re.search(r"▸ +2 +3 +6", driven.text))
        await driven.until(lambda: driven.log[-1] in driven.text)
