"""Pieces: what changes on the screen, parted so that each can be written in one style, and in what order to write them.

A color takes up to twenty bytes to change, a place on the screen eight at most: so all that has one style is written
together. Where colors are short, the screen is written row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from gdtui.terminal.cells import Cell, Style

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = list[Cell]

DEAR = 9
"""Bytes of a change of style from which on places are changed instead."""


@dataclass(slots=True)
class Piece:
    """Cells of one row that can be written in one style.

    Attributes:
        y, start, end: the row, and from which column up to which.
        style: theirs; None where all are blank.
        blank: what their spaces are.
        is_tail: they are blank up to the row's end: it can be erased.
    """

    y: int
    start: int
    end: int
    style: Style | None
    blank: Cell | None
    is_tail: bool = False


def parted(y: int, row: Row, columns: list[int]) -> Iterator[Piece]:
    """The pieces of some columns of a row, from the left."""
    piece = Piece(y, columns[0], columns[0], None, None)
    for x in columns:
        cell = row[x]
        if x != piece.end or not _joins(piece, cell):
            yield piece
            piece = Piece(y, x, x, None, None)
            _joins(piece, cell)
        piece.end = x + 1
    yield piece


def _joins(piece: Piece, cell: Cell) -> bool:
    """Whether a cell can be written in the piece's style; it is then taken into account."""
    if cell.is_blank:
        if piece.blank is None:
            if piece.style is not None and piece.style.blank is not cell:
                return False
            piece.blank = cell
        return piece.blank is cell
    if piece.style is None:
        if piece.blank is not None and cell.style.blank is not piece.blank:
            return False
        piece.style = cell.style
    return piece.style is cell.style


def ordered(pieces: list[Piece], style: Style) -> Iterator[tuple[Style | None, Piece]]:
    """Pieces in the order in which to write them, each with the style to write it in; None for any.

    Args:
        pieces: row by row, from the left.
        style: of now.
    """
    groups: dict[Style, list[Piece]] = {}
    for piece in pieces:
        if piece.style is not None:
            groups.setdefault(piece.style, []).append(piece)
    if all(len(style.change_to(other)) < DEAR for other in groups):
        yield from ((piece.style, piece) for piece in pieces)
        return
    by_blank = {one.blank: one for one in [*groups, style]}  # blanks go with a style that is written anyway
    for piece in pieces:
        if piece.style is None:
            assert piece.blank is not None
            own = by_blank.setdefault(piece.blank, style.behind_blanks(piece.blank))
            groups.setdefault(own, []).append(piece)
    while groups:
        style = min(groups, key=lambda other: len(style.change_to(other)) if other is not style else -1)
        yield from ((style, piece) for piece in sorted(groups.pop(style), key=attrgetter("y", "start")))
