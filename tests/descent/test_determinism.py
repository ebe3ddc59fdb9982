"""Same experiment and events, same bits: however the advance is cut into calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from descents import noisy_plane, trace, trainer_of
from hypothesis import given
from hypothesis import strategies as st

from gdtui.descent import engine as engine_module
from gdtui.descent.snapshot import Epoch, Snapshot, State, Update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gdtui.descent.trainer import Trainer

Event = tuple[int, dict[str, Any]]

PROBLEM = noisy_plane(7, 2)

experiments = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([0.01, 0.1, 0.2]),
        "batch_size": st.sampled_from(["full", 1, 2, 3, 7]),
        "order": st.sampled_from(["sequential", "shuffle", "replacement"]),
        "epochs": st.integers(1, 5),
        "seed": st.integers(0, 3),
    }
)
changes = st.one_of(
    st.fixed_dictionaries({"lr": st.floats(0.001, 0.2)}),
    st.fixed_dictionaries({"batch_size": st.sampled_from(["full", 1, 2, 5])}),
    st.fixed_dictionaries({"order": st.sampled_from(["sequential", "shuffle", "replacement"])}),
    st.fixed_dictionaries({"epochs": st.integers(1, 7)}),
    st.fixed_dictionaries({"lr": st.floats(0.001, 0.2), "batch_size": st.integers(1, 8)}),
)
events = st.lists(st.tuples(st.integers(0, 30), changes), max_size=4).map(lambda e: sorted(e, key=lambda a: a[0]))
cuts = st.lists(st.sampled_from(["slice", "update", "epoch", "slice to epoch"]), max_size=60)
slices = st.sampled_from([1, 3, 6, 9, 15, engine_module.SLICE])


def straight(trainer: Trainer, events: list[Event]) -> Snapshot:
    """The run in as few calls as its events allow."""
    for update, settings in events:
        trainer.advance(until=Update(update))
        trainer.change(**settings)
    return trainer.advance()


def in_pieces(trainer: Trainer, events: list[Event], cuts: Iterator[str], early: bool) -> Snapshot:
    """The same run cut to pieces; a change may come early, in the midst of the batch that it has to wait for."""
    snapshot = trainer.snapshot()
    for update, settings in events:
        while not (snapshot.has_reached(Update(update)) or snapshot.state.is_over):
            if early and is_in_batch(snapshot) and snapshot.updates + 1 == update:
                break
            snapshot = piece(trainer, snapshot, next(cuts, "update"), update)
        trainer.change(**settings)
        snapshot = trainer.snapshot()
    while not snapshot.state.is_over:
        snapshot = piece(trainer, snapshot, next(cuts, "epoch"), None)
    return snapshot


def piece(trainer: Trainer, snapshot: Snapshot, cut: str, last_update: int | None) -> Snapshot:
    """One call of `advance`; where an event is due at the last update, no further than there."""
    budget_s = 0 if "slice" in cut else None
    if last_update is not None:
        return trainer.advance(
            Update(last_update if budget_s == 0 else min(snapshot.updates + 1, last_update)), budget_s
        )
    to_epoch = Epoch(snapshot.epoch + 1)
    until = {"slice": None, "update": Update(snapshot.updates + 1), "epoch": to_epoch, "slice to epoch": to_epoch}
    return trainer.advance(until[cut], budget_s)


def is_in_batch(snapshot: Snapshot) -> bool:
    visits = snapshot.visits
    return not snapshot.is_between_epochs and visits.first_update + int(visits.update_of[-1]) == snapshot.updates


@given(experiments, events, cuts, slices, st.booleans())
def test_a_run_is_the_same_however_it_is_cut(
    experiment: dict[str, Any], events: list[Event], cuts: list[str], size: int, early: bool
) -> None:
    expected = straight(trainer_of(PROBLEM, **experiment), events)
    with patch.object(engine_module, "SLICE", size):
        actual = in_pieces(trainer_of(PROBLEM, **experiment), events, iter(cuts), early)
    assert trace(actual) == trace(expected)


@given(
    st.sampled_from([0.5, 2.0, 1e10, 1e100, 1e154, 1e200, 1e308]),
    st.sampled_from(["full", 1, 3]),
    st.sampled_from(["sequential", "replacement"]),
    cuts,
    slices,
)
def test_a_run_diverges_at_the_same_place_however_it_is_cut(
    lr: float, batch_size: Any, order: str, cuts: list[str], size: int
) -> None:
    settings = {"lr": lr, "batch_size": batch_size, "order": order, "epochs": 200}
    expected = trainer_of(PROBLEM, **settings).advance()
    with patch.object(engine_module, "SLICE", size):
        actual = in_pieces(trainer_of(PROBLEM, **settings), [], iter(cuts), early=False)
    assert trace(actual) == trace(expected)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_small_slices_cut_batches_and_evaluations_in_the_middle(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(engine_module, "SLICE", size)
    trainer = trainer_of(PROBLEM, batch_size="full", epochs=2)
    snapshots = []
    while trainer.state is not State.FINISHED:
        snapshots.append(trainer.advance(budget_s=0))
    assert any(0 < s.visited < 7 and s.updates == 0 for s in snapshots)
    assert any(s.visited == 7 and s.epoch == 0 for s in snapshots)
    assert trace(snapshots[-1]) == trace(trainer_of(PROBLEM, batch_size="full", epochs=2).advance())


@given(experiments, events, slices)
def test_the_events_that_a_run_noted_replay_it(experiment: dict[str, Any], events: list[Event], size: int) -> None:
    with patch.object(engine_module, "SLICE", size):
        played = trainer_of(PROBLEM, **experiment)
        straight(played, events)
    noted = [(0, {key: value for update, settings in events if update == 0 for key, value in settings.items()})]
    noted += [(event.update, {event.setting: event.after}) for event in played.snapshot().events]
    replayed = straight(trainer_of(PROBLEM, **experiment), noted)
    assert trace(replayed) == trace(played.snapshot())


def test_looking_at_a_run_does_not_change_it() -> None:
    watched, alone = (trainer_of(PROBLEM, order="shuffle", batch_size=2, epochs=5) for _ in range(2))
    for update in range(25):
        snapshot = watched.advance(until=Update(update))
        _ = snapshot.now, snapshot.visits.last_visit, snapshot.history.rows
    assert trace(watched.advance()) == trace(alone.advance())
