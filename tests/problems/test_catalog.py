"""Catalog: every problem as it is chosen, its start, its hyperparameters, and the data that it cannot use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdtui.descent.snapshot import Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment, InputError
from gdtui.problems.catalog import FAMILIES, family_named
from gdtui.problems.gradcheck import check_gradient
from gdtui.problems.loading import load_problem


def experiment_of(name: str, **settings: Any) -> Experiment:
    """The experiment that a person gets who chooses this problem."""
    family = FAMILIES[name]
    return Experiment(**({"problem": name, "data": family.data or "noise", "lr": family.lr, "epochs": 50} | settings))


def load(name: str, **settings: Any):
    return load_problem(experiment_of(name, **settings))


@pytest.mark.parametrize("name", FAMILIES)
def test_descent_gets_somewhere_at_its_own_learning_rate(name: str) -> None:
    experiment = experiment_of(name, batch_size="full", epochs=10)
    snapshot = Trainer(experiment, load_problem(experiment)).advance()
    assert snapshot.state != "diverged"
    assert snapshot.loss < snapshot.history.first_loss


@pytest.mark.parametrize("name", FAMILIES)
def test_its_gradient_is_right_at_its_own_start(name: str) -> None:
    problem = load(name)
    theta = problem.start(()) + 0.01
    for i in range(2):
        assert check_gradient(problem.model.loss, theta, problem.dataset.x[i], float(problem.dataset.y[i])).ok


@pytest.mark.parametrize(
    ("name", "settings", "p"),
    [
        ("linear", {}, 1),
        ("affine", {}, 2),
        ("polynomial", {"set": (("degree", 5),)}, 6),
        ("huber", {}, 2),
        ("logistic", {}, 3),
        ("softmax", {}, 3 * 5),
        ("deep-linear", {}, 2),
        ("mlp", {"set": (("hidden", 16),)}, 16 * 4 + 1),
        ("double-well", {}, 1),
        ("ackley", {}, 2),
    ],
)
def test_it_has_so_many_parameters_each_with_a_name_of_its_own(name: str, settings: dict[str, Any], p: int) -> None:
    problem = load(name, **settings)
    assert len(set(problem.parameters)) == len(problem.parameters) == len(problem.start(())) == p


def test_where_a_model_starts_is_fixed_by_the_seed() -> None:
    assert np.array_equal(load("mlp", seed=1).start(()), load("mlp", seed=1).start(()))
    assert not np.array_equal(load("mlp", seed=1).start(()), load("mlp", seed=2).start(()))
    assert load("softmax").start(()).tolist() == [0.0] * 15
    assert load("saddle").start(()).tolist() == [1.0, 0.0]
    assert load("quadratic", set=(("kappa", 30.0),)).start(()).tolist() == [30.0, 1.0]


def test_a_landscape_predicts_nothing_and_its_samples_are_noise() -> None:
    problem = load("saddle", set=(("n", 10), ("rms", 2.0)))
    assert problem.model.predict is None
    assert problem.dataset.target == ""
    assert problem.n == 10
    assert np.sqrt((problem.dataset.x**2).mean(axis=0)) == pytest.approx([2.0, 2.0])
    assert problem.dataset.x.sum(axis=0).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("name", "settings", "setting", "words"),
    [
        ("logistic", {"data": "iris"}, "data", "needs 2 classes, but 'species' has 3 different values; try data moons"),
        ("logistic", {"data": "outlier-line"}, "data", "needs 2 classes, but 'y' has 50"),
        ("mlp", {"data": "iris"}, "data", "mlp with logistic loss needs 2 classes"),
        ("softmax", {"data": "noisy-line", "set": (("n", 1),)}, "data", "needs at least 2 classes, but 'y' has 1"),
        ("softmax", {"data": "noisy-line", "set": (("n", 101),)}, "data", "too many for classes; is it a number?"),
        ("polynomial", {"set": (("degree", 0),)}, "degree", "degree must be from 1 to 20, got 0"),
        ("polynomial", {"set": (("degree", 2.5),)}, "degree", "degree must be a whole number, got 2.5"),
        ("mlp", {"set": (("hidden", 0),)}, "hidden", "hidden must be from 1"),
        ("mlp", {"set": (("activation", "sigmoid"),)}, "activation", "there is tanh, relu"),
        ("mlp", {"set": (("loss", "square"),)}, "loss", "did you mean squared?"),
        ("huber", {"set": (("delta", 0.0),)}, "delta", "delta must be from"),
        ("logistic", {"set": (("n", 1),)}, "n", "n must be from 2"),
        ("saddle", {"set": (("rms", -1.0),)}, "rms", "rms must be from 0"),
        ("saddle", {"set": (("n", 1),)}, "n", "n must be from 2"),
        ("saddle", {"set": (("n", 10**7),)}, "n", "n must be from 2 to 1,000,000, got"),
        ("saddle", {"data": "iris"}, "data", "is a landscape and brings its own samples: leave out the data"),
        ("saddle", {"features": ("z1",)}, "features", "brings its own samples: leave out features"),
        ("saddle", {"target": "y"}, "target", "brings its own samples: leave out target"),
        ("saddle", {"standardize": True}, "standardize", "brings its own samples: leave out standardize"),
    ],
)
def test_what_does_not_fit_is_told_with_the_setting_that_is_wrong(
    name: str, settings: dict[str, Any], setting: str, words: str
) -> None:
    with pytest.raises(InputError) as refused:
        load(name, **settings)
    assert refused.value.setting == setting
    assert words in str(refused.value)


def test_an_unknown_problem_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown problem 'sadle' \(did you mean saddle\?\)"):
        family_named("sadle")


def test_mlp_with_squared_loss_takes_any_numbers() -> None:
    problem = load("mlp", data="noisy-line", set=(("loss", "squared"),))
    assert problem.dataset.y.max() > 1


def test_a_name_that_problem_and_data_share_means_its_own_in_each() -> None:
    assert load("mlp", set=(("loss", "squared"), ("n", 6), ("noise", 0.0))).n == 6


def test_ten_thousand_hidden_units_make_an_update() -> None:
    experiment = experiment_of("mlp", set=(("hidden", 10_000), ("n", 2)), batch_size="full")
    snapshot = Trainer(experiment, load_problem(experiment)).advance(until=Update(1))
    assert len(snapshot.theta) == 40_001
    assert np.isfinite(snapshot.theta).all()


# What descent does on them


def test_from_the_saddle_line_gradient_descent_never_leaves() -> None:
    experiment = experiment_of("saddle", batch_size="full", epochs=5000)
    snapshot = Trainer(experiment, load_problem(experiment)).advance()
    assert snapshot.theta[1] == 0.0
    assert snapshot.theta[0] == pytest.approx(0.0, abs=1e-15)


def test_small_noise_leaves_the_saddle_in_some_47_updates() -> None:
    updates = []
    for seed in range(60):
        experiment = experiment_of("saddle", order="shuffle", seed=seed, set=(("n", 32), ("rms", 0.1)))
        trainer = Trainer(experiment, load_problem(experiment))
        snapshot = trainer.advance(until=Update(10))
        while snapshot.now.loss >= -0.2:
            snapshot = trainer.advance(until=Update(snapshot.updates + 1))
        updates.append(snapshot.updates)
    assert np.median(updates) == pytest.approx(47, rel=0.2)


@pytest.mark.parametrize(("rms", "least", "most"), [(0.5, 0, 0), (2.0, 37, 40)])
def test_the_noise_decides_who_finds_the_better_well(rms: float, least: int, most: int) -> None:
    found = 0
    for seed in range(40):
        experiment = experiment_of("double-well", order="shuffle", seed=seed, epochs=125, set=(("rms", rms),))
        found += bool(Trainer(experiment, load_problem(experiment)).advance().theta[0] < 0)
    assert least <= found <= most


@pytest.mark.parametrize("batch_size", [1, "full"])
def test_from_opposite_weights_deep_linear_never_escapes(batch_size: Any) -> None:
    experiment = experiment_of("deep-linear", init=(0.5, -0.5), batch_size=batch_size, order="shuffle", epochs=2000)
    snapshot = Trainer(experiment, load_problem(experiment)).advance()
    assert snapshot.theta == pytest.approx([0.0, 0.0], abs=1e-6)
    assert snapshot.loss == pytest.approx(56 / 3)
