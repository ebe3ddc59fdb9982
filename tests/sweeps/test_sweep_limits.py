"""The limits that theory gives a sweep's experiments: closed forms, and silence where it has none."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from gdtui.experiment import Experiment
from gdtui.sweeps import limits as module
from gdtui.sweeps.limits import Limits


def limit_of(line: str) -> float:
    return Limits(str(Path.cwd()))(Experiment.from_line(line))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("batch-size=full", 3 / 14),
        ("batch-size=3", 3 / 14),
        ("order=replacement", 1 / 7),
        ("order=shuffle", 0.2040),
        ("batch-size=full set=momentum:0.9", 1.9 * 3 / 14),
        ("batch-size=full set=momentum:0.9,nesterov:1", 3.8 / 2.8 * 3 / 28),
        ("problem=quadratic batch-size=full", 2 / 10),
        ("", 0.2040),
        ("lr=0.9 epochs=7", 0.2040),
    ],
)
def test_limits_are_the_closed_forms(line: str, expected: float) -> None:
    assert limit_of(line) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize(
    "line",
    [
        "problem=mlp data=moons",
        "problem=logistic data=moons batch-size=full",
        "problem=double-well batch-size=full",
        "optimizer=adam batch-size=full",
        "schedule=cosine batch-size=full",
        "set=clip:1",
        "order=shuffle batch-size=2",
        "problem=no-such-problem",
        "data=no-such-file.csv",
        "problem=no_such_file.py:model",
        "set=no_such_thing:1",
        "init=1,2,3",
    ],
)
def test_where_theory_is_not_exact_or_there_is_no_problem_it_says_nothing(line: str) -> None:
    assert math.isnan(limit_of(line))


def test_a_model_that_raises_has_no_limit(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def model(theta, x, y, g):\n    raise RuntimeError('no')\n")
    assert math.isnan(Limits(str(tmp_path))(Experiment(problem="own.py:model")))


def test_files_are_looked_for_in_the_sweeps_folder(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("x,y\n1,2\n2,4\n3,6\n")
    assert Limits(str(tmp_path))(Experiment(data="own.csv", batch_size="full")) == pytest.approx(3 / 14)


def test_experiments_that_differ_in_lr_and_epochs_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[Experiment] = []
    once = Limits._limit
    monkeypatch.setattr(module.Limits, "_limit", lambda self, one: (worked.append(one), once(self, one))[1])
    limits = Limits(".")
    found = {limits(Experiment(lr=lr, epochs=epochs)) for lr in (0.1, 0.2, 0.3) for epochs in (10, 20)}
    assert (len(found), len(worked)) == (1, 1)
