"""Tracks: what the charts show of another program's training: its values over steps, epochs or seconds."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from gdtui.dashboard.curves import XAxis, event_text
from gdtui.dashboard.pins import DRAWN, NOW, rising, telling
from gdtui.dashboard.widgets.series import Mark, Plot, Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gdtui.dashboard.pins import Pins
    from gdtui.problems.datasets import Array
    from gdtui.training.training import Training

LABELS = {XAxis.UPDATES: "steps", XAxis.EPOCHS: "epochs", XAxis.SECONDS: "seconds"}
"""The axes of a training, and what they are called."""

COLOR, SECOND, OTHER = "primary", "secondary", "○"
"""Of the chosen value; colour and line mark of its counterpart."""

PHASES = re.compile(
    r"(?:^|(?<=[/_.\- ]))(?:train|training|val|valid|validation|test|eval|dev)(?=$|[/_.\- ])", re.IGNORECASE
)
"""What tells apart the same value of the samples that are trained on and of others."""

LINEAR = ("alignment", "conflicts", "alpha", "largest_share", "acc", "precision", "recall", "f1", "auc", "lambda_min")
"""Words in the names of values that one reads on a linear axis."""


def axes(training: Training) -> list[XAxis]:
    """The axes on which something is known, steps first."""
    import numpy as np

    from gdtui.training.curves import Column

    columns = {XAxis.UPDATES: Column.STEP, XAxis.EPOCHS: Column.EPOCH, XAxis.SECONDS: Column.SECONDS}
    return [
        axis
        for axis, column in columns.items()
        if axis is XAxis.UPDATES or any(np.isfinite(points[-1, column]) for points in training.curves.values())
    ]


def curve(training: Training, name: str, axis: XAxis) -> tuple[Array, Array]:
    """Where a value's points lie on an axis, and the value there, shapes (m,); thinned, every peak and valley stays."""
    from gdtui.training.curves import Column

    column = {XAxis.UPDATES: Column.STEP, XAxis.EPOCHS: Column.EPOCH, XAxis.SECONDS: Column.SECONDS}[axis]
    points = training.curves[name]
    if len(points) > DRAWN:
        points = points[telling(points[:, Column.VALUE])]
    return rising(points[:, column], points[:, Column.VALUE])


def plot_of(training: Training, name: str, axis: XAxis, log_y: bool, pins: Pins | None = None) -> Plot:
    """A value over the training so far, with its counterpart, the events, and the pinned runs."""
    series = [Series(name, *curve(training, name, axis), COLOR, NOW if pins else "")]
    other = counterpart(name, training.curves)
    if other:
        series.append(Series(other, *curve(training, other, axis), SECOND, OTHER))
    series += [pin.series(axis, look) for look, pin in pins or ()]
    at = {XAxis.UPDATES: "update", XAxis.EPOCHS: "epoch"}.get(axis)
    marks = tuple(Mark(float(getattr(event, at)), event_text(event)) for event in training.events) if at else ()
    goes_below_zero = any((one.y < 0).any() for one in series)
    return Plot(series=tuple(series), marks=marks, log_y=log_y and not goes_below_zero)


def counterpart(name: str, names: Iterable[str]) -> str:
    """The value that belongs to another: `val_loss` to `train_loss` or `loss`; empty where there is none.

    >>> counterpart("train/loss", ["train/loss", "lr", "val/loss"])
    'val/loss'
    """
    own = _without_phase(name)
    return next((other for other in names if other != name and _without_phase(other) == own), "")


def _without_phase(name: str) -> str:
    return re.sub(r"[/_.\- ]+", " ", PHASES.sub("", name.lower())).strip()


def is_log(name: str) -> bool:
    """Whether one reads a value of that name on a log axis, unless one chooses otherwise."""
    return not any(word in name.lower() for word in LINEAR)


def epoch_of(training: Training) -> int | None:
    """The epoch that it has come to; None where it does not tell."""
    from gdtui.training.curves import Column

    epoch = float(training.curves[training.loss][-1, Column.EPOCH]) if training.loss else math.nan
    return int(epoch) if math.isfinite(epoch) else None


def rate(training: Training) -> float | None:
    """Steps a second, over the newest points whose time is known; None where it is not."""
    import numpy as np

    from gdtui.training.curves import Column

    if not training.loss:
        return None
    points = training.curves[training.loss][-64:]
    steps, seconds = points[:, Column.STEP], points[:, Column.SECONDS]
    span = float(seconds[-1] - seconds[0])
    return float(steps[-1] - steps[0]) / span if np.isfinite(span) and span > 0 and steps[-1] > steps[0] else None
