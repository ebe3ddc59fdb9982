"""Probe: what the gradients of some samples say at one step of a training."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np

from gdtui.insight.instruments import alignments, measure
from gdtui.training.moment import Moment, Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from gdtui.insight.instruments import Alignments, Instruments
    from gdtui.problems.datasets import Array

EXACT = 512
"""Gradients as many as this, or of as many parameters, have their principal direction computed exactly."""

SKETCHED, PASSES = 32, 8
"""Of more, it is sought within so many directions, after so many passes over the gradients."""

OF_MEASURE = ("samples", "of")
"""What `measure` says of itself, not of the gradients."""

EPSILON = 64 * float(np.finfo(np.float64).eps)
"""What is no larger, in units of the largest number, is rounding."""


def moment_of(
    step: int,
    epoch: float,
    seconds: float,
    samples: ArrayLike,
    *,
    losses: ArrayLike | None = None,
    gradients: ArrayLike | None = None,
    norms: ArrayLike | None = None,
    cosines: ArrayLike | None = None,
    shares: ArrayLike | None = None,
    along: ArrayLike | None = None,
    across: ArrayLike | None = None,
    labels: Sequence[str] = (),
    instruments: Mapping[str, float | None] | None = None,
) -> Moment:
    """The samples of a probe at one step; from their gradients comes whatever else is not given.

    Args:
        step: of the training.
        epoch: nan where it is not known.
        seconds: since the training began.
        samples: which samples they are, whole numbers of shape (n,).
        losses: ℓᵢ, shape (n,).
        gradients: gᵢ, shape (n, p), or (n, ...) as one parameter's.
        norms: ‖gᵢ‖, shape (n,).
        cosines: between gᵢ and their mean g, shape (n,).
        shares: gᵢ·g/(n‖g‖²), shape (n,).
        along: gᵢ·g/‖g‖, shape (n,).
        across: where gᵢ stands across g, shape (n,); see `principal_coordinates`.
        labels: what each is called; none, or n.
        instruments: scalars by name; None where one is undefined.

    Raises:
        ValueError: if they are not of the same length, or the samples no whole numbers.
    """
    ids = _ids(samples)
    n = len(ids)
    known: dict[Number, Array] = {}
    scalars: dict[str, float | None] = {}
    if gradients is not None:
        rows = _rows(gradients, n)
        known, scalars = _computed(rows, ids)
    columns = zip(Number, (losses, norms, cosines, shares, along, across), strict=True)
    known |= {number: _column(number.name.lower(), values, n) for number, values in columns if values is not None}
    numbers = np.full((n, len(Number)), math.nan)
    for number, values in known.items():
        numbers[:, number] = values
    if labels and len(labels) != n:
        raise ValueError(f"there are {n} samples and {len(labels)} labels")
    scalars |= instruments or {}
    defined = {name: float(value) for name, value in scalars.items() if value is not None and math.isfinite(value)}
    return Moment(step, epoch, seconds, ids, numbers, tuple(labels), defined)


def _ids(samples: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(samples).reshape(-1)
    with np.errstate(invalid="ignore"):
        ids = given.astype(np.int64)
    if (ids != given).any():
        raise ValueError("samples are known by whole numbers")
    return ids


def _column(name: str, values: ArrayLike, n: int) -> Array:
    column = np.array(values, dtype=np.float64).reshape(-1)
    if len(column) != n:
        raise ValueError(f"there are {n} samples and {len(column)} numbers as their {name}")
    return column


def _rows(gradients: ArrayLike, n: int) -> Array:
    rows = np.array(gradients, dtype=np.float64)
    if rows.ndim == 0 or len(rows) != n or rows.size == 0:
        raise ValueError(f"there are {n} samples and gradients of shape {rows.shape}")
    return rows.reshape(n, -1)


def _computed(gradients: Array, ids: NDArray[np.int64]) -> tuple[dict[Number, Array], dict[str, float | None]]:
    """All that the gradients say: of each sample, and of all of them."""
    rated = alignments(gradients)
    measured = _over_all(measure(gradients), rated)
    norm = math.nan if measured.grad_norm is None else measured.grad_norm
    known = {
        Number.NORM: rated.norms,
        Number.COSINE: rated.cosines,
        Number.SHARE: rated.shares,
        Number.ALONG: rated.shares * len(gradients) * norm,
        Number.ACROSS: principal_coordinates(gradients),
    }
    scalars = {name: value for name, value in asdict(measured).items() if name not in OF_MEASURE}
    if measured.largest_share_sample is not None:
        scalars["largest_share_sample"] = int(ids[measured.largest_share_sample])
    return known, scalars


def _over_all(measured: Instruments, rated: Alignments) -> Instruments:
    """With what is counted over samples counted over all of them; of very many, `measure` has looked at some."""
    if measured.samples == measured.of or not np.isfinite(rated.shares).all():
        return measured
    largest = int(np.abs(rated.shares).argmax())
    return replace(
        measured,
        conflicts=int((rated.cosines < 0).sum()),
        alignment=float(np.nanmean(rated.cosines)),
        largest_share=float(rated.shares[largest]),
        largest_share_sample=largest,
    )


def principal_coordinates(gradients: Array) -> Array:
    """Where each gradient stands along the direction, across their mean g, in which they vary the most.

    With R the rows gᵢ − (gᵢ·g/‖g‖²)g and v its first right singular vector: R v, in the gradient's unit. v is turned so
    that the entry largest in size is positive.

    Args:
        gradients: G, shape (n, p).

    Returns:
        Shape (n,); nan where g is 0 or not finite, 0 where nothing lies across it.
    """
    largest = float(np.abs(gradients).max())
    if not 0 < largest < math.inf:
        return np.full(len(gradients), math.nan)
    scaled = gradients / largest  # what is squared neither overflows nor vanishes
    mean = scaled.mean(axis=0)
    norm = float(np.linalg.norm(mean))
    if norm <= EPSILON * math.sqrt(scaled.size):
        return np.full(len(gradients), math.nan)
    residuals = scaled - np.outer(scaled @ mean / norm, mean / norm)
    if float(np.abs(residuals).max()) <= EPSILON * math.sqrt(scaled.shape[1]):
        return np.zeros(len(gradients))
    coordinates: Array = residuals @ _principal_direction(residuals) * largest
    return coordinates if coordinates[np.abs(coordinates).argmax()] > 0 else -coordinates


def _principal_direction(rows: Array) -> Array:
    """The first right singular vector, shape (p,), of rows (n, p)."""
    n, p = rows.shape
    if min(n, p) > EXACT:
        basis = np.linalg.qr(np.random.default_rng(0).standard_normal((p, SKETCHED))).Q
        for _ in range(PASSES):  # subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4)
            basis = np.linalg.qr(rows.T @ (rows @ basis)).Q
        within: Array = basis @ _principal_direction(rows @ basis)
        return within
    if p <= n:
        direction: Array = np.linalg.eigh(rows.T @ rows).eigenvectors[:, -1]
        return direction
    combined: Array = rows.T @ np.linalg.eigh(rows @ rows.T).eigenvectors[:, -1]
    return combined / np.linalg.norm(combined)
