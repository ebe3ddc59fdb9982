"""Past: what is known of a run besides this moment: its history, tracked epochs, checkpoints and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.descent.checkpoints import Checkpoints
from gdtui.descent.history import History
from gdtui.descent.tracking import Tracked

if TYPE_CHECKING:
    from gdtui.descent.checkpoints import Checkpoint
    from gdtui.descent.history import Row
    from gdtui.descent.record import Record
    from gdtui.descent.snapshot import Event
    from gdtui.descent.tracking import Track
    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array


class Past:
    """What a run leaves behind as it goes; after a rewind it knows of epochs that are yet to come again.

    Attributes:
        history: loss and progress over the epochs.
        tracked: the values of the tracked epochs.
        checkpoints: the whole state at some epochs.
        newest: the whole state at the end of the epoch that was run last.
        events: the changes made, in their order.
        way: how often what came later was forgotten, because the run went another way.
    """

    def __init__(self, track: Track | None, p: int, n: int, state: int) -> None:
        """Of a run with p parameters, n samples and so many numbers of the update rule's state."""
        self.history = History()
        self.tracked = Tracked(track, n * p)
        self.checkpoints = Checkpoints(p + state)
        self.newest: Checkpoint
        self.events: tuple[Event, ...] = ()
        self.way = 0

    @property
    def newest_epoch(self) -> int:
        """The farthest epoch that was run."""
        return self.history.newest_epoch

    def without_waiting(self, experiment: Experiment, events: int, updates: int) -> tuple[Experiment, int]:
        """Settings after so many events, and their number, without the changes that wait for an update to come."""
        while events and self.events[events - 1].update >= updates:
            events -= 1
            experiment = experiment.replace(**{self.events[events].setting: self.events[events].before})
        return experiment, events

    def begin(self, row: Row, checkpoint: Checkpoint) -> None:
        """Know of the start, and nothing else."""
        self.history = History()
        self.history.append(row)
        self.tracked.truncate(-1)
        self.checkpoints.drop_after(-1)
        self.checkpoints.add(checkpoint)
        self.newest = checkpoint

    def keep(self, checkpoint: Checkpoint) -> None:
        """The whole state at an epoch's end; for good, if one is due."""
        self.newest = checkpoint
        if self.checkpoints.is_due(checkpoint.epoch):
            self.checkpoints.add(checkpoint)

    def add(self, row: Row) -> None:
        """An epoch, if it is not known yet."""
        if row[0] > self.newest_epoch:
            self.history.append(row)

    def extend(self, rows: Array, after: int) -> None:
        """Epochs that follow one another, shape (m, 7), as many of them as are not known yet."""
        self.history.extend(rows[max(0, self.newest_epoch - after) :])

    def next_due(self, epoch: int, planned: int) -> float:
        """The next epoch after this one at whose end the whole moment is asked for."""
        return min(self.checkpoints.next_due(epoch), self.tracked.next_due(epoch, planned))

    def forget_later(self, epoch: int, events: int) -> None:
        """The run goes another way from the end of an epoch, after so many events."""
        self.way += self.newest_epoch > epoch or events < len(self.events)
        self.events = self.events[:events]
        self.checkpoints.drop_after(epoch)
        if self.newest_epoch > epoch:
            self.history.truncate(epoch)
            self.tracked.truncate(epoch)

    def restore(self, record: Record) -> None:
        """Know what was known when a record was made."""
        self.history = History.of(record.history)
        self.tracked.restore(record.tracked)
        self.checkpoints.restore(record.stride, record.checkpoints)
        self.events, self.way, self.newest = record.events, record.way, record.newest
