"""Headless: an experiment run without a screen, written as a summary, as the tutorial's lines, or as JSON lines."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
from dataclasses import dataclass, replace
from stat import S_ISCHR
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from gdtui.descent.snapshot import Epoch, State
from gdtui.descent.trainer import Trainer
from gdtui.experiment import InputError, printable
from gdtui.insight.tracked import INSTRUMENTS, Tracker
from gdtui.insight.verdict import verdict
from gdtui.problems.loading import load_problem
from gdtui.runs.keeper import Keeper
from gdtui.runs.reopen import reopen
from gdtui.runs.store import Store
from gdtui.stopping import HUNG_UP, INTERRUPTED, Stops, interruptible, silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import Console

    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment

EXIT_STATUS = {State.DIVERGED: 3, State.INTERRUPTED: INTERRUPTED}
SLICE_S = 0.1
"""Seconds of descent between two looks at whether it was interrupted, and between two frames of the progress bar."""

TURN_S = 0.0005
"""Python's threads take turns that long: with the usual ones, ten times as long, the keeper would lag behind."""


@dataclass(frozen=True, slots=True)
class Output:
    """What is written to standard output.

    Attributes:
        format: progress, tutorial or jsonl.
        with_samples: jsonl: a line for each sample's visit.
        with_instruments: jsonl: a line with the instruments of each tracked epoch.
    """

    format: str
    with_samples: bool = False
    with_instruments: bool = False


def run(experiment: Experiment, output: Output, is_kept: bool = True, labels: Mapping[str, str] | None = None) -> int:
    """Run an experiment to its end or to Ctrl-C, write it to standard output, and keep it under these labels.

    Returns:
        The exit status: 0 finished or converged, 3 diverged, 130 interrupted.

    Raises:
        InputError: if the experiment names what does not exist or cannot be used.
    """
    store = Store()
    labels = store.checked(labels or {})
    with interruptible() as stops:
        problem = load_problem(experiment)
        trainer = Trainer(experiment, problem, Tracker() if is_kept or output.with_instruments else None)
        return _run(trainer, output, stops, Keeper(store, labels=labels) if is_kept else None)


def resume(name: str, output: Output) -> int:
    """Go on with a kept run whose process ended before it was over; otherwise as `run`.

    Raises:
        InputError: if there is no such run, it is over or being made, or its data or model is not what it was.
    """
    store = Store()
    kept = store.find(name)
    if kept.is_made:
        text = f"run {kept.id} is being made by {kept.maker}: gdtui watch {kept.id} follows it"
        raise InputError("run", text)
    if State(kept.state).is_over:
        raise InputError("run", f"run {kept.id} is {kept.state}, there is nothing left to do: gdtui open {kept.id}")
    with interruptible() as stops:
        trainer, record = reopen(store, kept)
        return _run(trainer, output, stops, Keeper(store, kept.id, record))


def _run(trainer: Trainer, output: Output, stops: Stops, keeper: Keeper | None) -> int:
    sys.setswitchinterval(TURN_S)
    descent, status = _Descent(trainer, stops, keeper), 0
    try:
        status = _write(descent, output)
        descent.keep_last()
    except KeyboardInterrupt:  # a second signal, or a slice that does not end: what was looked at so far has to do
        if not stops.status:
            raise
        if stops.is_stuck:
            descent.close()
    except OSError as error:  # nobody reads any more
        descent.keep_last()
        if error.errno == errno.EIO and S_ISCHR(os.fstat(sys.stdout.fileno()).st_mode):
            stops.status = stops.status or HUNG_UP  # the terminal has gone; its signal may be on its way yet
        if not stops.status:
            raise
        silence(sys.stdout)
    try:
        for line in descent.remarks():
            print(f"gdtui: {line}", file=sys.stderr)
    except OSError:
        silence(sys.stderr)
    return stops.status or status


def _write(descent: _Descent, output: Output) -> int:
    """Run it and write it; the exit status."""
    if output.format == "jsonl":
        snapshot = _write_jsonl(descent, sys.stdout, output)
    elif output.format == "tutorial":
        snapshot = _write_tutorial(descent, sys.stdout)
    else:
        snapshot = _show_progress(descent)
    sys.stdout.flush()
    if snapshot.state is State.DIVERGED and output.format != "progress":
        print(verdict(snapshot), file=sys.stderr)
    return EXIT_STATUS.get(snapshot.state, 0)


class _Descent:
    """A trainer that is advanced, stopped by signals and kept."""

    def __init__(self, trainer: Trainer, stops: Stops, keeper: Keeper | None) -> None:
        self.trainer = trainer
        self._stops, self._keeper = stops, keeper

    @property
    def run(self) -> str:
        """The id under which it is kept; empty where it is not."""
        return self._keeper.run if self._keeper else ""

    def slices(self, until: Epoch | None = None) -> Iterator[Snapshot]:
        """The snapshot after each slice, one at least, up to an epoch or the end."""
        goes_on = True
        while goes_on:
            snapshot = self.trainer.advance(until, budget_s=SLICE_S)
            if self._keeper and self._keeper.is_due:
                self._keeper.look_at(self.trainer.record())
            goes_on = not (snapshot.has_reached(until) or snapshot.state.is_over or self._stops.status)
            yield snapshot

    def epochs(self) -> Iterator[Snapshot]:
        """The snapshot at each epoch's end, and at last the one at which the descent is over or was interrupted."""
        snapshot = self.trainer.snapshot()
        while not snapshot.state.is_over and not self._stops.status:
            *_, snapshot = self.slices(Epoch(snapshot.epoch + 1))
            yield snapshot

    def keep_last(self) -> None:
        """Keep the last of it."""
        if self._keeper:
            self._keeper.look_at(self.trainer.record())
        self.close()

    def close(self) -> None:
        """Keep what was looked at; that takes its time, but not for long."""
        self._stops.has_obeyed.set()
        if self._keeper:
            self._keeper.close()

    def remarks(self) -> Iterator[str]:
        """What is to be said of how it was kept."""
        keeper = self._keeper
        if keeper is None:
            return
        if keeper.notice:
            yield keeper.notice
        if keeper.problem:
            beyond = "" if keeper.epoch is None else f" beyond epoch {keeper.epoch:,}"
            yield f"this run is not kept{beyond}: {keeper.problem}"
        if self._stops.status and keeper.epoch is not None and not self.trainer.state.is_over:
            yield f"interrupted; gdtui resume {self.run} goes on with it"


def _last(snapshot: Snapshot) -> Snapshot:
    """The snapshot a run ends with: if the descent is not over, it was interrupted."""
    return snapshot if snapshot.state.is_over else replace(snapshot, state=State.INTERRUPTED)


# --- JSON lines ------------------------------------------------------------------------------------------------------


def _write_jsonl(descent: _Descent, out: TextIO, output: Output) -> Snapshot:
    def write(kind: str, **values: Any) -> None:
        out.write(json.dumps({"type": kind, **values}, allow_nan=False) + "\n")

    trainer, flushed = descent.trainer, perf_counter()
    problem, snapshot = trainer.problem, trainer.snapshot()
    write("start", experiment=trainer.experiment.as_dict(), samples=problem.n, parameters=len(problem.parameters))
    for snapshot in descent.epochs():
        if output.with_samples:
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
            for values in _instruments(snapshot) if output.with_instruments else ():
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


def _write_tutorial(descent: _Descent, out: TextIO) -> Snapshot:
    """The tutorial's two programs' output: f before the update for full batches, else each visit and the last ℓ after.

    With one feature it predicts at x = 4, as they do.
    """
    trainer = descent.trainer
    snapshot, dataset = trainer.snapshot(), trainer.problem.dataset
    is_full = trainer.experiment.batch_size == "full"

    def predict(when: str) -> None:
        if trainer.problem.model.predict and len(dataset.features) == 1:
            y_hat = trainer.problem.model.predict(snapshot.theta.tolist(), [4.0])
            out.write(f"Predict ({when} training) 4 {y_hat}\n")

    predict("before")
    loss = snapshot.loss
    for snapshot in descent.epochs():
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


def _show_progress(descent: _Descent) -> Snapshot:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = pipe_console()
    columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TextColumn("loss {task.fields[loss]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        snapshot = descent.trainer.snapshot()
        task = progress.add_task("", total=snapshot.experiment.epochs, loss=f"{snapshot.loss:.4g}")
        for snapshot in descent.slices():
            progress.update(task, completed=snapshot.epoch, loss=f"{snapshot.loss:.4g}")
    snapshot = _last(snapshot)
    console.print(_summary(snapshot, descent.run))
    console.print(verdict(snapshot), markup=False, highlight=False)
    return snapshot


def pipe_console() -> Console:
    """A console that leaves it to the command line what a closed pipe means; rich would exit with status 1."""
    from rich.console import Console

    class PipeConsole(Console):
        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError

    return PipeConsole()


def _summary(snapshot: Snapshot, run: str) -> Any:
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
    if run:
        rows["run"] = run
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
