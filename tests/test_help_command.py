"""gdtui help: topics as plain text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gdtui.cli import COMMANDS
from gdtui.dashboard import keymap
from gdtui.dashboard.manual import OF_PANES, manual
from gdtui.dashboard.widgets.status import SYMBOLS
from gdtui.topics.page import as_text
from gdtui.topics.topic import NAMES, topic_named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Finished

    Command = Callable[..., Finished]


def test_without_a_topic_all_are_listed(gdtui: Command) -> None:
    finished = gdtui("help")
    assert (finished.status, finished.err) == (0, "")
    for name in NAMES:
        assert re.search(rf"^  {name} +{re.escape(topic_named(name).title[:20])}", finished.out, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_a_topic_is_plain_text_with_nothing_left_to_fill_in(gdtui: Command, name: str) -> None:
    finished = gdtui("help", name)
    assert (finished.status, finished.err) == (0, "")
    assert finished.out.startswith(topic_named(name).title[:20])
    assert all(block.kind != "table" for block in manual(name).blocks)
    assert "\x1b" not in finished.out


def test_the_keys_are_those_that_are_bound(gdtui: Command) -> None:
    page = gdtui("help", "keys").out
    for command in keymap.COMMANDS:
        assert re.search(rf"^  {re.escape(command.shown)} +{re.escape(command.help)}$", page, re.MULTILINE), command.id


@pytest.mark.parametrize("pane", OF_PANES)
def test_a_pane_s_page_has_its_own_keys(pane: str) -> None:
    own = {"loss": "Cursor left", "samples": "Row down", "log": "A page older", "runs": "Unpin the selected run"}
    page = as_text(manual(pane), 100)
    assert own.get(pane, "Show or hide") in page
    assert f"Show or hide {pane}" in page


def test_every_state_of_the_status_line_is_explained_with_its_mark() -> None:
    named = [block.name for block in topic_named("status").blocks if block.kind == "entry"]
    assert [f"{mark} {state}" for state, mark in SYMBOLS.items()] == named[: len(SYMBOLS)]


def test_a_person_s_own_keys_are_in_the_table(gdtui: Command, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('[keys]\nreset = "F8"\nfork = []\n')
    page = gdtui("help", "keys").out
    assert re.search(r"^  F8 +Back to the start", page, re.MULTILINE)
    assert re.search(r"^  – +Go another way from here", page, re.MULTILINE)


@pytest.mark.parametrize("text", ["[keys]\nreset = 3", "[keys]\nreset = 'nosuchkey'", "nonsense"])
def test_a_config_file_that_is_wrong_does_not_keep_one_from_help(gdtui: Command, home: Path, text: str) -> None:
    home.mkdir()
    (home / "config.toml").write_text(text)
    finished = gdtui("help", "keys")
    assert (finished.status, finished.err) == (0, "")
    assert "Back to the start" in finished.out


def test_a_narrow_terminal_gets_narrow_lines(gdtui: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (40, 72):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert max(map(len, gdtui("help", "limits").out.split("\n"))) in range(columns - 12, columns + 1)


def test_a_command_s_own_help_is_found_too(gdtui: Command) -> None:
    assert gdtui("help", "export").out == gdtui("export", "--help").out


def test_an_unknown_topic_is_refused_in_one_line(gdtui: Command) -> None:
    finished = gdtui("help", "limts")
    assert (finished.status, finished.out) == (2, "")
    assert finished.err == "gdtui: unknown topic 'limts' (did you mean limits?)\n"


def test_commands_that_are_named_exist() -> None:
    """`gdtui WORD` in a text is a command, and `gdtui help WORD` a topic."""
    for name in NAMES:
        text = as_text(manual(name), 10_000)
        for topic in re.findall(r"gdtui help ([a-z]+)", text):
            assert topic in NAMES
        for command in re.findall(r"^  gdtui ([a-z]+)", text, re.MULTILINE):
            assert command in COMMANDS


def test_a_terminal_without_unicode_gets_escapes_rather_than_a_failure() -> None:
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "gdtui", "help", "samples"]
    finished = subprocess.run(command, capture_output=True, env=env, check=False)
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert finished.stdout.isascii()
