"""Rows: what the samples table says of each sample, and in which order."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from labs import moment, moment_of_many, problem_of

from gdtui.dashboard.rows import read_rows
from gdtui.problems.models import predict_affine

TWO = problem_of([[1, -2], [0, 3], [-4, 0.5], [2, 2]], [1, -1, 2, 0], "affine")


def test_applied_each_row_is_at_the_theta_of_its_own_visit() -> None:
    rows = read_rows(moment(epoch=1), [0, 1], applied=True)
    # θ = 1 at the first visit: ŷ = 1, y = 2; then θ = 1 + 0.01 · 2.
    assert [(row.y_hat, row.loss, row.gradient) for row in rows] == [
        (1.0, 1.0, (-2.0,)),
        (2.04, pytest.approx(1.96**2), (pytest.approx(-7.84),)),
    ]


def test_now_every_row_is_at_the_current_theta() -> None:
    snapshot = moment(TWO, epoch=3, lr=0.02)
    for row in read_rows(snapshot, range(4), applied=False):
        assert row.y_hat == predict_affine(snapshot.theta.tolist(), snapshot.problem.dataset.x[row.sample].tolist())
        assert row.loss == snapshot.now.losses[row.sample]
        assert row.gradient == tuple(snapshot.now.gradients[row.sample])
        assert row.norm == pytest.approx(np.linalg.norm(snapshot.now.gradients[row.sample]))


def test_what_was_not_visited_yet_has_no_value_as_applied() -> None:
    snapshot = moment(update=2)
    assert [row.loss is None for row in read_rows(snapshot, range(3), applied=True)] == [False, False, True]
    assert [row.loss is None for row in read_rows(snapshot, range(3), applied=False)] == [False, False, False]


def test_a_sample_drawn_twice_shows_its_newest_visit() -> None:
    snapshot = moment(TWO, epoch=1, order="replacement", seed=1)
    twice = next(i for i in range(4) if (snapshot.visits.samples == i).sum() > 1)
    newest = np.flatnonzero(snapshot.visits.samples == twice)[-1]
    assert read_rows(snapshot, [twice], applied=True)[0].loss == snapshot.visits.losses[newest]


@pytest.mark.parametrize(("batch_size", "newest"), [(1, [2]), (2, [2]), ("full", [])])
def test_the_newest_batch_is_marked_unless_it_is_all(batch_size: Any, newest: list[int]) -> None:
    rows = read_rows(moment(epoch=1, batch_size=batch_size), range(3), applied=True)
    assert [row.sample for row in rows if row.is_newest] == newest


def test_a_few_rows_of_a_million_ask_for_these_alone() -> None:
    snapshot = moment_of_many(1_000_000)
    rows = read_rows(snapshot, [999_999, 7], applied=False)
    assert [(row.sample, row.y) for row in rows] == [(999_999, 1_999_998.0), (7, 14.0)]
    assert "now" not in vars(snapshot)
    assert "last_visit" not in vars(snapshot.visits)


def test_a_model_that_fails_leaves_dashes() -> None:
    def failing(*_: Any) -> float:
        raise OverflowError

    snapshot = moment(TWO, epoch=1)
    problem = replace(TWO, model=replace(TWO.model, loss=lambda *_: math.nan, predict=failing))
    for applied in (True, False):
        row = read_rows(replace(snapshot, problem=problem), [0], applied)[0]
        assert row.y_hat is None
        assert math.isnan(row.loss or 0.0) is not applied
