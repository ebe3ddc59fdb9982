"""Terrain: f around θ, to be drawn: a curve for one parameter, a map for two, a slice along the step for more.

The work is bounded: f is evaluated at a few knots, for at most so many samples, and read between them. A frame of a
running descent reuses the knots as long as θ, and where it came from, stay within the window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.method import Method
from gdtui.insight.alpha import step_alpha
from gdtui.insight.anatomy import experiment_at, newest_step
from gdtui.insight.knots import Surface, between
from gdtui.insight.objective import Objective, objective_of
from gdtui.problems.landscapes import LANDSCAPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdtui.descent.snapshot import Evaluation, Snapshot
    from gdtui.problems.datasets import Array

EVALUATED = 60_000
"""Samples at knots for one curve or map, about; but never fewer than `FEWEST` knots along an axis."""

FEWEST, MOST_CURVE, MOST_MAP, QUADRATIC = 9, 65, 64, 3
"""Knots along an axis; of a quadratic, 3 say all."""

MARGIN = 0.3
"""Of what a window must hold, added at each side."""

ALIKE = 0.6
"""Of two axes with one scale, how many times the longer the shorter is at least."""

TOO_WIDE = 5.0
"""A window so many times wider than it needs to be is left."""

KEPT, OF_AN_EPOCH = 512, 64
"""Points of a path, and those of one epoch."""

FARTHEST = 1e150
"""Where drawing ends: squares beyond are not finite."""

BANDS = 10
"""Bands of height on a map."""

BAND_POWER = 1.6
"""The k-th of n bands begins at the quantile (k/n) to this power: more of them in the valleys."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """f(w) and some samples' own losses.

    Attributes:
        window: the first and last w.
        knots: w, shape (k,).
        f: f and its slopes at the knots, shape (2, k).
        losses: ℓᵢ and their slopes, shape (2, k, s).
        samples: which ones, s.
    """

    window: Array
    knots: Array
    f: Array
    losses: Array
    samples: tuple[int, ...]

    def f_at(self, w: Array) -> Array:
        """f at w, shape (m,)."""
        return between(self.knots, self.f[0], self.f[1], w)

    def losses_at(self, w: Array) -> Array:
        """ℓᵢ at w (m,), shape (m, s)."""
        return between(self.knots, self.losses[0], self.losses[1], w)


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """f(x, y).

    Attributes:
        window: the first and last x, the first and last y, shape (2, 2).
        surface: f.
        levels: where one band of heights ends and the next begins, rising; none where f is flat.
    """

    window: Array
    surface: Surface
    levels: Array

    def bands(self, x: Array, y: Array) -> NDArray[np.int64]:
        """Which band of heights each point of the grid of x (i,) and y (j,) is in, from 0; −1 where f is not finite."""
        f = self.surface.at(x, y)
        return np.where(np.isfinite(f), self.levels.searchsorted(f), -1)


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """f along a step, from θ at 0 to θ at 1, in step lengths.

    Attributes:
        knots: step lengths, shape (k,).
        f: f and its slopes at the knots, shape (2, k).
        length: of the step, in θ's unit.
        alpha: where the step landed; None undefined, and before the first update.
        is_to_come: the step is the next one; otherwise the newest.
    """

    knots: Array
    f: Array
    length: float
    alpha: float | None
    is_to_come: bool

    def f_at(self, tau: Array) -> Array:
        """f after so many step lengths, shape (m,)."""
        return between(self.knots, self.f[0], self.f[1], tau)

    def fitted_at(self, tau: Array) -> Array | None:
        """The quadratic with f and its slope at 0 and the minimum where alpha puts it; None without a valley."""
        start, slope = self.f[:, self.knots == 0.0].ravel().tolist()
        if self.alpha is None or not self.alpha > -1 or not slope < 0:
            return None
        fitted: Array = start + slope * (tau - tau * tau * (1 + self.alpha) / 2)
        return fitted


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """What is drawn around a moment's θ.

    Attributes:
        snapshot: the moment.
        objective: whose f is drawn, and of how many samples.
        shape: f; None where there is no step to draw it along.
        height: f at θ.
        slope: ∇f there, shape (p,).
        start: θ where the run began, shape (p,).
        to_come: θ after the next update were its gradient that of all samples, shape (p,): on the full batch it is,
            otherwise it is so on the average; None where no update follows and, from the first on, where p > 2.
        path: the updates made and θ then, rising, shape (k, 1 + p), as far as they were seen; for p > 2 there is none.
    """

    snapshot: Snapshot
    objective: Objective
    shape: Curve | Map | Slice | None
    height: float
    slope: Array
    start: Array
    to_come: Array | None
    path: Array


def terrain(snapshot: Snapshot, before: Terrain | None = None) -> Terrain:
    """f around a moment's θ; costs up to some tenths of a second, so not on an event loop.

    Args:
        snapshot: the moment.
        before: what was drawn before, of whichever run: what still holds of it is not computed again.
    """
    problem, theta = snapshot.problem, snapshot.theta
    old = before if before is not None and before.objective.problem is problem else None
    with np.errstate(all="ignore"):
        objective = old.objective if old else objective_of(snapshot)
        start, is_small = problem.start(snapshot.experiment.init), len(theta) <= 2
        here = snapshot.now if objective.samples == problem.n else objective.evaluate(theta)
        to_come = _to_come(snapshot) if is_small or not snapshot.updates else None
        path = _path(snapshot, start, old) if is_small else np.empty((0, 1 + len(theta)))
        shape = old.shape if old else None
        if is_small:
            held = _held(objective, start, theta, to_come, path)
            window = _window(objective, held, getattr(shape, "window", None))
            if not isinstance(shape, Curve | Map) or not np.array_equal(window, shape.window):
                shape = _curve(objective, window[0]) if len(theta) == 1 else _map(objective, window)
        else:
            shape = _slice(snapshot, objective, here, to_come, shape if isinstance(shape, Slice) else None)
    return Terrain(snapshot, objective, shape, here.loss, here.gradients.mean(axis=0), start, to_come, path)


# --- where it is and goes --------------------------------------------------------------------------------------------


def _to_come(snapshot: Snapshot) -> Array | None:
    """θ after the next update, were its gradient that of all samples, each clipped as the method says."""
    if snapshot.state.is_over:
        return None
    method = Method.of(snapshot.experiment)
    gradients = snapshot.now.gradients
    if method.clip > 0:
        norms = np.sqrt(np.square(gradients).sum(axis=1, keepdims=True))
        gradients = gradients * np.minimum(1.0, method.clip / norms, where=norms > 0, out=np.ones_like(norms))
    g, theta, state = gradients.mean(axis=0).tolist(), snapshot.theta.tolist(), snapshot.optimizer_state.tolist()
    try:
        method.rule.update(theta, g, method.lr_at(snapshot.epoch), method.h.tolist(), state)
    except (ArithmeticError, ValueError):
        return None
    to_come = np.array(theta)
    return to_come if np.isfinite(to_come).all() else None


# --- where -----------------------------------------------------------------------------------------------------------


def _window(objective: Objective, held: list[Array], before: Array | None) -> Array:
    """The first and last value of each parameter, shape (p, 2), that hold all this; as before where they still do."""
    points = np.clip(np.stack(held), -FARTHEST, FARTHEST)
    low, high = points.min(axis=0), points.max(axis=0)
    span, size = high - low, max(2.0, float(np.abs(points).max()))
    widest = float(span.max()) or size
    if not len(objective.minima):
        widest = max(widest, size)  # of a place of which nothing is known, more than the first step is wanted
    # A dataset's features may differ in scale, and so do a quadratic's parameters; elsewhere axes are much alike.
    is_scaled = len(objective.minima) == 1 and objective.problem.model.name not in LANDSCAPES
    span = np.where(span < (0.02 if is_scaled else ALIKE) * widest, ALIKE * widest, span)
    middle, half = (low + high) / 2, span * (0.5 + MARGIN)
    if before is not None:
        is_within = (before[:, 0] <= low).all() and (high <= before[:, 1]).all()
        if is_within and (before[:, 1] - before[:, 0] <= TOO_WIDE * 2 * half).all():
            return before
    step = np.power(10.0, np.floor(np.log10(2 * half))) / 4
    window: Array = np.stack([np.floor((middle - half) / step) * step, np.ceil((middle + half) / step) * step], axis=1)
    return window


def _held(objective: Objective, start: Array, theta: Array, to_come: Array | None, path: Array) -> list[Array]:
    """What a window must hold."""
    held = [start, theta, *objective.minima, *path[:, 1:]]
    if to_come is not None:
        held.append(to_come)
    if len(theta) == len(objective.minima) == 1:
        held.append(2 * objective.minima[0] - start)  # the far wall of the valley as well
    return held


def _path(snapshot: Snapshot, start: Array, before: Terrain | None) -> Array:
    """The updates made and θ then, from the moments that were drawn and this one's epoch, shape (k, 1 + p)."""
    visits = snapshot.visits
    first, thetas = visits.first_update, visits.thetas
    made = min(snapshot.updates - first, len(thetas))
    picked = sorted({round(k) for k in np.linspace(0, made - 1, OF_AN_EPOCH).tolist()}) if made else []
    newest = [[first + k, *thetas[k]] for k in picked]
    newest.append([snapshot.updates, *snapshot.theta])
    older = np.array([[0, *start]])
    if before is not None and experiment_at(snapshot, -1) == experiment_at(before.snapshot, -1):
        older = before.path[before.path[:, 0] <= _agree_until(snapshot, before.snapshot)]
    path = np.concatenate([older[older[:, 0] < newest[0][0]], np.array(newest)])
    while len(path) > KEPT:
        path = np.concatenate([path[:-OF_AN_EPOCH:2], path[-OF_AN_EPOCH:]])
    return path


def _agree_until(one: Snapshot, other: Snapshot) -> float:
    """The updates made when two moments of one run, perhaps rewound between them, began to differ in their events."""
    k = 0
    while k < min(len(one.events), len(other.events)) and one.events[k] == other.events[k]:
        k += 1
    return min((events[k].update for events in (one.events, other.events) if k < len(events)), default=math.inf)


# --- the shapes ------------------------------------------------------------------------------------------------------


def _knots(objective: Objective, dimensions: int, most: int) -> int:
    if objective.problem.model.is_quadratic:
        return QUADRATIC
    return int(min(max((EVALUATED / objective.cost) ** (1 / dimensions), FEWEST), most))


def _spaced(window: Array, count: int) -> Array:
    return np.linspace(float(window[0]), float(window[1]), count)


def _curve(objective: Objective, window: Array) -> Curve:
    knots = _spaced(window, _knots(objective, 1, MOST_CURVE))
    points = knots[:, np.newaxis]
    f = [objective.evaluate(w) for w in points]
    lines = [objective.evaluate_lines(w) for w in points]
    return Curve(
        window=window[np.newaxis],
        knots=knots,
        f=np.array([[each.loss for each in f], [each.gradients.mean() for each in f]]),
        losses=np.array([[each.losses for each in lines], [each.gradients[:, 0] for each in lines]]),
        samples=objective.lines,
    )


def _map(objective: Objective, window: Array) -> Map:
    k = _knots(objective, 2, MOST_MAP)
    x, y = _spaced(window[0], k), _spaced(window[1], k)
    rows = [[objective.evaluate(np.array([a, b])) for a in x] for b in y]
    f = np.array([[each.loss for each in row] for row in rows])
    slopes = np.array([[each.gradients.mean(axis=0) for each in row] for row in rows])
    surface = Surface.of(x, y, f, slopes[:, :, 0], slopes[:, :, 1])
    return Map(window, surface, _levels(surface.at(_spaced(window[0], 48), _spaced(window[1], 48))))


def _levels(f: Array) -> Array:
    """Heights between the bands of a map: quantiles, so that the valleys are seen whatever the peaks."""
    heights = f[np.isfinite(f)]
    if not len(heights) or heights.max() - heights.min() <= 1e-12 * np.abs(heights).max():
        return np.empty(0)
    return np.quantile(heights, (np.arange(1, BANDS) / BANDS) ** BAND_POWER)


def _slice(
    snapshot: Snapshot, objective: Objective, here: Evaluation, to_come: Array | None, before: Slice | None
) -> Slice | None:
    newest = newest_step(snapshot)
    if newest is not None:
        _, origin, end = newest
    elif to_come is not None:
        origin, end = snapshot.theta, to_come
    else:
        return before  # the first batch of an epoch is under way: the newest step is what it was
    step = end - origin
    length = math.hypot(*step.tolist())
    if not 0 < length < math.inf:
        return None
    numbers, is_quadratic = objective.cost * len(step), objective.problem.model.is_quadratic
    knots = np.linspace(-1.0, 3.0, 5 if is_quadratic else 17 if numbers <= 1_000 else 9)
    known = {0.0 if newest is None else 1.0: here} if end is snapshot.theta or newest is None else {}
    found = [known[tau] if tau in known else objective.evaluate(origin + tau * step) for tau in knots.tolist()]
    slopes = [each.gradients.mean(axis=0) @ step for each in found]
    alpha = None
    if newest is not None:
        ends = [found[int((knots == tau).argmax())] for tau in (0.0, 1.0)]
        if objective.samples < objective.problem.n:
            ends = [snapshot.evaluate(origin), snapshot.now]
        alpha = step_alpha(origin, end, *ends)
    return Slice(knots, np.array([[each.loss for each in found], slopes]), length, alpha, newest is None)
