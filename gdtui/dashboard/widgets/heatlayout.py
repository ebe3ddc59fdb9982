"""Heat layout: where the cells of a plane and their labels are in a pane, and the way from one cell to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len

from gdtui.dashboard.figures import WIDTH, shortened
from gdtui.experiment import printable

if TYPE_CHECKING:
    from gdtui.sweeps.plane import Plane

    Place = tuple[int, int]
    """A row and a column of a plane."""

LEAST = (2, 1)
"""Columns and rows of a cell."""

WIDEST, HIGHEST = 14, 2
"""Columns of a cell, at most; and so many times as many rows."""

GUTTER, LABELLED = WIDTH + 1, 24
"""Columns of the labels at the left, at most, with a blank; and columns from which there is room for them."""

X_LABEL, X_CUT = 7, 12
"""A longer number below is written with three digits; a longer word is shortened to so many cells."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells are in a pane.

    Attributes:
        columns: of the plane, that are shown.
        rows: of the plane, that are shown.
        first: the lowest row and the leftmost column of those; others where there is no room for all.
        width: of a cell.
        height: of a cell.
        gutter: columns of the labels at the left.
        head: lines above.
        below: lines of labels below.
    """

    columns: int
    rows: int
    first: Place
    width: int
    height: int
    gutter: int
    head: int
    below: int

    def line(self, row: int) -> int:
        """The line, from the top of the picture, in which a row of the plane has its sign."""
        return (self.rows - 1 - (row - self.first[0])) * self.height + (self.height - 1) // 2

    def middle(self, column: int) -> int:
        """The column, from the left of the picture, in which a column of the plane has its sign."""
        return (column - self.first[1]) * self.width + (self.width - 1) // 2


def room(width: int, height: int) -> tuple[int, int]:
    """How many columns and rows of a plane a pane of this size can show, at least one of each."""
    cells = width - (GUTTER if width >= LABELLED else 0), height - _head(height) - _below(height)
    return max(1, cells[0] // LEAST[0]), max(1, cells[1] // LEAST[1])


def _head(height: int) -> int:
    return int(height >= 5)


def _below(height: int) -> int:
    return int(height >= 3)


def layout_of(plane: Plane, at: Place | None, width: int, height: int) -> Layout:
    """The layout in which a place is in sight."""
    total_rows, total_columns = plane.values.shape
    widest = max((cell_len(y_label(label)) + 1 for label in plane.y_labels if label), default=0)
    gutter = widest if width >= LABELLED else 0
    head, below = _head(height), _below(height)
    cells = max(1, width - gutter), max(1, height - head - below)
    columns, rows = min(total_columns, max(1, cells[0] // LEAST[0])), min(total_rows, cells[1])
    cell_width = max(1, min(cells[0] // columns, WIDEST))
    cell_height = max(1, min(cells[1] // rows, HIGHEST * cell_width))
    row, column = at or (0, 0)
    first = max(0, min(row - rows // 2, total_rows - rows)), max(0, min(column - columns // 2, total_columns - columns))
    has_line_left = below and cells[1] > rows * cell_height
    return Layout(columns, rows, first, cell_width, cell_height, gutter, head, below + bool(has_line_left))


def y_label(label: str) -> str:
    """A row's label, in as few cells as the gutter has."""
    return _label(label, GUTTER - 1, GUTTER - 1)


def _label(label: str, number: int, word: int) -> str:
    if cell_len(label) > number:
        try:
            return f"{float(label):.3g}"
        except ValueError:
            pass
    return shortened(printable(label), word)


def x_labels(plane: Plane, layout: Layout, here: int | None, width: int) -> list[tuple[int, str, bool]]:
    """The labels below, as many as fit without touching each other: column in the picture, text, whether it is here.

    Args:
        plane: what is shown.
        layout: where.
        here: the plane's column whose label is written in any case.
        width: columns that there are for them.
    """
    first = layout.first[1]
    texts = [_label(label, X_LABEL, X_CUT) for label in plane.x_labels[first : first + layout.columns]]
    widest = max(map(cell_len, texts))
    stride = max(1, -(-(widest + 1) // layout.width))
    spans = [_centred(text, layout.middle(first + k), width) for k, text in enumerate(texts)]
    found = [(*spans[k], False) for k in range(0, len(texts), stride)]
    if here is not None:
        begin, text = _centred(shortened(printable(plane.x_labels[here]), width), layout.middle(here), width)
        end = begin + cell_len(text)
        found = [span for span in found if span[0] > end or span[0] + cell_len(span[1]) < begin]
        found.append((begin, text, True))
    free, placed = 0, []
    for begin, text, is_here in sorted(found):
        if begin >= free and begin + cell_len(text) <= width:
            placed.append((begin, text, is_here))
            free = begin + cell_len(text) + 1
    return placed


def _centred(text: str, middle: int, width: int) -> tuple[int, str]:
    begin = middle - (cell_len(text) - 1) // 2
    return max(0, min(begin, width - cell_len(text))), text


# --- moving -----------------------------------------------------------------------------------------------------------


def neighbour(plane: Plane, at: Place, up: int, right: int) -> Place | None:
    """The next cell with a point in a direction: in the same line, over gaps; or else the nearest aside."""
    rows, columns = np.nonzero(plane.arms >= 0)
    along = (rows - at[0]) * up + (columns - at[1]) * right
    aside = np.abs((rows - at[0]) * right) + np.abs((columns - at[1]) * up)
    ahead = np.flatnonzero(along > 0)
    if not len(ahead):
        return None
    distance = np.where(aside[ahead] == 0, 0, 2 * aside[ahead] * plane.arms.size) + along[ahead]
    nearest = ahead[distance.argmin()]
    return int(rows[nearest]), int(columns[nearest])


def end_of_row(plane: Plane, row: int, is_last: bool) -> Place | None:
    """The first or last cell of a row that has a point."""
    columns = np.flatnonzero(plane.arms[row] >= 0)
    return (row, int(columns[-1 if is_last else 0])) if len(columns) else None


def beginning(plane: Plane) -> Place | None:
    """Where a cursor begins: at the best cell, or the first that has a point."""
    rows, columns = np.nonzero(plane.arms >= 0)
    return plane.best or ((int(rows[0]), int(columns[0])) if len(rows) else None)
