"""Kept: a training that is recorded in the store, followed as it goes on; each look reads only what is new."""

from __future__ import annotations

import json
import math
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from gdtui.descent.snapshot import Event
from gdtui.experiment import InputError
from gdtui.training.control import Wanted
from gdtui.training.curves import Curve
from gdtui.training.ledger import UNKNOWN_EPOCH, VALUES, Field
from gdtui.training.moment import Moment, Number
from gdtui.training.titles import flat
from gdtui.training.training import LINES, Training

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection

    from gdtui.problems.datasets import Array
    from gdtui.runs.store import Run, Store

LOOK_ROWS = 250_000
"""Values that one look reads at most; it takes a tenth of a second or so."""


def training_of(store: Store, run: Run) -> Training:
    """A kept training as it stands now, all of it, however many looks that takes.

    Raises:
        InputError: if it is not kept any more, or cannot be read.
    """
    kept = KeptTraining(store, run)
    training = kept.look()
    assert training is not None  # it is the first look
    while training.read < 1 and (more := kept.look()) is not None:
        training = more
    return training


class KeptTraining:
    """Follows one training that is kept, whether it goes on or is over.

    Attributes:
        run: the run, as it was seen last.
    """

    def __init__(self, store: Store, run: Run) -> None:
        """Nothing is read before the first look."""
        self.run: Run | None = run
        self._store, self._id = store, run.id
        self._seen: tuple[object, ...] = ()
        self._names: list[str] = []
        self._curves: dict[str, Curve] = {}
        self._values = self._first = 0  # rows that were read, and the first row of the piece that was read last
        self._steps: dict[int, int] = {}  # of the moments that are kept, by number
        self._moment: tuple[int, Moment] | None = None
        self._lines: deque[tuple[int, str]] = deque(maxlen=LINES)
        self._events: tuple[Event, ...] = ()

    def look(self) -> Training | None:
        """What has become of it; None where nothing has happened since the last look.

        Raises:
            InputError: if it is not kept any more, or cannot be read.
        """
        self.run = run = self._store.run(self._id)
        with self._reading() as connection:
            connection.execute("BEGIN")  # all of it as it is at one moment
            query = "SELECT config, visited, dropped, wanted IS NOT NULL FROM run WHERE id = ?"
            found = connection.execute(query, (self._id,)).fetchone()
            if found is None:
                raise InputError("run", f"run {self._id} is not kept any more")
            text, values, dropped, asks = found
            config = tuple(flat(json.loads(text or "{}")))
            self._read_values(connection)
            self._read_moments(connection)
            self._read_rest(connection)
        newest = self._moment[0] if self._moment else -1, self._newest_line
        seen = run, values, self._values, dropped, asks, len(self._events), newest
        if seen == self._seen:
            return None
        self._seen = seen
        return Training(
            name=run.name or run.id,
            config=config,
            state=run.state,
            reason=run.reason,
            curves={name: curve.points for name, curve in self._curves.items()},
            moment=self._moment[1] if self._moment else None,
            moments=tuple(sorted(set(self._steps.values()))),
            events=self._events,
            lines=tuple(self._lines),
            values=values,
            dropped=dropped,
            is_controlled=bool(asks) and run.is_made,
            read=min(1.0, self._values / values) if values else 1.0,
        )

    def moment(self, step: int) -> Moment | None:
        """The probe of that step, the newest where there are several; None where it is not there any more.

        Raises:
            InputError: if it cannot be read.
        """
        with self._reading() as connection:
            return self._read_moment(connection, "step = ? ORDER BY number DESC LIMIT 1", step)

    def ask(self, what: str, value: float | None = None) -> None:
        """Ask its loop for something: pause, go-on, stop, or lr with its value.

        Raises:
            InputError: if its loop does not ask, or it cannot be told.
        """
        run = self._store.run(self._id)
        if not run.is_made:
            raise InputError("run", f"run {run.id} is {run.state}: there is no loop to ask")
        with self._store.writing() as connection:
            found = connection.execute("SELECT wanted FROM run WHERE id = ?", (self._id,)).fetchone()
            if found is None or found[0] is None:
                raise InputError("run", "its loop does not ask what is wanted: run.control() in it would")
            wanted = Wanted.from_text(found[0]).after(what, value)
            connection.execute("UPDATE run SET wanted = ? WHERE id = ?", (wanted.to_text(), self._id))

    def close(self) -> None:
        """Nothing is held."""

    @property
    def _newest_line(self) -> int:
        return self._lines[-1][0] if self._lines else -1

    # --- reading -------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection; what is not as it was written is told in one line."""
        with self._store.reading() as connection:
            try:
                yield connection
            except InputError:
                raise
            except (ValueError, TypeError, LookupError) as error:
                text = f"run {self._id} cannot be read from {self._store.path}: {error}"
                raise InputError("run", text) from error

    def _read_values(self, connection: Connection) -> None:
        query = "SELECT number, name FROM value_name WHERE run = ? AND number >= ? ORDER BY number"
        self._names += [name for _, name in connection.execute(query, (self._id, len(self._names)))]
        query = "SELECT first, numbers, seal FROM piece WHERE run = ? AND kind = ? AND first >= ? ORDER BY first"
        blocks, room = [], LOOK_ROWS
        for first, numbers, seal in connection.execute(query, (self._id, VALUES, self._first)):
            if crc32(numbers) != seal:
                raise InputError("run", f"the values of run {self._id} are damaged")
            rows = np.frombuffer(numbers).reshape(-1, len(Field))[max(0, self._values - first) :]
            blocks.append(rows)
            self._first, self._values = first, max(self._values, first + len(numbers) // (8 * len(Field)))
            room -= len(rows)
            if room <= 0:
                break
        if room < LOOK_ROWS:
            self._draw(np.concatenate(blocks))

    def _draw(self, rows: Array) -> None:
        """Append each value to its curve."""
        order = rows[:, Field.NAME].argsort(kind="stable")
        numbers, starts = np.unique(rows[order, Field.NAME], return_index=True)
        for number, part in zip(numbers.astype(int).tolist(), np.split(order, starts[1:]), strict=True):
            curve = self._curves.setdefault(self._names[number], Curve())
            curve.append(rows[part, Field.STEP :])

    def _read_moments(self, connection: Connection) -> None:
        query = "SELECT number FROM moment WHERE run = ?"
        kept = {number for (number,) in connection.execute(query, (self._id,))}
        query = "SELECT number, step FROM moment WHERE run = ? AND number > ?"
        new = dict(connection.execute(query, (self._id, max(self._steps, default=-1))).fetchall())
        self._steps = {number: step for number, step in self._steps.items() if number in kept} | new
        newest = max(self._steps, default=None)
        if newest is not None and (self._moment is None or newest != self._moment[0]):
            moment = self._read_moment(connection, "number = ?", newest)
            self._moment = (newest, moment) if moment else None

    def _read_moment(self, connection: Connection, which: str, value: int) -> Moment | None:
        columns = "step, epoch, seconds, samples, numbers, labels, instruments, seal"
        query = f"SELECT {columns} FROM moment WHERE run = ? AND {which}"
        found = connection.execute(query, (self._id, value)).fetchone()
        if found is None:
            return None
        step, epoch, seconds, samples, numbers, labels, instruments, seal = found
        if crc32(samples + numbers) != seal:
            raise InputError("run", f"the samples of run {self._id} at step {step} are damaged")
        return Moment(
            step=step,
            epoch=math.nan if epoch is None else epoch,
            seconds=seconds,
            samples=np.frombuffer(samples, dtype=np.int64),
            numbers=np.frombuffer(numbers).reshape(-1, len(Number)),
            labels=tuple(json.loads(labels)),
            instruments=json.loads(instruments),
        )

    def _read_rest(self, connection: Connection) -> None:
        query = "SELECT number, text FROM line WHERE run = ? AND number > ? ORDER BY number DESC LIMIT ?"
        lines = connection.execute(query, (self._id, self._newest_line, LINES)).fetchall()
        self._lines.extend(reversed(lines))
        columns = "at_update, at_epoch, setting, before, after"
        query = f"SELECT {columns} FROM event WHERE run = ? AND number >= ? ORDER BY number"
        for update, epoch, setting, before, after in connection.execute(query, (self._id, len(self._events))):
            at_epoch = math.nan if epoch == UNKNOWN_EPOCH else epoch
            self._events += (Event(update, at_epoch, setting, json.loads(before), json.loads(after)),)
