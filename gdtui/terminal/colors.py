"""Colours: how many a terminal has, and line filters that keep an app to those."""

from __future__ import annotations

import re
from colorsys import rgb_to_hsv
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.color import Color

    RGB = tuple[int, int, int]

ALL = re.compile(r"-direct|kitty|ghostty|alacritty|\bfoot|wezterm|iterm")
"""TERM of those that have all colours; most others say so in COLORTERM."""

NO = re.compile(r"vt\d{2,3}\b|dumb|unknown|ansi-m|wy\d|adm|.*-(m|mono|nc)$")
"""TERM of those that have no colours."""


class Colors(IntEnum):
    """How many colours there are."""

    NONE = 0
    SIXTEEN = 16
    INDEXED = 256
    TRUE = 1 << 24

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Colors:
        """What environment variables tell of the terminal, and of what a person wants to see."""
        name = environment.get("TERM", "")
        if environment.get("NO_COLOR"):  # no-color.org: whatever its value, unless it is empty
            return cls.NONE
        if forced := SYSTEMS.get(environment.get("TEXTUAL_COLOR_SYSTEM", "")):
            return forced
        is_true = environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit") or ALL.search(name)
        if "TMUX" in environment:  # it brings any colour down to those of the terminal outside
            return cls.TRUE if is_true else cls.INDEXED
        if name.startswith("screen"):  # COLORTERM is the terminal's outside, and GNU screen takes R, G, B for codes
            is_true = None
        if is_true:
            return cls.TRUE
        if "256color" in name:
            return cls.INDEXED
        return cls.NONE if NO.match(name) else cls.SIXTEEN


SYSTEMS: dict[str, Colors] = {"truecolor": Colors.TRUE, "256": Colors.INDEXED, "standard": Colors.SIXTEEN}
"""By what Textual and Rich call them."""


def contrast(one: RGB, other: RGB) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@cache
def _luminance(color: RGB) -> float:
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class _Restyle(LineFilter):
    """Gives every style another one, once."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Style | None, Style] = {}

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 (as Textual asks)
        """The same text in the styles that there are."""
        return [Segment(text, self._restyled(style), control) for text, style, control in segments]

    def _restyled(self, style: Style | None) -> Style:
        if style not in self._known:
            if len(self._known) > MOST:
                self._known.clear()
            self._known[style] = self.restyle(style or Style.null())
        return self._known[style]

    def restyle(self, style: Style) -> Style:
        """The style that is nearest to this one."""
        raise NotImplementedError


MOST = 4096
"""Styles remembered."""

CUBE = (0, 95, 135, 175, 215, 255)
"""Values of red, green and blue among the 256: the colours from 16 on; from 232 on there are 24 greys."""


def _step(value: int) -> int:
    return min(range(6), key=lambda step: abs(CUBE[step] - value))


@cache
def indexed(color: RGB) -> int:
    """Of the 256 colours the nearest; none of the first 16, which people set as they like."""
    steps = [_step(c) for c in color]
    grey = min(range(24), key=lambda k: abs(8 + 10 * k - sum(color) / 3))
    in_cube = sum((CUBE[k] - c) ** 2 for k, c in zip(steps, color, strict=True))
    in_greys = sum((8 + 10 * grey - c) ** 2 for c in color)
    return 232 + grey if in_greys < in_cube else 16 + 36 * steps[0] + 6 * steps[1] + steps[2]


class Indexed(_Restyle):
    """Only the 256 colours; Rich's choice would make black of most that are dark."""

    def restyle(self, style: Style) -> Style:
        """The same in two of the 256."""
        return style + Style.from_color(_of_256(style.color), _of_256(style.bgcolor))


def _of_256(color: RichColor | None) -> RichColor | None:
    return color if color is None or color.triplet is None else RichColor.from_ansi(indexed(color.triplet))


STANDS_OUT = 1.35
"""Contrast with the app's background from which on a background is seen as one: a cursor, a selection."""

QUIET = 6.5
"""Contrast with the app's background below which a grey text is a quiet one."""

GREY = 38
"""How far apart red, green and blue are in what has no hue."""

HUES = (
    (20, "red", "red"),
    (75, "yellow", "magenta"),
    (165, "green", "green"),
    (255, "cyan", "blue"),
    (335, "magenta", "magenta"),
    (361, "red", "red"),
)
"""Up to a hue, in degrees, the nearest that can be read where the app is dark, and where it is light."""

OF_HUES = ("", "#ff0000", "#00ff00", "#ffff00", "#00ffff", "#ff00ff", "#00ffff", "")
"""What has the hue of each of the first eight."""


def _rgb(color: RichColor | None, own: Color) -> RGB:
    """A colour; the app's own where it is the terminal's, black or white."""
    if color is not None and color.number is not None and color.number < 16 and OF_HUES[color.number % 8]:
        color = RichColor.parse(OF_HUES[color.number % 8])
    return own.rgb if color is None or color.triplet is None else color.triplet


class FewColors(_Restyle):
    """The terminal's own colours: text in the first eight or none, nothing but its own background.

    Quiet text is dim, and what has a background that stands out is in reverse.

    Args:
        foreground, background: the app's; they become the terminal's own.
        has_hues: there are eight colours; otherwise, none.
    """

    def __init__(self, foreground: Color, background: Color, has_hues: bool) -> None:
        super().__init__()
        self._foreground, self._background, self._has_hues = foreground, background, has_hues
        self._is_dark = _luminance(background.rgb) < 0.18

    def restyle(self, style: Style) -> Style:
        """The same with other signals."""
        ink, paper = _rgb(style.color, self._foreground), _rgb(style.bgcolor, self._background)
        if style.reverse:
            ink, paper = paper, ink
        stands_out = contrast(paper, self._background.rgb) >= STANDS_OUT
        hue = self._hue(paper if stands_out else ink)
        is_quiet = not stands_out and not self._hue(ink) and contrast(ink, self._background.rgb) < QUIET
        color = hue if hue and self._has_hues else None
        return style.without_color + Style(color=color, reverse=stands_out, dim=is_quiet or bool(style.dim))

    def _hue(self, color: RGB) -> str:
        if max(color) - min(color) < GREY:
            return ""
        hue = rgb_to_hsv(*color)[0]
        return next(dark if self._is_dark else light for end, dark, light in HUES if 360 * hue < end)
