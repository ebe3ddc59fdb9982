"""Terminal sizes: none, too small, and many in a moment."""

from __future__ import annotations

import random
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if sys.platform == "win32":
    pytest.skip("a Windows console is no pty", allow_module_level=True)

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Any]

MAX = ">>>>>>"


def settle(screen: Any) -> None:
    """Read until it is quiet."""
    screen.until(lambda: screen.read(0.5) == 0)


@pytest.mark.parametrize("driver", ["paced", "plain"])
def test_a_terminal_without_a_size_is_taken_for_80_by_24(terminal: Start, driver: str) -> None:
    screen = terminal("--driver", driver, size=(80, 24), told=(0, 0))
    screen.shows("○ ready")
    settle(screen)
    assert screen.rows[-1].endswith("q quit")
    assert screen.rows[-2].startswith("╰")
    assert screen.read(1.0) == 0
    screen.press("e")
    screen.shows("epoch +1/100")
    screen.press("q")
    assert screen.ends() == 0


def test_a_terminal_too_small_is_told_so_and_q_ends(terminal: Start) -> None:
    screen = terminal(size=(28, 5))
    screen.shows("30×8 at least, this is 28×5")
    screen.resize(80, 24)
    screen.shows("○ ready")
    screen.resize(9, 3)
    screen.shows("≥ 30×8")
    screen.press("q")
    assert screen.ends() == 0


@pytest.mark.parametrize("pause", [0.0, 0.009], ids=["at once", "in a second"])
def test_after_each_storm_of_sizes_it_shows_the_last(terminal: Start, pause: float) -> None:
    screen = terminal("--epochs", "1e9", "--play", "--no-keep")
    screen.shows("● running")
    screen.press(MAX)
    screen.shows(r"epoch +[\d,]*\d,\d{3}/1,000,000,000")
    for last in ((120, 36), (80, 24), (150, 50)):
        chance = random.Random(f"{last} {pause}")
        for size in [(chance.randint(1, 200), chance.randint(1, 60)) for _ in range(100)] + [last]:
            screen.resize(*size, signalled=False)  # the kernel tells of it
            screen.read(0.0)
            time.sleep(pause)
        screen.until(lambda: screen.rows[-1].endswith("q quit") and screen.rows[0].startswith(" gdtui"))
        screen.press(" ")
        screen.shows("‖ paused")
        settle(screen)
        right = [row[-1:] for row in screen.rows[1:-1] if len(row) == last[0]]
        assert len(screen.rows) == last[1]
        assert right[0] == "╮"
        assert right[-1] == "╯"
        assert set(right) <= set("╮│╯")
        assert len(right) == last[1] - 2
        screen.press(" ")
        screen.shows("● running")
    screen.press("q")
    assert screen.ends() == 0


@pytest.mark.parametrize("driver", ["paced", "plain"])
def test_what_another_screen_covers_sends_nothing(terminal: Start, driver: str) -> None:
    screen = terminal("--epochs", "1e9", "--play", "--no-keep", "--driver", driver)
    screen.shows("● running")
    for key, sign in (("?", "Help"), ("R", "Runs")):
        screen.press(key)
        screen.shows(f"─ {sign} ─")
        settle(screen)
        assert screen.read(1.0) == 0
        screen.press("\x1b")
        screen.shows("● running")
    screen.press("q")
    assert screen.ends() == 0
