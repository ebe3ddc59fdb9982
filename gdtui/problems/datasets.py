"""Datasets: samples (x, y) as arrays, and the data that ships with gdtui."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING

from gdtui.experiment import InputError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """n samples of d features and one target, read-only.

    Attributes:
        name: where it comes from: a shipped dataset's name, or a file's path.
        x: features, shape (n, d), finite float64, C order.
        y: targets, shape (n,), finite float64.
        features: the names of the d features.
        target: the name of the target.
        dropped: rows left out because values were missing.
    """

    name: str
    x: Array
    y: Array
    features: tuple[str, ...]
    target: str
    dropped: int = 0

    def __post_init__(self) -> None:
        self.x.setflags(write=False)
        self.y.setflags(write=False)

    def standardized(self) -> Dataset:
        """The same samples with each feature at mean 0 and variance 1 (over n); a constant feature becomes 0.

        Raises:
            InputError: if a feature is too large for its variance to be a float64.
        """
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            deviation = self.x.std(axis=0)
            for name, value in zip(self.features, deviation, strict=True):
                if not np.isfinite(value):
                    raise InputError("standardize", f"feature {name!r} is too large to standardize")
            deviation[deviation == 0] = 1.0
            x = (self.x - self.x.mean(axis=0)) / deviation
            x[:, (self.x == self.x[0]).all(axis=0)] = 0.0  # the mean of equal values may differ from them
            return replace(self, x=x)

    def select(self, features: tuple[str, ...], target: str) -> Dataset:
        """The same samples with other columns as features and target; where none is named, as it is.

        Raises:
            InputError: if there is no such column, or no feature is left.
        """
        columns = {name: self.x[:, j] for j, name in enumerate(self.features)} | {self.target: self.y}
        for setting, names in (("features", features), ("target", (target,) if target else ())):
            for name in names:
                if name not in columns:
                    raise InputError(setting, unknown("column", name, tuple(columns)))
        target = target or self.target
        if target in features:
            raise InputError("features", f"{target!r} is the target; it cannot be a feature too")
        chosen = {name: columns[name] for name in (features or columns) if name != target}
        if not chosen:
            raise InputError("features", f"no feature is left beside the target {target!r}")
        return from_columns(self.name, chosen | {target: columns[target]}, target)


def from_columns(name: str, columns: Mapping[str, Sequence[float] | Array], target: str) -> Dataset:
    """A dataset from columns by name: one is the target, the others are the features, in their order."""
    import numpy as np

    features = tuple(column for column in columns if column != target)
    x = np.column_stack([np.asarray(columns[f], dtype=np.float64) for f in features])
    return Dataset(name, np.ascontiguousarray(x), np.asarray(columns[target], dtype=np.float64), features, target)


def tutorial() -> Dataset:
    """The tutorial's three samples of y = 2x."""
    return from_columns("tutorial", {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]}, target="y")


def faithful() -> Dataset:
    """Old Faithful: 272 eruptions' lengths and the waiting times to the next, in minutes (Azzalini & Bowman 1990)."""
    with files("gdtui.problems").joinpath("data/faithful.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [float(row[name]) for row in rows] for name in ("eruptions", "waiting")}
    return from_columns("faithful", columns, target="waiting")


DATASETS: dict[str, Callable[[], Dataset]] = {"tutorial": tutorial, "faithful": faithful}
"""The data that ships, by the name of `--data`."""
