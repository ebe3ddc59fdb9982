"""A sweep seen over two of its axes: each cell shows the best of what lies in it, whatever room there is."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swept import outcome_of, progress_of, sweep_of

from gdtui.sweeps.board import Board, Sign, board_of
from gdtui.sweeps.plane import Measure, View, labels, plane_of
from gdtui.sweeps.space import parse_axis

if TYPE_CHECKING:
    from gdtui.experiment import Experiment
    from gdtui.sweeps.sweep import Sweep

STATES = ("running", "finished", "paused", "diverged", "failed")


def random_board(sweep: Sweep, seed: int, begun: float = 0.8) -> Board:
    """A board whose runs have come to something or other."""
    chance = random.Random(seed)
    outcomes = {}
    for key in sweep.points():
        if chance.random() < begun:
            outcomes[key] = outcome_of(sweep, key, chance.choice(STATES), chance.choice((0.0, 1.0, chance.random())))
    return board_of(progress_of(sweep, outcomes))


def spread(low: float, high: float, count: int, board: Board, axis: int = 0) -> list[int]:
    """The column of each point, if a log axis is cut evenly into so many."""
    values = [math.log(board.values[axis][at] / low) for at in board.places[:, axis]]
    return [min(int(value / math.log(high / low) * count), count - 1) for value in values]


def assert_best_of_each_cell(
    board: Board, measured: np.ndarray, plane_cells: list[tuple[int, int]], view: View
) -> None:
    plane = plane_of(board, view, 5, 3, epochs=measured if view.measure is Measure.EPOCHS else None)
    rows, columns = plane.values.shape
    for row in range(rows):
        for column in range(columns):
            inside = [arm for arm, cell in enumerate(plane_cells) if cell == (row, column)]
            shown = plane.values[row, column]
            if not inside:
                assert plane.arms[row, column] == -1
                assert np.isnan(shown)
                continue
            known = [measured[arm] for arm in inside if not np.isnan(measured[arm])]
            assert shown == min(known) if known else np.isnan(shown)
            best = int(plane.arms[row, column])
            assert best in inside
            assert np.array_equal(measured[best], shown, equal_nan=True)
            assert plane.signs[row, column] == board.signs[best]
            begun, lost = board.begun[inside].sum(), board.lost[inside].sum()
            assert plane.lost[row, column] == pytest.approx(lost / begun if begun else 0.0)
    assert [plane.place_of(arm) for arm in range(len(board.arms))] == plane_cells


@given(st.integers(0, 10**6), st.sampled_from(Measure))
def test_with_room_each_value_has_a_column(seed: int, measure: Measure) -> None:
    board = random_board(sweep_of("lr=log:0.001:0.1:5", "batch-size=1,2,full", "momentum=0,0.9", seeds=2), seed)
    epochs = np.random.default_rng(seed).choice([np.nan, np.inf, 3.0, 7.0], len(board.arms))
    measured = board.losses if measure is Measure.LOSS else epochs
    cells = [(row, column) for column, row, _ in board.places.tolist()]
    assert_best_of_each_cell(board, measured, cells, View(0, 1, measure=measure))


@given(st.integers(0, 10**6))
def test_what_is_random_is_cut_evenly_over_its_range(seed: int) -> None:
    board = random_board(sweep_of("lr=log:0.001:0.1", "batch-size=1,full", samples=60), seed)
    cells = list(zip(board.places[:, 1].tolist(), spread(0.001, 0.1, 5, board), strict=True))
    assert_best_of_each_cell(board, board.losses, cells, View(0, 1))


def test_a_grid_with_more_values_than_columns_has_as_many_in_each() -> None:
    board = random_board(sweep_of("lr=log:0.001:0.1:41"), 0)
    plane = plane_of(board, View(0, None), 40, 3)
    columns = [place[1] for arm in range(41) if (place := plane.place_of(arm))]
    assert sorted(columns) == columns
    assert np.bincount(columns, minlength=40).min() == 1
    assert np.bincount(columns, minlength=40).max() == 2


def test_an_extended_range_is_cut_by_the_spacing_of_its_values() -> None:
    wider = sweep_of("lr=log:0.01:1:21").extended([parse_axis("lr=3,10")])
    plane = plane_of(random_board(wider, 0), View(0, None), 6, 1)
    columns = [place[1] for arm in range(23) if (place := plane.place_of(arm))]
    lrs = [experiment.lr for experiment in wider.points().values()]
    assert columns == [min(int(math.log10(lr / 0.01) * 2 + 1e-9), 5) for lr in lrs]


def test_an_axis_that_is_held_shows_nothing_of_its_other_values() -> None:
    board = random_board(sweep_of("lr=0.1,0.2", "batch-size=1,full", "momentum=0,0.9"), 3, begun=1.0)
    plane = plane_of(board, View(0, 1, fixed=((2, 1),)), 9, 9)
    shown = [arm for arm in range(8) if plane.place_of(arm)]
    assert shown == [arm for arm in range(8) if board.settings(arm)["momentum"] == 0.9]
    assert set(plane.arms.ravel().tolist()) == set(shown)


def test_one_axis_is_one_row() -> None:
    sweep = sweep_of("lr=0.1,0.2,0.3")
    losses = dict(zip(sweep.points(), (0.5, 0.25, 1.0), strict=True))
    board = board_of(
        progress_of(sweep, {key: outcome_of(sweep, key, "finished", loss) for key, loss in losses.items()})
    )
    plane = plane_of(board, View(0, None), 9, 9)
    assert plane.values.tolist() == [[0.5, 0.25, 1.0]]
    assert (plane.best, plane.y_labels) == ((0, 1), ("",))


def test_of_points_that_are_alike_the_map_and_the_leaderboard_have_the_same_one_in_front() -> None:
    sweep = sweep_of("lr=0.1,0.2,0.3", "momentum=0,0.5")
    losses = dict(zip(sweep.points(), (1.0, 0.0, 0.0, 0.0, 2.0, 0.0), strict=True))
    board = board_of(
        progress_of(sweep, {key: outcome_of(sweep, key, "finished", loss) for key, loss in losses.items()})
    )
    for view in (View(0, 1), View(1, 0)):
        plane = plane_of(board, view, 9, 9)
        assert plane.best == plane.place_of(int(board.order[0]))


def test_a_map_on_which_everything_is_lost_or_waits_has_no_best() -> None:
    sweep = sweep_of("lr=0.1,0.2,0.3")
    first, *_ = sweep.points()
    board = board_of(progress_of(sweep, {first: outcome_of(sweep, first, "diverged", 1e300)}))
    plane = plane_of(board, View(0, None), 9, 9)
    assert plane.best is None
    assert np.isinf(plane.values[0, 0])
    assert np.isnan(plane.values[0, 1:]).all()
    assert plane.signs.tolist() == [[Sign.DIVERGED, Sign.WAITING, Sign.WAITING]]
    assert plane.arms.tolist() == [[0, 1, 2]]


# --- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("lr=0.00001,0.1,10", ("1e-5", "0.1", "10")),
        ("lr=0.2041,0.2042,0.3", ("0.2041", "0.2042", "0.3")),
        ("lr=log:0.001:0.3:3", ("0.001", "0.0173", "0.3")),
        ("batch-size=1,16384,full", ("1", "16384", "full")),
        ("momentum=0,0.95", ("0", "0.95")),
        ("init=0.5,1", ("0.5", "1.0")),
    ],
)
def test_labels_are_short_and_tell_neighbours_apart(over: str, expected: tuple[str, ...]) -> None:
    axis = parse_axis(over)
    assert labels(axis, axis.values) == expected


@given(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=20, unique=True).map(sorted))
def test_no_two_labels_are_the_same(lrs: list[float]) -> None:
    axis = parse_axis(f"lr={','.join(map(repr, lrs))}")
    found = labels(axis, axis.values)
    assert len(set(found)) == len(found)
    assert [float(text) for text in found] == pytest.approx(lrs, rel=5e-3)


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_limit_lies_between_the_columns_whose_learning_rates_it_is_between() -> None:
    board = random_board(sweep_of("lr=log:0.001:0.3:20", "batch-size=1,full"), 0)
    limits = {1: 0.2040, "full": 3 / 14}
    plane = plane_of(board, View(0, 1), 40, 9, limit=lambda experiment: limits[experiment.batch_size])
    for row, limit in enumerate(limits.values()):
        below = sum(lr < limit for lr in board.values[0]) - 1
        low, high = board.values[0][below : below + 2]
        part = math.log(limit / low) / math.log(high / low)
        assert plane.limits[row] == pytest.approx(below + 0.5 + part)
    assert np.isnan(plane.x_limits).all()


@given(st.floats(0.05, 1.2))
def test_a_limit_on_an_even_axis_is_even(limit: float) -> None:
    board = random_board(sweep_of("momentum=0,0.9", "lr=lin:0.2:1.0:5"), 0)
    plane = plane_of(board, View(0, 1), 9, 9, limit=lambda _: limit)
    expected = (limit - 0.1) / 0.2 if 0.1 <= limit <= 1.1 else math.nan
    assert plane.x_limits.tolist() == pytest.approx([expected] * 2, nan_ok=True, abs=1e-9)
    assert np.isnan(plane.limits).all()


def test_the_limit_of_a_row_is_that_of_its_best_point() -> None:
    sweep = sweep_of("lr=0.1,0.2", "batch-size=1,full")
    outcomes = {key: outcome_of(sweep, key, "finished", at) for at, key in enumerate(sweep.points())}
    asked: list[Experiment] = []

    def limit(experiment: Experiment) -> float:
        asked.append(experiment)
        return 0.15

    plane_of(board_of(progress_of(sweep, outcomes)), View(0, 1), 9, 9, limit=limit)
    assert [(one.lr, one.batch_size) for one in asked] == [(0.1, 1), (0.1, "full")]


def test_where_there_is_no_learning_rate_or_no_theory_no_limit_is_drawn() -> None:
    board = random_board(sweep_of("momentum=0,0.9", "batch-size=1,full"), 0)
    plane = plane_of(board, View(0, 1), 9, 9, limit=lambda _: 0.2)
    assert np.isnan([*plane.limits, *plane.x_limits]).all()
    board = random_board(sweep_of("lr=0.1,0.2", "batch-size=1,full"), 0)
    assert np.isnan(plane_of(board, View(0, 1), 9, 9, limit=lambda _: math.nan).limits).all()
