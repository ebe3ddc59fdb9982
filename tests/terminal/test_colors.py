"""What a terminal gets: no colours that it does not have, none where none are wanted, plain characters on request."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from gdtui.terminal.colors import Colors

if sys.platform == "win32":
    pytest.skip("a Windows console is no pty", allow_module_level=True)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Start = Callable[..., Any]

LAB = ("--problem", "himmelblau", "--lr", "0.01", "--batch-size", "4", "--no-keep")
SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[P\]].*?(?:\x1b\\|\x07)|\x1b.", re.DOTALL)


def colors_in(output: bytes) -> set[str]:
    """The SGR codes that set a colour: `31`, `38;5`, `48;2`, ...; those that only take one away are left out."""
    found = set()
    for parameters in re.findall(rb"\x1b\[([\d;]*)m", output):
        codes = iter(parameters.decode().split(";"))
        for code in codes:
            if code in ("38", "48"):
                kind = next(codes)
                found.add(f"{code};{kind}")
                for _ in range(1 if kind == "5" else 3):
                    next(codes)
            elif re.fullmatch(r"3[0-7]|4[0-7]|9[0-7]|10[0-7]", code):
                found.add(code)
    return found


def plain(output: bytes) -> bytes:
    """What is written, without the sequences."""
    return SEQUENCE.sub(b"", output)


def seen(start: Start, *arguments: str, **options: Any) -> Any:
    """A screen after a person has looked at most of what there is."""
    screen = start(*LAB, *arguments, **options)
    screen.shows("(○|O) ready")
    screen.press("ee+e")
    screen.shows(r"epoch +3/100")
    screen.press("piii")
    screen.shows("(■|#) pinned")
    for keys, sign in (("\t\t", "Samples"), ("\x1b", "pinned"), ("?", "Help"), ("\x1b", "pinned"), ("w", "Write")):
        screen.press(keys)
        screen.shows(sign)
        screen.until(lambda: screen.read(0.15) == 0)
    return screen


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((), {"NO_COLOR": "1"}),
        (("--driver", "plain"), {"NO_COLOR": "1"}),
        ((), {"TERM": "vt100", "COLORTERM": ""}),
    ],
    ids=["NO_COLOR", "NO_COLOR, plain", "vt100"],
)
def test_without_colours_there_is_not_one(
    terminal: Start, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    screen = seen(terminal, *arguments, **environment)
    assert colors_in(screen.output) == set()
    codes = {code for codes in re.findall(rb"\x1b\[([\d;]*)m", screen.output) for code in codes.split(b";")}
    assert {b"1", b"2", b"7"} <= codes  # bold, dim, reverse


@pytest.mark.parametrize("name", ["xterm", "linux"])
def test_a_terminal_of_eight_or_sixteen_colours_gets_the_first_eight(terminal: Start, name: str) -> None:
    screen = seen(terminal, TERM=name, COLORTERM="")
    found = colors_in(screen.output)
    assert found <= {f"3{k}" for k in range(1, 7)}
    assert {"33", "36"} <= found


def test_a_terminal_of_256_colours_gets_no_other(terminal: Start) -> None:
    assert colors_in(seen(terminal, TERM="xterm-256color", COLORTERM="").output) == {"38;5", "48;5"}


def test_a_terminal_of_all_colours_gets_them(terminal: Start) -> None:
    assert colors_in(seen(terminal).output) == {"38;2", "48;2"}


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("--ascii",), {"size": (80, 24)}),
        (("--ascii", "--driver", "plain"), {}),
        ((), {"PYTHONIOENCODING": "latin-1"}),
    ],
    ids=["paced", "plain", "latin-1"],
)
def test_in_ascii_every_byte_is(terminal: Start, arguments: tuple[str, ...], options: dict[str, Any]) -> None:
    output = plain(seen(terminal, *arguments, **options).output)
    assert set(output) <= {*range(0x20, 0x7F), *b"\r\n\b"}
    assert len(output) > 1000


def test_a_dumb_terminal_is_refused_in_one_line_that_says_what_to_do(terminal: Start) -> None:
    screen = terminal(TERM="dumb")
    assert screen.ends() == 2
    (line,) = screen.output.decode().splitlines()
    assert line.startswith("gdtui: ")
    assert line.endswith("use gdtui run")


def test_without_colours_and_in_ascii_a_run_without_a_screen_is_plain_text(terminal: Start) -> None:
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": "dumb", "PYTHONIOENCODING": "ascii"}):
        screen = terminal("run", "--format", "progress", "--no-keep", **environment)
        assert screen.ends() == 0
        assert colors_in(screen.output) == set()
        assert "Finished 100 epochs" in screen.text
        if "TERM" in environment:
            assert b"\x1b" not in screen.output
        if "PYTHONIOENCODING" in environment:
            assert screen.output.isascii()
            assert b"4.667 -> 2.723e-26." in screen.output


# Inside others


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
def test_inside_tmux_the_lab_has_its_colours(tmp_path: Path) -> None:
    def tmux(*arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    command = f"{sys.executable} -m gdtui {' '.join(LAB)} --play"
    tmux("new-session", "-d", "-x", "100", "-y", "30", "env", "-u", "COLORTERM", "-u", "NO_COLOR", *command.split())
    try:
        deadline = time.monotonic() + 60
        while "● running" not in (shown := tmux("capture-pane", "-p")):
            assert time.monotonic() < deadline, shown
            time.sleep(0.1)
        assert "╭─ 2 Loss" in shown
        assert colors_in(tmux("capture-pane", "-p", "-e").encode()) == {"38;5", "48;5"}
    finally:
        tmux("kill-server")


# What the environment says


@pytest.mark.parametrize(
    ("environment", "colors"),
    [
        ({"TERM": "xterm-256color"}, Colors.INDEXED),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Colors.TRUE),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, Colors.TRUE),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, Colors.NONE),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, Colors.INDEXED),
        ({"TERM": "xterm"}, Colors.SIXTEEN),
        ({"TERM": "linux"}, Colors.SIXTEEN),
        ({"TERM": "rxvt-16color"}, Colors.SIXTEEN),
        ({"TERM": "xterm-kitty"}, Colors.TRUE),
        ({"TERM": "xterm-direct"}, Colors.TRUE),
        ({"TERM": "vt100"}, Colors.NONE),
        ({"TERM": "vt220"}, Colors.NONE),
        ({"TERM": "xterm-mono"}, Colors.NONE),
        ({}, Colors.SIXTEEN),
        ({"TERM": "screen", "COLORTERM": "truecolor"}, Colors.SIXTEEN),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor"}, Colors.INDEXED),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor", "TMUX": "x"}, Colors.TRUE),
        ({"TERM": "screen", "TMUX": "x"}, Colors.INDEXED),
        ({"TERM": "tmux-256color", "TMUX": "x"}, Colors.INDEXED),
        ({"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "256"}, Colors.INDEXED),
    ],
    ids=str,
)
def test_how_many_colours_there_are(environment: dict[str, str], colors: Colors) -> None:
    assert Colors.of(environment) is colors
