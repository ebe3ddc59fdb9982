"""Losses: against finite differences and PyTorch, interpreted and compiled, at ordinary and at extreme numbers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gdtui.problems import losses, models
from gdtui.problems.gradcheck import check_gradient

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.problems.models import Loss


@dataclass(frozen=True)
class Case:
    """A loss with a number of parameters (d) -> p, and how many classes y has; 0 where it is a number."""

    name: str
    loss: Loss
    predict: Callable
    p: Callable[[int], int]
    classes: int = 0

    def __repr__(self) -> str:
        return self.name


def perceptron(is_relu: bool, is_logistic: bool) -> Case:
    flags = is_relu, is_logistic
    name = f"mlp {'relu' if is_relu else 'tanh'} {'logistic' if is_logistic else 'squared'}"
    return Case(name, losses.mlp(*flags), losses.predict_mlp(*flags), lambda d: 3 * (d + 2) + 1, 2 * is_logistic)


CASES = [
    Case("polynomial", losses.polynomial, losses.predict_polynomial, lambda d: 3 * d + 1),
    Case("huber", losses.huber(1.5), models.predict_affine, lambda d: d + 1),
    Case("logistic", losses.logistic, losses.predict_logistic, lambda d: d + 1, classes=2),
    Case("softmax", losses.softmax, losses.predict_softmax, lambda d: 3 * (d + 1), classes=3),
    Case("deep-linear", losses.deep_linear, losses.predict_deep_linear, lambda d: d + 1),
    *itertools.starmap(perceptron, itertools.product((False, True), (False, True))),
]
NAMED = {case.name: case for case in CASES}
EXTREMES = [0.0, -0.0, 5e-324, -1e-200, 0.7, -36.8, 709.9, -745.2, 1e100, -1e154, 1e300, 1.7976931348623157e308]


@st.composite
def samples(draw: st.DrawFn) -> tuple:
    """A case, and a point and a sample that fit it: (case, θ, x, y)."""
    case = draw(st.sampled_from(CASES))
    d = draw(st.integers(1, 3))
    sizes = st.floats(0.01, 3.0) | st.floats(-3.0, -0.01)
    theta, x = (draw(st.lists(sizes, min_size=m, max_size=m)) for m in (case.p(d), d))
    return case, theta, x, float(draw(st.integers(0, case.classes - 1)) if case.classes else draw(sizes))


def drawn(case, numbers, scale, count):
    """(θ, x, y) at random, as lists."""
    for _ in range(count):
        d = int(numbers.integers(1, 4))
        theta, x = (scale(m) * numbers.standard_normal(m) for m in (case.p(d), d))
        y = float(numbers.integers(case.classes)) if case.classes else float(numbers.standard_normal())
        yield theta.tolist(), x.tolist(), y


def evaluated(loss, theta, x, y):
    g = [math.nan] * len(theta)
    return loss(theta, x, y, g), g


def bits(value, g):
    return [float(number).hex() for number in (value, *g)]


@pytest.fixture
def numbers():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed")


@pytest.fixture(scope="module")
def numba():
    return pytest.importorskip("numba", reason="numba, which compiles, is not installed")


class TestGradient:
    @given(samples())
    def test_is_that_of_finite_differences(self, sample):
        case, theta, x, y = sample
        assume(distance_to_kink(case, theta, x, y) > 0.01)
        check = check_gradient(case.loss, theta, x, y)
        assert check.ok, (case, check)

    @pytest.mark.parametrize("case", CASES, ids=repr)
    @pytest.mark.parametrize("size", [0.3, 1.0, 5.0])
    def test_and_loss_are_those_of_pytorch(self, torch, numbers, case, size):
        for theta, x, y in drawn(case, numbers, lambda m: size, 100):
            point = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
            expected = torch_loss(torch, case.name, point, torch.tensor(x, dtype=torch.float64), y)
            expected.backward()
            value, g = evaluated(case.loss, theta, x, y)
            slopes = point.grad.tolist()
            # Relative to the largest slope and to the terms, which may cancel.
            assert value == pytest.approx(expected.item(), rel=1e-12, abs=1e-13 * (1 + y * y))
            assert g == pytest.approx(slopes, rel=1e-12, abs=1e-12 * (max(map(abs, slopes)) + size))


class TestPlainArithmetic:
    @pytest.mark.parametrize("case", CASES, ids=repr)
    def test_extreme_numbers_raise_nothing(self, case, numbers):
        for _ in range(1000):
            d = int(numbers.integers(1, 4))
            theta, x = (numbers.choice(EXTREMES, m) * numbers.choice([-1, 1], m) for m in (case.p(d), d))
            y = float(numbers.integers(case.classes)) if case.classes else float(numbers.choice(EXTREMES))
            value, g = evaluated(case.loss, theta.tolist(), x.tolist(), y)
            assert isinstance(value, float)
            assert len(g) == len(theta)
            assert isinstance(case.predict(theta.tolist(), x.tolist()), float)

    @pytest.mark.parametrize("case", CASES, ids=repr)
    def test_bits_are_the_same_when_compiled(self, case, numba, numbers):
        loss = numba.njit(case.loss)
        # Huber's prediction is affine's, which calls linear's.
        predict = case.predict if case.name == "huber" else numba.njit(case.predict)

        def scale(m):
            return 10.0 ** numbers.uniform(-3, 3 if numbers.random() < 0.9 else 300, m)

        for theta, x, y in drawn(case, numbers, scale, 2000):
            point, features, g = np.array(theta), np.array(x), np.full(len(theta), math.nan)
            assert bits(loss(point, features, y, g), g) == bits(*evaluated(case.loss, theta, x, y))
            with np.errstate(all="ignore"):
                assert float(predict(point, features)).hex() == float(case.predict(theta, x)).hex()

    @pytest.mark.parametrize("case", CASES, ids=repr)
    def test_bits_are_the_same_over_memoryviews(self, case, numbers):
        for theta, x, y in drawn(case, numbers, lambda m: 1.0, 50):
            g = memoryview(np.full(len(theta), math.nan))
            value = case.loss(memoryview(np.array(theta)), memoryview(np.array(x)), y, g)
            assert bits(value, g) == bits(*evaluated(case.loss, theta, x, y))


class TestPredict:
    @pytest.mark.parametrize("name", ["polynomial", "deep-linear", "mlp tanh squared", "mlp relu squared"])
    def test_loss_is_the_square_of_what_the_prediction_misses(self, name, numbers):
        case = NAMED[name]
        for theta, x, y in drawn(case, numbers, lambda m: 1.0, 100):
            assert evaluated(case.loss, theta, x, y)[0] == (case.predict(theta, x) - y) ** 2

    @pytest.mark.parametrize("name", ["logistic", "mlp tanh logistic", "mlp relu logistic"])
    def test_loss_is_minus_the_log_of_the_predicted_probability(self, name, numbers):
        case = NAMED[name]
        for theta, x, y in drawn(case, numbers, lambda m: 1.0, 100):
            probability = case.predict(theta, x) if y == 1.0 else 1 - case.predict(theta, x)
            assert evaluated(case.loss, theta, x, y)[0] == pytest.approx(-math.log(probability), rel=1e-9)

    def test_most_likely_class_has_the_least_loss(self, numbers):
        case = NAMED["softmax"]
        for theta, x, _ in drawn(case, numbers, lambda m: 1.0, 100):
            by_class = [evaluated(case.loss, theta, x, float(c))[0] for c in range(3)]
            assert case.predict(theta, x) == by_class.index(min(by_class))
            assert sum(math.exp(-value) for value in by_class) == pytest.approx(1.0)


class TestModels:
    def test_polynomial_of_degree_1_is_affine_to_the_bit(self, numbers):
        affine = Case("affine", models.affine, models.predict_affine, lambda d: d + 1)
        for theta, x, y in drawn(affine, numbers, lambda m: 1.0, 100):
            assert evaluated(losses.polynomial, theta, x, y) == evaluated(models.affine, theta, x, y)

    def test_polynomial_takes_the_powers_of_one_feature_after_another(self):
        assert losses.predict_polynomial([1.0, 10.0, 100.0, 1000.0, 0.5], [2.0, 3.0]) == 2 + 40 + 300 + 9000 + 0.5

    def test_huber_is_linear_beyond_delta(self):
        assert evaluated(losses.huber(2.0), [3.0, 0.0], [1.0], 0.0) == (4.0, [2.0, 2.0])
        assert evaluated(losses.huber(2.0), [1.0, 0.0], [1.0], 0.0) == (0.5, [1.0, 1.0])
        assert evaluated(losses.huber(2.0), [-9.0, 0.0], [1.0], 0.0) == (16.0, [-2.0, -2.0])

    @pytest.mark.parametrize("z", [-800.0, -50.0, 50.0, 800.0])
    def test_logistic_keeps_its_digits_far_out(self, z):
        right, wrong = (1.0, 0.0) if z > 0 else (0.0, 1.0)
        value, g = evaluated(losses.logistic, [0.0, z], [1.0], right)
        assert value == pytest.approx(math.exp(-50) if abs(z) == 50 else 0.0, rel=1e-12, abs=0.0)
        assert abs(g[1]) == pytest.approx(value, rel=1e-12, abs=0.0)
        value, g = evaluated(losses.logistic, [0.0, z], [1.0], wrong)
        assert (value, abs(g[1])) == (abs(z), 1.0)

    def test_softmax_of_two_classes_is_logistic(self, numbers):
        for theta, x, y in drawn(NAMED["logistic"], numbers, lambda m: 5.0, 100):
            value, g = evaluated(losses.logistic, theta, x, y)
            twice, both = evaluated(losses.softmax, [0.0] * len(theta) + theta, x, y)
            assert twice == pytest.approx(value, rel=1e-12, abs=0.0)
            assert both == pytest.approx([-slope for slope in g] + g, rel=1e-12, abs=0.0)

    def test_softmax_of_what_is_no_class_is_nan(self):
        for y in (2.0, 0.5, -1.0, 1e300):
            assert math.isnan(evaluated(losses.softmax, [1.0, 2.0, 3.0, 4.0], [1.0], y)[0])

    @pytest.mark.parametrize("d", [1, 3])
    def test_deep_linear_has_a_saddle_at_0(self, d):
        assert evaluated(losses.deep_linear, [0.0] * (d + 1), [1.0] * d, 2.0) == (4.0, [0.0] * (d + 1))
        assert evaluated(losses.deep_linear, [0.1] * (d + 1), [1.0] * d, 2.0)[0] < 4.0
        assert evaluated(losses.deep_linear, [0.1] * d + [-0.1], [1.0] * d, 2.0)[0] > 4.0

    def test_dead_relu_has_no_slope(self):
        _, g = evaluated(losses.mlp(is_relu=True, is_logistic=False), [1.0, -2.0, 3.0, 0.0], [2.0], 1.0)
        assert g == [0.0, 0.0, 0.0, -2.0]


def distance_to_kink(case, theta, x, y):
    """How far a sample is from where its gradient changes its formula, which no difference may reach over."""
    if case.name == "huber":
        return abs(abs(case.predict(theta, x) - y) - 1.5)
    if "relu" not in case.name:
        return math.inf
    d = len(x)
    w1, b1 = np.array(theta[: 3 * d]).reshape(3, d), np.array(theta[3 * d : 3 * d + 3])
    return abs(w1 @ np.array(x) + b1).min()


def torch_loss(torch, name, theta, x, y):
    """A case's loss by torch.nn.functional, at θ (p,) and a sample."""
    nn, d = torch.nn.functional, len(x)
    target = torch.tensor(y, dtype=torch.float64)
    if name == "polynomial":
        powers = torch.stack([x**k for k in range(1, 4)], dim=1).reshape(-1)
        return nn.mse_loss(powers @ theta[:-1] + theta[-1], target)
    if name == "huber":
        return nn.huber_loss(x @ theta[:d] + theta[d], target, delta=1.5)
    if name == "logistic":
        return nn.softplus(torch.where(target == 1, -1, 1) * (x @ theta[:d] + theta[d]), threshold=1000)
    if name == "softmax":
        rows = theta.reshape(3, d + 1)
        return nn.cross_entropy(rows[:, :d] @ x + rows[:, d], torch.tensor(int(y)))
    if name == "deep-linear":
        return nn.mse_loss((x @ theta[:d]) * theta[d], target)
    return torch_mlp(torch, name, theta, x, target)


def torch_mlp(torch, name, theta, x, target):
    nn, d = torch.nn.functional, len(x)
    hidden = theta[: 3 * d].reshape(3, d) @ x + theta[3 * d : 3 * d + 3]
    hidden = torch.relu(hidden) if "relu" in name else torch.tanh(hidden)
    z = hidden @ theta[3 * d + 3 : 3 * d + 6] + theta[-1]
    if name.endswith("squared"):
        return nn.mse_loss(z, target)
    return nn.softplus(torch.where(target == 1, -1, 1) * z, threshold=1000)
