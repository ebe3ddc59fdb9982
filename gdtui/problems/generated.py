"""Generated data: datasets made from a seed and a few hyperparameters, each to show one thing about descent.

Same seed and values, same bits: random numbers are PCG64's, sines and cosines `math`'s, whose last digit does not
depend on the processor's vector units as numpy's does. Classes alternate, so that every mini-batch has both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.experiment import Value
from gdtui.hyperparameters import Hyperparameter
from gdtui.problems.datasets import Dataset, from_columns

if TYPE_CHECKING:
    import numpy as np

    from gdtui.problems.datasets import Array

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dataset comes from.

    Attributes:
        name: as in `--data`.
        summary: what it is, for people.
        hyperparameters: what it can be asked for.
        make: (a value for each hyperparameter, seed) -> the data.
    """

    name: str
    summary: str
    hyperparameters: tuple[Hyperparameter, ...]
    make: Callable[[Values, int], Dataset]


def noisy_line(values: Values, seed: int) -> Dataset:
    """y = 2x + 1 + noise·N(0, 1), x uniform in [−2, 2)."""
    n, noise = _count(values), float(values["noise"])
    numbers = _generator(seed)
    x = numbers.uniform(-2.0, 2.0, n)
    return from_columns("noisy-line", {"x": x, "y": 2 * x + 1 + noise * numbers.standard_normal(n)}, "y")


def outlier_line(values: Values, seed: int) -> Dataset:
    """y = 2x + 1 + noise·N(0, 1), with `shift` added to y in a share of the samples: hard on squared loss."""
    n, noise, shift = _count(values), float(values["noise"]), float(values["shift"])
    numbers = _generator(seed)
    x = numbers.uniform(-2.0, 2.0, n)
    y = 2 * x + 1 + noise * numbers.standard_normal(n)
    outliers = round(float(values["outliers"]) * n)
    y[numbers.permutation(n)[:outliers]] += shift
    return from_columns("outlier-line", {"x": x, "y": y}, "y")


def two_feature(values: Values, seed: int) -> Dataset:
    """y = 2x₁ − 3x₂ + noise·N(0, 1), with Hessian 2 diag(1, 1/κ), exactly: x₂ is learned κ times more slowly.

    The features have mean 0, rms 1 and 1/√κ, and no correlation; so standardizing them makes κ = 1.
    """
    n, noise, kappa = _count(values), float(values["noise"]), float(values["kappa"])
    numbers = _generator(seed)
    x1 = _standardized(numbers.standard_normal(n))
    x2 = _standardized(numbers.standard_normal(n))
    x2 = _standardized(x2 - _mean_product(x1, x2) * x1) / math.sqrt(kappa)
    y = 2 * x1 - 3 * x2 + noise * numbers.standard_normal(n)
    return from_columns("two-feature", {"x1": x1, "x2": x2, "y": y}, "y")


def xor(values: Values, seed: int) -> Dataset:
    """Clusters at (±1, ±1), class 1 where the signs differ: no line parts the classes (Minsky & Papert 1969)."""
    corners = ((-1.0, -1.0, 0.0), (-1.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, -1.0, 1.0))
    return _classes("xor", [corners[i % 4] for i in range(_count(values))], values, seed)


def circles(values: Values, seed: int) -> Dataset:
    """Two circles about 0: class 0 with radius 1, class 1 with radius `inner`."""
    n, radii = _count(values), (1.0, float(values["inner"]))
    points = []
    for i in range(n):
        label = i % 2
        angle = math.tau * (i // 2) / _members(n, label)
        points.append((radii[label] * math.cos(angle), radii[label] * math.sin(angle), float(label)))
    return _classes("circles", points, values, seed)


def moons(values: Values, seed: int) -> Dataset:
    """Two half circles of radius 1, one in the other's opening: class 0 above, about 0; class 1 below, about (1, ½)."""
    n = _count(values)
    points = []
    for i in range(n):
        label = i % 2
        angle = math.pi * (i // 2) / max(1, _members(n, label) - 1)
        x1, x2 = math.cos(angle), math.sin(angle)
        points.append((x1, x2, 0.0) if label == 0 else (1 - x1, 0.5 - x2, 1.0))
    return _classes("moons", points, values, seed)


def spiral(values: Values, seed: int) -> Dataset:
    """Two arms from 0 out to radius 1 in `turns` turns, class 1 half a turn behind class 0 (Lang & Witbrock 1988)."""
    n, turns = _count(values), float(values["turns"])
    points = []
    for i in range(n):
        label = i % 2
        radius = (i // 2 + 1) / _members(n, label)
        angle = math.tau * turns * radius + math.pi * label
        points.append((radius * math.cos(angle), radius * math.sin(angle), float(label)))
    return _classes("spiral", points, values, seed)


def _classes(name: str, points: list[tuple[float, float, float]], values: Values, seed: int) -> Dataset:
    """A dataset of (x1, x2, class), each x with noise·N(0, 1) added to it."""
    import numpy as np

    table = np.array(points)
    table[:, :2] += float(values["noise"]) * _generator(seed).standard_normal((len(points), 2))
    return from_columns(name, {"x1": table[:, 0], "x2": table[:, 1], "y": table[:, 2].copy()}, "y")


def _count(values: Values) -> int:
    return int(values["n"])


def _members(n: int, label: int) -> int:
    """How many of n samples whose classes alternate are of class 0, or of class 1."""
    return (n + 1 - label) // 2


def _generator(seed: int) -> np.random.Generator:
    """Random numbers in a stream of their own, independent of the visits' order, which has the same seed."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(1,))))


def _standardized(x: Array) -> Array:
    centred = x - math.fsum(x) / len(x)
    return centred / math.sqrt(_mean_product(centred, centred))


def _mean_product(a: Array, b: Array) -> float:
    return math.fsum(a * b) / len(a)


def _n(default: int, least: int) -> Hyperparameter:
    return Hyperparameter("n", default, "samples", least, most=10**6)


def _noise(default: float) -> Hyperparameter:
    return Hyperparameter("noise", default, "standard deviation of the noise", 0.0, most=1e6)


GENERATED = {
    source.name: source
    for source in (
        Source("noisy-line", "a line with noise, y = 2x + 1", (_n(50, 1), _noise(0.5)), noisy_line),
        Source(
            "outlier-line",
            "a line with outliers, for robust losses",
            (
                _n(50, 1),
                _noise(0.3),
                Hyperparameter("outliers", 0.1, "share of the samples that are outliers", 0.0, 1.0),
                Hyperparameter("shift", 10.0, "what is added to an outlier's y", -1e6, 1e6),
            ),
            outlier_line,
        ),
        Source(
            "two-feature",
            "two features on different scales: ill-conditioned",
            (_n(50, 3), _noise(0.1), Hyperparameter("kappa", 100.0, "condition number of the Hessian", 1.0, 1e12)),
            two_feature,
        ),
        Source("xor", "four clusters, two classes: no line parts them", (_n(80, 4), _noise(0.2)), xor),
        Source(
            "circles",
            "a circle in a circle, two classes",
            (_n(100, 2), _noise(0.05), Hyperparameter("inner", 0.5, "radius of the inner circle", 0.0, 1.0)),
            circles,
        ),
        Source("moons", "two half circles, two classes", (_n(100, 2), _noise(0.1)), moons),
        Source(
            "spiral",
            "two spiral arms, two classes",
            (_n(200, 2), _noise(0.02), Hyperparameter("turns", 1.5, "how often an arm goes round", 0.0, 10.0)),
            spiral,
        ),
    )
}
"""Everything that can be generated, by the name of `--data`."""
