"""The kernel by itself: over arrays and over memoryviews, in one go and in steps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from descents import noisy_plane

from gdtui.descent.compiler import interpreted
from gdtui.descent.kernel import BATCH_END, BATCH_START, POSITION, UPDATES
from gdtui.descent.optimizers import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.problems.problem import Problem

sgd = RULES["sgd"].update
NO_MOMENTUM = RULES["sgd"].h({})

AS_ARRAYS = np.asarray
AS_MEMORYVIEWS = memoryview


@dataclass
class Buffers:
    """An epoch's buffers, flat; what is not yet written is nan."""

    theta: Any
    x: Any
    y: Any
    samples: Any
    cursor: Any
    total: Any
    losses: Any
    gradients: Any
    clipped: Any
    state: Any
    thetas: Any

    def bits(self) -> dict[str, bytes]:
        return {field.name: np.asarray(getattr(self, field.name)).tobytes() for field in fields(self)}


def buffers(problem: Problem, kind: Callable[[Any], Any], samples: list[int] | None = None) -> Buffers:
    n, p = problem.n, len(problem.parameters)
    return Buffers(
        theta=kind(np.linspace(0.5, 1.5, p)),
        x=kind(problem.dataset.x.reshape(-1)),
        y=kind(problem.dataset.y),
        samples=kind(np.arange(n) if samples is None else np.array(samples)),
        cursor=kind(np.zeros(4, np.int64)),
        total=kind(np.zeros(p)),
        losses=kind(np.full(n, np.nan)),
        gradients=kind(np.full(n * p, np.nan)),
        clipped=kind(np.zeros(n, np.bool_)),
        state=kind(np.zeros(p + 1)),
        thetas=kind(np.full(n * p, np.nan)),
    )


def run(problem: Problem, b: Buffers, batch_size: int, stops: list[int], lr: float = 0.05) -> tuple[float, bool]:
    loss_sum, finite = 0.0, True
    for stop in stops:
        loss_sum, finite = interpreted(problem.model.loss, sgd).descend(
            b.theta,
            b.total,
            NO_MOMENTUM,
            b.state,
            problem.dataset.x.shape[1],
            b.x,
            b.y,
            lr,
            0.0,
            batch_size,
            b.samples,
            stop,
            b.cursor,
            b.losses,
            b.gradients,
            b.clipped,
            b.thetas,
            loss_sum,
        )
    return loss_sum, finite


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7])
@pytest.mark.parametrize("d", [1, 3])
def test_arrays_and_memoryviews_give_the_same_bits(d: int, batch_size: int) -> None:
    problem = noisy_plane(7, d)
    array, view = buffers(problem, AS_ARRAYS), buffers(problem, AS_MEMORYVIEWS)
    assert run(problem, array, batch_size, [7]) == run(problem, view, batch_size, [7])
    assert array.bits() == view.bits()


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", [AS_ARRAYS, AS_MEMORYVIEWS])
def test_steps_give_the_same_bits_as_one_go(kind: Callable[[Any], Any], batch_size: int) -> None:
    problem = noisy_plane(7, 2)
    whole, steps = buffers(problem, kind), buffers(problem, kind)
    assert run(problem, whole, batch_size, [7]) == run(problem, steps, batch_size, [1, 1, 3, 4, 6, 7])
    assert whole.bits() == steps.bits()


def test_a_cursor_tells_where_the_epoch_stands() -> None:
    problem = noisy_plane(7, 2)
    b = buffers(problem, AS_ARRAYS)
    run(problem, b, 3, [4])
    assert [b.cursor[k] for k in (POSITION, BATCH_START, BATCH_END, UPDATES)] == [4, 3, 6, 1]
    run(problem, b, 3, [7])
    assert [b.cursor[k] for k in (POSITION, BATCH_START, BATCH_END, UPDATES)] == [7, 6, 7, 3]


def test_only_what_was_visited_is_written() -> None:
    problem = noisy_plane(7, 2)
    b = buffers(problem, AS_ARRAYS)
    run(problem, b, 3, [4])
    assert np.isnan(b.losses).tolist() == [False] * 4 + [True] * 3
    assert np.isnan(b.thetas.reshape(7, 3)).all(axis=1).tolist() == [False] * 2 + [True] * 5


def test_samples_are_visited_in_the_order_given() -> None:
    problem = noisy_plane(7, 2)
    b = buffers(problem, AS_ARRAYS, samples=[6, 0, 6, 6, 2, 0, 1])
    _, finite = run(problem, b, 7, [7])
    assert finite
    assert b.losses[0] == b.losses[2] == b.losses[3]  # the same sample, at the same θ


def test_it_stops_before_a_loss_that_is_not_finite() -> None:
    problem = noisy_plane(7, 2)
    b = buffers(problem, AS_MEMORYVIEWS)
    loss_sum, finite = run(problem, b, 1, [7], lr=1e200)
    assert (finite, b.cursor[POSITION], b.cursor[UPDATES]) == (False, 1, 1)
    assert loss_sum == b.losses[0]
    assert np.isfinite(np.asarray(b.theta)).all()


@pytest.mark.parametrize("kind", [AS_ARRAYS, AS_MEMORYVIEWS])
@pytest.mark.parametrize("cuts", [[0, 7], [0, 1, 2, 5, 7]])
def test_an_evaluation_has_every_loss_and_gradient(kind: Callable[[Any], Any], cuts: list[int]) -> None:
    problem = noisy_plane(7, 2)
    theta, x, y = np.array([0.5, -1.0, 2.0]), problem.dataset.x, problem.dataset.y
    losses, gradients, total = np.empty(7), np.empty(21), 0.0
    for start, stop in itertools.pairwise(cuts):
        total = interpreted(problem.model.loss, sgd).evaluate(
            kind(theta),
            2,
            kind(x.reshape(-1)),
            kind(y),
            start,
            stop,
            kind(losses),
            kind(gradients),
            total,
        )
    residuals = x @ theta[:2] + theta[2] - y
    np.testing.assert_allclose(losses, residuals**2, rtol=1e-13)
    np.testing.assert_allclose(
        gradients.reshape(7, 3), 2 * np.column_stack([x, np.ones(7)]) * residuals[:, None], rtol=1e-13
    )
    assert total == sum(losses.tolist())
