"""Problem: a model on data, f(θ) = mean over samples of ℓᵢ(θ)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.experiment import InputError

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array, Dataset
    from gdtui.problems.models import Model


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is minimised: n samples, p parameters.

    Attributes:
        model: the loss of one sample.
        dataset: the samples.
        default_start: θ where no start is given, shape (p,); None for 1.0 each.
    """

    model: Model
    dataset: Dataset
    default_start: Array | None = None

    @property
    def n(self) -> int:
        """The number of samples."""
        return len(self.dataset.y)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the p parameters."""
        return self.model.parameters(self.dataset.features)

    def start(self, init: tuple[float, ...]) -> Array:
        """θ at the start, shape (p,): `init`, one number for all parameters or one each; else the problem's own.

        Raises:
            InputError: if the numbers are not as many as the parameters.
        """
        import numpy as np

        names = self.parameters
        if not init and self.default_start is not None:
            return self.default_start.copy()
        if len(init) <= 1:
            return np.full(len(names), init[0] if init else 1.0)
        if len(init) != len(names):
            raise InputError(
                "init",
                f"start has {len(init)} numbers, but {self.model.name} has {len(names)} "
                f"{'parameter' if len(names) == 1 else 'parameters'} here ({_shortened(names)})",
            )
        return np.array(init)


def _shortened(names: tuple[str, ...], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
