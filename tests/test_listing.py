"""Lists and checks: what there is to choose from, and what is found of a person's own model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gdtui.listing import LISTED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Finished

    Command = Callable[..., Finished]

MODEL = """
def right(theta, x, y, g):
    residual = theta[0] * x[0] + theta[1] - y
    g[0] = 2 * residual * x[0]
    g[1] = 2 * residual
    return residual * residual

right.parameters = "slope", "[b]offset"

def wrong(theta, x, y, g):
    value = right(theta, x, y, g)
    g[1] = 0.5 * g[1]
    return value

wrong.parameters = 2

def endless(theta, x, y, g):
    while True:
        pass
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.py"
    path.write_text(MODEL, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("what", LISTED)
def test_every_name_and_hyperparameter_is_in_its_table(gdtui: Command, what: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    finished = gdtui("list", what)
    assert (finished.status, finished.err) == (0, "")
    rows = [line.split() for line in finished.out.splitlines() if line.strip()]
    assert {row[0] for row in rows} >= set(LISTED[what])
    for one in LISTED[what].values():
        for hyperparameter in one.hyperparameters:
            assert f"{hyperparameter.name}=" in finished.out


@pytest.mark.parametrize("columns", ["40", "80"])
def test_a_narrow_terminal_cuts_no_name(gdtui: Command, columns: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert "styblinski-tang" in gdtui("list", "problems").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "problem"], "unknown list 'problem' (did you mean problems?)"),
        (["list", "nosuch"], "there is problems, datasets, optimizers, schedules"),
        (["list"], "required"),
        (["list", "problems", "more"], "unknown"),
        (["check"], "FILE.py:NAME"),
        (["check", "linear"], "a model of your own is FILE.py:NAME, got 'linear'"),
        (["check", "nowhere.py:f"], "there is no file 'nowhere.py'"),
    ],
)
def test_what_cannot_be_listed_or_checked_is_told_in_one_line(gdtui: Command, arguments: list[str], words: str) -> None:
    finished = gdtui(*arguments)
    assert (finished.status, finished.out, finished.err.count("\n")) == (2, "", 1)
    assert words in finished.err


def test_a_right_gradient_is_shown_beside_finite_differences(gdtui: Command, own: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    finished = gdtui("check", f"{own}:right")
    assert (finished.status, finished.err) == (0, "")
    rows = [line.split() for line in finished.out.splitlines()]
    assert any(row[:2] == ["0", "slope"] for row in rows)
    assert any(row[:2] == ["2", "[b]offset"] for row in rows)
    assert f"the gradient of {own}:right is right, to " in finished.out.replace("\n", "")


def test_a_wrong_gradient_names_the_coordinate_and_both_values(gdtui: Command, own: str) -> None:
    for arguments in (["check", f"{own}:wrong"], ["run", "--problem", f"{own}:wrong"]):
        finished = gdtui(*arguments)
        assert (finished.status, finished.out, finished.err.count("\n")) == (2, "", 1)
        assert "the gradient is wrong at sample 0: ∂ℓ/∂w2 is 0.3, but finite differences give 0.6" in finished.err


@pytest.mark.parametrize("arguments", [["check", "{}:endless"], ["run", "--problem", "{}:endless"]])
def test_a_model_that_never_returns_can_be_interrupted(own: str, arguments: list[str]) -> None:
    with open(own, "a", encoding="utf-8") as file:  # noqa: PTH123
        file.write("\nprint('imported', flush=True)\n")
    command = [sys.executable, "-m", "gdtui", *(word.format(own) for word in arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "imported\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")


@pytest.mark.parametrize("order", ["sequential", "shuffle"])
def test_ones_own_model_has_the_same_lines_compiled_and_interpreted(own: str, order: str) -> None:
    command = [sys.executable, "-m", "gdtui", "run", "--problem", f"{own}:right", "--data", "noisy-line"]
    command += ["--set", "n=30000", "--epochs", "2", "--order", order, "--lr", "0.001"]
    lines = [
        subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment).stdout
        for environment in ({}, {"NUMBA_DISABLE_JIT": "1"})
    ]
    assert lines[0] == lines[1]
    assert '"epoch": 2' in lines[0]
