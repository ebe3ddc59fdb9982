"""Sample lines: what the samples table writes: its head, its rows, and in its border what they are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.style import Style

    from gdtui.dashboard.columns import Column
    from gdtui.dashboard.rows import Row
    from gdtui.dashboard.samplesource import Source
    from gdtui.dashboard.views import View

MARKS = 3
"""Cells before the first column: the newest batch, clipped, a blank."""


def header(columns: list[Column], key: str, descending: bool) -> str:
    """The titles, an arrow before that of the column that is sorted by."""
    arrow, text = "↓" if descending else "↑", " " * MARKS
    for column in columns:
        is_sorted = column.key == key and column.title and (key != "sample" or descending)
        text += column.head(arrow if is_sorted else "") + " "
    return text


def row_strip(row: Row, columns: list[Column], largest: float, styles: Mapping[str, Style]) -> Strip:
    """A sample's line.

    Args:
        row: the sample.
        columns: what is shown of it.
        largest: |g| of the longest bar.
        styles: what the table's styles are called -> style.
    """
    marks = ("▸" if row.is_newest else " ") + ("c" if row.is_clipped else " ")
    segments = [Segment(f"{marks:{MARKS}}", styles["value"])]
    for column in columns:
        text = _bar(row.norm, largest, column.width) if column.is_bar else column.cell(row)
        segments.append(Segment(f"{text} ", styles[_style(column, row)]))
    strip = Strip(segments)
    return strip.apply_style(styles["newest"]) if row.is_newest else strip


def _style(column: Column, row: Row) -> str:
    """A cell's style; what its colour says is in its text, too."""
    if column.is_bar:
        return "bar"
    if column.key == "sample" or column.key[0] == "x":
        return "dim"
    if (column.key == "cos" and row.is_conflict) or (column.key == "share" and row.is_largest):
        return "marked"
    value = None if column.is_text else row.value(column.key)
    is_signed = column.key in ("share", "along") or column.key[0] == "g"
    return "negative" if is_signed and value is not None and value < 0 else "value"


def _bar(value: float | None, largest: float, width: int) -> str:
    """A bar in eighths of a cell; anything above 0 shows."""
    if not value or not math.isfinite(value):
        return " " * width
    eighths = max(1, round(value / largest * width * 8))
    whole, part = divmod(eighths, 8)
    return ("█" * whole + " ▏▎▍▌▋▊▉"[part].strip()).ljust(width)


def statuses(source: Source, view: View, columns: list[Column], row: Row | None, is_late: bool) -> list[str]:
    """What the border may say, the fullest first.

    Args:
        source: all samples as they are now.
        view: those that are shown.
        columns: what is shown of them.
        row: the one under the cursor, whose values are said exactly.
        is_late: say which values are of an earlier moment.
    """
    choice = view.choice
    few = f"[{len(view):,}/{source.n:,}]" if choice.filter else f"{source.n:,} samples"
    count = f"{few} {choice.filter.text}".strip()
    title = next((column.title for column in columns if column.key == choice.key and column.title), choice.key)
    by, then = f"sort {title}", [source.behind] if is_late and source.behind else []
    lines = [[source.meant, by, count, *then], [by, count, *then], [count, *then], [count], [few]]
    if row is not None:
        some = [few] if choice.filter else []
        lines = [[f"sample {row.sample}: {text}", *some] for text in source.exact(row)] + lines
    return [" · ".join(line) for line in lines]
