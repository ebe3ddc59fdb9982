"""Views: which samples the table shows, and in which order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from gdtui.dashboard.rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gdtui.dashboard.filters import Filter
    from gdtui.dashboard.rows import Aligned
    from gdtui.descent.snapshot import Snapshot
    from gdtui.problems.datasets import Array


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Which samples are to be shown, and how.

    Attributes:
        snapshot: the moment.
        reading: share and cosine; None while there is none.
        filter: those that are shown.
        key: the column that they are sorted by.
        descending: the largest first.
        applied: by the values as applied, else by those at the current θ.
    """

    snapshot: Snapshot
    reading: Aligned | None
    filter: Filter
    key: str
    descending: bool
    applied: bool

    @property
    def is_all(self) -> bool:
        """All samples in the data's order: there is nothing to compute."""
        return self.key == "sample" and not self.filter

    def is_like(self, other: Choice) -> bool:
        """The same is wanted of the same problem, perhaps at another moment."""
        names = ("filter", "key", "descending", "applied")
        is_wanted = all(getattr(self, name) == getattr(other, name) for name in names)
        return is_wanted and self.snapshot.problem is other.snapshot.problem

    def is_same(self, other: Choice) -> bool:
        """The same is wanted of the same moment and reading."""
        return self.is_like(other) and self.snapshot is other.snapshot and self.reading is other.reading


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The samples that are shown, in their order.

    Attributes:
        choice: what they were chosen by.
        order: their numbers, shape (k,); None for all n in the data's order, or in that reversed.
    """

    choice: Choice
    order: NDArray[np.intp] | None

    def __len__(self) -> int:
        """How many they are, k."""
        return self.choice.snapshot.problem.n if self.order is None else len(self.order)

    def samples(self, first: int, count: int) -> list[int]:
        """Those from some place on."""
        places = range(first, min(first + count, len(self)))
        if self.order is not None:
            return [int(self.order[place]) for place in places]
        return [len(self) - 1 - place if self.choice.descending else place for place in places]

    def place(self, sample: int) -> int | None:
        """Where a sample stands; costs a pass over the order."""
        if self.order is None:
            return len(self) - 1 - sample if self.choice.descending else sample
        found = (self.order == sample).nonzero()[0]
        return int(found[0]) if len(found) else None


def view(choice: Choice) -> View:
    """The samples that a choice shows, in their order; costs some passes over the values it asks for.

    Those without a value stand last, equal ones in the data's order.
    """
    if choice.is_all:
        return View(choice, None)

    @cache
    def column(key: str) -> NDArray[Any]:
        return column_values(choice.snapshot, key, choice.applied, choice.reading)

    samples: NDArray[np.intp] = choice.filter.mask(column).nonzero()[0]
    if choice.key == "sample":
        return View(choice, samples[::-1] if choice.descending else samples)
    values = column(choice.key)[samples]
    return View(choice, samples[(-values if choice.descending else values).argsort(kind="stable")])


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
