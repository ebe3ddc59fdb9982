"""Edits: what a chosen problem, optimizer or data bring along."""

from __future__ import annotations

from typing import Any

import pytest

from gdtui.dashboard.edits import edited
from gdtui.descent.optimizers import RULES
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.loading import load_problem


@pytest.mark.parametrize("before", ["linear", "logistic", "softmax", "saddle"])
@pytest.mark.parametrize("problem", FAMILIES)
def test_from_any_problem_another_can_be_chosen_and_loads(before: str, problem: str) -> None:
    experiment = Experiment(problem=before, data=FAMILIES[before].data or "noise")
    after = edited(experiment, "problem", problem)
    assert Trainer(after, load_problem(after)).state == "ready"
    assert after.lr == FAMILIES[problem].lr


def test_a_problem_brings_data_that_suit_it_and_keeps_those_that_do() -> None:
    seen, experiment = [], Experiment(features=("x",), target="y", init=(2.0,))
    for problem in ("affine", "logistic", "mlp", "saddle", "ackley", "linear"):
        experiment = edited(experiment, "problem", problem)
        seen.append((experiment.data, experiment.lr))
        assert experiment.init == ()
    assert seen == [
        ("tutorial", 0.05),
        ("moons", 0.1),
        ("moons", 0.1),
        ("noise", 0.1),
        ("noise", 0.01),
        ("tutorial", 0.01),
    ]


def test_columns_and_start_are_kept_only_where_they_mean_the_same() -> None:
    experiment = Experiment(data="iris", features=("petal_width",), target="petal_length", init=(1.0,))
    other = edited(experiment, "data", "faithful")
    assert (other.features, other.target, other.init) == ((), "", ())
    assert edited(experiment, "seed", 3).features == ("petal_width",)
    assert edited(experiment, "features", ("petal_width", "sepal_width")).init == ()


@pytest.mark.parametrize("optimizer", RULES)
def test_an_optimizer_brings_its_learning_rate(optimizer: str) -> None:
    experiment = Experiment(problem="mlp", data="moons", lr=0.7)
    expected = FAMILIES["mlp"].lr if optimizer == "sgd" else RULES[optimizer].lr
    assert edited(experiment, "optimizer", optimizer).lr == expected


def test_a_problem_leaves_another_optimizers_learning_rate_alone() -> None:
    experiment = edited(Experiment(), "optimizer", "lion")
    assert edited(experiment, "problem", "saddle").lr == RULES["lion"].lr


@pytest.mark.parametrize(
    ("edit", "left"),
    [
        (("optimizer", "adam"), {"hidden": 4, "n": 10}),
        (("data", "iris"), {"hidden": 4, "momentum": 0.9}),
        (("data", "spiral"), {"hidden": 4, "momentum": 0.9, "n": 10}),
        (("problem", "saddle"), {"momentum": 0.9, "n": 10}),
        (("hidden", 5), {"hidden": 5, "momentum": 0.9, "n": 10}),
    ],
)
def test_hyperparameters_go_with_what_they_belong_to(edit: tuple[str, Any], left: dict[str, Any]) -> None:
    experiment = Experiment(problem="mlp", data="moons", set=(("hidden", 4), ("momentum", 0.9), ("n", 10)))
    assert dict(edited(experiment, *edit).set) == left


def test_a_model_of_ones_own_can_be_chosen_again() -> None:
    own = edited(Experiment(problem="saddle", data="noise", lr=0.3), "problem", "own.py:model")
    assert (own.problem, own.data, own.lr) == ("own.py:model", "tutorial", 0.3)
    assert edited(own, "optimizer", "sgd").optimizer == "sgd"
