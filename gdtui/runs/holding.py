"""Holding: what it takes to write a run as it goes: a connection to the store of now, and who makes the run."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdtui.runs import files, processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WRITE_EVERY_S = 0.4
HEARTBEAT_S = 5.0
LAST_WORDS_S = 5.0
"""How long the end of the program may wait for the last of a run to be written."""

NOBODY = {"host": None, "process": None, "owner": None}

GONE = 0, 0
"""No file's identity."""


class TakenError(Exception):
    """The run is no longer its writer's: another process goes on with it, or it was deleted."""


class StoreConnection:
    """A connection to write to the store that is there now: another process may have set a damaged one aside.

    Attributes:
        current: the connection as it is; None where there is none.
        notice: what was done with a damaged store; empty where all was well.
        is_new: `open` has connected anew: what is there may not be what was written last.
        is_elsewhere: and to another store than before.
    """

    def __init__(self, path: Path) -> None:
        self.current: sqlite3.Connection | None = None
        self.notice = ""
        self.is_new = self.is_elsewhere = False
        self._path = path
        self._file: tuple[int, int] | None = None

    def open(self) -> sqlite3.Connection:
        """The connection, made where there is none.

        Raises:
            sqlite3.Error, OSError: if the store cannot be written.
        """
        if self.current is not None and files.identity(self._path) != self._file:
            self.close()
            self._file = GONE  # what has its place may well have its number
        self.is_new, self.is_elsewhere = self.current is None, False
        if self.current is None:
            self.notice = files.prepare(self._path) or self.notice
            file = files.identity(self._path)
            self.current = files.connect(self._path, is_to_write=True)
            self.is_elsewhere, self._file = self._file not in (None, file), file
        return self.current

    def failed(self, error: Exception) -> str:
        """Connect anew next time, a store that is damaged set aside. Returns why it failed, in a few words."""
        self.close()
        if files.is_damage(error):
            with suppress(sqlite3.Error, OSError):
                self.notice = files.set_aside_if_damaged(self._path) or self.notice
        return files.reason(error)

    def close(self) -> None:
        """Disconnect; `open` connects again."""
        if self.current is not None:
            with suppress(sqlite3.Error):
                self.current.close()
        self.current = None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it is written, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()  # unless SQLite has done it already
        raise


def insert(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Begin a run with these values."""
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO run ({names}) VALUES ({marks})", tuple(row.values()))


def update(connection: sqlite3.Connection, where: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """Set these values in the run where those are; how many there were."""
    sets, wheres = ", ".join(f"{name} = ?" for name in values), " AND ".join(f"{name} = ?" for name in where)
    return connection.execute(f"UPDATE run SET {sets} WHERE {wheres}", (*values.values(), *where.values())).rowcount


def maker(owner: str) -> dict[str, str]:
    """This process, as it makes a run."""
    return {"host": processes.host(), "process": processes.this_process(), "owner": owner}


def here() -> str | bytes:
    """Where relative file names begin; bytes where its name is not Unicode, empty where it was deleted."""
    with suppress(FileNotFoundError):
        folder = os.fsencode(Path.cwd())
        try:
            return folder.decode()
        except UnicodeDecodeError:
            return folder
    return ""


def new_id() -> str:
    """An id that hardly any other run has."""
    return secrets.token_hex(4)
