"""Moment: the samples of a probe at one step of a training, as a frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array


class Number(IntEnum):
    """What is known of each sample; nan where it is not.

    `ALONG` and `ACROSS` place its gradient on a plane: along their mean's direction g/‖g‖, and along the direction
    across it in which the gradients vary the most, both in the gradient's unit.
    """

    LOSS = 0
    NORM = 1
    COSINE = 2
    SHARE = 3
    ALONG = 4
    ACROSS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The samples of a probe at one step.

    Attributes:
        step: of the training.
        epoch: nan where it is not known.
        seconds: since the training began.
        samples: which samples they are, shape (n,).
        numbers: what is known of each, shape (n, 6), columns as in `Number`.
        labels: what each is called, as its class; empty where they have no labels.
        instruments: the scalars of their gradients by name, as of `gdtui.insight.instruments`; none that is undefined.
    """

    step: int
    epoch: float
    seconds: float
    samples: NDArray[np.int64]
    numbers: Array
    labels: tuple[str, ...] = ()
    instruments: Mapping[str, float] = field(default_factory=dict)

    def column(self, number: Number) -> Array:
        """One number of each sample, shape (n,)."""
        column: Array = self.numbers[:, number]
        return column

    @property
    def has_gradients(self) -> bool:
        """Something of their gradients is known."""
        return any(not math.isnan(norm) for norm in self.column(Number.NORM).tolist())
