"""Watching: a run that another process makes, followed through the store; the process does not know."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from gdtui.dashboard.player import prepared

if TYPE_CHECKING:
    from gdtui.descent.record import Record
    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer
    from gdtui.runs.store import Run, Store

LOOK_EVERY_S = 0.25
"""Seconds between two looks; the process writes about as often."""

CHEAP_S = 0.02
"""The visits of the last epoch are run again as long as that is less work: the process is not to be slowed down."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What has become of a watched run.

    Attributes:
        run: its line in the store.
        record: all that is kept of it.
        snapshot: where it is now.
    """

    run: Run
    record: Record
    snapshot: Snapshot


class Watching:
    """Follows one run; one that goes another way, as after a rewind, is followed on that.

    Attributes:
        run: the run as it was seen last.
        is_held: it goes on unseen until it is followed again.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self.run = run
        self.is_held = False
        self._store = store
        self._seen: tuple[object, ...] = ()
        self._is_cheap = True

    def look(self, trainer: Trainer) -> Sighting | None:
        """Bring the trainer to where the run is now; None where nothing has happened. Off the event loop.

        Raises:
            InputError: if the run is not kept any more, or the store cannot be read.
        """
        run = self._store.run(self.run.id)
        if not run.is_made and (other := self._store.another_way(run.id)) is not None and other.is_made:
            run = other
        seen = run.id, run.state, run.process, run.updates, run.settings
        if seen == self._seen:
            return None
        record = self._store.record(run.id)
        begun = perf_counter()
        snapshot = prepared(trainer.go_to(record, with_visits=self._is_cheap or record.state.is_over))
        self._is_cheap = self._is_cheap and perf_counter() - begun < CHEAP_S
        self.run, self._seen = run, seen
        return Sighting(run, record, snapshot)
