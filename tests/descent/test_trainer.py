"""Descent against what others compute: plain Python, PyTorch, least squares; and how it ends."""

from __future__ import annotations

import numpy as np
import pytest
from descents import noisy_plane, problem_of, trace, trainer_of

from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch, State, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem

TUTORIAL = [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]


def gradient_descent(w: float, lr: float, epochs: int) -> list[float]:
    """The tutorial's first program: w after each epoch."""
    path = []
    for _ in range(epochs):
        gradient = 0.0
        for x, y in TUTORIAL:
            gradient += 2 * x * (x * w - y)
        w -= lr * (gradient / len(TUTORIAL))
        path.append(w)
    return path


def stochastic_gradient_descent(w: float, lr: float, epochs: int) -> list[float]:
    """The tutorial's second program: w after each epoch."""
    path = []
    for _ in range(epochs):
        for x, y in TUTORIAL:
            w -= lr * (2 * x * (x * w - y))
        path.append(w)
    return path


def path_of(trainer: Trainer, epochs: int) -> list[float]:
    return [trainer.advance(until=Epoch(e + 1)).theta[0] for e in range(epochs)]


@pytest.mark.parametrize("lr", [0.01, 0.05, 0.1])
def test_gradient_descent_makes_the_tutorial_s_numbers(lr: float) -> None:
    assert path_of(trainer_of(batch_size="full", lr=lr), 100) == gradient_descent(1.0, lr, 100)


@pytest.mark.parametrize("lr", [0.01, 0.05, 0.1])
def test_stochastic_gradient_descent_makes_the_tutorial_s_numbers(lr: float) -> None:
    assert path_of(trainer_of(lr=lr), 100) == stochastic_gradient_descent(1.0, lr, 100)


@pytest.mark.parametrize("order", ["sequential", "shuffle", "replacement"])
@pytest.mark.parametrize(("n", "d", "batch_size"), [(37, 3, 8), (10, 1, 10), (23, 5, 1), (50, 2, "full")])
def test_two_hundred_updates_are_those_of_pytorch(n: int, d: int, batch_size: int | str, order: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle of this test, is not installed")
    problem = noisy_plane(n, d, seed=n)
    trainer = trainer_of(problem, lr=0.02, batch_size=batch_size, order=order, epochs=200, seed=3)
    x, y = torch.tensor(problem.dataset.x), torch.tensor(problem.dataset.y)
    theta = torch.ones(d + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=0.02)
    size = n if batch_size == "full" else batch_size
    snapshot = trainer.snapshot()
    while snapshot.updates < 200:
        snapshot = trainer.advance(until=Epoch(snapshot.epoch + 1))
        for batch in torch.tensor(snapshot.visits.samples).split(size):
            optimizer.zero_grad()
            ((x[batch] @ theta[:d] + theta[d] - y[batch]) ** 2).mean().backward()
            optimizer.step()
        np.testing.assert_allclose(snapshot.theta, theta.detach().numpy(), rtol=1e-12)
        loss = ((x @ theta[:d] + theta[d] - y) ** 2).mean().item()
        assert snapshot.loss == pytest.approx(loss, rel=1e-12)


def test_old_faithful_is_fitted_to_its_least_squares_solution() -> None:
    experiment = Experiment(problem="affine", data="faithful", standardize=True, batch_size="full", lr=0.1, epochs=500)
    problem = load_problem(experiment)
    design = np.column_stack([problem.dataset.x, np.ones(problem.n)])
    solution, *_ = np.linalg.lstsq(design, problem.dataset.y, rcond=None)
    np.testing.assert_allclose(Trainer(experiment, problem).advance().theta, solution, atol=1e-6)


def test_history_has_the_start_as_epoch_0_then_every_epoch() -> None:
    rows = trainer_of(batch_size=2, epochs=5).advance().history.rows
    assert rows[:, Column.EPOCH].tolist() == [0, 1, 2, 3, 4, 5]
    assert rows[:, Column.UPDATES].tolist() == [0, 2, 4, 6, 8, 10]
    assert rows[:, Column.VISITED].tolist() == [0, 3, 6, 9, 12, 15]
    assert rows[0, Column.LOSS] == pytest.approx(14 / 3)
    assert np.isnan(rows[0, Column.VISIT_LOSS])


def test_the_clock_starts_at_0_and_never_goes_back() -> None:
    seconds = trainer_of(epochs=20).advance().history.column(Column.SECONDS)
    assert seconds[0] == 0
    assert (np.diff(seconds) >= 0).all()


def test_visit_loss_is_the_mean_of_the_losses_as_visited() -> None:
    snapshot = trainer_of(epochs=3).advance()
    assert snapshot.visit_loss == sum(snapshot.visits.losses) / 3
    assert snapshot.visit_loss == snapshot.history.rows[-1, Column.VISIT_LOSS]


def test_a_trainer_is_ready_then_runs_then_has_finished() -> None:
    trainer = trainer_of(epochs=2)
    assert trainer.snapshot().state is State.READY
    assert trainer.advance(until=Update(1)).state is State.RUNNING
    assert trainer.advance(until=Epoch(1)).state is State.RUNNING
    assert trainer.advance().state is State.FINISHED


def test_an_advance_stops_at_the_last_epoch_whatever_it_is_told() -> None:
    for until in (Epoch(99), Update(99), None):
        assert trainer_of(epochs=2).advance(until=until).updates == 6


def test_an_advance_to_where_it_has_been_does_nothing() -> None:
    trainer = trainer_of(epochs=5)
    before = trace(trainer.advance(until=Epoch(3)))
    for until in (Epoch(3), Epoch(1), Update(9), Update(0)):
        assert trace(trainer.advance(until=until)) == before


def test_an_advance_without_a_budget_still_advances() -> None:
    assert trainer_of().advance(budget_s=0).updates > 0
    assert trainer_of().advance(budget_s=-1).updates > 0


@pytest.mark.parametrize("count", range(1, 9))
def test_an_advance_to_an_update_makes_just_that_many(count: int) -> None:
    snapshot = trainer_of(noisy_plane(7), batch_size=3).advance(until=Update(count))
    assert snapshot.updates == count
    assert snapshot.epoch == count // 3


def test_an_advance_to_an_epoch_s_last_update_evaluates_the_epoch() -> None:
    snapshot = trainer_of().advance(until=Update(3))
    assert snapshot.epoch == 1
    assert snapshot.loss == snapshot.history.rows[-1, Column.LOSS]


def test_a_fixed_point_is_convergence() -> None:
    snapshot = trainer_of(lr=0.05, epochs=1000).advance()
    assert snapshot.state is State.CONVERGED
    assert snapshot.theta[0] == pytest.approx(2.0, rel=1e-15)


def test_a_start_at_the_minimum_converges_in_one_epoch() -> None:
    snapshot = trainer_of(init=(2.0,), epochs=1).advance()
    assert (snapshot.state, snapshot.loss) == (State.CONVERGED, 0.0)


def test_a_learning_rate_too_small_to_move_theta_is_convergence_too() -> None:
    assert trainer_of(lr=5e-324, epochs=1).advance().state is State.CONVERGED


def test_one_sample_with_one_feature_and_one_epoch_is_enough() -> None:
    snapshot = trainer_of(problem_of([2.0], [6.0]), lr=0.125, epochs=1, batch_size="full").advance()
    assert snapshot.theta.tolist() == [3.0]  # w = 1 − 0.125 · 2 · 2 · (2 − 6)


def test_a_start_of_one_number_is_for_every_parameter() -> None:
    assert trainer_of(noisy_plane(d=2), init=(0.5,)).snapshot().theta.tolist() == [0.5, 0.5, 0.5]
    assert trainer_of(noisy_plane(d=2), init=(1.0, 2.0, 3.0)).snapshot().theta.tolist() == [1.0, 2.0, 3.0]


def test_a_feature_that_is_0_everywhere_keeps_its_weight() -> None:
    problem = problem_of([[1.0, 0.0], [2.0, 0.0]], [1.0, 2.0])
    assert trainer_of(problem, init=(0.0, 7.0)).advance().theta[1] == 7.0
