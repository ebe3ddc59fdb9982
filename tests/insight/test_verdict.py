"""The sentence that says what became of a descent."""

from __future__ import annotations

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
        "Diverged in epoch 1, at update 2: a sample's loss is no longer finite. The last finite θ is kept: w = 2e+200."
    )


def test_diverged_names_the_first_parameters_of_many() -> None:
    x = np.ones((2, 6))
    problem = Problem(MODELS["affine"], Dataset("ones", x, np.zeros(2), tuple("abcdef"), "y"))
    sentence = verdict(Trainer(Experiment(problem="affine", lr=1e200), problem).advance())
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
