"""Figures: numbers and texts at a fixed width, as the panes show them."""

from __future__ import annotations

import math

from rich.cells import cell_len, chop_cells

WIDTH = 9
"""Cells of a number in a table: a sign, five digits and a point, or an exponent."""


def figure(value: float | None) -> str:
    """A number in at most nine cells, with four or five significant digits; – where it is undefined.

    >>> figure(1.99834), figure(0.0024), figure(-123456.0), figure(2.4e-05)
    ('1.9983', '0.002400', '-1.235e+5', '2.400e-5')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 99_999.5 or size < 0.001:
        return next(text for digits in (3, 2, 1) if len(text := _scientific(value, digits)) <= WIDTH)
    if float(value).is_integer():
        return f"{value:.1f}"
    decimals = min(6, max(0, 4 - math.floor(math.log10(size))))
    return f"{value:.{decimals}f}"


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent):+d}"


def shortened(text: str, width: int) -> str:
    """A text in at most `width` cells, its middle left out; a path keeps its start and its end."""
    if cell_len(text) <= width:
        return text
    head = (width - 1) // 3
    return f"{_begin(text, head)}…{_begin(text[::-1], width - 1 - head)[::-1]}"


def _begin(text: str, width: int) -> str:
    return chop_cells(text, width)[0] if width > 0 else ""
