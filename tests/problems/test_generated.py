"""Generated data: its statistics, its determinism, its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.experiment import InputError
from gdtui.hyperparameters import with_defaults
from gdtui.problems.generated import GENERATED

CLASSES = ("xor", "circles", "moons", "spiral")


def made(name, seed=0, **given):
    source = GENERATED[name]
    return source.make(with_defaults(name, source.hyperparameters, given), seed)


def least_of(name, hyperparameter):
    return next(int(h.least) for h in GENERATED[name].hyperparameters if h.name == hyperparameter)


@pytest.mark.parametrize("name", GENERATED)
class TestEverySource:
    def test_has_its_name_and_as_many_finite_samples_as_asked_for(self, name):
        for n in (least_of(name, "n"), 37):
            dataset = made(name, n=n)
            assert dataset.name == name
            assert dataset.x.shape == (n, len(dataset.features))
            assert dataset.x.flags.c_contiguous
            assert np.isfinite(dataset.x).all()
            assert np.isfinite(dataset.y).all()
            assert dataset.target == "y"

    def test_is_the_same_for_the_same_seed_only(self, name):
        once, again, other = made(name, seed=5), made(name, seed=5), made(name, seed=6)
        assert once.x.tobytes() == again.x.tobytes()
        assert once.y.tobytes() == again.y.tobytes()
        assert once.x.tobytes() != other.x.tobytes()

    def test_too_few_samples_are_refused_in_words(self, name):
        least = least_of(name, "n")
        with pytest.raises(InputError, match=f"n must be from {least} to 1,000,000, got {least - 1}"):
            made(name, n=least - 1)

    def test_extreme_values_still_make_finite_data(self, name):
        for bound in ("least", "most"):
            for hyperparameter in GENERATED[name].hyperparameters:
                if hyperparameter.name != "n":
                    kind = type(hyperparameter.default)
                    dataset = made(name, **{hyperparameter.name: kind(getattr(hyperparameter, bound))})
                    assert np.isfinite(dataset.x).all()
                    assert np.isfinite(dataset.y).all()


class TestLines:
    @pytest.mark.parametrize("name", ["noisy-line", "outlier-line"])
    def test_without_noise_it_is_the_line(self, name):
        given = {"outliers": 0.0} if name == "outlier-line" else {}
        dataset = made(name, noise=0.0, **given)
        assert dataset.y == pytest.approx(2 * dataset.x[:, 0] + 1)

    def test_noise_has_its_deviation(self):
        dataset = made("noisy-line", n=100_000, noise=0.5)
        residual = dataset.y - 2 * dataset.x[:, 0] - 1
        assert residual.mean() == pytest.approx(0.0, abs=0.01)
        assert residual.std() == pytest.approx(0.5, rel=0.01)

    @pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.07, 7), (0.1, 10), (1.0, 100)])
    def test_share_of_samples_are_outliers(self, share, count):
        dataset = made("outlier-line", n=100, noise=0.0, outliers=share, shift=-5.0)
        residual = dataset.y - 2 * dataset.x[:, 0] - 1
        assert (abs(residual + 5.0) < 1e-9).sum() == count
        assert (abs(residual) < 1e-9).sum() == 100 - count


class TestTwoFeature:
    @given(n=st.integers(3, 200), kappa=st.floats(1.0, 1e6), seed=st.integers(0, 2**40))
    def test_hessian_has_its_condition_number_with_and_without_intercept(self, n, kappa, seed):
        x = made("two-feature", seed=seed, n=n, kappa=kappa).x
        hessian = 2 * x.T @ x / n
        assert np.diag(hessian) == pytest.approx([2.0, 2.0 / kappa], rel=1e-9)
        assert hessian[0, 1] == pytest.approx(0.0, abs=1e-9 / math.sqrt(kappa))
        assert x.mean(axis=0) == pytest.approx(0.0, abs=1e-9 / math.sqrt(kappa))

    def test_standardizing_repairs_it(self):
        x = made("two-feature").standardized().x
        assert np.linalg.cond(x.T @ x) == pytest.approx(1.0)

    def test_solution_is_2_and_minus_3(self):
        dataset = made("two-feature", noise=0.0)
        assert dataset.y == pytest.approx(dataset.x @ [2.0, -3.0])


class TestClasses:
    @pytest.mark.parametrize("name", CLASSES)
    @pytest.mark.parametrize("n", [6, 101])
    def test_classes_0_and_1_alternate(self, name, n):
        assert made(name, n=n).y.tolist() == [float(i % 2) for i in range(n)]

    @pytest.mark.parametrize("name", CLASSES)
    def test_noise_has_its_deviation(self, name):
        x, clean = made(name, n=10_000, noise=0.3).x, made(name, n=10_000, noise=0.0).x
        assert (x - clean).std(axis=0) == pytest.approx([0.3, 0.3], rel=0.03)

    def test_xor_is_the_sign_of_the_product(self):
        dataset = made("xor", noise=0.0)
        assert (dataset.y == (dataset.x.prod(axis=1) < 0)).all()
        assert (abs(dataset.x) == 1.0).all()
        assert len(np.unique(dataset.x, axis=0)) == 4

    def test_circles_have_their_radii(self):
        dataset = made("circles", n=41, noise=0.0, inner=0.4)
        assert np.hypot(*dataset.x.T) == pytest.approx(np.where(dataset.y == 0, 1.0, 0.4))
        assert dataset.x[dataset.y == 0].mean(axis=0) == pytest.approx([0.0, 0.0], abs=1e-12)

    def test_moons_are_half_circles_in_each_others_opening(self):
        dataset = made("moons", n=41, noise=0.0)
        upper, lower = (dataset.x[dataset.y == label] for label in (0, 1))
        assert np.hypot(*upper.T) == pytest.approx(1.0)
        assert np.hypot(*(lower - [1.0, 0.5]).T) == pytest.approx(1.0)
        assert upper[:, 1].min() == pytest.approx(0.0, abs=1e-12)
        assert lower[:, 1].max() == pytest.approx(0.5)

    def test_spirals_arms_are_each_others_mirror_image(self):
        dataset = made("spiral", n=40, noise=0.0)
        first, second = (dataset.x[dataset.y == label] for label in (0, 1))
        assert second == pytest.approx(-first)
        assert np.hypot(*first.T) == pytest.approx(np.arange(1, 21) / 20)


def test_data_and_order_of_visits_are_independent():
    noise = made("xor", seed=3, n=50, noise=1.0).x - made("xor", seed=3, n=50, noise=0.0).x
    of_the_order = np.random.Generator(np.random.PCG64(3)).standard_normal((50, 2))
    assert abs(noise - of_the_order).max() > 0.1
