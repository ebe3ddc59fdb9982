"""Work: what one worker does: a batch of runs, each to its end or to an epoch; what is to be kept of them goes back.

A worker opens no store and remembers nothing that matters: it may be on another machine, and it may die.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import InputError
from gdtui.insight.tracked import Tracker
from gdtui.problems.loading import is_own_model, load_problem, located, problem_hyperparameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.descent.record import Record
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.problems.problem import Problem

BUDGET_S = 2.0
"""A batch goes back after this long, at an epoch's end, be it done or not: no more than that is ever lost."""

REPLAYED = 10**7
"""n·p·epochs of a run that costs less to run anew than to keep: its checkpoints are made when it is opened."""

FAR = 2**40
"""Epochs between two checkpoints of such a run while it runs: then many epochs are one call of the kernel."""

MOST_PROBLEMS = 4
"""Problems that a worker remembers."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run, or a part of one.

    Attributes:
        key: the experiment's line.
        experiment: its settings.
        folder: where its relative file names begin.
        epoch: how far it is to come.
        is_compiled: compile at once; without, that is done when the run itself shows that it pays.
        record: where it goes on from; None: from the start.
    """

    key: str
    experiment: Experiment
    folder: str
    epoch: int
    is_compiled: bool = False
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job.

    Attributes:
        key: the job's.
        record: all that is to be kept; None where it failed.
        failure: why it failed; empty where it did not.
        seconds: what it took.
    """

    key: str
    record: Record | None
    failure: str = ""
    seconds: float = 0.0


def work(jobs: Sequence[Job], budget_s: float = BUDGET_S) -> list[Outcome]:
    """Do jobs one after the other until the time is over; those that were not begun have no outcome.

    The last one may have come only some of its way: its record then says running.
    """
    deadline = perf_counter() + budget_s
    outcomes = []
    for job in jobs:
        began = perf_counter()
        try:
            outcome = Outcome(job.key, _done(job, deadline), seconds=perf_counter() - began)
        except InputError as error:
            outcome = Outcome(job.key, None, str(error), perf_counter() - began)
        except (Exception, SystemExit) as error:  # a model of one's own may raise anything
            outcome = Outcome(job.key, None, f"{type(error).__name__}: {error}", perf_counter() - began)
        outcomes.append(outcome)
        if perf_counter() >= deadline:
            break
    return outcomes


def _done(job: Job, deadline: float) -> Record:
    """A run's record at the end of the job, or at the end of the epoch in which the time was over."""
    problem = problem_of(located(job.experiment, job.folder))
    is_replayed = problem.n * len(problem.parameters) * job.experiment.epochs <= REPLAYED
    trainer = Trainer(job.experiment, problem, None if is_replayed else Tracker())
    start = job.record or trainer.record()
    if start.history.first_loss != trainer.snapshot().loss:
        raise InputError("data", "the data or the model has changed since the run was begun")
    if is_replayed or job.record:
        trainer.go_to(replace(start, stride=FAR) if is_replayed else start, with_visits=False)
    if job.is_compiled:
        trainer.compile()
    snapshot = trainer.advance(Epoch(job.epoch), max(0.0, deadline - perf_counter()))
    if not _is_between(snapshot):
        snapshot = trainer.advance(Epoch(snapshot.epoch + 1))
    record = trainer.record()
    return replace(record, stride=1) if is_replayed else record


def _is_between(snapshot: Snapshot) -> bool:
    return snapshot.is_between_epochs or snapshot.state.is_over


def problem_of(experiment: Experiment) -> Problem:
    """The problem of an experiment; those that differ in nothing that it is made of have the same."""
    known = {one.name for one in problem_hyperparameters(experiment)}
    common: dict[str, object] = {name: None for name, _ in experiment.set if name not in known}
    if not is_own_model(experiment.problem):
        common["init"] = ()
    plain = experiment.replace(**common, optimizer="sgd", lr=1.0, schedule="constant", batch_size=1, epochs=1)
    return _loaded(plain, _stamp(plain.data), _stamp(plain.problem.rpartition(":")[0]))


@lru_cache(MOST_PROBLEMS)
def _loaded(experiment: Experiment, *_stamps: tuple[int, ...]) -> Problem:
    return load_problem(experiment)


def _stamp(file: str) -> tuple[int, ...]:
    """What tells a file from a later one of its name: a cluster's worker may live for weeks. Empty if there is none."""
    try:
        status = Path(file).stat()
    except (OSError, ValueError):
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns
