"""Problem: a model on data, f(θ) = mean over samples of ℓᵢ(θ)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.experiment import Experiment, InputError
from gdtui.problems.datasets import DATASETS, Dataset
from gdtui.problems.models import Model, model_named

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array


@dataclass(frozen=True, slots=True)
class Problem:
    """What is minimised: n samples, p parameters."""

    model: Model
    dataset: Dataset

    @property
    def n(self) -> int:
        """The number of samples."""
        return len(self.dataset.y)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the p parameters."""
        return self.model.parameters(self.dataset.features)

    def start(self, init: tuple[float, ...]) -> Array:
        """θ at the start, shape (p,): `init`, one number for all parameters or one each; 1.0 where it is empty.

        Raises:
            InputError: if the numbers are not as many as the parameters.
        """
        names = self.parameters
        if len(init) <= 1:
            return np.full(len(names), init[0] if init else 1.0)
        if len(init) != len(names):
            raise InputError(
                "init",
                f"start has {len(init)} numbers, but {self.model.name} has {len(names)} "
                f"{'parameter' if len(names) == 1 else 'parameters'} here ({_shortened(names)})",
            )
        return np.array(init)

    def predict(self, theta: Array, sample: int) -> float:
        """ŷ of one sample at θ (p,)."""
        return float(self.model.predict(theta.tolist(), self.dataset.x[sample].tolist()))


def load_problem(experiment: Experiment) -> Problem:
    """Find the model and read the data that an experiment names.

    Raises:
        InputError: if there is no such model or data, or the data cannot be used.
    """
    return Problem(model_named(experiment.problem), _load_data(experiment))


def _load_data(experiment: Experiment) -> Dataset:
    if experiment.data in DATASETS:
        dataset = DATASETS[experiment.data]().select(experiment.features, experiment.target)
    else:
        from gdtui.problems.tables import read_table

        dataset = read_table(experiment.data, experiment.features, experiment.target, experiment.drop_missing)
    return dataset.standardized() if experiment.standardize else dataset


def _shortened(names: tuple[str, ...], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
