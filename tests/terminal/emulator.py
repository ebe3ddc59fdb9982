"""A terminal emulator that is pedantic where pyte is lenient, character by character.

Erasing takes only the background of now; half of a wide character is no character; dim, links and all other attributes
are kept; widths are those that Textual measures. Written from the standards (ECMA-48, VT220, xterm's ctlseqs), and
not from the code under test.
"""

from __future__ import annotations

import re
from typing import Any

from rich.cells import cell_len

SEQUENCE = re.compile(
    r"\x1b\[([<-?]?)([\d;:]*)([ -/]*)([@-~])|\x1b\]([^\x07\x1b]*)(?:\x07|\x1b\\)|\x1b[P_^X].*?\x1b\\"
    r"|\x1b[()][A-Z0-9]|\x1b[=>78DEHM]|([^\x1b])",
    re.DOTALL,
)
SETS = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53"}
UNSETS = {
    "22": {"1", "2"},
    "23": {"3"},
    "24": {"4", "21"},
    "25": {"5", "6"},
    "27": {"7"},
    "28": {"8"},
    "29": {"9"},
    "54": {"51", "52"},
    "55": {"53"},
}
SEEN = {"4", "7", "9", "21", "51", "52", "53"}

Look = tuple[str, tuple[str, ...], str, str, str]
"""Text, attributes, foreground, background, link: as one sees them."""


class Emulator:
    """A screen and what writes on it.

    Args:
        wraps: behind the last column the next character goes to the next row (DECAWM).
        adds_cr: LF goes to the first column, too (ONLCR of a line discipline).
        erases_in_color: BCE, of what is erased.
        scrolls_in_color: BCE, of the rows that come in; not all that have the one have the other.
    """

    def __init__(
        self,
        width: int,
        height: int,
        wraps: bool = False,
        adds_cr: bool = True,
        erases_in_color: bool = True,
        scrolls_in_color: bool = True,
    ) -> None:
        self.wraps, self.adds_cr = wraps, adds_cr
        self.erases_in_color, self.scrolls_in_color = erases_in_color, scrolls_in_color
        self.attributes: set[str] = set()
        self.foreground = self.background = self.link = ""
        self.x = self.y = 0
        self.others: list[str] = []
        self._rest = ""
        self._last = " "
        self.resize(width, height, " ")

    def resize(self, width: int, height: int, text: str) -> None:
        """Another size, with who knows what on it."""
        self.width, self.height = width, height
        self.rows: list[list[Any]] = [[(text, (), "", "", "")] * width for _ in range(height)]
        self.x, self.y = min(self.x, width - 1), min(self.y, height - 1)

    @property
    def looks(self) -> list[list[Look]]:
        """Every cell as one sees it: of a blank only its background."""
        return [[self._look(cell) for cell in row] for row in self.rows]

    @property
    def cursor(self) -> tuple[int, int]:
        return min(self.x, self.width - 1), self.y

    @staticmethod
    def _look(cell: Any) -> Look:
        text, attributes, foreground, background, link = cell
        if text == " " and not SEEN & set(attributes) and not link:
            return " ", (), "", background, ""
        return text, tuple(sorted(attributes)), foreground, background, link

    def feed(self, data: str) -> None:
        data, self._rest = self._rest + data, ""
        end = 0
        while end < len(data):
            match = SEQUENCE.match(data, end)
            if match is None:
                self._rest = data[end:]
                assert len(self._rest) < 10_000, f"no sequence: {self._rest[:40]!r}"
                return
            end = match.end()
            private, numbers, between, action, osc, char = match.groups()
            if char is not None:
                self._char(char)
            elif osc is not None and osc.startswith("8;"):
                self.link = "" if osc == "8;;" else osc[2:]
            elif action is None or private or between:
                self.others.append(match[0])
            else:
                self._control(action, numbers)

    def _cell(self, text: str) -> Any:
        return text, tuple(self.attributes), self.foreground, self.background, self.link

    def _blank(self) -> Any:
        return " ", (), "", self.background if self.erases_in_color else "", ""

    def _new_row(self) -> list[Any]:
        return [(" ", (), "", self.background if self.scrolls_in_color else "", "")] * self.width

    def _char(self, char: str) -> None:
        if char == "\r":
            self.x = 0
        elif char == "\n":
            if self.adds_cr:
                self.x = 0
            if self.y == self.height - 1:
                self.rows = [*self.rows[1:], self._new_row()]
            else:
                self.y += 1
        elif char == "\b":
            self.x = max(min(self.x, self.width - 1) - 1, 0)
        elif char == "\x07":
            self.others.append(char)
        else:
            assert char >= " ", f"control character {char!r}"
            self._draw(char)

    def _draw(self, char: str) -> None:
        row = self.rows[self.y]
        before = self.x - 2 if self.x > 1 and row[self.x - 1][0] == "" else self.x - 1
        if before >= 0:
            text = row[before][0]
            if char == "\ufe0f" or cell_len(text + char) == cell_len(text):
                cell = (text + char, *row[before][1:])
                self._put(before, cell, cell_len(text + char))
                return
        width = cell_len(char)
        if not width:
            return
        if self.x + width > self.width:
            if self.wraps:
                self.x = 0
                self._char("\n")
            else:
                self.x = self.width - width
        self._last = char
        self._put(self.x, self._cell(char), width)

    def _put(self, x: int, cell: Any, width: int) -> None:
        self._split(x)
        self._split(x + width)
        row = self.rows[self.y]
        row[x] = cell
        if width == 2 and x + 1 < self.width:
            row[x + 1] = ("", *cell[1:])
        self.x = x + width

    def _split(self, x: int) -> None:
        """A wide character that is cut here is blank on both sides."""
        row = self.rows[self.y]
        if 0 < x < self.width and row[x][0] == "":
            row[x - 1], row[x] = (" ", *row[x - 1][1:]), (" ", *row[x][1:])

    def _control(self, action: str, numbers: str) -> None:  # noqa: C901, PLR0912 (a table)
        if action == "m":
            self._style(numbers)
            return
        values = [int(number or 0) for number in numbers.split(";")]
        n = max(values[0], 1)
        x = min(self.x, self.width - 1)
        match action:
            case "H":
                column = max(values[1], 1) if len(values) > 1 else 1
                self.x, self.y = min(column, self.width) - 1, min(n, self.height) - 1
            case "A":
                self.y = max(self.y - n, 0)
            case "B":
                self.y = min(self.y + n, self.height - 1)
            case "C":
                self.x = min(x + n, self.width - 1)
            case "D":
                self.x = max(x - n, 0)
            case "G":
                self.x = min(n, self.width) - 1
            case "d":
                self.y = min(n, self.height) - 1
            case "X":
                self._erase(x, min(x + n, self.width))
            case "K":
                assert not values[0]
                self._erase(x, self.width)
            case "J":
                assert values[0] == 2
                self.rows = [[self._blank()] * self.width for _ in range(self.height)]
            case "L":
                new = [self._new_row() for _ in range(n)]
                self.rows = (self.rows[: self.y] + new + self.rows[self.y :])[: self.height]
            case "M":
                self.rows = self.rows[: self.y] + self.rows[self.y + n :]
                self.rows += [self._new_row() for _ in range(self.height - len(self.rows))]
            case "b":
                for _ in range(n):
                    self._draw(self._last)
            case _:
                self.others.append(f"\x1b[{numbers}{action}")

    def _erase(self, start: int, end: int) -> None:
        self._split(start)
        self._split(end)
        self.rows[self.y][start:end] = [self._blank()] * (end - start)

    def _style(self, numbers: str) -> None:
        codes = iter(numbers.split(";"))
        for code in codes:
            if code in ("", "0"):
                self.attributes, self.foreground, self.background = set(), "", ""
            elif code in SETS:
                self.attributes = self.attributes | {code}
            elif code in UNSETS:
                self.attributes = self.attributes - UNSETS[code]
            elif code in ("38", "48"):
                kind = next(codes)
                color = ";".join([kind, *(next(codes) for _ in range({"5": 1, "2": 3}[kind]))])
                if code == "38":
                    self.foreground = color
                else:
                    self.background = color
            else:
                number = int(code)
                color = "" if number in (39, 49) else code
                if 30 <= number < 40 or 90 <= number < 98:
                    self.foreground = color
                else:
                    assert 40 <= number < 50 or 100 <= number < 108, code
                    self.background = color
