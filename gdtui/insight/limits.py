"""Limits: the learning rates at which descent on a quadratic breaks; pure functions of eigenvalues and Hessians.

Every optimizer here but Lion is, once what it divides by is held still, one linear recurrence in θ and a memory m of
the gradients g = Hθ:

    m ← β·m + δ·g;   θ ← θ − lr·(ω·θ + γ·g + κ·m)

It settles while the spectral radius ρ of the matrix that takes (θ, m) to its next value is below 1. One Hessian splits
into its eigenvectors, and that is a formula (`critical`). Batches with Hessians of their own do not: in a fixed order
ρ is that of their product (`in_order`), and for batches drawn at random it is that of the mean of A ⊗ A, which takes
the second moments of (θ, m) to their next value (`with_replacement`): beyond it the mean square of θ grows.

Sources: Polyak 1964 (heavy ball); Wu, Ma & E 2018 and Ma, Bassily & Belkin 2018 (batches at random); Cohen et al. 2021
and 2022 (momentum; preconditioners). A limit that does not exist, or would take too long to find, is None.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.insight.hessian import lanczos

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array

MOST_WORK = 2 * 10**7
"""k·(q³ + 500), for the product of k batches' matrices of size q at one learning rate: some 10 ms, some 40 times."""

MOST_SPREADS = 10**9
"""n·p³ times the products of Lanczos's iteration, for the mean square: some tenths of a second."""

MOST_MOMENTS = 36
"""Second moments, s(s + 1)/2 of s numbers, up to which their whole matrix is made for a search."""

_SETTLED = 1e-10  # ρ is 1 + this at a limit that is searched for: more than rounding makes of ρ = 1
_TINY = 1e-12  # eigenvalues of H below this share of the largest are 0: nothing pulls there, and nothing breaks


@dataclass(frozen=True, slots=True)
class Recurrence:
    """m ← β·m + δ·g; θ ← θ − lr·(ω·θ + γ·g + κ·m): gradient descent unless it is told otherwise.

    Attributes:
        direct: γ, what of the gradient is used at once.
        kept: κ, what of the memory is used; 0: there is none.
        beta: β, what the memory keeps from update to update.
        gain: δ, what of the gradient the memory takes in.
        decay: ω, decoupled weight decay.
    """

    direct: float = 1.0
    kept: float = 0.0
    beta: float = 0.0
    gain: float = 0.0
    decay: float = 0.0

    @property
    def has_memory(self) -> bool:
        """θ alone does not say how it goes on."""
        return self.kept != 0.0

    def matrices(self, lr: float | Array, hessians: Array) -> Array:
        """What takes (θ, lr·m) to its next value, shape (..., q, q), q = 2p, or p without memory.

        Args:
            lr: learning rates that broadcast against the Hessians' leading axes.
            hessians: shape (..., p, p).
        """
        lr = np.asarray(lr)[..., np.newaxis, np.newaxis]
        gradient, identity = lr * hessians, np.eye(hessians.shape[-1])
        theta = (1 - lr * self.decay) * identity - (self.direct + self.kept * self.gain) * gradient
        if not self.has_memory:
            return theta
        memory = np.broadcast_to(self.beta * identity, theta.shape)
        return np.block([[theta, -self.kept * memory], [self.gain * gradient, memory]])


def sgd(momentum: float = 0.0, dampening: float = 0.0, is_nesterov: bool = False) -> Recurrence:
    """PyTorch's SGD: b ← μ·b + (1 − dampening)·g; θ ← θ − lr·b, or with Nesterov θ − lr·(g + μ·b)."""
    if momentum == 0.0:
        return Recurrence()
    if is_nesterov:
        return Recurrence(direct=1.0, kept=momentum, beta=momentum, gain=1.0 - dampening)
    return Recurrence(direct=0.0, kept=1.0, beta=momentum, gain=1.0 - dampening)


# --- one Hessian -----------------------------------------------------------------------------------------------------


def critical(method: Recurrence, eigenvalue: float) -> float | None:
    """The lr at which an eigenvector's recurrence first has a root at −1; it settles below, it grows beyond.

    lr = 2(1 + β)/((1 + β)(ω + γλ) + κδλ). That is 2/λ for gradient descent, (2 + 2β)/((1 − dampening)λ) for the heavy
    ball, 2(1 + β)/((1 + 2β)λ) for PyTorch's Nesterov, and (2 + 2β₁)/((1 − β₁)λ) for Adam, λ of P⁻¹H.

    From the conditions of Jury on the recurrence's polynomial z² − τz + d, whose roots lie within the unit circle where
    |d| < 1 and |τ| < 1 + d. None where no lr settles: λ is not above 0, or the memory keeps everything.
    """
    pull = (1 + method.beta) * (method.decay + method.direct * eigenvalue) + method.kept * method.gain * eigenvalue
    if not (eigenvalue > 0 and pull > 0 and method.beta < 1):
        return None
    limit = 2 * (1 + method.beta) / pull
    return limit if 0 < limit < math.inf else None


def fastest(method: Recurrence, smallest: float, largest: float) -> float | None:
    """The lr at which the slowest eigenvector settles soonest: 2/(λmin + λmax); with the heavy ball (1 + β) times that.

    There the roots at both ends of the spectrum are as large as each other (Polyak 1964). None for Nesterov, whose
    roots have no such symmetry, and where λmin is not above 0.
    """
    gain = method.kept * method.gain if method.has_memory else method.direct
    if not (0 < smallest <= largest and gain > 0 and method.beta < 1 and method.decay == 0):
        return None
    if method.has_memory and method.direct:
        return None
    best = 2 * (1 + method.beta) / gain / (smallest + largest)
    return best if 0 < best < math.inf else None


def on_range(hessians: Array) -> Array:
    """The same Hessians, shape (k, r, r), on the r directions in which their mean curves, its eigenvectors.

    In the others none of them curves, since none has a negative eigenvalue: there nothing moves.
    """
    values, vectors = np.linalg.eigh(hessians.mean(axis=0))
    vectors = vectors[:, values > max(_TINY * values[-1], 0.0)]
    rotated: Array = vectors.T @ hessians @ vectors
    return rotated


# --- batches in a fixed order ----------------------------------------------------------------------------------------


def in_order(method: Recurrence, batches: Array) -> float | None:
    """The smallest lr > 0 at which ρ(A_k ··· A_1) reaches 1: an epoch of batches, again and again.

    Up to 2/max λmax(H_B), without memory, no factor lengthens anything; from there ρ is looked at on a grid, of 64
    points an octave, or 8 where the work is much, until it is over 1, and that crossing is narrowed down. With one
    parameter and up to 400 different batches it is found exactly: between two zeros log |Π(1 − lr·h)| is concave.

    Args:
        method: how θ is updated.
        batches: the batches' Hessians in their order, with no negative eigenvalue, shape (k, p, p).
    """
    batches = on_range(batches)
    k, p, _ = batches.shape
    if not p or method.beta >= 1:
        return None
    steepest = critical(method, _norm(batches))
    work = k * ((2 * p if method.has_memory else p) ** 3 + 500)
    if steepest is None or work > MOST_WORK:
        return None

    if (batches == batches[0]).all():
        return critical(method, float(np.linalg.eigvalsh(batches[0])[-1]))

    def log_radii(lrs: Array) -> Array:
        return np.array([log_radius(method.matrices(lr, batches)) for lr in lrs])

    if p == 1 and not method.has_memory and not method.decay:
        roots, counts = np.unique(1 / batches[batches > 0], return_counts=True)
        if len(roots) <= 400:
            return _first_crossing(
                log_radii, [_peaks(roots, counts.astype(np.int64)), roots[-1] * 2.0 ** np.arange(1, 60)], 0.0
            )
    per_octave = 64 if work <= MOST_WORK // 64 else 8
    start = _steady(log_radii, steepest) if method.has_memory else steepest
    return start and _first_crossing(log_radii, _grid(start, per_octave), _SETTLED)


def log_radius(factors: Array) -> float:
    """log ρ(A_k ··· A_1) of shape (k, q, q), multiplied two by two, each product scaled so that none overflows."""
    logarithm = 0.0
    while len(factors) > 1:
        rest = factors[len(factors) & ~1 :]
        product = factors[1::2] @ factors[: len(factors) & ~1 : 2]
        size = abs(product).max(axis=(1, 2))
        size[size == 0] = 1.0
        logarithm += float(np.log(size).sum())
        factors = np.concatenate([product / size[:, np.newaxis, np.newaxis], rest])
    if not np.isfinite(factors).all():
        return math.inf
    radius = float(abs(np.linalg.eigvals(factors[0])).max())
    return logarithm + math.log(radius) if radius > 0 else -math.inf


def _peaks(roots: Array, counts: NDArray[np.int64]) -> Array:
    """Where |Π(1 − lr/rootᵢ)^countᵢ| is largest between two neighbours of its roots, in order."""
    low, high = roots[:-1].copy(), roots[1:].copy()
    for _ in range(60):
        middle = (low + high) / 2
        slope = (counts / (middle[:, np.newaxis] - roots)).sum(axis=1)  # of the logarithm: falls from ∞ to −∞
        low, high = np.where(slope > 0, middle, low), np.where(slope > 0, high, middle)
    return low


def _steady(log_radii: Callable[[Array], Array], lr: float) -> float | None:
    """An lr, far below, at which it settles: for a small one it always does, where H has a positive eigenvalue."""
    for start in lr / 4.0 ** np.arange(3, 13):
        if log_radii(np.array([start]))[0] <= _SETTLED:
            return float(start)
    return None


def _grid(start: float, per_octave: int) -> list[Array]:
    """From start to 2¹⁰ times it, so many points an octave; then to 2⁴⁰ times it, two; in handfuls."""
    fine = start * 2.0 ** (np.arange(10 * per_octave) / per_octave)
    return [*np.array_split(fine, len(fine) // 4), *np.array_split(start * 2.0 ** np.arange(10, 40, 1 / 2), 15)]


def _first_crossing(values: Callable[[Array], Array], grid: list[Array], level: float) -> float | None:
    """The first lr at which a function crosses a level upward, between the points of a grid; it is below it at 0."""
    low = 0.0
    for points in grid:
        above = np.flatnonzero(values(points) > level) if len(points) else points
        if len(above):
            first = int(above[0])
            low = float(points[first - 1]) if first else low
            return _crossing(lambda lr: float(values(np.array([lr]))[0]) - level, low, float(points[first]))
        low = float(points[-1]) if len(points) else low
    return None


def _crossing(excess: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that is above 0 at high, and not at low, crosses 0.

    By false position, an end that stays twice counting half (Dowell and Jarratt 1971); by halves where it is infinite.
    """
    below, above, side = excess(low) if low > 0 else -math.inf, excess(high), 0
    lr = high
    for _ in range(100):
        before = lr
        is_linear = math.isfinite(below) and math.isfinite(above) and above > below
        lr = high - above * (high - low) / (above - below) if is_linear else (low + high) / 2
        if not low < lr < high or abs(lr - before) <= 2.0**-51 * lr:
            break
        value = excess(lr)
        if value > 0:
            high, above = lr, value
            below, side = (below / 2 if side > 0 else below), 1
        else:
            low, below = lr, value
            above, side = (above / 2 if side < 0 else above), -1
    return min(max(lr, low), high)


def _norm(hessians: Array) -> float:
    """The largest Frobenius norm of them; none of their eigenvalues is above it."""
    return float(np.sqrt((hessians * hessians).sum(axis=(1, 2)).max()))


# --- batches drawn at random -----------------------------------------------------------------------------------------


def with_replacement(method: Recurrence, samples: Array, batch_size: int) -> float | None:
    """The lr beyond which the mean square of θ grows, where each batch is drawn from all n samples with replacement.

    Without memory, the second moments P = E[θθᵀ] go over to P − lr·L(P) + lr²·S(P), with L(P) = HP + PH and
    S(P) = E[H_B P H_B] = (1 − 1/b)HPH + (1/b)·mean HᵢPHᵢ. Both keep what is positive, so P shrinks for some P > 0, and
    thus all do, while lr·ρ(L⁻¹S) < 1: the limit is 1/ρ(L⁻¹S), 2/λmax of H where all samples are the same. In H's
    eigenvectors L is diagonal; what is left is one symmetric eigenvalue problem.

    An epoch's last batch may be smaller; then, and with memory, ρ of the epoch's matrix is searched for, which takes
    few parameters: None where they are too many.

    Args:
        method: how θ is updated.
        samples: the samples' Hessians, with no negative eigenvalue, shape (n, p, p).
        batch_size: b, from 1 to n.
    """
    samples = on_range(samples)
    n, p, _ = samples.shape
    if not p or method.beta >= 1 or method.decay:
        return None
    rest = n % batch_size
    if not method.has_memory:
        limit = _mean_square(samples, batch_size)
        least = _mean_square(samples, rest) if rest and limit is not None else limit
        if limit is None or least is None or limit - least <= 1e-12 * limit:
            return limit
        # A smaller batch is noisier: the epoch breaks between the two limits.
        moments = _moments(method, samples, batch_size)
        return moments and _crossing(moments, least, limit)
    steepest = critical(method, _norm(samples))
    moments = _moments(method, samples, batch_size)
    if steepest is None or moments is None:
        return None

    def values(lrs: Array) -> Array:
        return np.array([moments(lr) for lr in lrs])

    start = _steady(values, steepest)
    return start and _first_crossing(values, _grid(start, 16), _SETTLED)


def _mean_square(samples: Array, batch_size: int) -> float | None:
    """1/ρ(L⁻¹S), by Lanczos's iteration on D^−½ S D^−½ in H's eigenvectors, D of pairs λₐ + λ_b, from the identity."""
    n, p, _ = samples.shape
    mean = samples.mean(axis=0)
    if p == 1:
        second = float((samples * samples).mean())
        first = float(mean[0, 0])
        return 2 * first / ((1 - 1 / batch_size) * first * first + second / batch_size)
    products = min(60, p * (p + 1) // 2)
    if n * p**3 * products > MOST_SPREADS:
        return None
    values = np.diagonal(mean)  # H is diagonal on its range's eigenvectors
    root = np.sqrt(values[:, np.newaxis] + values)
    beside, stacked = samples.transpose(1, 0, 2).reshape(p, n * p), samples.reshape(n * p, p)

    def spread(flat: Array) -> Array:
        moments = flat.reshape(p, p) / root
        each = beside @ (stacked @ moments).reshape(n, p, p).transpose(0, 2, 1).reshape(n * p, p) / n  # mean HᵢPHᵢ
        whole = values[:, np.newaxis] * moments * values
        result: Array = (((1 - 1 / batch_size) * whole + each / batch_size) / root).reshape(-1)
        return result

    ends = lanczos(spread, p * p, products, start=(np.eye(p) * root).reshape(-1), tolerance=1e-9)
    return 1 / ends.largest if ends and ends.largest > 0 else None


def _moments(method: Recurrence, samples: Array, batch_size: int) -> Callable[[float], float] | None:
    """lr -> log ρ of what an epoch does to the second moments of (θ, lr·m); None where they are too many."""
    n, p, _ = samples.shape
    q = 2 * p if method.has_memory else p
    if q * (q + 1) // 2 > MOST_MOMENTS or n * p**4 > MOST_SPREADS:
        return None
    mean = samples.mean(axis=0)
    flat = (samples - mean).reshape(n, p * p)
    # E[ΔH ⊗ ΔH], of indices (a, c), (b, d), put as (a, b), (c, d).
    covariance = (flat.T @ flat / n).reshape(p, p, p, p).transpose(0, 2, 1, 3)
    weights = np.array([-(method.direct + method.kept * method.gain), method.gain][: q // p])
    first = np.eye(q // p)[0]
    noise = np.einsum("s,u,t,v,abcd->saubtcvd", weights, weights, first, first, covariance).reshape(q * q, q * q)
    fold = _symmetric(q)
    whole, rest = divmod(n, batch_size)

    def log_radius_at(lr: float) -> float:
        a = method.matrices(lr, mean)
        kron, noisy = np.kron(a, a), lr * lr * noise
        step = fold.T @ (kron + noisy / batch_size) @ fold
        factors = step[np.newaxis]
        if rest:
            last = fold.T @ (kron + noisy / rest) @ fold
            factors = np.concatenate([np.broadcast_to(step, (whole, *step.shape)), last[np.newaxis]])
        return log_radius(factors)

    return log_radius_at


def _symmetric(q: int) -> Array:
    """An orthonormal basis of the symmetric q × q matrices, as columns, shape (q², q(q + 1)/2)."""
    rows, columns = np.triu_indices(q)
    basis = np.zeros((q, q, len(rows)))
    basis[rows, columns, np.arange(len(rows))] = 1.0
    basis[columns, rows, np.arange(len(rows))] = 1.0
    flat = basis.reshape(q * q, -1)
    unit: Array = flat / np.linalg.norm(flat, axis=0)
    return unit
