"""Shades: a ramp of backgrounds from poor to good, and the ink that can be read on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.color import Color

from gdtui.terminal.colors import contrast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIRST_GREY, GREY_STEP = 38, 18
"""Where a ramp of greys begins above black, or below white, and how far it is from one to the next."""


def ramp(stops: Sequence[Color], count: int) -> list[Color]:
    """So many colours on the way through three stops."""
    low, middle, high = stops
    parts = [2 * step / (count - 1) for step in range(count)]
    return [low.blend(middle, part) if part <= 1 else middle.blend(high, part - 1, 1.0) for part in parts]


def greys(count: int, is_dark: bool) -> list[Color]:
    """So many of the 256 colours, away from a dark or a light background: those with a hue would run together."""
    values = [FIRST_GREY + GREY_STEP * step for step in range(count)]
    return [Color(value, value, value) for value in (values if is_dark else [256 - value for value in values])]


def legible(inks: Iterable[Color], shade: Color) -> Color:
    """The ink that can be read best on a shade."""
    return max(inks, key=lambda ink: contrast(ink.rgb, shade.rgb))
