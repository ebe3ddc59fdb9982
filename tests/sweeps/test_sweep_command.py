"""`gdtui sweep`, and what the other commands make of sweeps."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from swept import sweep_of

from gdtui.experiment import InputError
from gdtui.runs.store import Store
from gdtui.sweeps.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Finished

    Command = Callable[..., Finished]

SMALL = ("--over", "lr=0.01,0.1,0.3", "--over", "batch-size=1,full", "--jobs", "1")


def begun(gdtui: Command, *arguments: str) -> tuple[str, list[dict[str, Any]]]:
    """A sweep that was made; its id and its lines."""
    finished = gdtui("sweep", *arguments)
    assert (finished.status, finished.err) == (0, "")
    lines = finished.records()
    return lines[0]["sweep"], lines


def test_json_has_a_line_for_each_run_between_start_and_end(gdtui: Command) -> None:
    sweep, (start, *runs, end) = begun(gdtui, *SMALL)
    assert (start["type"], start["runs"], start["over"]) == (
        "start",
        6,
        {"lr": [0.01, 0.1, 0.3], "batch-size": [1, "full"]},
    )
    assert start["experiment"]["problem"] == "linear"
    assert {run["type"] for run in runs} == {"run"}
    settings = [(run["settings"]["lr"], run["settings"]["batch-size"]) for run in runs]
    assert sorted(settings, key=str) == sorted(product((0.01, 0.1, 0.3), (1, "full")), key=str)
    for run in runs:
        (last,) = gdtui(
            "run", "--lr", str(run["settings"]["lr"]), "--batch-size", str(run["settings"]["batch-size"]), "--no-keep"
        ).records("end")
        assert {name: run[name] for name in ("state", "epoch", "updates", "loss")} == {
            name: last[name] for name in ("state", "epoch", "updates", "loss")
        }
    best = min(runs, key=lambda run: (run["state"] == "diverged", run["loss"]))
    assert (end["sweep"], end["state"], end["runs"]) == (sweep, "finished", 6)
    assert end["best"]["loss"] == best["loss"]
    assert sum(end["states"].values()) == 6


def test_with_seeds_the_best_point_is_the_one_of_the_best_median(gdtui: Command) -> None:
    _, (_, *runs, end) = begun(
        gdtui, "--over", "lr=0.02,0.15", "--seeds", "3", "--order", "replacement", "--epochs", "9"
    )
    medians = {lr: sorted(run["loss"] for run in runs if run["settings"]["lr"] == lr)[1] for lr in (0.02, 0.15)}
    assert end["best"]["settings"] == {"lr": min(medians, key=lambda lr: medians[lr])}
    assert end["best"]["loss"] == min(medians.values())
    assert [run["settings"]["seed"] for run in runs].count(2) == 2


def test_the_table_ranks_the_points_and_says_what_became_of_the_runs(gdtui: Command) -> None:
    finished = gdtui("sweep", *SMALL, "--format", "progress", "--name", "lr-map")
    assert finished.status == 0
    title = " ".join(finished.out.split())
    assert "lr-map: finished, 6 of 6 runs (2 finished, 2 converged, 2 diverged)" in title
    words = [line.split() for line in finished.out.splitlines() if line.strip()]
    ranked = [line[0] for line in words if line[0] in ("0.01", "0.1", "0.3")]
    assert ranked[-2:] == ["0.3", "0.3"]


def test_a_run_that_does_not_fit_fails_alone_and_says_why(gdtui: Command) -> None:
    finished = gdtui("sweep", "--over", "optimizer=sgd,adam", "--over", "momentum=0,0.9", "--jobs", "1")
    assert finished.status == 0
    runs = finished.records("run")
    failed = [run for run in runs if run["state"] == "failed"]
    assert [run["settings"]["optimizer"] for run in failed] == ["adam", "adam"]
    assert all(run["reason"].startswith("unknown hyperparameter 'momentum'") for run in failed)
    assert finished.err.startswith("gdtui: 2 of 4 runs failed: unknown hyperparameter 'momentum'")
    assert [run["state"] for run in runs if run not in failed].count("finished") == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say what to sweep over: --over lr=0.001,0.01,0.1 or --over lr=log:0.001:0.3:20"),
        (("--over", "lr=fast"), "--over lr: learning rate must be a number, got 'fast'"),
        (("--over", "lr=-1"), "--over lr: learning rate must be a positive number, got -1.0"),
        (("--over", "momentun=0,0.9"), "--over momentun: unknown hyperparameter 'momentun' (did you mean momentum?)"),
        (("--over", "optimizer=sdg"), "--over optimizer: unknown optimizer 'sdg' (did you mean sgd?)"),
        (("--over", "lr=0.1", "--jobs", "0"), "--jobs is a whole number from 1 to 1,000, got 0"),
        (("--over", "lr=0.1", "--format", "csv"), "unknown format 'csv' (there is progress, jsonl)"),
        (("--resume", "nothing"), "no sweep is kept yet"),
        (("--resume", "x", "--lr", "0.1"), "--resume goes on with it as it is: leave out --lr"),
        (("--resume", "x", "--over", "lr=1"), "--resume goes on with it as it is: leave out --over"),
        (("--extend", "x", "--epochs", "9"), "--extend takes --over, --seeds or --samples: leave out --epochs"),
    ],
)
def test_what_is_wrong_is_one_line(gdtui: Command, home: Path, arguments: tuple[str, ...], says: str) -> None:
    finished = gdtui("sweep", *arguments)
    assert (finished.status, finished.out, finished.err) == (2, "", f"gdtui: {says}\n")
    assert not home.exists()


def test_a_file_that_is_not_there_is_said_before_anything_is_begun(gdtui: Command, home: Path) -> None:
    for setting, file in (("data", "nothing.csv"), ("problem", "nothing.py")):
        value = file if setting == "data" else f"{file}:f"
        finished = gdtui("sweep", f"--{setting}", value, "--over", "lr=0.1,0.2")
        assert (finished.status, finished.out, finished.err) == (
            2,
            "",
            f"gdtui: there is no file '{Path.cwd() / file}'\n",
        )
    assert not home.exists()


def test_a_start_of_the_wrong_length_is_said_before_anything_is_begun(gdtui: Command, home: Path) -> None:
    finished = gdtui("sweep", "--init", "1,2,3", "--over", "lr=0.1,0.2")
    assert (finished.status, finished.err) == (2, "gdtui: start has 3 numbers, but linear has 1 parameter here (w)\n")
    assert not home.exists()


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_a_narrow_table_leaves_columns_out_and_cuts_no_number(
    gdtui: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    over = ("--over", "lr=0.0123456,0.0234567", "--over", "optimizer=sgd,adam", "--seeds", "2", "--epochs", "3")
    lines = gdtui("sweep", *over, "--jobs", "1", "--format", "progress").out.splitlines()
    heads = next(line.split() for line in lines if line.split()[:1] == ["lr"])
    assert heads[:3] == ["lr", "optimizer", "loss"]
    assert ("most" in heads, "run" in heads) == (width >= 100, width >= 60)
    rows = [line for line in lines if line.split()[:1] in (["0.012346"], ["0.023457"])]
    assert len(rows) == 4
    for row in rows:
        assert len(row.split()) == len(heads)
        assert len(row.rstrip()) <= max(width, 40)


# --- resumed and extended --------------------------------------------------------------------------------------------


def test_only_what_is_missing_is_run_again(gdtui: Command) -> None:
    sweep, (_, *runs, _) = begun(gdtui, *SMALL)
    store = Store()
    lost = {f"{sweep}.2", f"{sweep}.5"}
    with store.writing() as connection:
        for run in lost:
            connection.execute("DELETE FROM run WHERE id = ?", (run,))
    before = {run.id: run.created for run in store.runs_of(sweep)}
    again = gdtui("sweep", "--resume", sweep, "--jobs", "1").records("run")
    assert {run["run"] for run in again} == lost
    expected = {run["run"]: run["loss"] for run in runs}
    assert {run["run"]: run["loss"] for run in again} == {name: expected[name] for name in lost}
    after = {run.id: run.created for run in store.runs_of(sweep)}
    assert {name: after[name] for name in before} == before
    finished = gdtui("sweep", "--resume", sweep)
    assert (finished.status, finished.err) == (
        2,
        f"gdtui: sweep {sweep} is finished, nothing of it is missing: gdtui show {sweep}\n",
    )


def test_an_extended_sweep_runs_only_what_is_new(gdtui: Command) -> None:
    sweep, (_, *runs, _) = begun(gdtui, *SMALL, "--name", "map")
    more = gdtui("sweep", "--extend", "map", "--over", "lr=0.02", "--seeds", "2", "--jobs", "1").records("run")
    assert len(more) == 16 - 6
    assert {run["run"] for run in more}.isdisjoint(run["run"] for run in runs)
    assert len(Store().runs_of(sweep)) == 16


def test_what_failed_is_tried_again(gdtui: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("x,y\n1,2\n2,4\n")
    first = gdtui("sweep", "--over", "data=there.csv,later.csv", "--jobs", "1")
    sweep = first.records("start")[0]["sweep"]
    assert [run["state"] for run in first.records("run")].count("failed") == 1
    (tmp_path / "later.csv").write_text("x,y\n1,3\n2,6\n")
    monkeypatch.chdir(tmp_path.parent)  # file names begin where they did
    (again,) = gdtui("sweep", "--resume", sweep, "--jobs", "1").records("run")
    assert again["state"] == "finished"
    assert again["settings"] == {"data": "later.csv"}


def test_a_sweep_that_is_being_made_is_nobody_else_s(gdtui: Command) -> None:
    ledger = Ledger()
    sweep = ledger.begin(sweep_of("lr=0.1,0.2"))
    for words in (("sweep", "--resume", sweep), ("rm", sweep)):
        finished = gdtui(*words)
        assert finished.status == 2
        assert f"sweep {sweep} is being made by process" in finished.err
    ledger.let_go(sweep)
    assert gdtui("sweep", "--resume", sweep, "--jobs", "1").status == 0


# --- among the runs --------------------------------------------------------------------------------------------------


def test_a_sweep_is_one_line_among_the_runs(gdtui: Command) -> None:
    gdtui("run")
    sweep, _ = begun(gdtui, *SMALL)
    gdtui("run", "--lr", "0.02")
    _, newest, line, oldest = gdtui("runs").out.splitlines()
    assert line.split()[0] == sweep
    assert "6/6" in line
    assert "sweep over lr × batch-size" in line
    assert "lr 0.02" in newest
    assert "lr 0.01" in oldest
    assert [one.split() for one in gdtui("runs", "sweep").out.splitlines()[1:]] == [line.split()]
    plain = json.loads(gdtui("runs", "--json").out)
    assert [one["kind"] for one in plain] == ["descent", "sweep", "descent"]


def test_runs_of_a_sweep_are_listed_shown_and_found_by_their_ids(gdtui: Command) -> None:
    sweep, (_, *runs, _) = begun(gdtui, *SMALL, "--name", "map")
    for name in (sweep, sweep[:5], "map"):
        assert [line.split()[0] for line in gdtui("runs", name).out.splitlines()[1:]] == [
            f"{sweep}.{n}" for n in range(1, 7)
        ]
    shown = json.loads(gdtui("show", f"{sweep}.4", "--json").out)
    assert shown["sweep"] == sweep
    assert shown["loss"] == next(run["loss"] for run in runs if run["run"] == f"{sweep}.4")
    assert "map: finished, 6 of 6 runs" in gdtui("show", "map").out
    points = json.loads(gdtui("show", "map", "--json").out)["points"]
    assert len(points) == 6
    assert points[0]["loss"] == min(run["loss"] for run in runs if run["state"] != "diverged")


def test_last_is_the_newest_run_that_is_no_sweep_s(gdtui: Command) -> None:
    gdtui("run")
    run = Store().find("last").id
    begun(gdtui, *SMALL)
    assert Store().find("last").id == run


def test_a_sweep_is_deleted_with_its_runs_and_nothing_else(gdtui: Command) -> None:
    gdtui("run")
    sweep, _ = begun(gdtui, *SMALL)
    assert gdtui("rm", sweep).out == f"deleted sweep {sweep} and its 6 runs\n"
    store = Store()
    assert len(store.runs()) == 1
    assert store.runs_of(sweep) == []
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM piece WHERE run LIKE ?", (f"{sweep}%",)).fetchone() == (0,)


def test_a_name_is_a_run_s_or_a_sweep_s(gdtui: Command) -> None:
    gdtui("run", "--name", "mine")
    finished = gdtui("sweep", *SMALL, "--name", "mine")
    assert (finished.status, finished.err) == (2, "gdtui: another run is called 'mine' already\n")
    sweep, _ = begun(gdtui, *SMALL, "--name", "map")
    assert gdtui("label", "last", "--name", "map").err == "gdtui: another run is called 'map' already\n"
    assert gdtui("label", "map", "--name", "other", "--tags", "a,b").status == 0
    kept = Ledger().named("other")
    assert (kept.id, kept.tags) == (sweep, ("a", "b"))


# --- read as it goes -------------------------------------------------------------------------------------------------


def test_a_run_of_a_sweep_is_found_by_its_name(gdtui: Command) -> None:
    sweep, _ = begun(gdtui, *SMALL)
    assert gdtui("label", f"{sweep}.2", "--name", "favourite").status == 0
    assert json.loads(gdtui("show", "favourite", "--json").out)["id"] == f"{sweep}.2"


def test_what_may_be_a_run_or_a_sweep_is_asked_for_again(gdtui: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gdtui.sweeps.ledger.new_id", lambda: "abc10000")
    monkeypatch.setattr("gdtui.runs.keeper.new_id", lambda: "abc20000")
    begun(gdtui, *SMALL)
    gdtui("run")
    for command in ("rm", "show"):
        finished = gdtui(command, "abc")
        assert (finished.status, finished.err) == (2, "gdtui: 2 sweeps and runs begin with abc: abc10000, abc20000\n")
    gdtui("label", "abc2", "--name", "abc1")
    assert gdtui("rm", "abc1").out == "deleted run abc20000\n"  # a whole name goes before the beginning of an id
    assert gdtui("rm", "abc1").out == "deleted sweep abc10000 and its 6 runs\n"


def test_a_second_look_reads_what_is_new_and_knows_what_was(gdtui: Command) -> None:
    sweep, _ = begun(gdtui, *SMALL)
    ledger = Ledger()
    first = ledger.look(sweep)
    gdtui("sweep", "--extend", sweep, "--over", "lr=0.02", "--jobs", "1")
    second = ledger.look(sweep, first)
    assert (first.total, first.done, second.total, second.done) == (6, 6, 8, 8)
    assert second.outcomes == ledger.look(sweep).outcomes
    assert first.outcomes.items() <= second.outcomes.items()
    assert second.rate > 0
    assert (second.state, second.seconds_left) == ("finished", 0.0)


def test_one_that_is_deleted_says_so(gdtui: Command) -> None:
    sweep, _ = begun(gdtui, *SMALL)
    gdtui("rm", sweep)
    with pytest.raises(InputError, match=f"^sweep {sweep} is not kept any more$"):
        Ledger().look(sweep)
