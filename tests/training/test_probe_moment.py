"""Probe: where each gradient stands, against numpy's singular value decomposition and the formulas' own words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.training.moment import Number
from gdtui.training.probe import EXACT, moment_of, principal_coordinates


def _oracle(gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Along and across by the whole decomposition; the sign of across is free."""
    mean = gradients.mean(axis=0)
    unit = mean / np.linalg.norm(mean)
    along = gradients @ unit
    left, singular, _ = np.linalg.svd(gradients - along[:, None] * unit)
    return along, left[:, 0] * singular[0]


def _turned(across: np.ndarray) -> np.ndarray:
    return across * np.sign(across[np.abs(across).argmax()])


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (50, 3), (5, 40), (40, 40), (EXACT + 20, EXACT + 10)])
@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
def test_the_plane_is_that_of_the_decomposition(shape: tuple[int, int], scale: float) -> None:
    # Distinct singular values: among equal ones no direction is the first.
    chance = np.random.default_rng(shape[0])
    rows = chance.normal(size=shape) * 2.0 ** -np.arange(shape[1]) + chance.normal(size=shape[1])
    moment = moment_of(3, 0.5, 1.0, range(len(rows)), gradients=rows * scale)
    along, across = _oracle(rows)
    assert moment.column(Number.ALONG) / scale == pytest.approx(along, rel=1e-8, abs=1e-9)
    assert moment.column(Number.ACROSS) / scale == pytest.approx(_turned(across), rel=1e-6, abs=1e-8)


@given(st.integers(1, 8), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_along_and_across_are_no_longer_than_the_gradient(n: int, p: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(n, p))
    moment = moment_of(0, math.nan, 0.0, range(n), gradients=rows)
    along, across = moment.column(Number.ALONG), moment.column(Number.ACROSS)
    assert (along**2 + across**2 <= (rows**2).sum(axis=1) * (1 + 1e-9)).all()
    assert along.mean() == pytest.approx(np.linalg.norm(rows.mean(axis=0)))
    assert across.mean() == pytest.approx(0, abs=1e-9)
    assert moment.column(Number.SHARE).sum() == pytest.approx(1)


def test_across_has_the_same_sign_whatever_the_order() -> None:
    rows = np.random.default_rng(1).normal(size=(9, 4)) + 1
    order = np.random.default_rng(2).permutation(9)
    assert principal_coordinates(rows)[order] == pytest.approx(principal_coordinates(rows[order]))


@pytest.mark.parametrize(
    ("rows", "along", "across"),
    [
        ([[3.0, 4.0]], [5.0], [0.0]),
        ([[1.0, 2.0], [1.0, 2.0]], [math.sqrt(5)] * 2, [0.0, 0.0]),
        ([[1.0, 1.0], [1.0, -1.0]], [1.0, 1.0], [1.0, -1.0]),
        ([[1.0], [3.0]], [1.0, 3.0], [0.0, 0.0]),
        ([[1.0, 0.0], [-1.0, 0.0]], [math.nan] * 2, [math.nan] * 2),
        ([[0.0, 0.0], [0.0, 0.0]], [math.nan] * 2, [math.nan] * 2),
        ([[math.inf, 0.0], [1.0, 0.0]], [math.nan] * 2, [math.nan] * 2),
        ([[math.nan, 0.0], [1.0, 0.0]], [math.nan] * 2, [math.nan] * 2),
    ],
)
def test_what_is_not_known_is_nan_and_what_lies_along_is_zero(
    rows: list[list[float]], along: list[float], across: list[float]
) -> None:
    moment = moment_of(0, 0.0, 0.0, range(len(rows)), gradients=rows)
    assert moment.column(Number.ALONG) == pytest.approx(along, nan_ok=True)
    assert np.abs(moment.column(Number.ACROSS)) == pytest.approx(np.abs(across), nan_ok=True)


def test_what_is_given_goes_before_what_is_computed() -> None:
    rows = np.eye(3)
    moment = moment_of(0, 0.0, 0.0, [5, 6, 7], gradients=rows, across=[1, 2, 3], instruments={"noise_scale": 4})
    assert moment.column(Number.ACROSS).tolist() == [1, 2, 3]
    assert moment.column(Number.NORM).tolist() == [1, 1, 1]
    assert moment.instruments["noise_scale"] == 4
    assert moment.instruments["grad_norm"] == pytest.approx(1 / math.sqrt(3))
    assert moment.has_gradients


def test_gradients_of_any_shape_are_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(4, 2, 3))
    one, other = (moment_of(0, 0.0, 0.0, range(4), gradients=given) for given in (rows, rows.reshape(4, 6)))
    assert one.numbers.tobytes() == other.numbers.tobytes()


def test_without_gradients_there_are_none() -> None:
    moment = moment_of(0, 0.0, 0.0, [1, 2], losses=[0.5, 0.25])
    assert moment.column(Number.LOSS).tolist() == [0.5, 0.25]
    assert np.isnan(moment.numbers[:, Number.NORM :]).all()
    assert not moment.has_gradients
    assert moment.instruments == {}


def test_of_very_many_samples_all_are_counted() -> None:
    gradients = np.random.default_rng(0).normal(0.01, 1.0, (250_000, 2))
    gradients[-1] = 1e6  # the largest share, which a part of the samples may not have
    moment = moment_of(0, math.nan, 0.0, np.arange(len(gradients)), gradients=gradients)
    against = gradients @ gradients.mean(axis=0) < 0
    assert moment.instruments["conflicts"] == against.sum() == (moment.column(Number.COSINE) < 0).sum()
    assert moment.instruments["largest_share_sample"] == len(gradients) - 1
