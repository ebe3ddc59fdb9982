"""Heat cells: draws a plane of a sweep on a canvas: shades or levels for its values, a sign for what is not done."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from gdtui.dashboard.figures import figure
from gdtui.dashboard.widgets.dots import Canvas
from gdtui.dashboard.widgets.signs import BEST, LEVEL_LIMIT, LIMIT, MARKS, NEVER
from gdtui.sweeps.board import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gdtui.dashboard.widgets.heatlayout import Layout, Place
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.plane import Plane

LEVELS = ".,:;-+*%"
"""Values as characters, the worst first, where there are no shades; none is the likeness of a sign or of a limit."""

BANDS = 12
"""Shades, from the worst to the best."""

VALUED = 7
"""Columns of a cell from which its value stands in it."""


class Ink(IntEnum):
    """A part of the picture; its style is the pane's `heat-map--` class of that name."""

    BASE = 0
    LEVEL = 1
    QUIET = 2
    """What waits or runs."""
    LOST = 3
    TEXT = 4
    BEST = 5
    LIMIT = 6
    CURSOR = 7


_SIGNS = np.array([ord(" ") if sign is Sign.DONE else ord(MARKS[sign]) for sign in Sign], dtype=np.uint32)
_INKS = np.array([Ink.QUIET, Ink.QUIET, Ink.TEXT, Ink.TEXT, Ink.LOST, Ink.LOST], dtype=np.int32)


# --- values ----------------------------------------------------------------------------------------------------------


def goodness(values: Array) -> Array:
    """How good each value is among those that are finite, from 0, the worst, to 1, the smallest; nan where it is not.

    By their logarithms where they span more than a factor of ten; 0 counts as the smallest of the others then.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.full(values.shape, np.nan)
    low, high = finite.min(), finite.max()
    positive = finite[finite > 0]
    with np.errstate(all="ignore"):
        if low >= 0 and len(positive) and high / positive.min() > 10:
            scaled, low, high = np.log(np.maximum(values, positive.min())), np.log(positive.min()), np.log(high)
        else:
            scaled, low, high = values / 2, low / 2, high / 2  # their difference might overflow
        parts = (high - scaled) / (high - low) if high > low else np.ones(values.shape)
    return np.where(np.isfinite(values), parts, np.nan)


def banded(values: Array, bands: int) -> NDArray[np.int64]:
    """The band of each value, from 1, the worst, to `bands`; 0 where it is not finite."""
    good = goodness(values)
    return np.where(np.isnan(good), 0, 1 + np.rint(np.nan_to_num(good) * (bands - 1))).astype(np.int64)


# --- drawing ---------------------------------------------------------------------------------------------------------


def draw(plane: Plane, at: Place | None, layout: Layout, has_shades: bool) -> Canvas:
    """The cells of a plane, with the cursor at a place of it."""
    lowest, leftmost = layout.first
    window = slice(lowest, lowest + layout.rows), slice(leftmost, leftmost + layout.columns)
    wide, high = layout.width, layout.height
    canvas = Canvas(layout.columns * wide, layout.rows * high)
    # All shades are told apart in the whole plane, whatever part of it is in sight.
    bands = banded(plane.values, BANDS if has_shades else len(LEVELS))[window][::-1]
    if has_shades:
        canvas.shade(bands.repeat(2 * high, axis=0).repeat(wide, axis=1))
    else:
        characters = np.array([ord(character) for character in f" {LEVELS}"], dtype="<u4")
        canvas.fill(characters[bands].repeat(high, axis=0).repeat(wide, axis=1), Ink.LEVEL)
    across = _limits(canvas, plane.limits[window[0]] - leftmost, plane.x_limits[window[1]] - lowest, layout)
    _signs(canvas, plane, window, across, layout)
    if at is not None:
        _cursor(canvas, at, layout)
    return canvas


def _limits(canvas: Canvas, limits: Array, x_limits: Array, layout: Layout) -> NDArray[np.intp]:
    """Draw the limits; the column of each row's own in the picture, -1 where it has none."""
    wide, high = layout.width, layout.height
    across = np.full(layout.rows, -1, dtype=np.intp)
    for row in np.flatnonzero((limits >= 0) & (limits <= layout.columns)).tolist():
        across[row] = min(int(limits[row] * wide), canvas.columns - 1)
        top = (layout.rows - 1 - row) * high
        for line in range(top, top + high):
            canvas.write(line, int(across[row]), LIMIT, Ink.LIMIT)
    for column in np.flatnonzero((x_limits >= 0) & (x_limits <= layout.rows)).tolist():
        line = canvas.rows - 1 - min(int(x_limits[column] * high), canvas.rows - 1)
        canvas.write(line, column * wide, LEVEL_LIMIT * wide, Ink.LIMIT)
    return across


def _signs(canvas: Canvas, plane: Plane, window: tuple[slice, slice], across: NDArray[np.intp], layout: Layout) -> None:
    """A sign wherever a point is not plainly done; its value, too, where cells are wide."""
    wide = layout.width
    arms, signs, values = plane.arms[window], plane.signs[window], plane.values[window]
    lost = plane.lost[window]
    codes = np.where(arms >= 0, _SIGNS[signs], ord(" "))
    codes = np.where((arms >= 0) & (signs == Sign.DONE) & np.isposinf(values), ord(NEVER), codes)
    inks = np.where(arms >= 0, _INKS[signs], Ink.TEXT)
    best = plane.best
    if best is not None and window[0].start <= best[0] < window[0].stop and window[1].start <= best[1] < window[1].stop:
        place = best[0] - window[0].start, best[1] - window[1].start
        codes[place], inks[place] = ord(BEST), Ink.BEST
    is_partly_lost = (arms >= 0) & (lost > 0) & (lost < 1) & (signs != Sign.DIVERGED) & (signs != Sign.FAILED)
    if wide >= VALUED:
        for row, column in np.argwhere((arms >= 0) & np.isfinite(values)).tolist():
            begin, end = _free(column * wide, (column + 1) * wide, int(across[row]), bool(is_partly_lost[row, column]))
            text = _value_text(float(values[row, column]), chr(codes[row, column]), end - begin)
            if text:
                line = layout.line(window[0].start + row)
                _write(canvas, text, line, begin, end, Ink(int(inks[row, column])))
                codes[row, column] = ord(" ")
    lines = layout.line(window[0].start) - layout.height * np.arange(layout.rows)
    left = wide * np.arange(layout.columns)[np.newaxis]
    limit = across[:, np.newaxis] - left
    # Beside the limit's line, not on it, where there is a column for both.
    middle = (wide - 1) // 2
    at = np.where(limit == middle, min(middle + 1, wide - 1), middle)
    _place(canvas, lines, left + at, codes, inks)
    taken = np.where(codes == ord(" "), -1, at)
    ends = [(limit != end) & (taken != end) for end in (wide - 1, max(wide - 2, 0), 0)]
    at = np.select(ends, [wide - 1, max(wide - 2, 0), 0], np.clip(limit, 0, wide - 1))
    codes = np.where(is_partly_lost, ord(MARKS[Sign.DIVERGED]), ord(" "))
    _place(canvas, lines, left + at, codes, np.full(codes.shape, Ink.TEXT))


def _place(
    canvas: Canvas,
    lines: NDArray[np.intp],
    columns: NDArray[np.intp],
    characters: NDArray[np.uint32],
    inks: NDArray[np.int32],
) -> None:
    """Put characters, shape (rows, columns) of the plane, into the canvas, those that are none left out."""
    row, column = np.nonzero(characters != ord(" "))
    canvas.place(lines[row], columns[row, column], characters[row, column], inks[row, column])


def _free(begin: int, end: int, limit: int, has_more: bool) -> tuple[int, int]:
    """Where in a cell a text can stand: on the wider side of a limit's line, before a mark at the right."""
    if has_more:
        end -= 2 if limit != end - 1 else 1
    if begin <= limit < end:
        begin, end = (begin, limit) if limit - begin >= end - limit else (limit + 1, end)
    return begin, end - 1


def value_text(value: float) -> str:
    """A loss, or epochs, which are whole."""
    return f"{value:.0f}" if value.is_integer() and 1 <= value < 1e6 else figure(value)


def _value_text(value: float, sign: str, room: int) -> str:
    """A value behind its sign in so many cells; with fewer digits where it must be, never with one cut off."""
    before = "" if sign == " " else f"{sign} "
    texts = (value_text(value), *(re.sub("e([+-])0", r"e\1", f"{value:.{digits}g}") for digits in (3, 2)))
    return next((before + text for text in texts if len(before + text) <= room), "")


def _write(canvas: Canvas, text: str, line: int, begin: int, end: int, ink: Ink) -> None:
    """A text in the middle of what is free; a blank at each side where there is room."""
    at = begin + (end - begin - len(text)) // 2
    before, behind = " " * (at > begin), " " * (at + len(text) < end)
    canvas.write(line, at - len(before), before + text + behind, ink)


def _cursor(canvas: Canvas, at: Place, layout: Layout) -> None:
    """Brackets round a cell, one before its sign where it is narrow."""
    line, left = layout.line(at[0]), (at[1] - layout.first[1]) * layout.width
    if layout.width == 2:
        sign = canvas.character(line, left)
        if sign != " ":
            canvas.write(line, left + 1, sign, Ink.CURSOR)
    canvas.write(line, left, "[", Ink.CURSOR)
    if layout.width > 2:
        canvas.write(line, left + layout.width - 1, "]", Ink.CURSOR)


# --- the legend ------------------------------------------------------------------------------------------------------


def legend(plane: Plane, has_shades: bool) -> list[str]:
    """What the signs on a plane mean, those that are on it, the most important first."""
    return list(_legend(plane, has_shades))


def _legend(plane: Plane, has_shades: bool) -> Iterator[str]:
    from gdtui.dashboard.widgets.signs import WORDS

    there = plane.arms >= 0
    signs = set(plane.signs[there].tolist())
    is_partly_lost = there & (plane.lost > 0) & (plane.lost < 1)
    if not has_shades and np.isfinite(plane.values).any():
        yield f"{LEVELS[-1]} good {LEVELS[0]} poor"
    if plane.best is not None:
        yield f"{BEST} best"
    if Sign.DIVERGED in signs or is_partly_lost.any():
        yield f"{MARKS[Sign.DIVERGED]} {'diverged' if Sign.DIVERGED in signs else 'some lost'}"
    if np.isfinite(plane.limits).any() or np.isfinite(plane.x_limits).any():
        yield f"{LIMIT if np.isfinite(plane.limits).any() else LEVEL_LIMIT} limit"
    for sign in (Sign.FAILED, Sign.STOPPED, Sign.RUNNING, Sign.WAITING):
        if sign in signs:
            yield f"{MARKS[sign]} {WORDS[sign]}"
    if (there & (plane.signs == Sign.DONE) & np.isposinf(plane.values)).any():
        yield f"{NEVER} not reached"
