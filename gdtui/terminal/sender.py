"""Sender: a thread that owns the screen wanted and the screen shown, and sends deltas as the link takes them.

What calls it never waits: whatever it says is put in an inbox. The thread never waits for the line either: it writes
what the line takes, so that however long that stands still, the newest screen is all that is ever to be sent.
"""

from __future__ import annotations

import os
import select
import termios
import threading
from collections import deque
from contextlib import suppress
from math import inf
from time import monotonic, sleep
from typing import TYPE_CHECKING

from gdtui.terminal.delta import Shown
from gdtui.terminal.pace import Link, Pace, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.terminal.grid import Grid
    from gdtui.terminal.traits import Traits

MARKED = 1000
"""Bytes from which on a delta is put between marks; a smaller one comes in one packet, and so is shown at once."""
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""DECSET and DECRST of synchronized output: what is between is shown at once."""
CANCEL = b"\x18"
"""CAN, cancel: a sequence that was cut is none."""
CHUNK = 256
"""Bytes at a time where a write may wait; a terminal line that is ready takes so many."""
LAST_S = 1.0
"""How long the line may stand still at the end."""


class Sender(threading.Thread):
    """Sends what an app draws.

    Args:
        fileno: the terminal.
        grid: the screen that the app wants; the thread's alone as long as it runs.
        fps: deltas a second at most.
        traits: the terminal's.
        fail: is called with an exception that ends the sending of deltas.
    """

    def __init__(
        self,
        fileno: int,
        grid: Grid,
        fps: float,
        traits: Traits,
        encoding: str = "utf-8",
        fail: Callable[[BaseException], None] | None = None,
    ) -> None:
        super().__init__(daemon=True, name="terminal-sender")
        self._fileno = fileno
        self._encoding = encoding
        self._fail = fail
        self._line, self._is_waiting_line = _opened(fileno)
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        os.set_blocking(self._wake, False)
        self._inbox: deque[Callable[[], None]] = deque()
        self._grid = grid
        self._shown = Shown(traits)
        self._pace = Pace(fps)
        self._sent_version = 0  # of a grid on which nothing was drawn
        self._is_exact = True
        self._out = bytearray()
        self._last = bytearray()
        self._blocked_at = inf
        self._is_resting = True
        self._is_ending = self._is_dead = self._is_broken = self._is_over = False
        self._rested = threading.Event()
        self._measure()

    # From any thread

    def write(self, data: str) -> None:
        """Take what an app writes to its terminal."""
        self._post(lambda: self._feed(data))

    def resize(self, width: int, height: int) -> None:
        """The terminal has this size; the next delta waits until the app has drawn."""
        self._post(lambda: self._resize(width, height))

    def redraw(self) -> None:
        """Send the whole screen again."""
        self._post(self._redraw)

    def answer(self, question: Question) -> None:
        """The terminal answered."""
        now = monotonic()
        self._post(lambda: self._answered(question, now))

    def begin(self) -> None:
        """Send deltas: the terminal is the app's now."""
        self._post(self._begin)

    def rest(self) -> None:
        """Send no more deltas; returns when the terminal has answered, or is not likely to.

        An answer that came later would be typed to whoever reads next.
        """
        trip = self.link.round_trip_ms
        self._post(self._rest)
        self._rested.wait(min(max(3 * (trip or 0.0) / 1000, 0.5), LAST_S))

    def finish(self) -> None:
        """Write what is still to be written, unless the line stands still, and end."""
        self._post(self._end)
        self.join(2 * LAST_S)
        if not self.is_alive() and not self._is_over:
            self._is_over = True
            for fd in (self._line, self._wake, self._waker):
                os.close(fd)

    @property
    def link(self) -> Link:
        """The link's figures of now."""
        return self._pace.link(monotonic())

    def _post(self, act: Callable[[], None]) -> None:
        self._inbox.append(act)
        if not self._is_over:
            with suppress(BlockingIOError):  # it is awake already
                os.write(self._waker, b"!")

    # The thread

    def run(self) -> None:
        """Act on what was said; write what the line takes; send a delta when one is due."""
        self._pace.begin(monotonic())
        try:
            while not self._is_done():
                self._turn()
        except Exception as error:
            self._break(error)

    def _turn(self) -> None:
        self._wait()
        while self._inbox:
            self._inbox.popleft()()
        self._flush()
        if not self._is_resting:
            self._send()

    def _is_done(self) -> bool:
        return self._is_ending and not self._inbox and (self._is_dead or not (self._out or self._last))

    def _wait(self) -> None:
        if self._inbox:
            return
        now = monotonic()
        at = self._pace.expires() if not self._is_resting else inf
        if self._is_behind() and not self._out:
            at = min(at, self._pace.due())
        if self._is_ending:
            at = min(at, self._blocked_at + LAST_S)
        outs = [self._line] if (self._out or self._last) and not self._is_dead else []
        ready = select.select([self._wake], outs, [], None if at == inf else max(at - now, 0.0))
        if ready[0]:
            os.read(self._wake, 4096)

    def _is_behind(self) -> bool:
        return not self._is_resting and (self._grid.version != self._sent_version or self._shown.is_behind)

    def _feed(self, data: str) -> None:
        others = data if self._is_broken else self._grid.feed(data)
        if others:
            (self._last if self._is_resting else self._out).extend(self._encoded(others))

    def _resize(self, width: int, height: int) -> None:
        if (width, height) != (self._grid.width, self._grid.height):
            self._grid.resize(width, height)
            self._shown.forget()
            self._sent_version = self._grid.version
        elif self._grid.version:
            self._redraw()
        self._measure()

    def _measure(self) -> None:
        with suppress(OSError):
            self._is_exact = os.get_terminal_size(self._fileno).columns <= self._grid.width

    def _redraw(self) -> None:
        self._shown.forget()
        self._sent_version = -1

    def _answered(self, question: Question, at: float) -> None:
        self._pace.answered(question, self._is_behind(), at)
        if self._is_resting and not self._pace.is_waiting:
            self._rested.set()

    def _begin(self) -> None:
        self._is_resting = False

    def _rest(self) -> None:
        self._is_resting = True
        self._last.extend(self._encoded(self._shown.rest()))
        if not self._pace.is_waiting:
            self._rested.set()

    def _end(self) -> None:
        self._is_ending = True

    def _flush(self) -> None:
        """Write what the line takes without waiting."""
        while self._out or self._last:
            if not self._out:
                self._out, self._last = self._last, self._out
            try:
                n = self._written()
            except BlockingIOError:
                self._halt()
                return
            except OSError:  # the terminal is gone; who waits for the end of it shall not
                self._is_dead = True
                self._out.clear()
                self._last.clear()
                self._rested.set()
                return
            del self._out[:n]
            if self._blocked_at < inf:
                self._pace.blocked(n, monotonic() - self._blocked_at)
                self._blocked_at = inf

    def _written(self) -> int:
        if self._is_waiting_line:
            if not select.select([], [self._line], [], 0)[1]:
                raise BlockingIOError
            return os.write(self._line, self._out[:CHUNK])
        return os.write(self._line, self._out)

    def _halt(self) -> None:
        """The line stands still. At the end, what waits in it goes, for what restores the terminal to have room."""
        sleep(0.01)  # a line with room for one character is ready, and yet does not take CR LF
        now = monotonic()
        self._blocked_at = min(self._blocked_at, now)
        if self._is_ending and now - self._blocked_at >= LAST_S:
            last = bytes(self._last or self._out)
            with suppress(OSError, termios.error):
                termios.tcflush(self._line, termios.TCOFLUSH)
                os.write(self._line, CANCEL + last)
            self._is_dead = True

    def _send(self) -> None:
        """Send a delta, if one is due."""
        now = monotonic()
        if self._out or self._is_dead:
            return
        if now >= self._pace.expires() and (question := self._pace.expired(now)):
            self._out.extend(self._encoded(question.value))
            self._flush()
            return
        if not self._is_behind() or now < self._pace.due():
            return
        self._sent_version = self._grid.version
        delta = self._shown.approach(self._grid, self._is_exact, self._pace.slice)
        if not delta:
            return
        if self._pace.marks and len(delta) > MARKED:
            delta = f"{BEGIN}{delta}{END}"
        if self._pace.asks:
            delta += Question.CURSOR.value
        self._out.extend(self._encoded(delta))
        self._pace.sent(len(self._out), now)
        self._flush()

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._encoding, "replace")

    def _break(self, error: BaseException) -> None:
        """From now on, pass on whatever is written: the app shall still be able to restore the terminal."""
        self._is_broken = self._is_resting = True
        self._rested.set()
        if self._fail is not None:
            self._fail(error)
        while not self._is_done():
            self._turn()


def _opened(fileno: int) -> tuple[int, bool]:
    """The terminal, opened once more, so that only we do not wait for it; or as it is, and whether writing may wait.

    Others who have the same terminal open (a shell) would not expect writes that do not wait.
    """
    try:
        return os.open(os.ttyname(fileno), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK), False
    except OSError:
        return os.dup(fileno), True
