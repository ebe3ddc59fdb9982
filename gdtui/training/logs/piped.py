"""Piped: what another program prints into a pipe, followed without ever letting it wait."""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from contextlib import suppress
from dataclasses import replace
from threading import Condition, Thread
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, BinaryIO

from gdtui.experiment import InputError
from gdtui.training.logs.followed import HEAD, LOOK_S, NO_NUMBERS, REST_S, Followed, Reading
from gdtui.training.logs.formats import JsonLines, Text, decide
from gdtui.training.logs.log import Log

if TYPE_CHECKING:
    from gdtui.training.training import Training

CHUNK = 1 << 16
MOST = 1 << 26
"""Bytes that wait to be read; beyond, the oldest are dropped and counted."""

PIPE = 1 << 20
"""Bytes that the pipe itself should hold, so that its writer does not wait for a thread to be woken."""


class Drain:
    """Empties a stream as it fills, in a thread.

    Attributes:
        dropped: lines that nobody took in time.
        is_over: the stream has ended.
        taken: bytes taken so far.
        waiting: bytes that have come and are not taken yet.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.dropped, self.is_over, self.taken, self.waiting = 0, False, 0, 0
        self._stream = stream
        self._chunks: deque[bytearray] = deque()
        self._has_gap, self._is_unwanted = False, False
        self._changed = Condition()
        _widen(stream.fileno())
        Thread(target=self._run, name="drain", daemon=True).start()

    def _run(self) -> None:
        descriptor = self._stream.fileno()
        with suppress(OSError, ValueError):  # it was closed, or its terminal has gone: that is the end, too
            while True:
                select.select([descriptor], [], [])  # a named pipe that nobody has opened yet would seem to be over
                if not (chunk := os.read(descriptor, CHUNK)):
                    break
                with self._changed:
                    self._add(chunk)
        with self._changed:
            self.is_over = True
            self._changed.notify()

    def _add(self, chunk: bytes) -> None:
        if self._is_unwanted:
            return
        if self._chunks and len(self._chunks[-1]) < CHUNK:
            self._chunks[-1] += chunk  # reading many small ones would cost far more
        else:
            self._chunks.append(bytearray(chunk))
        self.waiting += len(chunk)
        while self.waiting > MOST:
            oldest = self._chunks.popleft()
            self.waiting -= len(oldest)
            self.dropped += oldest.count(b"\n")
            self._has_gap = True
        self._changed.notify()

    def take(self, wait_s: float | None = 0.0) -> tuple[bytes, bool]:
        """The next bytes, and whether some before them were dropped; none where none have come.

        Args:
            wait_s: seconds to wait for them, or for the end; None for as long as that takes.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self.is_over, wait_s)
            chunk = bytes(self._chunks.popleft()) if self._chunks else b""
            has_gap, self._has_gap = self._has_gap, False
            self.waiting -= len(chunk)
            self.taken += len(chunk)
            return chunk, has_gap

    def discard(self) -> None:
        """Nobody takes anything any more; whoever writes is not to wait nevertheless."""
        with self._changed:
            self._is_unwanted, self.waiting = True, 0
            self._chunks.clear()


def _widen(descriptor: int) -> None:
    """Let a pipe hold more, where that can be had."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE)


class FollowedPipe(Followed):
    """Follows a program that prints into this one."""

    def __init__(self, stream: BinaryIO, name: str = "standard input") -> None:
        super().__init__()
        self._drain = Drain(stream)
        self._name = name
        self._head = b""
        self._began = self._moved = monotonic()
        self._guess: Reading | None = None
        self._is_first, self._has_ended = True, False

    @property
    def is_open(self) -> bool:
        """The program still prints, or has not been heard out."""
        return not self._drain.is_over or self._drain.waiting > 0

    def look(self) -> Training | None:
        """What it has printed, as far as it has been read; None where nothing has happened since the last look."""
        until, has_moved = perf_counter() + LOOK_S, False
        while perf_counter() < until:
            chunk, has_gap = self._drain.take()
            if not chunk:
                break
            self._feed(chunk, has_gap)
            has_moved = True
        if has_moved:
            self._moved, self._guess = monotonic(), None
        elif not self.is_open and not self._has_ended:
            has_moved = self._has_ended = True
            self._end()
        elif self._guess is None and monotonic() - self._moved > REST_S:
            has_moved = self._rest()
        if not (has_moved or self._is_first):
            return None
        self._is_first = False
        return self._training()

    def _feed(self, chunk: bytes, has_gap: bool) -> None:
        if self._reading is None:
            self._head += chunk
            if self._head.count(b"\n") > 1 or len(self._head) >= HEAD:
                self._decide()
            return
        if has_gap:
            self._reading.form.cut()
        self._reading.feed(chunk, monotonic() - self._began)

    def _decide(self) -> None:
        form = decide(self._head, "")
        # What a program prints between its JSON lines is not wrong.
        self._reading = Reading(Text() if form is None or isinstance(form, JsonLines) else form, Log())
        head, self._head = self._head, b""
        self._reading.feed(head, monotonic() - self._began)

    def _end(self) -> None:
        if self._reading is None:
            self._decide()
        reading, self._guess = self._reading, None
        assert reading is not None
        reading.log = reading.log.add(reading.form.end(), monotonic() - self._began)

    def _rest(self) -> bool:
        """Look at a last line that has no end yet; whether it tells something."""
        if self._reading is None and self._head:
            self._decide()
        if self._reading is None or self._has_ended:
            return False
        self._guess = self._reading.guess()
        return self._guess.log.numbered > self._reading.log.numbered or self._guess.log.rows == 0

    def _training(self) -> Training:
        log = (self._guess or self._reading or Reading(Text(), Log())).log
        training = log.training(self._name)
        self._moment = training.moment
        notices = [training.notice, NO_NUMBERS if training.lines and not training.curves else ""]
        come = self._drain.taken + self._drain.waiting
        return replace(
            training,
            state="finished" if self._has_ended and training.state == "running" else training.state,
            dropped=self._drain.dropped,
            read=self._drain.taken / come if come else 1.0,
            notice="; ".join(filter(None, notices)),
        )

    def close(self) -> None:
        """Follow it no longer; what it still prints goes nowhere, and does not hold it up."""
        self._drain.discard()

    def pass_on(self, out: BinaryIO) -> None:
        """Pass on what it still prints, until it ends or Ctrl-C; a closed pipe would end the program that prints.

        Args:
            out: where that goes; if nobody reads it any more, nowhere.
        """
        if self.is_open:
            print("gdtui: the program goes on, what it prints follows; Ctrl-C ends it", file=sys.stderr, flush=True)
        with suppress(KeyboardInterrupt):
            while self.is_open:
                chunk, _ = self._drain.take(wait_s=None)
                try:
                    out.write(chunk)
                    out.flush()
                except (OSError, ValueError):
                    self._drain.discard()


def terminal_input() -> BinaryIO:
    """Take standard input's pipe to another descriptor, and put the terminal in its place, for the keys.

    Returns:
        The pipe, unbuffered.

    Raises:
        InputError: if nothing is piped in, or there is no terminal.
    """
    how = "python train.py | gdtui watch -"
    try:
        if os.isatty(0):
            raise InputError("watch", f"- reads what is piped in: {how}")
        pipe = os.dup(0)
    except OSError:
        raise InputError("watch", f"- reads what is piped in, and standard input is closed: {how}") from None
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        os.close(pipe)
        raise InputError("watch", "- reads from a pipe, so that the keys need a terminal: there is none here") from None
    os.dup2(terminal, 0)
    if terminal:
        os.close(terminal)
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    return os.fdopen(pipe, "rb", buffering=0)
