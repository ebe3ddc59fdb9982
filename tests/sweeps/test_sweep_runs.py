"""The runs of a sweep are runs as any other: the same bits, opened, rewound and gone on with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from swept import all_bits, bits, made, sweep_of

from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.tracked import Tracker
from gdtui.problems.loading import load_problem
from gdtui.runs.reopen import reopen
from gdtui.runs.store import Store
from gdtui.sweeps import work
from gdtui.sweeps.crew import Processes
from gdtui.sweeps.work import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Finished

    from gdtui.descent.record import Record

LINES = {
    "linear": ("order=shuffle", ("lr=0.01,0.2,0.5", "batch-size=1,2,full", "momentum=0,0.9")),
    "mlp": (
        "problem=mlp data=moons order=replacement epochs=12 set=hidden:3,n:20",
        ("lr=0.01,0.1", "optimizer=sgd,adam"),
    ),
    "long": ("lr=1e-5 batch-size=full", ("epochs=66000,1500",)),
    "saddle": ("problem=saddle order=shuffle lr=0.1", ("rms=0.1,1", "schedule=constant,cosine", "seed=1,2")),
}


def alone(experiment: Experiment) -> Record:
    """The run by itself, as `gdtui run` makes it."""
    trainer = Trainer(experiment, load_problem(experiment), Tracker())
    trainer.advance()
    return trainer.record()


@pytest.mark.parametrize("name", LINES)
def test_each_run_has_the_bits_of_the_run_by_itself(name: str) -> None:
    line, over = LINES[name]
    ledger, kept, progress = made(sweep_of(*over, line=line))
    runs = ledger.store.runs_of(kept)
    assert len(runs) == progress.total == len({run.experiment for run in runs})
    for run in runs:
        assert bits(ledger.store.record(run.id)) == bits(alone(Experiment.from_line(run.experiment)))


def test_each_run_has_the_bits_of_gdtui_run(gdtui: Callable[..., Finished]) -> None:
    gdtui("sweep", "--over", "lr=0.02,0.3", "--over", "batch-size=1,full", "--jobs", "1")
    store = Store()
    (sweep,) = {run["id"] for run in gdtui_runs(gdtui)}
    for run in store.runs_of(sweep):
        gdtui("run", "--experiment", run.experiment, "--format", "jsonl")
        assert bits(store.record(run.id)) == bits(store.record(store.find("last").id))


def gdtui_runs(gdtui: Callable[..., Finished]) -> list[dict[str, object]]:
    import json

    found: list[dict[str, object]] = json.loads(gdtui("runs", "--json").out)
    return found


def test_two_processes_make_the_same_bits_as_one() -> None:
    sweep = sweep_of("lr=log:0.001:0.3:10", "batch-size=1,full", line="order=shuffle", seeds=2)
    one, two = (all_bits(*made(sweep, Processes(jobs))[:2]) for jobs in (1, 2))
    assert len(one) == 40
    assert one == two


@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_run_cut_into_slices_has_the_same_bits(is_compiled: bool) -> None:
    experiment = Experiment.from_line("order=shuffle epochs=5000 lr=0.0001")
    record, slices = None, 0
    while record is None or record.state == "running":
        job = Job(experiment.to_line(), experiment, ".", experiment.epochs, is_compiled, record)
        (outcome,) = work.work([job], budget_s=0.0)
        record, slices = outcome.record, slices + 1
        assert record is not None
    assert bits(record) == bits(alone(experiment))
    assert is_compiled or slices > 1


def test_a_costly_run_is_kept_with_its_checkpoints_and_instruments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "REPLAYED", 0)
    experiment = Experiment(epochs=40)
    (outcome,) = work.work([Job("", experiment, ".", 25)])
    assert outcome.record is not None
    (outcome,) = work.work([Job("", experiment, ".", 40, record=outcome.record)])
    expected = alone(experiment)
    assert outcome.record is not None
    assert bits(outcome.record) == bits(expected)
    assert [one.epoch for one in outcome.record.checkpoints] == [one.epoch for one in expected.checkpoints]
    assert outcome.record.tracked.tobytes() == expected.tracked.tobytes()


def test_a_worker_that_lives_on_reads_a_file_that_has_changed(tmp_path: Path) -> None:
    losses = []
    for y in (2, 3):
        (tmp_path / "data.csv").write_text(f"x,y\n1,{y}\n2,{2 * y}\n")
        experiment = Experiment(data="data.csv", epochs=5)
        (outcome,) = work.work([Job("", experiment, str(tmp_path), 5)])
        assert outcome.record is not None
        losses.append(outcome.record.loss)
        there = experiment.replace(data=str(tmp_path / "data.csv"))
        assert outcome.record.loss == alone(there).loss
    assert losses[0] != losses[1]


# --- opened ----------------------------------------------------------------------------------------------------------


def test_a_run_is_opened_with_all_that_the_run_by_itself_knows() -> None:
    ledger, kept, _ = made(sweep_of("lr=0.02", "epochs=60,1500", line="order=shuffle"))
    for run in ledger.store.runs_of(kept):
        trainer, _ = reopen(ledger.store, run)
        expected = alone(Experiment.from_line(run.experiment))
        found = trainer.record()
        assert bits(found) == bits(expected)
        assert found.tracked.tobytes() == expected.tracked.tobytes()
        assert [one.epoch for one in found.checkpoints] == [one.epoch for one in expected.checkpoints]
        again = Trainer(expected.experiment, load_problem(expected.experiment))
        there = again.advance(until=Epoch(17))
        assert np.array_equal(trainer.rewind(17).theta, there.theta)


def test_a_run_that_was_stopped_early_can_be_gone_on_with(gdtui: Callable[..., Finished]) -> None:
    gdtui("sweep", "--over", "lr=log:0.0001:0.1:8", "--halving", "--jobs", "1")
    store = Store()
    (sweep,) = {run["id"] for run in gdtui_runs(gdtui)}
    stopped = next(run for run in store.runs_of(str(sweep)) if run.state == "paused")
    assert 0 < stopped.epoch < 100
    assert gdtui("resume", stopped.id, "--format", "jsonl").status == 0
    expected = alone(Experiment.from_line(stopped.experiment))
    assert bits(store.record(stopped.id)) == bits(expected)
    assert store.record(stopped.id).tracked.tobytes() == expected.tracked.tobytes()


# --- where divergence begins -----------------------------------------------------------------------------------------


def sequential_limit(batch_size: int) -> float:
    """The smallest lr at which an epoch of the tutorial's batches, in their order, multiplies the error by −1 or 1."""
    samples = (1.0, 2.0, 3.0)
    batches = [samples[start : start + batch_size] for start in range(0, 3, batch_size)]
    factor = np.poly1d([1.0])
    for batch in batches:
        factor *= np.poly1d([-2 * sum(x * x for x in batch) / len(batch), 1.0])
    roots = np.concatenate([(factor - 1).roots, (factor + 1).roots])
    return min(root.real for root in roots if abs(root.imag) < 1e-9 and root.real > 1e-9)


def test_the_limits_are_those_of_the_design() -> None:
    assert sequential_limit(1) == pytest.approx(0.2040, abs=5e-5)
    assert sequential_limit(3) == pytest.approx(3 / 14)


@pytest.mark.parametrize("over", ["lr=log:0.001:0.3:20", "lr=lin:0.195:0.265:29"])
def test_the_border_of_divergence_lies_where_the_limits_say_within_a_grid_step(over: str) -> None:
    sweep = sweep_of(over, "batch-size=1,2,3,full", line="epochs=400", seeds=5 if "log" in over else 1)
    _, _, progress = made(sweep)
    assert progress.done == (400 if "log" in over else 116)
    grid = sweep.axes[0].values
    first = load_problem(sweep.experiment)
    start = Trainer(sweep.experiment, first).snapshot().loss
    for batch_size in (1, 2, 3, "full"):
        runs = {key: one for key, one in progress.outcomes.items() if f"batch-size={batch_size} " in key}
        ends = {Experiment.from_line(key).lr: one.loss for key, one in runs.items()}
        diverging = [lr for lr in grid if not ends[lr] < start or math.isnan(ends[lr])]
        limit = sequential_limit(3 if batch_size == "full" else int(batch_size))
        assert diverging == [lr for lr in grid if lr > limit]
