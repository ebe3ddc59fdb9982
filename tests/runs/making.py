"""Making: runs to be killed, and what is left of them; as a program, a process that makes one.

python tests/runs/making.py CASE [RUN]
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.tracked import Tracker
from gdtui.problems.loading import load_problem
from gdtui.runs.keeper import Keeper
from gdtui.runs.reopen import reopen
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from gdtui.descent.record import Record
    from gdtui.runs.store import Run

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Change:
    """Settings that change after so many updates, or in the midst of the batch that follows them."""

    updates: int
    settings: dict[str, Any]
    is_mid_batch: bool = False


@dataclass(frozen=True)
class Case:
    """An experiment and the changes in its midst."""

    line: str
    changes: tuple[Change, ...] = ()

    @property
    def experiment(self) -> Experiment:
        return Experiment.from_line(self.line)


CASES = {
    "long": Case("lr=1e-6 epochs=400000"),
    "longer": Case("lr=1e-6 epochs=3000000"),
    "moons": Case(
        "problem=mlp data=moons optimizer=adam lr=0.02 batch-size=16 order=shuffle epochs=4000 set=hidden:3,n:64",
        (
            Change(400, {"lr": 0.01}),
            Change(4_001, {"batch_size": 24, "beta1": 0.8}),
            Change(7_002, {"order": "replacement"}),
            Change(10_001, {"lr": 0.005, "batch_size": 16}),
        ),
    ),
    "large": Case(
        "problem=mlp data=moons lr=0.05 batch-size=30000 order=shuffle epochs=24 set=hidden:16,n:100000",
        (
            Change(5, {"lr": 0.02}, is_mid_batch=True),
            Change(50, {"batch_size": 40_000}, is_mid_batch=True),
            Change(81, {"lr": 0.5}),
        ),
    ),
}


def go_on(trainer: Trainer, case: Case, keeper: Keeper | None = None) -> Trainer:
    """To the end, with those of the changes that are still to come."""
    is_kept = keeper is not None

    def advance(until: Update | None) -> None:
        while True:
            snapshot = trainer.advance(until, budget_s=0.02 if is_kept else None)
            if keeper and keeper.is_due:
                keeper.look_at(trainer.record())
            if snapshot.has_reached(until) or snapshot.state.is_over:
                return

    for change in _left(trainer, case):
        advance(Update(change.updates))
        while change.is_mid_batch and not trainer._pass.is_in_batch:
            trainer.advance(budget_s=0)
        trainer.change(**change.settings)
        if keeper:
            keeper.look_at(trainer.record())
    advance(None)
    if keeper:
        keeper.look_at(trainer.record())
        keeper.close()
    return trainer


def _left(trainer: Trainer, case: Case) -> list[Change]:
    made, left = len(trainer.record().events), []
    for change in case.changes:
        made -= len(change.settings)
        if made < 0:
            left.append(change)
    return left


def trainer_of(line: str = "", epochs: int = 0) -> Trainer:
    """The descent of an experiment, the tutorial's by default, after some epochs."""
    experiment = Experiment.from_line(line)
    trainer = Trainer(experiment, load_problem(experiment), Tracker())
    if epochs:
        trainer.advance(until=Epoch(epochs))
    return trainer


def kept(store: Store, trainer: Trainer) -> Run:
    """That moment of a descent, kept in a store, and nobody at it any more."""
    keeper = Keeper(store)
    keeper.look_at(trainer.record())
    keeper.close()
    assert keeper.problem == ""
    return store.find(keeper.run)


def gone_on(store: Store, run: Run) -> Trainer:
    """The descent of a kept run, gone on with to its end."""
    trainer, _ = reopen(store, run)
    trainer.advance()
    return trainer


def undisturbed(case: Case) -> Record:
    """What is known at the end of a run that nobody kept or killed."""
    return go_on(Trainer(case.experiment, load_problem(case.experiment), Tracker()), case).record()


def child(home: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A process with its store in that folder."""
    environment = os.environ | {"GDTUI_HOME": str(home), "PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([sys.executable, *arguments], env=environment, text=True, **streams)


def beginning(home: Path, name: str) -> subprocess.Popen[str]:
    """A process that begins a case."""
    if CASES[name].changes:
        return child(home, __file__, name)
    return child(home, "-m", "gdtui", "run", "--format", "progress", "--experiment", CASES[name].line)


def resuming(home: Path, name: str, run: str) -> subprocess.Popen[str]:
    """A process that goes on with it."""
    if CASES[name].changes:
        return child(home, __file__, name, run)
    return child(home, "-m", "gdtui", "resume", run, "--format", "progress")


def check(path: Path) -> list[str]:
    """What SQLite has to say against a store."""
    with closing(sqlite3.connect(path)) as connection:
        said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        return [line for line in said if line != "ok"] + connection.execute("PRAGMA foreign_key_check").fetchall()


def differences(one: Record, other: Record) -> list[str]:
    """In what two records differ, to the bit; seconds and the way apart."""
    names = (
        "experiment",
        "settings",
        "state",
        "reason",
        "epoch",
        "updates",
        "visited",
        "samples",
        "parameters",
        "stride",
    )
    found = [name for name in (*names, "events") if getattr(one, name) != getattr(other, name)]
    arrays = {
        "theta": [record.theta for record in (one, other)],
        "loss": [np.float64(record.loss) for record in (one, other)],
        "history": [np.delete(record.history.rows, Column.SECONDS, axis=1) for record in (one, other)],
        "tracked": [record.tracked for record in (one, other)],
    }
    found += [name for name, (a, b) in arrays.items() if a.shape != b.shape or a.tobytes() != b.tobytes()]
    if len(one.checkpoints) != len(other.checkpoints):
        found.append("checkpoints")
    for a, b in zip(one.checkpoints, other.checkpoints, strict=False):
        for name in ("experiment", "epoch", "updates", "generator_state", "events"):
            found += [f"checkpoint {a.epoch}: {name}"] * (getattr(a, name) != getattr(b, name))
        for name in ("theta", "optimizer_state", "visit_loss"):
            same = np.asarray(getattr(a, name)).tobytes() == np.asarray(getattr(b, name)).tobytes()
            found += [f"checkpoint {a.epoch}: {name}"] * (not same)
    return found


def main(name: str, run: str = "") -> None:
    """Make it, or go on with it."""
    case, store = CASES[name], Store()
    problem = load_problem(case.experiment)
    if run:
        record = store.record(run)
        go_on(Trainer.of(record, problem, Tracker()), case, Keeper(store, run, record))
    else:
        go_on(Trainer(case.experiment, problem, Tracker()), case, Keeper(store))


if __name__ == "__main__":
    main(*sys.argv[1:])
