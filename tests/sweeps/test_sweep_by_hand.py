"""Runs of a sweep that somebody goes on with by hand: none is written over, none is counted for what it is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from swept import bits, sweep_of

from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem
from gdtui.runs.holding import NOBODY, maker, update
from gdtui.runs.keeper import Keeper
from gdtui.runs.reopen import reopen
from gdtui.runs.store import Store
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.work import Job, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Finished

    from gdtui.descent.record import Record

    Command = Callable[..., Finished]


def half_made(*epochs: int) -> str:
    """A sweep of two runs that was interrupted, the first of them after these epochs, one after the other."""
    ledger = Ledger()
    sweep = sweep_of("lr=0.001,0.002")
    kept = ledger.begin(sweep)
    points = sweep.points()
    numbers = {key: number for number, key in enumerate(points, 1)}
    key, experiment = next(iter(points.items()))
    for epoch in epochs:
        ledger.write(kept, numbers, work([Job(key, experiment, ".", epoch)]), 0.0)
    ledger.let_go(kept)
    return kept


def alone() -> Record:
    """The first run by itself."""
    experiment = Experiment(lr=0.001)
    trainer = Trainer(experiment, load_problem(experiment))
    trainer.advance()
    return trainer.record()


def resumed(gdtui: Command, sweep: str) -> Finished:
    return gdtui("sweep", "--resume", sweep, "--jobs", "1")


def test_a_run_that_another_process_makes_is_left_to_it(gdtui: Command) -> None:
    sweep, store = half_made(50), Store()
    with store.writing() as connection:
        update(connection, {"id": f"{sweep}.1"}, maker("somebody else"))
    finished = resumed(gdtui, sweep)
    assert finished.err.startswith(f"gdtui: 1 of 2 runs failed: run {sweep}.1 is being made by process ")
    assert [run["state"] for run in finished.records("run")] == ["failed", "finished"] or len(finished.records()) == 4
    assert store.record(f"{sweep}.1").epoch == 50
    with store.writing() as connection:
        update(connection, {"id": f"{sweep}.1"}, NOBODY)
    assert (resumed(gdtui, sweep).status, Ledger().named(sweep).state) == (0, "finished")
    assert bits(store.record(f"{sweep}.1")) == bits(alone())


def test_a_run_that_has_come_farther_meanwhile_stays_as_it_is() -> None:
    sweep = half_made(80, 50)
    assert Store().record(f"{sweep}.1").epoch == 80
    assert Ledger().look(sweep).outcomes[next(iter(sweep_of("lr=0.001,0.002").points()))].epoch == 80


@pytest.mark.parametrize("is_paused", [True, False])
def test_a_run_that_was_gone_on_with_by_hand_is_brought_to_its_end(gdtui: Command, is_paused: bool) -> None:
    sweep, store = half_made(50), Store()
    trainer, record = reopen(store, store.run(f"{sweep}.1"))
    trainer.advance(Epoch(60))
    keeper = Keeper(store, f"{sweep}.1", record)
    keeper.look_at(trainer.record(), is_paused=is_paused)
    keeper.close()
    assert store.run(f"{sweep}.1").epoch == 60
    assert Ledger().named(sweep).done == 0
    assert resumed(gdtui, sweep).status == 0
    assert Ledger().named(sweep).state == "finished"
    assert bits(store.record(f"{sweep}.1")) == bits(alone())


def test_a_run_whose_settings_were_changed_is_not_taken_for_the_sweep_s(gdtui: Command) -> None:
    sweep, store = half_made(50), Store()
    trainer, record = reopen(store, store.run(f"{sweep}.1"))
    trainer.change(lr=0.1)
    trainer.advance()
    keeper = Keeper(store, f"{sweep}.1", record)
    keeper.look_at(trainer.record())
    keeper.close()
    changed = store.record(f"{sweep}.1")
    finished = resumed(gdtui, sweep)
    assert finished.err == (
        f"gdtui: 1 of 2 runs failed: run {sweep}.1 was changed by hand: delete it, and --resume makes it anew\n"
    )
    assert bits(store.record(f"{sweep}.1")) == bits(changed)
    (shown,) = json.loads(gdtui("runs", "sweep", "--json").out)
    assert shown["states"] == {"failed": 1, "finished": 1}
    assert shown["loss"] == store.run(f"{sweep}.2").loss  # the changed one's is smaller
    gdtui("rm", f"{sweep}.1")
    assert resumed(gdtui, sweep).status == 0
    assert bits(store.record(f"{sweep}.1")) == bits(alone())
