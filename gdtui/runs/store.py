"""Store: the runs that are kept, in one SQLite file that several processes read and write at once."""

from __future__ import annotations

import math
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from gdtui.experiment import InputError, printable, shown, unknown
from gdtui.runs import files, processes, schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from gdtui.descent.record import Record

LAST = "last"
LONGEST_NAME = 40
TRAINING, SWEEP = "training", "sweep"

IS_CALLED = "(id = ?1 OR (name = ?1 AND name != ''))"
"""Which run or sweep has this whole id or name."""


@dataclass(frozen=True, slots=True)
class Run:
    """A kept run, in a line: no more than a list of runs needs.

    Attributes:
        id: its own name for ever.
        parent: the run that it went another way from; empty where there is none.
        created: when it began, in seconds since 1970.
        folder: where its experiment's relative file names begin.
        experiment: the settings at the start, as one line.
        settings: the settings as they are now, as one line.
        state: what has become of it; interrupted where nobody makes it any more.
        reason: why it diverged; empty otherwise.
        epoch: epochs completed.
        updates: updates made.
        seconds: time spent in the descent.
        loss: f after the last completed epoch.
        samples: n.
        host: the machine on which it is made; empty where nobody makes it.
        process: the process that makes it; empty where nobody does.
        name: what its owner calls it; empty, or no other run has it.
        tags: words to find it by.
        note: what its owner has to say of it.
        kind: descent, gdtui's own; training, another program's, whose settings are what it says of itself; or a sweep's
            line in a list of runs, with how many of its runs are over for its epoch, and of how many for its updates.
        sweep: the sweep that it is one of; empty where it was begun by itself.
    """

    id: str
    parent: str
    created: float
    folder: str
    experiment: str
    settings: str
    state: str
    reason: str
    epoch: int
    updates: int
    seconds: float
    loss: float
    samples: int
    host: str
    process: str
    name: str
    tags: tuple[str, ...]
    note: str
    kind: str = "descent"
    sweep: str = ""

    @property
    def is_training(self) -> bool:
        """Another program's: it can be watched, not run."""
        return self.kind == TRAINING

    @property
    def is_made(self) -> bool:
        """A process makes it, or has it open and may go on."""
        return bool(self.process)

    @property
    def maker(self) -> str:
        """Who makes it, in the words that people know a process by."""
        return made_by(self.host, self.process)


_STORED = tuple(field.name for field in fields(Run))


def _run(row: dict[str, Any]) -> Run:
    heartbeat = row.pop("heartbeat")
    if not processes.is_alive(row["host"], row["process"], heartbeat):
        row["host"] = row["process"] = None
        # A descent that is paused can be gone on with; another program's loop, once it is gone, cannot.
        is_cut_off = row["state"] == "running" or (row["state"] == "paused" and row["kind"] == TRAINING)
        row["state"] = "interrupted" if is_cut_off else row["state"]
    row["loss"] = math.nan if row["loss"] is None else row["loss"]
    row["tags"] = tuple(row["tags"].split())
    row["folder"] = os.fsdecode(row["folder"])
    known: dict[str, Any] = {name: "" if value is None else value for name, value in row.items()}
    return Run(**known)


def made_by(host: str | None, process: str | None) -> str:
    """A process, in the words that people know it by."""
    return f"process {(process or '').partition('@')[0]} on {host}"


def check_name(name: str) -> None:
    """Whether a run can be called so.

    Raises:
        InputError: if it cannot.
    """
    if name == LAST:
        raise InputError("name", f"{LAST} always is the newest run: take another name")
    if len(name) > LONGEST_NAME or name != printable(name).strip() or name.startswith("-"):
        raise InputError("name", f"a name is up to {LONGEST_NAME} printable letters, got {shown(name)}")


class Store:
    """The kept runs.

    Raises:
        InputError: from every method, where the store cannot be used: one line says why.
    """

    def __init__(self, path: Path | None = None) -> None:
        """In that file; None: where this user's runs are kept."""
        self.path = path or files.store_path()

    def runs(self) -> list[Run]:
        """All runs but those of sweeps, the newest first."""
        if not self.path.exists():
            return []
        return self._select("WHERE sweep IS NULL ORDER BY created DESC, rowid DESC")

    def runs_of(self, sweep: str) -> list[Run]:
        """The runs of a sweep, in the order of its points."""
        return self._select("WHERE sweep = ? ORDER BY length(id), id", sweep)

    def run(self, run: str) -> Run:
        """The run of that id.

        Raises:
            InputError: if it is not kept any more.
        """
        found = self._select("WHERE id = ?", run)
        if not found:
            raise InputError("run", f"run {run} is not kept any more")
        return found[0]

    def another_way(self, run: str) -> Run | None:
        """The newest run that went another way from that one; None where none did."""
        return next(iter(self._select("WHERE parent = ? ORDER BY created DESC, rowid DESC LIMIT 1", run)), None)

    def _select(self, which: str, *values: str) -> list[Run]:
        names = *_STORED, "heartbeat"
        with self.reading() as connection:
            rows = connection.execute(f"SELECT {', '.join(names)} FROM run {which}", values)
            return [_run(dict(zip(names, row, strict=True))) for row in rows]

    def find(self, name: str) -> Run:
        """The run of that id or name, or whose id begins so; `last` is the newest. A sweep's has a whole id, or a name.

        Raises:
            InputError: if there is none, or more than one.
        """
        runs = self.runs()
        if self.path.exists() and (found := self._select(f"WHERE sweep IS NOT NULL AND {IS_CALLED}", name)):
            return found[0]
        if not runs:
            raise InputError("run", f"no run is kept yet in {self.path}: gdtui run keeps one")
        if name == LAST:
            return runs[0]
        for run in runs:
            if name and name in (run.id, run.name):
                return run
        found = [run for run in runs if run.id.startswith(name)] if name else []
        if not found:
            known = [LAST, *(run.name for run in runs if run.name), *(run.id for run in runs[:7])]
            raise InputError("run", unknown("run", name, known))
        if len(found) > 1:
            ids = ", ".join(run.id for run in found[:8])
            raise InputError("run", f"{len(found)} runs begin with {name}: {ids}")
        return found[0]

    def find_made(self, name: str | None) -> Run:
        """The run of that name, as `find`; without one, the newest that is being made, or else the newest.

        Raises:
            InputError: as `find`.
        """
        if name is None:
            name = next((run.id for run in self.runs() if run.is_made), LAST)
        return self.find(name)

    def label(self, run: str, labels: Mapping[str, str]) -> None:
        """Give a run a name, tags or a note; an empty text takes one away.

        Raises:
            InputError: if the name is not one, or another run has it.
        """
        values = self.checked(labels, run)
        sets = ", ".join(f"{column} = ?" for column in values)
        with self.writing() as connection:
            connection.execute(f"UPDATE run SET {sets} WHERE id = ?", (*values.values(), run))

    def checked(self, labels: Mapping[str, str], run: str = "") -> dict[str, str]:
        """A run's or sweep's name, tags (parted by blanks or commas) and note as the store has them.

        Raises:
            InputError: if the name is not one, or another run has it.
        """
        values = dict(labels)
        for label, text in values.items():
            if text != text.encode(errors="replace").decode():
                raise InputError(label, f"{label} must be text, got {shown(text)}")
        if "tags" in values:
            values["tags"] = " ".join(values["tags"].replace(",", " ").split())
        if name := values.get("name"):
            check_name(name)
            if self._is_taken(name, run):
                raise InputError("name", f"another run is called {shown(name)} already")
        return values

    def _is_taken(self, name: str, by_other_than: str) -> bool:
        if not self.path.exists():
            return False
        with self.reading() as connection:
            query = "SELECT id FROM run WHERE name = ? UNION SELECT id FROM sweep WHERE name = ?"
            return any(row[0] != by_other_than for row in connection.execute(query, (name, name)))

    def record(self, run: str) -> Record:
        """All that is kept of a run.

        Raises:
            InputError: if there is no such run any more, or it is another program's training.
        """
        return self.records([run])[run]

    def records(self, runs: Iterable[str]) -> dict[str, Record]:
        """All that is kept of some runs, by their ids.

        Raises:
            InputError: as `record`.
        """
        with self.reading() as connection:
            return {run: self._record(connection, run) for run in runs}

    def _record(self, connection: sqlite3.Connection, run: str) -> Record:
        from gdtui.runs.records import read

        query = "SELECT 1 FROM run WHERE (id, kind) = (?, ?)"
        if connection.execute(query, (run, TRAINING)).fetchone():
            raise InputError("run", f"run {run} is another program's training: gdtui watch {run} shows it")
        try:
            return read(connection, run)
        except LookupError:
            raise InputError("run", f"run {run} is not kept any more") from None
        except ValueError as error:
            raise InputError("run", f"run {run} cannot be read from {self.path}: {error}") from error

    def remove(self, run: Run) -> None:
        """Delete a run for good.

        Raises:
            InputError: if it is being made.
        """
        with self.writing() as connection:
            query = "SELECT host, process, heartbeat FROM run WHERE id = ?"
            for host, process, heartbeat in connection.execute(query, (run.id,)).fetchall():
                if processes.is_alive(host, process, heartbeat):
                    raise InputError("run", f"run {run.id} is being made by {made_by(host, process)}: end that first")
            connection.execute("DELETE FROM run WHERE id = ?", (run.id,))

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with."""
        with self._told():
            if files.is_damaged(self.path) and (notice := files.set_aside_if_damaged(self.path)):
                raise InputError("store", notice)
            with closing(files.connect(self.path, is_to_write=False)) as connection:
                if schema.version(connection) != schema.VERSION:
                    files.prepare(self.path)
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection within a transaction: all of it is written, or nothing."""
        with self._told():
            if notice := files.prepare(self.path):
                raise InputError("store", notice)
            with closing(files.connect(self.path, is_to_write=True)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong in one line; a damaged store is set aside."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            notice = ""
            if files.is_damage(error):
                with suppress(sqlite3.Error, OSError):
                    notice = files.set_aside_if_damaged(self.path)
            raise InputError("store", notice or f"{files.reason(error)} ({self.path})") from error
