"""Overlays: what a second, small chart shows over the epochs: one of the instruments that the run keeps."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

from gdtui.dashboard.curves import AHEAD, XAxis
from gdtui.dashboard.figures import figure
from gdtui.dashboard.widgets.series import Plot, Series

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.problems.datasets import Array

SECOND, LIMIT = "secondary", "limit"
"""Colours of a chart's second curve, and of a limit."""

OTHER = "○"
"""The line mark of either, so that colour is not the only signal."""


class Overlay(Enum):
    """An instrument over the epochs: its formula, for the chart's border."""

    NONE = ""
    GRAD_NORM = "‖g‖"
    NOISE_SCALE = "noise scale B = trΣ/‖g‖²"
    ALIGNMENT = "alignment, mean cosᵢ · ○ conflicts, cosᵢ < 0, of n"
    ALPHA = "alpha: −1 not moved, 0 the minimum, 1 the far wall"
    UPDATE_SIZE = "update size ‖θₜ₊₁ − θₜ‖"
    SHARPNESS = "sharpness λmax · ○ gradient descent's limit 2/lr"

    def next(self) -> Overlay:
        """The next one, round and round."""
        overlays = list(Overlay)
        return overlays[(overlays.index(self) + 1) % len(overlays)]


COLUMNS = {
    Overlay.GRAD_NORM: ("grad_norm",),
    Overlay.NOISE_SCALE: ("noise_scale",),
    Overlay.ALIGNMENT: ("alignment", "conflicts"),
    Overlay.ALPHA: ("alpha",),
    Overlay.UPDATE_SIZE: ("update_size",),
    Overlay.SHARPNESS: ("sharpness",),
}
"""The tracked instruments that are drawn, the first on top."""

NAMES = {
    "grad_norm": "‖g‖",
    "noise_scale": "B",
    "alignment": "cos",
    "conflicts": "conflicts",
    "alpha": "α",
    "update_size": "update",
    "sharpness": "λmax",
}

LANDMARKS = {"not moved": -1.0, "minimum": 0.0, "far wall": 1.0}
"""Lines to read alpha by; with them its axis is always the same."""

SIGNED = (Overlay.ALIGNMENT, Overlay.ALPHA)
"""These have values on both sides of 0: never on a log axis."""


def instrument_plot(snapshot: Snapshot, overlay: Overlay, axis: XAxis, color: str, beside: Plot) -> Plot:
    """An instrument over the run so far, on the x axis of the loss chart; dim, what is known of later epochs.

    Its y axis is logarithmic where nothing is below 0 and something above; 0 then is a gap, as on the loss chart.

    Args:
        snapshot: the moment; its `tracked` holds the instruments of `insight.tracked`.
        overlay: which instrument.
        axis: what the x axis counts.
        color: of the first curve.
        beside: the loss chart's plot.
    """
    import numpy as np

    from gdtui.insight.instruments import measured

    series: list[Series] = []
    for name, ink, mark in zip(COLUMNS.get(overlay, ()), (color, SECOND), ("", OTHER), strict=False):
        epochs, values = tracked(snapshot, name)
        if name == "conflicts":
            values = values / measured(snapshot.problem.n)
        if overlay is Overlay.SHARPNESS:
            # Of a costly problem it is known at some epochs only: those are joined.
            epochs, values = epochs[~np.isnan(values)], values[~np.isnan(values)]
        now = int(epochs.searchsorted(snapshot.epoch, side="right"))
        x = _positions(snapshot, epochs, axis)
        series.append(Series(NAMES[name], x[:now], values[:now], ink, mark))
        if now < len(x):
            series.append(Series(f"{NAMES[name]} ahead", x[max(0, now - 1) :], values[max(0, now - 1) :], AHEAD))
    if overlay is Overlay.SHARPNESS:
        series.append(_limit(snapshot, axis))
    if overlay is Overlay.ALPHA:
        x = _positions(snapshot, tracked(snapshot, "alpha")[0][[0, -1]], axis) if len(snapshot.tracked) else np.empty(0)
        series += [Series(name, x, np.full(len(x), at), AHEAD) for name, at in LANDMARKS.items()]
    is_log = overlay not in SIGNED and not any((one.y < 0).any() for one in series)
    return Plot(
        series=tuple(series),
        marks=beside.marks,
        x_range=beside.x_range or _fitted_range(beside),
        log_y=is_log and any((one.y > 0).any() for one in series),
    )


def reading(snapshot: Snapshot, overlay: Overlay) -> str:
    """The newest values, for the chart's border: `B 0.75000`; – where undefined or not kept yet."""
    import numpy as np

    texts = []
    for name in COLUMNS.get(overlay, ()):
        epochs, values = tracked(snapshot, name)
        past = values[: int(epochs.searchsorted(snapshot.epoch, side="right"))]
        if overlay is Overlay.SHARPNESS:
            past = past[~np.isnan(past)]
        value = float(past[-1]) if len(past) else math.nan
        is_count = name == "conflicts" and not math.isnan(value)
        texts.append(f"{NAMES[name]} {f'{value:,.0f}' if is_count else figure(value)}")
    if overlay is Overlay.SHARPNESS:
        texts.append(f"2/lr {figure(2 / snapshot.lr if snapshot.lr else math.inf)}")
    return " · ".join(texts)


def tracked(snapshot: Snapshot, name: str) -> tuple[Array, Array]:
    """The tracked epochs and an instrument's values at them, shapes (m,); nan where it is undefined."""
    import numpy as np

    from gdtui.insight.tracked import INSTRUMENTS

    rows = snapshot.tracked
    if not len(rows):
        return np.empty(0), np.empty(0)
    return rows[:, 0], rows[:, 2 + INSTRUMENTS.index(name)]


def _positions(snapshot: Snapshot, epochs: Array, axis: XAxis) -> Array:
    """Where tracked epochs lie on an axis, shape (m,)."""
    import numpy as np

    from gdtui.descent.history import Column

    if axis is XAxis.EPOCHS or not len(epochs):
        return epochs
    if axis is XAxis.SAMPLES:
        return epochs * snapshot.problem.n
    if axis is XAxis.UPDATES:
        updates: Array = snapshot.tracked[snapshot.tracked[:, 0].searchsorted(epochs), 1]
        return updates
    known = snapshot.history
    return np.interp(epochs, known.column(Column.EPOCH), known.column(Column.SECONDS))


def _limit(snapshot: Snapshot, axis: XAxis) -> Series:
    """2/lr at the learning rate of each epoch: what the sharpness must stay below for gradient descent to settle."""
    import numpy as np

    from gdtui.descent.history import Column

    past = snapshot.history.until(snapshot.epoch)
    with np.errstate(divide="ignore"):
        return Series("2/lr", past.column(axis.column), 2 / past.column(Column.LR), LIMIT, OTHER)


def _fitted_range(plot: Plot) -> tuple[float, float]:
    """From 0 to where a chart without a range of its own ends: round numbers, so that it seldom moves."""
    from gdtui.dashboard.widgets.plot import TINY, TOPS

    last = max((float(one.x[-1]) for one in plot.series if len(one.x)), default=0.0)
    if not TINY <= last < math.inf:
        return 0.0, 1.0
    power = 10.0 ** math.floor(math.log10(last))
    return 0.0, next((top * power for top in TOPS if top * power >= last), last)
