"""Own: what gdtui's own JSON lines tell beside rows: an experiment, samples with their gradients, an end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.training.logs.rows import Row, Rows, gather, settings, text
from gdtui.training.moment import Moment, Number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gdtui.problems.datasets import Array

MOST = 100_000
"""Samples of an epoch that are looked at."""


@dataclass(frozen=True, slots=True)
class Start:
    """A run begins, with these settings."""

    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits of samples, in their order."""

    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class End:
    """A run is over."""

    state: str
    reason: str


KINDS = {
    "start": {"experiment", "samples", "parameters"},
    "sample": {"epoch", "update", "sample", "loss", "gradient"},
    "end": {"state", "epoch", "updates", "loss", "verdict"},
}
"""What such a line has, by its type."""


def parted(rows: Iterable[Row], is_timed: bool = True) -> Iterator[Rows | Start | Visits | End]:
    """Rows, and between them what gdtui's own lines tell, in their order."""
    same: list[Row] = []
    kind_of_same = ""
    for row in rows:
        kind = row.get("type")
        if type(kind) is not str or kind not in KINDS or not row.keys() >= KINDS[kind]:
            kind = ""
        if same and (kind != kind_of_same or kind in ("start", "end")):
            yield _piece(kind_of_same, same, is_timed)
            same = []
        same.append(row)
        kind_of_same = kind
    if same:
        yield _piece(kind_of_same, same, is_timed)


def _piece(kind: str, rows: list[Row], is_timed: bool) -> Rows | Start | Visits | End:
    if kind == "start":
        experiment = rows[0]["experiment"]
        config = settings(experiment if isinstance(experiment, dict) else {})
        return Start(config | {name: text(rows[0][name]) for name in ("samples", "parameters")})
    if kind == "sample":
        return Visits(tuple(rows))
    if kind == "end":
        state = "interrupted" if rows[0]["state"] == "interrupted" else "finished"
        return End(state, str(rows[0]["verdict"]))
    return gather(rows, is_timed)


def moment(visits: Mapping[int, tuple[int, float, float, Array]]) -> Moment | None:
    """The samples of an epoch as they were visited; None where their gradients do not fit together.

    Args:
        visits: by sample: update, epoch, loss, gradient of shape (p,).
    """
    from gdtui.insight.instruments import alignments

    if len({len(gradient) for *_, gradient in visits.values()}) != 1:
        return None
    samples = np.array(sorted(visits), dtype=np.int64)
    updates, epochs, losses, gradients = (
        np.array(column) for column in zip(*(visits[sample] for sample in samples.tolist()), strict=True)
    )
    stand = alignments(gradients)
    numbers = np.full((len(samples), len(Number)), math.nan)
    numbers[:, Number.LOSS] = losses
    numbers[:, Number.NORM], numbers[:, Number.COSINE] = stand.norms, stand.cosines
    numbers[:, Number.SHARE] = stand.shares
    return Moment(int(updates.max()), float(epochs.max()), math.nan, samples, numbers)


def visit(row: Row) -> tuple[int, tuple[int, float, float, Array]] | None:
    """A sample's visit: the sample, and its update, epoch, loss and gradient; None where it is not one."""

    def finite(value: Any) -> float:
        return math.nan if value is None else float(value)

    try:
        gradient = np.array([finite(value) for value in row["gradient"]], dtype=float)
        return int(row["sample"]), (int(row["update"]), float(row["epoch"]), finite(row["loss"]), gradient)
    except (TypeError, ValueError, OverflowError):
        return None
