"""Comparison: pinned runs beside the run of now, as curves, differences, lines of a pane and readings of a cursor."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gdtui.dashboard.figures import figure
from gdtui.dashboard.pins import NOW, telling
from gdtui.dashboard.widgets.runs import RunLine
from gdtui.dashboard.widgets.series import Series
from gdtui.experiment import printable
from gdtui.runs.summary import brief

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.dashboard.curves import XAxis
    from gdtui.dashboard.pins import Pins
    from gdtui.dashboard.widgets.series import Plot
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array

    Curve = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Now:
    """The run of now, as far as its line tells of it.

    Attributes:
        experiment: its settings; None of another program's training.
        epoch: how far it has come; None where it is not known.
        state: what has become of it.
    """

    experiment: Experiment | None
    epoch: int | None
    state: str


def difference_plot(plot: Plot, pins: Pins, axis: XAxis) -> Plot:
    """Each pinned run against the run of now, at the same x: f − f now; with log y f/f now, and a line at 0 or 1.

    Between two epochs f is interpolated, as the curves are; there is a difference only where both runs have been, and
    a ratio only where both are above 0.

    Args:
        plot: the loss chart's; its first series is the run of now.
        pins: the pinned runs.
        axis: what the x axis counts.
    """
    import numpy as np

    now = plot.series[0]
    curve = now.x, now.y
    seen = now.x[telling(now.y)]
    ends = now.x[[0, -1]] if len(now.x) else now.x
    series = [replace(now, x=ends, y=np.full(len(ends), float(plot.log_y)))]
    for look, pin in pins:
        x = _shared(pin.series(axis, look).x, seen)
        series.append(Series(pin.key, x, against(pin.curve(axis), curve, x, plot.log_y), look.color, look.mark))
    return replace(plot, series=tuple(series))


def against(curve: Curve, now: Curve, x: Array, is_ratio: bool) -> Array:
    """A curve's difference to the one of now at x, or its ratio, shape (m,); nan where either has no value."""
    import numpy as np

    f, f_now = at(x, curve), at(x, now)
    if not is_ratio:
        return f - f_now
    is_known = (f > 0) & (f_now > 0)
    with np.errstate(over="ignore"):
        ratio: Array = np.divide(f, f_now, out=np.full(len(x), np.nan), where=is_known)
    return ratio


def at(x: Array, curve: Curve) -> Array:
    """A curve's y at x, shape (m,), interpolated between its points; nan before its first and after its last."""
    import numpy as np

    if not len(curve[0]):
        return np.full(len(x), np.nan)
    y: Array = np.interp(x, *curve, left=np.nan, right=np.nan)
    return y


def _shared(x: Array, other: Array) -> Array:
    """All x of both, from where the later one begins to where the earlier one ends."""
    import numpy as np

    if not (len(x) and len(other)):
        return np.empty(0)
    both = np.union1d(x, other)
    shared: Array = both[(both >= max(x[0], other[0])) & (both <= min(x[-1], other[-1]))]
    return shared


# What the pane of runs says.


def run_lines(now: Now, pins: Pins, values: list[float], color: str) -> tuple[RunLine, ...]:
    """A line for the run of now and for each pinned one, with these values; none where nothing is pinned."""
    if not pins:
        return ()
    words = _told_apart((now.experiment, *(pin.experiment for _, pin in pins)))
    first = RunLine("", NOW, color, ("now", *words[0]), values[0], now.epoch, _outcome(now.state))
    others = (
        RunLine(
            pin.key,
            look.mark,
            look.color,
            (printable(pin.name),) if pin.name else of_pin or _alike(pin.epoch or 0),
            value,
            pin.epoch,
            _outcome(pin.state),
        )
        for (look, pin), of_pin, value in zip(pins, words[1:], values[1:], strict=True)
    )
    return (first, *others)


def _told_apart(experiments: Sequence[Experiment | None]) -> list[tuple[str, ...]]:
    """In what each differs from the others, or what one alone is; nothing of what has no experiment."""
    known = tuple(one for one in experiments if one is not None)
    words = iter(_differences(known) if len(known) > 1 else [(brief(one.to_line()),) for one in known])
    return [() if one is None else next(words) for one in experiments]


@lru_cache(maxsize=4)
def _differences(experiments: tuple[Experiment, ...]) -> list[tuple[str, ...]]:
    from gdtui.runs.compare import differences

    return differences(experiments)


def _alike(epoch: int) -> tuple[str, ...]:
    from gdtui.runs.compare import SAME

    return SAME, f"to epoch {epoch:,}"


def _outcome(state: str) -> str:
    return "" if state in ("ready", "running", "paused") else state


def losses(snapshot: Snapshot, pins: Pins) -> list[float]:
    """f of the run of now and of each pinned one, at the end of their last epochs."""
    return [snapshot.loss, *(pin.loss for _, pin in pins)]


def losses_at(x: float, plot: Plot, pins: Pins, axis: XAxis, is_difference: bool) -> list[float]:
    """The same at x, or their differences there as the chart shows them; nan where a run has not been.

    Args:
        x: where on the axis.
        plot: the loss chart's, without differences.
        pins: the pinned runs.
        axis: what the x axis counts.
        is_difference: against the run of now.
    """
    import numpy as np

    here, now = np.array([x]), (plot.series[0].x, plot.series[0].y)
    curves = [now, *(pin.curve(axis) for _, pin in pins)]
    found = [against(curve, now, here, plot.log_y) if is_difference else at(here, curve) for curve in curves]
    return [float(value[0]) for value in found]


def reading_texts(axis: XAxis, x: float, values: tuple[tuple[str, float], ...]) -> list[str]:
    """What the cursor reads of the run of now, in fewer and fewer words."""
    where = f"{axis.value} {x:,.7g}"
    words = [f"{name} {value!r}" for name, value in values]
    fewer = [f"{where}: {', '.join(words[:count])}" for count in range(len(words), 0, -1)]
    return [*fewer, *(f"{where}: {figure(value)}" for _, value in values[:1]), where]


def comparison_texts(axis: XAxis, x: float, pins: Pins, values: list[float]) -> list[str]:
    """What the cursor reads of all runs, each by its line mark; of fewer and fewer of them."""
    where = f"{axis.value} {x:,.7g}"
    marks = [NOW, *(look.mark for look, _ in pins)]
    known = [f"{mark} {figure(value)}" for mark, value in zip(marks, values, strict=True) if not math.isnan(value)]
    return [*(f"{where}: {'  '.join(known[:count])}" for count in range(len(known), 0, -1)), where]
