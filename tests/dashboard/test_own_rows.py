"""Rows of a person's own model, which may fail at any θ."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gdtui.dashboard.rows import read_rows
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from pathlib import Path

    from gdtui.descent.snapshot import Snapshot


def of_own_model(path: Path) -> Snapshot:
    experiment = Experiment(problem=f"{path / 'own.py'}:line")
    return Trainer(experiment, load_problem(experiment)).snapshot()


def test_a_model_of_one_s_own_that_fails_leaves_its_cells_empty(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "def line(theta, x, y, g):\n"
        "    if theta[0] > 5: raise KeyError('x')\n"
        "    g[0] = 2 * (theta[0] * x[0] - y) * x[0]\n"
        "    return (theta[0] * x[0] - y) ** 2\n"
        "def predict(theta, x):\n"
        "    if theta[0] > 2: raise ZeroDivisionError\n"
        "    return theta[0] * x[0]\n"
        "line.predict = predict\n"
    )
    at = of_own_model(tmp_path)
    assert read_rows(at, [1], applied=False)[0].y_hat == 2.0
    beyond = replace(at, theta=np.array([6.0]))
    (row,) = read_rows(beyond, [1], applied=False)
    assert row.y_hat is None
    assert math.isnan(row.loss)
