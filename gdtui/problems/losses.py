"""Losses: models beyond a straight line, each one function (θ, x, y, g) -> ℓ that writes ∇ℓ into g.

As in `models`, plain arithmetic on indexed sequences that calls nothing but `math`: it runs as it stands or compiled,
with the same bits, and never raises, however large the numbers are. Where a model needs room for what it has computed
of a sample, that room is g, before the gradient is written over it. Made of their setting: `huber(δ)`, `mlp(...)`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, MutableSequence

    from gdtui.problems.models import Loss, Vector

    Predict = Callable[[Vector, Vector], float]


def polynomial(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
    """Squared loss of ŷ = Σⱼ Σₖ wⱼₖ xⱼᵏ + b, k = 1 to the degree: ℓ = (ŷ − y)².

    θ = (w₁₁, w₁₂, ..., w_d1, ..., b), (degree·d + 1,): the powers of one feature after another; b.
    """
    last = len(theta) - 1
    degree = last // len(x)
    y_hat = 0.0
    for j in range(len(x)):
        power = 1.0
        for i in range(j * degree, (j + 1) * degree):
            power *= x[j]
            g[i] = power
            y_hat += power * theta[i]
    residual = y_hat + theta[last] - y
    for i in range(last):
        g[i] = 2 * g[i] * residual
    g[last] = 2 * residual
    return residual * residual


def predict_polynomial(theta: Vector, x: Vector) -> float:
    """ŷ = Σⱼ Σₖ wⱼₖ xⱼᵏ + b."""
    last = len(theta) - 1
    degree = last // len(x)
    y_hat = 0.0
    for j in range(len(x)):
        power = 1.0
        for i in range(j * degree, (j + 1) * degree):
            power *= x[j]
            y_hat += power * theta[i]
    return y_hat + theta[last]


def huber(delta: float) -> Loss:
    """Huber's loss of ŷ = x·w + b, θ = (w, b), with r = ŷ − y: ½r² up to |r| = δ, from there δ(|r| − ½δ).

    A line where an outlier pulls no harder than δ (Huber 1964); the ½ is PyTorch's and Huber's.
    """

    def loss(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
        d = len(x)
        residual = theta[d] - y
        for j in range(d):
            residual += x[j] * theta[j]
        size = abs(residual)
        if size <= delta:
            slope, value = residual, 0.5 * residual * residual
        else:
            slope, value = math.copysign(delta, residual), delta * (size - 0.5 * delta)
        for j in range(d):
            g[j] = slope * x[j]
        g[d] = slope
        return value

    return loss


def logistic(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
    """Log-loss of P(y = 1) = σ(z), z = x·w + b, for y of 0 or 1: ℓ = log(1 + eᶻ) − yz, ∇ℓ = (σ(z) − y)(x, 1).

    θ = (w, b), (d + 1,). In terms of e^(−|z|), which neither overflows nor cancels.
    """
    d = len(x)
    z = theta[d]
    for j in range(d):
        z += x[j] * theta[j]
    small = math.exp(-abs(z))
    if z >= 0:
        slope, value = (1 - y) - small / (1 + small), (1 - y) * z + math.log1p(small)
    else:
        slope, value = small / (1 + small) - y, math.log1p(small) - y * z
    for j in range(d):
        g[j] = slope * x[j]
    g[d] = slope
    return value


def predict_logistic(theta: Vector, x: Vector) -> float:
    """P(y = 1) = σ(x·w + b)."""
    z = theta[len(x)]
    for j in range(len(x)):
        z += x[j] * theta[j]
    small = math.exp(-abs(z))
    return 1 / (1 + small) if z >= 0 else small / (1 + small)


def softmax(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
    """Log-loss of P(y = c) = e^(z_c)/Σₖ e^(zₖ), z_c = x·w_c + b_c, for y of 0, 1, ...: ℓ = log Σₖ e^(zₖ) − z_y.

    θ = (w₀, b₀, w₁, b₁, ...), (classes·(d + 1),). nan where y is none of the classes.
    """
    d = len(x)
    width = d + 1
    top, labelled = math.nan, math.nan
    for start in range(0, len(theta), width):
        z = theta[start + d]
        for j in range(d):
            z += x[j] * theta[start + j]
        g[start + d] = z
        if start == 0 or z > top:
            top = z
        if start == y * width:
            labelled = z
    total, others = 0.0, 0.0  # Σ e^(zₖ − top), over all classes and over all but y
    for start in range(0, len(theta), width):
        g[start + d] = math.exp(g[start + d] - top)
        total += g[start + d]
        if start != y * width:
            others += g[start + d]
    for start in range(0, len(theta), width):
        slope = -others / total if start == y * width else g[start + d] / total
        for j in range(d):
            g[start + j] = slope * x[j]
        g[start + d] = slope
    # Where y is the likeliest class its term in the total is 1, and the small rest must not be lost beside it.
    return math.log1p(others) if labelled == top else (top - labelled) + math.log(total)


def predict_softmax(theta: Vector, x: Vector) -> float:
    """The most likely class; the first of them where there are several."""
    d = len(x)
    width = d + 1
    top, best = math.nan, 0.0
    for start in range(0, len(theta), width):
        z = theta[start + d]
        for j in range(d):
            z += x[j] * theta[start + j]
        if start == 0 or z > top:
            top, best = z, float(start // width)
    return best


def deep_linear(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
    """Squared loss of ŷ = (x·w₁)w₂, θ = (w₁ (d,), w₂): ℓ = (ŷ − y)²; a saddle at θ = 0 (Saxe et al. 2014)."""
    d = len(x)
    hidden = x[0] * theta[0]
    for j in range(1, d):
        hidden += x[j] * theta[j]
    residual = hidden * theta[d] - y
    for j in range(d):
        g[j] = 2 * x[j] * theta[d] * residual
    g[d] = 2 * hidden * residual
    return residual * residual


def predict_deep_linear(theta: Vector, x: Vector) -> float:
    """ŷ = (x·w₁)w₂."""
    hidden = x[0] * theta[0]
    for j in range(1, len(x)):
        hidden += x[j] * theta[j]
    return hidden * theta[len(x)]


def mlp(is_relu: bool, is_logistic: bool) -> Loss:
    """A network with one hidden layer: z = φ(W₁x + b₁)·w₂ + b₂, φ = tanh or relu.

    Its loss is squared, (z − y)², or logistic, log(1 + eᶻ) − yz for y of 0 or 1. θ = (W₁ row by row, b₁, w₂, b₂),
    (h·(d + 2) + 1,) with h hidden units. relu's slope at 0 is 0, as in PyTorch.
    """

    def loss(theta: Vector, x: Vector, y: float, g: MutableSequence[float]) -> float:
        d, last = len(x), len(theta) - 1
        h = last // (d + 2)
        b1, w2 = h * d, h * d + h
        z = theta[last]
        for i in range(h):
            a = theta[b1 + i]
            for j in range(d):
                a += theta[i * d + j] * x[j]
            if not is_relu:
                a = math.tanh(a)
            elif a < 0:
                a = 0.0
            g[w2 + i] = a
            z += theta[w2 + i] * a
        if is_logistic:  # as in `logistic`
            small = math.exp(-abs(z))
            if z >= 0:
                slope, value = (1 - y) - small / (1 + small), (1 - y) * z + math.log1p(small)
            else:
                slope, value = small / (1 + small) - y, math.log1p(small) - y * z
        else:
            slope, value = 2 * (z - y), (z - y) * (z - y)
        for i in range(h):
            a = g[w2 + i]
            g[w2 + i] = slope * a
            if not is_relu:
                g[b1 + i] = slope * theta[w2 + i] * (1 - a * a)
            else:
                g[b1 + i] = slope * theta[w2 + i] if a > 0 else 0.0
            for j in range(d):
                g[i * d + j] = g[b1 + i] * x[j]
        g[last] = slope
        return value

    return loss


def predict_mlp(is_relu: bool, is_logistic: bool) -> Predict:
    """The network's z, or with logistic loss P(y = 1) = σ(z)."""

    def predict(theta: Vector, x: Vector) -> float:
        d, last = len(x), len(theta) - 1
        h = last // (d + 2)
        b1, w2 = h * d, h * d + h
        z = theta[last]
        for i in range(h):
            a = theta[b1 + i]
            for j in range(d):
                a += theta[i * d + j] * x[j]
            if not is_relu:
                a = math.tanh(a)
            elif a < 0:
                a = 0.0
            z += theta[w2 + i] * a
        if not is_logistic:
            return z
        small = math.exp(-abs(z))
        return 1 / (1 + small) if z >= 0 else small / (1 + small)

    return predict
