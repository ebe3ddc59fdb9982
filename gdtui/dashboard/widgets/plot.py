"""Draws a Plot: plotext's braille curves inside axes of our own, a strip of segments a row.

plotext gets the curves only, scaled to between 0 and 1, each in the palette colour of its number; the right
colours are put on afterwards. Its kernel ends the process at a nan, so only finite numbers get that far.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotext
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from gdtui.descent.history import extremes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdtui.dashboard.widgets.series import Mark, Plot, Reading, Series
    from gdtui.problems.datasets import Array

HUGE = 1e300
"""Larger values are drawn as this one, so that no difference of two overflows."""

TINY = 1e-290
"""A range narrower than this one is none."""

FRAMED = Size(12, 4)
"""A smaller chart has no axes."""

CANVAS = 6
"""Columns that the labels must leave to the curves; otherwise, no axes."""

TOPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Where a growing axis ends, times a power of ten: seldom a new end, seldom much of it empty."""

DECADES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Decades from one label of a log axis to the next."""

PALETTE = 256
"""Colours that plotext tells apart by number."""

_RUN = re.compile(r"\x1b\[0m(?:\x1b\[38;5;(\d+)m)?([^\x1b]+)")

Range = tuple[float, float]
Tick = tuple[float, str]


class Ink(NamedTuple):
    """The styles that a chart is drawn in; `base` has the background, which the others have as well."""

    base: Style
    axis: Style
    label: Style
    mark: Style


class Curve(NamedTuple):
    """A series as it is drawn: a few points a column, and which of them are not joined to the one before."""

    x: Array
    y: Array
    gaps: NDArray[np.intp]

    def scaled(self, x_range: Range, y_range: Range) -> Curve:
        """The same with both axes from 0 to 1."""
        return Curve(_fraction(self.x, x_range), _fraction(self.y, y_range), self.gaps)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart of one size: its rows, and where on them its x axis lies."""

    size: Size
    rows: list[Strip]
    left: int
    columns: int
    canvas_rows: int
    x_range: Range
    data_range: Range | None
    """First and last x that is drawn."""

    def column(self, x: float) -> int:
        """The canvas column in which x is drawn."""
        return _place(x, self.x_range, self.columns)

    def x(self, column: int) -> float:
        """The x of the middle of a canvas column."""
        low, high = self.x_range
        return low + (high - low) * column / max(1, self.columns - 1)

    def with_cursor(self, x: float, style: Style) -> list[Strip]:
        """The rows with a thin vertical line at x, behind the curves."""
        at = self.left + self.column(x)
        return [
            _overlay(row, at, "│", style) if y < self.canvas_rows and row.crop(at, at + 1).text == " " else row
            for y, row in enumerate(self.rows)
        ]


def draw(plot: Plot, width: int, height: int, ink: Ink) -> Drawing:
    """Draw a plot at this size in cells, whatever its values and however small."""
    x_range = _x_range(plot)
    curves = [_thin(series, x_range, max(1, width), plot.log_y) for series in plot.series]
    y_range = _y_range(curves, plot.log_y)
    rows = height - 2
    ticks = (_log_ticks if plot.log_y else _y_ticks)(y_range, rows)
    # Wide enough for most labels from the start, so that the curves do not shift when one gets longer.
    left = 1 + max([4 if width >= 2 * FRAMED.width else 0, *(len(label) for _, label in ticks)])
    framed = width >= max(FRAMED.width, left + CANVAS) and height >= FRAMED.height
    if not framed:
        left, rows = 0, height
    columns = width - left
    if columns < 1 or rows < 1:
        return Drawing(Size(width, height), [], 0, 0, 0, x_range, None)
    scaled = [curve.scaled(x_range, y_range) for curve in curves]
    strips = _canvas(scaled, [series.color for series in plot.series], Size(columns, rows), ink.base)
    strips[0] = _with_marks(strips[0], plot.marks, x_range, ink.mark)
    if framed:
        gutter = _y_axis(ticks, y_range, left, rows, ink)
        strips = [Strip.join(pair) for pair in zip(gutter, strips, strict=True)]
        strips += _x_axis(x_range, left, columns, ink)
    ends = [end for curve in curves if len(curve.x) for end in (curve.x.min(), curve.x.max())]
    data_range = (float(min(ends)), float(max(ends))) if ends else None
    return Drawing(Size(width, height), strips, left, columns, rows, x_range, data_range)


def read(series: tuple[Series, ...], x: float) -> Reading:
    """What lies nearest to x: the first series' x there, and name and y of every series that has a point."""
    found = []
    for each in series:
        distance = np.abs(np.nan_to_num(np.asarray(each.x, dtype=np.float64), nan=np.inf) - x)
        if len(distance) and np.isfinite(distance[nearest := int(distance.argmin())]):
            found.append((float(each.x[nearest]), each.name, float(each.y[nearest])))
    return (found[0][0] if found else None), tuple((name, y) for _, name, y in found)


# Ranges. Those made from data end at round numbers, so that a growing run seldom moves what is drawn.


def _x_range(plot: Plot) -> Range:
    if plot.x_range is not None:
        low, high = sorted(min(max(end, -HUGE), HUGE) if math.isfinite(end) else 0.0 for end in plot.x_range)
        return _widened(low, high)
    finite = [x[np.isfinite(x)] for x in (np.asarray(series.x, dtype=np.float64) for series in plot.series)]
    return _round_range(*_span(finite))


def _y_range(curves: list[Curve], log_y: bool) -> Range:
    """Whole decades, as powers of ten; or from zero, when nothing lies below it, to a round number."""
    low, high = _span([curve.y for curve in curves])
    if log_y:
        low, high = math.floor(low), math.ceil(high)
        return low, max(high, low + 1)
    return _round_range(min(low, 0.0), high)


def _span(parts: list[Array]) -> Range:
    parts = [part for part in parts if len(part)]
    if not parts:
        return 0.0, 0.0
    low, high = min(float(part.min()) for part in parts), max(float(part.max()) for part in parts)
    return max(low, -HUGE), min(high, HUGE)


def _widened(low: float, high: float) -> Range:
    """The range, or a wider one where it is too narrow for arithmetic."""
    size = max(abs(low), abs(high))
    if high - low < max(TINY, 1e-12 * size):
        high = low + max(1.0, 1e-3 * size)
    return low, high


def _round_range(low: float, high: float) -> Range:
    """Round numbers around low and high; zero is one of them unless the values keep away from it."""
    low, high = _widened(low, high)
    if low > high / 2 or high < low / 2:
        step = _step((high - low) / 4)
        return _widened(math.floor(low / step) * step, math.ceil(high / step) * step)
    return _widened(-_top(-low), _top(high))


def _top(value: float) -> float:
    if value < TINY:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((top * power for top in TOPS if top * power >= value), value)


# Decimation.


def _thin(series: Series, x_range: Range, columns: int, log_y: bool) -> Curve:
    """The extremes of each block, at most two a column; blocks grow by doubling, so that they seldom move."""
    x, y = np.asarray(series.x, dtype=np.float64), np.asarray(series.y, dtype=np.float64)
    start, stop = np.searchsorted(x, x_range[0]), np.searchsorted(x, x_range[1], side="right")
    x, y = x[start:stop], y[start:stop]
    drawable = np.isfinite(y) & (y > 0) if log_y else np.isfinite(y)
    # Without gaps there is nothing to leave out, and a long curve need not be copied.
    there = None if drawable.all() else np.flatnonzero(drawable)
    values = y if there is None else y[there]
    if not len(values):
        return Curve(values, values, np.empty(0, dtype=np.intp))
    block = 1 << max(0, math.ceil(math.log2(len(values) / columns)))
    # The ends as well: the newest value is always drawn.
    kept = np.union1d(extremes(values, block), [0, len(values) - 1])
    picked = kept if there is None else there[kept]
    picked, kept = picked[fine := np.isfinite(x[picked])], kept[fine]
    # Where more values are missing before a point than before the last one, some are missing between the two.
    gaps = np.flatnonzero(np.diff(picked - kept)) + 1
    y = np.log10(y[picked]) if log_y else np.clip(y[picked], -HUGE, HUGE)
    return Curve(x[picked], y, gaps)


# The canvas.


@cache
def _figure() -> Any:
    """A figure of our own, bare: `plotext.figure` is everybody's, and keeps what others set."""
    plotext.terminal.limit(False, False)  # a chart's size is the pane's, whatever the terminal's
    figure = type(plotext.figure)(plotext.terminal)
    figure.axes(False).legend(False).canvas("default")  # the default background is white
    figure.ruler("both", "both").frequency(0).lim(0, 1)
    return figure


def _canvas(curves: list[Curve], colors: list[str], size: Size, base: Style) -> list[Strip]:
    """The scaled curves alone, the first on top of the others."""
    figure = _figure()
    figure.clear.data()
    figure.plot_size(size.width, size.height)
    for number, curve in reversed(list(enumerate(curves))):
        if len(curve.x):
            marker = plotext.marker("braille", pixel=plotext.pixel(number % PALETTE))
            signal = figure.signal(curve.x.tolist(), curve.y.tolist(), marker=marker).lines()
            for gap in curve.gaps:
                signal.line(int(gap), False)
            figure.draw(signal)
    inks = {"": base}
    for number, color in enumerate(colors[:PALETTE]):
        inks[str(number)] = base + Style(color=color)
    rows = figure.build().string().splitlines()
    return [Strip([Segment(text, inks[number]) for number, text in _RUN.findall(row)], size.width) for row in rows]


def _fraction(values: Array, span: Range) -> Array:
    return np.clip((values - span[0]) / (span[1] - span[0]), 0.0, 1.0)


def _place(value: float, span: Range, cells: int) -> int:
    """The cell of a value on an axis whose ends are the middles of its first and last cell, as in plotext."""
    fraction = (value - span[0]) / (span[1] - span[0])
    return int(0.5 + (cells - 1) * min(max(fraction, 0.0), 1.0))


# Axes and marks.


def _y_axis(ticks: list[Tick], y_range: Range, left: int, rows: int, ink: Ink) -> list[Strip]:
    labels = {rows - 1 - _place(y, y_range, rows): label for y, label in ticks}
    return [
        Strip(
            [
                Segment(labels.get(row, "").rjust(left - 1), ink.label),
                Segment("┤" if row in labels else "│", ink.axis),
            ],
            left,
        )
        for row in range(rows)
    ]


def _x_axis(x_range: Range, left: int, columns: int, ink: Ink) -> list[Strip]:
    """The line with its ticks, and below it the labels, each under its tick as far as it fits."""
    line, text = ["─"] * columns, [" "] * (left + columns)
    for x, label in _x_ticks(x_range, columns):
        at = _place(x, x_range, columns)
        line[at] = "┬"
        start = max(0, min(left + at - (len(label) - 1) // 2, len(text) - len(label)))
        text[start : start + len(label)] = label
    axis = [Segment(" " * (left - 1), ink.label), Segment("└" + "".join(line), ink.axis)]
    return [Strip(axis, left + columns), Strip([Segment("".join(text), ink.label)], left + columns)]


def _with_marks(row: Strip, marks: tuple[Mark, ...], x_range: Range, style: Style) -> Strip:
    """A ▾ for each mark within the range, followed by its label where nothing is in the way."""
    columns = row.cell_length
    places = {_place(mark.x, x_range, columns): mark.label for mark in marks if x_range[0] <= mark.x <= x_range[1]}
    free, right = row.text, columns
    for at in sorted(places, reverse=True):
        label = places[at]
        end = at + 1 + len(label)
        plain = label.isprintable() and cell_len(label) == len(label)
        fits = plain and end < right and not free[at + 1 : end + 1].strip()
        row, right = _overlay(row, at, f"▾{label}" if fits else "▾", style), at
    return row


def _overlay(row: Strip, at: int, text: str, style: Style) -> Strip:
    end = at + len(text)
    return Strip.join([row.crop(0, at), Strip([Segment(text, style)], len(text)), row.crop(end)])


# Ticks.


def _y_ticks(y_range: Range, rows: int) -> list[Tick]:
    return _labelled(y_range, _step((y_range[1] - y_range[0]) / max(2, rows // 3)))


def _log_ticks(y_range: Range, rows: int) -> list[Tick]:
    low, high = int(y_range[0]), int(y_range[1])
    most = min(max(1, rows // 2), 8)
    step = next(step for step in DECADES if high - low <= most * step)
    powers = range(-(-low // step) * step, high + 1, step) or (low, high)
    return [(power, f"1e{power:+d}") for power in powers]


def _x_ticks(x_range: Range, columns: int) -> list[Tick]:
    """As many as fit without touching, at most one in twelve columns."""
    span = x_range[1] - x_range[0]
    step = _step(span / max(1, columns // 12))
    while True:
        ticks = _labelled(x_range, step)
        widest = max((len(label) for _, label in ticks), default=0)
        if len(ticks) < 2 or widest + 2 <= (columns - 1) * step / span:
            return [tick for tick in ticks if len(tick[1]) <= columns]
        step = _step(1.01 * step)


def _step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((step * power for step in (1, 2, 5) if step * power >= least * (1 - 1e-9)), 10 * power)


def _labelled(span: Range, step: float) -> list[Tick]:
    """The multiples of step within the range, written alike and as short as tells them apart."""
    numbers = range(math.ceil(span[0] / step - 1e-9), math.floor(span[1] / step + 1e-9) + 1)
    values = [number * step for number in numbers]
    largest = max((abs(value) for value in values), default=0.0)
    last_digit = math.floor(math.log10(step) + 1e-9)
    digits = math.floor(math.log10(max(largest, step)) + 1e-9) - last_digit
    short = step >= 1e-3 and largest < 1e5
    many = digits > 2 and step >= 1e-9 and largest < 1e9
    if short or many:
        return [(value, f"{value:.{max(0, -last_digit)}f}") for value in values]
    return [(value, _scientific(value, digits)) for value in values]


def _scientific(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
