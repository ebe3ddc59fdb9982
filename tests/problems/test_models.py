"""Models: their gradients against finite differences and against PyTorch, and the check itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.problems.gradcheck import check_gradient
from gdtui.problems.models import MODELS

# Sizes that data and parameters have: a finite difference cannot tell 1e-300 from 0.
sizes = st.just(0.0) | st.floats(0.01, 100.0) | st.floats(-100.0, -0.01)


@st.composite
def samples(draw: st.DrawFn) -> tuple:
    """A model, and a point and a sample that fit it: (model, θ, x, y)."""
    model = draw(st.sampled_from(list(MODELS.values())))
    d = draw(st.integers(1, 5))
    p = len(model.parameters(tuple(f"x{j}" for j in range(d))))
    vectors = [draw(st.lists(sizes, min_size=n, max_size=n)) for n in (p, d)]
    return model, *vectors, draw(sizes)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed")


def gradient(model, theta, x, y):
    g = [math.nan] * len(theta)
    loss = model.loss(theta, x, y, g)
    return loss, g


class TestModels:
    @given(samples())
    def test_gradient_is_that_of_finite_differences(self, sample):
        model, theta, x, y = sample
        check = check_gradient(model.loss, theta, x, y)
        assert check.ok, check

    @given(samples())
    def test_loss_and_gradient_are_those_of_pytorch(self, torch, sample):
        model, theta, x, y = sample
        point = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
        inputs = torch.tensor(x, dtype=torch.float64)
        d = len(x)
        y_hat = inputs @ point[:d] + (point[d] if model.name == "affine" else 0.0)
        expected = torch.nn.functional.mse_loss(y_hat, torch.tensor(y, dtype=torch.float64))
        expected.backward()

        loss, g = gradient(model, theta, x, y)
        # Relative to the terms of x·w + b − y, which may cancel.
        terms = sum(abs(a * b) for a, b in zip(theta, [*x, 1.0], strict=False)) + abs(y)
        assert loss == pytest.approx(expected.item(), rel=1e-12, abs=1e-12 * terms * terms)
        for ours, theirs, scale in zip(g, point.grad.tolist(), [*x, 1.0], strict=False):
            assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12 * terms * abs(scale))

    @given(samples())
    def test_loss_is_the_square_of_what_the_prediction_misses(self, sample):
        model, theta, x, y = sample
        residual = model.predict(theta, x) - y
        assert gradient(model, theta, x, y)[0] == residual * residual

    @given(samples())
    def test_bits_are_the_same_over_lists_arrays_and_memoryviews(self, sample):
        model, theta, x, y = sample
        expected = gradient(model, theta, x, y)
        arrays = np.array(theta), np.array(x), np.zeros(len(theta))
        assert (model.loss(arrays[0], arrays[1], y, arrays[2]), arrays[2].tolist()) == expected
        views = [memoryview(array.copy()) for array in arrays]
        assert (model.loss(views[0], views[1], y, views[2]), views[2].tolist()) == expected

    def test_tutorials_first_step(self):
        assert gradient(MODELS["linear"], [1.0], [1.0], 2.0) == (1.0, [-2.0])

    def test_parameters_are_named_for_people(self):
        assert MODELS["linear"].parameters(("x",)) == ("w",)
        assert MODELS["affine"].parameters(("u", "v")) == ("w1", "w2", "b")


class TestGradientCheck:
    @pytest.mark.parametrize("theta", [-10.0, -1.0, 0.0, 0.3, 10.0])
    @pytest.mark.parametrize("x", [1e-3, 1.0, 1e3])
    def test_curved_loss_with_its_true_gradient_passes(self, theta, x):
        def logistic(theta, x, y, g):
            z = theta[0] * x[0]
            g[0] = x[0] * (0.5 * math.tanh(z / 2) + 0.5 - y)
            return max(z, 0.0) + math.log1p(math.exp(-abs(z))) - y * z

        check = check_gradient(logistic, [theta], [x], 1.0)
        assert check.ok, check

    @pytest.mark.parametrize("error", [1e-4, -1e-2, 1.0, math.nan, math.inf])
    def test_wrong_coordinate_is_found(self, error):
        def quartic(theta, x, y, g):
            for j in range(3):
                g[j] = 4 * theta[j] ** 3 * (1 + error if j == 1 else 1)
            return sum(t**4 for t in theta)

        check = check_gradient(quartic, [1.0, -2.0, 0.5], [0.0], 0.0)
        assert not check.ok
        assert check.worst == 1

    def test_coordinate_that_is_not_written_is_found(self):
        def forgetful(theta, x, y, g):
            g[0] = 2 * theta[0]
            return theta[0] ** 2 + theta[1] ** 2

        check = check_gradient(forgetful, [1.0, 2.0], [0.0], 0.0)
        assert not check.ok
        assert check.worst == 1

    def test_flat_loss_passes_at_its_minimum_and_on_a_plateau(self):
        def bowl(theta, x, y, g):
            g[0] = 2 * (theta[0] - 0.1)
            return 1e6 + (theta[0] - 0.1) * (theta[0] - 0.1)

        for theta in (0.1, 0.1 + 1e-9):
            assert check_gradient(bowl, [theta], [0.0], 0.0).ok

    def test_gradient_of_zero_where_there_is_a_slope_is_found(self):
        def stuck(theta, x, y, g):
            g[0] = 0.0
            return theta[0]

        assert check_gradient(stuck, [3.0], [0.0], 0.0).error == pytest.approx(1.0)

    def test_random_loss_does_not_pass(self):
        numbers = np.random.default_rng(0)

        def noise(theta, x, y, g):
            g[0] = 1.0
            return numbers.normal()

        assert not check_gradient(noise, [1.0], [0.0], 0.0).ok
