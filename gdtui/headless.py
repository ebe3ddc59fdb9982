"""Headless: an experiment run without a screen, written as a summary, as the tutorial's lines, or as JSON lines."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from gdtui.descent.snapshot import Epoch, State
from gdtui.descent.trainer import Trainer
from gdtui.experiment import printable
from gdtui.insight.tracked import INSTRUMENTS, Tracker
from gdtui.insight.verdict import verdict
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment

EXIT_STATUS = {State.DIVERGED: 3, State.INTERRUPTED: 130}
SLICE_S = 0.1
"""Seconds of descent between two looks at whether it was interrupted, and between two frames of the progress bar."""

PATIENCE_S = 1.0
"""Seconds from Ctrl-C after which a slice that does not end is given up."""

Stopped = Callable[[], bool]


def run(experiment: Experiment, output: str, with_samples: bool = False, with_instruments: bool = False) -> int:
    """Run an experiment to its end or to Ctrl-C, and write it to standard output.

    Args:
        experiment: what to run.
        output: progress, tutorial or jsonl.
        with_samples: jsonl: a line for each sample's visit.
        with_instruments: jsonl: a line with the instruments of each tracked epoch.

    Returns:
        The exit status: 0 finished or converged, 3 diverged, 130 interrupted.

    Raises:
        InputError: if the experiment names what does not exist or cannot be used.
    """
    trainer = Trainer(experiment, load_problem(experiment), Tracker() if with_instruments else None)
    with _interruptible() as stopped:
        if output == "jsonl":
            snapshot = _write_jsonl(trainer, sys.stdout, stopped, with_samples)
        elif output == "tutorial":
            snapshot = _write_tutorial(trainer, sys.stdout, stopped)
        else:
            snapshot = _show_progress(trainer, stopped)
    if snapshot.state is State.DIVERGED and output != "progress":
        sys.stdout.flush()
        print(verdict(snapshot), file=sys.stderr)
    return EXIT_STATUS.get(snapshot.state, 0)


@contextmanager
def _interruptible() -> Iterator[Stopped]:
    """Ctrl-C is asked about between slices, so that it never cuts an update in two.

    A second one ends at once; so does the first where no slice ends any more, as in a model that loops for ever.
    """
    interrupted, ended = Event(), Event()

    def note(*_: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        Thread(target=lose_patience, daemon=True).start()

    def lose_patience() -> None:
        if not ended.wait(PATIENCE_S):
            interrupt_main()
            if not ended.wait(PATIENCE_S):  # compiled code hears no signal
                os._exit(EXIT_STATUS[State.INTERRUPTED])

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted.is_set
    finally:
        ended.set()
        signal.signal(signal.SIGINT, before)


def _epochs(trainer: Trainer, stopped: Stopped) -> Iterator[Snapshot]:
    """The snapshot at each epoch's end, and at last the one at which the descent is over or was interrupted."""
    snapshot = trainer.snapshot()
    while not snapshot.state.is_over and not stopped():
        target = Epoch(snapshot.epoch + 1)
        snapshot = trainer.advance(target, budget_s=SLICE_S)
        while not (snapshot.has_reached(target) or snapshot.state.is_over or stopped()):
            snapshot = trainer.advance(target, budget_s=SLICE_S)
        yield snapshot


def _last(snapshot: Snapshot) -> Snapshot:
    """The snapshot a run ends with: if the descent is not over, it was interrupted."""
    return snapshot if snapshot.state.is_over else replace(snapshot, state=State.INTERRUPTED)


# --- JSON lines ------------------------------------------------------------------------------------------------------


def _write_jsonl(trainer: Trainer, out: TextIO, stopped: Stopped, with_samples: bool) -> Snapshot:
    def write(kind: str, **values: Any) -> None:
        out.write(json.dumps({"type": kind, **values}, allow_nan=False) + "\n")

    problem, snapshot, flushed = trainer.problem, trainer.snapshot(), perf_counter()
    write("start", experiment=trainer.experiment.as_dict(), samples=problem.n, parameters=len(problem.parameters))
    for snapshot in _epochs(trainer, stopped):
        if with_samples:
            for visit in _visits(snapshot):
                write("sample", **visit)
        if snapshot.is_between_epochs:
            write(
                "epoch",
                epoch=snapshot.epoch,
                updates=snapshot.updates,
                loss=_finite(snapshot.loss),
                lr=snapshot.lr,
                theta=_finites(snapshot.theta.tolist()),
            )
            for values in _instruments(snapshot):
                write("instruments", **values)
        if perf_counter() - flushed > SLICE_S:  # somebody may be watching
            out.flush()
            flushed = perf_counter()
    snapshot = _last(snapshot)
    write(
        "end",
        state=snapshot.state,
        epoch=snapshot.epoch,
        updates=snapshot.updates,
        loss=_finite(snapshot.loss),
        theta=_finites(snapshot.theta.tolist()),
        verdict=verdict(snapshot),
    )
    return snapshot


def _visits(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    visits = snapshot.visits
    epoch = snapshot.epoch if snapshot.is_between_epochs else snapshot.epoch + 1
    columns = (visits.samples, visits.update_of + visits.first_update + 1, visits.losses, visits.gradients)
    for sample, update, loss, gradient in zip(*(column.tolist() for column in columns), strict=True):
        yield {
            "epoch": epoch,
            "update": update,
            "sample": sample,
            "loss": _finite(loss),
            "gradient": _finites(gradient),
        }


def _instruments(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """What was tracked at the end of the epoch that has just ended, if it was."""
    for epoch, updates, *values in snapshot.tracked[-1:].tolist():
        if epoch == snapshot.epoch:
            named = dict(zip(INSTRUMENTS, map(_finite, values), strict=True))
            conflicts = named["conflicts"]
            yield (
                {"epoch": int(epoch), "updates": int(updates)}
                | named
                | {"conflicts": None if conflicts is None else int(conflicts)}
            )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _finites(values: Iterable[float]) -> list[float | None]:
    return [_finite(value) for value in values]


# --- the tutorial's lines --------------------------------------------------------------------------------------------


def _write_tutorial(trainer: Trainer, out: TextIO, stopped: Stopped) -> Snapshot:
    """The tutorial's two programs' output: f before the update for full batches, else each visit and the last ℓ after.

    With one feature it predicts at x = 4, as they do.
    """
    snapshot, dataset = trainer.snapshot(), trainer.problem.dataset
    is_full = trainer.experiment.batch_size == "full"

    def predict(when: str) -> None:
        if trainer.problem.model.predict and len(dataset.features) == 1:
            y_hat = trainer.problem.model.predict(snapshot.theta.tolist(), [4.0])
            out.write(f"Predict ({when} training) 4 {y_hat}\n")

    predict("before")
    loss = snapshot.loss
    for snapshot in _epochs(trainer, stopped):
        if not snapshot.is_between_epochs:
            break
        if not is_full:
            for sample, gradient in zip(snapshot.visits.samples.tolist(), snapshot.visits.gradients, strict=True):
                x = " ".join(map(str, dataset.x[sample].tolist()))
                out.write(f"\tgrad {x} {dataset.y[sample]} {_numbers(gradient.tolist())}\n")
            loss = snapshot.now.losses[snapshot.visits.samples[-1]]
        out.write(f"Epoch {snapshot.epoch - 1} w= {_numbers(snapshot.theta.tolist())} loss= {loss}\n")
        loss = snapshot.loss
    predict("after")
    return _last(snapshot)


def _numbers(values: list[float]) -> str:
    return " ".join(map(str, values))


# --- a progress bar, then a summary ----------------------------------------------------------------------------------


def _show_progress(trainer: Trainer, stopped: Stopped) -> Snapshot:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    class PipeConsole(Console):
        """Leaves it to the command line what a closed pipe means; rich would exit with status 1."""

        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError

    console = PipeConsole()
    columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TextColumn("loss {task.fields[loss]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        snapshot = trainer.snapshot()
        task = progress.add_task("", total=trainer.experiment.epochs, loss=f"{snapshot.loss:.4g}")
        while not snapshot.state.is_over and not stopped():
            snapshot = trainer.advance(budget_s=SLICE_S)
            progress.update(task, completed=snapshot.epoch, loss=f"{snapshot.loss:.4g}")
    snapshot = _last(snapshot)
    console.print(_summary(snapshot))
    console.print(verdict(snapshot), markup=False, highlight=False)
    return snapshot


def _summary(snapshot: Snapshot) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    dataset, experiment = snapshot.problem.dataset, snapshot.experiment
    rows = {
        "problem": f"{experiment.problem} on {dataset.name}, n = {len(dataset.y):,}",
        "method": f"{experiment.optimizer}, batch size {experiment.batch_size}, lr {experiment.lr:g}",
        "state": snapshot.state,
        "epochs": f"{snapshot.epoch:,} of {experiment.epochs:,}",
        "updates": f"{snapshot.updates:,}",
        "loss": f"{snapshot.loss:.6g}",
        "seconds": f"{snapshot.seconds:.3g}",
    }
    if dataset.dropped:
        rows["dropped"] = f"{dataset.dropped:,} rows with missing values"
    for name, value in list(zip(snapshot.problem.parameters, snapshot.theta.tolist(), strict=True))[:8]:
        rows[name] = str(value)
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(Text(name), Text(printable(value)))
    return table
