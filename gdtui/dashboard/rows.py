"""Rows: what the samples table says of each sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gdtui.descent.snapshot import Snapshot
    from gdtui.insight.instruments import Alignments


@dataclass(frozen=True, slots=True)
class Row:
    """One sample; what is None has no value: it is undefined, not known, or the sample was not visited yet.

    Attributes:
        sample: its number.
        x: its features.
        y: its target.
        y_hat: its prediction.
        loss: ℓ.
        gradient: ∇ℓ.
        norm: |∇ℓ|.
        share: of gradient descent's step.
        cos: its gradient's cosine with their mean.
        is_newest: it was in the batch of the newest update.
        is_clipped: its gradient was clipped in this epoch.
        is_largest: no share is larger in size.
        label: what it is called, as its class; empty where it has none.
        along: its gradient along their mean's direction.
        across: its gradient across that.
    """

    sample: int
    x: tuple[float, ...]
    y: float | None
    y_hat: float | None
    loss: float | None
    gradient: tuple[float, ...] | None
    norm: float | None
    share: float | None = None
    cos: float | None = None
    is_newest: bool = False
    is_clipped: bool = False
    is_largest: bool = False
    label: str = ""
    along: float | None = None
    across: float | None = None

    @property
    def is_conflict(self) -> bool:
        """Its gradient pulls against the mean's."""
        return self.cos is not None and self.cos < 0

    def value(self, key: str) -> float | None:
        """The number in a column: its key is an attribute, or x0, x1, ... or g0, g1, ..."""
        if key[1:].isdigit():
            values = self.x if key[0] == "x" else self.gradient
            return values[int(key[1:])] if values else None
        value: float | None = getattr(self, key)
        return value


def exact(value: float | None) -> str:
    """A number to its last digit; – where it is undefined."""
    return "–" if value is None else repr(value)


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A reading's alignments, and whose share is the largest.

    Attributes:
        alignments: each sample's share and cosine, shape (n,).
        largest: the sample whose share is largest in size; None where the shares are undefined.
    """

    alignments: Alignments
    largest: int | None


def aligned(alignments: Alignments) -> Aligned:
    """Find the largest share; costs a pass over them."""
    import numpy as np

    shares = np.abs(alignments.shares)
    largest = int(shares.argmax())  # they are all defined, or none is
    return Aligned(alignments, largest if math.isfinite(shares[largest]) else None)


def read_rows(snapshot: Snapshot, samples: Sequence[int], applied: bool, reading: Aligned | None = None) -> list[Row]:
    """The rows of some samples: as applied, or at the current θ; costs these rows only.

    Args:
        snapshot: the moment.
        samples: their numbers.
        applied: loss and gradient as applied.
        reading: share and cosine, which are always at the θ of one moment.
    """
    dataset, model, visits = snapshot.problem.dataset, snapshot.problem.model, snapshot.visits
    theta = snapshot.theta.tolist()
    newest = set(visits.newest_batch.tolist()) if len(visits.newest_batch) < visits.n <= 10_000 else set()
    rows = []
    for sample in samples:
        x, y = tuple(dataset.x[sample].tolist()), float(dataset.y[sample])
        visit = int(visits.last_visit[sample]) if len(visits) else -1
        share, cos, is_largest = _read(reading, sample)
        loss: float | None
        if applied and visit < 0:
            rows.append(Row(sample, x, y, None, None, None, None, share, cos, is_largest=is_largest))
            continue
        if applied:
            gradient = visits.gradients[visit].tolist()
            loss = float(visits.losses[visit])
            at = visits.thetas[visits.update_at(visit)].tolist()
        else:
            gradient, at = [0.0] * len(theta), theta
            loss = model.loss(at, x, y, gradient)
        y_hat = _called(model.predict, at, x) if model.predict else None
        norm, is_clipped = math.hypot(*gradient), visit >= 0 and bool(visits.clipped[visit])
        rows.append(
            Row(sample, x, y, y_hat, loss, tuple(gradient), norm, share, cos, sample in newest, is_clipped, is_largest)
        )
    return rows


def _called(function: Callable[..., float], *arguments: Any) -> float | None:
    """A value of the model; None where a person's own fails, as it may at a θ that is far away."""
    try:
        return function(*arguments)
    except (Exception, SystemExit):
        return None


def _read(reading: Aligned | None, sample: int) -> tuple[float | None, float | None, bool]:
    """A sample's share, cosine, and whether its share is the largest."""
    if reading is None:
        return None, None, False
    share, cos = float(reading.alignments.shares[sample]), float(reading.alignments.cosines[sample])
    return None if math.isnan(share) else share, None if math.isnan(cos) else cos, sample == reading.largest
