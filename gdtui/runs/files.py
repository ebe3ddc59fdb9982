"""Files: where the store lies, how it is begun, and what is done with one that is damaged.

Nothing but SQLite ever opens the store: closing any other descriptor of it would take away the locks of this process's
connections (POSIX), and another process would then delete the log that they still write to.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from contextlib import closing, contextmanager, suppress
from secrets import token_hex
from time import monotonic, sleep, strftime
from typing import TYPE_CHECKING

from gdtui.folders import folder
from gdtui.runs.schema import VERSION, migrate, version

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 2.0
"""Seconds to wait for another process that writes."""

BESIDE = ("-shm", "-wal", "")
"""What SQLite adds to the name of the files that belong together."""

HEADER = 100
"""Bytes that every store begins with."""

TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""How systems say that another process holds a lock."""


def store_path() -> Path:
    """Where runs are kept: in GDTUI_HOME, or in the user's folder for data."""
    return folder("data") / "runs.sqlite"


def connect(path: Path, is_to_write: bool) -> sqlite3.Connection:
    """A connection to a store that is there, for any thread, one at a time.

    Raises:
        sqlite3.Error, OSError: if it cannot be opened.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not is_to_write:
        # In a folder that cannot be written there is no room for the log either; nobody writes where there is none.
        is_frozen = not os.access(path.parent, os.W_OK) and not _beside(path, "-wal").exists()
        return _connect(path, "immutable=1" if is_frozen else "mode=ro")
    connection = _connect(path, "mode=rw")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect(path: Path, how: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{how}"
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one that took its place; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def prepare(path: Path) -> str:
    """Begin a store where there is none, bring one of an earlier version to this one.

    Returns:
        What was done with a damaged one; empty where all was well.

    Raises:
        sqlite3.Error, OSError: if it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        notice = set_aside(path) if is_damaged(path) else ""
        if not path.exists():
            set_aside(path)  # a log without its store would be taken for the new one's
            _begin(path)
        with closing(connect(path, is_to_write=True)) as connection:
            migrate(connection)
            if version(connection) > VERSION:
                text = f"a later gdtui keeps runs there, in version {version(connection)} of its store"
                raise sqlite3.NotSupportedError(text)
    return notice


def _begin(path: Path) -> None:
    """Made beside and moved to its place, so that a store without tables never stands there."""
    new = _beside(path, ".new")
    for ending in (*BESIDE, "-journal"):
        _beside(new, ending).unlink(missing_ok=True)  # of a process that was killed at it
    with closing(_connect(new, "mode=rwc")) as connection:
        migrate(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    new.rename(path)


def is_damaged(path: Path, is_thorough: bool = False) -> bool:
    """Whether a file is no whole store: as far as opening it tells, or thoroughly, by reading all of it."""
    try:
        if path.stat().st_size < HEADER:  # SQLite takes an empty file for an empty store
            return True
        with closing(connect(path, is_to_write=False)) as connection:
            version(connection)
            return is_thorough and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok"
    except FileNotFoundError:
        return False
    except sqlite3.Error as error:
        return is_damage(error)


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file is damaged, rather than busy, full or closed to us."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def set_aside(path: Path) -> str:
    """Move a damaged store out of the way; what is in it stays. Returns what to say of it."""
    aside = _beside(path, f".damaged-{strftime('%Y%m%d-%H%M%S')}-{token_hex(2)}")
    for ending in BESIDE:
        with suppress(FileNotFoundError):
            _beside(path, ending).rename(_beside(aside, ending))
    return f"the store of runs was damaged: it is set aside as {aside}, a new one is begun"


def set_aside_if_damaged(path: Path) -> str:
    """The same after an error that says so; empty where the store is whole, as when another process has done it by now.

    Raises:
        OSError: if the folder cannot be written.
    """
    with _alone(path):
        return set_aside(path) if is_damaged(path, is_thorough=True) else ""


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No two processes begin a store, change its version or set it aside at once."""
    deadline = monotonic() + PATIENCE_S
    with _beside(path, ".lock").open("a") as lock:
        while True:
            try:
                _lock(lock.fileno())
                break
            except OSError as error:
                if error.errno not in TAKEN:
                    raise
                if monotonic() > deadline:
                    raise TimeoutError("another process has locked the store") from None
            sleep(0.01)
        yield


REASONS = {
    sqlite3.SQLITE_BUSY: "another process has locked the store",
    sqlite3.SQLITE_LOCKED: "another process has locked the store",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the store is read-only",
    sqlite3.SQLITE_CANTOPEN: "the store cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_CORRUPT: "the store is damaged",
    sqlite3.SQLITE_NOTADB: "the store is damaged",
}


def reason(error: Exception) -> str:
    """Why a store cannot be used, in a few words."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}"
    return REASONS.get(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF, str(error))
