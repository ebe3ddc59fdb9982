"""Objective: f as it can be evaluated often: exactly where that is cheap, else as the mean of some of the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.engine import WORTH_COMPILING, Engine
from gdtui.descent.method import Method
from gdtui.problems.datasets import Dataset
from gdtui.problems.landscapes import LANDSCAPES
from gdtui.problems.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gdtui.descent.snapshot import Evaluation, Snapshot
    from gdtui.problems.datasets import Array

    Evaluate = Callable[[Array], Evaluation]

SAMPLES = 1_000
"""Of more samples, f is the mean of so many, evenly drawn."""

NUMBERS = 1_000_000
"""Numbers of gradients for one evaluation, at most."""

LINES = 12
"""Samples whose own ℓᵢ are drawn, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """What is drawn of a problem: f, of no more samples than can be evaluated often.

    Attributes:
        problem: whose f it is.
        evaluate: some samples at any θ (p,); f is their losses' mean.
        samples: f is the mean over so many.
        cost: so many does one evaluation visit.
        evaluate_lines: the samples of `lines` at any θ.
        lines: which ones, for p = 1.
        minima: known ones, shape (k, p).
    """

    problem: Problem
    evaluate: Evaluate
    samples: int
    cost: int
    evaluate_lines: Evaluate
    lines: tuple[int, ...]
    minima: Array


def objective_of(snapshot: Snapshot) -> Objective:
    """What is drawn of a moment's problem."""
    problem, p = snapshot.problem, len(snapshot.theta)
    dataset, n = problem.dataset, problem.n
    # Large problems are compiled as they are loaded: so many samples cost no more than a few would, interpreted.
    most = max(SAMPLES, -(-WORTH_COMPILING // p)) if p > 2 and n * p >= WORTH_COMPILING else SAMPLES
    samples = min(n, most, max(1, NUMBERS // p))
    landscape = LANDSCAPES.get(problem.model.name)
    if landscape:
        # The noise of all samples sums to zero: f is the loss of a sample without any.
        still = Dataset(dataset.name, np.zeros((1, p)), np.zeros(1), dataset.features, dataset.target)
        evaluate, samples, cost = _on(snapshot, still), n, 1
    elif samples == n:
        evaluate, cost = snapshot.evaluate, n
    else:
        evaluate, cost = _on(snapshot, _some(dataset, _evenly(n, samples))), samples
    lines = _evenly(n, LINES) if p == 1 else np.arange(0)
    minima = np.array([point for point, _ in landscape.minima]) if landscape else _minimum(problem, evaluate)
    evaluate_lines = _on(snapshot, _some(dataset, lines)) if len(lines) else evaluate
    return Objective(problem, evaluate, samples, cost, evaluate_lines, tuple(lines.tolist()), minima)


def _on(snapshot: Snapshot, dataset: Dataset) -> Evaluate:
    """The same model on other samples."""
    problem = Problem(snapshot.problem.model, dataset)
    return Engine(problem, Method.of(snapshot.experiment), snapshot.theta).evaluate


def _some(dataset: Dataset, rows: NDArray[np.int64]) -> Dataset:
    return Dataset(dataset.name, dataset.x[rows], dataset.y[rows], dataset.features, dataset.target)


def _evenly(n: int, most: int) -> NDArray[np.int64]:
    """All of n, or so many of them: one at random of each of as many equal parts, always the same."""
    if n <= most:
        return np.arange(n)
    # At random: at a fixed distance, samples whose classes take turns would show one class alone.
    bounds = np.arange(most + 1) * n // most
    return np.random.default_rng(0).integers(bounds[:-1], bounds[1:])


def _minimum(problem: Problem, evaluate: Evaluate) -> Array:
    """The minimum of a quadratic of at most two parameters, shape (1, p), or none: shape (0, p)."""
    p = len(problem.parameters)
    if p > 2 or not problem.model.is_quadratic:
        return np.empty((0, p))
    gradients = [evaluate(theta).gradients.mean(axis=0) for theta in (np.zeros(p), *np.eye(p))]
    hessian = np.stack(gradients[1:]) - gradients[0]
    if not np.isfinite(hessian).all() or np.linalg.matrix_rank(hessian) < p:
        return np.empty((0, p))
    minimum: Array = np.linalg.solve(hessian, -gradients[0])[np.newaxis]
    return minimum if np.isfinite(minimum).all() else minimum[:0]
