"""The cloud of gradients: where the points are, who has a label, what the border says."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from probes import many, moment_of, moment_without_gradients
from rich.style import Style
from textual.app import App, ComposeResult

from gdtui.ascii import in_ascii
from gdtui.dashboard.widgets import pointcloud
from gdtui.dashboard.widgets.cloud import Cloud
from gdtui.dashboard.widgets.frame import surrounded
from gdtui.dashboard.widgets.pointcloud import Ink, Reach, draw, points_of, reach_of
from gdtui.training.moment import Moment, Number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

SIZE = (60, 18)
DOTS = re.compile("[\u2801-\u28ff]")

SIX = moment_of(
    [(3, 0), (1, 1), (1, -1), (-2, 2), (-1, -3), (4, 1)],
    samples=(10, 20, 30, 40, 50, 60),
    labels=("cat", "dog", "", "ship", "数据", "cat"),
)
"""Their mean is (1, 0): two of them pull against it."""


def page(moment: Moment, size: tuple[int, int] = SIZE, before: Reach | None = None) -> list[str]:
    """The picture's lines."""
    points = points_of(moment)
    canvas, frame = draw(moment, points, reach_of(points, before), *size)
    return [strip.text for strip in surrounded(frame, canvas, canvas.strips(lambda *_: Style(), {}), Style(), Style())]


def inked(moment: Moment, ink: Ink, size: tuple[int, int] = SIZE) -> tuple[list[int], int]:
    """The columns of the cells that have an ink, and the column of the line."""
    points = points_of(moment)
    canvas, _ = draw(moment, points, reach_of(points), *size)
    rows = canvas.strips(lambda ink, _: Style(meta={"ink": ink}), {})
    cells = [[segment.style.meta["ink"] for segment in row for _ in segment.text] for row in rows]
    zero = next(row.index(Ink.ZERO) for row in cells if Ink.ZERO in row)
    return [column for row in cells for column, its in enumerate(row) if its == ink], zero


# The points


@pytest.mark.parametrize("size", [(120, 40), SIZE, (38, 10), (20, 6), (9, 4), (3, 3)])
def test_who_pulls_against_the_step_is_at_the_left_of_the_line_and_nobody_else(size: tuple[int, int]) -> None:
    for moment in (SIX, many(256), many(256, seed=3)):
        against, zero = inked(moment, Ink.AGAINST, size)
        others, _ = inked(moment, Ink.POINT, size)
        assert against
        assert max(against) < zero < min(others)


def test_without_conflicts_nothing_is_at_the_left_of_the_line() -> None:
    alone = moment_of([(1, 0.1), (2, -0.1), (0.5, 0)])
    assert inked(alone, Ink.AGAINST)[0] == []
    assert min(inked(alone, Ink.POINT)[0]) > inked(alone, Ink.POINT)[1]


def test_the_mean_is_marked_at_its_norm_on_the_axis() -> None:
    lines = page(SIX)
    row = next(y for y, line in enumerate(lines) if "◆" in line)
    assert lines[row].lstrip().startswith("0┤")
    numbers, ticks = lines[-1], lines[-2]
    one = ticks.index("┬", numbers.index("1", numbers.index("0")) - 1)
    assert abs(lines[row].index("◆") - one) <= 1


def test_the_dots_stand_where_the_gradients_are() -> None:
    two = moment_of([(4, 0), (0, 4), (4, -4), (0, 0)], samples=(1, 2, 3, 4))  # mean (2, 0)
    lines = page(two, (40, 20))
    dots = [y for y, line in enumerate(lines) if DOTS.search(line)]
    assert dots == [y for y, line in enumerate(lines) if line.split("┤")[0].strip() in ("4", "0", "-4")]


# The numbers at the edges


def test_the_edges_are_round_numbers_that_seldom_move() -> None:
    first = reach_of(points_of(SIX))
    assert first == Reach(left=2.0, right=5.0, up=5.0)
    assert reach_of(points_of(scaled(SIX, 0.7)), first) == first
    assert reach_of(points_of(scaled(SIX, 1.5)), first) == Reach(left=5.0, right=10.0, up=5.0)
    assert reach_of(points_of(scaled(SIX, 0.01)), first) == Reach(left=0.02, right=0.05, up=0.05)


def test_both_sides_of_the_line_are_in_sight() -> None:
    assert reach_of(points_of(moment_of([(8, 0), (8, 1)]))).left == 1.0
    reach = reach_of(points_of(scaled(moment_of([(8, 0), (8, 1)]), 0.0)))
    assert reach == Reach(1.0, 1.0, 1.0)


def scaled(moment: Moment, factor: float) -> Moment:
    numbers = moment.numbers.copy()
    numbers[:, [Number.NORM, Number.ALONG, Number.ACROSS]] *= factor
    return replace(moment, numbers=numbers)


@given(
    arrays(np.float64, (5, 2), elements=st.floats()),
    st.integers(min_value=1, max_value=70),
    st.integers(min_value=1, max_value=20),
)
def test_any_gradients_are_drawn_at_any_size(gradients: Any, width: int, height: int) -> None:
    numbers = np.ones((5, len(Number)))
    numbers[:, [Number.ALONG, Number.ACROSS]] = gradients
    numbers[:, Number.COSINE] = np.sign(gradients[:, 0])
    lines = page(replace(SIX, samples=SIX.samples[:5], numbers=numbers), (width, height))
    assert {len(line) for line in lines} == {width}
    assert len(lines) == height


# Labels


def test_the_largest_are_named_beside_their_points() -> None:
    text = "\n".join(page(SIX))
    assert "60 cat" in text
    assert "40 ship" in text
    assert re.search(r"\b50\b", text)
    assert "数" not in text


@pytest.mark.parametrize("size", [(120, 40), SIZE, (38, 10), (20, 6)])
def test_labels_hide_nothing_and_are_the_largest_samples(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = many(256)
    largest = moment.samples[np.argsort(-moment.column(Number.NORM))[:8]].tolist()
    labelled = page(moment, size)
    monkeypatch.setattr(pointcloud, "LABELLED", 0)
    found = []
    for line, bare in zip(labelled, page(moment, size), strict=True):
        assert all(cell == its for cell, its in zip(bare, line, strict=True) if cell != " ")
        written = "".join(cell if cell != its else " " for cell, its in zip(line, bare, strict=True))
        found += re.findall(r"\d+", written)
    assert found
    assert len(found) == len(set(found))
    assert {int(number) for number in found} <= set(largest)


def test_a_low_picture_has_fewer_labels() -> None:
    def labels(height: int) -> int:
        return len(re.findall(r"\d+", "".join(line[7:] for line in page(many(256), (60, height))[: height - 2])))

    assert 4 <= labels(20) <= 8
    assert labels(5) <= 2


# The pane


class Pane(App[None]):
    CSS = "Cloud { border: round white; height: 1fr; }"
    AUTO_FOCUS = None

    def compose(self) -> ComposeResult:
        yield Cloud()


@asynccontextmanager
async def pane(moment: Moment | None, size: tuple[int, int] = SIZE) -> AsyncIterator[tuple[Pilot[None], Cloud]]:
    async with Pane().run_test(size=size) as pilot:
        await pilot.pause()
        cloud = pilot.app.query_one(Cloud)
        cloud.show(moment)
        await pilot.pause()
        yield pilot, cloud


def text_of(cloud: Cloud) -> str:
    return "\n".join(cloud.render_line(y).text for y in range(cloud.size.height))


async def test_the_border_counts_the_gradients_and_those_against() -> None:
    async with pane(SIX) as (pilot, cloud):
        assert cloud.border_subtitle == "6 gradients · 2 against · ◆ mean"
        await pilot.resize_terminal(34, 10)
        assert cloud.border_subtitle == "6 gradients · 2 against"
        await pilot.resize_terminal(9, 5)
        assert cloud.border_subtitle == ""


async def test_what_has_no_place_is_counted_too() -> None:
    numbers = SIX.numbers.copy()
    numbers[4] = np.nan
    async with pane(replace(SIX, numbers=numbers), (80, 20)) as (_, cloud):
        assert cloud.border_subtitle == "5 gradients · 1 against · 1 without a place · ◆ mean"


async def test_an_empty_pane_says_what_brings_gradients() -> None:
    async with pane(None) as (_, cloud):
        assert text_of(cloud).startswith("no gradients yet: gdtui.torch.Watcher records them")
        cloud.show(moment_without_gradients([1, 2]))
        assert text_of(cloud).startswith("no gradients yet: gdtui.torch.Watcher records them")
        cloud.show(moment_without_gradients([1, 2], [1, 1]))
        assert text_of(cloud).startswith("no direction: ")
        cloud.show(SIX)
        assert "◆" in text_of(cloud)
        assert "gradients" in str(cloud.border_subtitle)
        cloud.show(None)
        assert (cloud.border_subtitle, text_of(cloud).split()[0]) == ("", "no")


async def test_conflicts_have_a_colour_of_their_own() -> None:
    async with pane(SIX) as (_, cloud):
        colours: dict[str, set[Any]] = {"left": set(), "right": set()}
        for y in range(cloud.size.height - 2):
            strip, at = cloud.render_line(y), 0
            zero = strip.text.index("│", 6) if "│" in strip.text[6:] else None
            for segment in strip:
                if zero is not None and DOTS.search(segment.text):
                    colours["left" if at < zero else "right"].add(segment.style.color)
                at += len(segment.text)
        assert len(colours["left"]) == len(colours["right"]) == 1
        assert colours["left"] != colours["right"]


async def test_in_ascii_each_character_has_a_likeness_in_one_cell() -> None:
    async with pane(many(100)) as (_, cloud):
        for line in text_of(cloud).splitlines():
            plain = in_ascii(line)
            assert plain.isascii()
            assert "?" not in plain
            assert len(plain) == len(line)
        assert in_ascii("◆") not in in_ascii("│┤┬─")


async def test_only_changed_lines_are_sent() -> None:
    async with pane(SIX) as (_, cloud):
        sent: list[Any] = []
        cloud.refresh = lambda *regions, **_: sent.extend(regions)  # type: ignore[method-assign]
        cloud.show(replace(SIX, step=200))
        assert sent == []


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 4), (20, 5), (200, 60)])
async def test_any_size_of_the_terminal(size: tuple[int, int]) -> None:
    async with pane(many(64), size) as (_, cloud):
        for y in range(cloud.size.height):
            assert cloud.render_line(y).cell_length == cloud.size.width
