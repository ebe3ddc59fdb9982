"""A record is all that it takes to go on: to the same bits as the run that was never left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch, Snapshot, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment, InputError
from gdtui.insight.tracked import Tracker
from gdtui.problems.loading import load_problem

KEPT = [column for column in Column if column is not Column.SECONDS]
EXPERIMENTS = (
    {"epochs": 40},
    {"epochs": 40, "problem": "affine", "data": "noisy-line", "order": "shuffle", "batch_size": 7, "seed": 5},
    {"epochs": 12, "problem": "mlp", "data": "xor", "optimizer": "adam", "order": "replacement", "batch_size": 3},
    {"epochs": 40, "problem": "saddle", "order": "shuffle", "lr": 0.1, "set": (("momentum", 0.9), ("rms", 0.1))},
    {"epochs": 400, "batch_size": "full", "lr": 0.25},
)


def begun(**settings: Any) -> Trainer:
    experiment = Experiment(**settings)
    return Trainer(experiment, load_problem(experiment), Tracker())


def changed(trainer: Trainer) -> None:
    """Two changes, one of them in mid-epoch."""
    trainer.advance(until=Epoch(4))
    trainer.change(lr=trainer.experiment.lr / 2)
    trainer.advance(until=Update(trainer.snapshot().updates + 2))
    trainer.change(batch_size=2, epochs=trainer.experiment.epochs + 3)


def same(one: Snapshot, other: Snapshot) -> None:
    assert one.theta.tobytes() == other.theta.tobytes()
    assert one.optimizer_state.tobytes() == other.optimizer_state.tobytes()
    assert (one.state, one.reason, one.epoch, one.updates) == (other.state, other.reason, other.epoch, other.updates)
    assert (one.events, one.experiment) == (other.events, other.experiment)
    assert one.history.rows[:, KEPT].tobytes() == other.history.rows[:, KEPT].tobytes()
    assert one.tracked.tobytes() == other.tracked.tobytes()
    assert one.visits.gradients.tobytes() == other.visits.gradients.tobytes()


@pytest.mark.parametrize("settings", EXPERIMENTS)
@pytest.mark.parametrize("updates", [1, 3, 20, 31])
def test_a_run_goes_on_from_its_record_to_the_same_bits(settings: dict[str, Any], updates: int) -> None:
    whole, left = begun(**settings), begun(**settings)
    for trainer in (whole, left):
        changed(trainer)
        trainer.advance(until=Update(updates))
    again = Trainer.of(left.record(), left.problem, Tracker())
    same(again.snapshot(), left.snapshot())
    same(again.advance(), whole.advance())


@pytest.mark.parametrize("settings", EXPERIMENTS)
def test_the_record_of_a_run_that_is_over_is_that_of_its_end(settings: dict[str, Any]) -> None:
    trainer = begun(**settings)
    end = trainer.advance()
    same(Trainer.of(trainer.record(), trainer.problem, Tracker()).snapshot(), end)


def test_all_of_a_run_can_be_rewound_to_from_its_record() -> None:
    trainer = begun(epochs=40, order="shuffle", seed=2)
    changed(trainer)
    trainer.advance()
    again = Trainer.of(trainer.record(), trainer.problem)
    for epoch in (0, 3, 4, 5, 17, 43):
        one, other = again.rewind(epoch), trainer.rewind(epoch)
        assert one.theta.tobytes() == other.theta.tobytes()
        assert one.experiment == other.experiment


def test_a_record_of_a_rewound_run_knows_what_comes_later() -> None:
    trainer = begun(epochs=40)
    end = trainer.advance()
    trainer.rewind(10)
    again = Trainer.of(trainer.record(), trainer.problem, Tracker())
    assert (again.snapshot().epoch, again.snapshot().farthest) == (10, 40)
    same(again.advance(), end)


def test_a_fork_in_mid_batch_takes_a_change_that_waits_along() -> None:
    trainer = begun(problem="affine", data="noisy-line", batch_size="full", epochs=20)
    trainer.advance(until=Epoch(3))
    trainer.advance(until=Update(4), budget_s=0.0)
    trainer.change(lr=0.002)
    fork = trainer.fork()
    assert [event.setting for event in fork.record().events] == ["lr"]
    assert np.array_equal(fork.advance().theta, trainer.advance().theta)


def test_another_way_has_another_number() -> None:
    trainer = begun(epochs=40)
    trainer.advance()
    ways = [trainer.record().way]
    trainer.rewind(20)
    ways.append(trainer.record().way)  # nothing is forgotten yet
    trainer.change(lr=0.02)
    ways.append(trainer.record().way)
    trainer.change(lr=0.03)
    ways.append(trainer.record().way)
    assert ways == [0, 0, 1, 1]


def test_a_record_of_other_data_is_refused() -> None:
    trainer = begun(problem="affine", data="noisy-line", epochs=5)
    trainer.advance()
    other = load_problem(Experiment(problem="affine", data="noisy-line", seed=1))
    with pytest.raises(InputError, match="the data or the model has changed since: f at the start was"):
        Trainer.of(trainer.record(), other)
