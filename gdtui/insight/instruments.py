"""Instruments: numbers from the matrix G of per-sample gradients at one θ.

With g the mean of G's n rows gᵢ, sᵢ = ‖gᵢ‖², pᵢ = gᵢ·g and trΣ = Σ‖gᵢ − g‖²/(n − 1), most of them are one dial:

    norm test² = inner-product test² + orthogonality test² = B/n,    n · diversity = 1 + (n − 1)B/n,    B = trΣ/‖g‖²

All but the norms are free of units: they stay the same when G is multiplied by a number, and are as exact for gradients
of 1e200 or 1e-200 as for ordinary ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array

    Rows = NDArray[np.int64] | slice

MEASURED = 100_000
"""The most rows that `measure` looks at; of more it takes a sample."""

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""How much of the rows' root mean square may be rounding, the model's and the mean's: what is no larger counts as 0."""

_BLOCK = 65_536
"""Numbers in a block of rows: small enough for the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignments:
    """How each sample's gradient stands to their mean g.

    Attributes:
        norms: ‖gᵢ‖, shape (n,), in the gradient's unit.
        cosines: pᵢ/(‖gᵢ‖ ‖g‖), shape (n,), from −1 to 1; exactly 0 where it is no more than rounding, so that an
            orthogonal row is no conflict. nan where gᵢ is 0, and where g is 0 (to rounding) or not finite.
        shares: of gradient descent's full-batch step, pᵢ/(n‖g‖²), shape (n,); they sum to 1, and a negative one pulls
            against the step. nan where g is 0 (to rounding) or not finite.
    """

    norms: Array
    cosines: Array
    shares: Array


@dataclass(frozen=True, slots=True)
class Instruments:
    """Scalars of G; None where undefined: 0/0 at the minimum, a variance of one row, a ratio to no noise, G not finite.

    g, its norm and the n in the formulas are always those of all rows. Where `samples` is less than `of`, Σ‖gᵢ − g‖²
    and its two parts, and so B, the tests and the diversity, are estimated from the rows measured (their mean, times
    n); the conflicts, the alignment and the largest share are those among the rows measured.

    Attributes:
        samples: rows measured.
        of: rows there are, n.
        grad_norm: ‖g‖, in the gradient's unit.
        noise_scale: B = trΣ/‖g‖², in samples: a batch much smaller follows the noise, one much larger wastes gradients
            (the simple noise scale of McCandlish et al. 2018, "An Empirical Model of Large-Batch Training").
        noise_scale_debiased: B with ‖g‖² − trΣ/n for ‖g‖², which noise makes too large when the n samples stand for a
            population (McCandlish et al. 2018, appendix A.1); None where nothing is left.
        norm_test: √(trΣ/n)/‖g‖, the relative error of g (Byrd, Chin, Nocedal, Wu 2012, "Sample size selection in
            optimization methods for machine learning").
        inner_product_test: its part along g, √(Σ(pᵢ − ‖g‖²)²/(n(n − 1)))/‖g‖² (Bollapragada, Byrd, Nocedal 2017,
            "Adaptive Sampling Strategies for Stochastic Optimization").
        orthogonality_test: its part across g, √(Σ(sᵢ − pᵢ²/‖g‖²)/(n(n − 1)))/‖g‖ (the same).
        diversity: Σsᵢ/‖Σgᵢ‖², from 1/n where all gradients are the same (Yin et al. 2018, "Gradient Diversity").
        signal_to_noise: ‖g‖²/trΣ = 1/B; 0 where g is 0 and its rows are not.
        conflicts: samples that pull against the step, cosᵢ < 0.
        alignment: the mean of those cosᵢ that are defined: 1 where all gradients point the same way.
        largest_share: the share of the step, pᵢ/(n‖g‖²), that is largest in size; a negative one pulls against it.
        largest_share_sample: whose it is: the first such row's number, from 0.
    """

    samples: int
    of: int
    grad_norm: float | None
    noise_scale: float | None
    noise_scale_debiased: float | None
    norm_test: float | None
    inner_product_test: float | None
    orthogonality_test: float | None
    diversity: float | None
    signal_to_noise: float | None
    conflicts: int | None
    alignment: float | None
    largest_share: float | None
    largest_share_sample: int | None


def alignments(gradients: Array) -> Alignments:
    """Each sample's norm, cosine and share of the step, for all n rows.

    Args:
        gradients: G, shape (n, p).
    """
    return _align(gradients, _mean(gradients), slice(None))


def measure(gradients: Array) -> Instruments:
    """The scalars of G; costs O(n p) time, and memory for a few numbers a row measured.

    Up to 100,000 rows all are measured; of more, one of every w consecutive ones, w = ⌈n/100,000⌉, drawn at random but
    always the same.

    Args:
        gradients: G, shape (n, p).
    """
    rows = _rows_measured(len(gradients))
    mean = _mean(gradients)
    return _scalars(
        len(gradients), mean.norm, mean.scale, _align(gradients, mean, rows), _spread(gradients, mean, rows), rows
    )


def measure_projected(
    norms: Array, along: Array, grad_norm: float, rounding: float = ROUNDING
) -> tuple[Alignments, Instruments]:
    """What `alignments` and `measure` say of a G that is not at hand, only its rows' lengths and projections on g.

    Args:
        norms: ‖gᵢ‖, shape (n,).
        along: gᵢ·g/‖g‖, shape (n,), in the same unit.
        grad_norm: ‖g‖.
        rounding: how much of the rows' root mean square may be rounding, of the arithmetic that made them.
    """
    n = len(norms)
    with np.errstate(all="ignore"):
        largest = max(float(norms.max()), grad_norm)
        is_finite = math.isfinite(largest) and math.isfinite(float(norms.sum() + along.sum()))
        scale = math.ldexp(1.0, min(-math.frexp(largest)[1], 1000)) if is_finite else 1.0
        norm = grad_norm * scale if is_finite else math.nan
        lengths, projections = norms * scale, along * scale
        squares = float(np.square(lengths).sum())
        limit = rounding * max(math.sqrt(squares / n) / norm, 1.0) if norm else math.nan
        cosines, shares = projections / lengths, projections / norm / n
        if not limit < 1:
            cosines[:] = shares[:] = math.nan
        cosines[np.abs(cosines) <= limit] = 0.0
        inner = float(np.square(projections - norm).sum())
        ortho = squares - float(np.square(projections).sum())
    inner = inner if inner > n * (rounding * norm) ** 2 else 0.0
    ortho = ortho if ortho > rounding * squares else 0.0
    rated = Alignments(norms, cosines.clip(-1.0, 1.0, out=cosines), shares)
    return rated, _scalars(n, norm, scale, rated, (inner + ortho, inner, ortho), slice(None))


def coordinate_signal_to_noise(gradients: Array) -> Array:
    """gⱼ²/varⱼ of each parameter, shape (p,), with the variance of n − 1; nan where the n gradients are all the same.

    Of more than 100,000 rows the variance is estimated, as in `measure`. (Liu et al. 2020, "Understanding Why Neural
    Networks Generalize Well Through GSNR of Parameters".)

    Args:
        gradients: G, shape (n, p).
    """
    n, rows = len(gradients), _rows_measured(len(gradients))
    mean = _mean(gradients)
    squares, count = np.zeros(len(mean.scaled)), 0
    with np.errstate(all="ignore"):
        for _, block in _blocks(gradients, mean.scale, rows):
            squares += np.square(block - mean.scaled[:, None]).sum(axis=1)
            count += block.shape[1]
        variance = np.float64(n) / (n - 1) * squares / count
        ratio: Array = mean.scaled**2 / variance
    ratio[~(variance > (ROUNDING * mean.scaled) ** 2)] = math.nan
    return ratio


def distance(theta: Array, origin: Array) -> float | None:
    """‖θ − origin‖, shapes (p,): the update's size, the distance from the start; None where it is not finite."""
    return _finite(math.dist(theta.tolist(), origin.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class _Mean:
    """g, times a power of two that brings G into [−1, 1]: what is squared neither overflows nor vanishes."""

    scaled: Array
    scale: float
    norm: float

    @property
    def unit(self) -> Array:
        """g/‖g‖, shape (p,)."""
        unit: Array = self.scaled / self.norm
        return unit


def _mean(gradients: Array) -> _Mean:
    n, p = gradients.shape
    with np.errstate(all="ignore"):
        largest = max(float(gradients.max()), -float(gradients.min()))
        if not math.isfinite(largest):
            return _Mean(np.full(p, math.nan), 1.0, math.nan)
        scale = math.ldexp(1.0, min(-math.frexp(largest)[1], 1000))
        sums = [block.sum(axis=1) for _, block in _blocks(gradients, scale, slice(None))]
        scaled = np.stack(sums, axis=1).sum(axis=1) / n
    return _Mean(scaled, scale, math.hypot(*scaled.tolist()))


def _align(gradients: Array, mean: _Mean, rows: Rows) -> Alignments:
    n, count = len(gradients), _count(gradients, rows)
    norms, cosines, shares = np.empty((3, count))
    squares = np.float64(0)
    with np.errstate(all="ignore"):
        unit = mean.unit
        for part, block in _blocks(gradients, 1.0, rows):
            # A saturated sample's gradient can be 1e-200 of another's: every row has a scale of its own.
            scale = np.ldexp(1.0, np.minimum(-np.frexp(np.abs(block).max(axis=0))[1], 1000))
            scaled = np.multiply(block, scale, out=block)
            norm, dot = np.sqrt(np.einsum("jm,jm->m", scaled, scaled)), np.einsum("j,jm->m", unit, scaled)
            norms[part], cosines[part] = norm / scale, dot / norm
            scale = mean.scale / scale
            shares[part] = dot * scale / mean.norm / n
            squares += np.square(norm * scale).sum()
        rounding = ROUNDING * max(np.sqrt(squares / count) / mean.norm, 1.0)
    if not rounding < 1:
        cosines[:] = shares[:] = math.nan
    cosines[np.abs(cosines) <= rounding] = 0.0
    return Alignments(norms, cosines.clip(-1.0, 1.0, out=cosines), shares)


def _spread(gradients: Array, mean: _Mean, rows: Rows) -> tuple[float, float, float]:
    """Σ‖gᵢ − g‖² over all n (as scaled), and its parts along g and across it; each 0 where it is but rounding."""
    deviation = along = across = 0.0
    with np.errstate(all="ignore"):
        unit = mean.unit
        for _, block in _blocks(gradients, mean.scale, rows):
            centered = np.subtract(block, mean.scaled[:, None], out=block)
            deviation += float(np.square(centered).sum())
            dot = np.einsum("j,jm->m", unit, centered)
            along += float(np.square(dot).sum())
            rest = np.subtract(centered, unit[:, None] * dot, out=block)
            across += float(np.square(rest).sum())
    count, n = _count(gradients, rows), len(gradients)
    if deviation <= count * (ROUNDING * mean.norm) ** 2:
        return 0.0, 0.0, 0.0
    return deviation / count * n, along / count * n, across / count * n


def _scalars(
    n: int, norm: float, scale: float, rated: Alignments, spread: tuple[float, float, float], rows: Rows
) -> Instruments:
    """From ‖g‖ and the spread as `_spread` has it, both as scaled, and the alignments of the rows measured."""
    deviation, along, across = spread
    cosines = rated.cosines[np.isfinite(rated.cosines)]
    is_known = math.isfinite(rated.shares[0])
    signal = norm**2 if is_known else 0.0
    noise = deviation / (n - 1) if n > 1 else math.nan
    debiased = signal - noise / n
    largest = int(np.abs(rated.shares).argmax()) if is_known else None
    return Instruments(
        samples=len(rated.norms),
        of=n,
        grad_norm=_finite(norm / scale),
        noise_scale=_ratio(noise, signal),
        noise_scale_debiased=_ratio(noise, debiased if debiased > ROUNDING * signal else 0.0),
        norm_test=_root(_ratio(noise, n * signal)),
        inner_product_test=_root(_ratio(along, n * (n - 1) * signal)),
        orthogonality_test=_root(_ratio(across, n * (n - 1) * signal)),
        diversity=_ratio(deviation + n * signal, n * n * signal),  # Σsᵢ = Σ‖gᵢ − g‖² + n‖g‖²
        signal_to_noise=_ratio(signal, noise),
        conflicts=int((cosines < 0).sum()) if math.isfinite(norm) else None,
        alignment=float(cosines.mean()) if len(cosines) else None,
        largest_share=None if largest is None else float(rated.shares[largest]),
        largest_share_sample=largest if largest is None or isinstance(rows, slice) else int(rows[largest]),
    )


def measured(n: int) -> int:
    """How many of n rows `measure` looks at."""
    return -(-n // -(-n // MEASURED))


def _rows_measured(n: int) -> Rows:
    """Which of n rows are measured: all, or one of every `width` consecutive ones."""
    width = -(-n // MEASURED)
    if width <= 1:
        return slice(None)
    starts = np.arange(0, n, width)
    # At random: at a fixed distance, samples whose classes take turns would show one class alone.
    rows: NDArray[np.int64] = np.minimum(starts + np.random.default_rng(0).integers(0, width, len(starts)), n - 1)
    return rows


def _blocks(gradients: Array, scale: float, rows: Rows) -> Iterator[tuple[slice, Array]]:
    """Some rows of G times `scale`, m at a time: where they stand among the rows, and a copy as columns, shape (p, m).

    Lying so, sums over p and over m are both fast whatever p is, and those over m are exact to a few ulp (pairwise).
    """
    size = max(64, _BLOCK // max(1, gradients.shape[1]))
    for start in range(0, _count(gradients, rows), size):
        part = slice(start, start + size)
        taken = gradients[part] if isinstance(rows, slice) else gradients[rows[part]]
        yield part, np.multiply(taken.T, scale, order="C")


def _count(gradients: Array, rows: Rows) -> int:
    return len(gradients) if isinstance(rows, slice) else len(rows)


def _ratio(numerator: float, denominator: float) -> float | None:
    return _finite(numerator / denominator) if denominator > 0 else None


def _root(square: float | None) -> float | None:
    return None if square is None else math.sqrt(square)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
