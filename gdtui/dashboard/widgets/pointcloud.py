"""Point cloud: draws the gradients of a moment's samples as points of a plane, each by its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.cells import cell_len

from gdtui.dashboard.figures import shortened
from gdtui.dashboard.widgets.dots import Canvas
from gdtui.dashboard.widgets.frame import framed
from gdtui.dashboard.widgets.ticks import step_from
from gdtui.experiment import printable
from gdtui.training.moment import Number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gdtui.dashboard.widgets.frame import Frame
    from gdtui.problems.datasets import Array
    from gdtui.training.moment import Moment

HUGE, TINY = 1e300, 1e-290
"""What is larger is drawn as this one; a range is no smaller than that."""

KEPT = 0.3
"""A range stays as it is while the points fill so much of it."""

LEFT = 0.1
"""Of the plane's other side, at least so much is shown on each side of x = 0."""

LABELLED = 8
"""Samples with a label, at most."""

NAME = 12
"""Cells of a sample's own label, at most."""

MEAN = "◆"


class Ink(IntEnum):
    """A part of the picture; its style is the pane's `cloud--` class of that name."""

    ZERO = 1
    """The line at x = 0."""
    POINT = 2
    AGAINST = 3
    LABEL = 4
    MEAN = 5


class Points(NamedTuple):
    """The gradients that can be drawn.

    Attributes:
        places: which of the moment's samples they are of, shape (m,).
        along: along their mean's direction, shape (m,).
        across: across it, shape (m,).
        is_against: which pull against the step, shape (m,).
        largest: those with the largest |g|, the largest first, as indices into the others.
    """

    places: NDArray[np.intp]
    along: Array
    across: Array
    is_against: NDArray[np.bool_]
    largest: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the plane goes from 0: to the left, to the right, up and down."""

    left: float
    right: float
    up: float


def points_of(moment: Moment) -> Points:
    """The gradients of a moment whose place on the plane is known and finite."""
    along, across = moment.column(Number.ALONG), moment.column(Number.ACROSS)
    places = np.flatnonzero(np.isfinite(along) & np.isfinite(across))
    along, across = (np.clip(values[places], -HUGE, HUGE) for values in (along, across))
    return Points(places, along, across, moment.column(Number.COSINE)[places] < 0, _largest(moment, places))


def _largest(moment: Moment, places: NDArray[np.intp]) -> NDArray[np.intp]:
    smallness = -np.nan_to_num(moment.column(Number.NORM)[places], nan=-1.0)
    count = min(LABELLED, len(places))
    found = np.argpartition(smallness, count - 1)[:count] if count else np.arange(0)
    return found[np.argsort(smallness[found], kind="stable")]


def reach_of(points: Points, before: Reach | None = None) -> Reach:
    """Round numbers that hold all points; those of before while they still serve, so that the picture seldom jumps."""
    low, high = float(points.along.min(initial=0.0)), float(points.along.max(initial=0.0))
    up = float(np.abs(points.across).max(initial=0.0))
    return Reach(
        left=_round(max(-low, LEFT * high), before.left if before else 0.0),
        right=_round(max(high, -LEFT * low), before.right if before else 0.0),
        up=_round(up, before.up if before else 0.0),
    )


def _round(size: float, before: float) -> float:
    if KEPT * before <= size <= before:
        return before or 1.0
    return step_from(max(size, TINY)) if size else 1.0


def draw(moment: Moment, points: Points, reach: Reach, width: int, height: int) -> tuple[Canvas, Frame]:
    """Draw a moment's points, at this size in cells, with the numbers around them.

    The line at x = 0 is a column of cells of its own: at its left are those that pull against the step, and only those.
    """
    frame = framed(width, height, (-reach.left, reach.right), (-reach.up, reach.up))
    canvas = Canvas(frame.columns, frame.rows)
    zero = canvas.cell(float(frame.x(np.zeros(1))[0]), 0.5)[1]
    zero = max(min(max(zero, 1), frame.columns - 2), 0)
    dots = np.zeros((2, 4 * frame.rows, 2 * frame.columns), dtype=np.bool_)
    column = np.rint(frame.x(points.along) * (2 * frame.columns - 1)).astype(int)
    column = np.where(points.is_against, np.minimum(column, 2 * zero - 1), np.maximum(column, 2 * zero + 2))
    column = np.clip(column, 0, 2 * frame.columns - 1)
    row = 4 * frame.rows - 1 - np.rint(frame.y(points.across) * (4 * frame.rows - 1)).astype(int)
    dots[points.is_against.astype(int), row, column] = True
    for place in range(frame.rows):
        canvas.write(place, zero, "│", Ink.ZERO)
    canvas.dots(dots[0], Ink.POINT)
    canvas.dots(dots[1], Ink.AGAINST)
    cells = (dots[0] | dots[1]).reshape(frame.rows, 4, frame.columns, 2)
    is_taken: NDArray[np.bool_] = cells.max(axis=(1, 3))
    is_taken[:, zero] = True
    if len(points.along):
        x, y = float(frame.x(points.along.mean(keepdims=True))[0]), 0.5
        canvas.mark(x, y, MEAN, Ink.MEAN)
        is_taken[canvas.cell(x, y)] = True
    for point in points.largest[: canvas.rows // 2].tolist():
        texts = _texts(moment, int(points.places[point]))
        _label(canvas, is_taken, int(row[point]) // 4, int(column[point]) // 2, texts)
    return canvas, frame


def _label(canvas: Canvas, is_taken: NDArray[np.bool_], row: int, column: int, texts: list[str]) -> None:
    """Write the first of some texts that has room beside a point's cell, as far as nothing is in the way."""
    for line, begin, text in _beside(row, column, texts):
        end = begin + len(text)
        if not 0 <= line < canvas.rows or begin < 0 or end > canvas.columns:
            continue
        around = is_taken[line, max(0, begin - 1) : end + 1]
        if around.sum() <= (line == row):  # it touches nothing but its own point
            canvas.write(line, begin, text, Ink.LABEL)
            around[:] = True
            return


def _texts(moment: Moment, place: int) -> list[str]:
    """What a sample is called, the fullest first, each character in a cell."""
    number = str(moment.samples[place])
    label = shortened(printable(moment.labels[place]), NAME) if moment.labels else ""
    is_narrow = all(cell_len(character) == 1 for character in label)
    return [f"{number} {label}", number] if label and is_narrow else [number]


def _beside(row: int, column: int, texts: list[str]) -> Iterator[tuple[int, int, str]]:
    """Where a text can begin: at the right or the left of a cell, in its row or next to it."""
    for text in texts:
        for line in (row, row - 1, row + 1):
            yield line, column + 1, text
            yield line, column - len(text), text
