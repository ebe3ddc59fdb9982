"""Tracking: which epochs are kept, and that they are the same however the run was made."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gdtui.descent.snapshot import Epoch, Update
from gdtui.descent.tracking import COSTLY_EVERY, FIRST, MOST, Tracked
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot


def norm_and_loss(snapshot: Snapshot) -> tuple[float, float]:
    return float(np.linalg.norm(snapshot.now.gradients.mean(axis=0))), snapshot.loss


def tracking(**settings: Any) -> Trainer:
    experiment = Experiment(**settings)
    return Trainer(experiment, load_problem(experiment), norm_and_loss)


def due(planned: int, until: int, numbers: int = 3) -> list[int]:
    tracked, epochs, epoch = Tracked(norm_and_loss, numbers), [], 0
    while (epoch := int(tracked.next_due(epoch, planned))) <= until:
        epochs.append(epoch)
    return epochs


def test_a_short_run_keeps_every_epoch() -> None:
    snapshot = tracking(epochs=40).advance()
    assert snapshot.tracked[:, 0].tolist() == list(range(1, 41))
    assert snapshot.tracked[:, 1].tolist() == list(range(3, 121, 3))
    assert snapshot.tracked[-1, 2:].tolist() == list(norm_and_loss(snapshot))


@pytest.mark.parametrize("planned", [1, 999, 1000, 1001, 123_456, 10**9])
def test_of_any_plan_about_a_thousand_epochs_are_kept_evenly(planned: int) -> None:
    epochs = due(planned, min(planned, 10**6)) if planned < 10**6 else due(planned, 10**9)
    assert len(epochs) <= MOST + FIRST
    later = [epoch for epoch in epochs if epoch > FIRST]
    assert len(set(np.diff(later).tolist())) <= 1
    assert epochs[: min(planned, FIRST)] == list(range(1, min(planned, FIRST) + 1))


def test_of_a_costly_problem_few_epochs_are_kept() -> None:
    epochs = due(1000, 1000, numbers=10**6)
    assert epochs == list(range(COSTLY_EVERY, 1001, COSTLY_EVERY))


def test_without_a_track_nothing_is_kept() -> None:
    experiment = Experiment(epochs=5)
    trainer = Trainer(experiment, load_problem(experiment))
    assert trainer.advance().tracked.size == 0
    assert math.isinf(Tracked(None, 3).next_due(0, 100))


@pytest.mark.parametrize("epochs", [50, 3000])
def test_the_same_values_whatever_way_it_came_there(epochs: int) -> None:
    settings: dict[str, Any] = {"epochs": epochs, "order": "shuffle", "batch_size": 2}
    at_once = tracking(**settings).advance().tracked
    in_pieces = tracking(**settings)
    for update in range(0, 60, 7):
        in_pieces.advance(Update(update))
    assert in_pieces.advance().tracked.tobytes() == at_once.tobytes()
    back = tracking(**settings)
    back.advance(Epoch(30))
    back.rewind(11)
    assert len(back.snapshot().tracked) == 30  # later ones stay known until something is changed
    assert back.advance().tracked.tobytes() == at_once.tobytes()


def test_a_change_after_a_rewind_forgets_what_came_later() -> None:
    trainer = tracking(epochs=30)
    trainer.advance()
    trainer.rewind(10)
    before = trainer.snapshot().tracked
    trainer.change(lr=0.02)
    assert trainer.snapshot().tracked[:, 0].tolist() == list(range(1, 11))
    after = trainer.advance().tracked
    assert after[:10].tobytes() == before[:10].tobytes()
    assert (after[10:, 3] < before[10:, 3]).all()


def test_a_fork_has_the_values_up_to_it_and_then_its_own() -> None:
    trainer = tracking(epochs=30)
    trainer.advance(Epoch(10))
    fork = trainer.fork()
    fork.change(lr=0.02)
    ours, theirs = trainer.advance().tracked, fork.advance().tracked
    assert ours[:10].tobytes() == theirs[:10].tobytes()
    assert ours[-1, 3] != theirs[-1, 3]
