"""The samples table of another program's training: its columns, its order, its filter, its cursor."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from labs import moment, until
from probes import NAN, many, moment_of, moment_without_gradients
from rich.cells import cell_len
from test_samples import Table, lines, shown, sorted_by
from test_samples_filter import type_filter

from gdtui.dashboard.columns import Column
from gdtui.dashboard.filters import FilterError, parse
from gdtui.dashboard.momentsamples import NUMBERS, MomentSamples
from gdtui.dashboard.rows import Row
from gdtui.dashboard.views import Choice, view
from gdtui.dashboard.widgets import samples as module
from gdtui.dashboard.widgets.samples import Samples
from gdtui.training.moment import Moment, Number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

FOUR = moment_of(
    [(4, 0), (1, 1), (-2, 0), (1, -1)],
    samples=(900, 17, 4, 512),
    labels=("dog", "Cat", "", "ant"),
    losses=(0.5, NAN, 3.0, 1.5),
)
"""Their mean is (1, 0): the third one pulls against it, the first has the largest share."""


@asynccontextmanager
async def table(shown_moment: Moment, size: tuple[int, int] = (100, 9)) -> AsyncIterator[tuple[Pilot[None], Samples]]:
    async with Table().run_test(size=size) as pilot:
        await pilot.pause()
        pane = pilot.app.query_one(Samples)
        pane.show_moment(shown_moment)
        await pilot.pause()
        yield pilot, pane


def chosen(text: str = "", key: str = "sample", descending: bool = False, of: Moment = FOUR) -> list[int]:
    """The numbers of the samples that are shown, in their order."""
    source = MomentSamples(of)
    found = view(Choice(source, parse(text, source.names, source.words), key, descending))
    return [row.sample for row in source.rows(found.places(0, len(found)))]


# Rows and columns


async def test_a_row_says_what_is_known_of_a_sample() -> None:
    async with table(FOUR) as (_, pane):
        heads = lines(pane)[0].split()
        assert heads == ["#", "label", "loss", "|g|", "share", "cos", "along", "across"]
        assert [line.split()[:2] for line in lines(pane)[1:5]] == [
            ["4", "–"],
            ["17", "Cat"],
            ["512", "ant"],
            ["900", "dog"],
        ]
        words = lines(pane)[4].replace("█", "").split()
        assert words == ["900", "dog", "0.50000", "4.0000", "*", "1.0000", "1.0000", "4.0000", "0"]


async def test_who_pulls_against_the_step_and_whose_share_is_the_largest_have_marks() -> None:
    async with table(FOUR) as (_, pane):
        assert [line.split()[0] for line in lines(pane)[1:5] if "◂-1.0000" in line] == ["4"]
        assert [line.split()[0] for line in lines(pane)[1:5] if "*" in line] == ["900"]


async def test_what_is_unknown_is_a_dash() -> None:
    async with table(FOUR) as (_, pane):
        assert shown(pane, 2) == ["3.0000", "–", "1.5000", "0.50000"]


def heads(of: Moment, width: int) -> list[str]:
    columns = MomentSamples(of).columns(width)
    assert sum(column.width + 1 for column in columns) <= width
    return ["bar" if column.is_bar else column.key for column in columns]


def test_what_is_unknown_of_all_samples_has_no_column() -> None:
    assert heads(moment_without_gradients([1, 2]), 120) == ["sample", "loss"]
    assert heads(moment_without_gradients([1, 2], [3, NAN]), 120) == ["sample", "loss", "norm", "bar"]
    assert heads(moment_without_gradients([NAN, NAN], labels=("a", "")), 120) == ["sample", "label"]
    assert "label" not in heads(moment_without_gradients([1, 2], labels=("", "")), 120)


def test_a_narrow_table_keeps_loss_and_gradient_the_longest() -> None:
    assert heads(FOUR, 120) == ["sample", "label", "loss", "norm", "bar", "share", "cos", "along", "across"]
    assert heads(FOUR, 55) == ["sample", "label", "loss", "norm", "bar", "cos"]
    assert heads(FOUR, 35) == ["sample", "label", "loss", "norm"]
    assert heads(FOUR, 24) == ["sample", "loss", "norm"]
    for width in range(4, 150):
        assert heads(FOUR, width)[:1] == ["sample"]


@pytest.mark.parametrize(
    "label", ["", "cat", "golden retriever of the north", "数据数据数据数据", "e\x1b[0m", "a\u0301b"]
)
def test_any_label_fills_its_column(label: str) -> None:
    column = Column("label", "label", 9, is_text=True)
    text = column.cell(Row(0, (), None, None, None, None, None, label=label))
    assert cell_len(text) == 9
    assert "\x1b" not in text
    assert column.head("↓") == "↓label   "


async def test_labels_are_no_markup() -> None:
    async with table(replace(FOUR, labels=("[red]a[/]", "[/", "b", "c"))) as (pilot, pane):
        assert "[red]a[/]" in lines(pane)[4]
        pane.focus()
        await pilot.press("end")
        assert "[red]a[/]" in pane._border_subtitle.plain


# Order


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("key", NUMBERS)
def test_every_column_sorts_and_what_has_no_value_stands_last(key: str, descending: bool) -> None:
    values = dict(zip(FOUR.samples.tolist(), FOUR.column(NUMBERS[key]).tolist(), strict=True))
    known = [sample for sample in values if values[sample] == values[sample]]
    order = chosen(key=key, descending=descending)
    assert [values[i] for i in order[: len(known)]] == sorted((values[i] for i in known), reverse=descending)
    assert set(order) == {4, 17, 512, 900}


def test_samples_sort_by_their_own_numbers_wherever_they_stand() -> None:
    assert chosen() == [4, 17, 512, 900]
    assert chosen(descending=True) == [900, 512, 17, 4]
    assert chosen("loss<2", descending=True) == [900, 512]


def test_labels_sort_as_texts_whatever_their_case_and_no_label_stands_last() -> None:
    assert chosen(key="label") == [512, 17, 900, 4]
    assert chosen(key="label", descending=True) == [900, 17, 512, 4]
    assert chosen(key="label", of=replace(FOUR, labels=("10", "9", "10", "1"))) == [512, 900, 4, 17]


async def test_sorting_goes_through_every_column_in_sight() -> None:
    async with table(FOUR) as (_, pane):
        seen = []
        for _ in range(8):
            pane.sort_by_next_column()
            seen.append(sorted_by(pane))
        assert seen == ["label", "loss", "|g|", "share", "cos", "along", "across", "#"]
        assert shown(pane) == ["4", "17", "512", "900"]


# Filter


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("|g|>1.5", [4, 900]),
        ("cos<0", [4]),
        ("conflict", [4]),
        ("not conflict", [17, 512, 900]),
        ("loss>1", [4, 512]),
        ("loss!=0.5", [4, 512]),
        ("#>=17 loss<2", [512, 900]),
        ("label=cat", [17]),
        ("LABEL == CAT", [17]),
        ("label!=cat", [512, 900]),
        ("not label=cat", [4, 512, 900]),
        ("label='ant' or label=\"dog\"", [512, 900]),
        ("label=dog,loss<1", [900]),
        ("along<0 or across>0.5", [4, 17]),
        ("label=elephant", []),
    ],
)
def test_what_one_types_is_what_is_shown(text: str, samples: list[int]) -> None:
    assert chosen(text) == samples


def test_a_label_with_blanks_is_quoted() -> None:
    of = replace(FOUR, labels=("golden retriever", "golden", "a", "3"))
    assert chosen('label="Golden Retriever"', of=of) == [900]
    assert chosen("label=3", of=of) == [512]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label<cat", "label is a text, which compares with = or != only"),
        ("label=", "a text is missing after label="),
        ("label", "label needs a comparison, such as label=cat"),
        ("visited", "unknown column 'visited' (there is #, label, loss, |g|, share, cos, along, across, …)"),
        ("y>2", "unknown column 'y' (there is #, label, loss, |g|, share, cos, along, across, …)"),
    ],
)
def test_an_error_says_what_there_is(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        chosen(text)
    assert str(caught.value) == message


def test_without_gradients_they_are_no_columns_to_filter_by() -> None:
    for text in ("cos<0", "conflict", "|g|>1", "label=cat"):
        with pytest.raises(FilterError, match="unknown column"):
            chosen(text, of=moment_without_gradients([1, 2]))


# From moment to moment


async def test_a_new_moment_keeps_order_filter_and_the_sample_under_the_cursor() -> None:
    async with table(FOUR) as (pilot, pane):
        await type_filter(pilot, pane, "loss<2")
        await pilot.press("enter")
        pane.sort_by_next_column()
        pane.sort_by_next_column()
        assert "↓loss" in lines(pane)[0]
        assert shown(pane) == ["512", "900"]
        await pilot.press("down")
        assert str(pane.border_subtitle).startswith("sample 900: dog loss 0.5 |g| 4.0 cos 1.0")
        numbers = FOUR.numbers.copy()
        numbers[:, Number.LOSS] = (1.75, 0.25, 1.0, 9.0)
        pane.show_moment(replace(FOUR, step=200, numbers=numbers))
        assert shown(pane) == ["900", "4", "17"]
        assert pane.cursor == 0
        assert str(pane.border_subtitle).startswith("sample 900: dog loss 1.75")
        assert str(pane.border_subtitle).endswith("[3/4]")


async def test_other_samples_come_in_the_order_that_was_chosen() -> None:
    async with table(FOUR) as (_, pane):
        pane.reverse()
        pane.show_moment(moment_of([(1, 0), (2, 0), (3, 1)], samples=(5, 8, 6)))
        assert shown(pane) == ["8", "6", "5"]
        assert "3 samples" in str(pane.border_subtitle)


async def test_the_border_says_the_step() -> None:
    async with table(replace(FOUR, step=12_800)) as (_, pane):
        assert pane.border_subtitle == "step 12,800 · sort # · 4 samples"


async def test_between_a_descent_and_a_training_nothing_is_kept_that_is_not_meant() -> None:
    async with table(FOUR) as (pilot, pane):
        await type_filter(pilot, pane, "label=cat")
        await pilot.press("enter")
        pane.screen.set_focus(None)
        pane.reverse()
        pane.show(moment(epoch=1))
        await pilot.pause()
        assert (lines(pane)[0].split()[:3], shown(pane)) == (["#", "x", "y"], ["0", "1", "2"])
        pane.applied = False
        assert pane.border_subtitle == "now · sort # · 3 samples"
        pane.show_moment(FOUR)
        pane.applied = True
        assert pane.border_subtitle == "step 100 · sort # · 4 samples"
        pane.show(moment(epoch=1))
        assert pane.border_subtitle == "as applied · sort # · 3 samples"


async def test_the_filters_line_shows_what_can_be_typed_here() -> None:
    async with table(FOUR) as (_, pane):
        await pane.open_filter()
        assert "label=cat" in pane.query_one("#filter").placeholder  # type: ignore[attr-defined]


# Many


async def test_only_the_visible_rows_of_a_million_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    rows = MomentSamples.rows
    monkeypatch.setattr(MomentSamples, "rows", lambda self, places: asked.extend(places) or rows(self, places))
    n = 1_000_000
    of = moment_without_gradients(np.arange(n), labels=("a",) * n)
    async with table(replace(of, samples=np.arange(n) + 5)) as (pilot, pane):
        assert shown(pane)[:2] == ["5", "6"]
        pane.focus()
        await pilot.press("end")
        assert shown(pane)[-1] == "1000004"
        assert len(set(asked)) < 20


async def test_until_other_samples_are_sorted_the_ones_before_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = Event(), []

    def slowly(choice: Any) -> Any:
        if begun:
            gate.wait(30)
        begun.append(choice)
        return arrange(choice)

    arrange = module.view
    monkeypatch.setattr(module, "INLINE", 2)
    monkeypatch.setattr(module, "view", slowly)
    async with table(FOUR) as (pilot, pane):
        await until(pilot, lambda: shown(pane) == ["4", "17", "512", "900"])
        pane.show_moment(moment_of([(1, 0), (2, 0), (3, 1)], samples=(5, 8, 6), step=200))
        await pilot.pause()
        assert shown(pane) == ["4", "17", "512", "900"]
        assert "step 100" in str(pane.border_subtitle)
        gate.set()
        await until(pilot, lambda: shown(pane) == ["5", "6", "8"])
        assert "step 200" in str(pane.border_subtitle)


@pytest.mark.parametrize("size", [(1, 1), (4, 3), (20, 5), (60, 10), (200, 60)])
async def test_any_size_shows_whole_numbers(size: tuple[int, int]) -> None:
    async with table(many(50), size=size) as (pilot, pane):
        pane.focus()
        await pilot.press("end", "down", "home")
        cells = [cell for line in lines(pane)[1:] for cell in re.sub("[▏▎▍▌▋▊▉█▸◂*]", " ", line[:70]).split()]
        known = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?|–|cat|dog|ship|gol…etriever")
        assert all(known.fullmatch(cell) for cell in cells if size[0] >= 20)
