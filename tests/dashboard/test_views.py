"""Views: which samples the table shows, and in which order."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import moment, moment_of_many, problem_of

from gdtui.dashboard.columns import column_names
from gdtui.dashboard.descentsamples import DescentSamples, column_values
from gdtui.dashboard.filters import parse
from gdtui.dashboard.rows import Aligned, aligned, read_rows
from gdtui.dashboard.views import Choice, View, view
from gdtui.descent.snapshot import Snapshot
from gdtui.insight.instruments import alignments

TWO = problem_of([[1, -2], [0, 3], [-4, 0.5], [2, 2]], [1, -1, 2, 0], "affine")
KEYS = ("sample", "x0", "x1", "y", "y_hat", "loss", "norm", "g0", "g1", "g2", "share", "cos")


def reading_of(snapshot: Snapshot) -> Aligned:
    return aligned(alignments(snapshot.now.gradients))


def view_of(
    snapshot: Snapshot,
    text: str = "",
    key: str = "sample",
    descending: bool = False,
    applied: bool = True,
    reading: Aligned | None = None,
) -> View:
    """The samples that a filter shows, in the order of a column."""
    source = replace(DescentSamples.of(snapshot, applied), aligned=reading)
    return view(Choice(source, parse(text, column_names(snapshot.problem)), key, descending))


def chosen(snapshot: Snapshot, *what: Any, **how: Any) -> list[int]:
    """The samples that are shown, in their order; with a reading of their own, if nothing else is said."""
    found = view_of(snapshot, *what, **{"reading": reading_of(snapshot)} | how)
    return found.places(0, len(found))


def value(snapshot: Snapshot, sample: int, key: str, applied: bool) -> float:
    found = read_rows(snapshot, [sample], applied, reading_of(snapshot))[0].value(key)
    return math.nan if found is None else float(found)


# Order


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("key", KEYS)
def test_every_column_sorts_as_its_cells_read(key: str, descending: bool, applied: bool) -> None:
    snapshot = moment(TWO, epoch=2, order="shuffle", lr=0.02)
    order = chosen(snapshot, key=key, descending=descending, applied=applied)
    expected = sorted(range(4), key=lambda i: value(snapshot, i, key, applied), reverse=descending)
    assert [value(snapshot, i, key, applied) for i in order] == [value(snapshot, i, key, applied) for i in expected]
    assert sorted(order) == [0, 1, 2, 3]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("key", ["y_hat", "loss", "norm", "g0"])
def test_samples_without_a_value_stand_last_either_way(key: str, descending: bool) -> None:
    assert chosen(moment(TWO, update=3), key=key, descending=descending)[-1] == 3


@given(st.lists(st.integers(min_value=-2, max_value=2), min_size=1, max_size=12), st.booleans())
def test_equal_samples_keep_the_datas_order(ys: list[int], descending: bool) -> None:
    snapshot = moment(problem_of(np.ones(len(ys)), ys))
    order = chosen(snapshot, key="y", descending=descending, reading=None)
    assert order == sorted(range(len(ys)), key=lambda i: -ys[i] if descending else ys[i])


def test_all_of_a_million_in_the_datas_order_cost_nothing() -> None:
    snapshot = moment_of_many(1_000_000)
    found = view_of(snapshot, descending=True)
    assert (found.order, found.places(0, 2), found.row(7)) == (None, [999_999, 999_998], 999_992)
    assert "now" not in vars(snapshot)


# Filter


def test_a_filter_and_an_order_go_together() -> None:
    snapshot = moment(TWO, lr=0.02)
    assert chosen(snapshot, "y>=0") == [0, 2, 3]
    assert chosen(snapshot, "y>=0", descending=True) == [3, 2, 0]
    assert chosen(snapshot, "y>=0", "y") == [3, 0, 2]
    assert chosen(snapshot, "y>=0", "y", descending=True) == [2, 0, 3]
    assert chosen(snapshot, "y>99", "y") == []


def test_a_view_knows_where_a_sample_stands() -> None:
    snapshot = moment(TWO)
    found = view_of(snapshot, "y>=0", "y", descending=True)
    assert [found.row(sample) for sample in range(4)] == [1, None, 0, 2]


def test_words_tell_what_became_of_a_sample() -> None:
    snapshot = moment(update=2, batch_size=1, set=(("clip", 3.0),))
    assert chosen(snapshot, "visited") == [0, 1]
    assert chosen(snapshot, "not visited") == [2]
    assert chosen(snapshot, "newest") == [1]
    assert chosen(snapshot, "clipped") == [1]
    assert chosen(snapshot, "clipped", applied=False) == [1]
    assert [row.is_clipped for row in read_rows(snapshot, range(3), applied=False)] == [False, True, False]


def test_share_and_cos_are_those_of_the_reading() -> None:
    snapshot = moment(TWO, epoch=99, lr=0.02)
    known = alignments(snapshot.now.gradients)
    conflicts = np.flatnonzero(known.cosines < 0).tolist()
    assert conflicts
    assert chosen(snapshot, "cos<0") == chosen(snapshot, "conflict") == conflicts
    assert chosen(snapshot, "share<0") == np.flatnonzero(known.shares < 0).tolist()
    assert chosen(snapshot, "cos<0 or cos>=0", reading=None) == []
    assert chosen(snapshot, "not conflict", reading=None) == [0, 1, 2, 3]


def test_rows_have_the_readings_share_and_cos_also_where_they_were_not_visited() -> None:
    snapshot = moment(TWO, update=2, lr=0.02)
    known = reading_of(snapshot)
    rows = read_rows(snapshot, range(4), applied=True, reading=known)
    assert [row.cos for row in rows] == known.alignments.cosines.tolist()
    assert [row.share for row in rows] == known.alignments.shares.tolist()
    assert [row.is_conflict for row in rows] == (known.alignments.cosines < 0).tolist()
    assert [row.sample for row in rows if row.is_largest] == [int(np.abs(known.alignments.shares).argmax())]


def test_at_the_minimum_share_and_cos_are_undefined_and_nobodys_is_the_largest() -> None:
    snapshot = moment(init=(2.0,))
    rows = read_rows(snapshot, range(3), applied=True, reading=reading_of(snapshot))
    assert [(row.share, row.cos, row.is_largest) for row in rows] == [(None, None, False)] * 3


# Values


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_the_norm_of_a_gradient_of_any_size_is_its_rows(size: float) -> None:
    snapshot = moment(problem_of([[3, 4]], [0]), init=(1.0,))
    snapshot = replace(snapshot, evaluate=lambda _: replace(before, gradients=np.array([[3.0, 4.0]]) * size), _now=None)
    before = moment().now
    assert column_values(snapshot, "norm", applied=False) == pytest.approx([5 * size])


def branching(theta: Any, x: Any) -> Any:
    return theta[0] if x[0] > 1 else -theta[0] * x[0]


def math_only(theta: Any, x: Any) -> Any:
    return math.tanh(theta[0] * x[0])


def in_place(theta: Any, x: Any) -> Any:
    total = x[0]
    total += theta[0]
    return total


def mixing_samples(theta: Any, x: Any) -> Any:
    return np.sort(x[0]) * theta[0] if np.ndim(x[0]) else x[0] * theta[0]


def constant(theta: Any, x: Any) -> Any:
    return 7.0


def failing(theta: Any, x: Any) -> Any:
    return 1.0 / (x[0] - 3 if np.ndim(x[0]) == 0 else math.nan)


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("predict", [None, branching, math_only, in_place, mixing_samples, constant, failing])
def test_predictions_are_the_rows_whatever_the_model_does(predict: Any, applied: bool) -> None:
    problem = problem_of([3, 1, 2, -4], [2, 4, 6, 1])
    problem = replace(problem, model=replace(problem.model, predict=predict))
    snapshot = moment(problem, update=3)
    before = problem.dataset.x.copy()
    found = column_values(snapshot, "y_hat", applied)
    rows = read_rows(snapshot, range(4), applied)
    assert np.array_equal(found, [math.nan if row.y_hat is None else row.y_hat for row in rows], equal_nan=True)
    assert np.array_equal(problem.dataset.x, before)


def test_predictions_of_many_samples_are_made_at_once() -> None:
    snapshot, calls = moment_of_many(3000), []
    model = snapshot.problem.model
    counting = replace(model, predict=lambda theta, x: (calls.append(1), model.predict(theta, x))[1])
    snapshot = replace(snapshot, problem=replace(snapshot.problem, model=counting))
    assert column_values(snapshot, "y_hat", applied=False).tolist() == list(range(3000))
    assert len(calls) == 4
