"""Swept: sweeps for the tests, and what is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.descent.history import Column
from gdtui.experiment import Experiment
from gdtui.sweeps.conduct import Conductor
from gdtui.sweeps.crew import Processes
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.outcome import Progress, RunOutcome
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.descent.record import Record
    from gdtui.sweeps.crew import Crew

ROOT = Path(__file__).parents[2]


def sweep_of(*over: str, line: str = "", **more: Any) -> Sweep:
    """A sweep over these axes, on top of the tutorial's experiment or another."""
    return Sweep(Experiment.from_line(line), tuple(map(parse_axis, over)), **more)


def made(sweep: Sweep, crew: Crew | None = None, ledger: Ledger | None = None) -> tuple[Ledger, str, Progress]:
    """A sweep made to its end; its ledger, its id, and what has become of it."""
    ledger = ledger or Ledger()
    kept = ledger.begin(sweep)
    conductor = Conductor(ledger, kept, str(Path.cwd()), crew or Processes(1))
    for _ in conductor.run():
        pass
    return ledger, kept, conductor.progress


def outcome_of(sweep: Sweep, key: str, state: str, loss: float, epoch: int = 100, reason: str = "") -> RunOutcome:
    """What may have become of one of a sweep's runs."""
    run = "" if state == "failed" else f"s.{list(sweep.points()).index(key) + 1}"
    return RunOutcome(key, run, state, reason, epoch, 3 * epoch, 0.01, loss)


def progress_of(sweep: Sweep, outcomes: dict[str, RunOutcome]) -> Progress:
    """A sweep at the moment when these runs have begun."""
    return Progress(sweep, outcomes, len(sweep.points()))


def bits(record: Record) -> tuple[object, ...]:
    """All that the numbers of a record are; the seconds apart."""
    history = np.delete(record.history.rows, Column.SECONDS, axis=1)
    counts = record.experiment, record.state, record.reason, record.epoch, record.updates, record.visited
    numbers = (*counts, *(array.tobytes() for array in (record.theta, np.float64(record.loss), history)))
    if record.state == "diverged":  # nothing goes on from there
        return numbers
    return (*numbers, record.newest.optimizer_state.tobytes(), record.newest.generator_state)


def all_bits(ledger: Ledger, id: str) -> dict[str, tuple[object, ...]]:
    """Those of all runs of a sweep, by their ids behind the sweep's own."""
    store = ledger.store
    return {run.id.removeprefix(id): bits(store.record(run.id)) for run in store.runs_of(id)}


def command(home: Path, *arguments: str, program: tuple[str, ...] = ("-m", "gdtui")) -> subprocess.Popen[str]:
    """gdtui as a process of its own, with its runs in that folder."""
    environment = os.environ | {"GDTUI_HOME": str(home), "PYTHONPATH": str(ROOT)}
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *program, *arguments], env=environment, text=True, **streams)


def wait_until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What it gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def workers_of(process: int) -> list[int]:
    """The numbers of a process's workers: the children of its child that forks them."""
    return [worker for server in _children(process) for worker in _children(server)]


def _children(process: int) -> list[int]:
    try:
        return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def kill(process: int) -> None:
    """As the system's killer does."""
    os.kill(process, signal.SIGKILL)
