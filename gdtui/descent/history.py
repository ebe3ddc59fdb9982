"""History: loss and progress over the epochs, in bounded memory; thinned without losing an extreme."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def extremes(values: NDArray[np.float64], block: int) -> NDArray[np.intp]:
    """Where the smallest and the largest value of every `block` consecutive values stand, in order.

    What is left of a curve when only these are drawn has the same peaks and valleys. Two indices a block, the same one
    twice at most once (a constant block keeps its first and its last); values that are not finite count as large.

    Args:
        values: shape (m,).
        block: values in a block, at least 1; the last block may be shorter.

    Returns:
        Rising indices into `values`, at most 2 * ceil(m / block).
    """
    m = len(values)
    if m == 0 or block <= 2:
        return np.arange(m)
    whole = m // block * block
    rows = np.where(np.isfinite(values[:whole]), values[:whole], np.inf).reshape(-1, block)
    low, high = rows.argmin(axis=1), block - 1 - rows[:, ::-1].argmax(axis=1)
    pairs = np.sort(np.stack([low, high], axis=1), axis=1) + np.arange(0, whole, block)[:, None]
    picked = pairs.reshape(-1)
    if whole < m:
        picked = np.concatenate([picked, whole + extremes(values[whole:], m - whole)])
    return np.unique(picked)


class Column(IntEnum):
    """What each row of a history holds, an epoch a row."""

    EPOCH = 0
    UPDATES = 1
    VISITED = 2
    SECONDS = 3
    LOSS = 4
    VISIT_LOSS = 5
    LR = 6


Row = tuple[float, ...]

KEPT = 65_536
"""Rows that are kept exactly; a longer run is thinned to between half as many and as many."""


@dataclass(frozen=True, eq=False)
class HistoryView:
    """A history as it stood at one moment.

    Attributes:
        settled: rows that stay until the whole history is thinned, shape (m, 7).
        pending: the smallest and the largest loss of the epochs that are still to share two rows, and the newest epoch;
            or that one alone.
        pending_epochs: how many epochs those are.
        span: how many epochs share two rows; 1 while every epoch has its own.
    """

    settled: NDArray[np.float64]
    pending: tuple[Row, ...]
    pending_epochs: int
    span: int

    @cached_property
    def rows(self) -> NDArray[np.float64]:
        """Shape (m, 7), epoch 0 first and the newest last; columns as in `Column`."""
        if not self.pending:
            return self.settled
        return np.concatenate([self.settled, np.array(sorted(set(self.pending)))])

    @property
    def first_loss(self) -> float:
        """f at the start."""
        return float(self.settled[0, Column.LOSS])

    @property
    def newest_epoch(self) -> int:
        """The last epoch appended."""
        return int(max(row[Column.EPOCH] for row in (*self.pending, self.settled[-1])))

    def until(self, epoch: int) -> HistoryView:
        """The same history up to an epoch."""
        settled = self.settled[: int(self.settled[:, Column.EPOCH].searchsorted(epoch, side="right"))]
        pending = tuple(row for row in self.pending if row[Column.EPOCH] <= epoch)
        return HistoryView(settled, pending, min(self.pending_epochs, len(pending)), self.span)

    def column(self, column: Column) -> NDArray[np.float64]:
        """One column, shape (m,)."""
        return self.rows[:, column]


class History:
    """The epochs of a run, appended one by one; memory is bounded however many they are.

    Once `kept` rows are full, every four consecutive rows become two, the smallest and the largest loss among them, and
    from then on twice as many epochs share two rows. Epoch 0 and the newest epoch always stay. What is kept depends on
    the epochs alone, not on when anybody looked.
    """

    def __init__(self, kept: int = KEPT) -> None:
        if kept < 4 or kept % 4:
            raise ValueError(f"kept must be a multiple of 4, got {kept}")
        self._kept = kept
        self._rows = np.empty((min(64, kept + 1), len(Column)))
        self._count = 0
        self._span = 1
        self._pending: list[Row] = []
        self._pending_epochs = 0
        self._newest = -1

    def append(self, row: Row) -> None:
        """Add the newest epoch; `row` as in `Column`."""
        if self._span == 1 or self._count == 0:
            self._newest = int(row[Column.EPOCH])
            self._settle(row)
        else:
            self._join(row, row, row, 1)

    def _join(self, smallest: Row, largest: Row, newest: Row, epochs: int) -> None:
        """Add some epochs to those that share two rows: all that is needed of them."""
        self._newest = int(newest[Column.EPOCH])
        low, high = self._pending[:2] if self._pending_epochs else (smallest, largest)
        low = smallest if smallest[Column.LOSS] < low[Column.LOSS] else low
        high = largest if largest[Column.LOSS] >= high[Column.LOSS] else high
        self._pending = [low, high, newest]
        self._pending_epochs += epochs
        if self._pending_epochs == self._span:
            for extreme in sorted((low, high)):
                self._settle(extreme)
            # The newest stays until the next one comes, though it be no extreme.
            self._pending, self._pending_epochs = [] if newest in (low, high) else [newest], 0

    def extend(self, rows: NDArray[np.float64]) -> None:
        """Add the newest epochs, shape (m, 7), in their order: the same as appending them one by one."""
        while len(rows):
            room = self._kept + 1 - self._count
            buckets = min(len(rows) // self._span, room // 2) if self._pending_epochs == 0 else 0
            if self._span == 1 and room:
                done, settled = min(len(rows), room), rows[:room]
            elif self._span > 1 and buckets:
                done = buckets * self._span
                settled = rows[:done][extremes(rows[:done, Column.LOSS], self._span)]
            else:
                done = 1 if self._count == 0 else min(len(rows), self._span - self._pending_epochs)
                self._add_few(rows[:done])
                rows = rows[done:]
                continue
            self._reserve(self._count + len(settled))
            self._rows[self._count : self._count + len(settled)] = settled
            self._count += len(settled)
            newest = rows[done - 1]
            self._newest = int(newest[Column.EPOCH])
            self._pending = [] if settled[-1, Column.EPOCH] == self._newest else [tuple(newest.tolist())]
            rows = rows[done:]

    def _add_few(self, rows: NDArray[np.float64]) -> None:
        if len(rows) == 1:
            self.append(tuple(rows[0].tolist()))
            return
        losses = rows[:, Column.LOSS]
        last = len(rows) - 1
        smallest, largest = int(losses.argmin()), last - int(losses[::-1].argmax())
        low, high, newest = (tuple(rows[index].tolist()) for index in (smallest, largest, last))
        self._join(low, high, newest, len(rows))

    @property
    def newest_epoch(self) -> int:
        """The last epoch appended; -1 where there is none."""
        return self._newest

    def truncate(self, epoch: int) -> None:
        """Forget what comes after an epoch: the run goes another way from there."""
        view = self.view().until(epoch)
        rows = view.rows
        self._rows = np.empty_like(self._rows)
        self._count, self._pending, self._pending_epochs, self._newest = 0, [], 0, -1
        for row in rows.tolist():
            self._settle(tuple(row))
        self._newest = int(rows[-1, Column.EPOCH])

    @classmethod
    def of(cls, view: HistoryView, kept: int = KEPT) -> History:
        """A history that goes on from what it was at one moment."""
        history = cls(kept)
        history._rows, history._count, history._span = view.settled.copy(), len(view.settled), view.span
        history._pending, history._pending_epochs = list(view.pending), view.pending_epochs
        history._newest = view.newest_epoch
        return history

    def view(self) -> HistoryView:
        """The history as it is now; what is appended later does not show in it."""
        settled = self._rows[: self._count]
        settled.setflags(write=False)
        return HistoryView(settled, tuple(self._pending), self._pending_epochs, self._span)

    def _settle(self, row: Row) -> None:
        if self._count == self._kept + 1:
            self._thin()
        self._reserve(self._count + 1)
        self._rows[self._count] = row
        self._count += 1

    def _reserve(self, count: int) -> None:
        if count > len(self._rows):
            # A view may still look at the old rows: they are left alone.
            grown = np.empty((min(max(2 * self._count, count), self._kept + 1), len(Column)))
            grown[: self._count] = self._rows[: self._count]
            self._rows = grown

    def _thin(self) -> None:
        rows = self._rows[1:]
        picked = rows[extremes(rows[:, Column.LOSS], 4)]
        thinned = np.empty_like(self._rows)
        thinned[0] = self._rows[0]
        thinned[1 : len(picked) + 1] = picked
        self._rows, self._count = thinned, len(picked) + 1
        self._span = 4 if self._span == 1 else 2 * self._span
