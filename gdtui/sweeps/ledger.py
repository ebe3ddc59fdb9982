"""Ledger: sweeps in the store of runs; many small runs are written at once, and read as they come."""

from __future__ import annotations

import json
import math
import secrets
from contextlib import contextmanager
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from gdtui.experiment import InputError, unknown
from gdtui.runs import processes
from gdtui.runs.holding import NOBODY, here, insert, maker, new_id, update
from gdtui.runs.store import IS_CALLED, LAST, Store, made_by
from gdtui.sweeps.kept import STATE, KeptSweep, select
from gdtui.sweeps.outcome import FAILED, STOPPED, Progress, RunOutcome, over
from gdtui.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from sqlite3 import Connection

    from gdtui.descent.record import Record
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.work import Outcome

LOOKS = 40
"""So many looks make the rate."""

READ_AT_ONCE = 500
"""Histories of runs."""


class Ledger:
    """The sweeps of a store.

    Raises:
        InputError: from every method, where the store cannot be used: one line says why.
    """

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self._owner = secrets.token_hex(8)

    # --- which there are ---------------------------------------------------------------------------------------------

    def sweeps(self) -> list[KeptSweep]:
        """All sweeps, the newest first."""
        if not self.store.path.exists():
            return []
        with self.store.reading() as connection:
            return select(connection, "ORDER BY created DESC, rowid DESC")

    def find(self, name: str) -> KeptSweep | None:
        """The sweep of that id or name, or whose id begins so; None where there is none, or a run is called so.

        Raises:
            InputError: if more than one sweep or run begins so.
        """
        if not name or not self.store.path.exists():
            return None
        with self.store.reading() as connection:
            if exact := select(connection, f"WHERE {IS_CALLED}", name):
                return exact[0]
            if connection.execute(f"SELECT 1 FROM run WHERE {IS_CALLED}", (name,)).fetchone():
                return None
            begins = "id >= ?1 AND substr(id, 1, length(?1)) = ?1 AND id < ?1 || '~'"  # the first and last by the index
            sweeps = select(connection, f"WHERE {begins}", name)
            runs = connection.execute(f"SELECT id FROM run WHERE sweep IS NULL AND {begins}", (name,)).fetchall()
        ids = [sweep.id for sweep in sweeps] + [run for (run,) in runs]
        if sweeps and len(ids) > 1:
            raise InputError("run", f"{len(ids)} sweeps and runs begin with {name}: {', '.join(ids[:8])}")
        return sweeps[0] if sweeps else None

    def named(self, name: str) -> KeptSweep:
        """The same; `last` is the newest.

        Raises:
            InputError: if there is none.
        """
        if found := self.find(name):
            return found
        sweeps = self.sweeps()
        if name == LAST and sweeps:
            return sweeps[0]
        known = [LAST, *(sweep.name for sweep in sweeps if sweep.name), *(sweep.id for sweep in sweeps[:7])]
        raise InputError("sweep", unknown("sweep", name, known) if sweeps else "no sweep is kept yet")

    def find_made(self, name: str | None) -> KeptSweep | None:
        """The sweep of that name, as `find`; without one, the newest sweep if it is newer than any run that is made."""
        if name is not None:
            return self.find(name)
        made = next((sweep for sweep in self.sweeps() if sweep.process), None)
        runs = [run.created for run in self.store.runs() if run.is_made]
        return made if made and made.created > max(runs, default=0.0) else None

    # --- what is done with them --------------------------------------------------------------------------------------

    def begin(self, sweep: Sweep, labels: Mapping[str, str] | None = None) -> str:
        """Keep a new sweep, this process's, under these labels. Returns its id."""
        values = self.store.checked(labels or {})
        row = {
            "id": new_id(),
            "created": time(),
            "folder": here(),
            "points": sweep.to_text(),
            "total": len(sweep.points()),
            **values,
            **maker(self._owner),
            "heartbeat": time(),
        }
        with self.store.writing() as connection:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO sweep ({names}) VALUES ({marks})", tuple(row.values()))
        return str(row["id"])

    def take(self, kept: KeptSweep, sweep: Sweep | None = None) -> KeptSweep:
        """Go on with a sweep, perhaps an extended one; what failed is forgotten, so that it is tried again.

        Returns:
            The same, as it is now.

        Raises:
            InputError: if another process makes it, or it is not kept any more.
        """
        more = {"points": sweep.to_text(), "total": len(sweep.points())} if sweep else {}
        with self.store.writing() as connection:
            query = "SELECT host, process, heartbeat FROM sweep WHERE id = ?"
            found = connection.execute(query, (kept.id,)).fetchone()
            if found is None:
                raise InputError("sweep", f"sweep {kept.id} is not kept any more")
            _refuse_made(kept.id, *found)
            _update_sweep(connection, kept.id, {**more, **maker(self._owner), "heartbeat": time()})
            connection.execute("DELETE FROM failure WHERE sweep = ?", (kept.id,))
            return select(connection, "WHERE id = ?", kept.id)[0]

    def let_go(self, id: str) -> None:
        """Nobody makes the sweep any more; its runs that are not over are interrupted."""
        with self.store.writing() as connection:
            connection.execute(
                "UPDATE sweep SET host = NULL, process = NULL, owner = NULL WHERE (id, owner) = (?, ?)",
                (id, self._owner),
            )
            update(connection, {"sweep": id, "owner": self._owner}, NOBODY)

    def write(self, id: str, numbers: Mapping[str, int], outcomes: Iterable[Outcome], seconds: float) -> None:
        """Keep what came of some runs, in one transaction.

        Args:
            id: the sweep's.
            numbers: the place of each key among the sweep's points.
            outcomes: what came of jobs.
            seconds: time spent since the last write.
        """
        with self.store.writing() as connection:
            turn = self._turn(connection, id, seconds)
            folder = connection.execute("SELECT folder FROM sweep WHERE id = ?", (id,)).fetchone()[0]
            for outcome in outcomes:
                origin = {"sweep": id, "folder": folder, "experiment": outcome.key}
                if outcome.record is None:
                    self._fail(connection, origin, turn, outcome.failure)
                else:
                    self._write_run(connection, run_id(id, numbers[outcome.key]), outcome.record, turn, origin)

    def stop(self, id: str, reasons: Mapping[str, str]) -> None:
        """Keep that runs were stopped early, by their ids, and why."""
        from gdtui.runs.records import with_reason

        with self._told(), self.store.writing() as connection:
            turn = self._turn(connection, id, 0.0)
            for run, reason in reasons.items():
                values = with_reason(connection, run, reason) | {"state": STOPPED, "turn": turn}
                update(connection, {"id": run}, values | NOBODY)

    def _turn(self, connection: Connection, id: str, seconds: float) -> int:
        query = "UPDATE sweep SET turn = turn + 1, seconds = seconds + ?, heartbeat = ? WHERE id = ? AND owner = ?"
        if not connection.execute(query, (seconds, time(), id, self._owner)).rowcount:
            raise InputError("sweep", f"another process goes on with sweep {id}, or it was deleted")
        return int(connection.execute("SELECT turn FROM sweep WHERE id = ?", (id,)).fetchone()[0])

    def _write_run(
        self, connection: Connection, run: str, record: Record, turn: int, origin: Mapping[str, Any]
    ) -> None:
        from gdtui.runs.records import Written, columns, write

        by = NOBODY if record.state.is_over else maker(self._owner)
        values = columns(record) | {"turn": turn, "heartbeat": time(), **by}
        before = Written()
        there = connection.execute("SELECT owner, host, process, heartbeat FROM run WHERE id = ?", (run,)).fetchone()
        if there:
            before = Written.found(connection, run)
            owner, *made = there
            if owner != self._owner and processes.is_alive(*made):
                self._fail(connection, origin, turn, f"run {run} is being made by {made_by(*made[:2])}")
                return
            if before.visited > record.visited or before.events:  # somebody went on with it meanwhile
                update(connection, {"id": run}, {"turn": turn})
                return
            update(connection, {"id": run}, values)
        else:
            row = {
                "id": run,
                "created": time(),
                "samples": record.samples,
                "parameters": json.dumps(record.parameters),
            }
            insert(connection, {**row, **origin, **values})
        write(connection, run, record, before)

    def _fail(self, connection: Connection, origin: Mapping[str, Any], turn: int, why: str) -> None:
        row = (origin["sweep"], origin["experiment"], turn, why)
        connection.execute("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)", row)

    def remove(self, kept: KeptSweep) -> int:
        """Delete a sweep and its runs for good. Returns how many those were.

        Raises:
            InputError: if it is being made, or one of its runs is.
        """
        with self.store.writing() as connection:
            query = "SELECT {} host, process, heartbeat FROM {} WHERE {} = ? AND process IS NOT NULL"
            for table, column in (("sweep", "id"), ("run", "sweep")):
                for made in connection.execute(query.format("", table, column), (kept.id,)).fetchall():
                    _refuse_made(kept.id, *made)
            runs = connection.execute("SELECT count(*) FROM run WHERE sweep = ?", (kept.id,)).fetchone()[0]
            connection.execute("DELETE FROM sweep WHERE id = ?", (kept.id,))
        return int(runs)

    def label(self, kept: KeptSweep, labels: Mapping[str, str]) -> None:
        """Give a sweep a name, tags or a note; an empty text takes one away.

        Raises:
            InputError: if the name is not one, or a run or another sweep has it.
        """
        values = self.store.checked(labels, kept.id)
        with self.store.writing() as connection:
            _update_sweep(connection, kept.id, values)

    # --- what has become of their runs -------------------------------------------------------------------------------

    def look(self, id: str, before: Progress | None = None) -> Progress:
        """A sweep as it is now; what is new since an earlier look is read alone.

        Raises:
            InputError: if it is not kept any more.
        """
        with self.store.reading() as connection:
            connection.execute("BEGIN")
            query = "SELECT points, total, turn, seconds, host, process, heartbeat FROM sweep WHERE id = ?"
            found = connection.execute(query, (id,)).fetchone()
            if found is None:
                raise InputError("sweep", f"sweep {id} is not kept any more")
            text, total, turn, seconds, *by = found
            news = _outcomes(connection, id, before.turn if before else -1)
        outcomes = {**before.outcomes, **news} if before else news
        sweep = before.sweep if before and before.total == total else Sweep.from_text(text)
        looks = (*(before.looks if before else ()), (monotonic(), over(outcomes.values())))
        return Progress(sweep, outcomes, total, turn, processes.is_alive(*by), seconds, looks[-LOOKS:])

    def losses_at(self, id: str, epochs: Mapping[str, Sequence[int]]) -> dict[str, list[float]]:
        """The losses of a sweep's runs at some epochs of each, by their keys; its last one where it ended before.

        Raises:
            InputError: if it is not kept any more, or what is kept is damaged.
        """
        losses = {}
        for key, rows in self.losses(id):
            if key in epochs:
                places = rows[:, 0].searchsorted(epochs[key], side="right") - 1
                losses[key] = rows[places, 1].tolist()
        return losses

    def losses(self, id: str, turn: int = -1) -> Iterator[tuple[str, Array]]:
        """The keys, and epochs and losses of shape (e, 2), of a sweep's runs that were written after a turn.

        They are read some at a time, so that nobody who writes waits for long.

        Raises:
            InputError: if it is not kept any more, or what is kept is damaged.
        """
        with self.store.reading() as connection:
            if not connection.execute("SELECT 1 FROM sweep WHERE id = ?", (id,)).fetchone():
                raise InputError("sweep", f"sweep {id} is not kept any more")
            query = "SELECT id, experiment FROM run WHERE sweep = ? AND turn > ?"
            found = connection.execute(query, (id, turn)).fetchall()
        for first in range(0, len(found), READ_AT_ONCE):
            some = dict(found[first : first + READ_AT_ONCE])
            for run, rows in self.histories(list(some)).items():
                yield some[run], rows

    def histories(self, runs: Sequence[str]) -> dict[str, Array]:
        """The epochs and losses of some runs, shape (e, 2) each, by their ids; of those that are kept.

        Raises:
            InputError: if what is kept is damaged.
        """
        from gdtui.runs.records import read_losses

        with self._told(), self.store.reading() as connection:
            connection.execute("BEGIN")
            return read_losses(connection, runs)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What is damaged, in one line."""
        try:
            yield
        except InputError:
            raise
        except ValueError as error:
            raise InputError("sweep", f"{error} ({self.store.path})") from error


def run_id(sweep: str, number: int) -> str:
    """What a sweep's run is called, by its place among the points."""
    return f"{sweep}.{number}"


def _outcomes(connection: Connection, id: str, turn: int) -> dict[str, RunOutcome]:
    """The outcomes that were written after a turn, by their keys."""
    columns = f"experiment, id, {STATE}, reason, epoch, updates, seconds, loss"
    rows = connection.execute(f"SELECT {columns} FROM run WHERE sweep = ? AND turn > ?", (id, turn)).fetchall()
    found = {
        key: RunOutcome(
            key,
            run,
            state,
            f"run {run} was changed by hand: delete it, and --resume makes it anew" if state == FAILED else reason,
            epoch,
            updates,
            seconds,
            math.nan if loss is None else loss,
        )
        for key, run, state, reason, epoch, updates, seconds, loss in rows
    }
    failed = connection.execute("SELECT experiment, why FROM failure WHERE sweep = ? AND turn > ?", (id, turn))
    return found | {key: RunOutcome(key, "", FAILED, why, 0, 0, 0.0, math.nan) for key, why in failed.fetchall()}


def _update_sweep(connection: Connection, id: str, values: Mapping[str, Any]) -> None:
    sets = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE sweep SET {sets} WHERE id = ?", (*values.values(), id))


def _refuse_made(id: str, host: str | None, process: str | None, heartbeat: float | None) -> None:
    if processes.is_alive(host, process, heartbeat):
        raise InputError("sweep", f"sweep {id} is being made by {made_by(host, process)}: end that first")
