"""Lift: samples whose mean is the landscape, and noise that is balanced to the bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.hyperparameters import with_defaults
from gdtui.problems.datasets import Dataset
from gdtui.problems.landscapes import LANDSCAPES, saddle
from gdtui.problems.lift import lift, noise
from gdtui.problems.models import Model
from gdtui.problems.problem import Problem

seeds = st.integers(0, 10**15)
counts = st.integers(2, 300)


def lifted(landscape, n=32, rms=1.0, seed=0):
    """A landscape as a problem: its samples' features are their noise."""
    values = with_defaults(landscape.name, landscape.hyperparameters, {})
    names = landscape.parameters
    model = Model(landscape.name, "", lift(landscape.make(values)), lambda theta, x: 0.0, lambda features: names)
    return Problem(model, Dataset("noise", noise(n, landscape.dimensions, rms, seed), np.zeros(n), names, "y"))


def trainer_of(landscape, epochs, seed=0, n=32, rms=1.0, **settings):
    values = with_defaults(landscape.name, landscape.hyperparameters, {})
    settings = {"lr": 0.1, "init": landscape.start(values), "epochs": epochs, "seed": seed} | settings
    return Trainer(Experiment(problem=landscape.name, **settings), lifted(landscape, n, rms, seed))


class TestNoise:
    @given(n=counts, d=st.integers(1, 4), exponent=st.integers(-100, 100), seed=seeds)
    @example(n=2, d=1, exponent=0, seed=10)  # two numbers so close that their mean is not exact
    def test_sums_to_0_exactly_in_any_order(self, n, d, exponent, seed):
        z = noise(n, d, 10.0**exponent, seed)
        shuffled = np.random.default_rng(seed).permutation(z)
        for rows in (z, z[::-1], shuffled):
            assert list(itertools.accumulate(rows, initial=0.0))[-1].tolist() == [0.0] * d

    @given(n=counts, d=st.integers(1, 4), rms=st.floats(1e-3, 1e3), seed=seeds)
    def test_has_its_rms_in_every_coordinate(self, n, d, rms, seed):
        z = noise(n, d, rms, seed)
        assert z.shape == (n, d)
        assert np.sqrt((z * z).mean(axis=0)) == pytest.approx(rms, rel=1e-9)

    def test_is_normal(self):
        z = noise(100_000, 1, 2.0, seed=3)[:, 0]
        assert (abs(z) < 2.0).mean() == pytest.approx(0.6827, abs=0.006)
        assert (z**4).mean() == pytest.approx(3 * 2.0**4, rel=0.03)

    def test_is_the_same_for_the_same_seed_only(self):
        assert np.array_equal(noise(32, 2, 1.0, seed=7), noise(32, 2, 1.0, seed=7))
        assert not np.array_equal(noise(32, 2, 1.0, seed=7), noise(32, 2, 1.0, seed=8))

    @pytest.mark.parametrize("rms", [0.0, 5e-324, 1e-310])
    def test_too_small_to_be_a_number_is_0(self, rms):
        assert not noise(32, 2, rms, seed=0).any()

    @pytest.mark.parametrize("rms", [1e-290, 1e100])
    def test_of_extreme_size_is_finite_and_balanced(self, rms):
        z = noise(33, 2, rms, seed=0)
        assert np.isfinite(z).all()
        assert sum(z[:, 0].tolist()) == 0.0


class TestLift:
    @given(point=st.lists(st.floats(-3.0, 3.0), min_size=2, max_size=2), seed=seeds)
    def test_mean_loss_and_gradient_are_the_landscapes(self, point, seed):
        for landscape in LANDSCAPES.values():
            problem = lifted(landscape, seed=seed)
            theta = point[: landscape.dimensions]
            f = landscape.make(with_defaults(landscape.name, landscape.hyperparameters, {}))
            expected = np.zeros(len(theta))
            value = f(theta, expected)
            gradients = np.zeros((problem.n, len(theta)))
            losses = [problem.model.loss(theta, z, 0.0, g) for z, g in zip(problem.dataset.x, gradients, strict=True)]
            assert np.mean(losses) == pytest.approx(value, rel=1e-13, abs=1e-13)
            assert gradients.mean(axis=0) == pytest.approx(expected, rel=1e-13, abs=1e-13)
            assert gradients - expected == pytest.approx(problem.dataset.x, rel=1e-9, abs=1e-9)

    def test_compiles_over_a_compiled_landscape(self):
        numba = pytest.importorskip("numba", reason="numba, which compiles, is not installed")
        f = LANDSCAPES["himmelblau"].make({})
        loss, compiled = lift(f), numba.njit(lift(numba.njit(f)))
        for theta, z in zip(noise(500, 2, 5.0, seed=1), noise(500, 2, 1.0, seed=2), strict=True):
            g, h = np.zeros(2), np.zeros(2)
            assert compiled(theta, z, 0.0, h).hex() == float(loss(theta, z, 0.0, g)).hex()
            assert h.tobytes() == g.tobytes()


class TestSaddle:
    @pytest.mark.parametrize("order", ["sequential", "shuffle"])
    @pytest.mark.parametrize("n", [32, 33])
    def test_gradient_descent_stays_on_the_line_to_it_for_ever(self, order, n):
        snapshot = trainer_of(LANDSCAPES["saddle"], 1000, n=n, order=order, batch_size="full").advance()
        assert snapshot.theta[1] == 0.0
        assert snapshot.theta[0] == pytest.approx(0.0, abs=1e-15)
        assert snapshot.loss == pytest.approx(0.0, abs=1e-15)

    def test_stochastic_gradient_descent_escapes_in_some_50_updates(self):
        updates = []
        for seed in range(200):
            trainer = trainer_of(LANDSCAPES["saddle"], 10, seed, rms=0.1, order="shuffle", batch_size=1)
            thetas = [t for epoch in range(10) for t in trainer.advance(Epoch(epoch + 1)).visits.thetas.tolist()]
            updates.append(next(u for u, theta in enumerate(thetas) if saddle(theta, [0.0, 0.0]) < -0.2))
        assert np.median(updates) == pytest.approx(48, abs=4)  # 5 standard errors; over 5,000 seeds it is 49


class TestDoubleWell:
    @pytest.mark.parametrize(("rms", "share"), [(0.5, 0.0), (2.0, 0.98)])
    def test_noise_decides_how_many_runs_end_in_the_better_well(self, rms, share):
        runs = [trainer_of(LANDSCAPES["double-well"], 50, s, rms=rms, order="shuffle").advance() for s in range(40)]
        found = sum(run.theta[0] < 0.0 for run in runs) / len(runs)
        assert found == pytest.approx(share, abs=0.1)
