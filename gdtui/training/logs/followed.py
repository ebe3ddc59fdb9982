"""Followed: a log file as it grows, first as an overview where it is long, then line for line."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from time import monotonic, perf_counter, time
from typing import TYPE_CHECKING

from gdtui.experiment import InputError, printable
from gdtui.training.logs.events import Events, is_events
from gdtui.training.logs.formats import Format, Text, decide
from gdtui.training.logs.log import Log
from gdtui.training.logs.tail import Change, Tail

if TYPE_CHECKING:
    from pathlib import Path

    from gdtui.runs.store import Run
    from gdtui.training.moment import Moment
    from gdtui.training.training import Training

LOOK_S = 0.08
"""Seconds of reading in a look."""

CHUNK = 1 << 17
HEAD = 1 << 16
"""Bytes by which it is decided how a log is to be read, if a line is not found before."""

REST_S = 1.0
"""A last line without its end is looked at when nothing has been written for so long."""

QUIET_S = 60.0
"""When nothing has been written for so long, it is said."""

BLOCKS, BLOCK, LARGEST_BLOCK = 200, 1 << 12, 1 << 20
"""Blocks of an overview, and bytes in one; longer lines have fewer and larger ones."""

NO_NUMBERS = "no numbers found yet; they are read from loss=0.5 or loss: 0.5"


class Reading:
    """A log that is read on from one position of its file."""

    def __init__(self, form: Format, log: Log, position: int = 0) -> None:
        self.form, self.log, self.position = form, log, position

    def feed(self, data: bytes, read_at: float = math.nan) -> None:
        """The bytes that follow."""
        self.log = self.log.add(self.form.feed(data), read_at)
        self.position += len(data)

    def guess(self) -> Reading:
        """The same, with a last line that has no end yet as if it were whole."""
        guess = deepcopy(self)
        guess.log = guess.log.add(guess.form.end())
        return guess

    def overview(self, tail: Tail) -> Reading:
        """The same up to where it has been read; from there on blocks at even distances, and exactly the newest end."""
        over = deepcopy(self)
        rows_a_byte, lines_a_byte = (count / self.position for count in (self.log.rows, self.log.numbered))
        first, last = self.position, max(self.position, tail.size - CHUNK)
        width = round(min(max(BLOCK, 4 / max(lines_a_byte, 1e-9)), LARGEST_BLOCK))
        blocks = max(8, min(BLOCKS, BLOCKS * BLOCK // width, (last - first) // width))
        for at in [*(first + (last - first) * block // blocks for block in range(blocks)), last]:
            over.form.cut()
            over.log.rows, over.log.numbered = round(at * rows_a_byte), round(at * lines_a_byte)
            over.feed(tail.read(at, width if at < last else CHUNK))
        over.position = tail.size
        return over


class Followed(ABC):
    """What is the same for all logs: they can be watched only.

    Attributes:
        run: None, as it is not a kept run.
    """

    run: Run | None = None

    def __init__(self) -> None:
        self._reading: Reading | None = None
        self._moment: Moment | None = None

    def moment(self, step: int) -> Moment | None:
        """The samples of that step; only the newest ones are known."""
        return self._moment if self._moment is not None and self._moment.step == step else None

    def ask(self, what: str, value: float | None = None) -> None:
        """Nobody asks.

        Raises:
            InputError: always.
        """
        del value
        raise InputError(what, "a log can be watched only: its program does not ask")

    @abstractmethod
    def look(self) -> Training | None:
        """What the log tells; None where nothing has happened since the last look."""

    @abstractmethod
    def close(self) -> None:
        """Follow it no longer."""


class FollowedLog(Followed):
    """Follows a log file; one that is not there yet is waited for."""

    def __init__(self, path: Path, name: str = "") -> None:
        super().__init__()
        self._path, self._name = path, printable(name or path.name)
        self._tail = Tail(path)
        self._overview: Reading | None = None
        self._guess: Reading | None = None
        self._began = self._moved = monotonic()
        self._is_live = False
        self._shown: str | None = None

    def look(self) -> Training | None:
        """What the log tells, as far as it has been read; None where nothing has happened since the last look.

        Raises:
            InputError: if it cannot be read, or is no log.
        """
        missing, has_moved = "", False
        change = self._tail.look(self._reading.position if self._reading else 0)
        if change in (Change.ROTATED, Change.BEGUN_AGAIN):
            self._begin_again(change)
        if change is Change.MISSING:
            missing = f"{self._tail.name} is {'deleted' if self._reading else 'not there yet'}"
        else:
            has_moved = self._read(perf_counter() + LOOK_S)
        if has_moved:
            self._moved, self._guess = monotonic(), None
        elif self._guess is None and monotonic() - self._moved > REST_S:
            has_moved = self._rest()
        notice = missing or self._notice()
        if not has_moved and notice == self._shown:
            return None
        self._shown = notice
        return self._training(notice)

    def _begin_again(self, change: Change) -> None:
        """Another file, or the same one written again."""
        self._overview = None
        self._is_live = self._is_live and change is Change.ROTATED
        if (reading := self._reading) is not None:
            rest = reading.form.end()
            if change is Change.ROTATED:
                reading.log = reading.log.add(rest)
            else:
                reading.form.begin_again()
            reading.log.begin_again(is_new_in_doubt=change is Change.BEGUN_AGAIN)
            reading.position = 0

    def _read(self, until: float) -> bool:
        """Read on until there is no more, or no more time; whether there was anything."""
        if self._tail.size == 0 or (self._reading is None and not self._decide()):
            return False
        reading = self._reading
        assert reading is not None
        began = reading.position
        while reading.position < self._tail.size:
            data = self._tail.read(reading.position, CHUNK)
            reading.feed(data, monotonic() - self._began if self._is_live else math.nan)
            if not data or perf_counter() > until:
                break
        if reading.position >= self._tail.size:
            self._overview, self._is_live = None, True
        elif self._overview is not None:
            self._overview.feed(self._tail.read(self._overview.position, CHUNK))
        elif reading.position and reading.form.is_seekable and not self._is_live:
            self._overview = reading.overview(self._tail)
        return reading.position > began

    def _decide(self) -> bool:
        """Find out how the log is to be read, once there is a line or two; whether it is known."""
        head = self._tail.read(0, HEAD)
        is_whole = len(head) == HEAD or monotonic() - self._moved > REST_S or time() - self._tail.written > REST_S
        form: Format | None = Events() if is_events(head) else None
        if form is None and b"\n" not in head.strip() and not is_whole:
            return False
        form = form or decide(head, self._path.suffix.lower())
        if form is None:
            raise InputError(
                "watch",
                f"{self._tail.name} is no log that can be read: there is JSON lines, CSV, TensorBoard events and text",
            )
        self._reading = Reading(form, Log())
        return True

    def _rest(self) -> bool:
        """Look at a last line that has no end yet; whether it tells something."""
        if self._reading is None or self._overview is not None:
            return False
        self._guess = self._reading.guess()
        return self._guess.log.numbered > self._reading.log.numbered

    def _notice(self) -> str:
        """That nothing has been written for long."""
        if time() - self._tail.written < QUIET_S or math.isnan(self._tail.written):
            return ""
        return f"nothing has been written since {datetime.fromtimestamp(self._tail.written):%Y-%m-%d %H:%M}"

    def _training(self, notice: str) -> Training:
        reading = self._reading or Reading(Text(), Log())
        training = (self._overview or self._guess or reading).log.training(self._name)
        self._moment = training.moment
        notices = [training.notice, notice]
        if training.lines and not training.curves:
            notices.append(NO_NUMBERS)
        return replace(
            training,
            values=reading.log.values,
            bad_lines=reading.log.bad,
            read=min(1.0, reading.position / self._tail.size) if self._tail.size else 1.0,
            notice="; ".join(filter(None, notices)),
        )

    def close(self) -> None:
        """Follow it no longer."""
        self._tail.close()
