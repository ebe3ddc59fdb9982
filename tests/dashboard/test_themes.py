"""Themes: everything can be read in each, and what colours tell apart is told apart by every eye."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from labs import Lab, until
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.pins import LOOKS
from gdtui.dashboard.themes import DARK, INKS, LIGHT
from gdtui.dashboard.widgets.samples import Samples
from gdtui.experiment import Experiment, InputError
from gdtui.preferences import Preferences
from gdtui.terminal.colors import Colors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# How eyes without red, green or blue see linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = [
    np.eye(3),
    np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
]
OWN = [DARK, LIGHT]
SIZE = (120, 36)
RGB_THEMES = [name for name, theme in BUILTIN_THEMES.items() if not theme.ansi]


def app_in(theme: str, colors: Colors = Colors.TRUE) -> LabApp:
    return LabApp(Opening(is_kept=False), preferences=Preferences(theme=theme), colors=colors)


def variables_of(theme: str) -> dict[str, Color]:
    css = app_in(theme).get_css_variables()
    names = ("background", "foreground", "text-muted", "text-error", "border-blurred", *INKS)
    return {name: Color.parse(css[name]) for name in (*names, *(look.color for look in LOOKS), "ahead", "limit")}


def linear(color: Color) -> np.ndarray:
    c = np.array(color.rgb) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab_color(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = np.cbrt(xyz / np.array([0.9505, 1, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: Color, other: Color) -> float:
    light, dark = sorted((float(np.array([0.2126, 0.7152, 0.0722]) @ linear(c)) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [*(own.name for own in OWN), *RGB_THEMES])
def test_text_can_be_read(theme: str) -> None:
    colors = variables_of(theme)
    background = colors["background"]
    poor = {name: contrast(colors[name], background) for name in ("text-error", *INKS)}
    assert {name: ratio for name, ratio in poor.items() if ratio < 4.45} == {}
    assert contrast(colors["foreground"], background) >= 4.5
    assert contrast(colors["text-muted"], background) >= 3
    assert contrast(colors["border-blurred"], background) > 1.1


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_in_our_own_themes_text_is_clear_and_quiet_text_can_be_read_under_the_cursor(theme: Theme) -> None:
    colors = variables_of(theme.name)
    cursor = colors["background"].blend(colors["primary"], 0.25)
    for ground in (colors["background"], cursor):
        assert contrast(colors["foreground"], ground) >= 7
        assert contrast(colors["text-muted"], ground) >= 3
    assert all(contrast(colors[name], colors["background"]) >= 4.5 for name in (*INKS, "text-error", "text-muted"))
    assert contrast(cursor, colors["background"]) >= 1.3


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_no_two_runs_are_alike_to_any_eye(theme: Theme) -> None:
    colors = variables_of(theme.name)
    runs = [colors["primary"], *(colors[look.color] for look in LOOKS)]
    assert all(contrast(color, colors["background"]) >= 3 for color in runs)
    for eye in EYES:
        seen = [lab_color(eye @ linear(color)) for color in runs]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 15


@pytest.mark.parametrize("name", ["gdtui-lihgt", "Nord", ""])
def test_a_theme_that_there_is_not_is_one_line(name: str) -> None:
    with pytest.raises(InputError) as caught:
        app_in(name)
    assert caught.value.setting == "theme"
    assert "\n" not in str(caught.value)
    assert repr(name) in str(caught.value)
    if name:
        assert f"did you mean {'gdtui-light' if name[0] == 'g' else 'nord'}?" in str(caught.value)


@pytest.mark.parametrize(("theme", "own"), [("nord", DARK), ("textual-light", LIGHT), ("gdtui-light", LIGHT)])
def test_with_few_colours_a_theme_is_one_of_ours_as_dark_or_as_light(theme: str, own: Theme) -> None:
    assert app_in(theme, Colors.SIXTEEN).current_theme is own
    assert app_in(theme, Colors.NONE).current_theme is own


@asynccontextmanager
async def shown(theme: str, colors: Colors, ascii: bool = False, size: tuple[int, int] = SIZE) -> AsyncIterator[Lab]:
    """The lab with a pinned run."""
    preferences = Preferences(theme=theme, ascii=ascii)
    app = LabApp(Opening(Experiment(), is_kept=False), preferences=preferences, colors=colors)
    async with app.run_test(size=size) as pilot:
        driven = Lab(pilot, app)
        await until(pilot, lambda: driven.player.trainer is not None)
        await driven.step_to(2)
        await driven.press("p")
        await driven.measured()
        yield driven
    app.end()


def styles_of(app: LabApp) -> list[Any]:
    strips = app.screen._compositor.render_strips()
    return [part.style for strip in strips for part in strip if part.style is not None]


@pytest.mark.parametrize("theme", ["gdtui-light", "textual-light", "nord", "dracula", "ansi-dark", "ansi-light"])
async def test_the_lab_is_drawn_in_any_theme(theme: str) -> None:
    async with shown(theme, Colors.TRUE) as driven:
        background = Color.parse(driven.app.theme_variables["background"]).rgb
        grounds = [tuple(style.bgcolor.triplet) for style in styles_of(driven.app) if style.bgcolor]
        assert theme.startswith("ansi") or max(set(grounds), key=grounds.count) == background
        assert "■ pinned" in driven.text


async def test_without_colours_the_focused_pane_and_its_row_are_told_apart() -> None:
    async with shown("gdtui", Colors.NONE) as driven:
        assert all(style.color is style.bgcolor is None for style in styles_of(driven.app))
        driven.screen.query_one(Samples).focus()
        await driven.press("down")
        pane, rows = driven.screen.query_one(Samples).region, driven.text.splitlines()
        assert rows[pane.y][pane.x] == "┏"
        assert not any("┏" in row for row in (rows[0], rows[1]))
        strips = driven.app.screen._compositor.render_strips()
        inside = [strip.crop(pane.x + 2, pane.right - 2) for strip in strips[pane.y + 2 : pane.bottom - 1]]
        assert [{bool(part.style.reverse) for part in strip} for strip in inside] == [{False}, {True}, {False}]


async def test_with_eight_colours_nothing_has_another() -> None:
    async with shown("gdtui", Colors.SIXTEEN) as driven:
        numbers = {style.color.number for style in styles_of(driven.app) if style.color}
        assert numbers <= set(range(1, 7))
        assert len(numbers) >= 3
        assert all(style.bgcolor is None for style in styles_of(driven.app))
        assert any(style.dim for style in styles_of(driven.app))


async def test_of_256_colours_a_cursor_is_not_the_background() -> None:
    async with shown("gdtui", Colors.INDEXED) as driven:
        driven.screen.query_one(Samples).focus()
        await driven.press("down")
        grounds = {style.bgcolor.number for style in styles_of(driven.app) if style.bgcolor}
        assert all(style.color is None or style.color.triplet is None for style in styles_of(driven.app))
        assert len(grounds) >= 2


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_in_ascii_every_cell_is_plain_and_the_picture_as_wide(size: tuple[int, int]) -> None:
    async with shown("gdtui", Colors.TRUE, ascii=True, size=size) as driven:
        for keys in ("", "tab tab", "enter", "escape question_mark", "escape ctrl+p", "escape w"):
            await driven.press(*keys.split())
            rows = driven.text.splitlines()
            assert all(row.isascii() for row in rows)
            assert {len(row) for row in rows} == {size[0]}
