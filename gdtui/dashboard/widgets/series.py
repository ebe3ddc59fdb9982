"""Series: the curves and marks that a chart shows, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array

Reading = tuple[float | None, tuple[tuple[str, float], ...]]
"""What a cursor reads: x, and every series' name and y; (None, ()) is nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve.

    Attributes:
        name: for the cursor.
        x: rising, shape (m,).
        y: shape (m,).
        color: a variable of the theme, or as in "#5fafff".
        mark: a character that is drawn at a few places along it and at its end, so that overlapping curves can be
            told apart without their colours; empty for a plain curve.
    """

    name: str
    x: Array
    y: Array
    color: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at x, said in a few words: `lr 0.0125`."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """All that a chart shows; the first series lies on top, and without a range x fits the data."""

    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    x_range: tuple[float, float] | None = None
    log_y: bool = False
