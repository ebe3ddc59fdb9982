"""Draws a Plot: plotext's braille curves inside axes of our own, a strip of segments a row.

Its ranges seldom move, so that from one drawing to the next only the curves that have changed are drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from gdtui.dashboard.widgets.layers import Curve, laid, layer
from gdtui.dashboard.widgets.ticks import Range, Tick, log_ticks, step_from, x_ticks, y_ticks
from gdtui.descent.history import extremes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.style import Style

    from gdtui.dashboard.widgets.layers import Cells
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


class Ink(NamedTuple):
    """The styles that a chart is drawn in; `base` has the background, which the others have as well.

    Attributes:
        colors: the theme's, by the names that series use.
    """

    base: Style
    axis: Style
    label: Style
    mark: Style
    colors: Mapping[str, str] = MappingProxyType({})


class View(NamedTuple):
    """All that a curve's picture depends on, but the curve."""

    x_range: Range
    y_range: Range
    log_y: bool
    size: Size


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
    view: View | None = None
    curves: dict[Series, Curve] = field(default_factory=dict)
    layers: dict[Series, Cells] = field(default_factory=dict)
    """Each series thinned, and as cells; for the next drawing of those that are still the same."""

    def column(self, x: float) -> int:
        """The canvas column in which x is drawn."""
        return _place(x, self.x_range, self.columns)

    def x(self, column: int) -> float:
        """The x of the middle of a canvas column."""
        low, high = self.x_range
        return low + (high - low) * column / max(1, self.columns - 1)

    def fits(self, x_range: Range, log_y: bool, size: Size) -> bool:
        """Its curves, thinned, are what a drawing like this needs."""
        return self.view is not None and (self.size, self.x_range, self.view.log_y) == (size, x_range, log_y)

    @property
    def column_width(self) -> float:
        """From one canvas column's x to the next one's."""
        return self.x(1) - self.x(0)

    def with_cursor(self, x: float, style: Style) -> list[Strip]:
        """The rows with a thin vertical line at x, behind the curves."""
        at = self.left + self.column(x)
        return [
            _overlay(row, at, "│", style) if y < self.canvas_rows and row.crop(at, at + 1).text == " " else row
            for y, row in enumerate(self.rows)
        ]


def draw(plot: Plot, width: int, height: int, ink: Ink, before: Drawing | None = None) -> Drawing:
    """Draw a plot at this size in cells, whatever its values and however small.

    Args:
        plot: what to draw.
        width: columns.
        height: rows.
        ink: the styles.
        before: what was drawn before; a series that is still the same need not be drawn anew.
    """
    x_range = _x_range(plot)
    of_before = before.curves if before and before.fits(x_range, plot.log_y, Size(width, height)) else {}
    known = {
        series: of_before.get(series) or _thin(series, x_range, max(1, width), plot.log_y) for series in plot.series
    }
    curves = list(known.values())
    y_range = _y_range(curves, plot.log_y)
    rows = height - 2
    ticks = (log_ticks if plot.log_y else y_ticks)(y_range, rows)
    # Wide enough for most labels from the start, so that the curves do not shift when one gets longer.
    left = 1 + max([4 if width >= 2 * FRAMED.width else 0, *(len(label) for _, label in ticks)])
    framed = width >= max(FRAMED.width, left + CANVAS) and height >= FRAMED.height
    if not framed:
        left, rows = 0, height
    columns = width - left
    if columns < 1 or rows < 1:
        return Drawing(Size(width, height), [], 0, 0, 0, x_range, None)
    view = View(x_range, y_range, plot.log_y, Size(columns, rows))
    scaled = {
        series: Curve(_fraction(x, x_range), _fraction(y, y_range), gaps) for series, (x, y, gaps) in known.items()
    }
    drawn = before.layers if before and before.view == view else {}
    layers = {series: drawn[series] if series in drawn else layer(curve, view.size) for series, curve in scaled.items()}
    strips = laid(layers, scaled, view.size, ink.base, ink.colors)
    strips[0] = _with_marks(strips[0], plot.marks, x_range, ink.mark)
    if framed:
        gutter = _y_axis(ticks, y_range, left, rows, ink)
        strips = [Strip.join(pair) for pair in zip(gutter, strips, strict=True)]
        strips += _x_axis(x_range, left, columns, ink)
    ends = [end for curve in curves if len(curve.x) for end in (curve.x.min(), curve.x.max())]
    data_range = (float(min(ends)), float(max(ends))) if ends else None
    return Drawing(Size(width, height), strips, left, columns, rows, x_range, data_range, view, known, layers)


def read(series: tuple[Series, ...], x: float, reach: float) -> Reading:
    """What lies at x: name and y of every series, each at its own point nearest to x.

    A series is left out where x is farther than `reach` before its first point or after its last.

    Returns:
        The first series' x there (x itself, where only others have been), names and values; or (None, ()).
    """
    found = []
    for each in series:
        known = np.flatnonzero(np.isfinite(np.asarray(each.x, dtype=np.float64)))
        points = each.x[known]
        if len(known) and points[0] - reach <= x <= points[-1] + reach:
            nearest = known[np.abs(points - x).argmin()]
            found.append((each, float(each.x[nearest]), float(each.y[nearest])))
    if not found:
        return None, ()
    at = found[0][1] if found[0][0] is series[0] else x
    return at, tuple((each.name, y) for each, _, y in found)


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
        start = float(next((curve.y[0] for curve in curves if len(curve.y)), 0.0))
        bottom, top = math.floor(start), math.ceil(start)
        low, high = bottom - math.ceil(_top(bottom - low)), top + math.ceil(_top(high - top))
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
        step = step_from((high - low) / 4)
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


# Axes and marks.


def _fraction(values: Array, span: Range) -> Array:
    return np.clip((values - span[0]) / (span[1] - span[0]), 0.0, 1.0)


def _place(value: float, span: Range, cells: int) -> int:
    """The cell of a value on an axis whose ends are the middles of its first and last cell, as in plotext."""
    fraction = (value - span[0]) / (span[1] - span[0])
    return int(0.5 + (cells - 1) * min(max(fraction, 0.0), 1.0))


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
    for x, label in x_ticks(x_range, columns):
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
