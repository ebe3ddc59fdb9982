"""The config file: what it says holds, what it says by default changes nothing, and what is wrong is one clear line."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_cli import assert_refused

from gdtui.arguments import Parser, add_preferences, preferences_of
from gdtui.config import SETTINGS, config_path, configured, defaults
from gdtui.memory import memory_path
from gdtui.preferences import DEFAULTS, PANES, SPEEDS, Preferences

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Finished

    Command = Callable[..., Finished]

OTHERS = {
    "theme": "nord",
    "speed": "max",
    "fps": 12.5,
    "driver": "plain",
    "ascii": True,
    "hidden": ["loss", "log"],
    "keys": {"run": ["g", "F8"], "grain": "space"},
}
"""For each preference a value that is not the default."""


def say(text: str | bytes) -> Path:
    """Write the config file."""
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def preferred(*arguments: str) -> Preferences:
    """The preferences of a command line."""
    parser = Parser("", "", (), "")
    add_preferences(parser)
    return preferences_of(parser.parse(arguments))


# --- what holds ------------------------------------------------------------------------------------------------------


def test_without_a_file_the_defaults_hold() -> None:
    assert preferred() == DEFAULTS


@pytest.mark.parametrize("name", [field.name for field in fields(Preferences)])
def test_what_the_file_says_holds(name: str) -> None:
    value = OTHERS[name]
    if isinstance(value, dict):
        lines = [f"[{name}]", *(f"{key} = {json.dumps(keys)}" for key, keys in value.items())]
    else:
        lines = [f"{name} = {json.dumps(value)}"]
    say("\n".join(lines))
    assert preferred() == Preferences(**{name: value}) != DEFAULTS


@pytest.mark.parametrize("speed", SPEEDS)
def test_every_speed_can_be_preferred(speed: Any) -> None:
    say(f'speed = "{speed}"')
    assert preferred().speed == speed
    say("")
    assert preferred("--speed", str(speed)).speed == speed


def test_the_command_line_goes_before_the_file_and_the_file_before_how_it_was_left() -> None:
    memory_path().parent.mkdir(parents=True)
    memory_path().write_text('{"hidden": ["log"]}', encoding="utf-8")
    assert preferred().hidden == ("log",)
    say('fps = 30\nspeed = 50\ndriver = "plain"\n')
    seen = preferred("--fps", "20", "--speed", "max")
    assert (seen.fps, seen.speed, seen.driver, seen.hidden) == (20, "max", "plain", ("log",))
    say("hidden = []")
    assert preferred().hidden == ()


def test_a_mark_of_the_byte_order_and_windows_ends_of_lines_are_no_harm() -> None:
    say(b"\xef\xbb\xbf# mine\r\nfps = 30\r\n")
    assert preferred().fps == 30


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other folders")
def test_it_is_in_the_users_folder_for_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GDTUI_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert config_path() == tmp_path / ".config" / "gdtui" / "config.toml"
    assert memory_path() == tmp_path / ".local" / "state" / "gdtui" / "layout.json"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    assert config_path() == tmp_path / "c" / "gdtui" / "config.toml"
    assert memory_path() == tmp_path / "s" / "gdtui" / "layout.json"


# --- gdtui config ----------------------------------------------------------------------------------------------------


def test_every_preference_is_in_the_file() -> None:
    assert list(SETTINGS) == [field.name for field in fields(Preferences)]


def test_what_is_printed_changes_nothing(gdtui: Command) -> None:
    finished = gdtui("config")
    assert (finished.status, finished.err) == (0, "")
    assert str(config_path()) in finished.out
    assert "it is not there" in finished.out
    say(finished.out)
    assert configured() == {}
    assert "it is not there" not in gdtui("config").out


def test_with_every_line_uncommented_it_still_changes_nothing(gdtui: Command) -> None:
    text, count = re.subn(r"(?m)^#(?=\S)", "", gdtui("config").out)
    assert count > len(fields(Preferences))
    say(text)
    assert set(configured()) == {field.name for field in fields(Preferences)}
    assert preferred() == DEFAULTS


@pytest.mark.parametrize("name", ["theme", "speed", "fps", "driver", "ascii", "hidden", "run", "help", "quit"])
def test_one_line_uncommented_is_read(name: str) -> None:
    text, count = re.subn(rf"(?m)^#(?={name} =|\[keys\])", "", defaults())
    assert count == 2
    say(text)
    assert (name if name in SETTINGS else "keys") in configured()


def test_it_can_be_redirected_to_its_place(home: Path) -> None:
    command = shlex.join([sys.executable, "-m", "gdtui", "config"])
    for _ in range(2):
        shell = subprocess.run(["bash", "-c", f'{command} > "$({command} --path)"'], capture_output=True, check=True)
        assert shell.stderr == b""
        assert (home / "config.toml").read_text(encoding="utf-8").count("\n#") > 50
        assert preferred() == DEFAULTS


def test_the_path_is_printed_alone(gdtui: Command, home: Path) -> None:
    finished = gdtui("config", "--path")
    assert (finished.status, finished.out, finished.err) == (0, f"{home / 'config.toml'}\n", "")
    assert home.is_dir()


def test_it_says_what_is_wrong_with_the_one_that_is_there(gdtui: Command) -> None:
    path = say("fps = 0")
    finished = gdtui("config")
    assert finished.status == 2
    assert finished.err == f"gdtui: {path}:1: fps must be a positive number, got 0\n"
    assert "#fps = 60" in finished.out
    assert gdtui("config", "--path").status == 0


def test_the_help_speaks_of_it(gdtui: Command) -> None:
    assert re.search(r"gdtui config \[--path\] +how you like the dashboard", gdtui("--help").out)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("teme = 1", 1, "unknown preference 'teme' (did you mean theme?)"),
        ('theme = "nrod"', 1, "unknown theme 'nrod' (did you mean nord?)"),
        ("theme = 3", 1, "theme must be a name, got 3"),
        ("\n\nspeed = 7", 3, "speed must be 1, 2, 5, 10, 20, 50 or max, got 7"),
        ("speed = 10.0", 1, "speed must be"),
        ("speed = true", 1, "speed must be"),
        ("fps = 0", 1, "fps must be a positive number, got 0"),
        ('fps = "fast"', 1, "fps must be a positive number, got 'fast'"),
        ("fps = true", 1, "fps must be a positive number"),
        ("fps = nan", 1, "fps must be a positive number"),
        ("fps = inf", 1, "fps must be a positive number"),
        (f"fps = {'9' * 4000}", 1, "fps must be a positive number"),
        ('driver = "paved"', 1, "unknown driver 'paved' (did you mean paced?)"),
        ('driver = ["paced"]', 1, "unknown driver"),
        ("ascii = 1", 1, "ascii must be true or false, got 1"),
        ('hidden = "log"', 1, "hidden must be a list of panes, as in [\"log\"], got 'log'"),
        ("hidden = [1]", 1, "hidden must be a list of panes"),
        ('# mine\nhidden = [\n  "lgo",\n]', 2, "unknown pane 'lgo' (did you mean log?)"),
        ("keys = 3", 1, "keys must be a table"),
        ("[[keys]]\nrun = 1", None, "keys must be a table"),
        ('run = "g"', 1, "run stands under [keys]"),
        ("[keys]\nfps = 30", 2, "fps stands above [keys]"),
        ('[keys]\nrnu = "h"', 2, "unknown action 'rnu' (did you mean run?)"),
        ("[keys]\nrun = 3", 2, 'run must be a key or a list of keys, as in ["g", "F8"], got 3'),
        ('[keys]\nrun = ["h", 3]', 2, "run must be a key or a list of keys"),
        ('[keys]\nrun = "hm"', 2, "run: unknown key 'hm'"),
        ('[keys]\nrun = "ctrl-c"', 2, "'ctrl-c' always leaves gdtui"),
        ('[keys]\n  "run" = "p"', 2, "'p' is the key of pin already: give pin or run another"),
        ('keys = {run = "p"}', 1, "'p' is the key of pin already"),
        ('fps = 30\nkeys.run = "p"', 2, "'p' is the key of pin already"),
        ("fps 30", 1, "not TOML: expected '=' after a key"),
        ("fps = 30\nfps = 20\nascii = true", 2, "not TOML: cannot overwrite a value"),
        ("a = \x00", 1, "not TOML"),
        (f"fps = {'9' * 5000}", None, "more digits than can be read"),
        (f"fps = {'[' * 100_000}", None, "too deep"),
        ('"a\\u001b[31m" = 1', None, "unknown preference"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_what_is_wrong_is_said_with_its_line(gdtui: Command, text: str, line: int | None, words: str) -> None:
    path = say(text)
    where = f"{path}:{line}: " if line else f"{path}: "
    assert_refused(gdtui(), where, words)


def no_file(path: Path) -> None:
    path.mkdir(parents=True)


def no_regular_file(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)


def to_itself(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path)


def huge(path: Path) -> None:
    say("")
    os.truncate(path, 2**40)


def of_another_encoding(path: Path) -> None:
    say('theme = "gr\u00fcn"'.encode("latin-1"))


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names there")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_file, "it is a folder"),
        (no_regular_file, "it is not a regular file"),
        (to_itself, "symbolic link"),
        (huge, "it is larger than"),
        (of_another_encoding, "it is not UTF-8 at byte 12"),
    ],
)
def test_what_cannot_be_read_is_said(gdtui: Command, make: Callable[[Path], None], words: str) -> None:
    make(config_path())
    assert_refused(gdtui(), f"cannot read {config_path()}: ", words)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_is_closed_to_one_is_said(gdtui: Command) -> None:
    say("").chmod(0)
    assert_refused(gdtui(), f"cannot read {config_path()}: ", "Permission denied")


def test_a_wrong_file_keeps_nothing_from_working_that_has_no_dashboard(gdtui: Command) -> None:
    say("fps = 0")
    assert gdtui("run", "--epochs", "1", "--no-keep").status == 0
    assert gdtui("list", "problems").status == 0
    assert gdtui("lesson").status == 0
    assert gdtui("runs").status == 0
    for arguments in ([], ["lesson", "gd-vs-sgd"], ["--play"]):
        assert_refused(gdtui(*arguments), "fps must be a positive number")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--speed", "3"], "speed must be 1, 2, 5, 10, 20, 50 or max, got '3'"),
        (["--fps", "0"], "fps must be a positive number, got 0"),
        (["--driver", "x"], "unknown driver 'x'"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_not_blamed_on_the_file(
    gdtui: Command, arguments: list[str], words: str
) -> None:
    path = say("fps = 30")
    finished = gdtui(*arguments)
    assert_refused(finished, words)
    assert str(path) not in finished.err


def test_the_file_is_not_looked_into_for_a_reader_unless_it_is_there() -> None:
    code = "import sys; from gdtui.config import configured; configured(); print('tomllib' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
    say("fps = 30")
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"


def test_all_panes_can_be_named() -> None:
    say(f"hidden = {json.dumps(list(reversed(PANES)))}")
    assert preferred().hidden == PANES
