"""Real apps: what plain Textual wrote in a terminal, and what the deltas make of it, on two emulators."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import pyte
import pytest

from gdtui.terminal.delta import Shown
from gdtui.terminal.grid import Grid
from gdtui.terminal.traits import Traits
from tests.terminal.emulator import Emulator

if sys.platform == "win32":
    pytest.skip("a Windows console is no pty", allow_module_level=True)

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Any]

SIZE = (100, 30)
PRIVATE = re.compile(r"\x1b\[[<>=?][\d;]*[a-zA-Z]|\x1b\[\?[\d;]*\$p|\x1b\].*?\x07")
RUNS = {
    "still": ("pressed", ["w", " ", "www", " ", "w" * 10]),
    "widgets": ("square", ["héllo", "\x7f漢字", "\t\t", "\x1b[B\x1b[B", "\x1b[6~", "\x1b[6~", "\x1b[5~"]),
    "demo": ("Textual", ["\x1b[B", "\t", "p", "\x1b[B", "\t", "w", "\x1b[B" * 4]),
    "lab": ("ready", [" ", "e", "?", "\x1b[B", "\x1b", "2", "2", ">>", "y", "r"]),
}


def frames(data: str) -> list[str]:
    """Textual's output, cut where a frame ends."""
    return [frame for frame in re.split(r"(?<=\x1b\[\?2026l)", data) if frame]


def seen(screen: pyte.Screen) -> list[Any]:
    """pyte's cells, of blanks the background only."""
    cells = [screen.buffer[y][x] for y in range(screen.lines) for x in range(screen.columns)]
    plain = pyte.screens.Char(" ")
    return [
        plain._replace(bg=cell.bg)
        if cell.data == " " and not (cell.underscore or cell.reverse or cell.strikethrough)
        else cell
        for cell in cells
    ]


@pytest.mark.parametrize("name", RUNS)
def test_deltas_show_what_plain_textual_shows(terminal: Start, name: str) -> None:
    pattern, keys = RUNS[name]
    app = terminal(name, "plain", module="tests.terminal.apps", size=SIZE, PYTHONPATH=os.getcwd())  # noqa: PTH109
    app.shows(pattern)
    for key in keys:
        app.press(key)
        app.read(0.3)
        app.read(0.3)
    data = app.output.decode()
    assert len(frames(data)) > 5

    for traits in (Traits(), Traits(erases_in_color=False)):
        plain, slow = Emulator(*SIZE), Emulator(*SIZE, erases_in_color=traits.erases_in_color)
        grid, shown = Grid(*SIZE), Shown(traits)
        ours, theirs = pyte.Screen(*SIZE), pyte.Screen(*SIZE)
        streams = [pyte.Stream(screen) for screen in (ours, theirs)]
        size = 0
        for frame in frames(data):
            plain.feed(frame)
            grid.feed(frame)
            delta = shown.approach(grid)
            size += len(delta.encode())
            slow.feed(delta)
            assert slow.looks == plain.looks
            assert slow.cursor == plain.cursor
            for stream, written in zip(streams, (delta, frame), strict=True):
                stream.feed(PRIVATE.sub("", written))
        if not traits.erases_in_color:  # pyte's new lines have no color
            assert seen(ours) == seen(theirs)
        assert size < len(data.encode()) / 3
