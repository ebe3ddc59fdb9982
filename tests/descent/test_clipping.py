"""Clipping: no gradient longer than the bound, the others untouched."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.descent.clipping import clip

if TYPE_CHECKING:
    from collections.abc import Callable

sizes = st.floats(-1e6, 1e6).filter(lambda size: size == 0 or abs(size) > 1e-6)
finite = st.floats(allow_nan=False, allow_infinity=False)
bounds = st.floats(1e-3, 1e3)


@pytest.fixture(scope="module")
def compiled() -> Callable[[Any, float], bool]:
    numba = pytest.importorskip("numba", reason="numba, the compiler, is not installed")
    return numba.njit(numba.boolean(numba.float64[::1], numba.float64))(clip)


@given(st.lists(sizes, min_size=1, max_size=6), bounds)
def test_long_gradient_keeps_its_direction_at_the_bounds_length(g, bound):
    before, norm = list(g), math.hypot(*g)
    if clip(g, bound):
        assert norm > bound * (1 - 1e-14)
        assert g == pytest.approx([one * (bound / norm) for one in before], rel=1e-13)
    else:
        assert norm <= bound * (1 + 1e-14)
        assert g == before


def test_gradient_as_long_as_the_bound_is_not_clipped():
    g = [3.0, -4.0]
    assert not clip(g, 5.0)
    assert clip(g, 2.5)
    assert g == [1.5, -2.0]


@pytest.mark.parametrize("size", [1e308, 1e200, 1e-200, 1e-300])
def test_no_square_overflows_or_vanishes(size):
    g = [size, -size, size, size]
    assert clip(g, size / 2)
    assert g == pytest.approx([size / 4, -size / 4, size / 4, size / 4], rel=1e-15, abs=0)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_gradient_that_is_not_finite_is_left_for_the_descent_to_stop_at(odd, place):
    g = [1e3, -1e3]
    g.insert(place, odd)
    before = np.array(g)
    assert not clip(g, 1.0)
    np.testing.assert_array_equal(g, before)


def test_infinite_bound_clips_nothing():
    g = [1e308, 1e308]
    assert not clip(g, math.inf)
    assert g == [1e308, 1e308]


@given(st.lists(st.floats(), min_size=0, max_size=6), st.floats(5e-324))
def test_bits_are_the_same_interpreted_and_compiled_and_nothing_raises(compiled, g, bound):
    view, array = memoryview(np.array(g)), np.array(g)
    assert clip(view, bound) == compiled(array, bound)
    np.testing.assert_array_equal(np.asarray(view), array)  # nan equals nan


@given(st.lists(finite, min_size=1, max_size=6), st.floats(5e-324, allow_infinity=False))
def test_nothing_finite_becomes_anything_else(g, bound):
    clip(g, bound)
    assert all(map(math.isfinite, g))
