"""Curves: every value that a training has told, by its name, in bounded memory; no peak or valley is lost."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.history import extremes

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array

KEPT = 8_192
"""Points of a curve that are kept exactly; a longer one is thinned to between half as many and as many."""


class Column(IntEnum):
    """What each point of a curve holds."""

    STEP = 0
    EPOCH = 1
    SECONDS = 2
    VALUE = 3


class Curve:
    """One value over the steps, appended some points at a time; memory is bounded however many they are.

    Once `kept` points are full, every four consecutive ones become the smallest and the largest among them, and from
    then on twice as many share two. The first point and the newest always stay.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._points = np.empty((64, len(Column)))
        self._count = 0
        self._span = 1
        self._pending = np.empty((0, len(Column)))

    def append(self, points: Array) -> None:
        """Add points, shape (m, 4), columns as in `Column`; a value may be anything, also nan."""
        for first in range(0, len(points), self._kept):
            self._append(points[first : first + self._kept])

    def _append(self, points: Array) -> None:
        points = np.concatenate([self._pending, points])
        block = 2 * self._span
        whole = len(points) if self._span == 1 else len(points) // block * block
        self._pending = points[whole:]
        settled = points[:whole][extremes(points[:whole, Column.VALUE], block)]
        end = self._count + len(settled)
        if end > len(self._points):
            grown = np.empty((max(end, 2 * len(self._points)), len(Column)))
            grown[: self._count] = self._points[: self._count]
            self._points = grown
        self._points[self._count : end] = settled
        self._count = end
        while self._count > self._kept:
            points = self._points[: self._count]
            picked = np.union1d(extremes(points[:, Column.VALUE], 4), [0])
            self._points = points[picked]  # a new array: who has looked at the old one keeps it
            self._count, self._span = len(picked), 2 * self._span

    @property
    def points(self) -> Array:
        """The points as they are now, shape (m, 4), the newest last; they do not change afterwards."""
        settled = self._points[: self._count]
        return np.concatenate([settled, self._pending]) if len(self._pending) else settled
