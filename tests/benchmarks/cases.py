"""Cases: what gdtui and its peers are measured on, and gdtui's own side of it, compiled before the clock starts."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.engine import WORTH_COMPILING, WORTH_COMPILING_S
from gdtui.descent.snapshot import Epoch, Snapshot
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment, Value
from gdtui.problems.catalog import family_named
from gdtui.problems.datasets import Dataset, from_columns, tutorial
from gdtui.problems.problem import Problem

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array

HIDDEN = 16
_MLP: dict[str, Value] = {"hidden": HIDDEN, "activation": "tanh", "loss": "squared"}


@dataclass(frozen=True)
class Case:
    """A problem, and the learning rate at which SGD goes over it, batch size 1, in the data's order.

    Attributes:
        name: for the table.
        problem: the model and its data.
        lr: small enough that nothing diverges.
    """

    name: str
    problem: Problem
    lr: float = 0.01

    @property
    def x(self) -> Array:
        """Features, shape (n, d)."""
        return self.problem.dataset.x

    @property
    def y(self) -> Array:
        """Targets, shape (n,)."""
        return self.problem.dataset.y

    @property
    def start(self) -> Array:
        """θ at the start, shape (p,)."""
        return self.problem.start(())

    @property
    def experiment(self) -> Experiment:
        """Without an end."""
        return Experiment(lr=self.lr, epochs=10**9)


def tutorial_case() -> Case:
    """The tutorial's own three samples."""
    return Case("linear, d = 1, n = 3", Problem(family_named("linear").make(tutorial(), {}, 0).model, tutorial()))


def case(model: str, d: int, n: int) -> Case:
    """A model of d features on n samples of noise, whose targets depend on it."""
    generator = np.random.Generator(np.random.PCG64(0))
    x = generator.standard_normal((n, d))
    y = x.mean(axis=1) + 0.1 * generator.standard_normal(n)
    if model == "logistic":
        y = (y > np.median(y)).astype(np.float64)
    columns = {f"x{j}": x[:, j] for j in range(d)} | {"y": y}
    problem = family_named(model).make(from_columns("noise", columns, "y"), _MLP, 0)
    name = f"mlp {d}-{HIDDEN}-1" if model == "mlp" else f"{model}, d = {d}"
    return Case(f"{name}, n = {n:,}", problem, lr=0.01 / d)


def compiled_trainer(case: Case) -> Trainer:
    """A trainer that has changed over to compiled code."""
    _compile(case.problem)
    trainer = Trainer(case.experiment, case.problem)
    for _ in range(2):  # the first one finds it worth compiling; it is compiled already
        trainer.advance(until=Epoch(trainer.snapshot().epoch + 1))
        trainer.advance(budget_s=1.2 * WORTH_COMPILING_S)
    trainer.advance(until=Epoch(trainer.snapshot().epoch + 1))
    return trainer


def _compile(problem: Problem) -> None:
    """Compile what this model needs, by an epoch on data so large that nothing is interpreted."""
    data = problem.dataset
    times = -(-WORTH_COMPILING // (problem.n * len(problem.parameters)))
    many = Dataset("many", np.tile(data.x, (times, 1)), np.tile(data.y, times), data.features, data.target)
    Trainer(Experiment(lr=1e-9), Problem(problem.model, many, problem.default_start)).advance(until=Epoch(1))


def same(ours: Array, theirs: Array, peer: str) -> None:
    """What is timed computes the same.

    Raises:
        ArithmeticError: if it does not.
    """
    if not np.allclose(ours, theirs, rtol=1e-6, atol=1e-9):
        raise ArithmeticError(f"{peer} computes something else: {theirs.ravel()[:3]}, not {ours.ravel()[:3]}")


def epochs_of(trainer: Trainer, epochs: int) -> Snapshot:
    """So many epochs more."""
    return trainer.advance(until=Epoch(trainer.snapshot().epoch + epochs))


def installed(module: str) -> ModuleType | None:
    """A peer's module; None where it is not installed, or cannot be imported."""
    try:
        found = import_module(module)
    except ImportError:
        return None
    if module == "torch":
        found.set_num_threads(1)
    return found
