"""In what experiments differ, and what they are called for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gdtui.experiment import SETTINGS, Experiment
from gdtui.runs.compare import differences, differing, labels

TUTORIAL = Experiment()


def test_only_the_settings_that_differ_are_told_in_the_order_of_the_settings() -> None:
    others = [TUTORIAL.replace(seed=3, batch_size="full", lr=0.02), TUTORIAL.replace(lr=0.02)]
    found = differing([TUTORIAL, *others])
    assert found == {"lr": (0.01, 0.02, 0.02), "batch_size": (1, "full", 1), "seed": (0, 3, 0)}
    assert list(found) == [name for name in SETTINGS if name in found]
    assert labels([TUTORIAL, *others]) == ["lr 0.01 b=1 seed 0", "lr 0.02 b=full seed 3", "lr 0.02 b=1 seed 0"]


@pytest.mark.parametrize("experiments", [[], [TUTORIAL], [TUTORIAL, Experiment()]])
def test_where_nothing_differs_all_are_the_same(experiments: list[Experiment]) -> None:
    assert differing(experiments) == {}
    assert labels(experiments) == ["same"] * len(experiments)


@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        ({"batch_size": "full"}, "b=1", "b=full"),
        ({"lr": 0.0123456789}, "lr 0.01", "lr 0.0123457"),
        ({"optimizer": "adam"}, "sgd", "adam"),
        ({"problem": "/home/me/my.py:f"}, "linear", "my.py:f"),
        ({"data": "/data/house\x1b[31m.csv"}, "tutorial", "house\\x1b[31m.csv"),
        ({"schedule": "cosine"}, "constant", "cosine"),
        ({"order": "shuffle"}, "sequential", "shuffle"),
        ({"standardize": True}, "as they are", "standardized"),
        ({"drop_missing": True}, "all rows", "whole rows"),
        ({"init": (0.5, -1.0)}, "default start", "start 0.5,-1"),
        ({"features": ("a", "b")}, "all features", "features a,b"),
        ({"target": "y"}, "last column", "target y"),
        ({"epochs": 50}, "epochs 100", "epochs 50"),
        ({"momentum": 0.9}, "momentum 0", "momentum 0.9"),
    ],
)
def test_each_setting_has_its_word(changes: dict, before: str, after: str) -> None:
    assert labels([TUTORIAL, TUTORIAL.replace(**changes)]) == [before, after]


def test_a_hyperparameter_that_is_set_to_its_default_makes_no_difference() -> None:
    assert differing([TUTORIAL, TUTORIAL.replace(momentum=0.0)]) == {}


def test_a_hyperparameter_is_not_told_of_who_has_none_such() -> None:
    adam = TUTORIAL.replace(optimizer="adam", beta1=0.8)
    assert differences([TUTORIAL, adam]) == [("sgd",), ("adam", "beta1 0.8")]


def test_hyperparameters_of_a_problem_that_is_not_known_are_told_as_they_are_set() -> None:
    one, other = (TUTORIAL.replace(problem="gone", hidden=hidden) for hidden in (8, 16))
    assert labels([one, other]) == ["hidden 8", "hidden 16"]


def test_comparing_settings_loads_nothing_heavy() -> None:
    code = (
        "import sys; from gdtui.experiment import Experiment; from gdtui.runs.compare import labels;"
        "labels([Experiment(), Experiment(lr=0.1)]); print({'numpy', 'numba', 'textual'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
