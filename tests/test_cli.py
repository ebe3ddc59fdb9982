"""The command line: what it understands, what it refuses and how it says so."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from gdtui.experiment import SETTINGS, Experiment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Finished

    Command = Callable[..., Finished]

LONG = "9" * 5000


def assert_refused(finished: Finished, *words: str) -> None:
    """Exit status 2, nothing on standard output, and one line that has these words."""
    assert (finished.status, finished.out) == (2, "")
    assert finished.err.startswith("gdtui: ")
    assert finished.err.endswith("\n")
    assert finished.err[:-1].isprintable()
    for word in words:
        assert word in finished.err


def experiment_of(finished: Finished) -> dict[str, Any]:
    assert (finished.status, finished.err) == (0, "")
    experiment: dict[str, Any] = json.loads(finished.out.splitlines()[0])["experiment"]
    return experiment


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lr", "abc"], "learning rate must be a number, got 'abc'"),
        (["--lr", ""], "learning rate must be a number, got ''"),
        (["--lr", "-1"], "learning rate must be a positive number, got -1.0"),
        (["--lr=-1"], "learning rate must be a positive number, got -1.0"),
        (["--lr", "0"], "learning rate must be a positive number"),
        (["--lr", "1e-400"], "learning rate must be a positive number"),
        (["--lr", "nan"], "learning rate must be a positive number, got nan"),
        (["--lr", "inf"], "learning rate must be a positive number, got inf"),
        (["--lr", "-inf"], "--lr"),
        (["--lr", "0,01"], "got '0,01' (did you mean 0.01?)"),
        (["--lr", "1\n2"], "learning rate must be a number"),
        (["--lr"], "--lr: expected one argument"),
        (["--lr", "--epochs", "3"], "--lr: expected one argument"),
        (["--batch-size", "0"], "batch size must be full or a whole number from 1, got 0"),
        (["--batch-size", "-3"], "batch size must be full or a whole number from 1, got -3"),
        (["--batch-size", "1.5"], "batch size must be full or a whole number, got '1.5'"),
        (["--batch-size", "half"], "batch size must be full or a whole number, got 'half'"),
        (["--epochs", "0"], "number of epochs must be a whole number from 1, got 0"),
        (["--epochs", "1e999"], "number of epochs must be a whole number"),
        (["--epochs", "nan"], "number of epochs must be a whole number"),
        (["--epochs", LONG], "number of epochs must be a whole number"),
        (["--seed", "-1"], "seed must be a whole number from 0, got -1"),
        (["--order", "shufle"], "unknown order 'shufle' (did you mean shuffle?)"),
        (["--problem", "liner"], "unknown problem 'liner' (did you mean linear?)"),
        (["--optimizer", "adm"], "unknown optimizer 'adm'"),
        (["--init", "1,2"], "start has 2 numbers, but linear has 1 parameter here (w)"),
        (["--init", "1,x"], "start must be a number, got 'x'"),
        (["--init", "-1,inf"], "start must be finite numbers"),
        (["--init", "1e200"], "the loss at the start is not finite"),
        (["--data", ""], "data must be a name"),
        (["--data", "tutoril"], "unknown dataset or file 'tutoril' (did you mean tutorial?)"),
        (["--data", "nosuch.csv"], "there is no file 'nosuch.csv'"),
        (["--data", "x'; drop table t; --.csv"], 'there is no file "x\'; drop table t; --.csv"'),
        (["--data", "no\nsuch.csv"], "there is no file 'no\\nsuch.csv'"),
        (["--data", "https://example.org/x.csv"], "not from URLs"),
        (["--features", "nosuch"], "unknown column 'nosuch'"),
        (["--features", "x,x"], "features must differ from each other"),
        (["--features", "y"], "'y' is the target"),
        (["--target", "nosuch"], "unknown column 'nosuch'"),
        (["--schedule", "cosin"], "unknown schedule 'cosin' (did you mean cosine?)"),
        (["--optimizer", "adamm"], "did you mean adam?"),
        (["--data", "mons"], "did you mean moons?"),
        (["--set", "momentum"], "a hyperparameter is NAME=VALUE, got 'momentum'"),
        (["--set", "=3"], "a hyperparameter is NAME=VALUE"),
        (["--set", "momentum="], "a hyperparameter is NAME=VALUE"),
        (["--set", "momentum=abc"], "momentum must be a number, got 'abc'"),
        (["--set", "momentum=nan"], "momentum must be a finite number"),
        (["--set", "momntum=0.9"], "unknown hyperparameter 'momntum' (did you mean momentum?)"),
        (["--set", "beta1=0.9"], "unknown hyperparameter 'beta1' (there is momentum, dampening, nesterov"),
        (["--set", "nesterov=1"], "nesterov needs momentum above 0"),
        (["--optimizer", "adam", "--set", "beta1=1"], "beta1 must be below 1"),
        (["--problem", "polynomial", "--set", "degree=0"], "degree must be from 1 to 20, got 0"),
        (["--problem", "mlp", "--set", "hidden=0"], "hidden must be from 1"),
        (["--problem", "logistic", "--set", "n=1"], "n must be from 2"),
        (["--problem", "logistic", "--data", "iris"], "needs 2 classes, but 'species' has 3"),
        (["--problem", "softmax", "--data", "noisy-line", "--set", "n=1"], "softmax needs at least 2 classes"),
        (["--problem", "saddle", "--data", "iris"], "is a landscape and brings its own samples"),
        (["--experiment", "lr"], "an experiment is name=value words, got 'lr'"),
        (["--experiment", "lr=0.1 lr=0.2"], "lr is given twice"),
        (["--experiment", "rl=0.1"], "unknown setting 'rl'"),
        (["--experiment", "lr=abc"], "learning rate must be a number"),
        (["--standardize=off"], "--standardize"),
        (["--colour", "red"], "unknown option '--colour'"),
        (["--epoch", "3"], "unknown option '--epoch' (did you mean --epochs?)"),
        (["--bo\ngus"], "unknown option '--bo\\ngus'"),
        (["-x"], "unknown option '-x'"),
        (["--"], "unknown option '--'"),
        (["data.csv"], "unknown command 'data.csv'"),
        (["[bold]x"], "unknown command '[bold]x'"),
        (["\x1b[31m"], "unknown command '\\x1b[31m'"),
        (["\udcff"], "unknown command"),
        (["run"], "run comes first"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(gdtui: Command, arguments: list[str], words: str) -> None:
    assert_refused(gdtui("run", *arguments), words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "xml"], "unknown format 'xml' (there is progress, tutorial, jsonl)"),
        (["--format", "json"], "did you mean jsonl?"),
        (["--format", ""], "unknown format"),
        (["--format", "tutorial", "--samples"], "use it with --format jsonl"),
        (["--play"], "unknown option '--play'"),
    ],
)
def test_what_run_cannot_do_is_refused(gdtui: Command, arguments: list[str], words: str) -> None:
    assert_refused(gdtui("run", *arguments), words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n\n", ""),
        (b"x,y\n", "has no rows"),
        (b"x,y\n1,high\n2,low\n", "'y'"),
        (b"x,y\n1,2\n3,\n", "missing values in 1 of 2 rows; --drop-missing leaves these rows out"),
        (b"x,y\n1,inf\n", "infinite"),
        (b"y\n1\n2\n", "no feature is left"),
        (bytes(range(256)) * 64, ""),
        (b"PAR1" + bytes(100), ""),
        (b"\x1f\x8b" + bytes(100), "damaged gzip"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    gdtui: Command, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    options = ("--target", "y") if b"high" in content else ()
    assert_refused(gdtui("run", "--data", str(path), *options), words)


def test_a_folder_is_no_data(gdtui: Command, tmp_path: Path) -> None:
    assert_refused(gdtui("run", "--data", str(tmp_path)), "a folder")


def test_a_refusal_is_the_same_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "gdtui", "run", "--lr", "abc"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == "gdtui: learning rate must be a number, got 'abc'\n"


# --- what is understood ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "setting", "value"),
    [
        ([], "lr", 0.01),
        (["--lr", "0.5"], "lr", 0.5),
        (["--lr=0.5"], "lr", 0.5),
        (["--lr", " 0.5 "], "lr", 0.5),
        (["--lr", "5e-1"], "lr", 0.5),
        (["--lr", "٠.٥"], "lr", 0.5),
        (["--lr", "0.1", "--lr", "0.5"], "lr", 0.5),
        (["--batch-size", "FULL"], "batch-size", "full"),
        (["--batch-size", "2"], "batch-size", 2),
        (["--batch-size", "1e3"], "batch-size", 1000),
        (["--epochs", "1e1"], "epochs", 10),
        (["--seed", "1000000000000000"], "seed", 10**15),
        (["--init", "-1"], "init", [-1.0]),
        (["--init", "-.5"], "init", [-0.5]),
        (["--init=-1"], "init", [-1.0]),
        (["--init", "0"], "init", [0.0]),
        (["--init", ""], "init", []),
        (["--problem", "affine", "--init", "-1,2"], "init", [-1.0, 2.0]),
        (["--problem", "affine", "--init", "1, -2"], "init", [1.0, -2.0]),
        (["--features="], "features", []),
        (["--features", "x"], "features", ["x"]),
        (["--features", '"x"'], "features", ["x"]),
        (["--target", "x"], "target", "x"),
        (["--standardize"], "standardize", True),
        (["--standardize", "--init", "-1"], "standardize", True),
        (["--drop-missing", "--drop-missing"], "drop-missing", True),
        (["--experiment", ""], "lr", 0.01),
        (["--experiment", "lr=0.5 epochs=3"], "lr", 0.5),
        (["--experiment", "lr=0.5\nepochs=3"], "epochs", 3),
        (["--experiment", "lr=0.1", "--lr", "0.5"], "lr", 0.5),
        (["--lr", "0.5", "--experiment", "lr=0.1"], "lr", 0.5),
        (["--set", "momentum=0.9", "--set", "nesterov=1"], "set", {"momentum": 0.9, "nesterov": 1}),
        (["--set", "momentum=0.9,nesterov=1"], "set", {"momentum": 0.9, "nesterov": 1}),
        (["--set", "momentum=0.9", "--set", "momentum=0.5"], "set", {"momentum": 0.5}),
        (["--experiment", "set=momentum:0.9", "--set", "clip=1"], "set", {"momentum": 0.9, "clip": 1}),
        (["--problem", "mlp", "--set", "activation=relu", "--epochs", "1"], "set", {"activation": "relu"}),
        (["--problem", "mlp", "--epochs", "1"], "data", "moons"),
        (["--problem", "softmax", "--epochs", "1"], "data", "iris"),
        (["--problem", "saddle", "--epochs", "1"], "data", "noise"),
        (["--problem", "affine", "--data", "faithful", "--lr", "1e-9", "--epochs", "1"], "data", "faithful"),
        (["--experiment", "problem=mlp data=xor set=hidden:4 epochs=1"], "set", {"hidden": 4}),
        (["--experiment=lr=0.5"], "lr", 0.5),
    ],
)
def test_a_setting_is_understood(gdtui: Command, arguments: list[str], setting: str, value: object) -> None:
    assert experiment_of(gdtui("run", *arguments))[setting] == value


def test_a_whole_experiment_fits_in_one_line(gdtui: Command) -> None:
    experiment = Experiment(
        problem="affine",
        data="faithful",
        features=("eruptions",),
        standardize=True,
        lr=0.1,
        batch_size=16,
        order="shuffle",
        epochs=2,
        seed=7,
        init=(0.0, -1.5),
    )
    assert experiment_of(gdtui("run", "--experiment", experiment.to_line())) == experiment.as_dict()


@pytest.mark.parametrize("problem", ["saddle", "double-well", "softmax", "mlp"])
@pytest.mark.parametrize("batch_size", ["1", "full"])
def test_the_tutorials_lines_fit_any_problem(gdtui: Command, problem: str, batch_size: str) -> None:
    arguments = ("--problem", problem, "--batch-size", batch_size, "--epochs", "2", "--format", "tutorial")
    finished = gdtui("run", *arguments)
    assert (finished.status, finished.err) == (0, "")
    assert sum(line.startswith("Epoch ") for line in finished.out.splitlines()) == 2


# --- help, version, and the dashboard --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["--help"], ["-h"], ["run", "--help"], ["run", "-h"], ["run", "--lr", "x", "-h"]]
)
def test_help_names_every_setting(gdtui: Command, arguments: list[str]) -> None:
    finished = gdtui(*arguments)
    assert (finished.status, finished.err) == (0, "")
    for setting in SETTINGS.values():
        assert f"--{setting.option}" in finished.out


def test_help_tells_the_exit_statuses_and_the_commands(gdtui: Command) -> None:
    help_text = gdtui("--help").out
    assert "exit status: 0 finished or converged, 2 bad input, 3 diverged, 130 interrupted" in help_text
    assert "gdtui run [EXPERIMENT]" in help_text


def test_the_version_is_the_package_s(gdtui: Command) -> None:
    assert gdtui("--version").out == f"gdtui {version('gdtui')}\n"


def test_without_a_terminal_the_dashboard_points_to_run(gdtui: Command) -> None:
    assert_refused(gdtui(), "needs a terminal", "use gdtui run")


def test_the_dashboard_checks_its_settings_first(gdtui: Command) -> None:
    assert_refused(gdtui("--lr", "abc"), "learning rate must be a number")


@pytest.mark.parametrize("arguments", [["run", "--lr", "x"], ["--lr", "0.1", "run"]])
def test_run_comes_first(gdtui: Command, arguments: list[str]) -> None:
    assert_refused(gdtui(*arguments), "learning rate" if arguments[0] == "run" else "run comes first: gdtui run")


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_no_dashboard(term: str) -> None:
    leader, follower = pty.openpty()
    command, env = [sys.executable, "-m", "gdtui"], os.environ | {"TERM": term}
    finished = subprocess.run(
        command, stdin=follower, stdout=follower, stderr=subprocess.PIPE, text=True, env=env, check=False
    )
    os.close(follower)
    os.close(leader)
    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    assert "needs a terminal" in finished.stderr


@pytest.mark.parametrize("redirection", ["run >&-", "<&-", ">&-"])
def test_standard_streams_that_are_closed_are_no_fault(redirection: str) -> None:
    script = f'"{sys.executable}" -m gdtui {redirection}'
    finished = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    assert finished.stderr.startswith("gdtui: ")
