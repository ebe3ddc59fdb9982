"""The board of a sweep: the same numbers as those of its runs, however it was come to."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swept import outcome_of, progress_of, sweep_of

from gdtui.sweeps.board import Board, Sign, board_of
from gdtui.sweeps.outcome import Progress, RunOutcome, standings
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep

SWEEPS = (
    sweep_of("lr=0.3,0.1,0.2", "batch-size=full,1,2", seeds=3),
    sweep_of("lr=log:0.001:0.3:4", "optimizer=sgd,adam").extended([parse_axis("lr=0.5")], seeds=2),
    sweep_of("lr=0.1,0.3").extended([parse_axis("batch-size=full,2")]),
    sweep_of("lr=log:0.01:0.1", "batch-size=lin:1:3", seeds=2, samples=7),
    sweep_of("seed=1,2,3"),
)
STATES = ("running", "finished", "converged", "paused", "diverged", "failed")
LOSSES = st.sampled_from((0.0, -1.0, 0.5, 1.0, 1.7e308, math.inf, -math.inf, math.nan)) | st.floats(
    allow_subnormal=False
)


@st.composite
def moments(draw: Any) -> tuple[Progress, Progress]:
    """A sweep at some moment, and later."""
    sweep = draw(st.sampled_from(SWEEPS))
    keys = list(sweep.points())

    def some() -> dict[str, RunOutcome]:
        chosen = draw(st.lists(st.sampled_from(keys), unique=True))
        return {key: outcome_of(sweep, key, draw(st.sampled_from(STATES)), draw(LOSSES)) for key in chosen}

    first = some()
    return progress_of(sweep, first), progress_of(sweep, {**first, **some()})


def of_points(progress: Progress) -> dict[str, list[RunOutcome]]:
    found: dict[str, list[RunOutcome]] = {}
    for key in progress.sweep.points():
        if key in progress.outcomes:
            found.setdefault(progress.sweep.arm(key), []).append(progress.outcomes[key])
    return found


def rank(outcomes: list[RunOutcome]) -> float:
    is_lost = [one.state in ("diverged", "failed") or not math.isfinite(one.loss) for one in outcomes]
    losses = sorted(math.inf if lost else one.loss for lost, one in zip(is_lost, outcomes, strict=True))
    low, high = losses[(len(losses) - 1) // 2], losses[len(losses) // 2]
    return math.inf if math.isinf(high) else float((Fraction(low) + Fraction(high)) / 2)


@given(moments())
def test_the_order_is_that_of_the_runs_that_came_to_their_end_then_of_the_losses(
    both: tuple[Progress, Progress],
) -> None:
    progress = both[1]
    found = of_points(progress)
    expected = sorted(found, key=lambda arm: (any(one.state == "paused" for one in found[arm]), rank(found[arm]), arm))
    board = board_of(progress)
    assert [board.arms[arm] for arm in board.order] == expected
    assert [standing.settings for standing in standings(progress)] == [board.settings(arm) for arm in board.order]


@given(moments())
def test_the_numbers_of_a_point_are_those_of_its_runs(both: tuple[Progress, Progress]) -> None:
    progress = both[1]
    board, found = board_of(progress), of_points(progress)
    for arm, key in enumerate(board.arms):
        runs = found.get(key, [])
        assert board.outcomes(arm) == runs
        assert board.begun[arm] == len(runs)
        assert board.lost[arm] == sum(one.state in ("diverged", "failed") for one in runs)
        assert board.epochs[arm] == max((one.epoch for one in runs), default=0)
        if runs:
            losses = [rank([one]) for one in runs]
            assert (board.losses[arm], board.least[arm], board.most[arm]) == (rank(runs), min(losses), max(losses))
        else:
            assert np.isnan([board.losses[arm], board.least[arm], board.most[arm]]).all()


@given(moments())
def test_the_best_run_of_a_point_is_the_one_with_the_smallest_loss(both: tuple[Progress, Progress]) -> None:
    board, found = board_of(both[1]), of_points(both[1])
    for key, best in zip(board.arms, board.best, strict=True):
        kept = [one for one in found.get(key, []) if one.state != "failed"]
        least = min((rank([one]) for one in kept), default=None)
        assert best in {one.run for one in kept if rank([one]) == least} if kept else best == ""


@given(moments())
def test_a_board_from_an_earlier_one_is_the_one_made_anew(both: tuple[Progress, Progress]) -> None:
    first, then = both
    assert_same(board_of(then, board_of(first)), board_of(then))


def test_a_board_of_a_sweep_whose_failures_were_forgotten_has_none_of_them() -> None:
    sweep = SWEEPS[0]
    first, second, *_ = sweep.points()
    failed = progress_of(sweep, {first: outcome_of(sweep, first, "failed", math.nan)})
    anew = progress_of(sweep, {second: outcome_of(sweep, second, "finished", 1.0)})
    assert_same(board_of(anew, board_of(failed)), board_of(anew))


def assert_same(one: Board, other: Board) -> None:
    for name in ("places", "signs", "begun", "lost", "losses", "least", "most", "epochs", "order"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert (one.arms, one.values, one.best) == (other.arms, other.values, other.best)


# --- signs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "sign"),
    [
        ([], Sign.WAITING),
        (["running"], Sign.RUNNING),
        (["finished"], Sign.RUNNING),
        (["finished", "converged"], Sign.DONE),
        (["diverged", "diverged"], Sign.DIVERGED),
        (["diverged", "finished", "converged"], Sign.DONE),
        (["paused", "paused", "diverged"], Sign.STOPPED),
        (["failed", "failed", "failed"], Sign.FAILED),
        (["finished", "diverged", "failed"], Sign.DIVERGED),
        (["finished", "running", "diverged"], Sign.RUNNING),
    ],
)
def test_the_sign_of_a_point_is_what_most_of_its_three_seeds_say(states: list[str], sign: Sign) -> None:
    sweep = sweep_of("lr=0.1", seeds=3)
    outcomes = {key: outcome_of(sweep, key, state, 1.0) for key, state in zip(sweep.points(), states, strict=False)}
    assert board_of(progress_of(sweep, outcomes)).signs.tolist() == [sign]


# --- where the points are --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "values"),
    [
        ("lr=0.3,0.001,0.02", (0.001, 0.02, 0.3)),
        ("batch-size=full,16,2", (2, 16, "full")),
        ("optimizer=sgd,adam,lion", ("sgd", "adam", "lion")),
        ("momentum=0.9,0", (0, 0.9)),
        ("init=10,2", ((2.0,), (10.0,))),
        ("standardize=yes,no", (True, False)),
    ],
)
def test_the_values_of_an_axis_are_numbers_rising_then_words_as_given(over: str, values: tuple[Any, ...]) -> None:
    assert board_of(progress_of(sweep_of(over), {})).values == (values,)


@pytest.mark.parametrize("sweep", SWEEPS)
def test_each_point_is_where_its_experiment_is(sweep: Sweep) -> None:
    board, points = board_of(progress_of(sweep, {})), sweep.points()
    for arm, key in enumerate(board.arms):
        assert board.experiment(arm) == points[key]
        assert board.settings(arm) == {axis.option: points[key].value(axis.name) for axis in sweep.axes}
    for axis, values in enumerate(board.values):
        assert set(board.places[:, axis].tolist()) == set(range(len(values)))
