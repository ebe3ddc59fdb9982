"""Inks: what a landscape is drawn with, by number, so that a picture knows no colours."""

from __future__ import annotations

from enum import IntEnum


class Ink(IntEnum):
    """A part of the picture; its style is the pane's `landscape--` class of that name."""

    BASE = 0
    LINE = 1
    """A sample's own loss."""
    LEVEL = 2
    """Heights as characters."""
    CURVE = 3
    """f."""
    FIT = 4
    """The quadratic that alpha was read from."""
    TANGENT = 5
    PATH = 6
    START = 7
    MINIMUM = 8
    NEXT = 9
    NOW = 10
    TEXT = 11
    """Numbers in the picture."""


MARKS = {Ink.START: "◇", Ink.MINIMUM: "×", Ink.NEXT: "○", Ink.NOW: "●"}
"""A character for each single point, so that colour is never the only signal."""

PLAIN_PATH = "o"
"""The path, where it is drawn as characters; it is none of the levels."""

NO_SHADES = "-no-shades"
"""The app's class where a terminal has too few colours for shades, or no blocks to make them of."""

LEVELS = " .,:;-=+*%"
"""Bands of height as characters, the lowest first."""
