"""Sweeping: runs a second with two processes and with one, and of the same grid made by others; memory of many runs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem
from gdtui.runs.store import Store
from gdtui.sweeps.conduct import Conductor
from gdtui.sweeps.crew import Processes
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep
from tests.benchmarks.cases import installed
from tests.benchmarks.ratio import Ratio

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = 3
EPOCHS = 100
MANY, FEW = 10_000, 400

CASES = {
    "tutorial, n = 3": ("order=shuffle", "lr=log:0.0001:0.1:20", 400, ""),
    "faithful, n = 272": (
        "problem=affine data=faithful standardize=on order=shuffle",
        "lr=log:0.0001:0.1:20",
        200,
        "≥ 1.5, on two cores",
    ),
}


def swept(sweep: Sweep, jobs: int) -> float:
    """Runs a second, every one kept; processes start within the time."""
    with TemporaryDirectory() as folder:
        began = perf_counter()
        ledger = Ledger(Store(Path(folder, "runs.sqlite")))
        conductor = Conductor(ledger, ledger.begin(sweep), folder, Processes(jobs))
        for _ in conductor.run():
            pass
        return conductor.progress.done / (perf_counter() - began)


def looped(sweep: Sweep) -> float:
    """Runs a second of stochastic gradient descent as one writes it in plain Python; nothing is kept but the losses."""
    dataset = load_problem(sweep.experiment).dataset
    x, y = dataset.x[:, 0].tolist(), dataset.y.tolist()
    has_bias = sweep.experiment.problem == "affine"
    began, losses = perf_counter(), []
    for experiment in sweep.points().values():
        w, b, lr = 1.0, 1.0 if has_bias else 0.0, experiment.lr
        order, chance = list(range(len(x))), random.Random(experiment.seed)
        for _ in range(EPOCHS):
            chance.shuffle(order)
            for i in order:
                twice = 2 * (x[i] * w + b - y[i])
                w -= lr * twice * x[i]
                if has_bias:
                    b -= lr * twice
            losses.append(sum((xi * w + b - yi) ** 2 for xi, yi in zip(x, y, strict=True)) / len(x))
    return len(losses) / EPOCHS / (perf_counter() - began)


def searched(sweep: Sweep) -> float:
    """Runs a second of scikit-learn's GridSearchCV over the same grid, in one process; it keeps the scores."""
    from sklearn.linear_model import SGDRegressor
    from sklearn.model_selection import GridSearchCV

    dataset = load_problem(sweep.experiment).dataset
    everything = np.arange(len(dataset.y))
    regressor = SGDRegressor(
        penalty=None,
        learning_rate="constant",
        max_iter=EPOCHS,
        tol=None,
        fit_intercept=sweep.experiment.problem == "affine",
    )
    # scikit-learn's squared loss has a ½.
    grid = {"eta0": [2 * lr for lr in sweep.axes[0].values], "random_state": list(range(sweep.seeds))}
    search = GridSearchCV(regressor, grid, scoring="neg_mean_squared_error", cv=[(everything, everything)], refit=False)
    began = perf_counter()
    search.fit(dataset.x, dataset.y)
    return len(search.cv_results_["params"]) / (perf_counter() - began)


def peak_mb(runs: int) -> float:
    """Megabytes that the process takes at most that conducts a sweep of so many runs; needs Linux."""
    over = ("--over", f"lr=log:0.001:0.1:{runs // 4}", "--over", "batch-size=1,2,3,full")
    with TemporaryDirectory() as folder:
        environment = os.environ | {"GDTUI_HOME": folder, "PYTHONPATH": str(Path(__file__).parents[2])}
        program = [sys.executable, "-c", MEASURED, "sweep", *over, "--jobs", "2"]
        finished = subprocess.run(program, env=environment, capture_output=True, check=True, text=True)
    return int(finished.stderr.split()[-1]) / 1024


MEASURED = """
import sys
from pathlib import Path
from gdtui.cli import main
main(sys.argv[1:])
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), file=sys.stderr)
"""


def measure() -> list[Ratio]:
    """Ratios of runs a second, and of megabytes."""
    ratios = []
    for name, (line, over, seeds, budget) in CASES.items():
        sweep = Sweep(Experiment.from_line(line).replace(epochs=EPOCHS), (parse_axis(over),), seeds)
        fewer = replace(sweep, seeds=5)  # the peers take as long for each, however many they are
        makers: dict[str, Callable[[], float]] = {
            "two": lambda sweep=sweep: swept(sweep, 2),
            "one": lambda sweep=sweep: swept(sweep, 1),
            "loop": lambda sweep=fewer: looped(sweep),
        }
        if installed("sklearn"):
            makers["search"] = lambda sweep=fewer: searched(sweep)
        swept(sweep, 1)  # what is compiled is on the disk before the clock starts
        rows = [{maker: make() for maker, make in makers.items()} for _ in range(PAIRS)]
        two, one, loop = ([row[maker] for row in rows] for maker in ("two", "one", "loop"))
        search = [row["search"] for row in rows if "search" in row]
        ratios += [
            Ratio(f"two processes, {name}, runs/s", "one process", two, one, budget),
            Ratio(f"one process, {name}, runs/s, kept", "a plain Python loop, not kept", one, loop, ""),
            Ratio(f"one process, {name}, runs/s, kept", "GridSearchCV of SGDRegressor", one, search, "≥ 1"),
        ]
    if not sys.platform.startswith("linux"):
        return ratios
    pairs = [(peak_mb(MANY), peak_mb(FEW)) for _ in range(2)]
    many, few = ([pair[j] for pair in pairs] for j in range(2))
    return [*ratios, Ratio(f"{MANY:,} runs, MB at most", f"{FEW} runs", many, few, "≤ 2")]
