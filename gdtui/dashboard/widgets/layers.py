"""Layers: each curve in cells of its own, as plotext draws it; laid one over the other, with their line marks on top.

plotext gets one curve at a time, scaled to between 0 and 1. Its kernel ends the process at a nan, so only finite
numbers may get that far.
"""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotext
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.geometry import Size

    from gdtui.dashboard.widgets.series import Series
    from gdtui.problems.datasets import Array

Cells = NDArray[np.uint32]
"""A character in each cell, shape (rows, columns)."""

MARKED = 15
"""Columns from one line mark of a curve to its next."""

STAGGER = 7
"""Columns by which the line marks of a curve stand farther right than the last one's; no divisor of `MARKED`."""

_BLANK = ord(" ")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class Curve(NamedTuple):
    """A series as it is drawn: a few points a column, and which of them are not joined to the one before."""

    x: Array
    y: Array
    gaps: NDArray[np.intp]


@cache
def _figure() -> Any:
    """A figure of our own, bare: `plotext.figure` is everybody's, and keeps what others set."""
    plotext.terminal.limit(False, False)  # a chart's size is the pane's, whatever the terminal's
    figure = type(plotext.figure)(plotext.terminal)
    figure.axes(False).legend(False).canvas("default")  # the default background is white
    figure.ruler("both", "both").frequency(0).lim(0, 1)
    return figure


def layer(curve: Curve, size: Size) -> Cells:
    """A curve in braille; x and y go from 0 to 1, from the middle of the first cell to that of the last."""
    if not len(curve.x):
        return np.full((size.height, size.width), _BLANK, dtype=np.uint32)
    figure = _figure()
    figure.clear.data()
    figure.plot_size(size.width, size.height)
    signal = figure.signal(curve.x.tolist(), curve.y.tolist(), marker=plotext.marker("braille")).lines()
    for gap in curve.gaps:
        signal.line(int(gap), False)
    figure.draw(signal)
    rows = _ESCAPE.sub("", figure.build().string()).splitlines()
    return np.array([np.frombuffer(row.encode("utf-32-le"), dtype="<u4") for row in rows])


def laid(
    layers: dict[Series, Cells], curves: dict[Series, Curve], size: Size, base: Style, colors: Mapping[str, str]
) -> list[Strip]:
    """The layers one over the other, the first on top, and on top of them all their line marks.

    In a cell that several curves cross there are the dots of all, in the colour of the topmost.
    """
    cells = np.full((size.height, size.width), _BLANK, dtype=np.uint32)
    owners = np.full(cells.shape, -1)
    numbered = list(enumerate(layers.items()))
    for number, (_, own) in reversed(numbered):
        is_drawn = own != _BLANK
        cells = np.where(is_drawn, np.where(cells == _BLANK, own, cells | own), cells)
        owners[is_drawn] = number
    marked = [(number, series) for number, (series, _) in numbered if series.mark]
    for place, (number, series) in reversed(list(enumerate(marked))):
        at = _line_marks(curves[series], STAGGER * place % MARKED, cells.shape)
        cells[at], owners[at] = ord(series.mark), number
    styles = [base + Style(color=colors.get(series.color, series.color)) for series in layers]
    return [_strip(*row, [*styles, base]) for row in zip(cells, owners, strict=True)]


def _strip(cells: Cells, owners: NDArray[np.int_], styles: list[Style]) -> Strip:
    ends = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(cells)]
    text = cells.astype("<u4").tobytes().decode("utf-32-le")
    return Strip([Segment(text[a:b], styles[owners[a]]) for a, b in itertools.pairwise(ends)], len(cells))


def _line_marks(curve: Curve, first: int, shape: tuple[int, ...]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Rows and columns of a curve's line marks: on it, in every so many columns and at its end; in no gap."""
    if not len(curve.x):
        return np.empty(0, dtype=int), np.empty(0, dtype=int)
    rows, columns = shape
    x = np.arange(first, columns, MARKED) / max(1, columns - 1)
    x = x[(x > curve.x[0]) & (x < curve.x[-1])]
    x = x[~np.isin(np.searchsorted(curve.x, x), curve.gaps)]
    y = np.append(np.interp(x, curve.x, curve.y), curve.y[-1])
    column = (0.5 + (columns - 1) * np.append(x, curve.x[-1])).astype(int)
    return rows - 1 - (0.5 + (rows - 1) * y).astype(int), column
