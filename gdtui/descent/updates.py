"""Updates: how each optimizer turns a batch's mean gradient into a change of θ; PyTorch's formulas and names.

An update is one function `update(theta, g, lr, h, state)`: θ (p,) and the state change in place; g (p,) is the mean
gradient and may be scribbled on; h holds the hyperparameters in the order in which its rule declares them. Everything
that it remembers is in `state`, one flat buffer that starts as zeros: `slots` rows of p numbers, then `scalars`
single ones, so a checkpoint is a copy of it.

It is plain arithmetic on indexed sequences: it runs as it stands over lists, memoryviews and arrays, compiles as it
stands, and gives the same bits either way. Hence no powers, whose last place differs between the two. What 1 − βᵗ
stands for, the weights of an exponential average summed, is averaged itself: c ← β·c + (1 − β). That stays exact when β
changes in mid-run.

Nothing raises for finite numbers. Two corners where PyTorch has nan differ from it: where a denominator is exactly 0
(eps = 0, and no gradient yet), that coordinate stays; and a variance that rounding makes negative is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, MutableSequence, Sequence

Numbers = Sequence[float]
Buffer = MutableSequence[float]
Update = Callable[[Buffer, Buffer, float, Numbers, Buffer], None]

LOG_096 = math.log(0.96)
"""NAdam's 0.96ˣ is e to the x times this; `exp` has the same bits interpreted and compiled, powers do not."""


def sgd(theta: Buffer, g: Buffer, lr: float, h: Numbers, state: Buffer) -> None:
    """SGD: b ← μ·b + (1 − dampening)·g, at first b = g; θ ← θ − lr·b, or with Nesterov θ − lr·(g + μ·b).

    State: b (p,), then 1 once b is begun. Source: torch.optim.SGD; Sutskever et al. 2013.
    """
    momentum, dampening, nesterov, weight_decay = h[0], h[1], h[2], h[3]
    p = len(theta)
    if weight_decay != 0.0:
        for j in range(p):
            g[j] += weight_decay * theta[j]
    if momentum == 0.0:
        for j in range(p):
            theta[j] -= lr * g[j]
        return
    is_begun = state[p] != 0.0
    state[p] = 1.0
    for j in range(p):
        b = momentum * state[j] + (1.0 - dampening) * g[j] if is_begun else g[j]
        state[j] = b
        theta[j] -= lr * (g[j] + momentum * b if nesterov != 0.0 else b)


def adagrad(theta: Buffer, g: Buffer, lr: float, h: Numbers, state: Buffer) -> None:
    """Adagrad: s ← s + g²; θ ← θ − lr/(1 + (t − 1)·lr_decay)·g/(√(s₀ + s) + eps).

    State: s (p,), then t. Source: torch.optim.Adagrad; Duchi et al. 2011.
    """
    lr_decay, weight_decay, initial_accumulator_value, eps = h[0], h[1], h[2], h[3]
    p = len(theta)
    decayed_lr = lr / (1.0 + state[p] * lr_decay)
    state[p] += 1.0
    for j in range(p):
        d = g[j] + weight_decay * theta[j]
        state[j] += d * d
        denominator = math.sqrt(initial_accumulator_value + state[j]) + eps
        if denominator != 0.0:
            theta[j] -= decayed_lr * d / denominator


def rmsprop(theta: Buffer, g: Buffer, lr: float, h: Numbers, state: Buffer) -> None:
    """RMSprop: v ← α·v + (1 − α)·g²; b ← μ·b + g/(√v + eps); θ ← θ − lr·b. Centered: √(v − m²), m the average of g.

    State: v (p,), b (p,), m (p,). Source: torch.optim.RMSprop; Tieleman and Hinton 2012; centered: Graves 2013.
    """
    alpha, eps, weight_decay, momentum, centered = h[0], h[1], h[2], h[3], h[4]
    p = len(theta)
    for j in range(p):
        d = g[j] + weight_decay * theta[j]
        v = alpha * state[j] + (1.0 - alpha) * d * d
        state[j] = v
        if centered != 0.0:
            m = alpha * state[2 * p + j] + (1.0 - alpha) * d
            state[2 * p + j] = m
            v -= m * m
            v = 0.0 if v < 0.0 else v
        denominator = math.sqrt(v) + eps
        step = d / denominator if denominator != 0.0 else 0.0
        if momentum != 0.0:
            step += momentum * state[p + j]
            state[p + j] = step
        theta[j] -= lr * step


def adadelta(theta: Buffer, g: Buffer, lr: float, h: Numbers, state: Buffer) -> None:
    """Adadelta: v ← ρ·v + (1 − ρ)·g²; Δ = √(u + eps)/√(v + eps)·g; u ← ρ·u + (1 − ρ)·Δ²; θ ← θ − lr·Δ.

    State: v (p,), u (p,). Source: torch.optim.Adadelta; Zeiler 2012.
    """
    rho, eps, weight_decay = h[0], h[1], h[2]
    p = len(theta)
    for j in range(p):
        d = g[j] + weight_decay * theta[j]
        v = rho * state[j] + (1.0 - rho) * d * d
        u = state[p + j]
        denominator = math.sqrt(v + eps)
        delta = math.sqrt(u + eps) / denominator * d if denominator != 0.0 else 0.0
        state[j] = v
        state[p + j] = rho * u + (1.0 - rho) * delta * delta
        theta[j] -= lr * delta


def adam(theta: Buffer, g: Buffer, lr: float, h: Numbers, state: Buffer) -> None:
    """Adam: m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²; θ ← θ − lr/(1 − β₁ᵗ)·m/(√v/√(1 − β₂ᵗ) + eps).

    State: m (p,), v (p,), AMSGrad's greatest v (p,), then 1 − β₁ᵗ and 1 − β₂ᵗ.
    Source: torch.optim.Adam; Kingma and Ba 2015; AMSGrad: Reddi et al. 2018.
    """
    beta1, beta2, eps, weight_decay, amsgrad = h[0], h[1], h[2], h[3], h[4]
    p = len(theta)
    correction1 = beta1 * state[3 * p] + (1.0 - beta1)
    correction2 = beta2 * state[3 * p + 1] + (1.0 - beta2)
    state[3 * p], state[3 * p + 1] = correction1, correction2
    step_size, root = lr / correction1, math.sqrt(correction2)
    for j in range(p):
        d = g[j] + weight_decay * theta[j]
        m = beta1 * state[j] + (1.0 - beta1) * d
        v = beta2 * state[p + j] + (1.0 - beta2) * d * d
        state[j], state[p + j] = m, v
        if amsgrad != 0.0:
            v = state[2 * p + j] if v < state[2 * p + j] else v
            state[2 * p + j] = v
        denominator = math.sqrt(v) / root + eps
        if denominator != 0.0:
            theta[j] -= step_size * m / denominator


def adamw(theta: Buffer, g: Buffer, lr: float, h: Numbers, state: Buffer) -> None:
    """AdamW: θ ← (1 − lr·λ)·θ, then Adam's step; the decay stays out of m and v.

    State: as Adam's. Source: torch.optim.AdamW; Loshchilov and Hutter 2019.
    """
    beta1, beta2, eps, weight_decay, amsgrad = h[0], h[1], h[2], h[3], h[4]
    p = len(theta)
    correction1 = beta1 * state[3 * p] + (1.0 - beta1)
    correction2 = beta2 * state[3 * p + 1] + (1.0 - beta2)
    state[3 * p], state[3 * p + 1] = correction1, correction2
    step_size, root = lr / correction1, math.sqrt(correction2)
    for j in range(p):
        theta[j] *= 1.0 - lr * weight_decay
        m = beta1 * state[j] + (1.0 - beta1) * g[j]
        v = beta2 * state[p + j] + (1.0 - beta2) * g[j] * g[j]
        state[j], state[p + j] = m, v
        if amsgrad != 0.0:
            v = state[2 * p + j] if v < state[2 * p + j] else v
            state[2 * p + j] = v
        denominator = math.sqrt(v) / root + eps
        if denominator != 0.0:
            theta[j] -= step_size * m / denominator


def nadam(theta: Buffer, g: Buffer, lr: float, h: Numbers, state: Buffer) -> None:
    """NAdam: θ ← θ − lr·((1 − μₜ)·g/(1 − Πμ) + μₜ₊₁·m/(1 − μₜ₊₁·Πμ))/(√(v/(1 − β₂ᵗ)) + eps); m and v are Adam's.

    μₜ = β₁·(1 − ½·0.96^(t·momentum_decay)), and Πμ is the product up to t.
    State: m (p,), v (p,), then t, 1 − Πμ and 1 − β₂ᵗ. Source: torch.optim.NAdam; Dozat 2016.
    """
    beta1, beta2, eps, weight_decay, momentum_decay = h[0], h[1], h[2], h[3], h[4]
    p = len(theta)
    t = state[2 * p] + 1.0
    mu = beta1 * (1.0 - 0.5 * math.exp(LOG_096 * (t * momentum_decay)))
    mu_next = beta1 * (1.0 - 0.5 * math.exp(LOG_096 * ((t + 1.0) * momentum_decay)))
    correction1 = mu * state[2 * p + 1] + (1.0 - mu)
    correction1_next = mu_next * correction1 + (1.0 - mu_next)
    correction2 = beta2 * state[2 * p + 2] + (1.0 - beta2)
    state[2 * p], state[2 * p + 1], state[2 * p + 2] = t, correction1, correction2
    g_step, m_step = lr * (1.0 - mu) / correction1, lr * mu_next / correction1_next
    for j in range(p):
        d = g[j] + weight_decay * theta[j]
        m = beta1 * state[j] + (1.0 - beta1) * d
        v = beta2 * state[p + j] + (1.0 - beta2) * d * d
        state[j], state[p + j] = m, v
        denominator = math.sqrt(v / correction2) + eps
        if denominator != 0.0:
            theta[j] -= g_step * d / denominator
            theta[j] -= m_step * m / denominator


def lion(theta: Buffer, g: Buffer, lr: float, h: Numbers, state: Buffer) -> None:
    """Lion: θ ← θ − lr·(sign(β₁·m + (1 − β₁)·g) + λ·θ); m ← β₂·m + (1 − β₂)·g.

    State: m (p,). Source: Chen et al. 2023, algorithm 2.
    """
    beta1, beta2, weight_decay = h[0], h[1], h[2]
    for j in range(len(theta)):
        c = beta1 * state[j] + (1.0 - beta1) * g[j]
        sign = 1.0 if c > 0.0 else -1.0 if c < 0.0 else c
        theta[j] -= lr * (sign + weight_decay * theta[j])
        state[j] = beta2 * state[j] + (1.0 - beta2) * g[j]
