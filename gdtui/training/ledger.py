"""Ledger: a training's rows in the store, as they are written."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from enum import IntEnum
from time import time
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from gdtui.runs.holding import NOBODY, StoreConnection, TakenError, here, insert, maker, new_id, transaction, update
from gdtui.runs.records import finite
from gdtui.runs.store import LAST, LONGEST_NAME, TRAINING
from gdtui.training.control import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from sqlite3 import Connection

    from gdtui.descent.snapshot import Event
    from gdtui.problems.datasets import Array
    from gdtui.training.moment import Moment

VALUES = "values"
"""The kind of piece in which values are kept."""

SHORT_PIECE = 512
LONGEST_PIECE = 8_192
"""Rows: a short piece grows, so that a slow training has few; a long one would hold up the loop, and readers."""

MOST_MOMENTS = 1_000
MOST_MOMENT_BYTES = 2**29
"""When a run has more, every other one goes."""

UNKNOWN_EPOCH = -1.0
"""An event's epoch where it is not known: the store has no nan."""


NOTHING_YET = {
    **dict.fromkeys(("epoch", "updates", "visited", "seconds", "samples", "pending_epochs"), 0),
    **dict.fromkeys(("stride", "span"), 1),
    **dict.fromkeys(("theta", "pending"), b""),
    "state": "running",
    "reason": "",
    "parameters": "[]",
}
"""Columns of a training that has just begun."""


class Field(IntEnum):
    """What each row of values holds; from the second on as in `curves.Column`."""

    NAME = 0
    STEP = 1
    EPOCH = 2
    SECONDS = 3
    VALUE = 4


@dataclass(frozen=True, slots=True)
class Title:
    """What a training is begun with.

    Attributes:
        name: what it is to be called; empty, or with a number after it where another run is called so.
        line: its config as one line of text.
        config: the same as JSON.
        tags: words to find it by, parted by blanks.
        note: what its owner has to say of it.
        parent: the run of the process that this one was forked from; empty where there is none.
    """

    name: str = ""
    line: str = TRAINING
    config: str = "{}"
    tags: str = ""
    note: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """What is new of a training.

    Attributes:
        names: of all its values so far, by their numbers.
        values: shape (m, 5), columns as in `Field`.
        moments: in their order.
        lines: of text.
        events: changes made during it.
    """

    names: Sequence[str] = ()
    values: Array = field(default_factory=lambda: np.empty((0, len(Field))))
    moments: Sequence[Moment] = ()
    lines: Sequence[str] = ()
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What of a training is in the store.

    Attributes:
        names: how many names.
        values: how many rows of values.
        tail: the newest piece, where it can grow.
        moments: how many moments there ever were.
        sizes: bytes of those that are kept, by number.
        stride: one of so many moments is kept.
        lines: how many lines.
        events: how many events.
    """

    names: int = 0
    values: int = 0
    tail: bytes = b""
    moments: int = 0
    sizes: Mapping[int, int] = field(default_factory=dict)
    stride: int = 1
    lines: int = 0
    events: int = 0

    @classmethod
    def found(cls, connection: Connection, run: str) -> Written:
        """What of a run is there, within the transaction under way."""

        def count(table: str) -> int:
            query = f"SELECT coalesce(max(number) + 1, 0) FROM {table} WHERE run = ?"
            return int(connection.execute(query, (run,)).fetchone()[0])

        values, stride = connection.execute("SELECT visited, stride FROM run WHERE id = ?", (run,)).fetchone()
        query = "SELECT number, length(samples) + length(numbers) + length(labels) FROM moment WHERE run = ?"
        sizes = dict(connection.execute(query, (run,)).fetchall())
        names, moments, lines, events = map(count, ("value_name", "moment", "line", "event"))
        return cls(names, values, b"", moments, sizes, stride, lines, events)


class Ledger:
    """Writes one training.

    Attributes:
        run: its id.
        name: what it is called, once it is there.
        line: the connection to the store.
        is_begun: it is there.
    """

    def __init__(self, path: Path, title: Title) -> None:
        self.run = new_id()
        self.name = title.name
        self.line = StoreConnection(path)
        self.is_begun = False
        self._title = title
        self._owner = secrets.token_hex(8)
        self._origin = {"created": time(), "folder": here()}
        self._written: Written | None = None  # what is there; None until it is looked up

    def write(self, news: News, now: Mapping[str, Any], is_controlled: bool = False, is_last: bool = False) -> None:
        """Write what is new and how the run stands now; with the last of it, let go of the run.

        Args:
            news: what is new.
            now: columns of the run.
            is_controlled: its loop asks what is wanted.
            is_last: nothing follows.

        Raises:
            TakenError: if the run was deleted.
            sqlite3.Error, OSError: if it cannot be written.
        """
        connection = self.line.open()
        if self.line.is_elsewhere:
            self.is_begun = False
        before = None if self.line.is_new else self._written
        with transaction(connection):
            if not self.is_begun:
                self._begin(connection)
                before = Written()
            if before is None:
                before = self._found(connection)
            if update(connection, self._mine, {**now, "heartbeat": time()}) == 0:
                raise TakenError(f"run {self.run} was deleted")
            written = _append(connection, self.run, news, before)
            counts = {"visited": written.values, "stride": written.stride}
            update(connection, self._mine, counts | (NOBODY if is_last else {}))
            if is_controlled:
                wanted = Wanted().to_text()
                connection.execute("UPDATE run SET wanted = ? WHERE id = ? AND wanted IS NULL", (wanted, self.run))
        self._written, self.is_begun = written, True

    def wanted(self) -> Wanted | None:
        """What is wanted of its loop; None where it cannot be known now."""
        if self.line.current is None:
            return None
        found = self.line.current.execute("SELECT wanted FROM run WHERE id = ?", (self.run,)).fetchone()
        return Wanted.from_text(found[0]) if found and found[0] else None

    @property
    def _mine(self) -> dict[str, str]:
        return {"id": self.run, "owner": self._owner}

    def _found(self, connection: Connection) -> Written:
        if not connection.execute("SELECT 1 FROM run WHERE id = ?", (self.run,)).fetchone():
            raise TakenError(f"run {self.run} was deleted")
        return Written.found(connection, self.run)

    def _begin(self, connection: Connection) -> None:
        title = self._title
        names = {name for (name,) in connection.execute("SELECT name FROM run WHERE name != ''")}
        self.name = free_name(title.name, {*names, LAST})
        row = {
            **self._mine,
            **self._origin,
            **maker(self._owner),
            "parent": title.parent or None,
            "kind": TRAINING,
            "name": self.name,
            "tags": title.tags,
            "note": title.note,
            "experiment": title.line,
            "settings": title.line,
            "config": title.config,
        }
        insert(connection, NOTHING_YET | row)


def free_name(name: str, taken: set[str]) -> str:
    """That name where it is free, else with the first number that makes it so."""
    number, free = 1, name
    while free and free in taken:
        number += 1
        ending = f"-{number}"
        free = name[: LONGEST_NAME - len(ending)] + ending
    return free


def kept_moments(sizes: Mapping[int, int], stride: int) -> tuple[dict[int, int], int]:
    """Which moments stay, by number: one of every `stride`, and the newest.

    Args:
        sizes: the bytes of each, by number.
        stride: the stride until now.

    Returns:
        The sizes of those that stay, and the stride from now on.
    """
    newest = max(sizes)
    kept = {number: size for number, size in sizes.items() if number % stride == 0 or number == newest}
    is_too_much = len(kept) > MOST_MOMENTS or (len(kept) > 2 and sum(kept.values()) > MOST_MOMENT_BYTES)
    return kept_moments(kept, 2 * stride) if is_too_much else (kept, stride)


def _append(connection: Connection, run: str, news: News, before: Written) -> Written:
    names = [(run, number, name) for number, name in enumerate(news.names) if number >= before.names]
    connection.executemany("INSERT INTO value_name VALUES (?, ?, ?)", names)
    lines = [(run, number, text) for number, text in enumerate(news.lines, before.lines)]
    connection.executemany("INSERT INTO line VALUES (?, ?, ?)", lines)
    events = [(run, number, *_packed(event)) for number, event in enumerate(news.events, before.events)]
    connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", events)
    sizes, stride = _write_moments(connection, run, news.moments, before)
    return replace(
        before,
        names=before.names + len(names),
        values=before.values + len(news.values),
        tail=_write_values(connection, run, news.values, before),
        moments=before.moments + len(news.moments),
        sizes=sizes,
        stride=stride,
        lines=before.lines + len(lines),
        events=before.events + len(events),
    )


def _write_values(connection: Connection, run: str, values: Array, before: Written) -> bytes:
    """Write rows to the newest piece while it is short, else to one of their own; what of it can still grow."""
    tail, width = before.tail, len(Field)
    for start in range(0, len(values), LONGEST_PIECE):
        first = before.values + start - len(tail) // (8 * width)
        numbers = tail + values[start : start + LONGEST_PIECE].tobytes()
        row = (run, VALUES, first, width, numbers, crc32(numbers))
        connection.execute("INSERT OR REPLACE INTO piece VALUES (?, ?, ?, ?, ?, ?)", row)
        tail = numbers if len(numbers) < 8 * width * SHORT_PIECE else b""
    return tail


def _write_moments(
    connection: Connection, run: str, moments: Sequence[Moment], before: Written
) -> tuple[Mapping[int, int], int]:
    sizes, stride = before.sizes, before.stride
    for number, moment in enumerate(moments, before.moments):
        samples, numbers, labels = moment.samples.tobytes(), moment.numbers.tobytes(), json.dumps(moment.labels)
        size = len(samples) + len(numbers) + len(labels)
        kept, stride = kept_moments({**sizes, number: size}, stride)
        gone = [(run, other) for other in sizes if other not in kept]
        connection.executemany("DELETE FROM moment WHERE run = ? AND number = ?", gone)
        values = (number, moment.step, finite(moment.epoch), moment.seconds, samples, numbers, labels)
        row = (run, *values, json.dumps(dict(moment.instruments)), crc32(samples + numbers))
        connection.execute("INSERT INTO moment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        sizes = kept
    return sizes, stride


def _packed(event: Event) -> tuple[Any, ...]:
    epoch = UNKNOWN_EPOCH if finite(event.epoch) is None else event.epoch
    return event.update, epoch, event.setting, json.dumps(event.before), json.dumps(event.after)
