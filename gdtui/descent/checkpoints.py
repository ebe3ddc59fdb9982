"""Checkpoints: a trainer's whole state at some epochs, in bounded number and memory."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array

MOST = 1_000
MEMORY = 64_000_000
"""Bytes that a run's checkpoints may take."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """All that a trainer needs to go on from an epoch's end to the same bits.

    Attributes:
        experiment: the settings then.
        epoch: epochs completed.
        updates: updates made.
        theta: θ, shape (p,).
        optimizer_state: the update rule's state, flat.
        generator_state: of the random generator.
        visit_loss: mean of ℓᵢ as visited in that epoch.
        events: how many events had been made.
    """

    experiment: Experiment
    epoch: int
    updates: int
    theta: Array
    optimizer_state: Array
    generator_state: Mapping[str, Any]
    visit_loss: float
    events: int


class Checkpoints:
    """A run's checkpoints, at every `stride`-th epoch; which they are depends on nothing but the epochs run.

    When there are too many, every second one goes and the stride doubles. Epoch 0 stays.
    """

    def __init__(self, numbers: int) -> None:
        """With room for the checkpoints of a run whose checkpoint has so many numbers."""
        self.most = max(4, min(MOST, MEMORY // (8 * max(1, numbers))))
        self.stride = 1
        self._kept: list[Checkpoint] = []

    def restore(self, stride: int, checkpoints: Iterable[Checkpoint]) -> None:
        """Go on from what was kept before."""
        self.stride, self._kept = stride, list(checkpoints)

    def all(self) -> tuple[Checkpoint, ...]:
        """What is kept, in the epochs' order."""
        return tuple(self._kept)

    def next_due(self, epoch: int) -> int:
        """The next epoch after this one at which a checkpoint is due."""
        return (epoch // self.stride + 1) * self.stride

    def is_due(self, epoch: int) -> bool:
        """Whether a checkpoint is due at this epoch, and not there yet."""
        return epoch % self.stride == 0 and (not self._kept or epoch > self._kept[-1].epoch)

    def add(self, checkpoint: Checkpoint) -> None:
        """Keep the newest."""
        self._kept.append(checkpoint)
        if len(self._kept) > self.most:
            self.stride *= 2
            self._kept = [one for one in self._kept if one.epoch % self.stride == 0]

    def before(self, epoch: int) -> Checkpoint:
        """The nearest at that epoch or before it."""
        return self._kept[bisect_right(self._kept, epoch, key=lambda one: one.epoch) - 1]

    def drop_after(self, epoch: int) -> None:
        """Forget those after an epoch: the run goes another way from there."""
        self._kept = [one for one in self._kept if one.epoch <= epoch]
