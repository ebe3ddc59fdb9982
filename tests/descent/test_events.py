"""Events: settings that change in mid-run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from descents import noisy_plane, trace, trainer_of

from gdtui.descent import engine as engine_module
from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch, Event, State, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment, InputError
from gdtui.problems.loading import load_problem


def test_a_change_takes_effect_at_the_next_update() -> None:
    trainer = trainer_of(lr=0.01)
    before = trainer.advance(until=Update(4))
    (event,) = trainer.change(lr=0.02)
    after = trainer.advance(until=Update(5))
    assert event == Event(update=4, epoch=4 / 3, setting="lr", before=0.01, after=0.02)
    assert after.events == (event,)
    gradient = after.visits.gradients[-1]
    assert after.theta.tolist() == (before.theta - 0.02 * gradient).tolist()


def test_a_change_at_an_epoch_s_end_is_marked_there() -> None:
    trainer = trainer_of()
    trainer.advance(until=Epoch(2))
    (event,) = trainer.change(batch_size="full")
    assert (event.update, event.epoch) == (6, 2)
    assert trainer.advance(until=Epoch(3)).updates == 7


def test_a_batch_size_changes_within_an_epoch() -> None:
    trainer = trainer_of(noisy_plane(7), batch_size=1)
    trainer.advance(until=Update(2))
    trainer.change(batch_size=3)
    snapshot = trainer.advance(until=Epoch(1))
    assert snapshot.visits.update_of.tolist() == [0, 1, 2, 2, 2, 3, 3]


def test_an_order_changes_with_the_next_epoch() -> None:
    trainer = trainer_of(noisy_plane(7), order="sequential")
    trainer.advance(until=Update(2))
    trainer.change(order="shuffle")
    assert trainer.advance(until=Epoch(1)).visits.samples.tolist() == list(range(7))
    assert trainer.advance(until=Epoch(2)).visits.samples.tolist() != list(range(7))


def test_before_the_start_a_change_is_part_of_the_experiment() -> None:
    changed = trainer_of(lr=0.01)
    assert changed.change(lr=0.05, batch_size=2, order="shuffle", epochs=7) == ()
    fresh = trainer_of(lr=0.05, batch_size=2, order="shuffle", epochs=7)
    assert trace(changed.snapshot()) == trace(fresh.snapshot())
    assert trace(changed.advance()) == trace(fresh.advance())
    assert changed.snapshot().events == ()


def test_in_the_midst_of_a_batch_a_change_waits_for_its_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SLICE", 6)  # two samples
    trainer = trainer_of(noisy_plane(7), batch_size="full", lr=0.1)
    snapshot = trainer.advance(budget_s=0)
    assert (snapshot.visited, snapshot.updates) == (2, 0)
    lr, batch_size = trainer.change(lr=0.2, batch_size=4)
    assert (lr.update, lr.epoch, batch_size.update) == (1, 1, 1)
    first = trainer.advance(until=Epoch(1))
    np.testing.assert_allclose(first.theta, 1 - 0.1 * first.visits.gradients.mean(axis=0), rtol=1e-14)
    second = trainer.advance(until=Update(2))
    assert len(second.visits) == 4
    np.testing.assert_allclose(second.theta, first.theta - 0.2 * second.visits.gradients.mean(axis=0), rtol=1e-14)


def test_a_change_in_the_midst_of_a_batch_is_as_one_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    after = trainer_of(noisy_plane(7), batch_size=3, lr=0.1, epochs=2)
    after.advance(until=Update(1))
    monkeypatch.setattr(engine_module, "SLICE", 6)  # two samples: the second slice goes on into the second batch
    amidst = trainer_of(noisy_plane(7), batch_size=3, lr=0.1, epochs=2)
    assert amidst.advance(budget_s=0).visited == 2
    for trainer in (after, amidst):
        trainer.change(lr=0.2, batch_size=2)
    assert trace(amidst.advance()) == trace(after.advance())


def test_what_is_kept_of_an_epoch_is_the_same_whether_a_change_came_in_its_last_batch_or_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "SLICE", 6)  # two samples
    changes: dict[str, Any] = {"lr": 0.2, "epochs": 300_000, "batch_size": 2}
    records = []
    for is_amidst in (True, False):
        experiment = Experiment(problem="affine", data="noisy-line", batch_size="full", lr=0.1, epochs=200)
        trainer = Trainer(experiment, load_problem(experiment), lambda snapshot: (snapshot.loss,))
        trainer.advance(until=Epoch(103))  # from 100 on, which epochs are tracked depends on how many are planned
        if is_amidst:
            assert not trainer.advance(budget_s=0).is_between_epochs
        else:
            trainer.advance(until=Epoch(104))
        trainer.change(**changes)
        trainer.advance(until=Epoch(106))
        records.append(trainer.record())
    amidst, after = records
    assert amidst.events == after.events
    assert amidst.tracked.tolist() == after.tracked.tolist()
    for one, other in zip(amidst.checkpoints, after.checkpoints, strict=True):
        assert (one.epoch, one.experiment, one.events) == (other.epoch, other.experiment, other.events)


def test_a_change_while_an_epoch_is_evaluated_is_for_the_next_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SLICE", 3)
    trainer = trainer_of(noisy_plane(7), batch_size=3)
    while trainer.advance(budget_s=0).visited < 7:
        pass
    (event,) = trainer.change(lr=0.02)
    assert (event.update, event.epoch) == (3, 1)


def test_several_changes_before_one_update_all_stand_in_the_events() -> None:
    trainer = trainer_of()
    trainer.advance(until=Update(3))
    for lr in (0.02, 0.03, 0.01):
        trainer.change(lr=lr)
    assert [(e.update, e.before, e.after) for e in trainer.snapshot().events] == [
        (3, 0.01, 0.02),
        (3, 0.02, 0.03),
        (3, 0.03, 0.01),
    ]


def test_a_change_to_the_same_value_is_no_event() -> None:
    trainer = trainer_of(lr=0.01)
    trainer.advance(until=Update(3))
    assert trainer.change(lr=0.01, batch_size=1) == ()
    assert trainer.snapshot().events == ()


def test_the_history_has_the_learning_rate_of_each_epoch_s_last_update() -> None:
    trainer = trainer_of(lr=0.01, epochs=4)
    trainer.advance(until=Epoch(2))
    trainer.change(lr=0.02)
    assert trainer.advance().history.column(Column.LR).tolist() == [0.01, 0.01, 0.01, 0.02, 0.02]


@pytest.mark.parametrize(
    "settings",
    [
        {"problem": "affine"},
        {"data": "faithful"},
        {"features": ("x",)},
        {"target": "x"},
        {"standardize": True},
        {"drop_missing": True},
        {"optimizer": "adam"},
        {"seed": 1},
        {"init": (2.0,)},
    ],
)
@pytest.mark.parametrize("updates", [0, 4])
def test_what_makes_a_new_run_cannot_change(settings: dict[str, Any], updates: int) -> None:
    trainer = trainer_of()
    before = trace(trainer.advance(until=Update(updates)))
    with pytest.raises(InputError, match="new run"):
        trainer.change(lr=0.02, **settings)
    assert trace(trainer.snapshot()) == before


@pytest.mark.parametrize("settings", [{"lr": -1.0}, {"lr": float("nan")}, {"batch_size": 0}, {"order": "x"}])
@pytest.mark.parametrize("updates", [0, 4])
def test_a_wrong_value_changes_nothing(settings: dict[str, Any], updates: int) -> None:
    trainer = trainer_of()
    before = trace(trainer.advance(until=Update(updates)))
    with pytest.raises(InputError):
        trainer.change(epochs=7, **settings)
    assert trace(trainer.snapshot()) == before


def test_more_epochs_after_the_end_go_on_where_it_ended() -> None:
    extended, long = trainer_of(epochs=3, order="shuffle"), trainer_of(epochs=8, order="shuffle")
    assert extended.advance().state is State.FINISHED
    (event,) = extended.change(epochs=8)
    assert (event.update, event.epoch) == (9, 3)
    assert extended.state is State.RUNNING
    end = extended.advance()
    assert (end.state, end.epoch) == (State.FINISHED, 8)
    assert end.history.column(Column.LOSS).tolist() == long.advance().history.column(Column.LOSS).tolist()


def test_fewer_epochs_than_were_made_end_the_run_with_the_epoch_under_way() -> None:
    trainer = trainer_of(epochs=100)
    trainer.advance(until=Update(13))
    trainer.change(epochs=2)
    snapshot = trainer.advance()
    assert (snapshot.state, snapshot.epoch) == (State.FINISHED, 5)
