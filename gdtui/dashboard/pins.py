"""Pins: runs that stay on the chart to be compared with, each in a colour and with a line mark of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from gdtui.dashboard.widgets.series import Series

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from gdtui.dashboard.curves import XAxis
    from gdtui.descent.history import HistoryView
    from gdtui.descent.record import Record
    from gdtui.descent.snapshot import Event, Snapshot
    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array
    from gdtui.runs.store import Run, Store
    from gdtui.training.training import Training


class Look(NamedTuple):
    """What a run's curve is known by: its line mark, and its colour, a variable of the theme."""

    mark: str
    color: str


NOW = "●"
"""The line mark of the run of now, whose colour is the theme's."""

LOOKS = tuple(Look(mark, f"run-{place}") for place, mark in enumerate("■▲○◆×□△◇", 1))
"""One a pinned run."""

DRAWN = 4_096
"""Points of a curve that are enough for every chart: far more than two a column."""


@dataclass(frozen=True, eq=False)
class Pin:
    """A run as it stood when it was pinned; it needs no problem.

    Attributes:
        key: which run it is, for as long as the app runs.
        name: what a person calls it; may be empty.
        experiment: its settings, after its events; None of another program's training.
        events: the changes made during it.
        history: loss and progress over its epochs, later ones that are known from before a rewind too.
        n: samples in its data.
        state: what has become of it, as in `State`.
        epoch: epochs in its history; None where they are not known.
        training: the whole of another program's training; None of a run of gdtui's own.
    """

    key: str
    name: str
    experiment: Experiment | None
    events: tuple[Event, ...]
    history: HistoryView
    n: int
    state: str
    epoch: int | None
    training: Training | None = None

    @classmethod
    def of(cls, snapshot: Snapshot, key: str, name: str = "") -> Pin:
        """The run that is at this moment."""
        return cls(
            key=key,
            name=name,
            experiment=snapshot.experiment,
            events=snapshot.events,
            history=snapshot.history,
            n=snapshot.problem.n,
            state=str(snapshot.state),
            epoch=snapshot.farthest,
        )

    @classmethod
    def found(cls, store: Store, run: Run) -> Pin:
        """A kept run of either kind, as it is in the store.

        Raises:
            InputError: if it is not kept any more.
        """
        if not run.is_training:
            return cls.kept(run, store.record(run.id))
        from gdtui.training.kept import training_of

        training = training_of(store, run)
        return cls.trained(training, run.id, run.name or training.name)

    @classmethod
    def kept(cls, run: Run, record: Record) -> Pin:
        """A kept run."""
        return cls(
            key=run.id,
            name=run.name,
            experiment=record.settings,
            events=record.events,
            history=record.history,
            n=record.samples,
            state=run.state,
            epoch=record.farthest,
        )

    @classmethod
    def trained(cls, training: Training, key: str, name: str) -> Pin:
        """Another program's training: its loss over its steps; empty where it has none."""
        import numpy as np

        from gdtui.descent.history import Column

        history = training.history()
        epochs = history.column(Column.EPOCH)
        return cls(
            key=key,
            name=name,
            experiment=None,
            events=training.events,
            history=history,
            n=0,
            state=training.state,
            epoch=int(np.nanmax(epochs)) if np.isfinite(epochs).any() else None,
            training=training,
        )

    def charting(self, value: str) -> Pin:
        """The same run with another of its values in the place of its loss; empty where it has none of that name."""
        from gdtui.training.training import Training

        return replace(self, history=(self.training or Training("")).history(value))

    @property
    def loss(self) -> float:
        """f at the end of its last epoch."""
        from gdtui.descent.history import Column

        return self._end[Column.LOSS] if self._end else math.nan

    def curve(self, axis: XAxis) -> tuple[Array, Array]:
        """Where its epochs lie on an axis, and f at their ends, shapes (m,)."""
        return _columns(self.history.rows, axis)

    def series(self, axis: XAxis, look: Look) -> Series:
        """The same to be drawn: at most about `DRAWN` epochs, every peak and valley among them; made once."""
        if (axis, look) not in self._series:
            self._series[axis, look] = Series(self.key, *_columns(self._thinned, axis), look.color, look.mark)
        return self._series[axis, look]

    def is_like(self, other: Pin) -> bool:
        """Nothing was run or changed between the two."""
        return self._end == other._end and (self.experiment, self.events) == (other.experiment, other.events)

    @cached_property
    def _series(self) -> dict[tuple[XAxis, Look], Series]:
        return {}

    @cached_property
    def _end(self) -> tuple[float, ...]:
        return tuple(row for rows in self.history.rows[-1:].tolist() for row in rows)

    @cached_property
    def _thinned(self) -> Array:
        from gdtui.descent.history import Column

        rows = self.history.rows
        return rows[telling(rows[:, Column.LOSS])]


def telling(values: Array) -> NDArray[np.intp]:
    """Where at most about `DRAWN` of a curve's points stand: its ends, and every peak and valley."""
    import numpy as np

    from gdtui.descent.history import extremes

    ends = [0, len(values) - 1] if len(values) else []
    return np.union1d(extremes(values, -(-2 * len(values) // DRAWN)), ends).astype(np.intp)


def _columns(rows: Array, axis: XAxis) -> tuple[Array, Array]:
    from gdtui.descent.history import Column

    return rising(rows[:, axis.column], rows[:, Column.LOSS])


def rising(x: Array, y: Array) -> tuple[Array, Array]:
    """A curve's points where x is known, in the order of x: a training may have begun again at an earlier step."""
    import numpy as np

    known = np.isfinite(x)
    if not known.all():
        x, y = x[known], y[known]
    if (x[1:] < x[:-1]).any():
        order = x.argsort(kind="stable")
        x, y = x[order], y[order]
    return x, y


@dataclass(frozen=True, slots=True, eq=False)
class Pins:
    """The pinned runs, each in its place for as long as it is pinned.

    Attributes:
        places: one for each of `LOOKS`; None where it is free.
    """

    places: tuple[Pin | None, ...] = (None,) * len(LOOKS)

    def __iter__(self) -> Iterator[tuple[Look, Pin]]:
        """Each pinned run with its look."""
        return ((look, pin) for look, pin in zip(LOOKS, self.places, strict=True) if pin is not None)

    def __len__(self) -> int:
        """How many are pinned."""
        return sum(pin is not None for pin in self.places)

    def get(self, key: str) -> tuple[Look, Pin] | None:
        """A pinned run with its look."""
        return next(((look, pin) for look, pin in self if pin.key == key), None)

    def has_room_for(self, key: str) -> bool:
        """This run is pinned already, or there is a free place."""
        return self.get(key) is not None or None in self.places

    def charting(self, value: str) -> Pins:
        """The same runs with another of their values in the place of their losses."""
        return replace(self, places=tuple(pin and pin.charting(value) for pin in self.places))

    def put(self, pin: Pin) -> Pins:
        """With one more; or in its run's own place, where that is pinned already."""
        keys = [each and each.key for each in self.places]
        return self._with(keys.index(pin.key if pin.key in keys else None), pin)

    def without(self, key: str) -> Pins:
        """Without one; the others keep their places."""
        return self._with([each and each.key for each in self.places].index(key), None)

    def _with(self, place: int, pin: Pin | None) -> Pins:
        return replace(self, places=(*self.places[:place], pin, *self.places[place + 1 :]))
