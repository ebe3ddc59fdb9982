"""Completion: what bash, with gdtui's script, makes of a command line when Tab is pressed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gdtui as package
from gdtui.cli import COMMANDS
from gdtui.completion import SCRIPTS
from gdtui.descent.optimizers import RULES
from gdtui.experiment import ORDERS, SETTINGS
from gdtui.lessons.catalog import LESSONS
from gdtui.problems.catalog import FAMILIES
from gdtui.topics.topic import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Finished

    Command = Callable[..., Finished]
    Complete = Callable[..., list[str]]

HARNESS = """
source script.bash
COMP_WORDS=(gdtui "$@")
COMP_CWORD=$#
_gdtui gdtui "$current" ""
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(gdtui: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What bash offers for the last of some words, parted as bash parts them."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "script.bash").write_text(gdtui("completion", "bash").out)
    command = tmp_path / "bin" / "gdtui"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gdtui "$@"\n')
    command.chmod(0o755)
    root = str(Path(package.__file__).parents[1])
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", root)
    monkeypatch.chdir(folder)

    def complete(*words: str) -> list[str]:
        current = "" if words[-1] == "=" else words[-1]
        finished = subprocess.run(
            ["bash", "--norc", "-c", HARNESS, "bash", *words],
            env=os.environ | {"current": current},
            capture_output=True,
            text=True,
            check=True,
        )
        assert finished.stderr == ""
        return finished.stdout.split("\n")[:-1] if finished.stdout.strip() else []

    return complete


def test_the_first_word_is_a_command(complete: Complete) -> None:
    assert complete("") == list(COMMANDS)
    assert complete("re") == ["resume"]
    assert complete("ru") == ["run", "runs"]


def test_options_are_those_of_the_command(complete: Complete) -> None:
    offered = complete("run", "--")
    assert {f"--{setting.option}" for setting in SETTINGS.values()} <= set(offered)
    assert "--format" in offered
    assert "--play" not in offered
    assert complete("run", "--lr", "0.1", "--lr") == []  # it is given already
    assert complete("--pl") == ["--play"]
    assert complete("open", "--pl") == ["--play"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["run", "--problem", "sad"], ["saddle"]),
        (["--problem", "mlp", "--optimizer", ""], list(RULES)),
        (["run", "--problem", "=", "sad"], ["saddle"]),
        (["run", "--problem=sad"], ["--problem=saddle"]),  # as zsh and fish part words
        (["run", "--order", "="], list(ORDERS)),
        (["run", "--schedule", "cos"], ["cosine"]),
        (["run", "--format", ""], ["progress", "tutorial", "jsonl"]),
        (["run", "--batch-size", ""], ["full"]),
        (["run", "--lr", ""], []),
        (["--driver", "p"], ["paced", "plain"]),
        (["run", "--set", "mom"], ["momentum="]),
        (["run", "--problem", "mlp", "--set", "act"], ["activation=tanh", "activation=relu"]),
        (["run", "--problem", "mlp", "--set", "activation", "=", "t"], ["tanh"]),
        (["run", "--optimizer", "adam", "--set", "beta"], ["beta1=", "beta2="]),
        (["sweep", "--format", ""], ["progress", "jsonl"]),
        (["sweep", "--over", "sch"], ["schedule="]),
        (["sweep", "--over", "mom"], ["momentum="]),
        (["sweep", "--problem", "mlp", "--over", "hid"], ["hidden="]),
        (["sweep", "--over", "order", "="], list(ORDERS)),
        (["sweep", "--over", "optimizer", "=", "sgd,ada"], ["sgd,adagrad", "sgd,adadelta", "sgd,adam", "sgd,adamw"]),
        (["sweep", "--over=order=shuffle,r"], ["--over=order=shuffle,replacement"]),
        (["sweep", "--over", "lr", "="], []),
        (["list", "o"], ["optimizers"]),
        (["lesson", ""], list(LESSONS)),
        (["help", ""], list(NAMES)),
        (["completion", ""], list(SCRIPTS)),
        (["export", "some", "run.csv", "--what", "ch"], ["chart"]),
        (["nonsense", ""], []),
        (["run", "--nonsense", "x"], []),
        (["run", "--problem", "a", "b", "\udcff\n"], []),
    ],
)
def test_values_are_offered(complete: Complete, words: list[str], offered: list[str]) -> None:
    assert complete(*words) == offered


def test_kept_sweeps_are_offered_where_a_sweep_can_stand(complete: Complete, gdtui: Command) -> None:
    assert complete("sweep", "--resume", "") == ["last"]
    (start,) = gdtui("sweep", "--over", "lr=0.1,0.2", "--epochs", "1", "--name", "map").records("start")
    assert complete("sweep", "--resume", "") == ["last", start["sweep"], "map"]
    assert complete("sweep", "--extend", "m") == ["map"]
    assert complete("show", "") == ["last", start["sweep"], "map"]
    assert complete("rm", "map", start["sweep"][:4]) == [start["sweep"]]
    assert complete("open", "m") == []


def test_problems_are_offered_with_the_files_for_one_s_own(complete: Complete) -> None:
    Path("model.py").touch()
    assert complete("run", "--problem", "mo") == ["monkey-saddle", "model.py"]
    assert set(FAMILIES) <= set(complete("run", "--problem", ""))


def test_files_are_offered_where_a_file_can_stand(complete: Complete) -> None:
    Path("my data.csv").touch()
    Path("moonlight").mkdir()
    assert complete("--data", "mo") == ["moons", "moonlight"]
    assert complete("--data", "=", "my") == ["my data.csv"]
    assert complete("check", "my") == ["my data.csv"]
    assert complete("export", "last", "my") == ["my data.csv"]


def test_kept_runs_are_offered_by_id_and_name(complete: Complete, gdtui: Command) -> None:
    assert complete("open", "") == ["last"]
    gdtui("run", "--epochs", "1", "--name", "mine")
    offered = complete("open", "")
    assert (offered[0], offered[2], len(offered)) == ("last", "mine", 3)
    assert complete("compare", "mine", "mi") == ["mine"]
    assert complete("rm", offered[1], offered[1][:4]) == [offered[1]]
    assert complete("show", "mine", "mi") == []  # it takes one


def test_a_damaged_store_offers_nothing_and_stays_as_it_is(complete: Complete, home: Path) -> None:
    home.mkdir()
    (home / "runs.sqlite").write_bytes(b"not a store" * 100)
    assert complete("open", "") == ["last"]
    assert [path.name for path in home.iterdir()] == ["runs.sqlite"]


def test_zsh_and_fish_are_told_what_a_word_is(gdtui: Command) -> None:
    assert gdtui("completion", "next", "lesson", "noise").out == f"noise-scale\t{LESSONS['noise-scale'].title}\n"


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_is_one_that_the_shell_reads(gdtui: Command, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    script = gdtui("completion", shell).out
    finished = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_an_unknown_shell_is_refused(gdtui: Command) -> None:
    finished = gdtui("completion", "bsh")
    assert (finished.status, finished.err) == (2, "gdtui: unknown shell 'bsh' (did you mean bash?)\n")


def test_a_word_is_offered_without_numpy() -> None:
    """Or Tab would take too long."""
    code = (
        "import sys; from gdtui.cli import main\n"
        "try: main(['completion', 'next', 'run', '--set', ''])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'numba', 'textual', 'duckdb', 'rich'} & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.endswith("[]\n")
