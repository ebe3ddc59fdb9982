"""Tracking: values that are kept at some epochs of a run; which epochs depends on the experiment alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.problems.datasets import Array

Track = Callable[["Snapshot"], Sequence[float]]
"""What to keep of an epoch's end, always as many numbers; nan where something is undefined."""

MOST = 1_000
"""Epochs, evenly spaced, over the planned ones; besides the first few, of which there are at most so many."""

FIRST = 100

COSTLY = 10_000
"""Numbers in the gradients of all samples from which on tracking would cost as much as the descent itself."""

COSTLY_EVERY = 128
"""Of a costly problem, only every so many epochs."""


class Tracked:
    """The values of the tracked epochs, with each one's epoch and updates.

    Attributes:
        track: computes an epoch's values; None where nothing is kept.
    """

    def __init__(self, track: Track | None, numbers: int) -> None:
        """For gradients of so many numbers, n·p."""
        self.track = track
        self._every = COSTLY_EVERY if numbers > COSTLY else 1
        self._rows = np.empty((0, 0))
        self._count = 0

    def next_due(self, epoch: int, planned: int) -> float:
        """The next epoch after this one that is tracked, of so many planned; infinite where none is."""
        if self.track is None:
            return math.inf
        spacing = self._every * math.ceil(planned / (self._every * MOST))
        early = (epoch // self._every + 1) * self._every
        return early if early <= FIRST * self._every else (epoch // spacing + 1) * spacing

    def add(self, snapshot: Snapshot, planned: int) -> None:
        """Keep an epoch's values, if of so many planned it is due, and not there yet."""
        epoch = snapshot.epoch
        is_new = self._count == 0 or epoch > self._rows[self._count - 1, 0]
        if self.track is None or not is_new or self.next_due(epoch - 1, planned) != epoch:
            return
        row = (epoch, snapshot.updates, *self.track(snapshot))
        if self._count == len(self._rows):
            # A view may still look at the old rows: they are left alone.
            grown = np.empty((max(64, 2 * self._count), len(row)))
            if self._count:
                grown[: self._count] = self._rows[: self._count]
            self._rows = grown
        self._rows[self._count] = row
        self._count += 1

    def truncate(self, epoch: int) -> None:
        """Forget what comes after an epoch: the run goes another way from there."""
        self._rows = self._rows.copy()
        self._count = int(self.view()[:, :1].ravel().searchsorted(epoch, side="right"))

    def restore(self, rows: Array) -> None:
        """Go on from what was kept before, shape (m, 2 + k)."""
        self._rows, self._count = rows, len(rows)

    def view(self) -> Array:
        """Shape (m, 2 + k): epoch, updates, then the values; what is added later does not show in it."""
        rows: np.ndarray[Any, np.dtype[np.float64]] = self._rows[: self._count]
        rows.setflags(write=False)
        return rows
