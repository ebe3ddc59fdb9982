"""Lines: the lines of a text that comes in pieces; none is told before its end has come."""

from __future__ import annotations

LONGEST = 1 << 22
"""Bytes of a line that is read; a longer one is skipped."""


class Lines:
    """Parts a text into lines. What a carriage return ends, as each state of a progress bar, is a line, too.

    Attributes:
        skipped: lines that were too long.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self._pending = b""
        self._is_skipping = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now; those that a carriage return ends end with it, no other does."""
        data = self._pending + data.replace(b"\0", b"")  # a file truncated under its writer begins with zeros
        end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1  # after a last \r there may yet be its \n
        self._pending = data[end:]
        lines = self._parted(data[:end]) if end else []
        if len(self._pending) > LONGEST:
            self.skipped += not self._is_skipping
            self._pending, self._is_skipping = b"", True
        return lines

    def end(self) -> list[str]:
        """The last line, as no more follows."""
        data = self._pending
        lines = self._parted(data if data.endswith((b"\r", b"\n")) else data + b"\n") if data else []
        self._pending, self._is_skipping = b"", False
        return lines

    def cut(self) -> None:
        """What follows does not follow on what came before: it begins in the middle of a line, which is left out."""
        self._pending, self._is_skipping = b"", True

    def _parted(self, data: bytes) -> list[str]:
        """Lines of whole lines."""
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\r\n")
        if self._is_skipping:
            data, self._is_skipping = data.partition(b"\n")[2], False
        if len(data) > LONGEST:
            parts = data.split(b"\n")[:-1]
            fit = [part for part in parts if len(part.removesuffix(b"\r")) <= LONGEST]
            self.skipped += len(parts) - len(fit)
            data = b"".join(part + b"\n" for part in fit)
        return data.decode(errors="replace").split("\n")[:-1]
