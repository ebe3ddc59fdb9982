"""Kept runs on the command line: listed, shown, named, compared, deleted; for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Finished

    Command = Callable[..., Finished]


def kept(gdtui: Command, *options: str) -> str:
    """Keep a run; returns its id."""
    assert gdtui("run", "--format", "tutorial", *options).status in (0, 3)
    return str(json.loads(gdtui("runs", "--json").out)[0]["id"])


def shown(gdtui: Command, run: str) -> dict[str, Any]:
    return dict(json.loads(gdtui("show", run, "--json").out))


def test_without_runs_it_says_what_keeps_one(gdtui: Command, home: Path) -> None:
    finished = gdtui("runs")
    assert (finished.status, finished.out) == (
        0,
        f"no run is kept yet: gdtui run keeps one in {home / 'runs.sqlite'}\n",
    )
    assert not home.exists()
    assert gdtui("show", "last").err == f"gdtui: no run is kept yet in {home / 'runs.sqlite'}: gdtui run keeps one\n"


def test_a_run_is_kept_with_its_end_and_the_line_that_gives_it_again(gdtui: Command) -> None:
    run = kept(gdtui, "--problem", "saddle", "--order", "shuffle", "--lr", "0.1", "--epochs", "7", "--seed", "3")
    one = shown(gdtui, run)
    again = gdtui("run", "--format", "jsonl", "--no-keep", "--experiment", one["experiment"]).records("end")[0]
    assert (one["state"], one["epoch"], one["updates"]) == ("finished", 7, 224)
    assert list(one["theta"].values()) == again["theta"]
    assert one["loss"] == again["loss"]
    assert len(json.loads(gdtui("runs", "--json").out)) == 1


def test_no_keep_keeps_nothing(gdtui: Command, home: Path) -> None:
    assert gdtui("run", "--no-keep", "--epochs", "3").status == 0
    assert not home.exists()


def test_a_diverged_run_is_kept_with_its_reason(gdtui: Command) -> None:
    one = shown(gdtui, kept(gdtui, "--batch-size", "full", "--lr", "0.25", "--epochs", "200"))
    assert one["state"] == "diverged"
    assert one["reason"].startswith("in epoch 49: the loss is 8.18e+12")


def test_runs_are_listed_with_the_newest_first_and_searched_by_words(gdtui: Command) -> None:
    first = kept(gdtui, "--name", "slow", "--tags", "a,b", "--lr", "0.001")
    second = kept(gdtui, "--problem", "affine", "--data", "noisy-line", "--epochs", "5")
    head, *lines = gdtui("runs").out.splitlines()
    assert head.split() == ["id", "age", "state", "epoch", "loss", "name", "experiment"]
    assert [line.split()[0] for line in lines] == [second, first]
    assert "slow #a #b" in lines[1]
    assert lines[0].endswith("affine · noisy-line · sgd b=1 lr 0.01 · epochs=5")
    for words, found in ((["slow"], [first]), (["NOISY", "affine"], [second]), (["b"], [second, first]), (["zz"], [])):
        assert [run["id"] for run in json.loads(gdtui("runs", "--json", *words).out)] == found


def test_a_run_has_many_names(gdtui: Command) -> None:
    first, second = kept(gdtui, "--name", "one"), kept(gdtui)
    for name, run in ((first, first), (first[:7], first), ("one", first), ("last", second), (second, second)):
        assert shown(gdtui, name)["id"] == run


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("last", "last always is the newest run"),
        ("x" * 41, "a name is up to 40 printable letters"),
        ("a\nb", "a name is up to 40 printable letters"),
        (" a", "a name is up to 40 printable letters"),
        ("taken", "another run is called 'taken' already"),
    ],
)
def test_what_is_no_name_is_refused(gdtui: Command, name: str, words: str) -> None:
    kept(gdtui, "--name", "taken")
    run = kept(gdtui)
    for arguments in (["label", run, "--name", name], ["run", "--epochs", "1", "--name", name]):
        finished = gdtui(*arguments)
        assert finished.status == 2
        assert words in finished.err
    assert shown(gdtui, run)["name"] == ""
    assert len(json.loads(gdtui("runs", "--json").out)) == 2


def test_labels_are_given_changed_and_taken_away(gdtui: Command) -> None:
    run = kept(gdtui)
    gdtui("label", run, "--name", "one", "--tags", "a, b", "--note", "[red]what\x1b I saw")
    one = shown(gdtui, "one")
    assert (one["name"], one["tags"], one["note"]) == ("one", ["a", "b"], "[red]what\x1b I saw")
    assert "[red]what\\x1b I saw" in gdtui("show", "one").out
    gdtui("label", run, "--name", "one", "--tags", "")
    gdtui("label", run, "--note", "")
    one = shown(gdtui, "one")
    assert (one["name"], one["tags"], one["note"]) == ("one", [], "")
    assert gdtui("label", run).err.startswith("gdtui: say what to call it")


def test_what_is_deleted_is_gone_and_none_is_unless_all_are_there(gdtui: Command) -> None:
    first, second, third = kept(gdtui), kept(gdtui), kept(gdtui)
    assert gdtui("rm", first, "nothing").status == 2
    assert len(json.loads(gdtui("runs", "--json").out)) == 3
    assert gdtui("rm", first, third).out == f"deleted run {first}\ndeleted run {third}\n"
    assert [run["id"] for run in json.loads(gdtui("runs", "--json").out)] == [second]
    assert gdtui("show", first).status == 2


def test_runs_are_compared_by_what_differs_and_where_all_have_been(gdtui: Command) -> None:
    kept(gdtui, "--name", "sgd", "--epochs", "20")
    kept(gdtui, "--name", "gd", "--epochs", "20", "--batch-size", "full")
    sgd, gd = json.loads(gdtui("compare", "sgd", "gd", "--json").out)
    assert (sgd["batch-size"], gd["batch-size"]) == (1, "full")
    assert "lr" not in sgd
    assert sgd["loss at epoch 20"] == sgd["loss"] < gd["loss at epoch 20"] == gd["loss"]
    # By updates: the two programs of the tutorial, 20 updates each; SGD has seen its samples 6 times and two more.
    w = v = 1.0
    for _ in range(20):
        v -= 0.01 * sum(2 * x * (x * v - 2 * x) for x in (1, 2, 3)) / 3
    for x in (1, 2, 3) * 6:
        w -= 0.01 * 2 * x * (x * w - 2 * x)
    assert gd["loss at update 20"] == pytest.approx(14 / 3 * (v - 2) ** 2)
    assert sgd["loss at update 20"] == pytest.approx(14 / 3 * (w - 2) ** 2)  # its last whole epoch
    text = gdtui("compare", "sgd", "gd").out
    assert "batch-size" in text
    assert "epochs" in text


@pytest.mark.parametrize("names", [("sgd",), ("sgd",) * 9])
def test_as_many_are_compared_as_can_be_told_apart(gdtui: Command, names: tuple[str, ...]) -> None:
    kept(gdtui, "--name", "sgd")
    assert gdtui("compare", *names).err == f"gdtui: compare takes two to 8 runs, got {len(names)}\n"


def test_runs_that_do_not_differ_are_said_to(gdtui: Command) -> None:
    first, second = kept(gdtui), kept(gdtui)
    assert gdtui("compare", first, second).out.endswith("their settings do not differ\n")


def test_a_finished_run_is_not_resumed(gdtui: Command) -> None:
    run = kept(gdtui)
    finished = gdtui("resume", run)
    assert finished.status == 2
    assert finished.err == f"gdtui: run {run} is finished, there is nothing left to do: gdtui open {run}\n"


def test_lessons_are_listed(gdtui: Command) -> None:
    from gdtui.lessons.catalog import LESSONS

    lines = gdtui("lesson").out.splitlines()
    assert [line.split()[0] for line in lines] == list(LESSONS)
    assert gdtui("lesson", "gd-vs-sdg").err == "gdtui: unknown lesson 'gd-vs-sdg' (did you mean gd-vs-sgd?)\n"


@pytest.mark.parametrize("arguments", [("open", "last"), ("watch",), ("lesson", "momentum")])
def test_what_needs_a_terminal_says_so(gdtui: Command, arguments: tuple[str, ...]) -> None:
    kept(gdtui)
    assert "the dashboard needs a terminal" in gdtui(*arguments).err
