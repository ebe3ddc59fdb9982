"""Names: what the newest kept runs and sweeps are called, read in milliseconds, and never a reason to fail."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from gdtui.runs import files

PATIENCE_MS = 100
"""For another process that writes: nobody waits for a list of names."""


@dataclass(frozen=True, slots=True)
class Named:
    """A kept run, as far as one needs to tell it from others.

    Attributes:
        id: its own name for ever.
        name: what its owner calls it; may be empty.
        tags: words to find it by, parted by blanks.
        settings: as they are now, as one line.
        epoch: epochs completed.
    """

    id: str
    name: str
    tags: str
    settings: str
    epoch: int


@dataclass(frozen=True, slots=True)
class NamedSweep:
    """A kept sweep, likewise.

    Attributes:
        id: its own name for ever.
        name: what its owner calls it; may be empty.
        total: how many runs it has.
    """

    id: str
    name: str
    total: int


def newest(most: int) -> tuple[Named, ...]:
    """The newest runs, the newest first; none where the store is not there, of another version, damaged or locked."""
    rows = _newest("SELECT id, name, tags, settings, epoch FROM run WHERE sweep IS NULL", most)
    return tuple(Named(*row) for row in rows)


def newest_sweeps(most: int) -> tuple[NamedSweep, ...]:
    """The newest sweeps, likewise."""
    return tuple(NamedSweep(*row) for row in _newest("SELECT id, name, total FROM sweep", most))


def _newest(query: str, most: int) -> list[tuple[Any, ...]]:
    path = files.store_path()
    if not path.exists():
        return []
    try:
        with closing(files.connect(path, is_to_write=False)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            return connection.execute(f"{query} ORDER BY created DESC, rowid DESC LIMIT ?", (most,)).fetchall()
    except (sqlite3.Error, OSError):
        return []
