"""Forecast: what is known without running: the full batch's loss curve on a quadratic, and the way off a saddle."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.method import Method
from gdtui.insight import limits
from gdtui.insight.stability import is_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdtui.experiment import Experiment
    from gdtui.insight.hessian import Curvature, Evaluate
    from gdtui.insight.limits import Recurrence
    from gdtui.problems.datasets import Array
    from gdtui.problems.problem import Problem


def updates_to_leave(lr: float, smallest: float, component: float, size: float = 1.0) -> int | None:
    """Updates of gradient descent until a step off a saddle has grown to a size: each is 1 + lr·|λmin| times the last.

    Args:
        lr: learning rate.
        smallest: λmin, below 0.
        component: how far θ is from the saddle along λmin's eigenvector.
        size: how far it is to get.

    Returns:
        The least such number; None where it never leaves.
    """
    if not (smallest < 0 and lr > 0) or not 0 < abs(component) < math.inf:
        return None
    left = math.log(size) - math.log(abs(component))
    growth = math.log1p(-lr * smallest)
    return None if growth == 0 else max(0, math.ceil(left / growth - 1e-12))


def distance_along_flattest(here: Curvature, gradient: Array) -> float | None:
    """How far θ is from the saddle along λmin's eigenvector v, were f quadratic: v·∇f/λmin; None at λmin = 0."""
    return float(here.flattest @ gradient) / here.smallest if here.smallest else None


def predicted_curve(
    problem: Problem,
    experiment: Experiment,
    theta: Array,
    evaluate: Evaluate,
    known: Curvature,
    epochs: NDArray[np.int64],
) -> Array | None:
    """f after so many epochs (m,) of the full batch from the start θ, shape (m,), without running them; two passes.

    None where it is not known: f is not quadratic or its Hessian not at hand, updates are not those of SGD on the full
    batch, lr changes, or gradients are clipped.
    """
    method = Method.of(experiment)
    is_plain = method.rule.name == "sgd" and experiment.schedule == "constant" and method.clip == 0
    if known.matrix is None or not known.is_exact or not is_plain or is_split(experiment, problem.n):
        return None
    momentum, dampening, nesterov, decay = method.h.tolist()
    values, vectors = np.linalg.eigh(known.matrix)
    values = np.where(values > 1e-12 * values[-1], values, 0.0)
    pull, slopes = values + decay, vectors.T @ evaluate(theta).gradients.mean(axis=0)
    towards = slopes + decay * (vectors.T @ theta)
    with np.errstate(all="ignore"):
        offsets = np.where(pull > 0, towards / pull, 0.0)
    floor = evaluate(theta - vectors @ offsets).loss
    rests = np.where(pull > 0, slopes - values * offsets, 0.0) if decay else np.zeros_like(values)
    recurrence = limits.sgd(momentum, dampening, nesterov != 0)
    return predicted_losses(recurrence, experiment.lr, values, offsets, floor, epochs, decay, rests)


def predicted_losses(
    method: Recurrence,
    lr: float,
    eigenvalues: Array,
    offsets: Array,
    floor: float,
    updates: NDArray[np.int64],
    weight_decay: float = 0.0,
    slopes: Array | None = None,
) -> Array:
    """f after so many updates of a quadratic, each eigenvector by its own recurrence.

    f(θₜ) = f* + Σ sⱼdⱼ + ½λⱼdⱼ², where dⱼ is (1 − lr·λⱼ)ᵗ of its start for gradient descent; with momentum it is the
    first entry of Mᵗ⁻¹(dⱼ, lr·mⱼ) from the first update on, which takes in the whole gradient, as PyTorch's does.

    Args:
        method: how θ is updated.
        lr: learning rate.
        eigenvalues: λ of H, shape (p,).
        offsets: d at the start: θ from where descent ends, along the eigenvectors, shape (p,).
        floor: f*, f where descent ends.
        updates: how many, from 0, shape (m,).
        weight_decay: what is added to λ in the gradients, but not in f.
        slopes: s = ∇f where descent ends, along the eigenvectors, shape (p,): 0 without weight decay.

    Returns:
        f, shape (m,); ∞ where it is no longer finite.
    """
    pulls = (eigenvalues + weight_decay)[:, np.newaxis, np.newaxis]
    with np.errstate(all="ignore"):
        start = np.zeros((len(pulls), 2 if method.has_memory else 1, 1))
        start[:, 0, 0] = offsets
        power, later = method.matrices(lr, pulls), np.maximum(updates - 1, 0)
        first = replace(method, gain=1.0) if method.has_memory else method
        states = np.broadcast_to(first.matrices(lr, pulls) @ start, (len(updates), *start.shape)).copy()
        while later.any():
            odd = later & 1 == 1
            states[odd] = power @ states[odd]
            power, later = power @ power, later >> 1
        states[updates == 0] = start
        d = states[:, :, 0, 0]
        losses = floor + (0.5 * eigenvalues * d * d).sum(axis=1)
        if slopes is not None:
            losses += (slopes * d).sum(axis=1)
    finite: Array = np.where(np.isfinite(losses), losses, math.inf)
    return finite
