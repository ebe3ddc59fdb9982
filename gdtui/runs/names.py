"""Names: what the newest kept runs are called, to choose from; read in milliseconds, and never a reason to fail."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass

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


def newest(most: int) -> tuple[Named, ...]:
    """The newest runs, the newest first; none where the store is not there, of another version, damaged or locked."""
    path = files.store_path()
    if not path.exists():
        return ()
    query = (
        "SELECT id, name, tags, settings, epoch FROM run WHERE sweep IS NULL ORDER BY created DESC, rowid DESC LIMIT ?"
    )
    try:
        with closing(files.connect(path, is_to_write=False)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            return tuple(Named(*row) for row in connection.execute(query, (most,)))
    except (sqlite3.Error, OSError):
        return ()
