"""The dashboard in a real terminal: it starts, runs, ends, and leaves the terminal as it was."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if sys.platform == "win32":
    pytest.skip("a Windows console is no pty: no signals, no line attributes to restore", allow_module_level=True)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Start = Callable[..., Any]

READY = r"○ ready"


def test_the_first_frame_shows_the_lab(terminal: Start) -> None:
    screen = terminal()
    screen.shows(READY)
    for word in ("1 Experiment", "2 Loss", "3 Samples", "7 Log", "space run", "q quit"):
        assert word in screen.text
    assert "1049" in screen.modes


def test_it_runs_pauses_and_ends(terminal: Start) -> None:
    screen = terminal("--epochs", "15")
    screen.shows(READY)
    screen.press(" ")
    screen.shows("● running")
    screen.press(" ")
    screen.shows("‖ paused")
    screen.press(">>> ")
    screen.shows("■ finished .*15/15")
    screen.shows("Finished 15 epochs, 45 updates")


def test_plus_changes_the_learning_rate_and_marks_it(terminal: Start) -> None:
    screen = terminal()
    screen.shows(READY)
    screen.press("ee")
    screen.shows(r"epoch +2/100")
    screen.press("+")
    screen.shows("▾lr 0.01 → 0.0125")
    screen.shows("lr 0.0125")


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (50, 14)])
def test_it_fills_the_terminal(terminal: Start, size: tuple[int, int]) -> None:
    screen = terminal(size=size)
    screen.shows(READY)
    screen.shows(r"q quit")
    assert screen.rows[0].strip().startswith("gdtui")
    assert screen.rows[-1].strip().endswith("q quit")


@pytest.mark.parametrize("key", ["q", "\x11"], ids=["q", "ctrl-q"])
def test_q_ends_it_and_restores_the_terminal(terminal: Start, key: str) -> None:
    screen = terminal()
    screen.shows(READY)
    assert not screen.is_restored
    screen.press(key)
    assert screen.ends() == 0
    assert screen.is_restored


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_and_restores_the_terminal(terminal: Start, number: signal.Signals) -> None:
    screen = terminal("--epochs", "1e9", "--play")
    screen.shows("● running")
    screen.kill(number)
    assert screen.ends() == 128 + number
    assert screen.is_restored
    assert b"Traceback" not in screen.output


def test_a_terminal_that_goes_away_ends_it(terminal: Start) -> None:
    screen = terminal("--epochs", "1e9", "--play")
    screen.shows("● running")
    screen.hang_up()
    assert screen.ends() != 0


def test_at_max_speed_it_still_ends_on_q(terminal: Start) -> None:
    screen = terminal("--epochs", "1e9", "--play")
    screen.shows("● running")
    screen.press(">>>>>>")
    screen.shows(r"epoch +[\d,]*\d,\d{3}/1,000,000,000")
    screen.press("q")
    assert screen.ends() == 0
    assert screen.is_restored


def test_idle_and_paused_it_sends_nothing(terminal: Start) -> None:
    screen = terminal()
    screen.shows(READY)
    for keys, sign in (("", READY), ("ee", r"epoch +2/100"), (" ", "● running"), (" ", "‖ paused")):
        screen.press(keys)
        screen.shows(sign)
        if sign != "● running":
            screen.until(lambda: screen.read(1.0) == 0)  # insight comes late where others need the processor
            assert screen.read(1.0) == 0


def test_a_field_that_waits_for_words_sends_nothing(terminal: Start) -> None:
    screen = terminal()
    screen.shows(READY)
    screen.press("\x10")  # ctrl-p, the palette
    screen.shows("Run, or pause")
    screen.press("slower")
    screen.until(lambda: "Faster" not in screen.text and "Slower" in screen.text)
    screen.read(2.0)
    assert screen.read(1.5) == 0


def test_another_size_in_mid_run_is_filled(terminal: Start) -> None:
    screen = terminal("--epochs", "1e9", "--play")
    screen.shows("● running")
    for size in ((80, 24), (30, 8), (150, 50), (100, 30)):
        screen.resize(*size)
        time.sleep(0.3)  # a person's pace; a storm of sizes is the lab's own test
    screen.shows("q quit$")
    screen.until(lambda: len(screen.rows) == 30 and screen.rows[-1].endswith("q quit"))
    screen.until(lambda: screen.rows[0].strip().startswith("gdtui") and "running" in screen.rows[0])
    screen.press("q")
    assert screen.ends() == 0


# What cannot begin


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nosuch.csv"], "nosuch.csv"),
        (["--features", "nosuch"], "unknown column 'nosuch' (there is x, y)"),
        (["--target", "\x1b[31m\x07"], r"unknown column '\x1b[31m\x07'"),
        (["--lr", "-1"], "learning rate must be a positive number"),
        (["--nosuch"], "unknown option '--nosuch'"),
    ],
    ids=["no file", "no column", "escapes", "no rate", "no option"],
)
def test_what_cannot_begin_says_so_in_one_line(terminal: Start, arguments: list[str], message: str) -> None:
    screen = terminal(*arguments)
    assert screen.ends() == 2
    assert screen.is_restored
    assert b"\x1b[31m\x07" not in screen.output
    said = screen.output.rpartition(b"\x1b[?1049l")[2]
    lines = [line for line in re.sub(rb"\x1b\[[^a-zA-Z]*[a-zA-Z]|\x1b[^\[]", b"", said).decode().split("\r\n") if line]
    assert len(lines) == 1
    assert lines[0].startswith("gdtui: ")
    assert message in lines[0]


def test_q_while_a_large_file_loads_ends_it(terminal: Start, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("x,y\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(300_000)), encoding="utf-8")
    screen = terminal("--data", str(path), "--problem", "affine")
    screen.shows("… loading")
    screen.press("q")
    assert screen.ends() == 0
    assert screen.is_restored
    assert b"Traceback" not in screen.output


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_is_told_what_to_do(terminal: Start, kind: str) -> None:
    screen = terminal(TERM=kind)
    assert screen.ends() == 2
    assert screen.output.startswith(b"gdtui: the dashboard needs a terminal")
    assert screen.output.count(b"\n") == 1


def test_without_a_terminal_it_says_what_to_do() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "gdtui"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert "gdtui run" in run.stderr
