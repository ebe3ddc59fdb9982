"""Keeper: writes a run to the store as it goes, in a thread of its own, so that neither descent nor screen waits."""

from __future__ import annotations

import json
import secrets
import sqlite3
from contextlib import suppress
from threading import Condition, Thread
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from gdtui.descent.snapshot import State
from gdtui.runs import processes
from gdtui.runs.holding import (
    HEARTBEAT_S,
    LAST_WORDS_S,
    NOBODY,
    WRITE_EVERY_S,
    StoreConnection,
    TakenError,
    here,
    insert,
    maker,
    new_id,
    transaction,
    update,
)
from gdtui.runs.records import Written, columns, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gdtui.descent.record import Record
    from gdtui.runs.store import Store

ORIGIN = ("parent", "created", "folder", "name", "tags", "note")
"""What of a run is known when it begins."""

Moment = tuple["Record", str]
"""A record, and the state to show it in."""


class Keeper:
    """Keeps a run; a run that goes another way after a rewind becomes another run, and the first one stays as it was.

    Attributes:
        run: the id of the run that is kept.
        epoch: the epoch up to which it is kept; None while nothing of it is.
        problem: why it is not being kept; empty while it is.
        notice: what a person should know though the run is kept, as of a damaged store; empty where all was well.
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
        self.epoch = record.epoch if record else None
        self.problem = self.notice = ""
        self._line = StoreConnection(store.path)
        self._owner = secrets.token_hex(8)
        self._origin: dict[str, Any] = {"parent": parent or None, "folder": here()}
        self._origin |= labels or {}
        self._claim = record  # what it was when it was read, until it is this keeper's
        self._is_begun = False  # the run is there, and this keeper's
        self._way = record.way if record else 0
        self._written: Written | None = None  # what is there; None until it is looked up
        self._latest: dict[int, Moment] = {}
        self._pending: dict[int, Moment] = {}
        self._wake = Condition()
        self._is_closing = False
        self._due = 0.0
        self._thread: Thread | None = None  # there is none while there is nothing to keep

    # --- for the descent -----------------------------------------------------------------------------------------

    @property
    def is_due(self) -> bool:
        """It is time for another record."""
        return monotonic() >= self._due

    def look_at(self, record: Record, is_paused: bool = False) -> None:
        """Keep this moment next; of one that is rewound all is kept already."""
        self._due = monotonic() + WRITE_EVERY_S
        if record.visited == 0 or record.epoch < record.farthest:
            return
        with self._wake:
            self._pending[record.way] = record, State.PAUSED if is_paused and not record.state.is_over else record.state
            self._wake.notify()
            if self._thread is None:
                self._thread = Thread(target=self._work, daemon=True, name="keeper")
                self._thread.start()

    def finish(self) -> None:
        """Write what is left, and let go of the run: another process may go on with it."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()

    def close(self) -> None:
        """The same, and wait until it is done."""
        self.finish()
        if self._thread is not None:
            self._thread.join(LAST_WORDS_S)
        if self.is_busy:
            self.problem = self.problem or "its last moments could not be written in time"

    @property
    def is_begun(self) -> bool:
        """Something of the run is in the store."""
        return self._is_begun

    @property
    def is_busy(self) -> bool:
        """It has something to write, or a run in its hands."""
        return self._thread is not None and self._thread.is_alive()

    # --- in the thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        is_last = False
        while not is_last:
            with self._wake:
                self._wake.wait_for(lambda: self._pending or self._is_closing, HEARTBEAT_S)
                is_last, pending, self._pending = self._is_closing, self._pending, {}
            self._keep(pending)
            with self._wake:
                self._wake.wait_for(lambda: self._is_closing, WRITE_EVERY_S)
        self._let_go()

    def _keep(self, pending: dict[int, Moment]) -> None:
        """Write these, or the latest once more, with its heartbeat; what cannot be written is tried again later."""
        moments = pending or dict(self._latest)
        try:
            for way in sorted(moments):
                self._write(*moments[way])
                self._latest = {way: moments.pop(way)}
                self.problem = ""
        except TakenError as error:
            self.problem, self.epoch = str(error), None
        except Exception as error:  # whatever it is, what comes later may be kept
            self.problem = self._line.failed(error)
            self._heed()
            with self._wake:
                self._pending = moments | self._pending

    def _write(self, record: Record, state: str) -> None:
        connection = self._connected()
        if record.way != self._way:
            self._go_another_way(record.way)
        with transaction(connection):
            values = columns(record) | {"state": state, "heartbeat": time()}
            before = self._hold(connection, record, values) if self._written is None else self._written
            if update(connection, self._mine(), values) == 0:
                raise TakenError(f"another process goes on with run {self.run}, or it was deleted")
            written = write(connection, self.run, record, before)
        self._written, self._is_begun, self._claim, self.epoch = written, True, None, record.epoch

    def _go_another_way(self, way: int) -> None:
        if self._is_begun or self._claim:
            self._origin |= {"parent": self.run, "name": ""}  # the name is the first one's
            self._origin.pop("created", None)
            self.run = new_id()
        self._way, self._is_begun, self._claim, self._written = way, False, None, None

    def _hold(self, connection: sqlite3.Connection, record: Record, values: Mapping[str, Any]) -> Written:
        """Begin the run in the store, or take it over, within the transaction; what of it is there already."""
        query = f"SELECT owner, host, process, heartbeat, {', '.join(ORIGIN)} FROM run WHERE id = ?"
        found = connection.execute(query, (self.run,)).fetchone()
        if found is None:
            if self._is_begun or self._claim:
                raise TakenError(f"run {self.run} was deleted")
            self._begin(connection, record, values)
            return Written()
        owner, *by = found[:4]
        written = Written.found(connection, self.run)
        if owner != self._owner:
            if not self._claim or processes.is_alive(*by):
                raise TakenError(f"another process goes on with run {self.run}")
            if written != Written.all_of(self._claim):
                raise TakenError(f"run {self.run} has gone on since it was read")
            self._origin = dict(zip(ORIGIN, found[4:], strict=True))
            update(connection, {"id": self.run}, maker(self._owner))
        return written

    def _begin(self, connection: sqlite3.Connection, record: Record, values: Mapping[str, Any]) -> None:
        parent = self._origin["parent"]
        self._origin.setdefault("created", time())
        for row in connection.execute("SELECT folder FROM run WHERE id = ?", (parent,)).fetchall():
            self._origin["folder"] = row[0]  # its names of files are this one's
        update(connection, {"id": parent, "owner": self._owner}, NOBODY)
        name = self._origin.get("name")
        if name and connection.execute("SELECT 1 FROM run WHERE name = ?", (name,)).fetchone():
            self.notice = f"another run is called {name} by now: run {self.run} has no name"
            self._origin["name"] = ""
        row = {
            "id": self.run,
            "experiment": record.experiment.to_line(),
            "samples": record.samples,
            "parameters": json.dumps(record.parameters),
            **self._origin,
            **maker(self._owner),
            **values,
        }
        insert(connection, row)

    def _mine(self) -> dict[str, str]:
        return {"id": self.run, "owner": self._owner}

    def _let_go(self) -> None:
        """Nobody makes the run any more; one that was running is interrupted, as a kill would have left it."""
        if self._line.current is not None and not self.problem:
            with suppress(sqlite3.Error):
                update(self._line.current, self._mine(), NOBODY)
        self._line.close()

    def _connected(self) -> sqlite3.Connection:
        try:
            connection = self._line.open()
        finally:
            self._heed()
        if self._line.is_new:
            self._written = None
        if self._line.is_elsewhere:  # in another store the run is begun anew, with all that is known of it
            self._is_begun, self._claim = False, None
        return connection

    def _heed(self) -> None:
        """What was done with a damaged store, as it was done last."""
        self.notice, self._line.notice = self._line.notice or self.notice, ""
