"""Dots: a canvas of cells with braille dots, half-block shades and single marks, drawn as strips.

Everything is placed by fractions of the canvas, from 0 at its left or bottom to 1 at its right or top.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from rich.style import Style

    from gdtui.problems.datasets import Array

_BRAILLE = 0x2800
_WEIGHTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_HALF_BLOCK, _BLANK = ord("▀"), ord(" ")


class Canvas:
    """Cells, each with a character, an ink and a ground, which are numbers until `strips` is told their styles."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._codes = np.full((rows, columns), _BLANK, dtype="<u4")
        self._inks = np.zeros((rows, columns), dtype=np.int32)
        self._grounds = np.zeros((rows, columns), dtype=np.int32)

    def copy(self) -> Canvas:
        """The same cells, to be drawn over."""
        copy = Canvas(0, 0)
        copy.columns, copy.rows = self.columns, self.rows
        copy._codes, copy._inks, copy._grounds = self._codes.copy(), self._inks.copy(), self._grounds.copy()
        return copy

    def shade(self, grounds: NDArray[np.int64]) -> None:
        """Shades, two above each other in a cell: numbers of grounds, shape (2·rows, columns), the top row first."""
        top, bottom = grounds[::2], grounds[1::2]
        self._codes[:] = np.where(top == bottom, _BLANK, _HALF_BLOCK)
        self._inks[:] = -top  # the upper half is ink in the colour of a ground
        self._grounds[:] = bottom

    def fill(self, characters: NDArray[np.uint32], ink: int) -> None:
        """A character in each cell, shape (rows, columns)."""
        self._codes[:], self._inks[:] = characters, ink

    def curve(self, y: Array, ink: int) -> None:
        """A line through y at every column of dots, shape (2·columns,); what is not finite is a gap."""
        height = 4 * self.rows
        at = np.where(np.isfinite(y), np.clip(y, -1.0, 2.0), np.nan) * (height - 1)
        left = np.concatenate([at[:1], (at[:-1] + at[1:]) / 2])
        right = np.concatenate([left[1:], at[-1:]])
        # Where a neighbour is missing, the line ends at its own point.
        left, right = np.where(np.isnan(left), at, left), np.where(np.isnan(right), at, right)
        low, high = np.minimum(np.minimum(left, right), at), np.maximum(np.maximum(left, right), at)
        level = np.arange(height)[::-1, np.newaxis]
        self.dots((np.abs(level - at) <= 0.5) | ((level > low) & (level < high)), ink)

    def line(self, x: Array, y: Array, ink: int) -> None:
        """A line from point to point; shapes (m,)."""
        width, height = 2 * self.columns - 1, 4 * self.rows - 1
        across, up = np.clip(x, -1.0, 2.0) * width, np.clip(y, -1.0, 2.0) * height
        length = np.concatenate([[0.0], np.maximum(np.abs(np.diff(across)), np.abs(np.diff(up))).cumsum()])
        steps = np.linspace(0.0, length[-1], int(length[-1]) + 2)
        column = np.rint(np.interp(steps, length, across)).astype(int)
        level = height - np.rint(np.interp(steps, length, up)).astype(int)
        inside = (column >= 0) & (column <= width) & (level >= 0) & (level <= height)
        dots = np.zeros((height + 1, width + 1), dtype=bool)
        dots[level[inside], column[inside]] = True
        self.dots(dots, ink)

    def dots(self, dots: NDArray[np.bool_], ink: int) -> None:
        """Braille, shape (4·rows, 2·columns); in a cell that has some, what was there before is covered."""
        cells = dots.reshape(self.rows, 4, self.columns, 2)
        codes = np.einsum("rich,ih->rc", cells, _WEIGHTS)
        there = codes > 0
        self._codes[there] = _BRAILLE + codes[there]
        self._inks[there] = ink

    def place(
        self, rows: NDArray[np.intp], columns: NDArray[np.intp], characters: NDArray[np.uint32], inks: NDArray[np.int32]
    ) -> None:
        """Characters in cells, each in an ink, on whatever ground is there; shapes (m,)."""
        self._codes[rows, columns], self._inks[rows, columns] = characters, inks

    def mark(self, x: float, y: float, character: str, ink: int) -> bool:
        """A character in the cell of a point; False where that is outside."""
        if not (0 <= x <= 1 and 0 <= y <= 1):
            return False
        row, column = self.cell(x, y)
        self._codes[row, column], self._inks[row, column] = ord(character), ink
        return True

    def write(self, row: int, column: int, text: str, ink: int) -> None:
        """A text from a cell on, where it fits."""
        end = column + len(text)
        if 0 <= row < self.rows and column >= 0 and end <= self.columns:
            self._codes[row, column:end] = [ord(character) for character in text]
            self._inks[row, column:end] = ink

    def character(self, row: int, column: int) -> str:
        """What stands in a cell."""
        return chr(self._codes[row, column])

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """The row, from the top, and the column of a point's dot."""
        column, level = round(x * (2 * self.columns - 1)), round(y * (4 * self.rows - 1))
        return (4 * self.rows - 1 - level) // 4, column // 2

    def strips(self, style: Callable[[int, int], Style], known: dict[bytes, Strip]) -> list[Strip]:
        """The rows.

        Args:
            style: the style of an ink on a ground.
            known: rows drawn before in the same styles, by their content; gets these.
        """
        strips = []
        for cells in zip(self._codes, self._inks, self._grounds, strict=True):
            content = b"".join(part.tobytes() for part in cells)
            if content not in known:
                known[content] = self._strip(*cells, style)
            strips.append(known[content])
        return strips

    def _strip(
        self,
        codes: NDArray[np.uint32],
        inks: NDArray[np.int32],
        grounds: NDArray[np.int32],
        style: Callable[[int, int], Style],
    ) -> Strip:
        ends = np.flatnonzero((np.diff(inks) != 0) | (np.diff(grounds) != 0)) + 1
        bounds = [0, *ends.tolist(), len(codes)]
        text = codes.tobytes().decode("utf-32-le")
        runs = itertools.pairwise(bounds)
        segments = [Segment(text[a:b], style(int(inks[a]), int(grounds[a]))) for a, b in runs]
        return Strip(segments, len(codes))
