"""Export: a sweep's runs in a file, read back by others."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from swept import made, sweep_of

from gdtui.experiment import InputError
from gdtui.sweeps.export import export, runs_table
from gdtui.sweeps.ledger import Ledger

if TYPE_CHECKING:
    from gdtui.sweeps.outcome import Progress

OVER = "lr=0.05,0.3", "batch-size=1,full"


@pytest.fixture
def progress() -> Progress:
    return made(sweep_of(*OVER, line="epochs=30", seeds=2))[2]


def told(progress: Progress) -> list[tuple[Any, ...]]:
    """What the rows should be: settings, state, epoch, updates and loss."""
    rows = []
    for key, experiment in progress.sweep.points().items():
        one = progress.outcomes[key]
        settings = (experiment.lr, str(experiment.batch_size), experiment.seed)
        rows.append((*settings, one.run, one.state, one.epoch, one.updates, one.loss))
    return rows


def test_csv_has_every_run_in_full(progress: Progress, tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    assert "8 rows" in str(export(progress, "history", str(file)))
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    kinds = {"lr": float, "batch-size": str, "seed": int, "run": str, "state": str}
    kinds |= {"epoch": int, "updates": int, "loss": float}
    assert [tuple(kind(row[name]) for name, kind in kinds.items()) for row in rows] == told(progress)
    assert {row["state"] for row in rows} >= {"diverged"}


def test_parquet_has_the_same(progress: Progress, tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"
    export(progress, "history", str(file))
    query = 'SELECT lr, "batch-size", seed, run, state, epoch, updates, loss FROM read_parquet(?)'
    assert duckdb.execute(query, [str(file)]).fetchall() == told(progress)


def test_json_says_what_was_swept(progress: Progress, tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    export(progress, "history", str(file))
    text = file.read_text()
    assert '"lr=0.05,0.3"' in text
    assert progress.sweep.experiment.to_line() in text
    export(progress, "experiment", str(file), replace=True)
    assert json.loads(file.read_text()) == json.loads(progress.sweep.to_text())


def test_what_waits_is_there_too() -> None:
    ledger = Ledger()
    table = runs_table(ledger.look(ledger.begin(sweep_of(*OVER))))
    assert table["state"].tolist() == ["waiting"] * 4
    assert all(map(math.isnan, table["loss"].tolist()))


def test_what_a_sweep_has_not_is_said(progress: Progress, tmp_path: Path) -> None:
    for what, suffix, said in (("samples", "csv", "one of its runs"), ("lab", "svg", "then w")):
        with pytest.raises(InputError, match=said):
            export(progress, what, str(tmp_path / f"file.{suffix}"))
    assert not list(tmp_path.glob("file.*"))
