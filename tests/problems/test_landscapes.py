"""Landscapes: their minima, their gradients against finite differences and PyTorch, and bits that never change."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.hyperparameters import with_defaults
from gdtui.problems.gradcheck import check_gradient
from gdtui.problems.landscapes import LANDSCAPES

EXTREMES = [0.0, -0.0, 5e-324, 1e-200, -1e-160, 1.0, 3e7, -1e100, 2e154, 1e200, 1e307, -1.7976931348623157e308]


def values_of(landscape):
    return with_defaults(landscape.name, landscape.hyperparameters, {})


def evaluated(f, theta):
    g = [math.nan] * len(theta)
    return f(theta, g), g


@pytest.fixture(scope="module", params=LANDSCAPES)
def landscape(request):
    return LANDSCAPES[request.param]


@pytest.fixture(scope="module")
def f(landscape):
    return landscape.make(values_of(landscape))


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed")


@pytest.fixture(scope="module")
def compiled(f):
    return pytest.importorskip("numba", reason="numba, which compiles, is not installed").njit(f)


@pytest.fixture(scope="module")
def numbers():
    return np.random.default_rng(0)


def test_designs_ten_are_there_under_their_names():
    assert list(LANDSCAPES) == [
        "quadratic",
        "double-well",
        "saddle",
        "monkey-saddle",
        "rosenbrock",
        "himmelblau",
        "beale",
        "rastrigin",
        "styblinski-tang",
        "ackley",
    ]
    assert all(name == landscape.name for name, landscape in LANDSCAPES.items())


def test_value_and_zero_gradient_at_each_minimum(landscape, f):
    for point, value in landscape.minima:
        found, g = evaluated(f, list(point))
        assert found == pytest.approx(value, rel=1e-14, abs=1e-14)
        # A root rounded to float64 leaves a gradient of about |∇²f|·ε.
        assert g == pytest.approx([0.0] * landscape.dimensions, abs=1e-12)


def test_minimum_is_one(landscape, f, numbers):
    for point, value in landscape.minima:
        around = point + 1e-3 * numbers.standard_normal((100, landscape.dimensions))
        assert all(evaluated(f, theta.tolist())[0] > value for theta in around)


def test_global_minimum_comes_first(landscape):
    values = [value for _, value in landscape.minima]
    assert values[0] == min(values)


def test_start_and_names_fit_the_dimensions(landscape, f):
    start = landscape.start(values_of(landscape))
    assert len(start) == len(landscape.parameters) == landscape.dimensions
    assert math.isfinite(evaluated(f, list(start))[0])


def test_every_sample_has_noise_to_set(landscape):
    assert {"n": 32, "rms": 1.0}.items() <= values_of(landscape).items()


def test_descent_at_the_suggested_rate_goes_down(landscape, f):
    theta = list(landscape.start(values_of(landscape)))
    first, g = evaluated(f, theta)
    for _ in range(1000):
        theta = [t - landscape.lr * slope for t, slope in zip(theta, g, strict=True)]
        last, g = evaluated(f, theta)
    assert last < first


class TestGradient:
    @given(point=st.lists(st.floats(-4.0, 4.0), min_size=2, max_size=2))
    def test_is_that_of_finite_differences(self, point):
        for landscape in LANDSCAPES.values():
            theta = [t if abs(t) > 0.1 else t + 0.5 for t in point[: landscape.dimensions]]  # not on ackley's cusp
            f = landscape.make(values_of(landscape))
            check = check_gradient(lambda theta, x, y, g, f=f: f(theta, g), theta, [0.0], 0.0)
            assert check.ok, (landscape.name, check)

    def test_and_value_are_those_of_pytorch(self, torch, landscape, f, numbers):
        for theta in numbers.uniform(-4.0, 4.0, (200, landscape.dimensions)):
            point = torch.tensor(theta, requires_grad=True)
            expected, terms = torch_value(torch, landscape.name, point)
            expected.backward()
            value, g = evaluated(f, theta.tolist())
            # Relative to the terms, which may cancel.
            assert value == pytest.approx(expected.item(), rel=1e-12, abs=1e-14 * terms)
            assert g == pytest.approx(point.grad.tolist(), rel=1e-12, abs=1e-14 * terms)

    def test_at_ackleys_cusp_is_0(self):
        for theta in ([0.0, 0.0], [-0.0, 0.0], [5e-324, -1e-200]):
            value, g = evaluated(LANDSCAPES["ackley"].make({}), theta)
            assert value == pytest.approx(0.0, abs=1e-15)
            assert g == pytest.approx([0.0, 0.0], abs=1e-15)

    def test_kappa_makes_the_quadratic_steep(self):
        assert evaluated(LANDSCAPES["quadratic"].make({"kappa": 50.0}), [2.0, 3.0]) == (227.0, [2.0, 150.0])
        assert LANDSCAPES["quadratic"].start({"kappa": 50.0}) == (50.0, 1.0)


class TestPlainArithmetic:
    def test_extreme_parameters_raise_nothing(self, landscape, f):
        for x in EXTREMES:
            for y in EXTREMES:
                value, g = evaluated(f, [x, -y][: landscape.dimensions])
                assert isinstance(value, float)
                assert len(g) == landscape.dimensions

    def test_bits_are_the_same_over_lists_arrays_and_memoryviews(self, landscape, f, numbers):
        for theta in sampled(numbers, landscape.dimensions, 100):
            expected = bits(evaluated(f, theta.tolist()))
            for kind in (np.array, lambda a: memoryview(a.copy())):
                g = kind(np.zeros(landscape.dimensions))
                with np.errstate(all="ignore"):
                    assert bits((f(kind(theta), g), g)) == expected

    def test_bits_are_the_same_when_compiled(self, landscape, f, compiled, numbers):
        for theta in sampled(numbers, landscape.dimensions, 3000):
            g = np.zeros(landscape.dimensions)
            assert bits((compiled(theta, g), g)) == bits(evaluated(f, theta.tolist()))

    def test_extreme_parameters_raise_nothing_when_compiled(self, landscape, compiled, f):
        for x in EXTREMES:
            for y in EXTREMES:
                theta, g = np.array([x, -y][: landscape.dimensions]), np.zeros(landscape.dimensions)
                assert bits((compiled(theta, g), g)) == bits(evaluated(f, theta.tolist()))

    def test_nothing_is_warned_of(self, landscape, f):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            evaluated(f, memoryview(np.full(landscape.dimensions, 1e308)))


def sampled(numbers, d, count):
    """θ of all sizes, (count, d): half of them ordinary, half anywhere among the floats."""
    sizes = np.where(numbers.random((count, 1)) < 0.5, 3.0, 10.0 ** numbers.uniform(-300, 308, (count, d)))
    return np.ascontiguousarray(sizes * numbers.uniform(-1.0, 1.0, (count, d)))


def bits(result):
    """A value and a gradient, to the bit; any nan is as good as another."""
    value, g = result
    return [number.hex() for number in (float(value), *map(float, g))]


def torch_value(torch, name, theta):
    """f in the words of DESIGN's table, at θ (p,), and the size of its terms or of their slopes."""
    x, y = theta[0], theta[-1]
    cosines = torch.cos(2 * math.pi * theta)
    d = len(theta)
    value = {
        "quadratic": lambda: (x**2 + 10 * y**2) / 2,
        "double-well": lambda: x**4 / 4 - x**2 / 2 + 0.15 * x,
        "saddle": lambda: x**2 / 2 - y**2 / 2 + y**4 / 4,
        "monkey-saddle": lambda: x**3 - 3 * x * y**2 + 0.75 * (x**2 + y**2) ** 2,
        "rosenbrock": lambda: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        "himmelblau": lambda: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
        "beale": lambda: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
        "rastrigin": lambda: 10 * d + (theta**2 - 10 * cosines).sum(),
        "styblinski-tang": lambda: (theta**4 - 16 * theta**2 + 5 * theta).sum() / 2,
        "ackley": lambda: (
            -20 * torch.exp(-0.2 * torch.sqrt((theta**2).sum() / d)) - torch.exp(cosines.sum() / d) + math.e + 20
        ),
    }[name]()
    largest = 1.0 + abs(theta.detach()).max().item()
    return value, {"rosenbrock": 400.0, "beale": 10.0, "rastrigin": 100.0}.get(name, 20.0) * largest**4
