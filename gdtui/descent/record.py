"""Record: all that a descent leaves behind, frozen; what it takes to show it again, and to go on to the same bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdtui.descent.checkpoints import Checkpoint
    from gdtui.descent.history import HistoryView
    from gdtui.descent.past import Past
    from gdtui.descent.snapshot import Event, Snapshot, State
    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A descent at one moment, with all that is known of it: `Trainer.of` goes on from there.

    Attributes:
        experiment: the settings at the start.
        settings: the settings as they are now, after the events.
        state: what has become of the descent.
        reason: when and why it diverged; empty otherwise.
        epoch: epochs completed.
        updates: updates made.
        visited: visits made (samples seen).
        seconds: time spent in the descent.
        loss: f at the end of the last completed epoch.
        theta: θ, shape (p,).
        samples: how many samples there are, n.
        parameters: the names of θ's numbers.
        way: how often it has gone another way, after a rewind; what came later before is in no later record.
        events: the changes made, in their order; after a rewind also those that come later.
        history: loss and progress over the epochs, up to the farthest one.
        tracked: shape (m, 2 + k): epoch, updates and values of the tracked epochs.
        stride: epochs between two checkpoints.
        checkpoints: the whole state at some epochs, in their order; the first is epoch 0.
        newest: the whole state at the end of the epoch that was run last.
    """

    experiment: Experiment
    settings: Experiment
    state: State
    reason: str
    epoch: int
    updates: int
    visited: int
    seconds: float
    loss: float
    theta: Array
    samples: int
    parameters: tuple[str, ...]
    way: int
    events: tuple[Event, ...]
    history: HistoryView
    tracked: Array
    stride: int
    checkpoints: tuple[Checkpoint, ...]
    newest: Checkpoint

    @classmethod
    def of(cls, moment: Snapshot, past: Past) -> Record:
        """A moment with what is known besides."""
        return cls(
            experiment=past.checkpoints.before(0).experiment,
            settings=moment.experiment,
            state=moment.state,
            reason=moment.reason,
            epoch=moment.epoch,
            updates=moment.updates,
            visited=moment.visited,
            seconds=moment.seconds,
            loss=moment.loss,
            theta=moment.theta,
            samples=moment.problem.n,
            parameters=moment.problem.parameters,
            way=past.way,
            events=past.events,
            history=moment.history,
            tracked=moment.tracked,
            stride=past.checkpoints.stride,
            checkpoints=past.checkpoints.all(),
            newest=past.newest,
        )

    @property
    def farthest(self) -> int:
        """The epoch up to which the run is known: more than `epoch` after a rewind."""
        return max(self.epoch, self.history.newest_epoch)
