"""Headless sweep: a sweep made without a screen: a progress bar and then a table, or JSON lines, one a run."""

from __future__ import annotations

import json
import math
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdtui.experiment import InputError, printable
from gdtui.stopping import interruptible, silence
from gdtui.sweeps.conduct import Conductor
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.outcome import FAILED, STOPPED, counted, standings
from gdtui.sweeps.preparing import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gdtui.experiment import Experiment
    from gdtui.stopping import Stops
    from gdtui.sweeps.crew import Crew
    from gdtui.sweeps.kept import KeptSweep
    from gdtui.sweeps.outcome import Progress, RunOutcome, Standing
    from gdtui.sweeps.space import Axis
    from gdtui.sweeps.sweep import Sweep

MOST_ROWS = 20
"""Points in the table."""

MOST_JOBS = 1_000

BAD_INPUT = 2
"""The exit status where nothing could be run."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work.

    Attributes:
        jobs: so many processes; None: one a processor.
        scheduler: the address of a Dask cluster's scheduler; None: processes here.

    Raises:
        InputError: if that cannot be.
    """

    jobs: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.scheduler is not None:
            raise InputError("jobs", "--jobs is for this machine: a cluster has the workers that it has")
        if self.jobs is not None and not 1 <= self.jobs <= MOST_JOBS:
            raise InputError("jobs", f"--jobs is a whole number from 1 to {MOST_JOBS:,}, got {self.jobs}")

    @property
    def options(self) -> tuple[str, ...]:
        """The options of the command that say so."""
        if self.scheduler is not None:
            return "--scheduler", self.scheduler
        return () if self.jobs is None else ("--jobs", str(self.jobs))

    def crew(self) -> Crew:
        """Them, ready to work.

        Raises:
            InputError: if there are none such.
        """
        from gdtui.sweeps.crew import Cluster, Processes

        if self.scheduler is not None:
            return Cluster(self.scheduler)
        return Processes(_processors() if self.jobs is None else self.jobs)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def begin(sweep: Sweep, labels: Mapping[str, str], workers: Workers, format: str) -> int:
    """Make a new sweep, keep it under these labels and write it to standard output.

    Returns:
        The exit status: 0 when it is made, 130 interrupted, 2 if every run failed.

    Raises:
        InputError: if no point of it can be run, or the workers or the store cannot be used.
    """
    check(sweep, folder=None if workers.scheduler else str(Path.cwd()))
    ledger = Ledger()
    labels = ledger.store.checked(labels)
    return _go_on(ledger, lambda: ledger.named(ledger.begin(sweep, labels)), workers, format)


def resume(name: str, workers: Workers, format: str) -> int:
    """Make what is missing of a kept sweep; otherwise as `begin`.

    Raises:
        InputError: if there is no such sweep, or another process makes it.
    """
    ledger = Ledger()
    kept = ledger.named(name)
    if kept.state == "finished" and FAILED not in kept.states:
        raise InputError("sweep", f"sweep {kept.id} is finished, nothing of it is missing: gdtui show {kept.id}")
    return _go_on(ledger, lambda: ledger.take(kept), workers, format)


def extend(name: str, axes: Sequence[Axis], seeds: int, samples: int, workers: Workers, format: str) -> int:
    """Make a kept sweep larger; otherwise as `resume`.

    Raises:
        InputError: if it cannot be extended so.
    """
    ledger = Ledger()
    kept = ledger.named(name)
    wider = kept.sweep.extended(axes, seeds, samples)
    check(wider, folder=None if workers.scheduler else kept.folder)
    return _go_on(ledger, lambda: ledger.take(kept, wider), workers, format)


def _go_on(ledger: Ledger, take: Callable[[], KeptSweep], workers: Workers, format: str) -> int:
    """With workers that are there, take a sweep and make it."""
    crew = workers.crew()
    try:
        kept = take()
    except BaseException:
        crew.close()
        raise
    return _make(ledger, kept, crew, format)


def _make(ledger: Ledger, kept: KeptSweep, crew: Crew, format: str) -> int:
    with interruptible() as stops:
        conductor = Conductor(ledger, kept.id, kept.folder, crew)
        try:
            write = _write_jsonl if format == "jsonl" else _show_progress
            write(_moments(conductor, stops), conductor, kept)
            sys.stdout.flush()
        except KeyboardInterrupt:  # a second signal, or an epoch that does not end: what is kept by now has to do
            if not stops.status:
                raise
        stops.has_obeyed.set()
    try:
        for line in _remarks(conductor.progress, kept.id, stops.status):
            print(f"gdtui: {line}", file=sys.stderr)
    except OSError:
        silence(sys.stderr)
    has_failed = {outcome.state for outcome in conductor.progress.outcomes.values()} == {FAILED}
    return stops.status or (BAD_INPUT if has_failed else 0)


def _moments(conductor: Conductor, stops: Stops) -> Iterator[Progress]:
    """The sweep as it goes, until it is made or stopped."""
    moments = conductor.run()
    try:
        for progress in moments:
            if stops.status:
                stops.has_obeyed.set()  # what is under way takes its time, but not for long
                conductor.stop()
            yield progress
    finally:
        moments.close()


def _remarks(progress: Progress, id: str, status: int) -> Iterator[str]:
    failed = [outcome for outcome in progress.outcomes.values() if outcome.state == FAILED]
    if failed:
        whys = list(dict.fromkeys(outcome.reason for outcome in failed))
        yield f"{len(failed):,} of {progress.total:,} runs failed: {'; '.join(map(printable, whys[:3]))}"
    if status:
        left = progress.total - progress.done
        yield f"interrupted, {left:,} of {progress.total:,} runs left; gdtui sweep --resume {id} goes on with it"


# --- JSON lines ------------------------------------------------------------------------------------------------------


def _write_jsonl(moments: Iterator[Progress], conductor: Conductor, kept: KeptSweep) -> None:
    def write(kind: str, **values: Any) -> None:
        sys.stdout.write(json.dumps({"type": kind, **values}, allow_nan=False) + "\n")

    progress = conductor.progress
    sweep = progress.sweep
    axes = {axis.option: list(axis.values) or axis.text() for axis in sweep.axes}
    write("start", sweep=kept.id, runs=progress.total, experiment=sweep.experiment.as_dict(), over=axes)
    points = sweep.points()
    written = {key for key, outcome in progress.outcomes.items() if outcome.is_over}

    def write_news(progress: Progress) -> None:
        for key, outcome in progress.outcomes.items():
            if outcome.is_over and key not in written:
                written.add(key)
                write("run", **run_fields(sweep, points[key], outcome))
        sys.stdout.flush()

    turn = progress.turn
    for progress in moments:
        if progress.turn != turn:
            turn = progress.turn
            write_news(progress)
    progress = conductor.progress
    write_news(progress)
    best = next(iter(standings(progress)), None)
    write(
        "end",
        sweep=kept.id,
        state=progress.state,
        runs=progress.done,
        states=counted(progress.outcomes.values()),
        best=best and standing_fields(best),
    )


def run_fields(sweep: Sweep, experiment: Experiment, outcome: RunOutcome) -> dict[str, Any]:
    """A run of a sweep, as a line of JSON has it; numbers that are not finite are null."""
    return {
        "run": outcome.run or None,
        "settings": sweep.settings(experiment),
        "state": outcome.state,
        "reason": outcome.reason,
        "epoch": outcome.epoch,
        "updates": outcome.updates,
        "loss": _finite(outcome.loss),
        "seconds": outcome.seconds,
    }


def standing_fields(standing: Standing) -> dict[str, Any]:
    """A point of a sweep, likewise."""
    return {
        "settings": dict(standing.settings),
        "runs": standing.runs,
        "states": dict(standing.states),
        "loss": _finite(standing.loss),
        "least": _finite(standing.least),
        "most": _finite(standing.most),
        "run": standing.best or None,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


# --- a progress bar, then a table ------------------------------------------------------------------------------------


def _show_progress(moments: Iterator[Progress], conductor: Conductor, kept: KeptSweep) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from gdtui.headless import pipe_console

    console = pipe_console()
    columns = (TextColumn("run"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        progress = conductor.progress
        task = bar.add_task("", total=progress.total, completed=progress.done, rate="")
        for progress in moments:
            rate = _rate(progress) if conductor.has_workers else "waiting for workers"
            bar.update(task, completed=progress.done, rate=rate)
    show(conductor.progress, kept)


def _rate(progress: Progress) -> str:
    """Runs a second, and how long it takes yet: `1,520 runs/s, 0:00:12 left`."""
    if not math.isfinite(progress.seconds_left) or not progress.rate:
        return ""
    rate = f"{progress.rate:,.{0 if progress.rate >= 100 else 1}f} runs/s"
    return f"{rate}, {timedelta(seconds=round(progress.seconds_left))} left"


def show(progress: Progress, kept: KeptSweep) -> None:
    """Print a sweep: what it is, what became of its runs, and its best points."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from gdtui.headless import pipe_console

    console = pipe_console()
    console.print(Text(printable(_title(progress, kept))))
    ranked = standings(progress)
    columns = _columns(progress.sweep, ranked[:MOST_ROWS])
    for head in LEFT_OUT:
        if _width(columns) > console.width:
            columns.pop(head, None)
    console.width = max(console.width, _width(columns))
    table = Table(box=box.SIMPLE)
    for head in columns:
        table.add_column(Text(head), justify="left" if head in ("state", "run") else "right")
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, cells))
    console.print(table)
    if len(ranked) > MOST_ROWS:
        console.print(f"… {len(ranked) - MOST_ROWS:,} more points", highlight=False)
    console.print(f"gdtui open {kept.id}: the map and all curves · gdtui runs {kept.id}: its runs", highlight=False)


def _width(columns: Mapping[str, Sequence[str]]) -> int:
    from rich.cells import cell_len

    return 1 + sum(max(map(cell_len, [head, *cells])) + GAP for head, cells in columns.items())


GAP = 3
"""Characters between two columns."""

LEFT_OUT = ("most", "least", "epoch", "run", "state")
"""Columns that a narrow terminal does not show, the first of them first: no number is ever cut."""


def _columns(sweep: Sweep, ranked: Sequence[Standing]) -> dict[str, list[str]]:
    """The cells of the table, by their heads."""
    options = [axis.option for axis in sweep.axes]
    columns = {printable(name): [printable(_cell(one.settings[name])) for one in ranked] for name in options}
    columns["loss"] = [_cell(one.loss) for one in ranked]
    if sweep.seeds > 1:
        columns |= {"least": [_cell(one.least) for one in ranked], "most": [_cell(one.most) for one in ranked]}
    columns["epoch"] = [f"{one.epoch:,}" for one in ranked]
    columns["state"] = [", ".join(_state(*item, one.runs) for item in one.states.items()) for one in ranked]
    columns["run"] = [one.best for one in ranked]
    return columns


WORDS = {STOPPED: "stopped early"}


def _title(progress: Progress, kept: KeptSweep) -> str:
    counts = counted(progress.outcomes.values())
    states = ", ".join(f"{count:,} {WORDS.get(state, state)}" for state, count in counts.items())
    what = f"sweep {kept.id} {kept.name}".rstrip()
    done = f"{progress.done:,} of {progress.total:,} runs{f' ({states})' if states else ''}"
    return f"{what}: {progress.state}, {done}, {progress.seconds:.3g} s"


def _state(state: str, count: int, runs: int) -> str:
    word = WORDS.get(state, state)
    return word if count == runs else f"{count} {word}"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}" if math.isfinite(value) else "–"
    return ",".join(f"{item:g}" for item in value) if isinstance(value, tuple) else str(value)
