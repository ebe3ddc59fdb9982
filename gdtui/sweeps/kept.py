"""Kept: a sweep as the store has it, in a line."""

from __future__ import annotations

import math
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gdtui.runs import processes
from gdtui.runs.store import made_by
from gdtui.sweeps.outcome import FAILED, LOST
from gdtui.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection

STATE = """CASE WHEN EXISTS (SELECT 1 FROM event WHERE event.run = run.id) THEN 'failed'
     WHEN state = 'paused' AND reason = '' THEN 'interrupted' ELSE state END"""
"""What a run's state is for its sweep: with other settings it is not the sweep's; paused by hand, it is to go on."""

KEPT = ("id", "created", "folder", "points", "total", "seconds", "name", "tags", "note", "host", "process", "heartbeat")


@dataclass(frozen=True, slots=True)
class KeptSweep:
    """A kept sweep, in a line.

    Attributes:
        id: its own name for ever; its runs are called by it, a dot and a number.
        created: when it began, in seconds since 1970.
        folder: where its experiments' relative file names begin.
        text: what is swept, as `Sweep.from_text` reads it.
        total: how many runs that is.
        seconds: time spent on it.
        name: what its owner calls it; may be empty.
        tags: words to find it by.
        note: what its owner has to say of it.
        host: the machine on which it is made; empty where nobody makes it.
        process: the process that makes it; empty where nobody does.
        states: how many runs are in each state.
        loss: the smallest loss of a run that did not diverge; nan where there is none.
    """

    id: str
    created: float
    folder: str
    text: str
    total: int
    seconds: float
    name: str
    tags: tuple[str, ...]
    note: str
    host: str
    process: str
    states: Mapping[str, int]
    loss: float

    @property
    def sweep(self) -> Sweep:
        """What is swept."""
        return Sweep.from_text(self.text)

    @property
    def maker(self) -> str:
        """Who makes it, in the words that people know a process by."""
        return made_by(self.host, self.process)

    @property
    def done(self) -> int:
        """Runs that are over."""
        return sum(count for state, count in self.states.items() if state not in ("running", "interrupted"))

    @property
    def state(self) -> str:
        """Running, finished, or interrupted."""
        return "running" if self.process else "finished" if self.done == self.total else "interrupted"


def select(connection: Connection, which: str, *values: str) -> list[KeptSweep]:
    """The sweeps of a store that a clause of SQL picks, in its order."""
    rows = connection.execute(f"SELECT {', '.join(KEPT)} FROM sweep {which}", values).fetchall()
    return [_kept(connection, dict(zip(KEPT, row, strict=True))) for row in rows]


def _kept(connection: Connection, row: dict[str, Any]) -> KeptSweep:
    host, process, heartbeat = (row.pop(name) for name in ("host", "process", "heartbeat"))
    is_made = processes.is_alive(host, process, heartbeat)
    query = f"SELECT {STATE}, count(*), min(loss) FROM run WHERE sweep = ? GROUP BY 1"
    groups = connection.execute(query, (row["id"],)).fetchall()
    states = Counter({state: count for state, count, _ in groups})
    states[FAILED] += connection.execute("SELECT count(*) FROM failure WHERE sweep = ?", (row["id"],)).fetchone()[0]
    return KeptSweep(
        text=row.pop("points"),
        folder=os.fsdecode(row.pop("folder")),
        tags=tuple(row.pop("tags").split()),
        host=host if is_made else "",
        process=process if is_made else "",
        states=dict(+states),
        loss=min((loss for state, _, loss in groups if loss is not None and state not in LOST), default=math.nan),
        **row,
    )
