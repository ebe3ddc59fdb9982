"""Files: where the store lies, how it is begun, and what is done with one that is damaged."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import strftime
from typing import TYPE_CHECKING

from gdtui.runs.schema import VERSION, migrate, version

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 5.0
"""Seconds to wait for another process that writes."""

MAGIC = b"SQLite format 3\0"
BESIDE = ("", "-wal", "-shm")
"""What SQLite adds to the name of the files that belong together."""


def store_path() -> Path:
    """Where runs are kept: in GDTUI_HOME, or in the user's folder for data."""
    home = os.environ.get("GDTUI_HOME")
    if home:
        return Path(home).expanduser() / "runs.sqlite"
    from platformdirs import user_data_path

    return user_data_path("gdtui", appauthor=False) / "runs.sqlite"


def connect(path: Path, is_to_write: bool) -> sqlite3.Connection:
    """A connection to a store that is there, for any thread, one at a time.

    Raises:
        sqlite3.Error: if it cannot be opened.
    """
    if not is_to_write:
        # A medium that cannot be written has no room for the files beside the store either.
        uri = path.absolute().as_uri() + ("?mode=ro" if os.access(path.parent, os.W_OK) else "?immutable=1")
        return _connect(uri)
    connection = _connect(path.absolute().as_uri() + "?mode=rw")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)


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
            _begin(path)
        with closing(connect(path, is_to_write=True)) as connection:
            migrate(connection)
            if version(connection) > VERSION:
                text = f"a later gdtui keeps runs there, in version {version(connection)} of its store"
                raise sqlite3.NotSupportedError(text)
    return notice


def _begin(path: Path) -> None:
    """Made beside and moved to its place, so that an empty file there always is a damaged one."""
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    with suppress(FileNotFoundError):
        new.unlink()
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection)
    new.replace(path)


def is_damaged(path: Path, is_thorough: bool = False) -> bool:
    """Whether a file is no store, or not a whole one; by its size, or thoroughly by reading all of it."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return True
    except FileNotFoundError:
        return False
    has_log = path.with_name(path.name + "-wal").exists()
    try:
        with closing(connect(path, is_to_write=False)) as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            page_size = connection.execute("PRAGMA page_size").fetchone()[0]
            is_short = pages * page_size > size and not has_log
            return is_short or (is_thorough and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.DatabaseError as error:
        return is_damage(error)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is damaged, rather than busy, full or closed to us."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def set_aside(path: Path) -> str:
    """Move a damaged store out of the way; what is in it stays. Returns what to say of it."""
    aside = path.with_name(f"{path.name}.damaged-{strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    for beside in reversed(BESIDE):
        with suppress(FileNotFoundError):
            path.with_name(path.name + beside).rename(aside.with_name(aside.name + beside))
    return f"the store of runs was damaged: it is set aside as {aside}, a new one is begun"


def set_aside_if_damaged(path: Path) -> str:
    """The same after an error that says so, unless another process has done it by now."""
    with _alone(path):
        return set_aside(path) if is_damaged(path, is_thorough=True) else ""


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No two processes begin a store, change its version or set it aside at once."""
    try:
        import fcntl
    except ImportError:  # on Windows, where a file in use cannot be moved anyway
        yield
        return
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def reason(error: Exception) -> str:
    """Why a store cannot be used, in a few words."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    reasons = {
        sqlite3.SQLITE_BUSY: "another process has locked the store",
        sqlite3.SQLITE_LOCKED: "another process has locked the store",
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_READONLY: "the store is read-only",
        sqlite3.SQLITE_CANTOPEN: "the store cannot be opened",
        sqlite3.SQLITE_IOERR: "the disk cannot be written",
        sqlite3.SQLITE_CORRUPT: "the store is damaged",
        sqlite3.SQLITE_NOTADB: "the store is damaged",
    }
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    return reasons.get(code, str(error))
