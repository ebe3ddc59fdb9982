"""A terminal at the end of a line that carries so many bytes a second."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyte

if sys.platform != "win32":
    import fcntl
    import termios

if TYPE_CHECKING:
    from collections.abc import Callable

ASKED = re.compile(rb"\x1b\[(6n|\?2026\$p)")
UNKNOWN = re.compile(rb"\x1b\[[<>=?][\d;]*[a-zA-Z]|\x1b\[\?\d+\$p|\x1b\][^\x07]*\x07")


class Line:
    """An app of `tests.terminal.apps` in a terminal of 120×36 that answers.

    Attributes:
        size: bytes that came so far.
    """

    def __init__(self, app: str, driver: str, bytes_per_s: float = 1e9) -> None:
        self.size = 0
        self._rate = bytes_per_s
        self._room, self._at = 0.0, time.monotonic()
        self._rest = b""
        self._screen = pyte.Screen(120, 36)
        self._stream = pyte.ByteStream(self._screen)
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
                variables = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
                os.execve(
                    sys.executable,
                    [sys.executable, "-m", "tests.terminal.apps", app, driver],
                    {**os.environ, **variables},
                )
            finally:
                os._exit(127)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self._screen.display)

    @property
    def epoch(self) -> int:
        """The epoch that the lab shows."""
        match = re.search(r"epoch +([\d,]+)", self._screen.display[0])
        return int(match[1].replace(",", "")) if match else 0

    @property
    def cpu_s(self) -> float:
        """CPU seconds that the process has taken."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def read(self, seconds: float) -> None:
        """Take what the line carries in some time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._step()

    def rest(self) -> None:
        """Read until nothing has come for half a second."""
        size = -1
        while size != self.size:
            size = self.size
            self.read(0.5)

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Read until it is so.

        Raises:
            TimeoutError: if it never is.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(self.text)
            self._step()

    def shows(self, pattern: str, seconds: float = 60.0) -> None:
        """Read until the screen shows it."""
        self.until(lambda: re.search(pattern, self.text) is not None, seconds)

    def has_shown(self, pattern: str, seconds: float) -> bool:
        """Read until the screen shows it; False if it does not in that time."""
        try:
            self.shows(pattern, seconds)
        except TimeoutError:
            return False
        return True

    def _step(self) -> None:
        now = time.monotonic()
        self._room = min(self._room + (now - self._at) * self._rate, max(self._rate / 50, 16))
        self._at = now
        if self._room < 1:
            time.sleep(1 / self._rate)
        elif select.select([self._fd], [], [], 0.005)[0]:
            data = os.read(self._fd, int(min(self._room, 65_536)))
            self._room -= len(data)
            self.size += len(data)
            self._take(data)

    def _take(self, data: bytes) -> None:
        data, self._rest = self._rest + data, b""
        start = data.rfind(b"\x1b", max(len(data) - 64, 0))
        if start >= 0 and not re.match(rb"\x1b(\[[\d;?<>=]*[ -/]*[@-~]|[^\[\]P])", data[start:]):
            data, self._rest = data[:start], data[start:]
        for match in ASKED.finditer(data):
            os.write(self._fd, b"\x1b[1;1R" if match[1] == b"6n" else b"\x1b[?2026;2$y")
        self._stream.feed(UNKNOWN.sub(b"", data))
