"""The filter's line under the samples: it applies as one types, and is kept or given up."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import pytest
from labs import Lab, lab, moment, moment_of_many, problem_of, until
from test_samples import Table, lines, reading_of, shown, table
from textual.widgets import Input

from gdtui.dashboard.widgets import samples as module
from gdtui.dashboard.widgets.samples import Samples

TEN = problem_of(np.arange(1.0, 11), 2 * np.arange(1.0, 11))


def rows(driven: Lab) -> list[str]:
    """The samples in sight."""
    pane = driven.screen.query_one(Samples)
    return [line.replace("▸", " ").split()[0] for line in lines(pane)[1:] if line.strip() and line[0] != "/"]


async def type_filter(pilot: Any, pane: Samples, text: str) -> None:
    """Open the line, and type a text in place of what it holds."""
    await pane.open_filter()
    await pilot.pause()
    await pilot.press("end", "ctrl+u", *text)
    await pilot.pause()


# Keys


async def test_slash_filters_as_one_types_and_enter_keeps_it() -> None:
    async with lab() as driven:
        await driven.press("slash", *"y>2")
        assert rows(driven) == ["1", "2"]
        assert driven.pane("samples").endswith("[2/3] y>2")
        await driven.press("enter")
        assert not driven.screen.query("#filter")
        assert rows(driven) == ["1", "2"]
        assert driven.app.focused is driven.screen.query_one(Samples)


async def test_while_it_does_not_parse_the_view_stays_and_the_border_says_why() -> None:
    async with lab((160, 40)) as driven:
        await driven.press("slash", *"y>2")
        await driven.press(*" lss>0")
        assert rows(driven) == ["1", "2"]
        assert "✗ unknown column 'lss' (did you mean loss?)" in driven.text
        await driven.press("enter")
        assert driven.screen.query("#filter")
        await driven.press(*["backspace"] * 6)
        assert "✗" not in driven.text
        assert driven.pane("samples").endswith("y>2")


async def test_escape_gives_it_up_and_leaves_the_rest_of_the_lab_alone() -> None:
    async with lab() as driven:
        await driven.press("slash", *"y>2", "enter", "escape", "slash", *"y>4")
        assert rows(driven) == ["2"]
        await driven.press("escape")
        assert rows(driven) == ["1", "2"]
        assert driven.app.focused is None
        await driven.press("slash")
        assert driven.screen.query_one("#filter", Input).value == "y>2"
        await driven.press(*"qy>", "escape")
        assert rows(driven) == ["1", "2"]
        assert "✗" not in driven.text


async def test_an_empty_filter_shows_all() -> None:
    async with lab() as driven:
        await driven.press("slash", *"y>2", "enter", "slash", "end", "ctrl+u", "enter", "escape")
        assert rows(driven) == ["0", "1", "2"]
        assert driven.pane("samples").endswith("3 samples")


async def test_leaving_the_line_keeps_what_is_understood_of_it() -> None:
    async with lab() as driven:
        await driven.press("slash", *"y>2 lo", "tab")
        assert not driven.screen.query("#filter")
        assert rows(driven) == ["1", "2"]
        assert "✗" not in driven.text


async def test_in_the_line_keys_type() -> None:
    async with lab() as driven:
        await driven.press("slash", *"qeo1 /")
        assert driven.screen.query_one("#filter", Input).value == "qeo1 /"
        assert driven.is_at(0)


async def test_what_is_typed_right_behind_the_slash_is_no_command() -> None:
    async with lab() as driven:
        await driven.tap("slash", *"123qe<")
        await driven.until(lambda: driven.screen.query("#filter"))
        await driven.pilot.pause(0.1)
        assert driven.app.is_running
        assert all(map(driven.is_seen, ("experiment", "loss", "samples")))
        assert driven.is_at(0)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (60, 16), (50, 14)])
async def test_slash_at_any_size_of_the_terminal(size: tuple[int, int]) -> None:
    async with lab(size=size) as driven:
        await driven.press("slash", *"cos<0 clipped, y>", "enter", "escape", "slash", "escape")
        if driven.is_seen("samples"):
            assert rows(driven)[:1] == ["0"]


async def test_the_whole_table_and_the_line_fit_in_the_pane() -> None:
    async with lab() as driven:
        await driven.press("slash")
        assert rows(driven) == ["0", "1", "2"]
        assert "/ |g|>0.5" in driven.text


async def test_a_run_goes_on_under_the_line_and_its_samples_come_and_go() -> None:
    async with lab() as driven:
        await driven.press("slash", *"loss<1", "enter")
        assert rows(driven) == ["no"]
        while rows(driven) != ["0", "1", "2"]:
            assert not driven.is_at(20)
            await driven.press("e")
        height = driven.screen.query_one(Samples).size.height
        await driven.press("r")
        await driven.until(lambda: rows(driven) == ["no"])
        assert driven.screen.query_one(Samples).size.height == height


# The table


async def test_a_filter_of_other_columns_goes_with_its_problem() -> None:
    async with table(moment(problem_of([[1, 2], [3, 4]], [1, 2], features=("a", "b")))) as (pilot, pane):
        await type_filter(pilot, pane, "b>2")
        assert shown(pane)[0] == "1"
        pane.show(moment())
        await pilot.pause()
        assert shown(pane)[:3] == ["0", "1", "2"]
        assert "✗ unknown column 'b'" in str(pane.border_subtitle)
        await pilot.press("escape")
        assert pane.border_subtitle == "now · sort # · 3 samples"


async def test_a_filter_of_columns_that_every_problem_has_stays() -> None:
    async with table(moment(TEN)) as (pilot, pane):
        await type_filter(pilot, pane, "loss>4")
        await pilot.press("enter")
        pane.show(moment())
        await pilot.pause()
        assert shown(pane) == ["2"]


async def test_the_samples_change_with_each_reading() -> None:
    conflict = problem_of([1, 1, 1, 1], [3, 2.5, 2, -1])
    async with table(moment(conflict), size=(110, 9)) as (pilot, pane):
        await type_filter(pilot, pane, "conflict")
        await pilot.press("enter")
        assert "[0/4] conflict" in str(pane.border_subtitle)
        pane.show_reading(reading_of(moment(conflict)))
        assert shown(pane) == ["3"]
        pane.show_reading(reading_of(moment(conflict, init=(99.0,))))
        assert "no sample is like this" in lines(pane)[1]


async def test_the_cursor_stays_on_its_sample() -> None:
    async with table(moment(TEN), size=(110, 9)) as (pilot, pane):
        pane.focus()
        await pilot.press(*["down"] * 5)
        await type_filter(pilot, pane, "y>8")
        assert pane.cursor == 1
        await pilot.press("end", "ctrl+u", *"y<4")
        assert pane.cursor == 0
        await pilot.press("end", "ctrl+u", "enter")
        assert pane.cursor == 5
        assert str(pane.border_subtitle).startswith("sample 5:")


async def test_under_the_cursor_the_count_stays_in_the_border() -> None:
    async with table(moment(TEN), size=(110, 9)) as (pilot, pane):
        await type_filter(pilot, pane, "y>8")
        await pilot.press("enter", "down")
        assert str(pane.border_subtitle).startswith("sample 5:")
        assert str(pane.border_subtitle).endswith("[6/10]")


async def test_the_last_row_of_many_is_above_the_line() -> None:
    async with table(moment_of_many(1000), size=(90, 10)) as (pilot, pane):
        pane.focus()
        await pilot.press("end")
        assert shown(pane)[-1] == "999"
        await type_filter(pilot, pane, "y<1000")
        assert shown(pane)[:-1] == ["0", "1", "2", "3", "4", "5"]
        await pilot.press("enter", "end")
        assert shown(pane) == [str(i) for i in range(493, 500)]


async def test_a_filters_changing_number_needs_no_new_layout() -> None:
    async with table(moment_of_many(1000), size=(90, 10)) as (pilot, pane):
        await type_filter(pilot, pane, "y<1000")
        await pilot.press("enter")
        with pytest.MonkeyPatch.context() as patch:
            layouts: list[Any] = []
            patch.setattr(pane, "refresh", lambda *regions, layout=False, **_: layouts.append(layout or not regions))
            pane._set_filter("y<900")
            pane._arrange()
            await pilot.pause()
        assert layouts
        assert not any(layouts)
        assert pane.max_scroll_y == 450 + 1 - pane.container_size.height
        assert pane.vertical_scrollbar.window_virtual_size == 450 + 1


async def test_many_samples_are_filtered_off_the_screen_and_the_newest_filter_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, begun = Event(), []

    def slowly(choice: Any) -> Any:
        if not choice.is_all:
            begun.append(choice.filter.text)
            gate.wait(30)
        return arrange(choice)

    arrange = module.view
    monkeypatch.setattr(module, "INLINE", 2)
    monkeypatch.setattr(module, "view", slowly)
    async with table(moment(TEN)) as (pilot, pane):
        await pane.open_filter()
        await pilot.pause()
        for text in ("y>2", "y>4", "y>16"):
            pane.query_one(Input).value = text
            await pilot.pause(0)
        assert begun == ["y>2"]
        assert shown(pane)[0] == "0"
        gate.set()
        await until(pilot, lambda: shown(pane)[0] == "8")
        assert begun == ["y>2", "y>16"]
        assert "[2/10] y>16" in str(pane.border_subtitle)


async def test_what_is_typed_is_no_markup() -> None:
    names = ("[red]x[/]",)
    async with table(moment(problem_of([1, 2, 3], [2, 4, 6], features=names)), size=(90, 9)) as (pilot, pane):
        await type_filter(pilot, pane, "[red]x[/]>1")
        assert shown(pane)[:2] == ["1", "2"]
        assert "[2/3] [red]x[/]>1" in pane._border_subtitle.plain
        await pilot.press(*"[/]")
        assert "✗ '1[/]' is not a number" in pane._border_subtitle.plain


async def test_a_table_without_a_moment_has_nothing_to_filter() -> None:
    async with Table().run_test(size=(60, 8)) as pilot:
        await pilot.app.query_one(Samples).open_filter()
        assert not pilot.app.query(Input)
