"""Records: a descent's record to the rows of a store and back, bit for bit; only what is new is written."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from gdtui.descent.checkpoints import Checkpoint
from gdtui.descent.history import Column, HistoryView
from gdtui.descent.record import Record
from gdtui.descent.snapshot import Event, State
from gdtui.experiment import Experiment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from sqlite3 import Connection

    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array


COUNTS = 9
"""Whole numbers at the beginning of a checkpoint's row; float64 follow."""

WORD = 2**64

KINDS = ("history", "tracked", "checkpoints")
"""Of the pieces in which a record's rows are kept."""

SEALED = (
    *("settings", "reason", "epoch", "updates", "visited", "seconds", "loss", "stride", "span", "pending_epochs"),
    *("theta", "pending", "newest"),
)
"""Columns under the seal of a run's row."""


@dataclass(frozen=True, slots=True)
class Written:
    """What of a record is in the store already.

    Attributes:
        visited: the visits until then.
        events: how many of its events.
        settled: how many settled rows of its history.
        span: the span that those have.
        tracked: how many tracked epochs.
        checkpoints: how many checkpoints.
        stride: the epochs between two of those.
    """

    visited: int = 0
    events: int = 0
    settled: int = 0
    span: int = 1
    tracked: int = 0
    checkpoints: int = 0
    stride: int = 1

    @classmethod
    def all_of(cls, record: Record) -> Written:
        """All of it."""
        return cls(
            visited=record.visited,
            events=len(record.events),
            settled=len(record.history.settled),
            span=record.history.span,
            tracked=len(record.tracked),
            checkpoints=len(record.checkpoints),
            stride=record.stride,
        )

    @classmethod
    def found(cls, connection: Connection, run: str) -> Written:
        """What of a run that is there the store has, within the transaction under way."""
        query = "SELECT visited, span, stride, (SELECT count(*) FROM event WHERE run = id) FROM run WHERE id = ?"
        visited, span, stride, events = connection.execute(query, (run,)).fetchone()
        query = "SELECT kind, sum(length(numbers) / (8 * width)) FROM piece WHERE run = ? GROUP BY kind"
        rows = dict(connection.execute(query, (run,)).fetchall())
        settled, tracked, checkpoints = (rows.get(kind, 0) for kind in KINDS)
        return cls(visited, events, settled, span, tracked, checkpoints, stride)


# --- to rows ---------------------------------------------------------------------------------------------------------


def write(connection: Connection, run: str, record: Record, before: Written) -> Written:
    """Write what is new in a record, within the transaction under way; the run itself is there already.

    In few statements: with each of them this thread gives way to the descent's.

    Returns:
        What is in the store once the transaction is committed.
    """

    def write_pieces(kind: str, rows: NDArray[Any], first: int, is_anew: bool) -> None:
        if is_anew:
            connection.execute("DELETE FROM piece WHERE run = ? AND kind = ?", (run, kind))
        if len(rows):
            numbers = rows.tobytes()
            values = (run, kind, first, rows.shape[1], numbers, crc32(numbers))
            connection.execute("INSERT INTO piece VALUES (?, ?, ?, ?, ?, ?)", values)

    _write_events(connection, run, record.events, before.events)
    is_thinned = record.history.span != before.span
    settled = 0 if is_thinned else before.settled
    write_pieces("history", record.history.settled[settled:], settled, is_thinned)
    write_pieces("tracked", record.tracked[before.tracked :], before.tracked, is_anew=False)
    is_thinned = record.stride != before.stride
    kept = 0 if is_thinned else before.checkpoints
    write_pieces("checkpoints", _packed(record.checkpoints[kept:]), kept, is_thinned)
    return Written.all_of(record)


def _write_events(connection: Connection, run: str, events: Sequence[Event], written: int) -> None:
    rows = [
        (run, number, event.update, event.epoch, event.setting, json.dumps(event.before), json.dumps(event.after))
        for number, event in enumerate(events[written:], written)
    ]
    if rows:
        connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _packed(checkpoints: Sequence[Checkpoint]) -> NDArray[np.uint64]:
    """Checkpoints as rows of 8 bytes a number: counts, the generator's state, then float64."""
    if not checkpoints:
        return np.empty((0, 0), dtype=np.uint64)
    counts, numbers = [], []
    for one in checkpoints:
        generator = one.generator_state
        state, increment = generator["state"]["state"], generator["state"]["inc"]
        counts.append(
            (
                *(one.epoch, one.updates, one.events),
                *divmod(state, WORD),
                *divmod(increment, WORD),
                *(generator["has_uint32"], generator["uinteger"]),
            )
        )
        numbers.append(np.concatenate([[one.visit_loss], one.theta, one.optimizer_state]))
    return np.hstack([np.array(counts, dtype=np.uint64), np.array(numbers).view(np.uint64)])


def columns(record: Record) -> dict[str, Any]:
    """What of a record stands in the run's own row and changes as it goes on."""
    values = {
        "settings": record.settings.to_line(),
        "state": record.state,
        "reason": record.reason,
        "epoch": record.epoch,
        "updates": record.updates,
        "visited": record.visited,
        "seconds": record.seconds,
        "loss": finite(record.loss),
        "theta": record.theta.tobytes(),
        "stride": record.stride,
        "span": record.history.span,
        "pending": np.array(record.history.pending).tobytes(),
        "pending_epochs": record.history.pending_epochs,
        "newest": _packed([record.newest]).tobytes(),
    }
    return values | {"seal": _seal(values)}


def _seal(row: Mapping[str, Any]) -> int:
    """A checksum of what changes in a run's row: SQLite has none of its own."""
    return crc32(repr([row[name] for name in SEALED]).encode())


def with_reason(connection: Connection, run: str, reason: str) -> dict[str, Any]:
    """The columns that change with a run's reason, within the transaction under way.

    Raises:
        ValueError: if what is there is not what was written.
    """
    found = connection.execute(f"SELECT {', '.join(SEALED)}, seal FROM run WHERE id = ?", (run,)).fetchone()
    row = dict(zip((*SEALED, "seal"), found, strict=True))
    _check_seal(run, row)
    return {"reason": reason, "seal": _seal(row | {"reason": reason})}


def _check_seal(run: str, row: Mapping[str, Any]) -> None:
    if row["seal"] not in (None, _seal(row)):
        raise ValueError(f"run {run} is damaged")


def finite(value: float) -> float | None:
    """A number for the store, which has no nan."""
    return None if math.isnan(value) else value


# --- from rows -------------------------------------------------------------------------------------------------------


def read(connection: Connection, run: str) -> Record:
    """The record of a run, as it was written last; within one transaction.

    Raises:
        LookupError: if there is no such run.
        ValueError: if what is there is not what was written.
        sqlite3.Error: if the store cannot be read.
    """
    connection.execute("BEGIN")
    try:
        return _read(connection, run)
    finally:
        connection.rollback()


def _read(connection: Connection, run: str) -> Record:
    cursor = connection.execute("SELECT * FROM run WHERE id = ?", (run,))
    found = cursor.fetchone()
    if found is None:
        raise LookupError(run)
    row = dict(zip([column[0] for column in cursor.description], found, strict=True))
    _check_seal(run, row)
    experiment = Experiment.from_line(row["experiment"])
    events = tuple(_events(connection, run))
    loss, theta = row["loss"], np.frombuffer(row["theta"])
    checkpoints = tuple(_unpacked(_pieces(connection, run, "checkpoints"), len(theta), experiment, events))
    newest = np.frombuffer(row["newest"] or b"")[None]
    return Record(
        experiment=experiment,
        settings=Experiment.from_line(row["settings"]),
        state=State(row["state"]),
        reason=row["reason"],
        epoch=row["epoch"],
        updates=row["updates"],
        visited=row["visited"],
        seconds=row["seconds"],
        loss=math.nan if loss is None else loss,
        theta=theta,
        samples=row["samples"],
        parameters=tuple(json.loads(row["parameters"])),
        way=0,
        events=events,
        history=_history(connection, run, row["pending"], row["pending_epochs"], row["span"]),
        tracked=_pieces(connection, run, "tracked"),
        stride=row["stride"],
        checkpoints=checkpoints,
        newest=next(_unpacked(newest, len(theta), experiment, events)) if newest.size else checkpoints[-1],
    )


def read_history(connection: Connection, run: str) -> HistoryView:
    """A run's history alone, which is much less than its record.

    Raises:
        ValueError: if what is there is not what was written.
        sqlite3.Error: if the store cannot be read.
    """
    found = connection.execute("SELECT pending, pending_epochs, span FROM run WHERE id = ?", (run,)).fetchone()
    return _history(connection, run, *found)


def _history(connection: Connection, run: str, pending: bytes, pending_epochs: int, span: int) -> HistoryView:
    rows = tuple(map(tuple, np.frombuffer(pending).reshape(-1, len(Column)).tolist()))
    return HistoryView(_pieces(connection, run, "history"), rows, pending_epochs, span)


def read_losses(connection: Connection, runs: Sequence[str]) -> dict[str, Array]:
    """The epochs and losses of the histories of many runs, shape (e, 2) each, by the runs' ids; of those that are kept.

    Raises:
        ValueError: if what is there is not what was written.
        sqlite3.Error: if the store cannot be read.
    """
    marks = ", ".join("?" * len(runs))
    query = f"SELECT run, numbers, seal FROM piece WHERE kind = 'history' AND run IN ({marks}) ORDER BY run, first"
    pieces: dict[str, list[bytes]] = {}
    for run, numbers, seal in connection.execute(query, runs):
        if seal not in (None, crc32(numbers)):
            raise ValueError(f"the history of run {run} is damaged")
        pieces.setdefault(run, []).append(numbers)
    pending = dict(connection.execute(f"SELECT id, pending FROM run WHERE id IN ({marks})", runs).fetchall())
    return {
        run: _history_rows(b"".join(numbers), pending[run])[:, [Column.EPOCH, Column.LOSS]]
        for run, numbers in pieces.items()
    }


def _history_rows(settled: bytes, pending: bytes) -> Array:
    rows = np.frombuffer(settled).reshape(-1, len(Column))
    if not pending:
        return rows
    return np.concatenate([rows, np.unique(np.frombuffer(pending).reshape(-1, len(Column)), axis=0)])


def _events(connection: Connection, run: str) -> Iterator[Event]:
    query = "SELECT at_update, at_epoch, setting, before, after FROM event WHERE run = ? ORDER BY number"
    for update, epoch, setting, before, after in connection.execute(query, (run,)):
        yield Event(update, epoch, setting, json.loads(before), json.loads(after))


def _pieces(connection: Connection, run: str, kind: str) -> Array:
    query = "SELECT width, numbers, seal FROM piece WHERE run = ? AND kind = ? ORDER BY first"
    pieces = connection.execute(query, (run, kind)).fetchall()
    if not pieces:
        return np.empty((0, 0))
    if any(seal not in (None, crc32(numbers)) for _, numbers, seal in pieces):
        raise ValueError(f"the {kind} of run {run} are damaged")
    return np.frombuffer(b"".join(numbers for _, numbers, _ in pieces)).reshape(-1, pieces[0][0])


def _unpacked(rows: Array, p: int, experiment: Experiment, events: Sequence[Event]) -> Iterator[Checkpoint]:
    """The checkpoints of packed rows; their settings are those of the start after the events until then."""
    settings, applied = experiment, 0
    counts = np.ascontiguousarray(rows[:, :COUNTS]).view(np.uint64).tolist()
    for (epoch, updates, made, *state, has_uint32, uinteger), numbers in zip(counts, rows[:, COUNTS:], strict=True):
        settings, applied = _after(settings, events[applied:made]), made
        yield Checkpoint(
            experiment=settings,
            epoch=epoch,
            updates=updates,
            theta=numbers[1 : 1 + p],
            optimizer_state=numbers[1 + p :],
            generator_state={
                "bit_generator": "PCG64",
                "state": {"state": state[0] * WORD + state[1], "inc": state[2] * WORD + state[3]},
                "has_uint32": has_uint32,
                "uinteger": uinteger,
            },
            visit_loss=float(numbers[0]),
            events=made,
        )


def _after(settings: Experiment, events: Sequence[Event]) -> Experiment:
    for event in events:
        settings = settings.replace(**{event.setting: event.after})
    return settings
