"""Shipped tables: small data that every statistician knows, as CSV files in `data/`."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING

from gdtui.hyperparameters import Hyperparameter
from gdtui.problems.datasets import Dataset, from_columns
from gdtui.problems.generated import Source

if TYPE_CHECKING:
    from gdtui.problems.generated import Values


def iris(_values: Values, _seed: int) -> Dataset:
    """Sepals and petals of 150 irises in cm; species 0 setosa, 1 versicolor, 2 virginica, 50 of each (Fisher 1936).

    Fisher's own values, as in R. The table at UCI has errors in the 35th and 38th row.
    """
    columns = _columns("iris")
    return from_columns("iris", columns, target="species")


def anscombe(values: Values, _seed: int) -> Dataset:
    """One of four sets of 11 points with the same means, variances and regression line, y = 3 + x/2 (Anscombe 1973)."""
    columns = _columns("anscombe")
    rows = [i for i, quartet in enumerate(columns["quartet"]) if quartet == values["quartet"]]
    return from_columns("anscombe", {name: [columns[name][i] for i in rows] for name in ("x", "y")}, target="y")


def _columns(name: str) -> dict[str, list[float]]:
    with files("gdtui.problems").joinpath(f"data/{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {column: [float(row[column]) for row in rows] for column in rows[0]}


SHIPPED = {
    source.name: source
    for source in (
        Source("iris", "150 irises of three species by four lengths in cm", (), iris),
        Source(
            "anscombe",
            "four sets that only a plot tells apart",
            (Hyperparameter("quartet", 1, "which of the four sets", 1, 4),),
            anscombe,
        ),
    )
}
"""Every shipped table beside the tutorial's and Old Faithful, by the name of `--data`."""
