"""Gauges: axes, dials and rulers of one line of text, as the Insight pane shows them.

A line is pieces of text, each with the part of the pane that it is drawn as: label, value, accent, line, ...
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gdtui.insight.stability import Stability

Piece = tuple[str, str]
Line = list[Piece]
Mark = tuple[int, str, str]
"""A cell's column, its character, its part."""

ROUND = (1, 2, 5, 10)
"""An axis ends at one of these times a power of ten: seldom elsewhere when the values move."""

FAR = 1e4
"""What is farther from the learning rate than this factor is beyond the ladder's end."""

LOWEST, HIGHEST = 1e-290, 1e290
"""Learning rates outside have no place on an axis."""


def ladder_axis(stability: Stability, width: int) -> Line:
    """A log axis of learning rates: a tick ┬ for each limit, ┤ for the one that applies and ╳ beyond it, ◆ where lr is.

    >>> from gdtui.insight.stability import Kind, Limit, Stability
    >>> applies, other = (Limit("", lr, Kind.EXACT, "") for lr in (0.2, 0.4))
    >>> "".join(text for text, _ in ladder_axis(Stability(0.05, applies, (other,), None, None), 30))
    '0.02 ──────◆───────┤╳╳╳╳┬╳ 0.5'
    """
    limits = [limit.lr for limit in stability.rungs if limit.lr is not None and LOWEST < limit.lr < HIGHEST]
    low, high = _axis_range(stability.lr, limits)
    left, right = f"{low:g} ", f" {high:g}"
    cells = width - len(left) - len(right)
    if cells < 8:
        left, right, cells = "", "", width

    applies = stability.applies.lr
    wall = cells if applies is None else log_place(applies, low, high, cells)
    marks: list[Mark] = [(column, "╳", "broken") for column in range(wall + 1, cells)]
    marks += [(log_place(limit, low, high, cells), "┬", "tick") for limit in limits]
    marks += [] if applies is None else [(wall, "┤", "wall")]
    lr = min(max(stability.lr, 0.0), HIGHEST)
    pointer = "◂" if lr < low else "▸" if lr > high else "◆"
    marks.append((log_place(lr, low, high, cells), pointer, "bad" if stability.is_stable is False else "accent"))
    return [(left, "label"), *marked("─" * cells, "line", marks), (right, "label")]


def dial(batch: int, noise_scale: float | None, n: int, width: int) -> Line:
    """The batch b against the noise scale B on a log scale from 1 to n; an arrow at the end that B lies beyond.

    >>> "".join(text for text, _ in dial(1, 8.0, 64, 20))
    '1 b━━━━━━B─────── 64'
    """
    left, right = "1", f"{n:,}"
    cells = width - len(left) - len(right) - 2
    if cells < 3:
        return []
    at = log_place(batch, 1, max(n, 2), cells)
    before, after, marks = " ", " ", [(at, "b", "accent")]
    if noise_scale is not None:
        scale = log_place(noise_scale, 1, max(n, 2), cells)
        part = "accent" if batch >= noise_scale else "noise"
        marks = [(column, "━", part) for column in range(min(at, scale), max(at, scale) + 1)]
        if noise_scale < 1:
            before = "◂"
        elif noise_scale > max(n, 2):
            after = "▸"
        else:
            marks.append((scale, "B", "value"))
        marks.append((at, "b", "accent"))
    ends: tuple[Line, Line] = ([(left, "label"), (before, "value")], [(after, "value"), (right, "label")])
    return [*ends[0], *marked("─" * cells, "line", marks), *ends[1]]


def ruler(alpha: float | None, cells: int) -> Line:
    """α between −1 and 1, the minimum in the middle; an arrow at the end that it lies beyond.

    >>> "".join(text for text, _ in ruler(-0.5, 9)), "".join(text for text, _ in ruler(2.8, 9))
    ('├─◆─┼───┤', '├───┼───▸')
    """
    half = (cells - 1) // 2
    marks: list[Mark] = [(0, "├", "line"), (half, "┼", "tick"), (2 * half, "┤", "line")]
    if alpha is not None and not math.isnan(alpha):
        pointer = "◂" if alpha < -1 else "▸" if alpha > 1 else "◆"
        marks.append((round(half * (1 + min(max(alpha, -1.0), 1.0))), pointer, "accent"))
    return marked("─" * (2 * half + 1), "line", marks)


def share_bar(part: int, whole: int, cells: int) -> Line:
    """How much of a whole, as a bar; a little of it shows, and so does a little that is missing."""
    filled = round(cells * part / whole) if whole else 0
    filled = min(max(filled, part > 0), cells - (part < whole))
    return [("━" * filled, "against"), ("─" * (cells - filled), "line")]


def log_place(value: float, low: float, high: float, cells: int) -> int:
    """The column of a value on a log axis; that of the nearer end where it lies beyond."""
    if not value > low:
        return 0
    fraction = math.log(min(value, high) / low) / math.log(high / low)
    return int(0.5 + (cells - 1) * fraction)


def marked(base: str, part: str, marks: Iterable[Mark]) -> Line:
    """A line with some of its characters replaced, later marks over earlier ones."""
    cells = [(character, part) for character in base]
    for column, character, other in marks:
        if 0 <= column < len(cells):
            cells[column] = (character, other)
    return [("".join(text for text, _ in run), part) for part, run in groupby(cells, lambda cell: cell[1])]


def wrapped(text: str, width: int) -> list[str]:
    """A text's lines, broken between words; a word longer than a line is broken where it must be."""
    lines, width = [""], max(1, width)
    for word in text.split():
        joined = f"{lines[-1]} {word}".lstrip()
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines += chop_cells(word, width)
    return [line for line in lines if line]


def cut(lines: list[str], rows: int, width: int) -> list[str]:
    """At most so many lines; where some are left out the last one ends in …, after a whole word."""
    if len(lines) <= rows or rows < 1:
        return lines[: max(0, rows)]
    last = lines[rows - 1]
    while last and cell_len(last) + 2 > width:
        last = last.rpartition(" ")[0]
    return [*lines[: rows - 1], f"{last} …".lstrip()]


def _axis_range(lr: float, limits: list[float]) -> tuple[float, float]:
    """Round ends around the learning rate and the limits near it, a decade apart or more."""
    usable = [lr] if LOWEST < lr < HIGHEST else []
    around = (usable or limits or [0.1])[0]
    near = [value for value in (*usable, *limits) if around / FAR <= value <= around * FAR] or [around]
    low, high = _round(min(near) * 0.8, up=False), _round(max(near) * 1.25, up=True)
    if high < 10 * low:
        low, high = _round(low / 2, up=False), _round(high * 2, up=True)
    return low, high


def _round(value: float, up: bool) -> float:
    exponent = math.floor(math.log10(value))
    scaled = value / 10.0**exponent
    first = min((step for step in ROUND if step >= scaled), default=10)
    mantissa = first if up else max((step for step in ROUND if step <= scaled), default=1)
    return float(f"{mantissa}e{exponent}")
