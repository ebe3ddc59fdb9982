"""Curve field: draws all curves of a sweep as a density of dots, and those of one point in front of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.dashboard.widgets.dots import Canvas
from gdtui.dashboard.widgets.frame import framed
from gdtui.dashboard.widgets.signs import MARKS
from gdtui.dashboard.widgets.ticks import step_from
from gdtui.sweeps.board import Sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gdtui.dashboard.widgets.frame import Frame
    from gdtui.dashboard.widgets.ticks import Range
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.curves import Curves

RANGED = 100_000
"""Losses, at most, from which the range of the y axis is taken."""

BULK = (2.0, 95.0)
"""The percentiles between which the y axis lies: what diverges must not squash the rest."""

TINY, HUGE = 1e-30, 1e38
"""A range narrower than the one is none, and none goes farther than the other: the losses are of single precision."""

ROUNDING = 1e-6
"""Of logarithms of single precision."""

BLOCK = 1 << 16
"""So many dots are counted at a time: what fits into a processor's cache is counted twice as fast."""

END = "●"
"""Stands on a selected curve, so that it is told from the others without colours, and at its end."""

MARKED = 15
"""Columns from one mark of a curve to the next."""


class Ink(IntEnum):
    """A part of the picture; its style is the pane's `sweep-curves--` class of that name."""

    FEW = 1
    SOME = 2
    MANY = 3
    CURVE = 4
    MARK = 5


@dataclass(frozen=True, slots=True)
class Raster:
    """All curves of a sweep, drawn.

    Attributes:
        turn: of the curves.
        count: how many there are.
        width: of the pane for which it was drawn, in cells.
        height: of that pane.
        log_y: the y axis is logarithmic.
        frame: the picture's.
        canvas: its cells.
    """

    turn: int
    count: int
    width: int
    height: int
    log_y: bool
    frame: Frame
    canvas: Canvas

    def fits(self, curves: Curves, width: int, height: int, log_y: bool) -> bool:
        """It is the picture of these curves at this size."""
        wanted = (curves.turn, len(curves.losses), width, height, log_y)
        return (self.turn, self.count, self.width, self.height, self.log_y) == wanted


def rasterised(curves: Curves, width: int, height: int, log_y: bool) -> Raster:
    """Draw all curves of a sweep; of use in a thread where there are thousands.

    Args:
        curves: the losses of all runs.
        width: of the pane in cells, with the numbers at the left.
        height: of the pane in cells, with the numbers below.
        log_y: on a logarithmic axis; what is not above 0 lies below it.
    """
    epochs, once = np.unique(curves.epochs, return_index=True)
    with np.errstate(all="ignore"):
        losses = _scaled(curves.losses if len(once) == len(curves.epochs) else curves.losses[:, once], log_y)
        y_range = _y_range(losses, log_y)
        x_range = 0.0, max(float(epochs[-1]), 1.0)
        frame = framed(width, height, x_range, y_range, log_y=log_y)
        canvas = Canvas(frame.columns, frame.rows)
        if len(losses):
            low, high = y_range
            at = np.interp(frame.dots(), epochs, np.arange(len(epochs)))
            _draw_density(canvas, (losses - low) / (high - low), at)
    return Raster(curves.turn, len(curves.losses), width, height, log_y, frame, canvas)


def with_selected(raster: Raster, selected: Sequence[Array]) -> Canvas:
    """A sweep's curves with some in front, each of shape (e, 2): epochs and losses; what is not finite is a gap."""
    canvas, frame = raster.canvas.copy(), raster.frame
    scaled = [(curve[:, 0], _scaled(curve[:, 1], raster.log_y).astype(np.float64)) for curve in selected if len(curve)]
    with np.errstate(all="ignore"):
        found = [(epochs, frame.y(y)) for epochs, y in scaled]
        for epochs, y in found:
            canvas.curve(np.interp(frame.dots(), epochs, y, left=math.nan, right=math.nan), Ink.CURVE)
        for epochs, y in found:
            _mark(canvas, frame, epochs, y)
    return canvas


def _scaled(losses: NDArray[np.floating[Any]], log_y: bool) -> NDArray[np.floating[Any]]:
    """Losses on the y axis; what is not finite is nan, and on a log axis 0 lies below every range."""
    with np.errstate(all="ignore"):
        y = np.where(losses > 0, np.log10(losses), np.where(losses == 0, losses - 400, np.nan)) if log_y else losses
    return np.where(np.isfinite(losses), y, np.nan)


def _y_range(y: NDArray[np.floating[Any]], log_y: bool) -> Range:
    """Round ends around the bulk of what is finite, with most of the starts."""
    seen = y.ravel()[:: -(-y.size // RANGED) or 1]
    seen = seen[np.isfinite(seen) & ((seen > -400) if log_y else True)]
    if not len(seen):
        return (-1.0, 1.0) if log_y else (0.0, 1.0)
    low, high = (float(value) for value in np.percentile(seen, BULK))
    starts = y[:, 0][np.isfinite(y[:, 0])]
    if len(starts):
        high = max(high, float(np.median(starts)))
    if log_y:
        low, high = math.floor(low + ROUNDING), math.ceil(high - ROUNDING)
        return float(low), float(max(high, low + 1))
    if high - low <= max(1e-9 * max(abs(low), abs(high)), TINY):
        low, high = low - (0.1 * abs(low) or 1.0), high + (0.1 * abs(high) or 1.0)
    step = step_from((high - low) / 4)
    return max(math.floor(low / step) * step, -HUGE), min(math.ceil(high / step) * step, HUGE)


def _draw_density(canvas: Canvas, y: NDArray[np.floating[Any]], at: Array) -> None:
    """Dots where there are curves, in three inks by how many there are in a cell.

    Args:
        canvas: where they are drawn.
        y: the curves, in fractions of the height, shape (k, points).
        at: which of the points is at each column of dots, or between which it is, shape (2·columns,).
    """
    height = 4 * canvas.rows
    counts = _counts(y * (height - 1), at, height)
    dots = counts.T[::-1] > 0
    most = counts.T[::-1].reshape(canvas.rows, 4, canvas.columns, 2).max(axis=(1, 3))
    # By the logarithm of the count, so that both the bulk and what is beside it are seen.
    part = np.log(np.maximum(most, 1)) / max(math.log(most.max(initial=1)), 1.0)
    inks = np.digitize(part, (1 / 3, 2 / 3))
    for place, ink in enumerate((Ink.FEW, Ink.SOME, Ink.MANY)):
        canvas.dots(dots & (inks == place).repeat(4, axis=0).repeat(2, axis=1), ink)


def _counts(levels: NDArray[np.floating[Any]], at: Array, height: int) -> NDArray[np.int64]:
    """How many curves go through each dot.

    Args:
        levels: of each curve at its points, in dots from the lowest, shape (k, points).
        at: the point at each column of dots; between two, a fraction; shape (width,).
        height: rows of dots.

    Returns:
        Shape (width, height), the lowest dot of a column first.
    """
    width = len(at)
    left = np.floor(at).astype(np.intp)
    right = np.minimum(left + 1, levels.shape[1] - 1)
    part = (at - left).astype(np.float32)[:, np.newaxis]
    begin = np.clip(levels, -1, height).T.astype(np.float32)
    # A curve that ends between two of its points goes on to the column before the next one.
    end = np.where(np.isnan(begin[1:]), begin[:-1], begin[1:])
    end = np.concatenate([begin[:1], end])
    # Below the lowest dot and above the highest there is one more place each, for what is outside, or nowhere.
    counts = np.zeros(width * (height + 2) + 1, dtype=np.int64)
    step = max(1, BLOCK // len(levels))
    for first in range(0, width, step):
        columns = slice(first, first + step + 1)  # with the next block's first one: what lies between is drawn here
        y = begin[left[columns]]
        y += (end[right[columns]] - y) * part[columns]
        _count(counts[first * (height + 2) :], y, height + 2, step)
    return counts[:-1].reshape(width, height + 2)[:, 1:-1]


def _count(counts: NDArray[np.int64], y: NDArray[np.float32], places: int, step: int) -> None:
    """Add curves to the counts of a block of so many columns and, where they are steep, of the dots on to the next."""
    columns = len(y)
    place = np.fmax(np.rint(y) + 1, 0).astype(np.intp)  # of nan and 0, 0
    place += places * np.arange(columns)[:, np.newaxis]
    end = min(step, columns) * places
    counts[:end] += np.bincount(place[:step].ravel(), minlength=end)
    steep = np.flatnonzero(np.abs(y[1:] - y[:-1]) > 1.5)
    ends = place[:-1].ravel()[steep], place[1:].ravel()[steep] - places
    between = np.bincount(np.minimum(*ends) + 1, minlength=end + 1) - np.bincount(np.maximum(*ends), minlength=end + 1)
    counts[:end] += between.cumsum()[:end]


def _mark(canvas: Canvas, frame: Frame, epochs: Array, y: Array) -> None:
    """Marks along a curve and at its end; × where it goes on to what is not finite."""
    finite = np.flatnonzero(np.isfinite(y))
    if not len(finite):
        return
    last = int(finite[-1])
    x = frame.x(epochs)
    along = np.arange(MARKED, canvas.columns, MARKED) / canvas.columns
    for place in along[along < x[last] - 1 / canvas.columns].tolist():
        height = float(np.interp(place, x, y))
        if math.isfinite(height):
            canvas.mark(place, height, END, Ink.MARK)
    end = END if last == len(y) - 1 else MARKS[Sign.DIVERGED]
    canvas.mark(min(float(x[last]), 1.0), min(max(float(y[last]), 0.0), 1.0), end, Ink.MARK)
