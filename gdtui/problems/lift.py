"""Lift: a function as the mean of n samples, ℓᵢ(θ) = f(θ) + zᵢ·θ with Σzᵢ = 0.

The mean of the ℓᵢ is f and the mean of their gradients ∇f, so full-batch descent is descent on f itself; each sample's
gradient ∇f + zᵢ is off by a noise of its own, as in stochastic gradient descent with additive noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableSequence

    from gdtui.problems.datasets import Array
    from gdtui.problems.landscapes import Function
    from gdtui.problems.models import Loss, Vector


def lift(f: Function) -> Loss:
    """The loss of a sample whose features are its noise: (θ (p,), z (p,), y, g (p,)) -> f(θ) + z·θ; y does not matter.

    To be compiled it needs an f that is compiled.
    """

    def loss(theta: Vector, z: Vector, _y: float, g: MutableSequence[float]) -> float:
        value = f(theta, g)
        for j in range(len(theta)):
            value += z[j] * theta[j]
            g[j] += z[j]
        return value

    return loss


def noise(n: int, d: int, rms: float, seed: int) -> Array:
    """n normal vectors zᵢ in d dimensions, shape (n, d), balanced: Σzᵢ = 0 exactly, in whatever order they are added.

    Exactly, because rounding would do what noise does, and drive full-batch descent off a saddle: every number is a
    multiple of one power of two, so small that it costs no accuracy and so large that no sum of them is ever rounded.

    Args:
        n: how many, at least 2.
        d: how many dimensions.
        rms: root mean square of each coordinate, √(mean over i of zᵢⱼ²) = rms for every j; so √(mean ‖zᵢ‖²/d) is too.
        seed: of PCG64, in a stream of its own: the order of the visits, drawn from the same seed, is independent of it.
    """
    import numpy as np

    _, exponent = math.frexp(rms)
    grid = math.ldexp(1.0, exponent - (52 - n.bit_length()))  # Σ|zᵢⱼ| ≤ n·rms < 2⁵² grid steps
    if rms == 0.0 or grid == 0.0:
        return np.zeros((n, d))
    stream = np.random.SeedSequence(seed, spawn_key=(0,))
    z = np.random.Generator(np.random.PCG64(stream)).standard_normal((n, d))
    z -= z.mean(axis=0)
    z *= rms / z.std(axis=0)
    steps = np.rint(z / grid)
    each, rest = np.divmod(steps.sum(axis=0), n)  # what rounding has left
    steps -= each + (np.arange(n)[:, np.newaxis] < rest)
    return steps * grid
