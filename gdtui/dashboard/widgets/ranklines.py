"""Rank lines: what the leaderboard of a sweep writes: its columns, and a point's cells in them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from gdtui.dashboard.figures import WIDTH, figure
from gdtui.dashboard.widgets.runlines import fitted
from gdtui.dashboard.widgets.signs import sign_text
from gdtui.experiment import printable
from gdtui.sweeps.board import Sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.sweeps.board import Board
    from gdtui.sweeps.space import Axis

GAP = 2
"""Blanks between two columns."""

LEAD = 2
"""Cells before the first column: which line is selected, a blank."""

WORD, LONGEST = 8, 24
"""Cells of an axis's words, at most, where there is little room and where there is much."""

STATE = 15
"""Cells of a point's state, as of `▿ stopped early` and `× 2 of 5 lost`; where there is no room, its mark alone."""

ID = 10
"""Cells of a run's id."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the leaderboard.

    Attributes:
        key: its name: rank, loss, least, most, epochs, state, run; an axis's is its place among the board's, as text.
        title: its head.
        cells: how wide it is.
        is_number: it stands at the right, and is never cut.
    """

    key: str
    title: str
    cells: int
    is_number: bool = True


def axis_widths(axes: Sequence[Axis], values: Sequence[Sequence[Any]]) -> tuple[int, ...]:
    """The cells that each axis's values take; of a range the same for all its values, however many there are."""
    return tuple(
        WIDTH if axis.span is not None else max((cell_len(axis_text(axis, value)) for value in own), default=1)
        for axis, own in zip(axes, values, strict=True)
    )


def axis_text(axis: Axis, value: Any) -> str:
    """A value of an axis: as one types it, but for the numbers of a range, which are rounded to fit."""
    if axis.span is not None and isinstance(value, float):
        return figure(value)
    return printable(axis.write(value))


def columns_in(width: int, board: Board, widths: Sequence[int]) -> list[Column]:
    """The columns for which there is room, from the left to the right; a column has all its cells or none.

    Args:
        width: in cells.
        board: whose points are listed.
        widths: what `axis_widths` says of its axes.
    """
    axes = [
        Column(str(at), printable(axis.option), min(max(widths[at], cell_len(axis.option)), LONGEST), _is_number(axis))
        for at, axis in enumerate(board.axes)
    ]
    narrow = [replace(axis, cells=min(axis.cells, max(own, WORD))) for axis, own in zip(axes, widths, strict=True)]
    rank = Column("rank", "#", len(f"{max(1, len(board.order)):,}"))
    loss, least, most = (Column(name, name, WIDTH) for name in ("loss", "least", "most"))
    epochs = Column("epochs", "epochs", max(6, len(f"{board.progress.sweep.experiment.epochs:,}")))
    mark, state = Column("state", "", 1, False), Column("state", "state", STATE, False)
    run = Column("run", "best run", ID, False)
    has_seeds = board.progress.sweep.seeds > 1
    claims = [loss, *narrow, mark, rank, state, *((least, most) if has_seeds else ()), epochs, run, *axes]
    room, taken = width - LEAD + GAP, dict[str, Column]()
    for column in claims:
        more = column.cells - taken[column.key].cells if column.key in taken else column.cells + GAP
        if 0 < more <= room:
            taken[column.key] = column
            room -= more
    order = ["rank", *(axis.key for axis in axes), "loss", "least", "most", "epochs", "state", "run"]
    return [taken[key] for key in order if key in taken]


def _is_number(axis: Axis) -> bool:
    return axis.span is not None or any(isinstance(value, int | float) for value in axis.values)


def head(columns: Sequence[Column]) -> str:
    """The titles."""
    return " " * LEAD + (" " * GAP).join(_placed(column.title, column) for column in columns)


def cell(board: Board, place: int, column: Column) -> str:
    """A cell of the leaderboard's line at a place of the order, as wide as its column."""
    return _placed(_text(board, place, column), column)


def _text(board: Board, place: int, column: Column) -> str:
    arm = int(board.order[place])
    match column.key:
        case "rank":
            return f"{place + 1:,}"
        case "epochs":
            return f"{board.epochs[arm]:,}"
        case "state":
            text = sign_text(Sign(board.signs[arm]), int(board.begun[arm]), int(board.lost[arm]))
            return text if column.cells > 1 else text[0]
        case "run":
            return board.best[arm]
        case "loss" | "least" | "most":
            losses = {"loss": board.losses, "least": board.least, "most": board.most}[column.key]
            loss = float(losses[arm])
            return figure(loss) if math.isfinite(loss) else "–"
    axis = int(column.key)
    value = board.values[axis][int(board.places[arm, axis])]
    return axis_text(board.axes[axis], value)


def _placed(text: str, column: Column) -> str:
    if column.is_number and cell_len(text) <= column.cells:
        return " " * (column.cells - cell_len(text)) + text
    return fitted(text, column.cells)
