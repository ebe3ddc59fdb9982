"""Plane: a sweep seen over two of its axes, in as many cells as a picture has: the best of what lies in each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.experiment import printable
from gdtui.sweeps.board import is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.board import Board
    from gdtui.sweeps.space import Axis, Range
    from gdtui.sweeps.sweep import Sweep


FEWEST_DIGITS, MOST_DIGITS = 3, 17
"""Of a number in a label."""

FAR_APART = 50.0
"""Values whose largest is so many times the smallest are seen on a log scale, where nothing else says which."""


class Measure(StrEnum):
    """What a plane shows of each point."""

    LOSS = "loss"
    EPOCHS = "epochs to target"
    """The epochs after which the loss was at the target or below for the first time."""


@dataclass(frozen=True, slots=True)
class View:
    """How one looks at a sweep.

    Attributes:
        x: the axis from left to right, an index into `Board.axes`.
        y: the axis from bottom to top; None: there is but one.
        fixed: the other axes that are held at one value: axis -> index into its `Board.values`; of those that are
            not, each cell shows the best.
        measure: what is shown.
        target: the loss to be reached, for `Measure.EPOCHS`.
    """

    x: int
    y: int | None
    fixed: tuple[tuple[int, int], ...] = ()
    measure: Measure = Measure.LOSS
    target: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """The cells of a map, shape (rows, columns) of each; the first row is the lowest one.

    There are as many columns as the x axis has values, where there is room, and fewer, each for several neighbours,
    where there is not or where they are random.

    Attributes:
        values: the measure of each cell's best point; infinite where all are lost or none came to the target, nan where
            none is over or has begun.
        signs: that point's `Sign`.
        arms: that point, an index into the board's; -1 where no point lies in the cell.
        lost: which part of the runs that lie in the cell, and have begun, diverged or failed; 0 to 1.
        x_labels: each column's value, or the first of its values, as one types it.
        y_labels: each row's; one empty text where there is no y axis.
        limits: where theory sees each row's limit of stability on the x axis, shape (rows,): a place between 0, the
            left edge of the first column, and `columns`; nan where it has none or it lies outside.
        x_limits: the same of each column on the y axis, shape (columns,), where lr is the y axis.
        cells: the cell in which each of the board's points lies, counted row after row, -1 where it is not shown.
        first: the best point of all that are shown, of those alike the one that ranks first; -1 where none is finite.
    """

    values: Array
    signs: NDArray[np.int8]
    arms: NDArray[np.intp]
    lost: Array
    x_labels: tuple[str, ...]
    y_labels: tuple[str, ...]
    limits: Array
    x_limits: Array
    cells: NDArray[np.intp] = field(default_factory=lambda: np.arange(0), repr=False)
    first: int = -1

    @property
    def best(self) -> tuple[int, int] | None:
        """Row and column of the best point; None where none is finite."""
        return self.place_of(self.first)

    def place_of(self, arm: int) -> tuple[int, int] | None:
        """Row and column in which a point lies, whether or not it is the best there; None where it is not shown."""
        cell = int(self.cells[arm]) if 0 <= arm < len(self.cells) else -1
        return divmod(cell, self.values.shape[1]) if cell >= 0 else None


def plane_of(
    board: Board,
    view: View,
    columns: int,
    rows: int,
    epochs: Array | None = None,
    limit: Callable[[Experiment], float] | None = None,
) -> Plane:
    """The plane of a board.

    Args:
        board: the sweep's points.
        view: over which axes, and of what.
        columns: at most.
        rows: at most.
        epochs: of each point to the view's target, shape (m,), for `Measure.EPOCHS`.
        limit: the learning rate at which theory sees an experiment break, nan where it does not say; fast: it is asked
            once for each row or column, with the experiment of the best point there.
    """
    x = scale_of(board, view.x, columns)
    y = Scale(np.zeros(1, dtype=np.intp), ("",)) if view.y is None else scale_of(board, view.y, rows)
    shape = len(y.labels), len(x.labels)
    row = 0 if view.y is None else y.bins[board.places[:, view.y]]
    cells = row * shape[1] + x.bins[board.places[:, view.x]]
    for axis, value in view.fixed:
        cells = np.where(board.places[:, axis] == value, cells, -1)
    measured = board.losses if view.measure is Measure.LOSS else epochs
    if measured is None:
        measured = np.full(len(board.arms), np.nan)
    ranked, shown = _ranked(board, measured), cells >= 0
    arms = _firsts(ranked, cells, shape[0] * shape[1])
    is_there = arms >= 0
    finite = ranked[shown[ranked] & np.isfinite(measured[ranked])]
    begun, lost = (np.bincount(cells[shown], one[shown], len(arms)) for one in (board.begun, board.lost))
    values = np.where(is_there, measured[arms], np.nan).reshape(shape)
    arms_in_cells = arms.reshape(shape)
    return Plane(
        values=values,
        signs=np.where(is_there, board.signs[arms], 0).astype(np.int8).reshape(shape),
        arms=arms_in_cells,
        lost=(lost / np.maximum(begun, 1)).reshape(shape),
        x_labels=x.labels,
        y_labels=y.labels,
        limits=_limits(board, x, values, arms_in_cells, limit),
        x_limits=_limits(board, y, values.T, arms_in_cells.T, limit),
        cells=cells,
        first=int(finite[0]) if len(finite) else -1,
    )


def _ranked(board: Board, measured: Array) -> NDArray[np.intp]:
    """All points, the best by what is measured first; of those alike the best, and last those that wait."""
    waiting = np.flatnonzero(board.begun == 0)
    standing = np.concatenate([board.order, waiting])
    return standing[np.argsort(measured[standing], kind="stable")]


def _firsts(ranked: NDArray[np.intp], cells: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Of each cell, the first point that lies in it; -1 where none does."""
    firsts = np.full(count + 1, -1)
    backwards = ranked[::-1]
    firsts[cells[backwards]] = backwards  # of several, the one that is written last stays
    return firsts[:count]  # what is not shown has the cell -1, the one behind the last


def _limits(
    board: Board, scale: Scale, values: Array, arms: NDArray[np.intp], limit: Callable[[Experiment], float] | None
) -> Array:
    """Where on a scale of learning rates the limit of each row lies; nan on any other scale."""
    if limit is None or not scale.is_lr:
        return np.full(len(values), np.nan)
    known: dict[int, float] = {}
    for row, (in_row, arms_in_row) in enumerate(zip(values, arms, strict=True)):
        there = np.flatnonzero(arms_in_row >= 0)
        if len(there):
            best = there[np.argsort(in_row[there], kind="stable")[0]]
            known[row] = limit(board.experiment(int(arms_in_row[best])))
    return np.array([scale.place(known.get(row, math.nan)) for row in range(len(values))])


# --- scales ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """An axis in so many columns.

    Attributes:
        bins: the column of each of its values.
        labels: of each column.
        is_lr: learning rates are on it.
        is_log: they are evenly spaced in their logarithms.
        centres: of each column, the learning rate, or its logarithm; rising.
    """

    bins: NDArray[np.intp]
    labels: tuple[str, ...]
    is_lr: bool = False
    is_log: bool = False
    centres: Array = field(default_factory=lambda: np.empty(0))

    def place(self, lr: float) -> float:
        """Where a learning rate lies between 0 and the number of columns; nan outside."""
        if len(self.centres) < 2 or not lr > 0:
            return math.nan
        at = math.log(lr) if self.is_log else lr
        halves = np.diff(self.centres)[[0, -1]] / 2 * (-1, 1)
        edges = self.centres[[0, -1]] + halves
        known = np.array([edges[0], *self.centres, edges[1]])
        places = np.array([0.0, *(np.arange(len(self.centres)) + 0.5), len(self.centres)])
        return float(np.interp(at, known, places, left=math.nan, right=math.nan))


def scale_of(board: Board, index: int, most: int) -> Scale:
    """One of a board's axes in at most so many columns.

    What is random is binned evenly over its range; so is a grid, if each bin has a value: else as many go in each.
    """
    axis, values = board.axes[index], board.values[index]
    is_numeric = is_number(values[-1])  # words come after numbers
    is_log = is_numeric and is_seen_log(board, index)
    at = np.array(values, dtype=float) if is_numeric else np.empty(0)
    at = np.log(at) if is_log else at
    if len(values) <= most:
        return Scale(np.arange(len(values)), labels(axis, values), axis.name == "lr", is_log, at)
    columns, is_random = np.arange(most), board.progress.sweep.samples > 0
    if is_numeric and (is_random or any(_spans(board.progress.sweep, axis.name))):
        low, high = (axis.span.low, axis.span.high) if axis.span else (values[0], values[-1])
        edges = np.linspace(*((math.log(low), math.log(high)) if is_log else (low, high)), most + 1)
        bins = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, most - 1)
        if is_random or len(np.unique(bins)) == most:
            shown = (np.exp(edges[:-1]) if is_log else edges[:-1]).tolist()
            firsts = np.searchsorted(bins, columns)
            for column in np.flatnonzero(np.bincount(bins, minlength=most)).tolist():
                shown[column] = values[firsts[column]]
            return Scale(bins, labels(axis, shown), axis.name == "lr", is_log, (edges[:-1] + edges[1:]) / 2)
    bins = np.arange(len(values)) * most // len(values)
    shown = [values[first] for first in np.searchsorted(bins, columns)]
    centres = np.bincount(bins, at) / np.bincount(bins) if is_numeric else at
    return Scale(bins, labels(axis, shown), axis.name == "lr", is_log, centres)


def is_seen_log(board: Board, index: int) -> bool:
    """Whether the numbers of an axis are seen on a log scale: their range says so, or they lie far apart."""
    axis, values = board.axes[index], board.values[index]
    if values[0] <= 0:
        return False
    if axis.span:
        return axis.span.scale == "log"
    was_log = any(span.scale == "log" for span in _spans(board.progress.sweep, axis.name))
    return was_log or bool(values[-1] >= FAR_APART * values[0])


def _spans(sweep: Sweep | None, name: str) -> Iterator[Range]:
    """The ranges that an axis was given as, the newest first: once it is extended, it is a list of values."""
    while sweep:
        yield from (axis.span for axis in sweep.axes if axis.name == name and axis.span)
        sweep = sweep.before


# --- labels ----------------------------------------------------------------------------------------------------------


def labels(axis: Axis, values: Sequence[Any]) -> tuple[str, ...]:
    """Each of an axis's values as one types it, with as few digits as tell it from its neighbours."""
    return tuple(label(axis, values, at) for at in range(len(values)))


def label(axis: Axis, values: Sequence[Any], at: int) -> str:
    """One of them."""
    value = values[at]
    if not isinstance(value, float):
        return axis.write(value)
    near = [one for one in (*values[max(at - 1, 0) : at], *values[at + 1 : at + 2]) if isinstance(one, float)]
    for digits in range(FEWEST_DIGITS, MOST_DIGITS):
        if all(typed(one, digits) != typed(value, digits) for one in near):
            return typed(value, digits)
    return typed(value, MOST_DIGITS)


def named(board: Board, arm: int, without: int | None = None) -> str:
    """Where a point is, in words; without one axis."""
    places = board.places[arm].tolist()
    return ", ".join(
        f"{axis.option} {printable(label(axis, values, at))}"
        for index, (axis, values, at) in enumerate(zip(board.axes, board.values, places, strict=True))
        if index != without
    )


def typed(value: float, digits: int = FEWEST_DIGITS) -> str:
    """A number with so many significant digits, as one types it: `0.0913`, `1e-5`."""
    mantissa, mark, exponent = f"{value:.{digits}g}".partition("e")
    return mantissa + (f"e{int(exponent)}" if mark else "")
