"""Formats: how the bytes of a log tell rows: JSON lines, tables with a header, or what a program prints."""

from __future__ import annotations

import csv
import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gdtui.training.logs import own
from gdtui.training.logs.lines import Lines
from gdtui.training.logs.rows import Row, Rows, gather, number
from gdtui.training.logs.text import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

Piece = Rows | own.Start | own.Visits | own.End

scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
"""The compiled scanner itself: `raw_decode` around it costs a fifth more."""


@dataclass(frozen=True, slots=True)
class Told:
    """What some bytes of a log tell.

    Attributes:
        pieces: in their order.
        lines: their text; what ends with a carriage return is written over by the next.
        bad: lines that could not be read.
    """

    pieces: tuple[Piece, ...] = ()
    lines: tuple[str, ...] = ()
    bad: int = 0


class Format(Protocol):
    """Reads one log, in pieces as they come.

    Attributes:
        is_seekable: a piece from the middle tells the same as it would in its place.
    """

    is_seekable: bool

    def feed(self, data: bytes) -> Told:
        """What is complete with these bytes."""

    def end(self) -> Told:
        """What is left, as no more follows."""

    def cut(self) -> None:
        """What follows does not follow on what came before."""

    def begin_again(self) -> None:
        """What follows is another file, or the same one written again."""


class ByLine(ABC):
    """A format whose lines can be read one by one."""

    is_seekable = True

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> Told:
        """What is complete with these bytes."""
        return self._told(self._lines.feed(data))

    def end(self) -> Told:
        """What is left, as no more follows."""
        return self._told(self._lines.end())

    def cut(self) -> None:
        """What follows begins in the middle of a line."""
        self._lines.cut()

    def begin_again(self) -> None:
        """What follows is another file, or the same one written again; it may have a header no more."""
        self._lines = Lines()

    def _told(self, lines: list[str]) -> Told:
        bad, self._lines.skipped = self._lines.skipped, 0
        filled = [line for line in lines if line and not line.isspace()]
        pieces, unread = self._read(filled)
        return Told(tuple(pieces), tuple(filled), bad + unread)

    @abstractmethod
    def _read(self, lines: list[str]) -> tuple[Iterator[Piece], int]:
        """What lines tell, and how many of them could not be read; none is blank."""


class JsonLines(ByLine):
    """A JSON object a line."""

    def _read(self, lines: list[str]) -> tuple[Iterator[Piece], int]:
        rows = [row for line in lines if (row := parsed(line)) is not None]
        return own.parted(rows), len(lines) - len(rows)


class Text(ByLine):
    """What a program prints: numbers with their names, also as JSON."""

    is_seekable = False  # which step it is depends on how often a counter began again

    def __init__(self) -> None:
        super().__init__()
        self._reader = Reader()

    def begin_again(self) -> None:
        """What follows is another file, or the same one written again."""
        super().begin_again()
        self._reader = Reader()

    def _read(self, lines: list[str]) -> tuple[Iterator[Piece], int]:
        rows = (row for line in lines if (row := self._row(line)))
        return own.parted(rows, is_timed=False), 0

    def _row(self, line: str) -> Row | None:
        row = parsed(line) if line.lstrip().startswith("{") else None
        return self._reader.read(line) if row is None else row


class Table(ByLine):
    """A header, then a row a line; what is empty is not told."""

    def __init__(self, delimiter: str) -> None:
        super().__init__()
        self._delimiter = delimiter
        self._header: tuple[str, ...] = ()

    def _read(self, lines: list[str]) -> tuple[Iterator[Piece], int]:
        rows, bad = [], 0
        for line in lines:
            cells = cells_of(line, self._delimiter)
            if cells is None or (self._header and len(cells) != len(self._header) and not is_header(cells)):
                bad += 1
            elif is_header(cells) and (not self._header or self._is_new(cells)):
                self._header = tuple(cells)
            else:
                header = self._header or tuple(f"column {index}" for index in range(1, len(cells) + 1))
                rows.append({name: cell for name, cell in zip(header, cells, strict=True) if cell})
        return iter([gather(rows)] if rows else []), bad

    def _is_new(self, cells: list[str]) -> bool:
        """The program began again, or has other columns from now on."""
        return len(cells) != len(self._header) or len(set(cells) & set(self._header)) * 2 > len(cells)


def parsed(line: str) -> Row | None:
    """A line's JSON object; None where it is none."""
    line = line.strip().lstrip("\ufeff")
    try:
        row, end = scan(line, 0)
    except (StopIteration, ValueError, RecursionError):
        return None
    return row if type(row) is dict and end == len(line) else None


def cells_of(line: str, delimiter: str) -> list[str] | None:
    """A line's cells; None where its quotes do not match."""
    try:
        cells = next(csv.reader([line.strip("\r").lstrip("\ufeff")], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None
    return [cell.strip() for cell in cells]


def is_header(cells: list[str]) -> bool:
    """The cells are names: all different, none of them a number."""
    return len(set(cells)) == len(cells) and all(cell and number(cell) is None for cell in cells)


def delimiter_of(line: str) -> str:
    """What parts a table's cells."""
    return max(",;\t", key=line.count)


def decide(head: bytes, suffix: str) -> Format | None:
    """How a log is to be read, by its beginning, then by its name; None where it is nothing that can be read.

    Args:
        head: its first lines, one at least.
        suffix: of its name, as `.csv`.
    """
    first, second = (*_first_lines(head), "", "")[:2]
    delimiter = delimiter_of(first)
    cells, next_cells = cells_of(first, delimiter), cells_of(second, delimiter)
    is_table = suffix in (".csv", ".tsv") and not first.lstrip().startswith("{")
    if parsed(first) is not None and (suffix != ".log") and (not second or parsed(second) is not None):
        return JsonLines()
    if is_table or (cells and next_cells and len(cells) == len(next_cells) > 1 and _is_table(cells, next_cells)):
        return Table("\t" if suffix == ".tsv" and delimiter not in first else delimiter)
    if suffix in (".jsonl", ".ndjson"):
        return JsonLines()
    return None if _is_binary(head) else Text()


def _is_table(cells: list[str], next_cells: list[str]) -> bool:
    told = [cell for cell in next_cells if cell]
    numbers = sum(number(cell) is not None for cell in told)
    return is_header(cells) and numbers * 2 >= max(1, len(told))


def _first_lines(head: bytes) -> list[str]:
    text = head.replace(b"\0", b"").decode(errors="replace").lstrip("\ufeff")
    return [line for line in re.split(r"[\r\n]+", text) if line.strip()]


def _is_binary(head: bytes) -> bool:
    """More than a tenth of it is nothing that anybody would print."""
    text = head.replace(b"\0", b"").decode(errors="replace")
    odd = sum(char == "\ufffd" or (char < " " and char not in "\t\n\r\f\b\x1b\x07") for char in text)
    return odd * 10 > len(text)
