"""Probe: the samples whose losses and gradients are watched: inputs and targets, as their model takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

Tree = Any
"""A tensor, or a tuple or dict of trees: what a model takes, or a loss function as its target."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """n samples.

    Attributes:
        inputs: for the model; every tensor in it has n rows.
        targets: for the loss function; the same.
        n: samples.
    """

    inputs: Tree
    targets: Tree
    n: int

    @classmethod
    def of(cls, pair: Tree) -> Probe:
        """A probe of what a person gives: (inputs, targets), arrays too.

        Raises:
            TypeError: if it is something else.
            ValueError: if it is empty, or its parts are not of the same length.
        """
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError("probe must be a pair, (inputs, targets)")
        inputs, targets = (each(part, _tensor) for part in pair)
        tensors = leaves((inputs, targets))
        lengths = sorted({len(one) if one.dim() else 0 for one in tensors})
        if lengths == [0] or not lengths:
            raise ValueError("probe must have at least one sample")
        if len(lengths) > 1:
            raise ValueError(f"probe's inputs and targets must be of one length, got {lengths[0]} and {lengths[-1]}")
        return cls(inputs, targets, lengths[0])

    def rows(self, start: int, stop: int, device: torch.device) -> tuple[Tree, Tree]:
        """Inputs and targets of some samples, where the model is."""

        def taken(tree: Tree) -> Tree:
            return each(tree, lambda one: one[start:stop].to(device))

        return taken(self.inputs), taken(self.targets)


def each(tree: Tree, function: Callable[[Any], Any]) -> Tree:
    """The same tree with a function's value for every leaf."""
    if isinstance(tree, Mapping):
        return {name: each(branch, function) for name, branch in tree.items()}
    if isinstance(tree, tuple | list):
        return tuple(each(branch, function) for branch in tree)
    return function(tree)


def leaves(tree: Tree) -> list[Any]:
    """All leaves of a tree, from left to right."""
    found: list[Any] = []
    each(tree, found.append)
    return found


def sample(tree: Tree, i: int) -> Tree:
    """One sample of a tree of tensors, without the axis for samples."""
    return each(tree, lambda one: one[i])


def arguments(inputs: Tree) -> tuple[tuple[Tree, ...], dict[str, Tree]]:
    """Inputs as a call's arguments, by place and by name: a tuple is several, a dict is by name."""
    if isinstance(inputs, dict):
        return (), inputs
    return (inputs if isinstance(inputs, tuple) else (inputs,)), {}


def _tensor(leaf: Any) -> Tensor:
    if isinstance(leaf, Tensor):
        return leaf.detach()
    if isinstance(leaf, np.ndarray):
        return torch.as_tensor(leaf)
    raise TypeError(f"probe must be made of tensors, got {type(leaf).__name__}")
