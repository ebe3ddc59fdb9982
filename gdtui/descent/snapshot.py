"""Snapshot: one moment of a descent, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gdtui.descent.history import HistoryView
    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array
    from gdtui.problems.problem import Problem


class State(StrEnum):
    """What has become of a descent.

    A trainer is ready, running (begun, not over), finished, converged (the last epoch left θ as it was, to the bit) or
    diverged; whoever drives it knows whether it is paused or was interrupted.
    """

    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CONVERGED = "converged"
    DIVERGED = "diverged"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """No update follows."""
        return self in (State.FINISHED, State.CONVERGED, State.DIVERGED)


@dataclass(frozen=True, slots=True)
class Epoch:
    """Until this many epochs are complete."""

    count: int

    def is_reached(self, epochs: int, _updates: int) -> bool:
        """So many epochs are enough."""
        return epochs >= self.count


@dataclass(frozen=True, slots=True)
class Update:
    """Until this many updates are made."""

    count: int

    def is_reached(self, _epochs: int, updates: int) -> bool:
        """So many updates are enough."""
        return updates >= self.count


@dataclass(frozen=True, slots=True)
class Event:
    """A change made during a run.

    Attributes:
        update: the number of updates that were made before it; the next one is the first to feel it.
        epoch: the same in epochs, for a mark on a chart.
        setting: the experiment's setting.
        before: its value until then.
        after: its value from then on.
    """

    update: int
    epoch: float
    setting: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches of one size, one after the other within an epoch.

    Attributes:
        visit: the first one's first visit, from 0.
        update: the first one's update, from 0.
        size: samples in each; the epoch's last batch may have fewer.
    """

    visit: int
    update: int
    size: int


@dataclass(frozen=True, eq=False)
class Visits:
    """An epoch's visits, in their order: each sample's loss and gradient as applied, at the θ of its own visit.

    Attributes:
        samples: which sample each visit saw, shape (m,).
        losses: ℓ at the visit, shape (m,).
        gradients: ∇ℓ at the visit, shape (m, p).
        clipped: whether the gradient was clipped, shape (m,).
        batches: how the visits, and those still to come, are grouped to updates; more than one where the size changed.
        thetas: θ before each of the epoch's updates, shape (u, p).
        first_update: the updates that were made before the epoch.
        n: samples in the data.
    """

    samples: NDArray[np.int64]
    losses: Array
    gradients: Array
    clipped: NDArray[np.bool_]
    batches: tuple[Batches, ...]
    thetas: Array
    first_update: int
    n: int

    def __len__(self) -> int:
        """Visits made, m."""
        return len(self.samples)

    def update_at(self, visit: int) -> int:
        """Which of the epoch's updates a visit belongs to, from 0."""
        batches = self._batches_at(visit)
        return batches.update + (visit - batches.visit) // batches.size

    @cached_property
    def update_of(self) -> NDArray[np.int64]:
        """Which of the epoch's updates each visit belongs to, from 0, shape (m,)."""
        update_of = np.arange(len(self))
        for batches in self.batches:
            update_of[batches.visit :] = (
                batches.update + (np.arange(batches.visit, len(self)) - batches.visit) // batches.size
            )
        return update_of

    def _batches_at(self, visit: int) -> Batches:
        return [batches for batches in self.batches if batches.visit <= visit][-1]

    @cached_property
    def last_visit(self) -> NDArray[np.int64]:
        """Each sample's last visit, shape (n,); -1 where this epoch has not visited it."""
        visit = np.full(self.n, -1)
        visit[self.samples] = np.arange(len(self))
        return visit

    @cached_property
    def newest_batch(self) -> NDArray[np.int64]:
        """The samples that made the newest update."""
        if not len(self):
            return self.samples
        batches = self._batches_at(len(self) - 1)
        begins = batches.visit + (len(self) - 1 - batches.visit) // batches.size * batches.size
        return self.samples[begins:]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Every sample at one θ.

    Attributes:
        losses: ℓᵢ(θ), shape (n,).
        gradients: ∇ℓᵢ(θ), the rows of G, shape (n, p).
        loss: f(θ), their losses' mean.
    """

    losses: Array
    gradients: Array
    loss: float


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a descent; nothing in it changes afterwards.

    Attributes:
        problem: what is minimised.
        experiment: the settings as they are now, after the events.
        state: what has become of the descent.
        reason: when and why it diverged; empty otherwise.
        epoch: epochs completed.
        farthest: the epoch up to which the run is known: more than `epoch` after a rewind.
        updates: updates made.
        visited: visits made in all epochs (samples seen).
        seconds: time spent in the descent; measured, so not the same from run to run.
        lr: the learning rate of the newest update, as the schedule has it.
        theta: θ, shape (p,).
        loss: f over all samples at the end of the last completed epoch (at the start, for epoch 0).
        visit_loss: mean of ℓᵢ as visited in the last completed epoch; nan before the first.
        visits: as applied: the visits of the epoch under way, or of the last one where none is under way.
        events: the changes made so far.
        history: loss and progress over the epochs.
        tracked: what was asked to be kept at some epochs, shape (m, 2 + k): epoch, updates, values.
        optimizer_state: the update rule's state, flat.
        evaluate: every sample at any θ (p,); costs a pass over the data.
    """

    problem: Problem
    experiment: Experiment
    state: State
    reason: str
    epoch: int
    farthest: int
    updates: int
    visited: int
    seconds: float
    lr: float
    theta: Array
    loss: float
    visit_loss: float
    visits: Visits
    events: tuple[Event, ...]
    history: HistoryView
    tracked: Array
    optimizer_state: Array
    evaluate: Callable[[Array], Evaluation] = field(repr=False)
    _now: Evaluation | None = field(repr=False)

    def has_reached(self, until: Epoch | Update | None) -> bool:
        """Whether so many epochs are complete, or so many updates made and, after an epoch's last, f evaluated."""
        is_evaluated = self.visited < (self.epoch + 1) * self.problem.n
        return until is not None and is_evaluated and until.is_reached(self.epoch, self.updates)

    @property
    def is_between_epochs(self) -> bool:
        """No epoch is under way."""
        return self.visited == self.epoch * self.problem.n

    @cached_property
    def now(self) -> Evaluation:
        """Every sample at the current θ; costs a pass over the data, except at an epoch's end."""
        return self.evaluate(self.theta) if self._now is None else self._now
