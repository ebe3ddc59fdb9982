"""Rows: the samples table's rows, and the order in which they stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gdtui.descent.snapshot import Snapshot
    from gdtui.problems.datasets import Array
    from gdtui.problems.models import Model


@dataclass(frozen=True, slots=True)
class Row:
    """One sample; what is None has no value: in this epoch it was not visited yet.

    Attributes:
        sample: its number.
        x: its features.
        y: its target.
        y_hat: its prediction.
        loss: ℓ.
        gradient: ∇ℓ.
        norm: |∇ℓ|.
        is_newest: it was in the batch of the newest update.
        is_clipped: its gradient was clipped.
    """

    sample: int
    x: tuple[float, ...]
    y: float
    y_hat: float | None
    loss: float | None
    gradient: tuple[float, ...] | None
    norm: float | None
    is_newest: bool = False
    is_clipped: bool = False


def read_rows(snapshot: Snapshot, samples: Sequence[int], applied: bool) -> list[Row]:
    """The rows of some samples: as applied, or at the current θ; costs these rows only."""
    dataset, model, visits = snapshot.problem.dataset, snapshot.problem.model, snapshot.visits
    theta, loss_of = snapshot.theta.tolist(), model.safe_loss
    newest = set(visits.newest_batch.tolist()) if len(visits.newest_batch) < visits.n <= 10_000 else set()
    rows = []
    for sample in samples:
        x, y = tuple(dataset.x[sample].tolist()), float(dataset.y[sample])
        visit = int(visits.last_visit[sample]) if applied else -1
        loss: float | None
        if not applied:
            gradient = [0.0] * len(theta)
            loss, at, is_clipped = loss_of(theta, x, y, gradient), theta, False
        elif visit >= 0:
            gradient = visits.gradients[visit].tolist()
            loss = float(visits.losses[visit])
            at = visits.thetas[visits.update_at(visit)].tolist()
            is_clipped = bool(visits.clipped[visit])
        else:
            rows.append(Row(sample, x, y, None, None, None, None))
            continue
        y_hat = predicted(model, at, x)
        norm = math.hypot(*gradient)
        rows.append(Row(sample, x, y, y_hat, loss, tuple(gradient), norm, sample in newest, is_clipped))
    return rows


def predicted(model: Model, theta: Sequence[float], x: Sequence[float]) -> float | None:
    """ŷ; None where nothing is predicted, or a person's own prediction fails."""
    try:
        return None if model.predict is None else float(model.predict(theta, x))
    except Exception:
        if model.is_own:
            return None
        raise


def sorted_samples(snapshot: Snapshot, key: str, descending: bool, applied: bool) -> NDArray[np.intp]:
    """The samples in the order of a column; those without a value last, equal ones in the data's order.

    Args:
        snapshot: the moment.
        key: sample, y, y_hat, loss, norm, x0, x1, ... or g0, g1, ...
        descending: the largest first.
        applied: by the values as applied, else by those at the current θ.
    """
    values = _column(snapshot, key, applied)
    order: NDArray[np.intp] = (-values if descending else values).argsort(kind="stable")
    return order


def _column(snapshot: Snapshot, key: str, applied: bool) -> Array:
    import numpy as np

    dataset = snapshot.problem.dataset
    if key == "sample":
        return np.arange(float(snapshot.problem.n))
    if key == "y":
        return dataset.y
    if key[0] == "x":
        return dataset.x[:, int(key[1:])]
    if key == "y_hat":
        rows = read_rows(snapshot, range(snapshot.problem.n), applied)
        return np.array([math.nan if row.y_hat is None else row.y_hat for row in rows])
    source = snapshot.visits if applied else snapshot.now
    column: Array
    if key == "loss":
        column = source.losses
    elif key == "norm":
        column = np.sqrt((source.gradients**2).sum(axis=1))
    else:
        column = source.gradients[:, int(key[1:])]
    if not applied:
        return column
    # A sample that was not visited has -1 for its last visit: the nan at the end.
    return np.append(column, math.nan)[snapshot.visits.last_visit]
