"""Rows: what the samples table says of each sample, and in which order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import moment, moment_of_many, problem_of

from gdtui.dashboard.rows import read_rows, sorted_samples
from gdtui.problems.models import predict_affine

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot

TWO = problem_of([[1, -2], [0, 3], [-4, 0.5], [2, 2]], [1, -1, 2, 0], "affine")
KEYS = ("sample", "x0", "x1", "y", "y_hat", "loss", "norm", "g0", "g1", "g2")


def value(snapshot: Snapshot, sample: int, key: str, applied: bool) -> float:
    row = read_rows(snapshot, [sample], applied)[0]
    if key[0] in "xg":
        values: Any = row.x if key[0] == "x" else row.gradient or [math.nan] * 3
        return float(values[int(key[1:])])
    found = getattr(row, key)
    return math.nan if found is None else float(found)


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


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("key", KEYS)
def test_every_column_sorts_as_its_cells_read(key: str, descending: bool, applied: bool) -> None:
    snapshot = moment(TWO, epoch=2, order="shuffle", lr=0.02)
    order = sorted_samples(snapshot, key, descending, applied).tolist()
    expected = sorted(range(4), key=lambda i: value(snapshot, i, key, applied), reverse=descending)
    assert [value(snapshot, i, key, applied) for i in order] == [value(snapshot, i, key, applied) for i in expected]
    assert sorted(order) == [0, 1, 2, 3]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("key", ["y_hat", "loss", "norm", "g0"])
def test_samples_without_a_value_stand_last_either_way(key: str, descending: bool) -> None:
    assert sorted_samples(moment(TWO, update=3), key, descending, applied=True).tolist()[-1] == 3


@given(st.lists(st.integers(min_value=-2, max_value=2), min_size=1, max_size=12), st.booleans())
def test_equal_samples_keep_the_datas_order(ys: list[int], descending: bool) -> None:
    problem = problem_of(np.ones(len(ys)), ys)
    order = sorted_samples(moment(problem), "y", descending, applied=False).tolist()
    assert order == sorted(range(len(ys)), key=lambda i: -ys[i] if descending else ys[i])
