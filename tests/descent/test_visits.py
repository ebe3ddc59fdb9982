"""Snapshots: what they show of an epoch, as applied and now; and that they stay as they are."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import numpy as np
import pytest
from descents import noisy_plane, problem_of, trace, trainer_of

from gdtui.descent import engine as engine_module
from gdtui.descent.history import History
from gdtui.descent.snapshot import Epoch, Snapshot, State, Update

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdtui.problems.problem import Problem

PROBLEM = noisy_plane(7, 2)


def at(problem: Problem, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every sample's loss and gradient at θ, from the formula rather than the model."""
    x, y = problem.dataset.x, problem.dataset.y
    residuals = x @ theta[:-1] + theta[-1] - y
    return residuals**2, 2 * np.column_stack([x, np.ones(len(y))]) * residuals[:, None]


def assert_as_applied(snapshot: Snapshot) -> None:
    visits = snapshot.visits
    assert len(visits) == snapshot.visited - (snapshot.epoch - snapshot.is_between_epochs) * 7
    for visit, sample in enumerate(visits.samples):
        losses, gradients = at(snapshot.problem, visits.thetas[visits.update_of[visit]])
        np.testing.assert_allclose(visits.losses[visit], losses[sample], rtol=1e-11, atol=1e-24)
        np.testing.assert_allclose(visits.gradients[visit], gradients[sample], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("order", ["sequential", "shuffle", "replacement"])
@pytest.mark.parametrize("batch_size", ["full", 1, 3])
def test_as_applied_each_row_is_at_the_theta_of_its_own_visit(batch_size: int | str, order: str) -> None:
    trainer = trainer_of(PROBLEM, batch_size=batch_size, order=order, epochs=3)
    while trainer.state is not State.FINISHED:
        assert_as_applied(trainer.advance(until=Update(trainer.snapshot().updates + 1)))


def test_as_applied_holds_in_the_midst_of_a_batch_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SLICE", 3)
    trainer = trainer_of(PROBLEM, batch_size=5, epochs=2)
    while trainer.state is not State.FINISHED:
        assert_as_applied(trainer.advance(budget_s=0))


@pytest.mark.parametrize("lr", [1e160, 1e308])
@pytest.mark.parametrize("batch_size", ["full", 1, 3])
def test_as_applied_holds_where_the_descent_breaks_off(lr: float, batch_size: int | str) -> None:
    with np.errstate(over="ignore"):
        assert_as_applied(trainer_of(PROBLEM, lr=lr, batch_size=batch_size).advance())


def test_each_update_starts_from_the_theta_that_the_one_before_made() -> None:
    snapshot = trainer_of(PROBLEM, batch_size=3, lr=0.1).advance(until=Epoch(1))
    visits = snapshot.visits
    after = [*visits.thetas[1:], snapshot.theta]
    for update, theta in enumerate(visits.thetas):
        mean = visits.gradients[visits.update_of == update].mean(axis=0)
        np.testing.assert_allclose(after[update], theta - 0.1 * mean, rtol=1e-14)


def test_visits_of_an_epoch_count_on_from_the_updates_before_it() -> None:
    trainer = trainer_of(PROBLEM, batch_size=3)
    assert [trainer.advance(until=Epoch(e)).visits.first_update for e in (1, 2, 3)] == [0, 3, 6]


def test_there_are_no_visits_before_the_start() -> None:
    snapshot = trainer_of(PROBLEM).snapshot()
    assert len(snapshot.visits) == 0
    assert snapshot.visits.last_visit.tolist() == [-1] * 7
    assert snapshot.visits.newest_batch.tolist() == []


def test_a_sample_drawn_again_counts_with_its_last_visit() -> None:
    snapshot = trainer_of(PROBLEM, order="replacement", seed=1).advance(until=Epoch(1))
    samples = snapshot.visits.samples.tolist()
    assert len(set(samples)) < 7
    for sample, visit in enumerate(snapshot.visits.last_visit.tolist()):
        last = max((v for v, s in enumerate(samples) if s == sample), default=-1)
        assert visit == last


def test_samples_that_wait_for_their_visit_have_none() -> None:
    snapshot = trainer_of(PROBLEM).advance(until=Update(2))
    assert snapshot.visits.last_visit.tolist() == [0, 1, -1, -1, -1, -1, -1]


def test_the_newest_batch_is_that_of_the_newest_update() -> None:
    trainer = trainer_of(PROBLEM, batch_size=3)
    batches = [trainer.advance(until=Update(u)).visits.newest_batch.tolist() for u in (1, 2, 3, 4)]
    assert batches == [[0, 1, 2], [3, 4, 5], [6], [0, 1, 2]]


@pytest.mark.parametrize("updates", [0, 1, 2, 3, 4])
def test_now_has_every_sample_at_the_current_theta(updates: int) -> None:
    snapshot = trainer_of(PROBLEM, batch_size=3).advance(until=Update(updates))
    losses, gradients = at(PROBLEM, snapshot.theta)
    np.testing.assert_allclose(snapshot.now.losses, losses, rtol=1e-11)
    np.testing.assert_allclose(snapshot.now.gradients, gradients, rtol=1e-11, atol=1e-12)
    assert snapshot.now.loss == pytest.approx(losses.mean(), rel=1e-13)


def test_the_loss_is_that_of_the_last_epoch_s_end() -> None:
    trainer = trainer_of(PROBLEM)
    end = trainer.advance(until=Epoch(1))
    assert end.loss == end.now.loss
    inside = trainer.advance(until=Update(9))
    assert inside.loss == end.loss != inside.now.loss


@pytest.mark.parametrize("size", [3, 9, 4096])
def test_nothing_in_a_snapshot_changes_as_the_descent_goes_on(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(engine_module, "SLICE", size)
    monkeypatch.setattr("gdtui.descent.past.History", lambda: History(kept=8))
    trainer = trainer_of(PROBLEM, order="shuffle", batch_size=3, epochs=40)
    taken = [trainer.snapshot()]
    then = [trace(taken[0])]
    while trainer.state is not State.FINISHED:
        taken.append(trainer.advance(budget_s=0))
        if len(taken) == 25:
            trainer.change(lr=0.02)
        then.append(trace(taken[-1]))
    for snapshot, before in zip(taken, then, strict=True):
        # What a snapshot has worked out once, it keeps: ask a copy that has yet to work it out.
        snapshot.history.__dict__.pop("rows", None)
        snapshot.__dict__.pop("now", None)
        assert trace(snapshot) | {"experiment": 0, "events": 0} == before | {"experiment": 0, "events": 0}


def test_a_snapshot_cannot_be_changed() -> None:
    snapshot = trainer_of().snapshot()
    with pytest.raises(FrozenInstanceError):
        snapshot.epoch = 5  # type: ignore[misc]


def test_a_change_of_settings_does_not_show_in_earlier_snapshots() -> None:
    trainer = trainer_of()
    snapshot = trainer.advance(until=Update(4))
    trainer.change(lr=0.5)
    assert (snapshot.experiment.lr, snapshot.events) == (0.01, ())


@pytest.mark.parametrize("size", [1, 4096])
def test_a_snapshot_knows_what_it_has_reached(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(engine_module, "SLICE", size)
    trainer = trainer_of(PROBLEM, batch_size=3, epochs=3)
    for until in (Update(1), Update(3), Epoch(1), Update(4), Epoch(2), Epoch(3)):
        assert trainer.advance(until=until).has_reached(until)
    assert not trainer.snapshot().has_reached(Epoch(4))
    assert not trainer.snapshot().has_reached(None)


def test_an_epoch_is_complete_only_with_its_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SLICE", 1)
    trainer = trainer_of(problem_of([1.0, 2.0], [2.0, 4.0]))
    while (snapshot := trainer.advance(budget_s=0)).visited < 2:
        pass
    while not snapshot.is_between_epochs:
        assert (snapshot.updates, snapshot.epoch) == (2, 0)
        assert not snapshot.has_reached(Update(2))
        snapshot = trainer.advance(budget_s=0)
    assert snapshot.epoch == 1
    assert snapshot.has_reached(Update(2))
