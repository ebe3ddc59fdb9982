"""All curves of a sweep: where the dots are, what of it diverges, which curve is in front."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.cells import cell_len
from rich.style import Style
from swept_boards import board_by_hand, curves_by_hand, lines_of, showing, sweep_of

from gdtui.dashboard.widgets import curvefield
from gdtui.dashboard.widgets.curvefield import Ink, rasterised, with_selected
from gdtui.dashboard.widgets.sweepcurves import EMPTY, SweepCurves
from gdtui.sweeps.curves import POINTS, Curves

DOTS = re.compile("[\u2801-\u28ff]")
SIZE = (60, 18)


def curves_of(losses: object, turn: int = 1) -> Curves:
    """Curves of a hundred epochs; shape (k, POINTS), or one point's loss for all of its epochs each."""
    values = np.array(losses, dtype=np.float32)
    values = np.repeat(values[:, np.newaxis], POINTS, axis=1) if values.ndim == 1 else values
    k = len(values)
    return Curves(turn, np.linspace(0, 100, POINTS), values, np.arange(k), 0.1, np.full(k, np.inf))


def exact(losses: object) -> np.ndarray:
    """One run's losses, an epoch each."""
    values = np.array(losses, dtype=np.float64)
    return np.column_stack([np.arange(len(values)), values])


async def page(curves: Curves, selected: object = (), log_y: bool = True, size: tuple[int, int] = SIZE) -> list[str]:
    """The pane's lines."""
    pane = SweepCurves()
    async with showing(pane, size):
        pane.show(curves, selected, "lr 0.1", log_y)  # type: ignore[arg-type]
        return lines_of(pane)


def height_of(lines: list[str], label: str) -> int:
    """The line of a number at the left."""
    return next(y for y, line in enumerate(lines) if line.split("┤")[0].strip() == label)


# Where the dots are


async def test_a_loss_stands_beside_its_number_on_a_log_axis() -> None:
    lines = await page(curves_of([1e-4, 1.0, 1e2]))
    dotted = [y for y, line in enumerate(lines) if DOTS.search(line)]
    assert dotted == [height_of(lines, label) for label in ("1e+2", "1e+0", "1e-4")]


async def test_and_on_a_linear_one() -> None:
    lines = await page(curves_of([0.0, 1.0, 4.0]), log_y=False)
    dotted = [y for y, line in enumerate(lines) if DOTS.search(line)]
    assert dotted == [height_of(lines, label) for label in ("4", "1", "0")]


async def test_a_falling_loss_falls_from_the_left_to_the_right_without_a_gap() -> None:
    falling = 10.0 ** np.linspace(2, -4, POINTS)
    lines = (await page(curves_of(falling[np.newaxis])))[:-2]
    firsts = [DOTS.search(line).start() for line in lines if DOTS.search(line)]  # type: ignore[union-attr]
    assert firsts == sorted(firsts)
    assert len(firsts) == len(lines)
    assert {column for line in lines for column in (m.start() for m in DOTS.finditer(line))} == set(range(6, 60))


def counted_one_by_one(levels: np.ndarray, points: np.ndarray, height: int) -> np.ndarray:
    """How many curves go through each dot, each followed from column to column."""
    width = len(points)
    counts = np.zeros((width, height), dtype=int)
    for curve in np.clip(levels, -1, height).astype(np.float32):
        y = []
        for x in points.tolist():
            at = int(x)
            end = curve[min(at + 1, len(curve) - 1)]
            y.append(curve[at] + (0 if np.isnan(end) else end - curve[at]) * np.float32(x - at))
        for column, here in enumerate(y):
            if np.isnan(here):
                continue
            through = {round(float(here))}
            there = y[column + 1] if column + 1 < width else math.nan
            if abs(there - here) > 1.5:
                low, high = sorted((round(float(here)), round(float(there))))
                through |= set(range(low + 1, high))
            for dot in through & set(range(height)):
                counts[column, dot] += 1
    return counts


@pytest.mark.parametrize(("k", "width", "height"), [(1, 10, 8), (3, 30, 40), (40, 150, 60)])
@pytest.mark.parametrize("block", [1, 100, 1 << 16])
def test_each_dot_counts_the_curves_that_go_through_it(
    k: int, width: int, height: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curvefield, "BLOCK", block)
    random = np.random.default_rng(k)
    levels = random.normal(scale=3, size=(k, POINTS)).cumsum(axis=1) + height / 2
    levels[random.random(levels.shape) < 0.02] = np.nan
    points = np.linspace(0, POINTS - 1, width)
    found = curvefield._counts(levels, points, height)
    assert (found == counted_one_by_one(levels, points, height)).all()


def test_where_many_run_it_is_brighter() -> None:
    losses = np.concatenate([np.full(900, 1.0), [1e-2], np.full(30, 1e-4)])
    raster = rasterised(curves_of(losses), *SIZE, True)
    rows = raster.canvas.strips(lambda ink, _: Style(meta={"ink": ink}), {})
    inks = [{segment.style.meta["ink"] for segment in row if segment.text.strip()} for row in rows]
    assert [ink for ink in inks if ink] == [{Ink.MANY}, {Ink.FEW}, {Ink.SOME}]


async def test_a_sweep_of_few_epochs_has_its_losses_where_its_epochs_are() -> None:
    epochs = np.round(np.linspace(0, 4, POINTS))  # each comes many times
    losses = (10.0 - 2 * epochs)[np.newaxis]
    few = Curves(1, epochs, losses.astype(np.float32), np.arange(1), 0.1, np.full(1, np.inf))
    in_front = await page(few, [exact([10.0, 8.0, 6.0, 4.0, 2.0])], log_y=False)
    behind = await page(few, log_y=False)
    assert [DOTS.sub("⣿", line) for line in behind] == [DOTS.sub("⣿", line.replace("●", "⣿")) for line in in_front]


async def test_what_is_not_known_or_not_finite_is_a_gap() -> None:
    losses = np.ones((1, POINTS))
    losses[0, POINTS // 4 : POINTS // 2] = np.nan
    losses[0, 3 * POINTS // 4 :] = np.inf
    lines = (await page(curves_of(losses), log_y=False))[:-2]
    columns = {match.start() for line in lines for match in DOTS.finditer(line)}
    wide = SIZE[0] - 6
    assert not columns & set(range(6 + wide // 4 + 1, 6 + wide // 2 - 1))
    assert not columns & set(range(6 + 3 * wide // 4 + 1, SIZE[0]))
    assert {6, 6 + wide // 2 + 2, 6 + 3 * wide // 4 - 2} <= columns


# Ranges


@pytest.mark.parametrize("log_y", [True, False])
async def test_what_diverges_does_not_squash_the_rest(log_y: bool) -> None:
    good = np.linspace(1, 2, POINTS) * np.linspace(1, 4, 97)[:, np.newaxis]
    bad = 10.0 ** np.linspace(0, 30, POINTS) * np.ones((3, 1))
    lines = await page(curves_of(np.concatenate([good, bad])), log_y=log_y)
    rows = [y for y, line in enumerate(lines[:-2]) if len(DOTS.findall(line)) > 3]
    assert len(rows) >= (len(lines) - 2) * 0.6


def test_the_range_seldom_moves() -> None:
    random = np.random.default_rng(0)
    losses = 10.0 ** random.uniform(-3, 1, size=(200, POINTS))
    ranges = {rasterised(curves_of(losses[:k]), *SIZE, True).frame.y_range for k in range(100, 200, 10)}
    assert len(ranges) == 1


# The curves in front


async def test_the_selected_curve_is_marked_on_its_way_and_at_its_end() -> None:
    curves = curves_of([1.0, 1e-1, 1e-4])
    without = await page(curves)
    lines = await page(curves, [exact(np.full(101, 1e-2))])
    assert not any("●" in line for line in without)
    row = height_of(lines, "1e-2")
    assert [y for y, line in enumerate(lines) if "●" in line] == [row]
    assert lines[row].count("●") >= 2
    assert lines[row].endswith("●")


async def test_each_seed_has_its_own_end_and_one_that_diverged_says_so() -> None:
    ends = [exact(np.full(101, 1e-1)), exact(np.full(61, 1e-3)), exact([*np.full(40, 10.0), math.inf])]
    lines = await page(curves_of([1e2, 1e-4]), ends)
    text = "\n".join(lines)
    assert text.count("●") >= 2
    assert text.count("×") == 1
    column = next(line.index("×") for line in lines if "×" in line)
    assert abs(column - (6 + 0.39 * 54)) <= 1


async def test_a_selected_curve_that_leaves_the_picture_does_not_end_in_it() -> None:
    rising = exact(10.0 ** np.linspace(0, 200, 101))
    lines = await page(curves_of([1.0, 1e-4]), [rising])
    assert "●" in lines[0]
    assert DOTS.search(lines[height_of(lines, "1e+0")])


async def test_another_selection_does_not_draw_all_curves_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    count = curvefield._counts
    monkeypatch.setattr(curvefield, "_counts", lambda *of: drawn.append(1) or count(*of))
    curves = curves_by_hand(board_by_hand(sweep_of(), 30))
    pane = SweepCurves()
    async with showing(pane, SIZE):
        pane.show(curves)
        first = lines_of(pane)
        for loss in (1.0, 0.1):
            pane.show(curves, [exact(np.full(101, loss))])
            assert lines_of(pane) != first
        assert len(drawn) == 1
        pane.show(curves, [], log_y=False)
        assert len(drawn) == 2


async def test_what_a_thread_has_drawn_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = curves_by_hand(board_by_hand(sweep_of(), 30))
    expected = await page(curves)
    raster = rasterised(curves, *SIZE, True)
    monkeypatch.setattr(curvefield, "_counts", lambda *_: pytest.fail("drawn again"))
    pane = SweepCurves()
    async with showing(pane, SIZE):
        pane.show(curves, raster=raster)
        assert lines_of(pane) == expected


# Words


async def test_the_border_says_what_is_in_front_and_names_are_text() -> None:
    pane = SweepCurves()
    pane.styles.border = ("round", "white")
    async with showing(pane, SIZE):
        pane.show(curves_of([1.0, 2.0]), [exact([1.0, 2.0])], "[red]lr\x1b 0.1")
        assert str(pane._border_subtitle) == "● [red]lr\\x1b 0.1 · 2 runs · by epochs"
        pane.show(curves_of([1.0]))
        assert str(pane._border_subtitle) == "1 run"


async def test_before_there_is_a_curve_it_says_what_is_coming() -> None:
    pane = SweepCurves()
    async with showing(pane, SIZE):
        assert lines_of(pane)[0].strip() == EMPTY
        pane.show(curves_of(np.empty((0, POINTS))))
        assert lines_of(pane)[0].strip() == EMPTY


# Whatever comes


@settings(max_examples=100)
@given(
    arrays(np.float32, (3, POINTS), elements=st.floats(width=32), fill=st.sampled_from([0.0, 1.0, math.nan, math.inf])),
    arrays(np.float64, (4, 2), elements=st.floats(width=64)),
    st.integers(1, 70),
    st.integers(1, 20),
    st.booleans(),
)
def test_it_survives_any_numbers_at_any_size(
    losses: np.ndarray, selected: np.ndarray, width: int, height: int, log_y: bool
) -> None:
    raster = rasterised(curves_of(losses), width, height, log_y)
    selected[:, 0] = [0, 1, 2, 300]
    canvas = with_selected(raster, [selected, selected[:0], selected[:1]])
    assert (canvas.columns, canvas.rows) == (raster.frame.columns, raster.frame.rows)
    assert raster.frame.left + raster.frame.columns <= max(width, 1)


async def test_it_survives_a_storm_of_sizes() -> None:
    pane = SweepCurves()
    async with showing(pane, (80, 24)) as pilot:
        pane.show(curves_by_hand(board_by_hand(sweep_of(), 40)), [exact([1.0, 0.5, 0.25])])
        for size in [(1, 1), (120, 36), (2, 9), (9, 2), (200, 60), (80, 24)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert all(cell_len(line) == size[0] for line in lines_of(pane))
