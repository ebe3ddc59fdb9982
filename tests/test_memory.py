"""What is remembered of how the dashboard was left; losing it is no harm."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from gdtui.memory import memory_path, remember, remembered
from gdtui.preferences import DEFAULTS

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = DEFAULTS.replace(hidden=("runs", "log"))


def test_what_has_changed_is_remembered() -> None:
    assert remembered() == {}
    remember(DEFAULTS, HIDDEN)
    assert remembered() == {"hidden": ("runs", "log")}
    remember(HIDDEN, DEFAULTS)
    assert DEFAULTS.replace(**remembered()) == DEFAULTS


def test_what_has_not_changed_is_not_written() -> None:
    remember(DEFAULTS, DEFAULTS.replace(speed=50, fps=1))
    assert not memory_path().exists()
    remember(DEFAULTS, HIDDEN)
    before = memory_path().stat()
    remember(HIDDEN, HIDDEN)
    assert memory_path().stat() == before


def test_of_two_the_last_one_is_remembered_if_it_has_changed_anything() -> None:
    remember(DEFAULTS, HIDDEN)
    remember(DEFAULTS, DEFAULTS)
    assert remembered() == {"hidden": ("runs", "log")}
    remember(DEFAULTS, DEFAULTS.replace(hidden=("loss",)))
    assert remembered() == {"hidden": ("loss",)}
    remember(DEFAULTS, DEFAULTS.replace(theme="nord"))
    assert remembered() == {"hidden": ("loss",), "theme": "nord"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"hidden": 3}',
        '{"hidden": ["nosuch"]}',
        '{"hidden": [["log"]]}',
        '{"fps": 3}',
        '{"theme": "nosuch"}',
        '{"theme": 3}',
        "[" * 100_000,
        "9" * 5000,
        "\x00",
        '{"hidden": ["log"]} ' + " " * 2**21,
    ],
    ids=range(14),
)
def test_what_is_broken_is_as_if_it_were_not_there(text: str) -> None:
    path = memory_path()
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    assert remembered() == {}
    remember(DEFAULTS, HIDDEN)
    assert remembered() == {"hidden": ("runs", "log")}


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names there")
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_where_it_cannot_be_kept_nothing_is_said(make, capsys: pytest.CaptureFixture[str]) -> None:
    memory_path().parent.mkdir()
    make(memory_path())
    remember(DEFAULTS, HIDDEN)
    assert remembered() == {}
    assert capsys.readouterr() == ("", "")


def test_where_there_can_be_no_folder_nothing_is_said(home: Path) -> None:
    home.write_text("a file", encoding="utf-8")
    remember(DEFAULTS, HIDDEN)
    assert remembered() == {}


def test_it_is_written_whole_or_not_at_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(DEFAULTS, HIDDEN)
    before = memory_path().read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    remember(HIDDEN, DEFAULTS)
    assert memory_path().read_bytes() == before
    assert [path.name for path in home.iterdir()] == [memory_path().name]
    assert json.loads(before) == {"hidden": ["runs", "log"]}
