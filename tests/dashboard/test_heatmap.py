"""The heat map: what stands in a cell, where a limit is drawn, where the cursor goes, what is left when small."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.cells import cell_len
from swept_boards import HandPlane, board_by_hand, lines_of, plane_by_hand, showing, small_plane, sweep_of

from gdtui.ascii import likeness
from gdtui.dashboard.themes import DARK
from gdtui.dashboard.widgets import signs
from gdtui.dashboard.widgets.heatcells import LEVELS, draw, goodness, legend
from gdtui.dashboard.widgets.heatlayout import layout_of, room, x_labels
from gdtui.dashboard.widgets.heatmap import EMPTY, HeatMap
from gdtui.sweeps.board import Sign
from gdtui.terminal.colors import contrast

NAN, INF = math.nan, math.inf

EACH = small_plane([[NAN, NAN, 1.0, 2.0, INF, INF]], [list(Sign)])
"""A point of each kind."""

NUMBER = re.compile(r"\d[\d.]*(?:e[+-]?\d+)?")


async def page(plane: HandPlane, size: tuple[int, int], is_plain: bool = False, **how: object) -> list[str]:
    """The map's lines, without its labels below."""
    heat = HeatMap()
    async with showing(heat, size, is_plain):
        heat.show(plane, "lr", **how)  # type: ignore[arg-type]
        return lines_of(heat)


# What stands in a cell


@pytest.mark.parametrize("width", [12, 18, 36])
async def test_whatever_is_not_plainly_done_has_a_sign_of_its_own(width: int) -> None:
    (line,) = [line for line in await page(EACH, (width, 7)) if "!" in line]
    cells = [line[at : at + width // 6].strip() for at in range(0, width, width // 6)]
    assert cells == ["∙", "○", "◆", "▿", "×", "!"]


async def test_a_point_that_never_came_to_the_target_is_not_taken_for_a_good_one() -> None:
    plane = small_plane([[10.0, INF, 50.0]])
    lines = await page(plane, (9, 4))
    assert any("∞" in line for line in lines)
    assert "∞ not reached" in legend(plane, has_shades=True)


async def test_a_point_of_which_some_seeds_are_lost_says_so_beside_its_shade() -> None:
    lost = small_plane([[1.0, 2.0, 3.0]], lost=np.array([[0.0, 0.4, 0.0]]))
    lines = [line for line in await page(lost, (9, 3)) if "×" in line]
    assert [line.index("×") for line in lines] == [5]


async def test_a_place_without_a_point_is_empty() -> None:
    plane = small_plane([[1.0, NAN, 2.0]], [[Sign.DONE, Sign.WAITING, Sign.DONE]], arms=np.array([[0, -1, 1]]))
    lines = await page(plane, (9, 4), is_plain=True)
    assert any(line.startswith("%◆%   ...") for line in lines)


@pytest.mark.parametrize("width", range(30, 130, 7))
async def test_a_value_in_a_cell_is_whole(width: int) -> None:
    values = [[-1.2345e-5, 1234.5678, 1e308], [0.00123456, 7.0, 3.25e-300]]
    lines = await page(small_plane(values), (width, 9))
    seen = [float(word) for line in lines[1:-2] for word in re.findall(r"-?\d[\d.]*(?:e[+-]?\d+)?", line[3:])]
    known = np.ravel(values)
    assert all(np.any(np.abs(known - value) <= 0.05 * np.abs(known)) for value in seen)
    assert len(seen) == (6 if width >= 37 else 5)


# Shades and levels


@given(arrays(np.float64, 7, elements=st.floats(width=64)))
def test_the_smaller_the_better(values: np.ndarray) -> None:
    good = goodness(values)
    assert (np.isnan(good) == ~np.isfinite(values)).all()
    seen = good[np.isfinite(values)][np.argsort(values[np.isfinite(values)])]
    assert ((seen >= 0) & (seen <= 1)).all()
    assert (np.diff(seen) <= 1e-9).all()
    assert len(seen) == 0 or seen[0] == 1


def test_losses_of_many_sizes_are_told_apart_by_their_logarithms() -> None:
    assert goodness(np.array([1e-6, 1e-3, 1.0])) == pytest.approx([1, 0.5, 0])
    assert goodness(np.array([1.0, 2.0, 3.0])) == pytest.approx([1, 0.5, 0])
    assert goodness(np.array([0.0, 1e-6, 1e-3, 1.0])) == pytest.approx([1, 1, 0.5, 0])
    assert goodness(np.array([-1e308, 0.0, 1e308])) == pytest.approx([1, 0.5, 0])


async def test_where_there_are_no_shades_the_good_ones_are_dense() -> None:
    lines = await page(small_plane([[1.0, 2.0, 3.0, 4.0]]), (8, 3), is_plain=True)
    picture = next(line for line in lines if "◆" in line)
    assert picture[1] == LEVELS[-1]
    assert picture[6:] == 2 * LEVELS[0]
    assert "% good . poor" in legend(small_plane([[1.0, 2.0]]), has_shades=False)


async def test_the_better_a_point_the_farther_its_shade_is_from_the_background() -> None:
    heat = HeatMap()
    async with showing(heat, (12, 3)):
        heat.show(small_plane([[1e-3, 1e-2, 1e-1, 1.0]]), "lr")
        row = next(heat.render_line(y) for y in range(3) if "◆" in heat.render_line(y).text)
        shades = [row.crop(at, at + 1)._segments[0].style.bgcolor.triplet for at in (0, 3, 6, 9)]
        background = heat.app.theme_variables["background"]
    assert background == DARK.background
    away = [contrast(tuple(shade), (0x11, 0x14, 0x18)) for shade in shades]
    assert away == sorted(away, reverse=True)
    assert len(set(away)) == 4


# Limits


@pytest.mark.parametrize("width", [20, 30, 50])
@pytest.mark.parametrize(("limit", "cells"), [(0.0, 0.0), (3.0, 3.0), (4.5, 4.5)])
async def test_a_limit_stands_where_theory_has_it(width: int, limit: float, cells: float) -> None:
    plane = small_plane(np.arange(1.0, 11)[np.newaxis], limits=np.array([limit]))
    lines = await page(plane, (width, 12))
    places = {line.index("┃") for line in lines if "┃" in line}
    assert places == {int(cells * width / 10)}


@pytest.mark.parametrize("width", [12, 18, 24, 48])
async def test_a_limit_hides_no_sign(width: int) -> None:
    heat = HeatMap()
    async with showing(heat, (width, 5)):
        for place in np.linspace(0, 6, 13).tolist():
            lost = np.array([[0, 0, 0, 0.5, 1, 1]])
            heat.show(small_plane(EACH.values, EACH.signs, limits=np.array([place]), lost=lost), "lr")
            text = "".join(lines_of(heat))
            assert [text.count(sign) for sign in "∙○▿!◆"] == [1] * 5, place
            assert text.count("×") == 2, place
            assert "┃" in text, place


async def test_where_the_learning_rate_is_the_other_axis_its_limit_lies_level() -> None:
    plane = small_plane(np.arange(1.0, 9).reshape(4, 2), x_limits=np.array([1.0, 3.0]))
    lines = await page(plane, (10, 7))
    places = {line: y for y, line in enumerate(lines) if "━" in line}
    assert list(places) == ["     ━━━━━", "━━━━━     "]
    assert places["━━━━━     "] - places["     ━━━━━"] == 2


# The cursor


PLACES = small_plane(
    [[5.0, NAN, 3.0, 4.0], [NAN, NAN, 1.0, 2.0]],
    [[Sign.DONE, Sign.WAITING, Sign.DONE, Sign.DONE]] * 2,
    arms=np.array([[10, -1, 12, 13], [-1, -1, 22, 23]]),
)
"""The lower row has a gap; the best is at the right above."""


@pytest.mark.parametrize(
    ("keys", "arm"),
    [
        ("right", 12),
        ("right right", 13),
        ("right right right", 13),
        ("right right left left", 10),
        ("right up", 22),
        ("right up down", 12),
        ("end", 13),
        ("end home", 10),
        ("up", 22),
    ],
)
async def test_arrows_go_from_point_to_point_over_what_is_empty(keys: str, arm: int) -> None:
    heat = HeatMap()
    async with showing(heat, (40, 8)) as pilot:
        heat.show(PLACES, "lr", "batch-size", selected=10)
        await pilot.press(*keys.split())
        await pilot.pause()
        app = pilot.app
        assert app.told[-1] == arm  # type: ignore[attr-defined]


async def test_the_first_key_goes_to_the_best_point() -> None:
    heat = HeatMap()
    async with showing(heat, (40, 8)) as pilot:
        heat.show(PLACES, "lr", "batch-size")
        assert not any("[" in line for line in lines_of(heat))
        await pilot.press("left")
        await pilot.pause()
        assert pilot.app.told == [22]  # type: ignore[attr-defined]
        assert sum("[" in line for line in lines_of(heat)) == 1


@pytest.mark.parametrize("width", [11, 15, 30, 60])
async def test_the_cursor_and_what_is_under_it_are_seen_without_colours(width: int) -> None:
    plane = small_plane([[1.0, 2.0, 3.0, INF]], [[Sign.DONE] * 3 + [Sign.DIVERGED]])
    before = await page(plane, (width, 4), is_plain=True)
    after = await page(plane, (width, 4), is_plain=True, selected=3)
    assert before != after
    line = next(line for line in after if "×" in line)
    assert re.search(r"\[ *×", line)


async def test_the_cursors_own_labels_are_written_in_any_case() -> None:
    sweep = sweep_of(("lr=log:0.001:1:50", "batch-size=1,2,3,full"))
    plane = plane_by_hand(board_by_hand(sweep))
    for arm in plane.arms[1, 10:14].tolist():
        lines = await page(plane, (120, 12), selected=arm)
        assert plane.x_labels[10:14][plane.arms[1, 10:14].tolist().index(arm)] in " ".join(lines).split()


# Labels, names, room


@pytest.mark.parametrize("width", range(20, 120, 9))
def test_labels_do_not_touch(width: int) -> None:
    plane = plane_by_hand(board_by_hand(sweep_of(("lr=log:0.001:1:20",))))
    layout = layout_of(plane, None, width, 8)
    labels = x_labels(plane, layout, 7, layout.columns * layout.width)
    assert labels
    ends = [(begin, begin + cell_len(text)) for begin, text, _ in labels]
    assert all(end < begin for (_, end), (begin, _) in pairwise(ends))
    assert ends[0][0] >= 0
    assert ends[-1][1] <= layout.columns * layout.width


async def test_names_and_labels_are_text_whatever_is_in_them() -> None:
    heat = HeatMap()
    plane = small_plane([[1.0, 2.0], [3.0, 4.0]], x_labels=("[red]a", "\x1b[31mb"), y_labels=("[/]", "\n"))
    async with showing(heat, (60, 10)):
        heat.show(plane, "[bold]x", "y\x07", selected=1)
        text = "\n".join(lines_of(heat))
    assert "[bold]x →" in text
    assert "y\\x07 ↑" in text
    assert "[red]a" in text
    assert "\\x1b[31mb" in text
    assert "[/]" in text


@pytest.mark.parametrize("size", [(120, 36), (78, 11), (40, 10), (20, 6), (10, 3), (5, 2), (1, 1)])
def test_a_plane_with_as_many_cells_as_there_is_room_for_is_shown_whole(size: tuple[int, int]) -> None:
    columns, rows = room(*size)
    plane = small_plane(np.ones((rows, columns)), y_labels=("0.0123456",) * rows)
    layout = layout_of(plane, None, *size)
    assert (layout.columns, layout.rows) == (columns, rows)
    assert layout.head + layout.rows * layout.height + layout.below <= size[1]
    assert layout.gutter + layout.columns * layout.width <= size[0]


async def test_before_there_is_anything_it_says_what_is_coming() -> None:
    heat = HeatMap()
    async with showing(heat, (60, 5)):
        assert lines_of(heat)[0].strip() == EMPTY
        heat.show(None)
        assert lines_of(heat)[0].strip() == EMPTY


FLOATS = st.sampled_from([NAN, INF, -INF, 1e308, -1e308, 5e-324, 0.0, -0.0, 1.0]) | st.floats(width=64)


@settings(max_examples=150)
@given(st.data())
def test_it_survives_any_plane_at_any_size(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    plane = small_plane(
        data.draw(arrays(np.float64, shape, elements=FLOATS)),
        data.draw(arrays(np.int8, shape, elements=st.sampled_from([int(sign) for sign in Sign]))),
        arms=data.draw(arrays(np.intp, shape, elements=st.integers(-1, 9))),
        lost=data.draw(arrays(np.float64, shape, elements=st.floats(0, 1))),
        limits=data.draw(arrays(np.float64, shape[0], elements=st.just(NAN) | st.floats(0, shape[1]))),
        x_limits=data.draw(arrays(np.float64, shape[1], elements=st.just(NAN) | st.floats(0, shape[0]))),
    )
    width, height = data.draw(st.tuples(st.integers(1, 70), st.integers(1, 16)))
    at = data.draw(st.none() | st.tuples(st.integers(0, shape[0] - 1), st.integers(0, shape[1] - 1)))
    layout = layout_of(plane, at, width, height)
    for has_shades in (True, False):
        canvas = draw(plane, at, layout, has_shades)
        assert canvas.rows <= height
        assert canvas.columns <= max(width, layout.width)
        if at is not None:
            assert 0 <= layout.line(at[0]) < canvas.rows
            assert canvas.character(layout.line(at[0]), (at[1] - layout.first[1]) * layout.width) == "["
    legend(plane, has_shades=True)
    x_labels(plane, layout, at[1] if at else None, canvas.columns)


async def test_it_survives_a_storm_of_sizes() -> None:
    plane = plane_by_hand(board_by_hand(sweep_of(), 50))
    heat = HeatMap()
    async with showing(heat, (80, 24)) as pilot:
        heat.show(plane, "lr", "batch-size", 3)
        for size in [(1, 1), (120, 36), (2, 9), (9, 2), (200, 60), (30, 8), (80, 24)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert all(cell_len(line) == size[0] for line in lines_of(heat))
        assert sum("[" in line for line in lines_of(heat)) == 1


# In plain characters


def test_signs_stay_distinct_in_ascii_and_none_is_taken_for_a_level() -> None:
    drawn = [*(mark for sign, mark in signs.MARKS.items() if sign is not Sign.DONE), signs.BEST, signs.NEVER]
    drawn += [signs.LIMIT, signs.LEVEL_LIMIT]
    plain = [likeness(mark) for mark in drawn]
    assert len(set(plain)) == len(plain)
    assert not set(plain) & {*LEVELS, " ", "[", "]"}
