"""Export: what is written, read back by others: Python's csv and json, and DuckDB."""

from __future__ import annotations

import csv
import json
import math
import shlex
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdtui.descent.history import KEPT, Column
from gdtui.descent.snapshot import Epoch, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment, InputError
from gdtui.insight.tracked import INSTRUMENTS, Tracker
from gdtui.problems.datasets import Dataset
from gdtui.problems.loading import load_problem
from gdtui.problems.models import MODELS
from gdtui.problems.problem import Problem
from gdtui.runs.export import begun, check, export, what_fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.descent.snapshot import Snapshot


def trainer_of(on: Problem | None = None, **settings: Any) -> Trainer:
    experiment = Experiment(**settings)
    return Trainer(experiment, on or load_problem(experiment), Tracker())


def plane(x: Any, y: Any, features: tuple[str, ...], target: str = "y") -> Problem:
    x, y = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
    return Problem(MODELS["affine"], Dataset("here", x, y, features, target))


def read(file: Path) -> dict[str, list[Any]]:
    """A file's columns, None for what is not there: each format as those read it who did not write it."""
    if file.suffix == ".json":
        return dict(json.loads(file.read_text("utf-8"), parse_constant=refuse)["columns"])
    if file.suffix == ".parquet":
        table = duckdb.sql(f"SELECT * FROM read_parquet('{file}')")
        return {
            name: list(column) for name, column in zip(table.columns, zip(*table.fetchall(), strict=True), strict=True)
        }
    with file.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    return {
        name: [value_of(text) for text in column] for name, column in zip(header, zip(*rows, strict=True), strict=True)
    }


def value_of(text: str) -> Any:
    if text in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[text]
    return float(text)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def bits(values: Any) -> bytes:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64).tobytes()


SUFFIXES = pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])


# --- history ---------------------------------------------------------------------------------------------------------


@SUFFIXES
def test_the_history_is_read_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    snapshot = trainer_of(schedule="cosine", batch_size=2).advance(Epoch(30))
    export(snapshot, "history", str(tmp_path / f"h{suffix}"))
    found = read(tmp_path / f"h{suffix}")
    assert tuple(found) == ("epoch", "updates", "samples_seen", "seconds", "lr", "loss", "visit_loss", *INSTRUMENTS)
    columns = {"epoch": 0, "updates": 1, "samples_seen": 2, "seconds": 3, "loss": 4, "visit_loss": 5, "lr": 6}
    for name, column in columns.items():
        assert bits(found[name]) == snapshot.history.rows[:, column].tobytes(), name
    for j, name in enumerate(INSTRUMENTS):
        assert found[name][0] is None, "nothing is measured before the first epoch"
        assert bits(found[name][1:]) == snapshot.tracked[:, 2 + j].tobytes(), name


def test_what_is_undefined_is_not_there(tmp_path: Path) -> None:
    """At the minimum the noise scale is 0/0."""
    snapshot = trainer_of(plane([[1.0], [2.0]], [1.0, 1.0], ("x",)), problem="affine", init=(0.0, 1.0)).advance(
        Epoch(1)
    )
    assert snapshot.loss == 0
    export(snapshot, "history", str(tmp_path / "h.csv"))
    assert read(tmp_path / "h.csv")["noise_scale"] == 2 * [None]


def test_conflicts_are_whole_numbers(tmp_path: Path) -> None:
    snapshot = trainer_of(problem="affine", data="faithful", standardize=True).advance(Epoch(2))
    export(snapshot, "history", str(tmp_path / "h.parquet"))
    described = duckdb.sql(f"DESCRIBE SELECT * FROM '{tmp_path / 'h.parquet'}'").fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    assert {name for name, kind in kinds.items() if kind == "BIGINT"} == {
        "epoch",
        "updates",
        "samples_seen",
        "conflicts",
    }
    assert set(kinds.values()) == {"BIGINT", "DOUBLE"}


def test_after_a_rewind_the_history_ends_at_the_moment_that_is_shown(tmp_path: Path) -> None:
    trainer = trainer_of()
    trainer.advance(Epoch(20))
    export(trainer.rewind(7), "history", str(tmp_path / "h.csv"))
    assert read(tmp_path / "h.csv")["epoch"] == list(range(8))


def test_of_a_thinned_run_no_tracked_epoch_is_lost(tmp_path: Path) -> None:
    trainer = trainer_of(epochs=KEPT + 10, lr=1e-9)
    snapshot = trainer.advance()
    kept, tracked = snapshot.history.column(Column.EPOCH), snapshot.tracked
    lone = set(tracked[:, 0]) - set(kept)
    assert lone, "some are tracked but not kept"
    written = export(snapshot, "history", str(tmp_path / "h.parquet"))
    found = read(tmp_path / "h.parquet")
    assert found["epoch"] == sorted(set(kept) | set(tracked[:, 0]))
    assert written.rows == len(found["epoch"])
    rows = {
        epoch: dict(zip(found, row, strict=True)) for epoch, *row in zip(found["epoch"], *found.values(), strict=True)
    }
    for epoch, updates, grad_norm, *_ in tracked.tolist():
        row = rows[int(epoch)]
        assert (row["grad_norm"], row["updates"], row["samples_seen"]) == (grad_norm, updates, 3 * epoch)
        assert (row["loss"] is None) == (epoch in lone)


# --- samples ---------------------------------------------------------------------------------------------------------


@SUFFIXES
def test_the_gradients_as_applied_are_read_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    generator = np.random.default_rng(0)
    problem = plane(generator.normal(size=(50, 2)), generator.normal(size=50), ("height", "the weight, in kg"), "age")
    trainer = trainer_of(problem, problem="affine", order="replacement", batch_size=7, set=(("clip", 0.5),))
    snapshot = trainer.advance(Epoch(3))
    export(snapshot, "samples", str(tmp_path / f"s{suffix}"))
    found, visits = read(tmp_path / f"s{suffix}"), snapshot.visits
    names = ("height", "the weight, in kg", "age", "loss", *(f"g_{name}" for name in problem.parameters), "clipped")
    assert tuple(found) == ("visit", "update", "sample", *names)
    assert found["visit"] == list(range(1, 51))
    assert found["sample"] == visits.samples.tolist()
    assert found["update"] == [2 * 8 + visit // 7 + 1 for visit in range(50)]
    assert bits(found["the weight, in kg"]) == problem.dataset.x[visits.samples, 1].tobytes()
    assert bits(found["age"]) == problem.dataset.y[visits.samples].tobytes()
    assert bits(found["loss"]) == visits.losses.tobytes()
    for j, name in enumerate(problem.parameters):
        assert bits(found[f"g_{name}"]) == visits.gradients[:, j].tobytes()
    assert found["clipped"] == visits.clipped.tolist()
    assert len(set(found["clipped"])) == 2


@SUFFIXES
def test_before_the_first_visit_there_are_no_rows(tmp_path: Path, suffix: str) -> None:
    assert export(trainer_of().snapshot(), "samples", str(tmp_path / f"s{suffix}")).rows == 0
    if suffix == ".csv":
        assert (tmp_path / "s.csv").read_text() == "visit,update,sample,x,y,loss,g_w,clipped\n"


def test_in_mid_epoch_only_what_was_visited_is_there(tmp_path: Path) -> None:
    export(trainer_of().advance(Update(5)), "samples", str(tmp_path / "s.csv"))
    found = read(tmp_path / "s.csv")
    assert (found["update"], found["sample"]) == ([4, 5], [0, 1])


def test_a_landscape_has_no_target(tmp_path: Path) -> None:
    export(trainer_of(problem="saddle", data="noise").advance(Epoch(1)), "samples", str(tmp_path / "s.csv"))
    assert set(read(tmp_path / "s.csv")) & {"", "y"} <= {"y"}
    assert "" not in read(tmp_path / "s.csv")


@pytest.mark.parametrize(("suffix", "infinite"), [(".csv", math.inf), (".parquet", math.inf), (".json", None)])
def test_infinity_and_nan_in_a_diverged_run(tmp_path: Path, suffix: str, infinite: float | None) -> None:
    snapshot = trainer_of().advance(Epoch(1))
    losses = np.array([math.inf, math.nan, 1.5])
    strange = replace(snapshot, visits=replace(snapshot.visits, losses=losses, gradients=-losses[:, None]))
    export(strange, "samples", str(tmp_path / f"s{suffix}"))
    found = read(tmp_path / f"s{suffix}")
    assert found["loss"] == [infinite, None, 1.5]
    assert found["g_w"] == [infinite and -infinite, None, -1.5]


@SUFFIXES
def test_a_diverged_run_can_be_written(tmp_path: Path, suffix: str) -> None:
    snapshot = trainer_of(lr=1e200, batch_size="full").advance()
    assert snapshot.state == "diverged"
    for what in ("history", "samples"):
        export(snapshot, what, str(tmp_path / f"{what}{suffix}"))
        read(tmp_path / f"{what}{suffix}")


@given(values=st.lists(st.floats(allow_nan=False), min_size=3, max_size=30))
@settings(max_examples=25)
def test_any_number_comes_back_with_the_same_bits(values: list[float]) -> None:
    snapshot = trainer_of().advance(Epoch(1))
    some = np.array(values)
    zeros = np.arange(len(some))
    visits = replace(
        snapshot.visits, samples=zeros % 3, losses=some, gradients=some[:, None], clipped=zeros > 1, n=len(some)
    )
    with TemporaryDirectory() as folder:
        for suffix in (".csv", ".parquet", ".json"):
            export(replace(snapshot, visits=visits), "samples", f"{folder}/s{suffix}")
            expected = [None if suffix == ".json" and math.isinf(value) else value for value in values]
            assert bits(read(Path(folder, f"s{suffix}"))["g_w"]) == bits(expected)


NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


@given(names=st.lists(NAMES, min_size=2, max_size=4, unique=True))
@settings(max_examples=25)
def test_any_name_of_a_column_will_do(names: list[str]) -> None:
    *features, target = names
    problem = plane(np.arange(3.0 * len(features)).reshape(3, -1), [1.0, 2.0, 4.0], tuple(features), target)
    snapshot = trainer_of(problem, problem="affine", lr=1e-6).advance(Epoch(1))
    with TemporaryDirectory() as folder:
        headers = []
        for suffix in (".csv", ".parquet", ".json"):
            export(snapshot, "samples", f"{folder}/s{suffix}")
            found = read(Path(folder, f"s{suffix}"))
            headers.append(list(found))
            assert [found[name] for name in headers[0][3 : 3 + len(features)]] == problem.dataset.x.T.tolist()
    assert headers[0] == headers[1] == headers[2]
    assert len({name.casefold() for name in headers[0]}) == len(headers[0])
    plain = {name.casefold() for name in names} | {"visit", "update", "sample", "loss", "clipped"}
    if len(plain) == len(names) + 5:
        assert headers[0][3 : 3 + len(names)] == names


def test_names_that_are_taken_get_a_number(tmp_path: Path) -> None:
    features = ("loss", "X", "x", "x_2", '"; DROP TABLE t; --', "[b]bold[/b]\n")
    problem = plane(np.eye(6), np.arange(6.0), features, "Sample")
    export(trainer_of(problem, problem="affine").advance(Epoch(1)), "samples", str(tmp_path / "s.csv"))
    names = list(read(tmp_path / "s.csv"))
    assert names[3:10] == ["loss_2", "X", "x_2", "x_2_2", '"; DROP TABLE t; --', "[b]bold[/b]\n", "Sample_2"]
    assert names[10] == "loss"


# --- the experiment --------------------------------------------------------------------------------------------------


def test_the_line_gives_the_same_run_again(tmp_path: Path, gdtui: Callable[..., Any]) -> None:
    snapshot = trainer_of(optimizer="adam", lr=0.03, order="shuffle", seed=3, set=(("beta1", 0.8),)).advance()
    export(snapshot, "experiment", str(tmp_path / "e.txt"))
    (word,) = shlex.split(shlex.quote((tmp_path / "e.txt").read_text()))  # as "$(cat e.txt)"
    epochs = gdtui("run", "--experiment", word, "--format", "jsonl").records("epoch")
    assert bits(epoch["loss"] for epoch in epochs) == snapshot.history.column(Column.LOSS)[1:].tobytes()
    assert epochs[-1]["theta"] == snapshot.theta.tolist()


def test_what_was_changed_in_mid_run_is_in_the_json_and_gives_the_run_again(tmp_path: Path) -> None:
    trainer = trainer_of(batch_size=2)
    trainer.advance(Epoch(4))
    trainer.change(lr=0.02, batch_size="full")
    trainer.advance(Epoch(6))
    trainer.change(momentum=0.5, order="shuffle")
    snapshot = trainer.advance(Epoch(9))
    export(snapshot, "experiment", str(tmp_path / "e.json"))
    described = json.loads((tmp_path / "e.json").read_text())
    again = trainer_of(batch_size=2)
    assert Experiment.from_line(described["line"]) == again.experiment == begun(snapshot)
    assert described["experiment"] == again.experiment.as_dict()
    for event in described["events"]:
        again.advance(Update(event["update"]))
        again.change(**{event["setting"].replace("-", "_"): event["after"]})
    assert again.advance(Epoch(9)).theta.tobytes() == snapshot.theta.tobytes()
    assert [event["setting"] for event in described["events"]] == ["lr", "batch-size", "momentum", "order"]


def test_what_a_line_does_not_hold_is_said(tmp_path: Path) -> None:
    trainer = trainer_of()
    trainer.advance(Epoch(1))
    trainer.change(lr=0.02)
    written = export(trainer.snapshot(), "experiment", str(tmp_path / "e.txt"))
    assert str(written).endswith("bytes; it leaves out 1 change in mid-run, .json does not")
    assert "lr=0.01 " in (tmp_path / "e.txt").read_text()


@pytest.mark.parametrize("what", ["history", "samples"])
def test_a_json_table_says_which_run_it_is(tmp_path: Path, what: str) -> None:
    export(trainer_of(lr=0.02).advance(Epoch(1)), what, str(tmp_path / "t.json"))
    described = json.loads((tmp_path / "t.json").read_text())
    assert Experiment.from_line(described["line"]) == Experiment(lr=0.02)
    assert described["events"] == []


# --- what and how ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "name", "message"),
    [
        ("history", "x.xls", r"a file's name ends in \.csv, \.parquet, \.json, \.txt or \.svg, got 'x.xls'"),
        ("history", "x", "a file's name ends in"),
        ("history", "x.svg", r"\.svg holds chart or lab; history is written as \.csv, \.parquet or \.json"),
        ("chart", "x.csv", r"\.csv holds history or samples; chart is written as \.svg"),
        ("experiment", "x.csv", r"experiment is written as \.txt or \.json"),
        ("histroy", "x.csv", r"unknown thing to export 'histroy' \(did you mean history\?\)"),
    ],
)
def test_what_does_not_fit_is_said_so(tmp_path: Path, what: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        export(trainer_of().snapshot(), what, str(tmp_path / name))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "what"), [("a.csv", "history"), ("a.PARQUET", "history"), ("b.c.txt", "experiment"), ("é.svg", "chart")]
)
def test_a_suffix_says_what_is_written_where_nothing_else_does(name: str, what: str) -> None:
    assert what_fits(name) == what
    check(what, name)


@SUFFIXES
def test_a_file_that_is_there_is_replaced_only_on_request(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"h{suffix}"
    file.write_text("precious")
    snapshot = trainer_of().advance(Epoch(1))
    with pytest.raises(InputError, match="is there already: give --force to replace it"):
        export(snapshot, "history", str(file))
    assert file.read_text() == "precious"
    export(snapshot, "history", str(file), replace=True)
    assert read(file)["epoch"] == [0, 1]


@SUFFIXES
def test_where_there_is_no_room_nothing_is_left(tmp_path: Path, suffix: str) -> None:
    from test_atomic import room_for

    file = tmp_path / f"s{suffix}"
    file.write_text("old")
    snapshot = trainer_of(problem="affine", data="faithful", standardize=True).advance(Epoch(1))
    with room_for(1000), pytest.raises(InputError, match=r"cannot write .*File too large"):
        export(snapshot, "samples", str(file), replace=True)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(file.name, "old")]


@SUFFIXES
def test_a_folder_of_any_name_will_do(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / 'it\'s 100% "mine"; {a,b}*?[x] ~ $HOME\n'
    folder.mkdir()
    export(trainer_of().advance(Epoch(1)), "history", str(folder / f"h{suffix}"))
    (folder / f"h{suffix}").rename(tmp_path / f"h{suffix}")
    assert read(tmp_path / f"h{suffix}")["epoch"] == [0, 1]
    assert not list(folder.iterdir())


def test_a_folder_whose_name_is_not_text(tmp_path: Path) -> None:
    folder = tmp_path / "\udcff"
    folder.mkdir()
    snapshot: Snapshot = trainer_of().advance(Epoch(1))
    with pytest.raises(InputError, match="not UTF-8"):
        export(snapshot, "history", str(folder / "h.csv"))
    export(snapshot, "history", str(folder / "h.json"))
    assert [file.name for file in folder.iterdir()] == ["h.json"]


def test_what_was_written_is_told_with_rows_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = export(trainer_of().advance(Epoch(1)), "history", "h.csv")
    assert str(written) == f"wrote history to 'h.csv': 2 rows, {Path('h.csv').stat().st_size} bytes"
