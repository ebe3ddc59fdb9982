"""The samples table: its columns, its rows, its order, its cursor, and what it costs."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from labs import moment, moment_of_many, problem_of, trainer_of, until
from textual.app import App, ComposeResult

from gdtui.dashboard import descentsamples
from gdtui.dashboard.widgets import samples as module
from gdtui.dashboard.widgets.samples import Samples
from gdtui.descent.snapshot import Epoch
from gdtui.insight.instruments import alignments, measure
from gdtui.insight.reading import Reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.geometry import Region
    from textual.pilot import Pilot

NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?|–")


class Table(App[None]):
    CSS = "Samples { border: round white; height: 1fr; }"
    AUTO_FOCUS = None

    def compose(self) -> ComposeResult:
        yield Samples(id="samples")


@asynccontextmanager
async def table(snapshot: Any, size: tuple[int, int] = (90, 8)) -> AsyncIterator[tuple[Pilot[None], Samples]]:
    async with Table().run_test(size=size) as pilot:
        await pilot.pause()
        pane = pilot.app.query_one(Samples)
        pane.show(snapshot)
        await pilot.pause()
        yield pilot, pane


def reading_of(snapshot: Any) -> Any:
    """A reading, as far as this pane is concerned."""
    gradients = snapshot.now.gradients
    return Reading(snapshot, alignments(gradients), measure(gradients), None, None, None, None)  # type: ignore[arg-type]


def lines(pane: Samples) -> list[str]:
    return [pane.render_line(y).text for y in range(pane.size.height)]


def shown(pane: Samples, column: int = 0) -> list[str]:
    """A column's cells, beneath the header."""
    return [line.replace("▸", " ").split()[column] for line in lines(pane)[1:] if line.strip()]


def sorted_by(pane: Samples) -> str:
    found = re.search(r"sort (\S+)", str(pane.border_subtitle))
    assert found is not None
    return found[1]


# Numbers and names


async def test_no_number_is_cut_at_any_width() -> None:
    snapshot = moment(problem_of([[1e-7, -1234.5678], [-1e100, 0.00123456]], [-98765.4321, 3], "affine"), lr=1e-9)
    async with table(snapshot) as (pilot, pane):
        pane.show_reading(reading_of(snapshot))
        for width in range(18, 130, 7):
            await pilot.resize_terminal(width, 8)
            cells = [cell for line in lines(pane)[1:3] for cell in re.sub("[▏▎▍▌▋▊▉█▸◂*]", " ", line).split()]
            assert all(NUMBER.fullmatch(cell) or cell in ("∞", "-∞") for cell in cells), width


async def test_names_of_columns_are_shown_as_they_are() -> None:
    problem = problem_of([[1, 2, 3]], [1], features=("[red]x[/]", "[/", "\x1b[31m"), target="[b]y")
    async with table(moment(problem), size=(120, 8)) as (_, pane):
        assert lines(pane)[0].split()[:5] == ["#", "[r…]x[/]", "[/", r"\x1b[31m", "[b]y"]


# Rows


async def test_only_the_visible_rows_of_a_million_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read_rows = descentsamples.read_rows
    monkeypatch.setattr(descentsamples, "read_rows", lambda *how: asked.extend(how[1]) or read_rows(*how))
    async with table(moment_of_many(1_000_000), size=(90, 12)) as (pilot, pane):
        assert shown(pane) == [str(i) for i in range(9)]
        pane.focus()
        await pilot.press("end")
        assert shown(pane) == [str(i) for i in range(999_991, 1_000_000)]
        assert set(asked) == {*range(9), *range(999_991, 1_000_000)}


async def test_what_was_not_visited_yet_shows_a_dash() -> None:
    async with table(moment(update=2)) as (_, pane):
        assert lines(pane)[3].split()[:7] == ["2", "3", "6", "–", "–", "–", "–"]


async def test_the_newest_batch_is_marked() -> None:
    async with table(moment(update=2)) as (_, pane):
        assert [line[0] for line in lines(pane)[1:4]] == [" ", "▸", " "]


async def test_the_longest_gradient_has_the_longest_bar() -> None:
    async with table(moment()) as (_, pane):
        bars = [line.rstrip().count("█") for line in lines(pane)[1:4]]
        assert bars[0] < bars[1] < bars[2] == max(bars)


async def test_the_border_says_how_the_rows_are_meant() -> None:
    async with table(moment(epoch=1)) as (_, pane):
        assert pane.border_subtitle == "as applied · sort # · 3 samples"
        pane.applied = False
        assert pane.border_subtitle == "now · sort # · 3 samples"


async def test_now_and_as_applied_differ_after_an_epoch() -> None:
    async with table(moment(epoch=1)) as (_, pane):
        applied = shown(pane, 3)
        pane.applied = False
        assert shown(pane, 3) != applied


async def test_only_changed_lines_are_sent() -> None:
    async with table(moment(update=3, epoch=1)) as (_, pane):
        with pytest.MonkeyPatch.context() as patch:
            sent: list[Region] = []
            patch.setattr(pane, "refresh", lambda *regions, **_: sent.extend(regions))
            pane.show(moment(update=3, epoch=1))
            again = len(sent)
            pane.show(moment(update=4))
        assert again == 0
        assert 0 < len(sent) <= 3
        assert all(region.height == 1 for region in sent)


# Shares and cosines

CONFLICT = problem_of([1, 1, 1, 1], [3, 2.5, 2, -1])
"""At w = 1 three samples pull one way, the last one back."""


async def test_share_and_cos_are_there_once_there_is_a_reading() -> None:
    snapshot = moment(CONFLICT)
    async with table(snapshot, size=(110, 8)) as (_, pane):
        assert not {"share", "cos"} & {*lines(pane)[0].split()}
        pane.show_reading(reading_of(snapshot))
        assert lines(pane)[0].split()[-2:] == ["share", "cos"]
        assert [line.split()[-1] for line in lines(pane)[1:5]] == ["1.0000", "1.0000", "1.0000", "◂-1.0000"]


async def test_conflicts_and_the_largest_share_stand_out_without_colour() -> None:
    snapshot = moment(CONFLICT)
    async with table(snapshot, size=(110, 8)) as (_, pane):
        pane.show_reading(reading_of(snapshot))
        assert ["◂" in line for line in lines(pane)[1:5]] == [False, False, False, True]
        assert ["*" in line for line in lines(pane)[1:5]] == [True, False, False, False]


async def test_at_the_minimum_shares_and_cosines_are_dashes() -> None:
    snapshot = moment(init=(2.0,))
    async with table(snapshot, size=(110, 8)) as (_, pane):
        pane.show_reading(reading_of(snapshot))
        assert [line.split()[-2:] for line in lines(pane)[1:4]] == [["–", "–"]] * 3


async def test_a_reading_stays_until_the_next_and_goes_with_its_problem() -> None:
    snapshot = moment(CONFLICT)
    async with table(snapshot, size=(110, 8)) as (_, pane):
        pane.show_reading(reading_of(moment()))
        assert "cos" not in lines(pane)[0]
        pane.show_reading(reading_of(snapshot))
        pane.show(moment(CONFLICT, epoch=1))
        assert "◂-1.0000" in lines(pane)[4]
        pane.show(moment())
        assert "cos" not in lines(pane)[0]


async def test_the_border_says_when_a_reading_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATE_S", 0.01)
    first, second = moment(CONFLICT, epoch=1), moment(CONFLICT, epoch=2)
    async with table(first, size=(110, 8)) as (pilot, pane):
        pane.show_reading(reading_of(first))
        pane.show(second)
        assert pane.border_subtitle == "as applied · sort # · 4 samples"
        await until(pilot, lambda: "epoch" in pane.border_subtitle)
        assert pane.border_subtitle == "as applied · sort # · 4 samples · cos at epoch 1"
        pane.show(moment(CONFLICT, epoch=3))
        assert pane.border_subtitle == "as applied · sort # · 4 samples · cos at epoch 1"
        pane.show(second)
        pane.show_reading(reading_of(second))
        assert pane.border_subtitle == "as applied · sort # · 4 samples"


async def test_a_reading_of_many_samples_is_taken_off_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INLINE", 2)
    snapshot = moment(CONFLICT)
    async with table(snapshot, size=(110, 8)) as (pilot, pane):
        pane.show_reading(reading_of(snapshot))
        await until(pilot, lambda: "cos" in lines(pane)[0])
        assert "*" in lines(pane)[1]


async def test_sorted_by_cos_the_conflicts_stand_first_and_by_share_the_largest() -> None:
    snapshot = moment(CONFLICT)
    async with table(snapshot, size=(110, 8)) as (_, pane):
        pane.show_reading(reading_of(snapshot))
        pane.reverse()
        while sorted_by(pane) != "share":
            pane.sort_by_next_column()
        assert shown(pane) == ["0", "1", "2", "3"]
        assert "↓share" in lines(pane)[0]
        pane.sort_by_next_column()
        assert (sorted_by(pane), shown(pane)[0]) == ("cos", "3")
        pane.show_reading(reading_of(moment(CONFLICT, init=(99.0,))))
        assert shown(pane) == ["0", "1", "2", "3"]


# Order


async def test_sorting_goes_through_every_column_and_back_to_the_data() -> None:
    async with table(moment(epoch=1), size=(110, 8)) as (_, pane):
        seen = []
        for _ in range(7):
            pane.sort_by_next_column()
            seen.append(sorted_by(pane))
        assert seen == ["x", "y", "ŷ", "loss", "gradient", "|g|", "#"]
        assert shown(pane) == ["0", "1", "2"]


async def test_sorted_by_loss_the_largest_stands_first_and_reversed_last() -> None:
    async with table(moment()) as (_, pane):
        for _ in range(4):
            pane.sort_by_next_column()
        assert (sorted_by(pane), shown(pane)) == ("loss", ["2", "1", "0"])
        assert "↓loss" in lines(pane)[0]
        pane.reverse()
        assert shown(pane) == ["0", "1", "2"]
        assert "↑loss" in lines(pane)[0]


async def test_the_data_itself_can_be_reversed() -> None:
    async with table(moment()) as (_, pane):
        pane.reverse()
        assert shown(pane) == ["2", "1", "0"]
        assert "↓" in lines(pane)[0]


async def test_another_problem_is_shown_in_its_own_order_from_its_first_row() -> None:
    async with table(moment_of_many(500)) as (pilot, pane):
        pane.focus()
        await pilot.press("end")
        pane.reverse()
        pane.show(moment())
        await pilot.pause()
        assert (shown(pane), pane.cursor) == (["0", "1", "2"], 0)


async def test_many_samples_are_sorted_off_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INLINE", 2)
    async with table(moment()) as (pilot, pane):
        for _ in range(4):
            pane.sort_by_next_column()
        await until(pilot, lambda: shown(pane) == ["2", "1", "0"])


async def test_a_slow_sort_is_not_begun_anew_by_every_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = Event(), []

    def slowly(choice: Any) -> Any:
        if not choice.is_all:
            begun.append(choice)
            gate.wait(30)
        return arrange(choice)

    arrange = module.view
    monkeypatch.setattr(module, "INLINE", 2)
    monkeypatch.setattr(module, "view", slowly)
    trainer = trainer_of()
    snapshots = [trainer.advance(Epoch(epoch)) for epoch in range(9)]
    async with table(snapshots[0]) as (pilot, pane):
        for _ in range(4):
            pane.sort_by_next_column()
        for snapshot in snapshots:
            pane.show(snapshot)
            await pilot.pause(0)
        assert len(begun) == 1
        gate.set()
        await until(pilot, lambda: shown(pane) == ["2", "1", "0"])


async def test_a_sort_that_ends_late_does_not_disturb_the_next_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, gate, ended = Event(), Event(), Event()

    def slowly(choice: Any) -> Any:
        if choice.is_all:
            return arrange(choice)
        begun.set()
        gate.wait(30)
        try:
            return arrange(choice)
        finally:
            ended.set()

    arrange = module.view
    monkeypatch.setattr(module, "INLINE", 100)
    monkeypatch.setattr(module, "view", slowly)
    async with table(moment_of_many(500)) as (pilot, pane):
        pane.sort_by_next_column()
        pane.reverse()
        await until(pilot, begun.is_set)
        pane.show(moment())
        gate.set()
        await until(pilot, ended.is_set)
        await pilot.pause()
        assert shown(pane) == ["0", "1", "2"]


# Cursor


async def test_the_cursor_reads_a_row_to_the_last_digit() -> None:
    async with table(moment(epoch=1), size=(110, 8)) as (pilot, pane):
        pane.focus()
        await pilot.press("down")
        assert pane.border_subtitle == "sample 1: ŷ 2.04 loss 3.8415999999999997 |g| 7.84"


async def test_the_table_scrolls_with_its_cursor_and_stops_at_its_ends() -> None:
    async with table(moment_of_many(100), size=(90, 8)) as (pilot, pane):
        pane.focus()
        tops = []
        for key in ("up", "pagedown", "pagedown", "end", "down", "pageup", "home"):
            await pilot.press(key)
            tops.append((pane.cursor, shown(pane)[0]))
        assert tops == [(0, "0"), (4, "0"), (8, "4"), (99, "95"), (99, "95"), (95, "95"), (0, "0")]


async def test_the_cursor_shows_only_with_the_focus() -> None:
    async with table(moment()) as (pilot, pane):
        unfocused = pane.render_line(1)
        pane.focus()
        await pilot.pause()
        assert pane.render_line(1) != unfocused
        assert pane.render_line(1).text == unfocused.text
        pane.screen.set_focus(None)
        await pilot.pause()
        assert pane.render_line(1) == unfocused


async def test_a_table_without_a_moment_is_blank() -> None:
    async with Table().run_test(size=(60, 8)) as pilot:
        pane = pilot.app.query_one(Samples)
        pane.focus()
        pane.sort_by_next_column()
        pane.reverse()
        await pilot.press("down", "end", "home", "pagedown")
        assert not "".join(lines(pane)).strip()
