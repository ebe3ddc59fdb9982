"""Keeping: updates a second of a run that is kept against one that is not; and what a list of many runs costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.headless import SLICE_S, TURN_S
from gdtui.insight.tracked import Tracker
from gdtui.problems.loading import load_problem
from gdtui.runs.keeper import Keeper
from gdtui.runs.store import Store
from tests.benchmarks.ratio import Ratio

PAIRS = 7
WARM_UP_S, SECONDS = 2.0, 4.0
FOREVER = 10**9

CASES = {
    "tutorial, n = 3": "lr=1e-9",
    "affine, n = 100,000": "problem=affine data=noisy-line lr=1e-9 set=n:100000",
}

RUNS = 1_000

LISTING = """
import sys, time
from pathlib import Path
from gdtui.runs.store import Store
Store(Path(sys.argv[1])).runs()
print(time.process_time())
"""


def updates_a_second(experiment: Experiment, store: Store | None) -> float:
    """In slices as `gdtui run` makes them, after a warm-up; kept in a store or not."""
    sys.setswitchinterval(TURN_S)
    trainer = Trainer(experiment, load_problem(experiment), Tracker() if store else None)
    keeper = Keeper(store) if store else None
    began, first, first_updates = perf_counter(), 0.0, 0
    while (now := perf_counter()) - began < WARM_UP_S + SECONDS:
        if not first and now - began > WARM_UP_S:
            first, first_updates = now, trainer.record().updates
        trainer.advance(budget_s=SLICE_S)
        if keeper and keeper.is_due:
            keeper.look_at(trainer.record())
    rate = (trainer.record().updates - first_updates) / (perf_counter() - first)
    if keeper:
        keeper.close()
        if keeper.problem:
            raise RuntimeError(keeper.problem)
    return rate


def filled(path: Path, runs: int) -> Store:
    """A store of so many small runs."""
    store, experiment = Store(path), Experiment(epochs=50)
    trainer = Trainer(experiment, load_problem(experiment), Tracker())
    trainer.advance()
    for _ in range(runs):
        keeper = Keeper(store)
        keeper.look_at(trainer.record())
        keeper.close()
    return store


def listing_s(store: Store) -> float:
    """CPU seconds of a fresh process that lists the runs."""
    command = [sys.executable, "-c", LISTING, str(store.path)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return float(subprocess.run(command, env=environment, capture_output=True, check=True).stdout.split()[0])


def measure() -> list[Ratio]:
    """Ratios of updates a second; of CPU seconds to list the runs of a full store and of one with a single run."""
    ratios = []
    with TemporaryDirectory() as folder:
        for name, line in CASES.items():
            experiment = Experiment.from_line(line).replace(epochs=FOREVER)
            rows = []
            for number in range(PAIRS):
                pair = {
                    is_kept: updates_a_second(experiment, Store(Path(folder, "rates.sqlite")) if is_kept else None)
                    for is_kept in ((True, False) if number % 2 else (False, True))
                }
                rows.append((pair[True], pair[False]))
            kept, free = ([row[j] for row in rows] for j in range(2))
            ratios.append(Ratio(f"kept, {name}, updates/s", "not kept", kept, free, "≥ 0.95"))
        full, single = filled(Path(folder, "full.sqlite"), RUNS), filled(Path(folder, "single.sqlite"), 1)
        pairs = [(listing_s(full), listing_s(single)) for _ in range(PAIRS)]
        ours, theirs = ([pair[j] for pair in pairs] for j in range(2))
        ratios.append(Ratio(f"{RUNS:,} runs listed in a fresh process, CPU s", "one run", ours, theirs, "≤ 0.3 s"))
    return ratios
