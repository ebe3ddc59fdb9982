"""Themes: gdtui's own, dark and light; and what any other theme needs so that everything can be read in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.color import Color
from textual.filter import ANSIToTruecolor
from textual.theme import BUILTIN_THEMES, Theme

from gdtui.experiment import InputError, unknown
from gdtui.terminal.colors import Colors, FewColors, Indexed, contrast

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rich.terminal_theme import TerminalTheme
    from textual.filter import LineFilter

RUNS = 8
"""Pinned runs that have a colour of their own."""


def _runs(*colors: str) -> dict[str, str]:
    return {f"run-{place}": color for place, color in enumerate(colors, 1)}


ON_DARK = {
    **_runs("#e69f00", "#2aa198", "#f0e442", "#8f6bd9", "#dddddd", "#d3b484", "#9c755f", "#eedd88"),
    "ahead": "#5c6672",
    "limit": "#8b949e",
}
"""Colours of curves: pinned runs, told apart by eyes without red, green or blue as well; what lies ahead; a limit."""

ON_LIGHT = {
    **_runs("#a48b0d", "#2195af", "#610a6e", "#0102f8", "#40303b", "#9f8655", "#513206", "#0011ae"),
    "ahead": "#9aa4b0",
    "limit": "#68727e",
}

OF_EIGHT = _runs(*("#d7b500", "#c05fd7", "#3fb950", "#dddddd") * 2)
"""The runs where there are only a few hues: yellow, magenta, green, grey; cyan or blue is the run of now."""

DARK = Theme(
    name="gdtui",
    primary="#61afef",
    secondary="#c5a0e6",
    accent="#e5a445",
    warning="#e5a445",
    error="#e06c75",
    success="#8cc98f",
    foreground="#d7dae0",
    background="#111418",
    surface="#252b33",
    panel="#1a1f25",
    variables={"text-muted": "#7d8794", "text-error": "#e06c75", "border-blurred": "#3d4650", **ON_DARK},
)

LIGHT = Theme(
    name="gdtui-light",
    primary="#0b62c4",
    secondary="#7d3fb5",
    accent="#9a5200",
    warning="#9a5200",
    error="#c1303c",
    success="#1c7637",
    foreground="#24292f",
    background="#fafbfc",
    surface="#e3e8ee",
    panel="#f0f2f5",
    dark=False,
    variables={"text-muted": "#616b78", "text-error": "#c1303c", "border-blurred": "#b4bdc8", **ON_LIGHT},
)

OWN = (DARK, LIGHT)

NAMES = (*(theme.name for theme in OWN), *BUILTIN_THEMES)
"""All that there are."""

INKS = ("primary", "secondary", "accent", "warning", "error", "success")
"""Variables that text is written in."""

LEGIBLE, QUIET = 4.5, 3.0
"""The contrast of text, and of quiet text, with its background, at least (WCAG 2.2, AA: of text, and of large text)."""


def checked(name: str, themes: Collection[str] = NAMES) -> str:
    """The name of a theme.

    Raises:
        InputError: if there is none such.
    """
    if name not in themes:
        raise InputError("theme", unknown("theme", name, tuple(themes)))
    return name


def chosen(name: str, themes: Mapping[str, Theme], colors: Colors) -> tuple[Theme, Colors]:
    """A theme by its name, and the colours that it leaves of those that there are; with few, it is one of ours.

    Raises:
        InputError: if there is no such theme.
    """
    theme = themes[checked(name, themes)]
    if theme.ansi:  # the terminal's own
        colors = min(colors, Colors.SIXTEEN)
    if colors <= Colors.SIXTEEN:
        theme = DARK if theme.dark else LIGHT
    return theme, colors


def line_filters(theme: Theme, colors: Colors, ansi_theme: TerminalTheme) -> list[LineFilter]:
    """What keeps a theme to the colours that there are; the first eight, where something is drawn in them, as well."""
    if colors > Colors.SIXTEEN:
        return [ANSIToTruecolor(ansi_theme), *([Indexed()] if colors is Colors.INDEXED else [])]
    foreground, background = Color.parse(theme.foreground or ""), Color.parse(theme.background or "")
    return [FewColors(foreground, background, colors is Colors.SIXTEEN)]


def complete(theme: Theme, variables: dict[str, str], colors: Colors) -> dict[str, str]:
    """A theme's variables with those that only ours have, and with text that can be read.

    Args:
        theme: which theme.
        variables: what Textual makes of it, colours as CSS has them.
        colors: those that there are.
    """
    if colors <= Colors.SIXTEEN:
        return variables | OF_EIGHT
    if theme in OWN or theme.ansi:
        return ON_DARK | variables
    background, foreground = Color.parse(variables["background"]), Color.parse(variables["foreground"])
    legible = {ink: _legible(Color.parse(variables[ink]), background, foreground).hex for ink in INKS}
    return {
        **(ON_DARK if theme.dark else ON_LIGHT),
        **variables,
        **legible,
        "text-muted": _legible(background.blend(foreground, 0.6), background, foreground, QUIET).hex,
        "text-error": legible["error"],
        "border-blurred": background.blend(foreground, 0.25).hex,
    }


def _legible(color: Color, background: Color, foreground: Color, least: float = LEGIBLE) -> Color:
    """The colour, or the first on its way to the foreground that can be read on the background."""
    mixtures = [color.blend(foreground, part / 10, 1.0) for part in range(10)]
    return next((mixed for mixed in mixtures if contrast(mixed.rgb, background.rgb) >= least), foreground)
