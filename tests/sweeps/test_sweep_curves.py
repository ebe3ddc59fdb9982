"""The curves of a sweep's runs: those that the runs themselves have."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest
from swept import made, sweep_of

from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment, InputError
from gdtui.problems.loading import load_problem
from gdtui.sweeps.board import Board, board_of
from gdtui.sweeps.curves import POINTS, curves_of, exact_curves
from gdtui.sweeps.work import Job, Outcome, work

if TYPE_CHECKING:
    from gdtui.sweeps.ledger import Ledger
    from gdtui.sweeps.sweep import Sweep

TARGET = 1e-6


def swept(*over: str, line: str = "", seeds: int = 1) -> tuple[Ledger, str, Board]:
    ledger, kept, progress = made(sweep_of(*over, line=line, seeds=seeds))
    return ledger, kept, board_of(progress)


def losses_of(experiment: Experiment) -> list[float]:
    """The loss after each epoch of the run by itself, the start first."""
    trainer = Trainer(experiment, load_problem(experiment))
    return trainer.advance().history.rows[:, 4].tolist()


def test_curves_are_those_of_the_runs_by_themselves() -> None:
    ledger, kept, board = swept("lr=0.001,0.1,0.5", "epochs=40,300", line="order=shuffle", seeds=2)
    curves = curves_of(ledger, kept, board, TARGET)
    assert curves.losses.shape == (12, POINTS)
    assert (curves.epochs[0], curves.epochs[-1]) == (0, 300)
    seen = sorted((curves.arms[row], losses.tobytes()) for row, losses in enumerate(curves.losses))
    expected = []
    for arm in range(len(board.arms)):
        for seed in range(2):
            by_epoch = losses_of(board.experiment(arm).replace(seed=seed))
            curve = [by_epoch[int(epoch)] if epoch < len(by_epoch) else np.nan for epoch in curves.epochs]
            expected.append((arm, np.array(curve, dtype=np.float32).tobytes()))
    assert seen == sorted(expected)


def test_a_target_is_reached_when_the_median_run_is_there() -> None:
    ledger, kept, board = swept("lr=0.001,0.02,0.1,0.5", line="order=replacement", seeds=3)
    for target in (TARGET, 1.0, 1e9):
        reached = curves_of(ledger, kept, board, target).reached
        for arm, epochs in enumerate(reached.tolist()):
            runs = [losses_of(board.experiment(arm).replace(seed=seed)) for seed in range(3)]
            assert epochs == median(
                next((epoch for epoch, loss in enumerate(run) if loss <= target), np.inf) for run in runs
            )


def test_a_run_that_failed_has_reached_nothing() -> None:
    ledger, kept, board = swept("optimizer=sgd,adam", "momentum=0.5", line="lr=0.01")
    assert np.isposinf(curves_of(ledger, kept, board, 1e9).reached).tolist() == [False, True]


def test_all_of_a_points_curves_are_had_in_the_order_of_the_seeds() -> None:
    ledger, kept, board = swept("lr=0.02,0.5", line="order=shuffle epochs=30", seeds=3)
    for arm in range(2):
        found = exact_curves(ledger, kept, board, arm)
        for seed, curve in enumerate(found):
            losses = losses_of(board.experiment(arm).replace(seed=seed))
            assert curve.tolist() == [[epoch, loss] for epoch, loss in enumerate(losses)]
        assert len(found) == 3


def test_what_a_long_run_has_thinned_is_read_with_its_newest_epoch() -> None:
    ledger, kept, board = swept("lr=1e-6", line="epochs=70001")
    ((curve,), record) = exact_curves(ledger, kept, board, 0), ledger.store.record(board.best[0])
    assert np.array_equal(curve, record.history.rows[:, [0, 4]])
    assert curve[-1, 0] == 70001


# --- as a sweep goes on ----------------------------------------------------------------------------------------------


def came(sweep: Sweep, epochs: dict[str, int]) -> list[Outcome]:
    """Runs, by their keys, that have come so far."""
    return work([Job(key, sweep.points()[key], ".", epoch) for key, epoch in epochs.items()], budget_s=60)


def test_what_goes_on_takes_the_place_of_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    from gdtui.sweeps.ledger import Ledger

    sweep = sweep_of("lr=0.01,0.02,0.03,0.04", line="epochs=20")
    keys = list(sweep.points())
    ledger = Ledger()
    kept = ledger.begin(sweep)
    numbers = {key: number for number, key in enumerate(keys, 1)}
    ledger.write(kept, numbers, came(sweep, {keys[0]: 20, keys[1]: 5}), 0.1)
    look = ledger.look(kept)
    board = board_of(look)
    first = curves_of(ledger, kept, board, TARGET)
    assert np.isnan(first.reached).tolist() == [False, True, True, True]

    ledger.write(kept, numbers, came(sweep, {keys[1]: 20, keys[2]: 20}), 0.1)
    board = board_of(ledger.look(kept, look), board)
    read: list[str] = []
    histories = Ledger.histories
    monkeypatch.setattr(Ledger, "histories", lambda self, runs: (read.extend(runs), histories(self, runs))[1])
    then, anew = curves_of(ledger, kept, board, TARGET, first), curves_of(ledger, kept, board, TARGET)
    assert read == [f"{kept}.2", f"{kept}.3", f"{kept}.1", f"{kept}.2", f"{kept}.3"]
    order = np.argsort(then.arms), np.argsort(anew.arms)
    assert then.arms[order[0]].tolist() == anew.arms[order[1]].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(then.losses[order[0]], anew.losses[order[1]])
    np.testing.assert_array_equal(then.reached, anew.reached)


def test_another_target_is_looked_for_in_all_that_is_kept() -> None:
    ledger, kept, board = swept("lr=0.01,0.1")
    first = curves_of(ledger, kept, board, TARGET)
    then = curves_of(ledger, kept, board, 1e-3, first)
    np.testing.assert_array_equal(then.reached, curves_of(ledger, kept, board, 1e-3).reached)
    assert (then.reached < first.reached).all()


def test_a_history_that_is_damaged_is_said_to_be() -> None:
    ledger, kept, board = swept("lr=0.01")
    with sqlite3.connect(ledger.store.path) as connection:
        connection.execute("UPDATE piece SET numbers = zeroblob(length(numbers)) WHERE kind = 'history'")
    with pytest.raises(InputError, match="damaged"):
        curves_of(ledger, kept, board, TARGET)


def test_curves_of_a_sweep_that_was_deleted_cannot_be_read() -> None:
    ledger, kept, board = swept("lr=0.01")
    ledger.remove(ledger.named(kept))
    with pytest.raises(InputError, match="not kept any more"):
        curves_of(ledger, kept, board, TARGET)
    with pytest.raises(InputError, match="not kept any more"):
        exact_curves(ledger, kept, board, 0)


def test_nothing_is_read_where_nothing_is_new() -> None:
    ledger, kept, board = swept("lr=0.01")
    first = curves_of(ledger, kept, board, TARGET)
    assert curves_of(ledger, kept, replace(board), TARGET, first) is first
