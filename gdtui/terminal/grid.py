"""Grid: the cells that Textual has drawn, as a terminal would have them; and what it wrote that is not cells."""

from __future__ import annotations

import re

from rich.cells import cell_len

from gdtui.terminal.cells import PLAIN, Cell, Style, joins, write_cells

MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
"""CUP, cursor position: the compositor begins every strip with one."""

TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<style>[\d;]*)m"  # SGR, select graphic rendition
    r"|\x1b\[(?P<numbers>[\d;]*)(?P<action>[ABCDGHJKdf])"
    r"|\x1b\]8;(?P<link>[^\x07\x1b]*)(?:\x07|\x1b\\)"  # OSC 8, hyperlink
    r"|(?P<frame>\x1b\[\?2026[hl])"  # synchronized output: the sender sets marks of its own
    r"|(?P<other>\x07|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^X].*?\x1b\\"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-OQ-WYZ`-~])"
    r"|(?P<control>[\x00-\x06\x08-\x1a\x1c-\x1f\x7f-\x9f]|\x1b\\)",
    re.DOTALL,
)
"""OSC, operating system command; DCS, APC, PM and SOS, other strings; CSI, control sequences; escape sequences."""

STRINGS = re.compile(r"\x1b[P_^X]")
"""What can have other sequences within it."""

MOST_STRIPS = 1024
"""Strips remembered: most of what Textual writes, it wrote a moment ago."""


class Grid:
    """The screen that an app wants.

    Attributes:
        width, height: in cells.
        rows: the cells, rows from the top.
        x, y: the cursor; x is `width` behind the last column.
        version: goes up whenever cells or the cursor may have changed.
    """

    def __init__(self, width: int, height: int) -> None:
        self.version = 0
        self._pen: Style = PLAIN
        self._written = PLAIN, -1, -1  # the style of what was written last, and where that ended
        self._rest = ""
        self._strips: dict[str, tuple[list[Cell], bool] | None] = {}
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """A blank screen of another size."""
        self.width, self.height = max(width, 1), max(height, 1)
        self.rows = [[PLAIN.blank] * self.width for _ in range(self.height)]
        self.x = self.y = 0

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, on the screen."""
        return min(self.x, self.width - 1), self.y

    def feed(self, data: str) -> str:
        """Take in what is written to the terminal.

        Returns:
            What of it is not cells: modes, titles, queries; in the order in which they came.
        """
        if self._rest:
            data, self._rest = self._rest + data, ""
        if STRINGS.search(data):
            return self._tokens(data)
        first, *pieces = MOVE.split(data)
        others = self._tokens(first) if first else ""
        strips = iter(pieces)
        for y, x, text in zip(strips, strips, strips, strict=True):
            self._move(int(x) - 1, int(y) - 1)
            if (strip := self._strip(text)) is None or self._pen is not PLAIN:
                others += self._tokens(text)
            else:
                cells, is_ended = strip
                self._put(cells)
                if is_ended:
                    self._new_line()
        return others

    def _strip(self, text: str) -> tuple[list[Cell], bool] | None:
        """A strip's cells, and whether a line feed ends it; None where it has more in it than cells."""
        try:
            return self._strips[text]
        except KeyError:
            if len(self._strips) >= MOST_STRIPS:
                del self._strips[next(iter(self._strips))]
            strip = self._strips[text] = _parsed(text)
            return strip

    def _tokens(self, data: str) -> str:
        others, end = [], 0
        while end < len(data) and (token := TOKEN.match(data, end)):
            end = token.end()
            match token.lastgroup:
                case "text":
                    self._write(token["text"])
                case "style":
                    self._pen = self._pen.after(token["style"])
                case "link":
                    self._pen = self._pen.linked(_link(token["link"]))
                case "action":
                    self._act(token["action"], token["numbers"])
                case "other":
                    others.append(token[0])
                case "control":
                    self._control(token[0])
        self._rest = data[end:]  # a sequence whose end is still to come
        return "".join(others)

    def _write(self, text: str) -> None:
        row = self.rows[self.y]
        before = self._written[0] if self._written[1:] == self.cursor else None
        start = self.x - (2 if self.x > 1 and not row[self.x - 1].width else 1)
        if start >= 0 and joins(row[start].text, text[0]):  # what was written before goes on
            cells = [row[start]]
            self.x = start
        else:
            cells = []
        write_cells(cells, text, self._pen, before)
        self._put(cells)
        self._written = self._pen, *self.cursor

    def _put(self, cells: list[Cell]) -> None:
        if not cells:
            return
        row, start = self.rows[self.y], self.x
        end = start + len(cells)
        if end > self.width:  # without auto-wrap, what has no room is not shown
            cells, end = cells[: self.width - start], self.width
            if not cells:
                return
            if cells[-1].width == 2:
                cells[-1] = cells[-1].style.blank
        if not row[start].width:  # half of a wide character is no character
            row[start - 1] = row[start - 1].style.blank
        if end < self.width and not row[end].width:
            row[end] = row[end].style.blank
        row[start:end] = cells
        self.x = end
        self.version += 1

    def _move(self, x: int, y: int) -> None:
        self.x = min(max(x, 0), self.width - 1)
        self.y = min(max(y, 0), self.height - 1)
        self.version += 1

    def _new_line(self) -> None:
        """LF, line feed: the line discipline makes CR LF of it. Textual writes none on the last row."""
        self._move(0, self.y + 1)

    def _control(self, char: str) -> None:
        if char == "\n":
            self._new_line()
        elif char == "\r":
            self._move(0, self.y)
        elif char == "\b":
            self._move(self.x - 1, self.y)
        elif char == "\t":
            self._move((self.x // 8 + 1) * 8, self.y)

    def _act(self, action: str, numbers: str) -> None:
        """What Rich's controls have besides: cursor motion, ED (erase in display) and EL (erase in line)."""
        first, _, second = numbers.partition(";")
        n = int(first or 0)
        x, y = self.cursor
        match action:
            case "H" | "f":
                self._move(int(second.partition(";")[0] or 1) - 1, max(n, 1) - 1)
            case "A":
                self._move(x, y - max(n, 1))
            case "B":
                self._move(x, y + max(n, 1))
            case "C":
                self._move(x + max(n, 1), y)
            case "D":
                self._move(x - max(n, 1), y)
            case "G":
                self._move(max(n, 1) - 1, y)
            case "d":
                self._move(x, max(n, 1) - 1)
            case "J" | "K":
                self._erase(x, y, n, action == "J")

    def _erase(self, x: int, y: int, part: int, is_display: bool) -> None:
        start = x if part == 0 else 0
        end = self.width if part != 1 else x + 1
        self.x = start
        self._put([self._pen.behind_blanks(self._pen.blank).blank] * (end - start))
        if is_display:
            for k in range(self.height) if part > 1 else range(y) if part else range(y + 1, self.height):
                self.rows[k] = [self._pen.behind_blanks(self._pen.blank).blank] * self.width
        self._move(x, y)


def _parsed(text: str) -> tuple[list[Cell], bool] | None:
    pen, written, end = PLAIN, PLAIN, 0
    cells: list[Cell] = []
    while end < len(text) and (token := TOKEN.match(text, end)):
        match token.lastgroup:
            case "text":
                if not cells and not cell_len(token["text"][0]):
                    return None  # it joins what is on the screen before it
                write_cells(cells, token["text"], pen, written)
                written = pen
            case "style":
                pen = pen.after(token["style"])
            case "link":
                pen = pen.linked(_link(token["link"]))
            case _:
                break
        end = token.end()
    is_ended = text[end:] == "\n"
    return (cells, is_ended) if pen is PLAIN and (is_ended or end == len(text)) else None


def _link(parameters: str) -> str:
    return "" if parameters.endswith(";") else parameters
