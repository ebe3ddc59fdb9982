"""Frame: the numbers at the edges of a picture, and its axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

from gdtui.dashboard.figures import WIDTH, figure
from gdtui.dashboard.widgets.ticks import labelled, log_ticks, step_from

if TYPE_CHECKING:
    from rich.style import Style

    from gdtui.dashboard.widgets.dots import Canvas
    from gdtui.dashboard.widgets.ticks import Range, Tick
    from gdtui.problems.datasets import Array

FEWEST_COLUMNS, FEWEST_ROWS = 16, 4
"""A smaller picture has no numbers at its edges."""

GUTTER = 5
"""Cells of the numbers at the left, at least: most are no longer, and the picture stays where it is."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture's place among the numbers at its edges.

    Attributes:
        x_range: the first and last x.
        y_range: the lowest and highest y.
        columns: of the picture, in cells.
        rows: of the picture.
        left: cells of the numbers at its left, and of the axis.
        has_axes: lines between the picture and its numbers.
        x_ticks: numbers below it.
        y_ticks: numbers at its left.
    """

    x_range: Range
    y_range: Range
    columns: int
    rows: int
    left: int
    has_axes: bool
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]

    def x(self, values: Array) -> Array:
        """Fractions of the width."""
        return _fraction(values, self.x_range)

    def y(self, values: Array) -> Array:
        """Fractions of the height."""
        return _fraction(values, self.y_range)

    def placed(self, axis: str) -> list[Tick]:
        """The numbers of the x or the y axis, each with its place, a fraction of the width or height."""
        ticks, (low, high) = (self.x_ticks, self.x_range) if axis == "x" else (self.y_ticks, self.y_range)
        return [(min(max((value - low) / (high - low), 0.0), 1.0), label) for value, label in ticks]

    def dots(self) -> Array:
        """x at every column of dots, shape (2·columns,)."""
        return np.linspace(*self.x_range, 2 * self.columns)


def framed(width: int, height: int, x_range: Range, y_range: Range, is_map: bool = False, log_y: bool = False) -> Frame:
    """The frame of a picture that has so many cells with its numbers; a map has no lines between.

    Args:
        width: in cells, with the numbers at the left.
        height: in cells, with the numbers below.
        x_range: the first and last x.
        y_range: the lowest and highest y.
        is_map: there are no lines between the picture and its numbers.
        log_y: y are powers of ten, and the range's ends are whole.
    """
    below = 1 if is_map or height < 8 else 2
    rows = height - below
    y_ticks = log_ticks(y_range, rows) if log_y else _y_ticks(y_range, max(4, rows // 3))
    left = 1 + max(GUTTER, *(len(label) for _, label in y_ticks), 0)
    if width - left < FEWEST_COLUMNS or rows < FEWEST_ROWS:
        return Frame(x_range, y_range, max(1, width), max(1, height), 0, False, (), ())
    columns = width - left
    step = step_from((x_range[1] - x_range[0]) / max(2, columns // 7))
    x_ticks = labelled(x_range, step)
    while sum(len(label) + 2 for _, label in x_ticks) > columns:
        x_ticks = labelled(x_range, step := step_from(1.01 * step))
    return Frame(x_range, y_range, columns, rows, left, below == 2, tuple(x_ticks), tuple(y_ticks))


def _y_ticks(y_range: Range, count: int) -> list[Tick]:
    """About so many; where they are long, as of a small step far down, by how much each is above the lowest."""
    ticks = labelled(y_range, step_from((y_range[1] - y_range[0]) / count))
    if max((len(label) for _, label in ticks), default=0) <= WIDTH:
        return ticks
    lowest = ticks[0][0]
    return [(y, f"+{y - lowest:.2g}" if y > lowest else figure(y)) for y, _ in ticks]


def surrounded(frame: Frame, canvas: Canvas, rows: list[Strip], axis: Style, label: Style) -> list[Strip]:
    """A canvas's rows with the frame around them.

    Args:
        frame: the picture's.
        canvas: what was drawn.
        rows: its strips.
        axis: the style of the lines.
        label: that of the numbers.
    """
    if not frame.left:
        return rows
    numbers = {canvas.cell(0, y)[0]: text for y, text in frame.placed("y")}
    strips = []
    for row, strip in enumerate(rows):
        line = ("┤" if row in numbers else "│") if frame.has_axes else " "
        gutter = [Segment(f"{numbers.get(row, ''):>{frame.left - 1}}", label), Segment(line, axis)]
        strips.append(Strip.join([Strip(gutter, frame.left), strip]))
    return strips + _below(frame, axis, label)


def _below(frame: Frame, axis: Style, label: Style) -> list[Strip]:
    """The axis with its ticks, and the numbers, each under its tick as far as it fits."""
    line, text, free = ["─"] * frame.columns, [" "] * (frame.left + frame.columns), 0
    for x, number in frame.placed("x"):
        at = round(x * (2 * frame.columns - 1)) // 2
        line[at] = "┬"
        begin = min(frame.left + at - (len(number) - 1) // 2, len(text) - len(number))
        if begin >= free:
            text[begin : begin + len(number)] = number
            free = begin + len(number) + 1
    strips = [Strip([Segment("".join(text), label)], len(text))]
    if frame.has_axes:
        corner = " " * (frame.left - 1) + "└"
        strips.insert(0, Strip([Segment(corner + "".join(line), axis)], len(text)))
    return strips


def _fraction(values: Array, span: Range) -> Array:
    fraction: Array = (values - span[0]) / (span[1] - span[0])
    return fraction
