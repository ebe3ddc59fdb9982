"""Recorded: what has come of a recorder, as whoever follows the run sees it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdtui.runs.store import Store
from gdtui.training.kept import KeptTraining

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.training.training import Training

ROOT = Path(__file__).parents[2]


def seen(store: Store, run: str) -> Training:
    """All that is known of a run, by somebody who looks for the first time."""
    kept, training = KeptTraining(store, store.find(run)), None
    while newer := kept.look():
        training = newer
    assert training is not None
    return training


def wait_until(what: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def program(home: Path, text: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A program of somebody's, whose runs are in that folder."""
    environment = os.environ | {"GDTUI_HOME": str(home), "PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([sys.executable, "-c", text, *arguments], env=environment, text=True, **streams)


def ran(home: Path, text: str, *arguments: str) -> tuple[str, str]:
    """What such a program printed, and what it said on standard error; it ended well."""
    process = program(home, text, *arguments)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out, err


def store_in(home: Path) -> Store:
    return Store(home / "runs.sqlite")


def faults(path: Path) -> list[Any]:
    """What SQLite has to say against a store."""
    with closing(sqlite3.connect(path)) as connection:
        said = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        return [*said, *connection.execute("PRAGMA foreign_key_check").fetchall()]
