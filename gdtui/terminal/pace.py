"""Pace: when the next delta may go, and how much it may be: what the link carries, found out from the answers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import inf


class Question(Enum):
    """What a terminal is asked, so that its answer says that all before has come."""

    CURSOR = "\x1b[6n"
    """DSR, device status report, of the cursor's position (CPR): short, and nearly all terminals know it."""
    MODE = "\x1b[?2026$p"
    """DECRQM, request mode: is there synchronized output? Textual asks it at the start."""


@dataclass(frozen=True, slots=True)
class Link:
    """How the terminal is reached.

    Attributes:
        bytes_per_s: sent within the last seconds.
        round_trip_ms: from a delta's first byte to the terminal's answer; None where it gives none.
        is_limit: frames were left out because the link did not carry them.
    """

    bytes_per_s: float
    round_trip_ms: float | None
    is_limit: bool


SILENCE_S = 2.0
"""After this long without any answer a terminal is one that does not answer."""
LEAST_PATIENCE_S = 0.4
"""After this long, or some round trips, one that does is asked again; then after twice as long, and so on."""
LONGEST_PATIENCE_S = 8.0
"""When it has been asked in vain for so long, a delta goes along with each question."""
SILENT_FPS = 10.0
"""Deltas a second for a terminal that does not answer."""
SLICE_S = 0.25
"""What a delta may take on a slow link, so that a key is not long in coming."""
FIRST_SLICE, MOST_SLICE = 1000, 64_000
LEAST_SLICE = 250
QUICK_S = 0.05
"""An answer that takes no longer than this beyond the least ever says nothing about the link's rate."""
WINDOW_S = 2.0
"""Over which bytes are counted, and for which a limit stays one."""


class Pace:
    """Says when to send. Times are in seconds, of any clock that only goes forward.

    Attributes:
        fps: deltas a second at most.
        slice: bytes that the next delta may have, about.
        marks: the terminal knows the marks of synchronized output.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self.slice = FIRST_SLICE
        self.marks = False
        self._sizes: deque[tuple[float, int]] = deque()
        self._least = inf
        self._round_trip: float | None = None  # 0 where it has answered, and none was measured
        self._limited = -inf
        self._is_silent = False
        self._awaited: set[Question] = set()
        self._asked_at = self._sent_at = -inf
        self._begun_at = 0.0
        self._size = 0
        self._patience = SILENCE_S
        self._rate = inf

    def begin(self, now: float) -> None:
        """The terminal is asked for the first time; deltas need not wait for this answer."""
        self._begun_at = now

    @property
    def is_waiting(self) -> bool:
        """An answer is to come."""
        return bool(self._awaited)

    @property
    def asks(self) -> bool:
        """A delta ends with a question."""
        return not self._is_silent

    def due(self) -> float:
        """When the next delta may go; `inf` where an answer is waited for."""
        if self._is_silent:
            return self._sent_at + max(1 / min(self.fps, SILENT_FPS), self._size / self._rate)
        return inf if self.is_waiting else self._sent_at + 1 / self.fps

    def sent(self, size: int, now: float) -> None:
        """So many bytes are on their way, the question last."""
        self._sizes.append((now, size))
        while self._sizes[0][0] < now - WINDOW_S:
            self._sizes.popleft()
        self._size, self._sent_at = size, now
        if not self._is_silent:
            self._awaited, self._asked_at = {Question.CURSOR}, now

    def blocked(self, size: int, seconds: float) -> None:
        """The line took no more for some time, and then so many bytes: that is its rate, where nothing answers."""
        self._rate = max(size, 1) / max(seconds, 1e-3)

    def answered(self, question: Question, is_wanted: bool, now: float) -> None:
        """The terminal answered.

        Args:
            question: which one.
            is_wanted: a delta waited for it.
        """
        self.marks = self.marks or question is Question.MODE
        self._is_silent = False
        if self._round_trip is None:
            self._round_trip, self._patience = 0.0, LEAST_PATIENCE_S
            self._least = now - self._begun_at
        if question not in self._awaited:
            return
        self._awaited = set()
        if question is Question.CURSOR:
            self._measure(now - self._sent_at, is_wanted, now)
        self._patience = min(max(LEAST_PATIENCE_S, 3 * self._round_trip), SILENCE_S)

    def _measure(self, seconds: float, is_wanted: bool, now: float) -> None:
        self._least = min(self._least, seconds)
        self._round_trip = 0.7 * self._round_trip + 0.3 * seconds if self._round_trip else seconds
        if seconds - self._least > QUICK_S:
            self.slice = max(round(SLICE_S * self._size / (seconds - self._least)), LEAST_SLICE)
            if is_wanted:
                self._limited = now
        elif 2 * self._size > self.slice:
            self.slice = min(4 * self.slice, MOST_SLICE)

    def expires(self) -> float:
        """When the patience with an answer ends; `inf` where none is waited for."""
        return self._asked_at + self._patience if self.is_waiting else inf

    def expired(self, now: float) -> Question | None:
        """Wait no longer; returns what to ask again, or None where a delta may go.

        A terminal that has never answered never will. Of one that has, the link may have come to a halt: a question
        now and then adds little to what waits there. It is the other question, so that an answer to the first that
        is merely late is not taken for one to the next delta.
        """
        if self._round_trip is None:
            self._is_silent = True
        elif self._patience < LONGEST_PATIENCE_S:
            other = Question.MODE if self.marks else Question.CURSOR
            self._awaited.add(other)
            self._asked_at = now
            self._patience *= 2
            return other
        self._awaited = set()
        return None

    def link(self, now: float) -> Link:
        """The link's figures."""
        size = sum(size for at, size in tuple(self._sizes) if at >= now - WINDOW_S)
        return Link(size / WINDOW_S, self._round_trip and 1000 * self._round_trip, now - self._limited < WINDOW_S)
