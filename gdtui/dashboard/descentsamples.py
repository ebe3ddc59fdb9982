"""Descent samples: the samples of a descent at one moment, as applied in its epoch or at the current θ."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gdtui.dashboard.columns import Column, choose_columns, column_names, data_columns
from gdtui.dashboard.filters import WORDS
from gdtui.dashboard.rows import exact, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gdtui.dashboard.rows import Aligned, Row
    from gdtui.dashboard.samplesource import Source
    from gdtui.descent.snapshot import Snapshot
    from gdtui.problems.datasets import Array


@dataclass(frozen=True, slots=True, eq=False)
class DescentSamples:
    """All samples of a descent's problem, in the data's order: a `Source`.

    Attributes:
        snapshot: the moment.
        wants_applied: values as applied, as soon as something was; else those at the current θ.
        x: the features' columns.
        y: the target's; None where nothing is predicted.
        aligned: share and cosine; None while there are none.
        aligned_at: the moment that they are of.
    """

    snapshot: Snapshot
    wants_applied: bool
    x: tuple[Column, ...]
    y: Column | None
    aligned: Aligned | None = None
    aligned_at: Snapshot | None = None

    example = "|g|>0.5  cos<0  y>2 or not clipped"
    is_in_order = True

    @classmethod
    def of(cls, snapshot: Snapshot, wants_applied: bool, before: Source | None = None) -> DescentSamples:
        """Those of a moment; of the same problem's one before, what still holds is kept."""
        if isinstance(before, cls) and before.snapshot.problem is snapshot.problem:
            return before if before.snapshot is snapshot else replace(before, snapshot=snapshot)
        x, y = data_columns(snapshot.problem.dataset)
        return cls(snapshot, wants_applied, tuple(x), y)

    @property
    def n(self) -> int:
        """How many they are."""
        return self.snapshot.problem.n

    @property
    def names(self) -> Mapping[str, str]:
        """What each column can be called in a filter -> its key."""
        return column_names(self.snapshot.problem)

    @property
    def words(self) -> Mapping[str, str]:
        """The conditions that are a word -> their column's key."""
        return WORDS

    @property
    def is_applied(self) -> bool:
        """Before anything was applied, there is only now."""
        return self.wants_applied and self.snapshot.visited > 0

    @property
    def meant(self) -> str:
        """As applied, or at the current θ."""
        return "as applied" if self.is_applied else "now"

    @property
    def behind(self) -> str:
        """The moment of the shares and cosines, where it is not the one that is shown."""
        at = self.aligned_at
        if at is None or _is_same_moment(at, self.snapshot):
            return ""
        return f"cos at epoch {at.epoch:,}" if at.is_between_epochs else f"cos at update {at.updates:,}"

    def columns(self, width: int) -> list[Column]:
        """The columns that fit into so many cells."""
        parameters = self.snapshot.problem.parameters
        return choose_columns(width, list(self.x), self.y, parameters, self.n, self.aligned is not None)

    def values(self, key: str) -> NDArray[Any]:
        """A column's values, shape (n,)."""
        return column_values(self.snapshot, key, self.is_applied, self.aligned)

    def rows(self, places: Sequence[int]) -> list[Row]:
        """What is said of some samples."""
        return read_rows(self.snapshot, places, self.is_applied, self.aligned)

    def place(self, sample: int) -> int | None:
        """A sample's number is its place."""
        return sample if 0 <= sample < self.n else None

    def exact(self, row: Row) -> list[str]:
        """A sample's values to the last digit."""
        values = f"loss {exact(row.loss)} |g| {exact(row.norm)}"
        predicted = f"ŷ {exact(row.y_hat)} {values}"
        return [*([f"{predicted} cos {exact(row.cos)}"] if self.aligned else []), predicted, values]

    def is_like(self, other: Source) -> bool:
        """They are of the same problem."""
        return isinstance(other, DescentSamples) and self.snapshot.problem is other.snapshot.problem

    def has_places_of(self, other: Source) -> bool:
        """A problem's samples never change their places."""
        return self.is_like(other)


def column_values(snapshot: Snapshot, key: str, applied: bool, reading: Aligned | None = None) -> NDArray[Any]:
    """A column's values, shape (n,): numbers, nan where undefined, or whether something is true.

    Args:
        snapshot: the moment.
        key: a row's attribute; x0, x1, ... or g0, g1, ...; or clipped, conflict, visited, newest.
        applied: as applied, else at the current θ.
        reading: share and cosine; nan without one.
    """
    import numpy as np

    dataset, n = snapshot.problem.dataset, snapshot.problem.n
    if key in ("clipped", "visited", "newest"):
        return _visited(snapshot, key)
    if key in ("share", "cos", "conflict"):
        undefined = np.full(n, math.nan)
        shares, cosines = (reading.alignments.shares, reading.alignments.cosines) if reading else (undefined, undefined)
        return shares if key == "share" else cosines if key == "cos" else cosines < 0
    if key == "sample":
        return np.arange(float(n))
    if key == "y":
        return dataset.y
    if key == "y_hat":
        return _predictions(snapshot, applied)
    return dataset.x[:, int(key[1:])] if key[0] == "x" else _measured(snapshot, key, applied)


def _visited(snapshot: Snapshot, key: str) -> NDArray[np.bool_]:
    """What became of each sample in this epoch, shape (n,)."""
    import numpy as np

    visits = snapshot.visits
    if key == "visited":
        return visits.last_visit >= 0
    if key == "clipped":
        return np.append(visits.clipped, np.False_)[visits.last_visit]
    newest = np.zeros(visits.n, dtype=np.bool_)
    newest[visits.newest_batch] = True
    return newest


def _measured(snapshot: Snapshot, key: str, applied: bool) -> Array:
    """Losses, norms, or one of the gradients' coordinates, shape (n,)."""
    import numpy as np

    source = snapshot.visits if applied else snapshot.now
    if key == "loss":
        values = source.losses
    elif key == "norm":
        values = np.hypot.reduce(source.gradients, axis=1)  # as in a row: what is squared might overflow
    else:
        values = source.gradients[:, int(key[1:])]
    return _of_last_visits(snapshot, values) if applied else values


def _of_last_visits(snapshot: Snapshot, values: Array) -> Array:
    """Each sample's of the visits' values, (m, ...) -> (n, ...); nan where it was not visited."""
    import numpy as np

    undefined = np.full((1, *values.shape[1:]), math.nan)
    # A sample that was not visited has -1 for its last visit: the nan at the end.
    padded: Array = np.concatenate([values, undefined])[snapshot.visits.last_visit]
    return padded


def _predictions(snapshot: Snapshot, applied: bool) -> Array:
    """ŷ, shape (n,): of all samples at once where the model's arithmetic can do that, else of one after the other."""
    import numpy as np

    visits, predict, n = snapshot.visits, snapshot.problem.model.predict, snapshot.problem.n
    if predict is None:
        return np.full(n, math.nan)

    def one_by_one(samples: Sequence[int]) -> Array:
        rows = read_rows(snapshot, samples, applied)
        return np.array([math.nan if row.y_hat is None else row.y_hat for row in rows])

    theta: Any = snapshot.theta.tolist()
    if applied:
        theta = _read_only(_of_last_visits(snapshot, visits.thetas[visits.update_of]).T)
    x: Any = _read_only(snapshot.problem.dataset.x.T)
    try:
        with np.errstate(all="ignore"):
            at_once: Any = predict(theta, x)
    except (Exception, SystemExit):  # it branches, say, or calls what takes one number
        at_once = None
    some = [0, n // 2, n - 1]
    if getattr(at_once, "shape", ()) == (n,) and np.array_equal(at_once[some], one_by_one(some), equal_nan=True):
        predictions: Array = at_once
        return predictions
    return one_by_one(range(n))


def _read_only(values: Array) -> Array:
    """The same values: what adds to them in place fails, and does not change the data."""
    values = values.view()
    values.flags.writeable = False
    return values


def _is_same_moment(one: Snapshot, other: Snapshot) -> bool:
    return one is other or (one.visited == other.visited and one.theta.tolist() == other.theta.tolist())
