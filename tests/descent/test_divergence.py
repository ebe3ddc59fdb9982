"""Divergence: a result to explain, not an error; the last finite moment is kept."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from descents import problem_of, trainer_of
from hypothesis import given
from hypothesis import strategies as st

from gdtui.descent.compiler import compiled
from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch, State
from gdtui.descent.trainer import DIVERGED_AT, Trainer
from gdtui.experiment import Experiment, InputError
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    """Numbers that overflow are no news on standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_loss_that_grows_without_bound_stops_the_run_at_its_epoch() -> None:
    snapshot = trainer_of(lr=0.25, batch_size="full", epochs=10_000).advance()
    limit = DIVERGED_AT * 14 / 3
    losses = snapshot.history.column(Column.LOSS)
    assert snapshot.state is State.DIVERGED
    assert losses[-1] > limit >= losses[:-1].max()
    assert snapshot.epoch == len(losses) - 1
    assert f"in epoch {snapshot.epoch}: the loss is {losses[-1]:.3g}, over 4.67e+12" in snapshot.reason
    assert snapshot.loss == losses[-1]


def test_a_small_start_is_measured_from_1() -> None:
    snapshot = trainer_of(lr=0.25, batch_size="full", epochs=10_000, init=(1.999,)).advance()
    assert snapshot.history.rows[-2, Column.LOSS] <= 1e12 < snapshot.loss


def test_a_sample_s_loss_that_overflows_stops_at_once_and_names_the_update() -> None:
    snapshot = trainer_of(lr=1e200).advance()
    assert (snapshot.state, snapshot.epoch, snapshot.updates) == (State.DIVERGED, 0, 1)
    assert snapshot.theta.tolist() == [2e200]
    assert snapshot.reason == "in epoch 1, at update 2: a sample's loss is no longer finite"


def test_a_theta_that_overflows_stays_what_it_was_before() -> None:
    snapshot = trainer_of(lr=1e308, init=(1e3,)).advance()
    assert (snapshot.state, snapshot.epoch, snapshot.updates) == (State.DIVERGED, 0, 0)
    assert snapshot.theta.tolist() == [1e3]
    assert snapshot.reason == "in epoch 1, at update 1: θ is no longer finite"


def test_an_overflow_in_a_later_epoch_is_reported_there() -> None:
    trainer = trainer_of()
    trainer.advance(until=Epoch(4))
    trainer.change(lr=1e300)
    assert trainer.advance().reason.startswith("in epoch 5, at update 14: ")


def test_a_loss_that_is_not_finite_at_an_epoch_s_end_is_shown_as_it_is() -> None:
    snapshot = trainer_of(lr=1e200, batch_size="full").advance()
    assert (snapshot.state, snapshot.epoch) == (State.DIVERGED, 1)
    assert snapshot.reason == "in epoch 1: the loss is not finite"
    assert np.isfinite(snapshot.theta).all()
    assert snapshot.loss == snapshot.now.loss == math.inf
    assert np.isfinite(snapshot.history.column(Column.LOSS)).all()


def test_a_loss_that_is_not_finite_is_divergence_however_large_the_start_was() -> None:
    start = problem_of([1.0, 1.0], [1e149, 1e149])  # f is 1e298 here, and 1e12 times that is not finite
    snapshot = trainer_of(start, lr=1e12, batch_size="full", epochs=1).advance()
    assert snapshot.state is State.DIVERGED


def test_what_has_diverged_stays_diverged() -> None:
    trainer = trainer_of(lr=1e200)
    theta = trainer.advance().theta
    trainer.change(lr=0.01, epochs=10_000)
    after = trainer.advance()
    assert after.state is State.DIVERGED
    assert after.theta.tolist() == theta.tolist()


@pytest.mark.parametrize(
    ("x", "y", "init"),
    [([1e200], [0.0], ()), ([1.0], [1e200], ()), ([1.0], [0.0], (1e200,)), ([1e150, 1e150], [0.0, 0.0], (1e4,))],
)
def test_a_start_whose_loss_is_not_finite_is_refused(x: list[float], y: list[float], init: Any) -> None:
    with pytest.raises(InputError, match="loss at the start is not finite") as error:
        trainer_of(problem_of(x, y), init=init)
    assert error.value.setting == "init"


numbers = st.floats(-1e153, 1e153)


@given(
    st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4),
    st.floats(min_value=5e-324, max_value=1.7e308),
    st.sampled_from(["full", 1, 2]),
    st.sampled_from(["linear", "affine"]),
)
def test_whatever_the_numbers_theta_stays_finite_and_nothing_raises(
    samples: list[tuple[float, float]], lr: float, batch_size: Any, model: str
) -> None:
    x, y = zip(*samples, strict=True)
    try:
        trainer = trainer_of(problem_of(x, y, model), lr=lr, batch_size=batch_size, epochs=20)
    except InputError:
        return
    snapshot = trainer.advance()
    assert snapshot.state.is_over
    assert np.isfinite(snapshot.theta).all()
    assert np.isfinite(snapshot.history.column(Column.LOSS)).all()
    assert np.isfinite(snapshot.visits.losses).all()
    assert (snapshot.state is State.DIVERGED) == bool(snapshot.reason)
    assert snapshot.state is State.DIVERGED or math.isfinite(snapshot.loss)


def test_a_batch_that_breaks_off_half_way_leaves_theta_as_it_was_before_it() -> None:
    snapshot = trainer_of(problem_of([1.0, 1.0, 1.0, 1e100], [0.0] * 4), lr=1e60, batch_size=2).advance()
    assert (snapshot.state, snapshot.updates) == (State.DIVERGED, 1)
    assert snapshot.visits.samples.tolist() == [0, 1, 2]
    assert snapshot.theta.tobytes() == snapshot.visits.thetas[1].tobytes()


OWN = """
import math

def logarithm(theta, x, y, g):
    g[0] = 1 / theta[0]
    return math.log(theta[0])

def refusal(theta, x, y, g):
    if theta[0] < 0.9:
        raise KeyError("no [bold]further[/]")
    g[0] = 1.0
    return theta[0]

refusal.predict = lambda theta, x: 1 / max(0.0, theta[0] - 0.92)
"""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("logarithm", "the loss is not finite (ValueError: math domain error)"),
        ("refusal", "a sample's loss is no longer finite (KeyError: 'no [bold]further[/]')"),
    ],
)
def test_a_model_of_one_s_own_that_fails_in_mid_run_has_diverged_and_says_why(
    tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "own.py").write_text(OWN)
    experiment = Experiment(problem=f"{tmp_path / 'own.py'}:{name}", lr=0.05)
    trainer = Trainer(experiment, load_problem(experiment))
    snapshot = trainer.advance()
    assert snapshot.state is State.DIVERGED
    assert snapshot.reason.endswith(why)
    fast = Trainer(experiment, load_problem(experiment))
    kernel = compiled(fast.problem.model.loss, fast._method.rule.update, fast._engine.sizes)
    if kernel is not None:  # not where numba is told not to compile
        fast._engine.use(kernel)
        assert fast.advance().reason == snapshot.reason
        assert fast.snapshot().theta.tobytes() == snapshot.theta.tobytes()
    assert np.isfinite(snapshot.theta).all()
    assert math.isnan(snapshot.evaluate(np.array([-1.0])).losses[0])
    assert snapshot.updates == snapshot.epoch * 3 + len(snapshot.visits) % 3
    back = trainer.rewind(0)
    assert (back.state, back.updates) == (State.READY, 0)
