"""Inbox: what a loop hands over to the thread that writes it; handing over never waits."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import RLock
from typing import Any

MOST = 100_000
"""Things that wait to be taken."""

MOST_BYTES = 64 * 2**20
"""Of those that have a size, as samples and text."""


class Inbox:
    """Things in their order, bounded in number and size; what there is no room for is dropped, and its values counted.

    Attributes:
        dropped: values that there was no room for.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._things: deque[Any] = deque()
        self._values = self._bytes = 0
        self._is_closed = False
        # A signal's handler may hand something over in the midst of handing over: both let the same thread in again.
        self._lock = RLock()
        self._wake: SimpleQueue[None] = SimpleQueue()

    def put(self, thing: Any, values: int, size: int = 0) -> None:
        """Hand something over: so many values, in so many bytes where it is large."""
        with self._lock:
            things = self._things
            if len(things) >= MOST or self._bytes + size > MOST_BYTES or self._is_closed:
                self.dropped += values
                return
            things.append(thing)
            self._values += values
            self._bytes += size
            is_half = len(things) == MOST // 2 or self._bytes - size < MOST_BYTES // 2 <= self._bytes
        if is_half:
            self.wake()

    def take(self) -> deque[Any]:
        """Everything that waits, in its order."""
        with self._lock:
            things, self._things = self._things, deque()
            self._values = self._bytes = 0
            return things

    def close(self) -> None:
        """From now on there is no room."""
        with self._lock:
            self._is_closed = True

    def abandon(self) -> None:
        """The same, and what waits is dropped."""
        with self._lock:
            self.close()
            self.dropped += self._values
            self.take()

    def wake(self) -> None:
        """Whoever waits need not."""
        self._wake.put(None)

    def wait(self, seconds: float) -> None:
        """Until there is much to take, or `wake`; so many seconds at most."""
        with suppress(Empty):
            self._wake.get(timeout=seconds)
