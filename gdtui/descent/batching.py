"""Batching: which samples make up each update; the order of an epoch's visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.experiment import BatchSize

Order = NDArray[np.int64]


def sequential(n: int, _generator: np.random.Generator) -> Order:
    """Every sample once, as they stand in the data: the tutorial's order."""
    return np.arange(n)


def shuffle(n: int, generator: np.random.Generator) -> Order:
    """Every sample once, in a fresh permutation."""
    return generator.permutation(n)


def replacement(n: int, generator: np.random.Generator) -> Order:
    """n draws, each sample as likely as any other every time."""
    return generator.integers(n, size=n)


ORDERS: dict[str, Callable[[int, np.random.Generator], Order]] = {
    "sequential": sequential,
    "shuffle": shuffle,
    "replacement": replacement,
}
"""(n, generator) -> the samples that one epoch visits, shape (n,), by the name of `--order`."""


def draw(order: str, n: int, epochs: int, generator: np.random.Generator) -> Order:
    """The visits of so many epochs, one after the other, shape (epochs·n,); or (n,) where all are the same."""
    if order == "sequential":
        return sequential(n, generator)
    return np.concatenate([ORDERS[order](n, generator) for _ in range(epochs)])


def samples_in_batch(batch_size: BatchSize, n: int) -> int:
    """How many samples a whole batch has: all n where the size is `full` or larger than n."""
    return n if batch_size == "full" else min(batch_size, n)


def updates_in_epoch(batch_size: BatchSize, n: int) -> int:
    """How many updates an epoch makes; a last batch that is smaller counts as a batch."""
    return -(-n // samples_in_batch(batch_size, n))
