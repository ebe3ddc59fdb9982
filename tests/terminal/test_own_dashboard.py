"""A person's preferences in a real terminal: their keys, and the layout that they left."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

if sys.platform == "win32":
    pytest.skip("a Windows console is no pty: no signals, no line attributes to restore", allow_module_level=True)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Start = Callable[..., Any]

READY = r"○ ready"


def say(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text, encoding="utf-8")


def left(screen: Any) -> int:
    screen.press("q")
    return screen.ends()


def test_a_persons_own_keys_work_and_are_shown(terminal: Start, home: Path) -> None:
    say(home, 'speed = "max"\n[keys]\nrun = ["F5", ">"]\nfaster = "ctrl-f"\nquit = "Q"\n')
    screen = terminal("--epochs", "12", "--no-keep")
    screen.shows(READY)
    assert "F5 run" in screen.rows[-1]
    assert screen.rows[-1].endswith("Q quit")
    assert "max" in screen.rows[0]
    screen.press(" q")
    screen.press("\x1b[15~")
    screen.shows("■ finished .*12/12")
    screen.press("?")
    screen.shows(r"F5 +Run, or pause")
    screen.press("Q")
    screen.until(lambda: "Run, or pause" not in screen.text)
    screen.press("Q")
    assert screen.ends() == 0
    assert screen.is_restored


def test_hidden_panes_are_hidden_the_next_time(terminal: Start) -> None:
    screen = terminal("--no-keep")
    screen.shows(READY)
    screen.shows("5 Insight")
    screen.press("57")
    screen.until(lambda: "5 Insight" not in screen.text and "7 Log" not in screen.text)
    assert left(screen) == 0
    for _ in range(2):
        screen = terminal("--no-keep")
        screen.shows(READY)
        screen.shows("4 Landscape")
        assert "5 Insight" not in screen.text
        assert "7 Log" not in screen.text
        assert left(screen) == 0
    screen = terminal("--no-keep")
    screen.shows(READY)
    screen.press("5")
    screen.shows("5 Insight")
    assert left(screen) == 0
    screen = terminal("--no-keep")
    screen.shows(READY)
    screen.shows("5 Insight")
    assert "7 Log" not in screen.text


def test_a_lesson_shows_all_that_it_speaks_of(terminal: Start, home: Path) -> None:
    say(home, 'hidden = ["insight"]')
    (home / "layout.json").write_text('{"hidden": ["log"]}', encoding="utf-8")
    screen = terminal("lesson", "gd-vs-sgd")
    screen.shows("5 Insight")
    screen.shows("7 Log")
    screen.press("6")
    screen.until(lambda: "6 Runs" not in screen.text)
    assert left(screen) == 0
    assert (home / "layout.json").read_text(encoding="utf-8") == '{"hidden": ["log"]}'


@pytest.mark.parametrize(
    ("number", "is_kept"), [(signal.SIGHUP, True), (signal.SIGTERM, True), (signal.SIGKILL, False)]
)
def test_of_one_that_is_killed_outright_only_the_layout_is_lost(
    terminal: Start, home: Path, number: signal.Signals, is_kept: bool
) -> None:
    say(home, "fps = 30\n")
    (home / "layout.json").write_text('{"hidden": ["log"]}', encoding="utf-8")
    screen = terminal("--no-keep")
    screen.shows(READY)
    screen.shows("5 Insight")
    screen.press("5")
    screen.until(lambda: "5 Insight" not in screen.text)
    screen.kill(number)
    screen.ends()
    screen = terminal("--no-keep")
    screen.shows(READY)
    screen.shows("4 Landscape")
    assert ("5 Insight" not in screen.text) == is_kept
    assert "7 Log" not in screen.text
    assert (home / "config.toml").read_text(encoding="utf-8") == "fps = 30\n"


def test_a_wrong_file_is_one_line_and_no_screen(terminal: Start, home: Path) -> None:
    say(home, '[keys]\nrun = "p"\n')
    screen = terminal()
    assert screen.ends() == 2
    assert screen.output.decode() == (
        f"gdtui: {home / 'config.toml'}:2: 'p' is the key of pin already: give pin or run another\r\n"
    )
    assert screen.is_restored
