"""Scenery: draws a terrain on a canvas: the curve of f, its map, or a slice along the step, inside a few numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.dashboard.figures import WIDTH, figure
from gdtui.dashboard.widgets.dots import Canvas
from gdtui.dashboard.widgets.frame import framed
from gdtui.dashboard.widgets.inks import LEVELS, MARKS, PLAIN_PATH, Ink

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.dashboard.widgets.frame import Frame
    from gdtui.dashboard.widgets.ticks import Range
    from gdtui.insight.terrain import Curve, Map, Slice, Terrain
    from gdtui.problems.datasets import Array

    Draw = Callable[[Canvas], None]

TANGENT_REACH = 0.14
"""Of the window, to each side of the point."""

WALL, LEAST_WALL = 0.3, 0.02
"""A curve is drawn so much higher than what the descent has seen; unless that is next to nothing of it all."""

HUGE = 1e300
"""Larger values are drawn as this one."""

TINY = 1e-290
"""Less than this is nothing."""


@dataclass(frozen=True, slots=True)
class Scenery:
    """A drawn terrain: the canvas and its frame; and the part of it that only a new window changes."""

    canvas: Canvas
    frame: Frame
    ground: Canvas
    drawn: object


def draw(terrain: Terrain, width: int, height: int, has_blocks: bool, before: Scenery | None) -> Scenery:
    """Draw a terrain that has a shape, at this size in cells.

    Args:
        terrain: what is drawn.
        width: in cells, with the numbers at the left.
        height: in cells, with the numbers below.
        has_blocks: a map's heights are shades; otherwise characters.
        before: what was drawn before.
    """
    shape = terrain.shape
    assert shape is not None
    with np.errstate(all="ignore"):  # far away, what is drawn need not be finite
        frame, ground, points = _PARTS[type(shape).__name__](terrain, shape, width, height, has_blocks)
        drawn = (shape, frame, has_blocks)  # shapes are equal where they are the same one
        if before is not None and before.drawn == drawn:
            canvas = before.ground
        else:
            canvas = Canvas(frame.columns, frame.rows)
            ground(canvas)
        over = canvas.copy()
        points(over)
    return Scenery(over, frame, canvas, drawn)


# --- one parameter: a curve ------------------------------------------------------------------------------------------


def _curve(terrain: Terrain, curve: Curve, width: int, height: int, _: bool) -> tuple[Frame, Draw, Draw]:
    x_range = _range(curve.window[0])
    frame = framed(width, height, x_range, _heights(terrain, curve))
    here, slope = float(terrain.snapshot.theta[0]), float(terrain.slope[0])

    def ground(canvas: Canvas) -> None:
        losses_of = curve.losses_at(frame.dots()).T
        # All of a few samples; of a choice among many, as few as leave f to be seen.
        is_choice = len(losses_of) < terrain.objective.problem.n
        for losses in losses_of[:: max(1, 6 * len(losses_of) // frame.columns) if is_choice else 1]:
            canvas.curve(frame.y(losses), Ink.LINE)
        canvas.curve(frame.y(curve.f_at(frame.dots())), Ink.CURVE)

    def points(canvas: Canvas) -> None:
        w, reach = frame.dots(), TANGENT_REACH * (x_range[1] - x_range[0])
        tangent = np.where(np.abs(w - here) <= reach, terrain.height + slope * (w - here), np.nan)
        canvas.curve(frame.y(tangent), Ink.TANGENT)
        at = [(Ink.START, terrain.start), *((Ink.MINIMUM, minimum) for minimum in terrain.objective.minima)]
        if terrain.to_come is not None:
            at.append((Ink.NEXT, terrain.to_come))
        for ink, w in at:
            _mark(canvas, frame, w, curve.f_at(w), ink)
        _mark(canvas, frame, terrain.snapshot.theta, np.array([terrain.height]), Ink.NOW)

    return frame, ground, points


def _heights(terrain: Terrain, curve: Curve) -> Range:
    """The lowest and highest f of the picture: walls above all that the descent has seen are cut off."""
    f = curve.f_at(np.linspace(*_range(curve.window[0]), 400))
    seen = curve.f_at(np.concatenate([terrain.path[:, 1], terrain.objective.minima.ravel()]))
    f, seen = f[np.isfinite(f)], seen[np.isfinite(seen)]
    if len(f) and len(seen):
        low, high, highest = f.min(), f.max(), seen.max()
        top = highest + WALL * (highest - low)
        if top - low > LEAST_WALL * (high - low):
            f = np.minimum(f, top)
    return _y_range(np.concatenate([f, seen, [terrain.height]]))


# --- two: a map ------------------------------------------------------------------------------------------------------


def _map(terrain: Terrain, shape: Map, width: int, height: int, has_blocks: bool) -> tuple[Frame, Draw, Draw]:
    frame = framed(width, height, _range(shape.window[0]), _range(shape.window[1]), is_map=True)

    def ground(canvas: Canvas) -> None:
        rows = 2 * frame.rows if has_blocks else frame.rows
        bands = shape.bands(_middles(frame.x_range, frame.columns), _middles(frame.y_range, rows)[::-1])
        if has_blocks:
            canvas.shade(bands + 1)
        else:
            characters = np.array([ord(character) for character in f" {LEVELS}"], dtype="<u4")
            canvas.fill(characters[bands + 1], Ink.LEVEL)

    def points(canvas: Canvas) -> None:
        x, y = frame.x(terrain.path[:, 1]), frame.y(terrain.path[:, 2])
        if has_blocks:
            canvas.line(x, y, Ink.PATH)
        else:
            for at in zip(x.tolist(), y.tolist(), strict=True):
                canvas.mark(*at, PLAIN_PATH, Ink.PATH)
        _mark(canvas, frame, *_columns(terrain.start), Ink.START)
        for minimum in terrain.objective.minima:
            _mark(canvas, frame, *_columns(minimum), Ink.MINIMUM)
        if terrain.to_come is not None:
            _mark(canvas, frame, *_columns(terrain.to_come), Ink.NEXT)
        _mark(canvas, frame, *_columns(terrain.snapshot.theta), Ink.NOW)

    return frame, ground, points


def _columns(point: Array) -> tuple[Array, Array]:
    return point[:1], point[1:]


def _middles(span: Range, count: int) -> Array:
    """The middles of so many equal parts."""
    return span[0] + (span[1] - span[0]) * (np.arange(count) + 0.5) / count


# --- more: a slice along the step ------------------------------------------------------------------------------------


def _slice(_terrain: Terrain, shape: Slice, width: int, height: int, _: bool) -> tuple[Frame, Draw, Draw]:
    x_range = float(shape.knots[0]), float(shape.knots[-1])
    frame = framed(width, height, x_range, _y_range(shape.f_at(np.linspace(*x_range, 200))))
    tau = frame.dots()
    fitted = shape.fitted_at(tau)

    def ground(canvas: Canvas) -> None:
        if fitted is not None:
            canvas.curve(frame.y(fitted), Ink.FIT)
        canvas.curve(frame.y(shape.f_at(tau)), Ink.CURVE)

    def points(canvas: Canvas) -> None:
        if fitted is not None and shape.alpha is not None:
            lowest = np.array([1 / (1 + shape.alpha)])
            height = shape.fitted_at(lowest)
            if height is not None:
                _mark(canvas, frame, lowest, height, Ink.MINIMUM)
        ends = (Ink.NOW, Ink.NEXT) if shape.is_to_come else (Ink.START, Ink.NOW)
        for ink, at in zip(ends, (0.0, 1.0), strict=True):
            _mark(canvas, frame, np.array([at]), shape.f_at(np.array([at])), ink)
        texts = [f"step {figure(shape.length):>{WIDTH}}"]
        if not shape.is_to_come:
            texts.insert(0, f"alpha {figure(shape.alpha):>{WIDTH}}")
        # In the upper corner where f is lower: there it is in nothing's way.
        is_left = shape.f[0, 0] < shape.f[0, -1]
        for row, text in enumerate(texts):
            canvas.write(row, 1 if is_left else canvas.columns - 1 - len(text), text, Ink.TEXT)

    return frame, ground, points


_PARTS: dict[str, Callable[..., tuple[Frame, Draw, Draw]]] = {"Curve": _curve, "Map": _map, "Slice": _slice}


# --- places and numbers ----------------------------------------------------------------------------------------------


def _mark(canvas: Canvas, frame: Frame, x: Array, y: Array, ink: Ink) -> None:
    """The ink's character at a point, shapes (1,); what is above or below the picture stands at its edge."""
    across, up = float(frame.x(x)[0]), float(frame.y(y)[0])
    if math.isfinite(across) and math.isfinite(up):
        canvas.mark(across, min(max(up, 0.0), 1.0), MARKS[ink], ink)


def _range(window: Array) -> Range:
    return float(window[0]), float(window[1])


def _y_range(f: Array) -> Range:
    """What is finite of f, with a little room."""
    finite = np.clip(f[np.isfinite(f)], -HUGE, HUGE)
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    room, size = 0.06 * (high - low), max(abs(low), abs(high))
    if room <= max(1e-12 * size, TINY):
        room = 0.1 * size if size > 100 * TINY else 1.0
    return low - room, high + room
