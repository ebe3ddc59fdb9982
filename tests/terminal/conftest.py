"""A terminal of our own: a pty in which the command runs, and a screen that shows what it wrote."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import struct
import sys
import time
from typing import TYPE_CHECKING, Any

import pyte
import pytest

if sys.platform != "win32":  # there the tests skip themselves
    import fcntl
    import pty
    import termios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUERY = re.compile(rb"\x1b\[(6n|c|0c|>c|>0c|\?(\d+)\$p)")
PRIVATE = re.compile(rb"\x1b\[[<>=?][\d;]*[a-zA-Z]|\x1b\[\?\d+\$p|\x1bP.*?\x1b\\", re.DOTALL)


SHELL = ("bash", "--norc", "--noprofile", "-i")


class Terminal:
    """A program in a pty, and what one sees of it.

    Attributes:
        output: all that it wrote.
        status: its exit status, once it has ended; minus the signal's number where a signal ended it.
        before: the line's attributes before it started.
    """

    def __init__(
        self,
        *arguments: str,
        size: tuple[int, int] = (120, 36),
        told: tuple[int, int] | None = None,
        module: str = "gdtui",
        answers: bool = True,
        **environment: str,
    ) -> None:
        self.output = b""
        self.status: int | None = None
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._parsed = self._answered = 0
        self._answers = answers
        ours, self._theirs = pty.openpty()
        self._fd = ours
        self.resize(*size, signalled=False)
        if told is not None:  # of a size that is none
            fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", *told[::-1], 0, 0))
        self.before = termios.tcgetattr(self._theirs)
        self._pid = os.fork()
        if self._pid == 0:
            command = SHELL if arguments == SHELL else (sys.executable, "-m", module, *arguments)
            self._become(command, environment)

    def _become(self, command: tuple[str, ...], environment: dict[str, str]) -> None:
        try:
            os.close(self._fd)
            os.setsid()
            fcntl.ioctl(self._theirs, termios.TIOCSCTTY, 0)
            for number in range(3):
                os.dup2(self._theirs, number)
            variables = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **environment}
            names = ("PATH", "HOME", "PYTHONPATH", "TMPDIR", "GDTUI_HOME")
            kept = {name: os.environ[name] for name in names if name in os.environ}
            os.execve(shutil.which(command[0]) or command[0], command, kept | variables)
        finally:
            os._exit(127)

    # What one does

    def press(self, keys: str) -> None:
        """Type something."""
        os.write(self._fd, keys.encode())

    def resize(self, columns: int, rows: int, signalled: bool = True) -> None:
        """Give the terminal another size; the kernel tells the program."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)
        if signalled:
            os.kill(self._pid, signal.SIGWINCH)

    def kill(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self._pid, number)

    def hang_up(self) -> None:
        """Close the terminal, as a dropped connection does."""
        os.close(self._theirs)
        os.close(self._fd)
        self._fd = self._theirs = -1

    # What one sees

    @property
    def rows(self) -> list[str]:
        """The screen, row by row."""
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self.rows)

    def read(self, seconds: float = 0.05) -> int:
        """Take in what it writes within some time; returns how many bytes."""
        count, deadline = 0, time.monotonic() + seconds
        while self._fd >= 0 and (left := deadline - time.monotonic()) > 0:
            if not select.select([self._fd], [], [], left)[0]:
                break
            try:
                data = os.read(self._fd, 65_536)
            except OSError:  # EIO: nobody has the other end any more
                break
            self.output += data
            count += len(data)
            self._show()
            if self._answers:
                self._answer()
        return count

    def until(self, condition: Callable[[], Any], timeout: float = 60.0) -> None:
        """Read until a condition holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert self.status is None, f"it ended with {self.status}:\n{self.text}"
            assert time.monotonic() < deadline, f"waited too long:\n{self.text}"
            self.read()
            self._reap()

    def shows(self, pattern: str) -> None:
        """Read until the screen shows this."""
        self.until(lambda: re.search(pattern, self.text))

    def ends(self, timeout: float = 60.0) -> int:
        """Read until it has ended; returns its exit status."""
        deadline = time.monotonic() + timeout
        while self.status is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.text}"
            self.read()
            self._reap()
        self.read()
        return self.status

    def close(self) -> None:
        """End it, if it has not ended."""
        if self.status is None:
            os.kill(self._pid, signal.SIGKILL)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        if self._fd >= 0:
            self.hang_up()

    # What it leaves

    @property
    def is_restored(self) -> bool:
        """The line has its attributes, and every mode that was set is reset."""
        return termios.tcgetattr(self._theirs) == self.before and self.modes == set()

    @property
    def modes(self) -> set[str]:
        """The private modes that are on: 1049 is the alternate screen, 25 (reset) a hidden cursor."""
        on: set[str] = set()
        for numbers, action in re.findall(rb"\x1b\[\?([\d;]+)([hl])", self.output):
            for number in numbers.decode().split(";"):
                is_set = (action == b"h") != (number == "25")
                on = on | {number} if is_set else on - {number}
        return on - {"2026", "7"}

    def _reap(self) -> None:
        if self.status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)

    def _show(self) -> None:
        # Only whole sequences of those that pyte does not know; the rest waits for what comes.
        end = len(self.output)
        tail = self.output.rfind(b"\x1b", max(self._parsed, end - 64))
        if tail >= 0 and not re.match(rb"\x1b(\[[\d;?<>=]*[ -/]*[@-~]|[^\[P])", self.output[tail:]):
            end = tail
        self._stream.feed(PRIVATE.sub(self._known, self.output[self._parsed : end]))
        self._parsed = end

    @staticmethod
    def _known(match: re.Match[bytes]) -> bytes:
        return match[0] if re.fullmatch(rb"\x1b\[\?\d+[hl]", match[0]) else b""

    def _answer(self) -> None:
        for match in QUERY.finditer(self.output, self._answered):
            self._answered = match.end()
            if match[2]:
                answer = b"\x1b[?%s;%d$y" % (match[2], 2 if match[2] == b"2026" else 0)
            elif match[1] == b"6n":
                answer = b"\x1b[%d;%dR" % (self._screen.cursor.y + 1, self._screen.cursor.x + 1)
            else:
                answer = b"\x1b[?62;22c"
            os.write(self._fd, answer)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Start `gdtui` with some arguments in a terminal; whatever still runs at the end is killed."""
    started: list[Terminal] = []

    def start(*arguments: str, **options: Any) -> Terminal:
        started.append(Terminal(*arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()
