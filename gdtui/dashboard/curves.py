"""Curves: what the loss chart shows of a descent."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

from gdtui.dashboard.pins import NOW
from gdtui.dashboard.widgets.series import Mark, Plot, Series

if TYPE_CHECKING:
    from gdtui.dashboard.pins import Pins
    from gdtui.descent.history import Column
    from gdtui.descent.snapshot import Event, Snapshot
    from gdtui.problems.datasets import Array

WHOLE_PLAN = 2_000
"""A plan of up to so many epochs is the chart's x range from the start; a longer one is grown into."""

SMALL = 10_000
"""Up to so many numbers in G, f at the current θ is cheap enough to show between epochs too."""


class XAxis(Enum):
    """What the chart's x axis counts; SGD makes more updates an epoch, so that what is fair depends on it."""

    EPOCHS = "epochs"
    UPDATES = "updates"
    SAMPLES = "samples seen"
    SECONDS = "seconds"

    def next(self) -> XAxis:
        """The next one, round and round."""
        axes = list(XAxis)
        return axes[(axes.index(self) + 1) % len(axes)]

    @property
    def column(self) -> Column:
        """Where the history has it."""
        from gdtui.descent.history import Column

        return {
            XAxis.EPOCHS: Column.EPOCH,
            XAxis.UPDATES: Column.UPDATES,
            XAxis.SAMPLES: Column.VISITED,
            XAxis.SECONDS: Column.SECONDS,
        }[self]


AHEAD = "ahead"
"""Colour of what lies ahead after a rewind, and of what is predicted."""


def loss_plot(
    snapshot: Snapshot,
    axis: XAxis,
    log_y: bool,
    color: str,
    pins: Pins | None = None,
    forecast: Array | None = None,
) -> Plot:
    """f over the run so far, with a mark for each event; what is known of later epochs, and the pinned runs.

    With pinned runs beside it the curve has a line mark, as they have. A forecast, epochs and f of shape (m, 2), is
    laid beneath, as far as the axis reaches and before it diverges.
    """
    import numpy as np

    from gdtui.descent.history import Column
    from gdtui.descent.trainer import DIVERGED_AT

    column = axis.column
    past = snapshot.history.until(snapshot.epoch)
    x, y = past.column(column), past.column(Column.LOSS)
    others = [pin.series(axis, look) for look, pin in pins or ()]
    if snapshot.farthest > snapshot.epoch:
        ahead = snapshot.history.rows[len(x) - 1 :]
        others.insert(0, Series("ahead", ahead[:, column], ahead[:, Column.LOSS], AHEAD))
    if not snapshot.is_between_epochs and snapshot.theta.size * snapshot.problem.n <= SMALL:
        x, y = np.append(x, _position(snapshot, axis)), np.append(y, snapshot.now.loss)

    def mark(event: Event) -> Mark:
        at = {XAxis.EPOCHS: event.epoch, XAxis.UPDATES: event.update, XAxis.SAMPLES: event.epoch * snapshot.problem.n}
        epochs = snapshot.history.column(Column.EPOCH)
        seconds = float(np.interp(event.epoch, epochs, snapshot.history.column(Column.SECONDS)))
        return Mark(at.get(axis, seconds), event_text(event))

    x_range = _x_range(snapshot, axis)
    if forecast is not None and x_range is not None:
        scale = snapshot.problem.n if axis is XAxis.SAMPLES else 1  # on the full batch an epoch is an update
        seen = (forecast[:, 0] * scale <= x_range[1]) & (forecast[:, 1] <= DIVERGED_AT * max(1.0, float(y[0])))
        others.append(Series("predicted", forecast[seen, 0] * scale, forecast[seen, 1], AHEAD))
    series = (Series("loss", x, y, color, NOW if pins else ""), *others)
    # f can be negative, as on a landscape: a log axis has no place for it.
    goes_below_zero = any((one.y < 0).any() for one in series)
    return Plot(
        series=series,
        marks=tuple(mark(event) for event in snapshot.events if event.setting != "epochs"),
        x_range=x_range and (0.0, max(x_range[1], *(float(one.x[-1]) for one in series if len(one.x)))),
        log_y=log_y and not goes_below_zero,
    )


def event_text(event: Event) -> str:
    """A change of a setting: `lr 0.01 → 0.0125`."""
    return f"{event.setting.replace('_', ' ')} {event.before} → {event.after}"


def _position(snapshot: Snapshot, axis: XAxis) -> float:
    n = snapshot.problem.n
    return {
        XAxis.EPOCHS: snapshot.visited / n,
        XAxis.UPDATES: snapshot.updates,
        XAxis.SAMPLES: snapshot.visited,
        XAxis.SECONDS: snapshot.seconds,
    }[axis]


def _x_range(snapshot: Snapshot, axis: XAxis) -> tuple[float, float] | None:
    """The planned epochs, or of a long plan the next round number to come, in the axis's unit."""
    from gdtui.descent.batching import updates_in_epoch

    if axis is XAxis.SECONDS:
        return None
    n, planned = snapshot.problem.n, snapshot.experiment.epochs
    epochs = planned if planned <= WHOLE_PLAN else min(planned, _round_up(max(100, snapshot.epoch + 1)))
    epochs = max(epochs, snapshot.epoch)
    if axis is XAxis.EPOCHS:
        return 0.0, epochs
    if axis is XAxis.SAMPLES:
        return 0.0, epochs * n
    left = epochs - snapshot.visited / n
    return 0.0, snapshot.updates + round(left * updates_in_epoch(snapshot.experiment.batch_size, n))


def _round_up(count: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, ..."""
    power = 10 ** math.floor(math.log10(count))
    return int(next(step * power for step in (1, 2, 5, 10) if step * power >= count))
