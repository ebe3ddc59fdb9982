"""The sentence that says what became of a descent."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gdtui.descent.snapshot import Snapshot, State, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.verdict import counted, verdict
from gdtui.problems.datasets import Dataset
from gdtui.problems.loading import load_problem
from gdtui.problems.models import MODELS
from gdtui.problems.problem import Problem

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Epoch


def descended(until: Epoch | Update | None = None, **settings: Any) -> Snapshot:
    experiment = Experiment(**settings)
    return Trainer(experiment, load_problem(experiment)).advance(until)


def test_finished_says_how_far_and_from_which_loss_to_which() -> None:
    assert verdict(descended(epochs=2)) == "Finished 2 epochs, 6 updates: loss 4.667 → 1.394."


def test_one_epoch_and_one_update_are_not_plural() -> None:
    assert verdict(descended(epochs=1, batch_size="full")).startswith("Finished 1 epoch, 1 update: ")


def test_large_counts_have_separators() -> None:
    assert (counted(0, "epoch"), counted(1, "epoch"), counted(1_234_567, "update")) == (
        "0 epochs",
        "1 epoch",
        "1,234,567 updates",
    )


def test_converged_says_that_nothing_moves_any_more() -> None:
    assert verdict(descended(init=(2.0,), epochs=3)) == (
        "Converged after 3 epochs, 9 updates: loss 0 → 0; the last epoch did not move θ."
    )


def test_diverged_says_when_and_that_the_last_finite_theta_is_kept() -> None:
    assert verdict(descended(lr=1e200)) == (
        "Diverged in epoch 1, at update 2: a sample's loss is no longer finite. The last finite θ is kept: w = 2e+200. "
        "lr 1e+200 is above the limit in this order, 0.2040: try 0.102."
    )


def test_diverged_is_short_where_there_is_no_time_for_the_reason() -> None:
    assert verdict(descended(lr=1e200), with_why=False).endswith("The last finite θ is kept: w = 2e+200.")


def test_diverged_names_the_first_parameters_of_many() -> None:
    x = np.ones((2, 6))
    problem = Problem(MODELS["affine"], Dataset("ones", x, np.zeros(2), tuple("abcdef"), "y"))
    sentence = verdict(Trainer(Experiment(problem="affine", lr=1e200), problem).advance(), with_why=False)
    assert sentence.endswith(": w1 = -1.4e+201, w2 = -1.4e+201, w3 = -1.4e+201, w4 = -1.4e+201 and 3 more.")


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.INTERRUPTED])
def test_a_run_that_is_not_over_says_where_it_stands(state: State) -> None:
    snapshot = replace(descended(Update(4)), state=state)
    assert verdict(snapshot) == f"{state.capitalize()} at 1 epoch, 4 updates: loss 4.667 → 2.551."


@pytest.mark.parametrize(
    "settings", [{}, {"lr": 0.25, "batch_size": "full", "epochs": 1000}, {"lr": 1e308}, {"lr": 1e-300}]
)
def test_a_verdict_is_one_line(settings: dict[str, Any]) -> None:
    assert verdict(descended(**settings)).isprintable()


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({"lr": 0.25, "batch_size": "full"}, "lr 0.25 is above the full batch's limit, 0.2143: try 0.1071."),
        ({"lr": 0.21}, "lr 0.21 is above the limit in this order, 0.2040: try 0.102."),
        ({"lr": 0.3, "order": "shuffle"}, "lr 0.3 is above the limit in any order, 0.2040: try 0.102."),
        ({"lr": 0.4, "order": "replacement"}, "lr 0.4 is above the limit with replacement, 0.1429: try 0.07143."),
        ({"problem": "quadratic", "lr": 0.25}, "lr 0.25 is above the limit in this order, 0.2000: try 0.1."),
        (
            {"problem": "quadratic", "lr": 0.25, "batch_size": "full"},
            "lr 0.25 is above the full batch's limit, 0.2000: try 0.1818.",
        ),
        (
            {"lr": 1.0, "batch_size": "full", "set": (("momentum", 0.5),)},
            "lr 1 is above the full batch's limit, 0.3214: try 0.1607.",
        ),
        (
            {"problem": "rosenbrock", "lr": 0.01, "batch_size": "full"},
            "lr 0.01 is above the limit at the start, 0.001328: 0.0006638 would be stable there.",
        ),
    ],
    ids=str,
)
def test_diverged_proposes_a_learning_rate_that_then_works(settings: dict[str, Any], limit: str) -> None:
    diverged = descended(**settings, epochs=2000)
    assert diverged.state is State.DIVERGED
    sentence = verdict(diverged)
    assert sentence.endswith(limit)
    (proposed,) = re.findall(r"(?:try|: ) ?(0\.\d+)(?: would|\.$)", sentence)
    calm = descended(**(settings | {"lr": float(proposed)}), epochs=2000)
    best = 0.087 if settings.get("problem") == "quadratic" and "batch_size" not in settings else 0.0
    assert calm.state is not State.DIVERGED
    assert calm.loss <= best + (1.0 if settings.get("problem") == "rosenbrock" else 1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"problem": "mlp", "data": "moons", "lr": 1e10, "set": (("hidden", 2), ("loss", "squared"))},
        {"problem": "rosenbrock", "lr": 1e5, "optimizer": "adam"},
        {"problem": "double-well", "lr": 5.0, "set": (("clip", 1.0), ("rms", 1e9))},
    ],
    ids=str,
)
def test_diverged_says_nothing_of_limits_that_are_not_known(settings: dict[str, Any]) -> None:
    diverged = descended(**settings)
    assert verdict(diverged).isprintable()
    if diverged.state is State.DIVERGED:
        assert "nan" not in verdict(diverged)
