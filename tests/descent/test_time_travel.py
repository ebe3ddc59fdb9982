"""Rewind, forward, fork: every moment is reached to the same bits by whatever way."""

from __future__ import annotations

from typing import Any

import pytest
from descents import noisy_plane, trace, trainer_of

from gdtui.descent import checkpoints
from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch, Update

SETTINGS: list[dict[str, Any]] = [
    {"batch_size": 1},
    {"batch_size": 3, "order": "shuffle", "seed": 7},
    {"batch_size": 2, "order": "replacement", "optimizer": "adam", "lr": 0.05},
    {"batch_size": "full", "set": (("momentum", 0.9),), "schedule": "cosine"},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_to_500_back_to_123_and_on_to_500_are_the_same_bits(settings: dict[str, Any]) -> None:
    problem = noisy_plane(7, 2)
    straight = trainer_of(problem, epochs=500, **settings)
    at_123 = straight.advance(until=Epoch(123))
    at_500 = straight.advance()
    back = straight.rewind(123)
    assert trace(back)["visits"] == trace(at_123)["visits"]
    assert back.theta.tobytes() == at_123.theta.tobytes()
    assert back.farthest == 500
    assert trace(straight.advance()) == trace(at_500)


def test_a_change_is_made_again_on_the_way_forward() -> None:
    trainer = trainer_of(noisy_plane(7, 2), epochs=40)
    trainer.advance(until=Epoch(20))
    trainer.change(lr=0.02)
    trainer.advance(until=Update(7 * 25 + 3))
    trainer.change(batch_size=2)
    end = trainer.advance()
    back = trainer.rewind(10)
    assert (back.experiment.lr, back.events) == (0.01, ())
    assert trace(trainer.advance()) == trace(end)


def test_a_change_after_a_rewind_forgets_what_came_later() -> None:
    problem = noisy_plane(7, 2)
    trainer = trainer_of(problem, epochs=40)
    trainer.advance()
    trainer.rewind(10)
    trainer.change(lr=0.03)
    end = trainer.advance()
    other = trainer_of(problem, epochs=40)
    other.advance(until=Epoch(10))
    other.change(lr=0.03)
    assert trace(other.advance()) == trace(end)


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_fork_is_equal_until_it_differs(settings: dict[str, Any]) -> None:
    trainer = trainer_of(noisy_plane(7, 2), epochs=60, **settings)
    here = trainer.advance(until=Epoch(20))
    fork = trainer.fork()
    assert trace(fork.snapshot()) == trace(here)
    fork.change(lr=0.001)
    other, end = fork.advance(), trainer.advance()
    rows, forked = end.history.rows, other.history.rows
    assert (rows[:21, Column.LOSS] == forked[:21, Column.LOSS]).all()
    assert (rows[22:, Column.LOSS] != forked[22:, Column.LOSS]).all()


def test_rewinding_past_either_end_stops_there() -> None:
    trainer = trainer_of(epochs=30)
    trainer.advance(until=Epoch(12))
    assert trainer.rewind(-5).epoch == 0
    assert trainer.rewind(99).epoch == 12


def test_a_diverged_run_can_be_rewound() -> None:
    trainer = trainer_of(lr=0.3, batch_size="full")
    diverged = trainer.advance()
    assert trainer.rewind(3).state == "running"
    assert trace(trainer.advance()) == trace(diverged)


def test_checkpoints_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MOST", 16)
    trainer = trainer_of(epochs=1000)
    end = trainer.advance()
    assert len(trainer.record().checkpoints) <= 16
    at_777 = trainer_of(epochs=1000).advance(until=Epoch(777))
    assert trainer.rewind(777).theta.tobytes() == at_777.theta.tobytes()
    assert trace(trainer.advance()) == trace(end)
