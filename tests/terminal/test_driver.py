"""The paced driver in a real terminal: what it shows, how it paces, and how it leaves."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if sys.platform == "win32":
    pytest.skip("Windows has Textual's own driver", allow_module_level=True)

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Any]

APPS = "tests.terminal.apps"
DELTA = re.compile(rb"\x1b\[6n")


def start(terminal: Start, app: str, **options: Any) -> Any:
    screen = terminal(app, "paced", module=APPS, PYTHONPATH=os.getcwd(), **options)  # noqa: PTH109
    screen.shows("pressed" if app != "widgets" else "square")
    return screen


def settle(screen: Any) -> None:
    """Read until it is quiet."""
    while screen.read(0.4):
        pass


def test_an_idle_app_sends_nothing(terminal: Start) -> None:
    screen = start(terminal, "still")
    settle(screen)
    assert screen.read(1.5) == 0


def test_a_key_is_answered_by_what_changed_and_one_question(terminal: Start) -> None:
    screen = start(terminal, "still")
    settle(screen)
    before = len(screen.output)
    screen.press(" ")
    screen.shows("pressed 1")
    settle(screen)
    sent = screen.output[before:]
    assert len(sent) < 60
    assert len(DELTA.findall(sent)) == 1


def test_titles_bells_and_the_clipboard_pass_in_order(terminal: Start) -> None:
    screen = start(terminal, "still")
    settle(screen)
    before = len(screen.output)
    screen.press("tbc")
    screen.until(lambda: b"\x1b]52;" in screen.output)
    settle(screen)
    assert re.search(rb"\x1b\]0;a title\x07.*\x07.*\x1b\]52;c;Y29waWVk\x07", screen.output[before:], re.DOTALL)


def test_ctrl_l_draws_all_again(terminal: Start) -> None:
    screen = start(terminal, "still")
    settle(screen)
    rows = screen.rows
    screen._stream.feed(b"\x1b[2J\x1b[5;5Hwhat is this?")
    screen.press("\x0c")
    settle(screen)
    assert screen.rows == rows


def test_a_resize_draws_all_anew(terminal: Start) -> None:
    screen = start(terminal, "busy")
    for size in [(80, 24), (60, 16), (132, 40), (100, 30)] * 3:
        screen.resize(*size)
        screen.read(0.02)
    screen.press(" ")
    screen.shows("pressed 1")
    screen.until(lambda: len([row for row in screen.rows if row.startswith("line")]) >= 26)


def test_a_reader_that_stops_holds_nothing_up_and_one_delta_catches_up(terminal: Start) -> None:
    screen = start(terminal, "busy")
    time.sleep(10.0)  # the pty's buffer has room for a few of plain Textual's frames
    before, asked = len(screen.output), len(DELTA.findall(screen.output))
    screen.press(" ")
    screen.shows("pressed 1")
    n = int(re.search(r"pressed 1 n (\d+)", screen.text)[1])
    assert n > 0.8 * 30 * 10  # the app counted on
    assert len(screen.output) - before < 12_000
    assert len(DELTA.findall(screen.output)) - asked <= 6


def test_a_terminal_that_does_not_answer_is_not_waited_for(terminal: Start) -> None:
    screen = start(terminal, "busy", answers=False)
    screen.shows(r"count 1\d\d")
    began = time.monotonic()
    screen.press(" ")
    screen.shows("pressed 1")
    assert time.monotonic() - began < 2.0
    screen.press("q")
    assert screen.ends(10) == 0
    assert screen.is_restored


@pytest.mark.parametrize("app", ["busy", "still"])
@pytest.mark.parametrize("how", ["q", "x", "f", "\x11"])
def test_it_leaves_the_terminal_as_it_was(terminal: Start, app: str, how: str) -> None:
    screen = start(terminal, app)
    assert not screen.is_restored
    screen.press(how)
    began = time.monotonic()
    status = screen.ends(20)
    assert time.monotonic() - began < 4
    assert screen.is_restored
    if how in "xf":
        fault = {"x": b"on purpose", "f": b"not callable"}[how]
        assert fault in screen.output.partition(b"\x1b[?1049l")[2]
    else:
        assert status == 0


@pytest.mark.parametrize("app", ["busy", "still"])
def test_no_answer_is_left_for_the_next_reader(terminal: Start, app: str) -> None:
    screen = start(terminal, app)
    screen.press("q")
    screen.ends()
    os.set_blocking(screen._theirs, False)
    with pytest.raises(BlockingIOError):
        os.read(screen._theirs, 100)


def test_it_ends_though_nobody_reads(terminal: Start) -> None:
    screen = start(terminal, "busy")
    time.sleep(1.0)
    screen.press("q")
    deadline = time.monotonic() + 10
    while screen.status is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        screen._reap()
    assert screen.status == 0
    screen.read()
    assert screen.is_restored


def test_a_hang_up_ends_it(terminal: Start) -> None:
    screen = start(terminal, "busy")
    screen.hang_up()
    deadline = time.monotonic() + 10
    while screen.status is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        screen._reap()


@pytest.mark.parametrize("how", ["key", "signal"])
def test_it_can_be_suspended_and_goes_on(terminal: Start, how: str) -> None:
    screen = start(terminal, "busy")
    for _ in range(2):
        if how == "key":
            screen.press("z")
        else:
            screen.kill(signal.SIGTSTP)
        screen.until(lambda: os.waitid(os.P_PID, screen._pid, os.WSTOPPED | os.WNOHANG) is not None)
        screen.read()
        assert screen.is_restored
        screen._stream.feed(b"\x1b[2J\x1b[Hfg")
        before = len(screen.output)
        screen.kill(signal.SIGCONT)
        screen.shows(r"^count \d+\n+pressed 0\n+line \d+")
        assert "1049" in screen.modes
        assert screen.output[before:].startswith(b"\x1b[?1049h")
    screen.press(" ")
    screen.shows("pressed 1")
    screen.press("q")
    assert screen.ends() == 0
    assert screen.is_restored
