"""Hessian: the curvature of f(θ) = mean ℓᵢ(θ) at one θ, from gradients alone.

For a quadratic f the Hessian is what the gradient gains from 0 to a unit vector, exact to rounding. Any other f gives
Hessian-vector products Hv = lim (∇f(θ + hv) − ∇f(θ − hv))/2h, whose h is found by trying: column by column for a few
parameters, and for many in Lanczos's iteration, which needs a few products to find the largest and smallest eigenvalue.

What cannot be had is None: values that are not finite, a kink (there is no Hessian), more work than is bearable. At
most `MOST_EVALUATIONS` passes over the data, and `MOST_NUMBERS` numbers of gradients, are ever asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Evaluation
    from gdtui.problems.datasets import Array
    from gdtui.problems.problem import Problem

Evaluate = Callable[["Array"], "Evaluation"]
"""θ (p,) -> every sample at that θ, whichever θ it is."""

Product = Callable[["Array"], "Array"]
"""v (p,) -> Hv (p,)."""

DENSE = 32
"""Up to so many parameters the whole Hessian is made of differences of gradients; of a quadratic, up to twice as many,
for its columns are cheap."""

MOST_PRODUCTS = 32
"""Lanczos's iteration ends after so many products, converged or not."""

MOST_EVALUATIONS = 400
"""Passes over the data for one Hessian; it mostly takes 4 for each product, for a quadratic 1."""

MOST_NUMBERS = 2 * 10**7
"""Numbers of gradients, n·p for each pass, for one Hessian: some tenths of a second compiled, many seconds if not."""

MOST_SAMPLES_NUMBERS = 10**6
"""Numbers of the samples' own Hessians, n·p²."""

_EPSILON = 2.0**-52
_FAR = 2.0**64  # so far that what a quadratic's gradient is at 0 is lost in rounding, and cannot spoil the difference
_FIRST_STEP, _RATIO, _LEVELS = 2.0**-10, 8.0, 8
_AGREES = 2.0**-12
_CONVERGED, _FEWEST = 1e-5, 8  # before some products the nearest eigenvalue may not be the last


@dataclass(frozen=True, slots=True, eq=False)
class Curvature:
    """The Hessian H of f at one θ.

    Attributes:
        largest: its largest eigenvalue λmax, the sharpness.
        smallest: its smallest eigenvalue λmin; below 0 at a saddle.
        steepest: a unit eigenvector of λmax, shape (p,).
        flattest: a unit eigenvector of λmin, shape (p,).
        error: how far off the two eigenvalues may be, about; 0 where f is quadratic and H whole: nothing but rounding.
        is_exact: f is quadratic: H is the same at every θ.
        matrix: H, shape (p, p); None where p is too large for it.
        samples: the samples' own Hessians, shape (n, p, p), where f is quadratic; None where they are too many.
        evaluations: passes over the data that it took.
    """

    largest: float
    smallest: float
    steepest: Array
    flattest: Array
    error: float
    is_exact: bool
    matrix: Array | None
    samples: Array | None
    evaluations: int


@dataclass(frozen=True, slots=True, eq=False)
class Extremes:
    """The two ends of a symmetric matrix's spectrum, with their vectors.

    Attributes:
        largest: the largest Ritz value, never above λmax.
        smallest: the smallest Ritz value, never below λmin.
        steepest: the unit vector of the largest, shape (p,).
        flattest: the unit vector of the smallest, shape (p,).
        residual: the greater ‖Hv − λv‖ of the two: each λ has an eigenvalue of H so near.
        products: how many it took.
    """

    largest: float
    smallest: float
    steepest: Array
    flattest: Array
    residual: float
    products: int


class MeanGradient:
    """∇f as a function of θ, counted: nan once the passes that are allowed are used up, and where it overflows.

    Attributes:
        evaluations: passes made.
        size: the largest mean |∂ℓᵢ/∂θⱼ| seen, over samples and parameters: what rounding errors are relative to.
    """

    def __init__(self, evaluate: Evaluate, allowed: int) -> None:
        self._evaluate = evaluate
        self.allowed = allowed
        self.evaluations = 0
        self.size = 0.0

    def __call__(self, theta: Array) -> Array:
        """∇f(θ), shape (p,)."""
        if self.evaluations >= self.allowed:
            return np.full(len(theta), np.nan)
        self.evaluations += 1
        gradients = self._evaluate(theta).gradients
        with np.errstate(all="ignore"):
            mean: Array = gradients.mean(axis=0)
            size = float(np.abs(gradients).mean())
        self.size = max(self.size, size) if math.isfinite(size) else self.size
        return mean

    def most_products(self, passes: int) -> int:
        """Products that can be had, of so many passes each."""
        return min(MOST_PRODUCTS, (self.allowed - 1) // passes)


def mean_gradient(evaluate: Evaluate, theta: Array) -> Array:
    """∇f(θ) = mean ∇ℓᵢ(θ), shape (p,)."""
    return MeanGradient(evaluate, allowed=1)(theta)


def curvature(problem: Problem, theta: Array, evaluate: Evaluate, most_numbers: int = MOST_NUMBERS) -> Curvature | None:
    """The curvature of a problem's f at θ; of a quadratic it is the same everywhere, and worth keeping.

    Args:
        problem: its n, its p and whether it is quadratic are what counts.
        theta: where, shape (p,).
        evaluate: every sample at any θ.
        most_numbers: numbers of gradients that it may ask for: fewer where `evaluate` is slow.
    """
    n, p = problem.n, len(theta)
    gradient = MeanGradient(evaluate, min(MOST_EVALUATIONS, most_numbers // (n * p)))
    with np.errstate(all="ignore"):
        if problem.model.is_quadratic:
            return _quadratic(gradient, evaluate, n, p)
        if p <= DENSE and 4 * p < gradient.allowed:
            dense = hessian(gradient, theta)
            return dense and _spectrum(dense[0], dense[1], None, gradient.evaluations)
        return _by_products(gradient, p, products(gradient, theta), is_exact=False)


def preconditioned_sharpness(
    problem: Problem,
    theta: Array,
    evaluate: Evaluate,
    known: Curvature,
    denominators: Array,
    shift: float = 0.0,
    most_numbers: int = MOST_NUMBERS,
) -> float | None:
    """The largest eigenvalue of P⁻¹(H + shift·I), P = diag(denominators): that of P^−½(H + shift·I)P^−½.

    A denominator of 0 stands for a parameter that stays where it is. Costs no gradients where H is known as a matrix,
    else those of another Lanczos iteration.
    """
    with np.errstate(all="ignore"):
        root = np.where(denominators > 0, 1 / np.sqrt(denominators), 0.0)
        if not np.isfinite(root).all():
            return None
        if known.matrix is not None:
            scaled = root[:, np.newaxis] * (known.matrix + shift * np.eye(len(root))) * root
            return float(np.linalg.eigvalsh(scaled)[-1]) if np.isfinite(scaled).all() else None
        gradient = MeanGradient(evaluate, min(MOST_EVALUATIONS, most_numbers // (problem.n * len(theta))))
        hv = _quadratic_products(gradient, len(theta)) if known.is_exact else products(gradient, theta)

        def scaled_product(v: Array) -> Array:
            inner = root * v
            return root * (hv(inner) + shift * inner)

        ends = lanczos(scaled_product, len(theta), gradient.most_products(1 if known.is_exact else 4))
        return ends.largest if ends else None


# --- quadratics ------------------------------------------------------------------------------------------------------


def sample_hessians(evaluate: Evaluate, n: int, p: int) -> Array:
    """Every ∇²ℓᵢ of a quadratic problem, shape (n, p, p), in p + 1 passes: its columns are ∇ℓᵢ(eⱼ) − ∇ℓᵢ(0).

    eⱼ is taken so long, by a power of two, that rounding leaves nothing of ∇ℓᵢ(0): the columns are exact to rounding.
    """
    origin = evaluate(np.zeros(p)).gradients
    hessians = np.empty((n, p, p))
    for j in range(p):
        hessians[:, :, j] = (evaluate(_FAR * _unit(p, j)).gradients - origin) / _FAR
    return (hessians + hessians.transpose(0, 2, 1)) / 2


def _quadratic(gradient: MeanGradient, evaluate: Evaluate, n: int, p: int) -> Curvature | None:
    is_dense = p <= 2 * DENSE and p + 1 <= gradient.allowed
    if is_dense and n * p * p <= MOST_SAMPLES_NUMBERS:
        samples = sample_hessians(evaluate, n, p)
        return _spectrum(samples.mean(axis=0), 0.0, samples, p + 1, is_exact=True)
    hv = _quadratic_products(gradient, p)
    if is_dense:
        matrix = np.column_stack([hv(_unit(p, j)) for j in range(p)])
        return _spectrum((matrix + matrix.T) / 2, 0.0, None, gradient.evaluations, is_exact=True)
    return _by_products(gradient, p, hv, is_exact=True)


def _quadratic_products(gradient: MeanGradient, p: int) -> Product:
    origin = gradient(np.zeros(p))
    return lambda v: (gradient(_FAR * v) - origin) / _FAR


# --- differences -----------------------------------------------------------------------------------------------------


def hessian(gradient: MeanGradient, theta: Array) -> tuple[Array, float] | None:
    """H at θ, shape (p, p), column by column, made symmetric; and about how far off its eigenvalues may be."""
    p = len(theta)
    centre = gradient(theta)
    tries = [_difference(gradient, theta, centre, _unit(p, j)) for j in range(p)]
    columns = np.column_stack([column for column, *_ in tries])
    if not np.isfinite(columns).all():
        return None
    scale = float(np.linalg.norm(columns, axis=0).max())
    if any(not is_smooth and not error <= 1e-3 * scale for _, error, is_smooth in tries):
        return None
    return (columns + columns.T) / 2, math.sqrt(sum(error * error for _, error, _ in tries))


def products(gradient: MeanGradient, theta: Array) -> Product:
    """v -> Hv at θ, shape (p,); nan where there is none. Its relative error is some 1e-10 where f is smooth."""
    centre = gradient(theta)

    def product(v: Array) -> Array:
        hv, error, is_smooth = _difference(gradient, theta, centre, v)
        return hv if is_smooth or error <= 1e-3 * float(np.linalg.norm(hv)) else np.full(len(v), np.nan)

    return product


def _difference(gradient: MeanGradient, theta: Array, centre: Array, v: Array) -> tuple[Array, float, bool]:
    """Hv by central differences, extrapolated to h = 0 (Richardson 1911); its error; whether it is to be relied on.

    h·v begins at 2⁻¹⁰ of θ's size and shrinks by 8 until two differences in succession agree to 2⁻¹² of the
    gradient's change, which leaves about 2⁻²⁴/64 of it as the extrapolation's error, or to rounding: 2 or 3 of them
    where f is smooth on the scale of θ, up to `_LEVELS` where data are so large that it is not.
    """
    length = float(np.linalg.norm(v))
    if not 0 < length < math.inf:
        return v * 0.0, 0.0, True
    h = _FIRST_STEP * 2.0 ** (math.frexp(max(1.0, float(abs(theta).max())))[1] - math.frexp(length)[1])
    best, closest = np.full(len(v), np.nan), math.inf
    previous: Array | None = None
    for _ in range(_LEVELS):
        above, below = gradient(theta + h * v), gradient(theta - h * v)
        plain = (above - below) / (2 * h)
        if np.isfinite(plain).all():
            if previous is not None:
                rounding = 8 * _EPSILON * gradient.size / h
                change = max(float(np.linalg.norm(above - centre)), float(np.linalg.norm(below - centre))) / h
                distance = float(np.linalg.norm(plain - previous))
                extrapolated = plain + (plain - previous) / (_RATIO**2 - 1)
                if distance <= _AGREES * change + rounding:
                    return extrapolated, distance / (_RATIO**2 - 1) + rounding, True
                if distance < closest:
                    best, closest = extrapolated, distance
            previous = plain
        h /= _RATIO
    return best, closest, False


# --- spectra ---------------------------------------------------------------------------------------------------------


def lanczos(
    product: Product, p: int, most: int = MOST_PRODUCTS, start: Array | None = None, tolerance: float = _CONVERGED
) -> Extremes | None:
    """Both ends of a symmetric matrix's spectrum by Lanczos's iteration (1950), each vector orthogonal to all before.

    Args:
        product: v (p,) -> Hv (p,).
        p: the matrix's size.
        most: products it may take.
        start: the first vector; a random one, always the same, where none is given.
        tolerance: it ends where the residuals are this times the largest |λ|.
    """
    if most < 1:
        return None
    q = np.random.Generator(np.random.PCG64(0)).standard_normal(p) if start is None else start
    basis = [q / np.linalg.norm(q)]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        w = product(basis[-1])
        if not np.isfinite(w).all():
            return None
        diagonal.append(float(basis[-1] @ w))
        known = np.array(basis)
        for _ in range(2):  # once leaves rounding's share of the old vectors, twice does not
            w = w - (known @ w) @ known
        norm = float(np.linalg.norm(w))
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        size = float(abs(values).max())
        residual = norm * float(max(abs(vectors[-1, 0]), abs(vectors[-1, -1])))
        is_all = len(basis) == p or norm <= 8 * p * _EPSILON * size
        if is_all or (residual <= tolerance * size and len(basis) >= _FEWEST) or len(basis) >= most:
            steepest, flattest = vectors[:, -1] @ known, vectors[:, 0] @ known
            residual = 0.0 if is_all else residual
            return Extremes(float(values[-1]), float(values[0]), steepest, flattest, residual, len(basis))
        beside.append(norm)
        basis.append(w / norm)


def _by_products(gradient: MeanGradient, p: int, hv: Product, is_exact: bool) -> Curvature | None:
    ends = lanczos(hv, p, gradient.most_products(1 if is_exact else 4))
    if ends is None:
        return None
    return Curvature(
        ends.largest,
        ends.smallest,
        ends.steepest,
        ends.flattest,
        ends.residual,
        is_exact,
        matrix=None,
        samples=None,
        evaluations=gradient.evaluations,
    )


def _spectrum(
    matrix: Array, error: float, samples: Array | None, evaluations: int, is_exact: bool = False
) -> Curvature | None:
    if not np.isfinite(matrix).all():
        return None
    values, vectors = np.linalg.eigh(matrix)
    largest, smallest, steepest, flattest = float(values[-1]), float(values[0]), vectors[:, -1], vectors[:, 0]
    return Curvature(largest, smallest, steepest, flattest, error, is_exact, matrix, samples, evaluations)


def _unit(p: int, j: int) -> Array:
    unit = np.zeros(p)
    unit[j] = 1.0
    return unit
