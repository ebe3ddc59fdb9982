"""What the tests of descent share: problems to descend on, and when two descents are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.descent.history import Column
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.datasets import Dataset
from gdtui.problems.loading import load_problem
from gdtui.problems.models import MODELS
from gdtui.problems.problem import Problem

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot


def problem_of(x: Any, y: Any, model: str = "linear") -> Problem:
    """A problem of the given numbers, x (n, d) and y (n,)."""
    x = np.array(x, dtype=np.float64).reshape(len(y), -1)
    return Problem(
        MODELS[model],
        Dataset("here", x, np.array(y, dtype=np.float64), tuple(f"x{j}" for j in range(x.shape[1])), "y"),
    )


def noisy_plane(n: int = 7, d: int = 2, seed: int = 0) -> Problem:
    """An affine problem of n noisy samples whose loss is never zero."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, d))
    return problem_of(x, x @ generator.normal(size=d) + generator.normal(size=n) + 1.0, "affine")


def trainer_of(problem: Problem | None = None, **settings: Any) -> Trainer:
    """A trainer of the tutorial's experiment with other settings, perhaps on another problem."""
    experiment = Experiment(**settings)
    return Trainer(experiment, problem or load_problem(experiment))


def trace(snapshot: Snapshot) -> dict[str, Any]:
    """All that must be the same, to the bit, in two runs of the same experiment and events: all but the time."""
    visits = snapshot.visits
    return {
        "experiment": snapshot.experiment,
        "state": (snapshot.state, snapshot.reason),
        "counts": (snapshot.epoch, snapshot.updates, snapshot.visited),
        "θ": snapshot.theta.tobytes(),
        "losses": np.array([snapshot.loss, snapshot.visit_loss]).tobytes(),
        "history": np.delete(snapshot.history.rows, Column.SECONDS, axis=1).tobytes(),
        "events": snapshot.events,
        "visits": (
            visits.first_update,
            visits.samples.tobytes(),
            visits.losses.tobytes(),
            visits.gradients.tobytes(),
            visits.update_of.tobytes(),
            visits.thetas.tobytes(),
        ),
        "now": (snapshot.now.loss, snapshot.now.losses.tobytes(), snapshot.now.gradients.tobytes()),
    }
