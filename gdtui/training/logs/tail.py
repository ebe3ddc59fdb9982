"""Tail: the bytes of a file as it grows; rotated, rewritten or truncated, it says so."""

from __future__ import annotations

import os
import stat
from enum import Enum
from typing import TYPE_CHECKING

from gdtui.experiment import InputError, printable

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

MARK = 256
"""Bytes that are remembered, of the file's beginning and of where it was read last: other ones mean another file."""


class Change(Enum):
    """What has become of a file since the last look."""

    NOTHING = "nothing"
    GROWN = "grown"
    MISSING = "missing"
    ROTATED = "rotated"
    """It has another name now; a new one is in its place."""
    BEGUN_AGAIN = "begun again"
    """It is written again from the beginning."""


class Tail:
    """A file, or what will be one.

    Attributes:
        size: its bytes at the last look.
        written: when it was changed last, in seconds since 1970; nan before it is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._status: os.stat_result | None = None
        self._head, self._mark, self._farthest = b"", b"", 0
        self.size, self.written = 0, float("nan")

    def look(self, position: int) -> Change:
        """See what has become of the file, which is read up to a position.

        After `ROTATED` and `BEGUN_AGAIN` it is read from its beginning. What was written before it was rotated is read
        first.

        Raises:
            InputError: if it cannot be read.
        """
        try:
            status = self._path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise InputError("watch", f"{self.name} is no file")
            if self._file is None:
                return self._open()
            now = os.fstat(self._file.fileno())
            is_other = not os.path.samestat(status, now)
            if is_other and now.st_nlink and now.st_size > position:
                self.size = now.st_size
                return Change.GROWN
            if is_other:
                self.close()
                self._open()
                return Change.ROTATED if now.st_nlink else Change.BEGUN_AGAIN
            return self._compare(now)
        except (FileNotFoundError, NotADirectoryError):
            return self._miss(position)
        except OSError as error:
            raise InputError("watch", f"cannot read {self.name}: {error.strerror or error}") from error

    def _open(self) -> Change:
        self._file = self._path.open("rb", buffering=0)
        self._status = os.fstat(self._file.fileno())
        self.size, self.written = self._status.st_size, self._status.st_mtime
        return Change.GROWN

    def _compare(self, now: os.stat_result) -> Change:
        """Whether the same file was written again or has grown."""
        before, self._status = self._status, now
        assert before is not None
        self.size, self.written = now.st_size, now.st_mtime
        if (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
            return Change.NOTHING
        is_same = (
            now.st_size >= self._farthest
            and self._at(0, len(self._head)) == self._head
            and self._at(self._farthest - len(self._mark), len(self._mark)) == self._mark
        )
        if is_same:
            return Change.GROWN
        self._head, self._mark, self._farthest = b"", b"", 0
        return Change.BEGUN_AGAIN

    def _miss(self, position: int) -> Change:
        """It is not there, or not any more; what was written until then can still be read."""
        if self._file is not None:
            self.size = os.fstat(self._file.fileno()).st_size
        return Change.GROWN if self.size > position else Change.MISSING

    @property
    def name(self) -> str:
        """Its path, as it can be shown."""
        return printable(str(self._path))

    def read(self, position: int, most: int) -> bytes:
        """So many bytes from a position on, or as many as there are.

        Raises:
            InputError: if it cannot be read.
        """
        try:
            data = self._at(position, most)
        except OSError as error:
            raise InputError("watch", f"cannot read {self.name}: {error.strerror or error}") from error
        if len(self._head) < MARK and position <= len(self._head):
            self._head = (self._head[:position] + data)[:MARK]
        if position + len(data) > self._farthest:
            self._farthest = position + len(data)
            self._mark = data[-MARK:]
        return data

    def _at(self, position: int, most: int) -> bytes:
        if self._file is None:
            return b""
        self._file.seek(position)
        return self._file.read(most) or b""

    def close(self) -> None:
        """Close the file, forget what was in it."""
        if self._file is not None:
            self._file.close()
        self._file, self._status = None, None
        self._head, self._mark, self._farthest = b"", b"", 0
        self.size = 0
