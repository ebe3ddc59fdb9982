"""Pen: the terminal's cursor and style of now, and the shortest sequences that write cells with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.terminal.cells import PLAIN, Cell, Style
from gdtui.terminal.motion import motion

if TYPE_CHECKING:
    from gdtui.terminal.traits import Traits

Row = list[Cell]

GAP = 8
"""Unchanged cells between two changes, at most, that may take fewer bytes to write again than to step over."""
LEAST_ERASED = 9
"""ECH and a step over what it erased take as many bytes as this many spaces."""
LONG = " " * (LEAST_ERASED + 1)
LEAST_REPEATED = 6
"""REP takes this many bytes at most."""


class Pen:
    """Writes cells where they belong, and remembers where that leaves the terminal.

    Attributes:
        style: in which the next character is written.
    """

    def __init__(self, traits: Traits) -> None:
        self._traits = traits
        self._out: list[str] = []
        self.style: Style = PLAIN
        self._x = self._y = -1  # as motion() has it

    def taken(self) -> str:
        """What was written; it is another's now."""
        out, self._out = "".join(self._out), []
        return out

    def send(self, sequence: str) -> None:
        """Write a sequence as it is."""
        self._out.append(sequence)

    def go(self, x: int, y: int) -> None:
        """Bring the cursor to a place."""
        if x != self._x or y != self._y:
            self.send(motion(self._x, self._y, x, y))
            self._x, self._y = x, y

    def take(self, style: Style) -> None:
        """Write in this style from now on."""
        if style is not self.style:
            self.send(self.style.change_to(style))
            self.style = style

    def can_erase(self, cell: Cell) -> bool:
        """Whether the terminal's erasing makes this cell."""
        return cell.is_blank and (self._traits.erases_in_color or not cell.style.background)

    def write(self, y: int, row: Row, start: int, end: int) -> None:
        """Write a row's cells from one column up to another."""
        cells, style, blank = row[start:end], self.style, self.style.blank
        if all(cell.is_sure and (cell.style is style or cell is blank) for cell in cells):
            text = "".join([cell.text for cell in cells])
            if LONG not in text and not self._traits.repeats:
                self.go(start, y)
                self.send(text)
                self._x = end if end < len(row) else -1
                return
        x = start
        while x < end:
            cell, n = row[x], 1
            while x + n < end and row[x + n] is cell:
                n += 1
            if not cell.is_blank:
                self.take(cell.style)
            elif self.style.blank is not cell:
                self.take(self.style.behind_blanks(cell))
            self.go(x, y)
            if n > LEAST_ERASED and self.can_erase(cell):
                self.send(f"\x1b[{n}X")  # ECH, erase characters: the cursor stays
                x += n
            else:
                x = self._characters(cell, x, n, len(row))

    def write_gap(self, y: int, row: Row, start: int, end: int) -> None:
        """Write unchanged cells again where that is shorter than to step over them."""
        if end - start <= GAP and (self._x, self._y) == (start, y):
            cells = row[start:end]
            room = len(motion(start, y, end, y))
            if sum(cell.size for cell in cells) <= room and all(map(self._is_ready, cells)):
                self.write(y, row, start, end)

    def erase_line(self, x: int, y: int, blank: Cell) -> None:
        """EL, erase in line: blanks up to the row's end."""
        if self.style.blank is not blank:
            self.take(self.style.behind_blanks(blank))
        self.go(x, y)
        self.send("\x1b[K")

    def erase_all(self, blank: Cell, height: int) -> None:
        """Blanks everywhere: ED, erase in display; in another background EL row by row, as more terminals know it."""
        self.take(PLAIN)  # closes a link, too
        self.send("\x1b[m")  # whatever others have left
        if blank is PLAIN.blank:
            self.send("\x1b[2J")
        else:
            self.take(blank.style)
            self.send("\x1b[H" + "\r\n".join(["\x1b[K"] * height))
        self._x = self._y = -1

    def insert_lines(self, y: int, n: int) -> None:
        """IL, insert line: the rows from here move down, and the last are gone."""
        self._line(y, f"\x1b[{n if n > 1 else ''}L")

    def delete_lines(self, y: int, n: int) -> None:
        """DL, delete line: the rows beneath move up, and blank ones come in at the bottom."""
        self._line(y, f"\x1b[{n if n > 1 else ''}M")

    def blank(self) -> Cell:
        """What comes in with new lines: in no style, since terminals differ in whether it would have that of now."""
        self.take(PLAIN)
        return PLAIN.blank

    def _line(self, y: int, sequence: str) -> None:
        self.go(0, y)
        self.send(sequence)
        self._x = -1  # some terminals leave the cursor where it is

    def _characters(self, cell: Cell, x: int, n: int, width: int) -> int:
        """Write the same cell n times; returns the column behind."""
        if cell.width == 2 and not cell.is_sure:
            # One that takes it for narrow leaves the second place as it is: blank is better than what was there.
            self.send(f"  \x1b[{x + 1}G")  # CHA, cursor horizontal absolute
        if self._traits.repeats and cell.is_sure and cell.width == 1 and cell.size * (n - 1) > LEAST_REPEATED:
            self.send(f"{cell.text}\x1b[{n - 1}b")  # REP, repeat the character before
        else:
            self.send(cell.text * n)
        x += max(n, cell.width)
        # Behind the last column a terminal may wait to wrap; behind a character that not all measure alike it may be
        # anywhere on the row.
        self._x = x if cell.is_sure and x < width else -1
        return x

    def _is_ready(self, cell: Cell) -> bool:
        return cell.is_sure and (cell.style is self.style or self.style.blank is cell)
