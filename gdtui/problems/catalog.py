"""Catalog: every problem by its name, with its hyperparameters, and how it is made from data and their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from gdtui.experiment import InputError, Value, unknown
from gdtui.hyperparameters import Hyperparameter
from gdtui.problems import losses
from gdtui.problems.datasets import Dataset
from gdtui.problems.landscapes import LANDSCAPES, Landscape
from gdtui.problems.lift import lift, noise
from gdtui.problems.models import MODELS, Model
from gdtui.problems.problem import Problem

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array

Values = Mapping[str, Value]

MOST_CLASSES = 100


@dataclass(frozen=True, slots=True)
class Family:
    """Problems of one name.

    Attributes:
        name: as in `--problem`.
        summary: its formula, for people.
        hyperparameters: what it can be asked for.
        data: the data that shows it at its best; empty for a landscape, which brings its own.
        lr: a learning rate at which descent gets somewhere there.
        make: (data, values, seed) -> the problem; raises InputError where the data do not fit.
    """

    name: str
    summary: str
    hyperparameters: tuple[Hyperparameter, ...]
    data: str
    lr: float
    make: Callable[[Dataset, Values, int], Problem]


def _plain(model: Model, data: str, lr: float) -> Family:
    return Family(model.name, model.summary, (), data, lr, lambda dataset, _values, _seed: Problem(model, dataset))


def _polynomial(dataset: Dataset, values: Values, _seed: int) -> Problem:
    degree = int(values["degree"])

    def names(features: tuple[str, ...]) -> tuple[str, ...]:
        bases = ("w",) if len(features) == 1 else tuple(f"w{j + 1}," for j in range(len(features)))
        return (*(f"{base}{k}" for base in bases for k in range(1, degree + 1)), "b")

    loss, predict = losses.polynomial, losses.predict_polynomial
    model = Model("polynomial", f"degree {degree}", loss, predict, names, is_quadratic=True)
    return Problem(model, dataset, _zeros(degree * dataset.x.shape[1] + 1))


def _huber(dataset: Dataset, values: Values, _seed: int) -> Problem:
    loss = losses.huber(float(values["delta"]))
    return Problem(replace(MODELS["affine"], name="huber", loss=loss, is_quadratic=False), dataset)


def _logistic(dataset: Dataset, _values: Values, _seed: int) -> Problem:
    loss, predict = losses.logistic, losses.predict_logistic
    model = replace(MODELS["affine"], name="logistic", loss=loss, predict=predict, is_quadratic=False)
    return Problem(model, _classes(dataset, "logistic", exactly=2), _zeros(dataset.x.shape[1] + 1))


def _softmax(dataset: Dataset, _values: Values, _seed: int) -> Problem:
    labelled = _classes(dataset, "softmax")
    k, d = round(float(labelled.y.max())) + 1, dataset.x.shape[1]

    def names(features: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{name}.{c}" for c in range(k) for name in (*_weights(features), "b"))

    model = Model("softmax", f"{k} classes", losses.softmax, losses.predict_softmax, names)
    return Problem(model, labelled, _zeros(k * (d + 1)))


def _deep_linear(dataset: Dataset, _values: Values, _seed: int) -> Problem:
    def names(features: tuple[str, ...]) -> tuple[str, ...]:
        return ("w1", "w2") if len(features) == 1 else (*(f"w1,{j + 1}" for j in range(len(features))), "w2")

    model = Model("deep-linear", "ŷ = x·w₁·w₂", losses.deep_linear, losses.predict_deep_linear, names)
    return Problem(model, dataset)


def _mlp(dataset: Dataset, values: Values, seed: int) -> Problem:
    hidden, d = int(values["hidden"]), dataset.x.shape[1]
    is_relu, is_logistic = values["activation"] == "relu", values["loss"] == "logistic"

    def names(features: tuple[str, ...]) -> tuple[str, ...]:
        first = [f"W{h}{name[1:] or ''}" for h in range(1, hidden + 1) for name in _weights(features)]
        return (*first, *(f"c{h}" for h in range(1, hidden + 1)), *(f"v{h}" for h in range(1, hidden + 1)), "b")

    loss, predict = losses.mlp(is_relu, is_logistic), losses.predict_mlp(is_relu, is_logistic)
    model = Model("mlp", f"{d}-{hidden}-1", loss, predict, names)
    if is_logistic:
        dataset = _classes(dataset, "mlp with logistic loss", exactly=2)
    return Problem(model, dataset, _random_start(d, hidden, seed))


def _random_start(d: int, hidden: int, seed: int) -> Array:
    """Weights uniform in ±1/√(their number at the unit), PyTorch's choice for a linear layer; biases too."""
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(seed))
    first, second = 1 / math.sqrt(d), 1 / math.sqrt(hidden)
    sizes = ((hidden * d, first), (hidden, first), (hidden, second), (1, second))
    return np.concatenate([generator.uniform(-bound, bound, count) for count, bound in sizes])


def _landscape(landscape: Landscape, _dataset: Dataset, values: Values, seed: int) -> Problem:
    import numpy as np

    z = noise(int(values["n"]), landscape.dimensions, float(values["rms"]), seed)
    names = tuple(f"z{j + 1}" for j in range(landscape.dimensions))
    dataset = Dataset("noise", z, np.zeros(len(z)), names, "")
    model = Model(
        landscape.name,
        landscape.summary,
        lift(landscape.make(values)),
        None,
        lambda _: landscape.parameters,
        landscape.is_quadratic,
    )
    return Problem(model, dataset, np.array(landscape.start(values)))


def _zeros(p: int) -> Array:
    import numpy as np

    return np.zeros(p)


def _weights(features: tuple[str, ...]) -> tuple[str, ...]:
    return ("w",) if len(features) == 1 else tuple(f"w{j + 1}" for j in range(len(features)))


def _classes(dataset: Dataset, owner: str, exactly: int | None = None) -> Dataset:
    """The targets as class numbers 0, 1, ... in the order of their values.

    Raises:
        InputError: if there are fewer than two classes, too many, or not so many as asked for.
    """
    import numpy as np

    classes, y = np.unique(dataset.y, return_inverse=True)
    k = len(classes)
    wanted = f"{exactly} classes" if exactly else "at least 2 classes"
    if k < 2 or (exactly and k != exactly):
        hint = "; try data moons" if exactly else "; try data iris"
        raise InputError("data", f"{owner} needs {wanted}, but {dataset.target!r} has {k} different values{hint}")
    if k > MOST_CLASSES:
        raise InputError("data", f"{dataset.target!r} has {k} different values: too many for classes; is it a number?")
    return replace(dataset, y=y.astype(np.float64))


DEGREE = Hyperparameter("degree", 3, "highest power", 1, 20)
DELTA = Hyperparameter("delta", 1.0, "residuals beyond this count linearly", 1e-9, 1e9)
HIDDEN = Hyperparameter("hidden", 8, "hidden units", 1, 10_000)
ACTIVATION = Hyperparameter("activation", "tanh", "of the hidden units", choices=("tanh", "relu"))
LOSS = Hyperparameter(
    "loss", "logistic", "logistic for two classes, squared for numbers", choices=("logistic", "squared")
)

FAMILIES = {
    family.name: family
    for family in (
        _plain(MODELS["linear"], "tutorial", 0.01),
        _plain(MODELS["affine"], "noisy-line", 0.05),
        Family("polynomial", "ŷ = Σ wₖxᵏ + b, squared loss", (DEGREE,), "noisy-line", 0.005, _polynomial),
        Family("huber", "ŷ = x·w + b, robust loss", (DELTA,), "outlier-line", 0.05, _huber),
        Family("logistic", "two classes, P(1) = σ(x·w + b)", (), "moons", 0.1, _logistic),
        Family("softmax", "k classes, P(c) ∝ e^(x·wᶜ + bᶜ)", (), "iris", 0.01, _softmax),
        Family("deep-linear", "ŷ = x·w₁·w₂: a saddle at 0", (), "tutorial", 0.01, _deep_linear),
        Family("mlp", "one hidden layer", (HIDDEN, ACTIVATION, LOSS), "moons", 0.1, _mlp),
        *(
            Family(one.name, f"f = {one.summary}", one.hyperparameters, "", one.lr, partial(_landscape, one))
            for one in LANDSCAPES.values()
        ),
    )
}
"""Every problem by the name of `--problem`: models first, then landscapes."""


def family_named(name: str) -> Family:
    """The family of that name.

    Raises:
        InputError: if there is none; it names the nearest.
    """
    if name not in FAMILIES:
        raise InputError("problem", unknown("problem", name, tuple(FAMILIES)))
    return FAMILIES[name]
