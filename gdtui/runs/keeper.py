"""Keeper: writes a run to the store as it goes, in a thread of its own, so that neither descent nor screen waits."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from time import monotonic, time
from typing import TYPE_CHECKING

from gdtui.descent.snapshot import State
from gdtui.runs import files, processes
from gdtui.runs.records import Written, columns, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gdtui.descent.record import Record
    from gdtui.runs.store import Store

WRITE_EVERY_S = 0.4
HEARTBEAT_S = 5.0
LAST_WORDS_S = 8.0
"""How long the end of the program may wait for the last of a run to be written."""


class TakenError(Exception):
    """The run is no longer this keeper's: another process goes on with it, or it was deleted."""


class Keeper:
    """Keeps a run; a run that goes another way after a rewind becomes another run, and the first one stays as it was.

    Attributes:
        run: the id of the run that is kept.
        problem: why it is not being kept; empty while it is.
        notice: what was done with a damaged store; empty where all was well.
    """

    def __init__(
        self,
        store: Store,
        run: str = "",
        record: Record | None = None,
        labels: Mapping[str, str] | None = None,
        parent: str = "",
    ) -> None:
        """For a new run, with these labels; or for one whose record was read from the store, to go on with it."""
        self.run = run or new_id()
        self.problem = self.notice = ""
        self._store = store
        self._owner = secrets.token_hex(8)
        self._parent = parent or None
        self._labels = dict(labels or {})
        self._is_begun = False
        self._way = record.way if record else 0
        self._written = Written.all_of(record) if record else Written()
        self._is_claim = run != ""
        self._connection: sqlite3.Connection | None = None
        self._pending: dict[int, tuple[Record, str]] = {}
        self._wake = Condition()
        self._is_closing = False
        self._due = 0.0
        self._thread = Thread(target=self._work, daemon=True, name="keeper")
        self._thread.start()

    # --- for the descent -----------------------------------------------------------------------------------------

    @property
    def is_due(self) -> bool:
        """It is time for another record."""
        return monotonic() >= self._due

    def look_at(self, record: Record, is_paused: bool = False) -> None:
        """Keep this moment next; of one that is rewound all is kept already."""
        if record.visited == 0 or record.epoch < record.farthest:
            return
        is_over = record.state.is_over
        self._due = monotonic() + WRITE_EVERY_S
        with self._wake:
            self._pending[record.way] = record, State.PAUSED if is_paused and not is_over else record.state
            self._wake.notify()

    def finish(self) -> None:
        """Write what is left, and let go of the run: another process may go on with it."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()

    def close(self) -> None:
        """The same, and wait until it is done."""
        self.finish()
        self._thread.join(LAST_WORDS_S)

    @property
    def is_begun(self) -> bool:
        """Something of the run is in the store."""
        return self._is_begun

    @property
    def is_busy(self) -> bool:
        """It has something to write, or a run in its hands."""
        return self._thread.is_alive()

    # --- in the thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        written_at = 0.0
        while True:
            with self._wake:
                wait_s = written_at + WRITE_EVERY_S - monotonic() if self._pending else HEARTBEAT_S
                if not self._is_closing and (wait_s > 0):
                    self._wake.wait(wait_s)
                is_closing, pending = self._is_closing, self._pending
                if not is_closing and pending and monotonic() < written_at + WRITE_EVERY_S:
                    continue
                self._pending = {}
            self._keep(pending)
            written_at = monotonic()
            if is_closing:
                self._let_go()
                return

    def _keep(self, pending: dict[int, tuple[Record, str]]) -> None:
        """Write these; what cannot be written is tried again with what comes next."""
        try:
            for way in sorted(pending):
                self._write(*pending[way])
            if self._is_begun and not pending:
                self._execute("UPDATE run SET heartbeat = ? WHERE id = ? AND owner = ?", time(), self.run, self._owner)
            self.problem = ""
        except TakenError as error:
            self.problem = str(error)
        except sqlite3.IntegrityError:
            self._labels.pop("name", None)  # another run has been given it meanwhile
            with self._wake:
                self._pending = pending | self._pending
        except (sqlite3.Error, OSError) as error:
            self.problem = files.reason(error)
            self._start_over(is_damaged=isinstance(error, sqlite3.Error) and files.is_damage(error))
            with self._wake:
                self._pending = pending | self._pending

    def _write(self, record: Record, state: str) -> None:
        if record.way != self._way and self._is_begun:
            self._let_go()
            self._parent, self.run, self._written, self._is_begun = self.run, new_id(), Written(), False
            self._labels.pop("name", None)  # that is the first one's
        self._way = record.way
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._write_run(connection, record, state)
            written = write(connection, self.run, record, self._written)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        self._written, self._is_begun = written, True

    def _write_run(self, connection: sqlite3.Connection, record: Record, state: str) -> None:
        values = columns(record) | {"state": state, "heartbeat": time()}
        if not self._is_begun and not self._is_claim:
            values |= self._who() | {
                "id": self.run,
                "parent": self._parent,
                "created": time(),
                "folder": os.fsdecode(Path.cwd()),
                "experiment": record.experiment.to_line(),
                "samples": record.samples,
                "parameters": json.dumps(record.parameters),
                **self._labels,
            }
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO run ({names}) VALUES ({marks})", tuple(values.values()))
            return
        if not self._is_begun:
            self._claim(connection)
        sets = ", ".join(f"{name} = ?" for name in values)
        where = (*values.values(), self.run, self._owner)
        if connection.execute(f"UPDATE run SET {sets} WHERE id = ? AND owner = ?", where).rowcount == 0:
            raise TakenError(f"another process goes on with run {self.run}, or it was deleted")

    def _claim(self, connection: sqlite3.Connection) -> None:
        """Make a kept run one's own, unless somebody still makes it."""
        query = "SELECT host, process, heartbeat FROM run WHERE id = ?"
        found = connection.execute(query, (self.run,)).fetchone()
        if found is None or processes.is_alive(*found):
            raise TakenError(f"another process goes on with run {self.run}, or it was deleted")
        who = self._who()
        sets = ", ".join(f"{name} = ?" for name in who)
        connection.execute(f"UPDATE run SET {sets} WHERE id = ?", (*who.values(), self.run))

    def _who(self) -> dict[str, str]:
        return {"host": processes.host(), "process": processes.this_process(), "owner": self._owner}

    def _let_go(self) -> None:
        """Nobody makes the run any more; one that was running is interrupted, as a kill would have left it."""
        with suppress(sqlite3.Error, OSError):
            if self._is_begun:
                sets = "host = NULL, process = NULL, owner = NULL"
                self._execute(f"UPDATE run SET {sets} WHERE id = ? AND owner = ?", self.run, self._owner)
        if self._is_closing and self._connection is not None:
            self._connection.close()

    def _execute(self, statement: str, *values: object) -> None:
        self._connected().execute(statement, values)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self.notice = files.prepare(self._store.path) or self.notice
            self._connection = files.connect(self._store.path, is_to_write=True)
        return self._connection

    def _start_over(self, is_damaged: bool) -> None:
        """With a fresh connection; in a fresh store, if this one is damaged."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        if is_damaged:
            with suppress(OSError):
                self.notice = files.set_aside_if_damaged(self._store.path)
            self._written, self._is_begun, self._is_claim = Written(), False, False


def new_id() -> str:
    """An id that hardly any other run has."""
    return secrets.token_hex(4)
