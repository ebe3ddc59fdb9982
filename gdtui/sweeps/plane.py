"""Plane: a sweep seen over two of its axes, in as many cells as a picture has: the best of what lies in each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.board import Board


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

    There are as many columns as the x axis has values, where there is room, and fewer, each for several neighbours, where
    there is not or where they are random.

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
    """

    values: Array
    signs: NDArray[np.int8]
    arms: NDArray[np.intp]
    lost: Array
    x_labels: tuple[str, ...]
    y_labels: tuple[str, ...]
    limits: Array
    x_limits: Array

    @property
    def best(self) -> tuple[int, int] | None:
        """Row and column of the smallest value; None where none is finite."""
        raise NotImplementedError

    def place_of(self, arm: int) -> tuple[int, int] | None:
        """Row and column in which a point lies, whether or not it is the best there; None where it is not shown."""
        raise NotImplementedError


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
    raise NotImplementedError
