"""Traits: what is known of the terminal at the other end, from the environment; what is not known is not used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COLORED_ERASE = re.compile(
    r"(xterm|tmux|linux|alacritty|foot|kitty|rxvt|vte|konsole|wezterm|ghostty|contour|mintty|st\b)"
)
"""TERM of those that erase with the background of now (BCE, background color erase); GNU screen does not."""

REPEATS = re.compile(r"(xterm-kitty|xterm-ghostty|alacritty|foot|wezterm)")
"""TERM of those that know REP (repeat) for any character; tmux repeats only ASCII.

`xterm-256color` says nothing: mosh takes that name too, and has none.
"""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a terminal can do.

    Attributes:
        erases_in_color: what is erased has the background of now.
        repeats: it knows REP.
    """

    erases_in_color: bool = True
    repeats: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Traits:
        """The traits that environment variables tell of."""
        name = environment.get("TERM", "")
        is_tmux = name.startswith("screen") and "TMUX" in environment
        return cls(
            is_tmux or COLORED_ERASE.match(name) is not None,
            REPEATS.match(name) is not None or "XTERM_VERSION" in environment,
        )
