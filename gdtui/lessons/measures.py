"""Measures: what captions ask of a run: how far f had come when, and how long it took to come so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch, Update
from gdtui.descent.trainer import Trainer
from gdtui.insight.hessian import curvature, mean_gradient
from gdtui.insight.instruments import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gdtui.descent.snapshot import Snapshot
    from gdtui.insight.hessian import Curvature
    from gdtui.problems.datasets import Array

FALLEN = 1e-6
"""The part of f at the start at which a descent to 0 counts as done."""


def replayed(snapshot: Snapshot, until: Epoch | Update) -> Snapshot:
    """An earlier moment of the same run."""
    return Trainer(snapshot.experiment, snapshot.problem).advance(until)


def part_left(snapshot: Snapshot, epoch: int) -> float:
    """f after so many epochs, as a part of f at the start."""
    losses = snapshot.history.column(Column.LOSS)
    return float(losses[epoch] / losses[0])


def epochs_to(snapshot: Snapshot, level: float) -> int | None:
    """The first epoch at whose end f is no more than a level; None where there is none."""
    return _first(snapshot.history.column(Column.LOSS) <= level)


def epochs_to_fall(snapshot: Snapshot) -> int | None:
    """The first epoch at whose end f, whose least value is 0, has all but gone."""
    return epochs_to(snapshot, FALLEN * snapshot.history.first_loss)


def updates_to(snapshot: Snapshot, level: float) -> int | None:
    """The first update after which f is no more than a level; None where there is none. Runs it again."""
    trainer = Trainer(snapshot.experiment, snapshot.problem)
    f = _objective(trainer.snapshot())
    for epoch in range(1, snapshot.epoch + 1):
        now = trainer.advance(Epoch(epoch))
        found = _first(f(np.vstack([now.visits.thetas[1:], now.theta])) <= level)
        if found is not None:
            return now.visits.first_update + found + 1
    return None


def level_of_excess(snapshot: Snapshot, part: float) -> float:
    """The f whose excess over the least value is such a part of that at the start; f is quadratic."""
    floor = _least(snapshot)
    return floor + part * (snapshot.history.first_loss - floor)


def hovering(snapshot: Snapshot) -> float:
    """The mean excess in the later half of the epochs, as a part of that at the start; f is quadratic."""
    losses, floor = snapshot.history.column(Column.LOSS), _least(snapshot)
    return float((losses[len(losses) // 2 :].mean() - floor) / (losses[0] - floor))


def noise_scale_at(snapshot: Snapshot, part: float) -> float | None:
    """The noise scale B where such a part of f's excess is left, on the straight way to the minimum; f is quadratic."""
    start = snapshot.problem.start(snapshot.experiment.init)
    minimum = snapshot.theta - _newton_step(snapshot)
    return measure(snapshot.evaluate(minimum + math.sqrt(part) * (start - minimum)).gradients).noise_scale


def _first(flags: NDArray[np.bool_]) -> int | None:
    return int(flags.argmax()) if flags.any() else None


def _least(snapshot: Snapshot) -> float:
    """f − ½∇f·H⁺∇f, the least value of a quadratic."""
    return snapshot.now.loss - 0.5 * float(mean_gradient(snapshot.evaluate, snapshot.theta) @ _newton_step(snapshot))


def _newton_step(snapshot: Snapshot) -> Array:
    """H⁺∇f, shape (p,): θ less this is the minimum of a quadratic."""
    step: Array = np.linalg.pinv(_hessian(_curvature(snapshot))) @ mean_gradient(snapshot.evaluate, snapshot.theta)
    return step


def _curvature(snapshot: Snapshot) -> Curvature | None:
    return curvature(snapshot.problem, snapshot.theta, snapshot.evaluate)


def _hessian(here: Curvature | None) -> Array:
    if here is None or here.matrix is None or not here.is_exact:
        raise ValueError("f is not a quadratic of few parameters")
    return here.matrix


def _objective(start: Snapshot) -> Callable[[Array], Array]:
    """θs (k, p) -> f at each, (k,): by its Hessian where f is quadratic, else by a pass over the data for each."""
    here = _curvature(start)
    if here is None or not here.is_exact:
        return lambda thetas: np.array([start.evaluate(theta).loss for theta in thetas])
    hessian, slope = _hessian(here), mean_gradient(start.evaluate, start.theta)

    def quadratic(thetas: Array) -> Array:
        steps = thetas - start.theta
        values: Array = start.loss + steps @ slope + 0.5 * np.einsum("kp,pq,kq->k", steps, hessian, steps)
        return values

    return quadratic
