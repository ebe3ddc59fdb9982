"""Delta: the fewest bytes from the screen shown to the screen wanted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import compress
from operator import is_not
from typing import TYPE_CHECKING

from gdtui.terminal.cells import PLAIN
from gdtui.terminal.pen import Pen
from gdtui.terminal.pieces import Piece, Row, ordered, parted

if TYPE_CHECKING:
    from gdtui.terminal.grid import Grid
    from gdtui.terminal.traits import Traits

LEAST_ERASED = 3
"""EL takes as many bytes as this many spaces."""
BYTES_A_CELL = 2
"""What a changed cell costs, about, with its share of motion and style."""
LEAST_SCROLLED = 40
"""Cells to be saved before rows are moved instead of written."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Rows from `top` up to `bottom` that move up by `n`; down where it is negative."""

    top: int
    bottom: int
    n: int

    def of(self, rows: list[Row], blank: Row) -> list[Row]:
        """The rows after it; blank ones come in."""
        moved, new = rows[self.top : self.bottom], [blank.copy() for _ in range(abs(self.n))]
        moved = moved[self.n :] + new if self.n > 0 else new + moved[: self.n]
        return rows[: self.top] + moved + rows[self.bottom :]


class Shown:
    """The screen that a terminal shows, as far as it was sent.

    Attributes:
        is_behind: the last delta was cut at its limit; another is needed.
    """

    def __init__(self, traits: Traits) -> None:
        self.is_behind = False
        self._pen = Pen(traits)
        self._rows: list[Row] = []
        self._next = 0

    def forget(self) -> None:
        """Nothing is known of the screen any more: the next delta draws all."""
        self._rows = []

    def approach(self, wanted: Grid, is_exact: bool = True, limit: int = 1 << 30) -> str:
        """What to send so that the terminal shows the screen wanted; it is taken for sent.

        Args:
            wanted: the screen; this one takes its size.
            is_exact: the terminal is no wider than the screen: what is erased up to its edge is of the screen.
            limit: bytes, about, after which no other row is begun; the next delta goes on with those left.
        """
        if len(self._rows) != wanted.height or len(self._rows[0]) != wanted.width:
            self._clear(wanted, is_exact)
        changed = self._changed(wanted.rows)
        if len(changed) > 3 and (shift := self._shift(wanted.rows, changed)):
            self._scroll(shift)
            changed = self._changed(wanted.rows)
        self._write(wanted.rows, self._chosen(wanted.rows, changed, limit), is_exact)
        self._pen.go(*wanted.cursor)
        return self._pen.taken()

    def rest(self) -> str:
        """What to send so that what others write is in the terminal's own style."""
        self._pen.take(PLAIN)
        return self._pen.taken()

    def _changed(self, wanted: list[Row]) -> list[int]:
        return [y for y, (one, other) in enumerate(zip(self._rows, wanted, strict=True)) if one != other]

    def _clear(self, wanted: Grid, is_exact: bool) -> None:
        blank = PLAIN.blank
        if is_exact:
            blanks = Counter(cell for row in wanted.rows for cell in row if self._pen.can_erase(cell))
            blank = max(blanks, key=blanks.__getitem__, default=blank)
        self._pen.erase_all(blank, wanted.height)
        self._rows = [[blank] * wanted.width for _ in range(wanted.height)]

    def _chosen(self, wanted: list[Row], changed: list[int], limit: int) -> list[int]:
        """The rows to write now: as many as there is room for.

        Where the last delta was cut this one goes on, or rows at the top that change all the time would starve others.
        """
        self.is_behind = False
        size = 0
        for count, y in enumerate(later := sorted(changed, key=lambda y: (y < self._next, y))):
            size += BYTES_A_CELL * _distance([self._rows[y]], [wanted[y]])
            if size > limit and count:
                self.is_behind, self._next = True, y
                return sorted(later[:count])
        self._next = 0
        return changed

    def _write(self, wanted: list[Row], ys: list[int], is_exact: bool) -> None:
        pen = self._pen
        pieces = [piece for y in ys for piece in self._pieces(y, wanted[y], is_exact)]
        before: Piece | None = None
        for style, piece in ordered(pieces, pen.style):
            if style is not None:
                pen.take(style)
            row = wanted[piece.y]
            if piece.is_tail:
                pen.erase_line(piece.start, piece.y, row[-1])
            else:
                if before is not None and before.y == piece.y and before.end < piece.start:
                    pen.write_gap(piece.y, row, before.end, piece.start)
                pen.write(piece.y, row, piece.start, piece.end)
            before = piece
        for y in ys:
            self._rows[y] = wanted[y].copy()

    def _pieces(self, y: int, wanted: Row, is_exact: bool) -> list[Piece]:
        columns = list(compress(range(len(wanted)), map(is_not, self._rows[y], wanted)))
        pieces: list[Piece] = []
        if is_exact and self._pen.can_erase(wanted[-1]):
            tail = _tail(wanted)
            erased = [x for x in columns if x >= tail]
            if len(erased) > LEAST_ERASED:
                columns = columns[: -len(erased)]
                pieces.append(Piece(y, erased[0], len(wanted), None, wanted[-1], is_tail=True))
        return [*parted(y, wanted, columns), *pieces] if columns else pieces

    def _shift(self, wanted: list[Row], changed: list[int]) -> Shift | None:
        """A move of rows that makes much of the screen wanted."""
        where = {tuple(self._rows[y]): y for y in changed}
        moves = {y: where[row] - y for y in changed if (row := tuple(wanted[y])) in where}
        votes = Counter(moves.values())
        n = max(votes, key=votes.__getitem__, default=0)
        if not n or votes[n] < 2:
            return None
        ys = [y for y, move in moves.items() if move == n]
        shift = Shift(min(ys) + min(n, 0), max(ys) + max(n, 0) + 1, n)
        moved = shift.of(self._rows, [PLAIN.blank] * len(wanted[0]))
        part = slice(shift.top, shift.bottom)
        saved = _distance(self._rows[part], wanted[part]) - _distance(moved[part], wanted[part])
        return shift if saved > LEAST_SCROLLED else None

    def _scroll(self, shift: Shift) -> None:
        """DL, delete line, and IL, insert line: shorter than a scroll region, and older terminals have them."""
        blank = self._pen.blank()
        n, height = abs(shift.n), len(self._rows)
        gone, new = (shift.top, shift.bottom - n) if shift.n > 0 else (shift.bottom - n, shift.top)
        if gone + n < height:
            self._pen.delete_lines(gone, n)
        if new + n < height:
            self._pen.insert_lines(new, n)
        self._rows = shift.of(self._rows, [blank] * len(self._rows[0]))


def _tail(row: Row) -> int:
    """Where the equal cells at a row's end begin."""
    last, x = row[-1], len(row)
    while x and row[x - 1] is last:
        x -= 1
    return x


def _distance(rows: list[Row], wanted: list[Row]) -> int:
    """How many cells differ."""
    return sum(sum(map(is_not, one, other)) for one, other in zip(rows, wanted, strict=True))
