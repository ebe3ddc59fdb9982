"""Limits against closed forms, brute force and real runs on both sides of them; predicted curves against real ones."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gdtui.descent import updates
from gdtui.descent.history import Column
from gdtui.descent.optimizers import RULES
from gdtui.descent.snapshot import State
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.forecast import distance_along_flattest, predicted_curve, predicted_losses, updates_to_leave
from gdtui.insight.hessian import Curvature, curvature
from gdtui.insight.limits import Recurrence, critical, fastest, in_order, log_radius, sgd, with_replacement
from gdtui.insight.preconditioners import preconditioned
from gdtui.insight.stability import Kind, Limit, Stability, ladder
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.datasets import Dataset
from gdtui.problems.loading import load_problem
from gdtui.problems.models import MODELS
from gdtui.problems.problem import Problem

TUTORIAL = np.array([2.0, 8.0, 18.0]).reshape(3, 1, 1)
METHODS = {
    "plain": {},
    "momentum": {"momentum": 0.7},
    "dampening": {"momentum": 0.6, "dampening": 0.4},
    "nesterov": {"momentum": 0.7, "nesterov": 1},
    "decay": {"weight_decay": 0.5},
    "decay and momentum": {"momentum": 0.5, "weight_decay": 0.2},
}


def plane(n: int, d: int, seed: int, noise: float = 0.0) -> Problem:
    """y = x·w, which one θ fits for every sample alike unless there is noise."""
    numbers = np.random.default_rng(seed)
    x = numbers.normal(size=(n, d))
    y = x @ numbers.normal(size=d) + noise * numbers.normal(size=n)
    return Problem(MODELS["linear"], Dataset("plane", x, y, tuple(f"x{j}" for j in range(d)), "y"))


def load(name: str, **options: Any) -> Problem:
    return load_problem(Experiment(**({"problem": name, "data": FAMILIES[name].data or "noise"} | options)))


def engine_of(problem: Problem) -> Any:
    return Trainer(Experiment(), problem)._engine


def rungs(problem: Problem, theta: Any = None, **options: Any) -> Stability:
    """The ladder of an experiment on a problem, at its start."""
    state = options.pop("optimizer_state", None)
    point = problem.start(()) if theta is None else np.array(theta, dtype=np.float64)
    hyper = tuple(options.pop("hyper", {}).items())
    experiment = Experiment(set=hyper, **options)
    return ladder(problem, experiment, point, engine_of(problem).evaluate, optimizer_state=state)


def named(stability: Stability, name: str) -> Limit:
    (found,) = [one for one in stability.rungs if one.name == name]
    return found


def hessians_of(x: np.ndarray) -> np.ndarray:
    return 2 * x[:, :, None] * x[:, None, :]


# --- the tutorial's numbers ------------------------------------------------------------------------------------------


def test_the_tutorial_s_ladder() -> None:
    found = rungs(load("linear"))
    names = ["one step", "sample 2 alone", "with replacement", "in order", "full batch", "sample 1 alone"]
    assert [one.name for one in found.rungs] == [*names, "sample 0 alone"]
    exact = {
        "one step": 3 / 28,
        "sample 2 alone": 1 / 9,
        "with replacement": 1 / 7,
        "full batch": 3 / 14,
        "sample 1 alone": 1 / 4,
        "sample 0 alone": 1.0,
    }
    for name, lr in exact.items():
        assert named(found, name).lr == pytest.approx(lr, rel=1e-12)
        assert named(found, name).kind is Kind.EXACT
    assert found.applies.name == "in order"
    assert found.applies.lr == pytest.approx(0.2040179384, abs=1e-9)
    # There −1 is the product of the three factors.
    assert math.prod(1 - found.applies.lr * h for h in (2, 8, 18)) in (pytest.approx(1), pytest.approx(-1))


@pytest.mark.parametrize(
    ("options", "applies", "lr"),
    [
        ({}, "in order", 0.2040179384),
        ({"batch_size": "full"}, "full batch", 3 / 14),
        ({"batch_size": 7}, "full batch", 3 / 14),
        ({"batch_size": "full", "order": "shuffle"}, "full batch", 3 / 14),
        ({"order": "shuffle"}, "in any order", 0.2040179384),
        ({"order": "replacement"}, "with replacement", 1 / 7),
        ({"order": "replacement", "batch_size": "full"}, "with replacement", 2 / (28 / 3) / (2 / 3 + 392 / 784)),
        # Batches of 5 and 18, E: (1 − 5·lr)(1 − 18·lr) is 1 at 0 and −1 at none; it is 1 again at 23/90.
        ({"batch_size": 2}, "in order", 23 / 90),
        ({"hyper": {"momentum": 0.5}, "batch_size": "full"}, "full batch", 3 * 3 / 28),
        ({"hyper": {"momentum": 0.5, "nesterov": 1}, "batch_size": "full"}, "full batch", 1.5 / 2 * 6 / 28),
        ({"hyper": {"momentum": 0.5, "dampening": 0.5}, "batch_size": "full"}, "full batch", 6 * 3 / 28),
        ({"hyper": {"weight_decay": 2 / 3}, "batch_size": "full"}, "full batch", 1 / 5),
    ],
    ids=str,
)
def test_the_limit_that_applies_is_that_of_the_settings(options: dict[str, Any], applies: str, lr: float) -> None:
    found = rungs(load("linear"), lr=0.21, **options)
    assert found.applies.name == applies
    if options == {"order": "replacement", "batch_size": "full"}:
        lr = 2 * (28 / 3) / ((2 / 3) * (28 / 3) ** 2 + (392 / 3) / 3)
    assert found.applies.lr == pytest.approx(lr, abs=1e-9)
    assert found.is_stable == (lr > 0.21)
    assert found.lr == 0.21


def test_what_is_the_same_as_what_applies_is_not_told_twice() -> None:
    found = rungs(load("quadratic"))
    assert [one.name for one in found.rungs] == ["fastest", "in order"]
    assert found.applies.lr == pytest.approx(0.2, rel=1e-13)
    assert found.fastest.lr == pytest.approx(2 / 11, rel=1e-13)


# --- one eigenvalue --------------------------------------------------------------------------------------------------


@st.composite
def recurrences(draw: st.DrawFn) -> Recurrence:
    share = st.floats(0.0, 0.97)
    beta = draw(share)
    return draw(
        st.sampled_from(
            [
                Recurrence(),
                sgd(beta or 0.5),
                sgd(beta or 0.5, draw(share)),
                sgd(beta or 0.5, 0.0, is_nesterov=True),
                Recurrence(0.0, 1.0, beta, 1 - beta),
                Recurrence(0.0, 1.0, beta, 1 - beta, decay=draw(st.floats(0, 3))),
                Recurrence(1 - beta, beta, beta, 1 - beta),
                Recurrence(decay=draw(st.floats(0, 3))),
            ]
        )
    )


@given(recurrences(), st.floats(0.01, 100.0))
@settings(max_examples=50)
def test_the_critical_lr_is_where_the_spectral_radius_first_reaches_one(method: Recurrence, eigenvalue: float) -> None:
    limit = critical(method, eigenvalue)

    def radius(lr: float) -> float:
        return float(abs(np.linalg.eigvals(method.matrices(lr, np.array([[eigenvalue]])))).max())

    assert radius(limit) == pytest.approx(1, abs=1e-6)
    assert radius(1.01 * limit) > 1
    assert all(radius(share * limit) < 1 + 1e-9 for share in np.linspace(0.01, 0.999, 60))


def test_where_no_lr_settles_there_is_no_limit() -> None:
    assert critical(sgd(), 0.0) is None
    assert critical(sgd(), -1.0) is None
    assert critical(sgd(), math.nan) is None
    assert critical(sgd(1.0), 1.0) is None
    assert critical(sgd(0.9, 1.0), 1.0) is None
    assert critical(sgd(0.9, 1.5), 1.0) is None
    assert critical(sgd(), 1e-310) is None  # 2/λ overflows


@given(st.floats(0.0, 0.9), st.floats(0.0, 0.9), st.floats(0.05, 1.0))
@settings(max_examples=30)
def test_no_other_lr_is_faster_than_the_fastest(momentum: float, dampening: float, smallest: float) -> None:
    method = sgd(momentum, dampening)
    best = fastest(method, smallest, 1.0)

    def radius(lr: float) -> float:
        each = (method.matrices(lr, np.array([[value]])) for value in (smallest, 1.0))
        return max(float(abs(np.linalg.eigvals(matrix)).max()) for matrix in each)

    assert all(radius(best) <= radius(best * share) + 1e-7 for share in np.linspace(0.5, 1.5, 41))


# --- a fixed order ---------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=7))
@settings(max_examples=50)
def test_one_parameter_s_limit_is_the_first_root_of_the_product(curvatures: list[float]) -> None:
    found = in_order(sgd(), np.array(curvatures).reshape(-1, 1, 1))

    def size(lr: float) -> float:
        return math.prod(abs(1 - lr * h) for h in curvatures)

    assert size(found * (1 + 1e-9)) > 1 - 1e-12
    grid = np.linspace(0, found * (1 - 1e-7), 1001)[1:]
    assert max(map(size, grid)) <= 1


def test_a_window_of_divergence_between_two_stable_ones_is_not_overlooked() -> None:
    curvatures = np.array([1.0, 30.0, 30.0])
    found = in_order(sgd(), curvatures.reshape(3, 1, 1))
    assert found < 0.1  # it is stable again about lr = 1, where the first sample is solved in one step
    assert abs(np.prod(1 - 1.0 * curvatures)) < 1
    assert abs(np.prod(1 - found * curvatures)) == pytest.approx(1, rel=1e-9)


@given(st.integers(0, 10**6), st.sampled_from(sorted(METHODS)))
@settings(max_examples=25)
def test_the_limit_in_order_is_where_the_product_s_radius_first_reaches_one(seed: int, name: str) -> None:
    numbers = np.random.default_rng(seed)
    k, p = int(numbers.integers(1, 7)), int(numbers.integers(1, 4))
    values = METHODS[name]
    method = sgd(values.get("momentum", 0.0), values.get("dampening", 0.0), bool(values.get("nesterov")))
    batches = hessians_of(numbers.normal(size=(k, p))) + values.get("weight_decay", 0.0) * np.eye(p)
    assume(np.linalg.eigvalsh(batches.mean(axis=0))[0] > 1e-3 or k < p)
    found = in_order(method, batches)

    def radius(lr: float) -> float:
        product = np.eye(2 * p if method.has_memory else p)
        for batch in batches:
            product = method.matrices(lr, batch) @ product
        return float(abs(np.linalg.eigvals(product)).max())

    assert radius(found) == pytest.approx(1, abs=1e-6)
    assert radius(found * 1.001) > 1
    assert max(radius(lr) for lr in np.linspace(0, found, 100)[1:-1]) <= 1 + 1e-7


def test_many_different_samples_are_looked_at_on_a_grid_as_well_as_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    curvatures = np.random.default_rng(0).normal(size=(401, 1, 1)) ** 2
    on_grid = in_order(sgd(), curvatures)
    exact = in_order(sgd(), curvatures[:400])
    assert on_grid == pytest.approx(exact, rel=0.02)
    assert abs(np.log(abs(1 - on_grid * curvatures)).sum()) < 1e-6


def test_a_product_of_a_hundred_thousand_matrices_neither_overflows_nor_underflows() -> None:
    for factor in (1e-9, 1e9):
        assert log_radius(np.full((100_001, 1, 1), factor)) == pytest.approx(100_001 * math.log(factor), rel=1e-12)
    assert log_radius(np.zeros((3, 2, 2))) == -math.inf


def test_directions_in_which_no_sample_curves_do_not_matter() -> None:
    numbers = np.random.default_rng(3)
    x = numbers.normal(size=(5, 2))
    rotation, _ = np.linalg.qr(numbers.normal(size=(4, 4)))
    wide = hessians_of(x @ rotation[:2])
    for method in (sgd(), sgd(0.5)):
        assert in_order(method, wide) == pytest.approx(in_order(method, hessians_of(x)), rel=1e-8)
        expected = with_replacement(method, hessians_of(x), 1)
        assert with_replacement(method, wide, 1) == pytest.approx(expected, rel=1e-8)
    assert in_order(sgd(), np.zeros((3, 2, 2))) is None
    assert with_replacement(sgd(), np.zeros((3, 2, 2)), 1) is None


# --- draws with replacement ------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.sampled_from([sgd(), sgd(0.6), sgd(0.5, 0.3), sgd(0.6, 0.0, is_nesterov=True)]))
@settings(max_examples=30)
def test_the_limit_with_replacement_is_where_second_moments_stop_to_shrink(seed: int, method: Recurrence) -> None:
    numbers = np.random.default_rng(seed)
    n, p = int(numbers.integers(2, 4)), int(numbers.integers(1, 3))
    batch_size = int(numbers.integers(1, n + 1))
    hessians = hessians_of(numbers.normal(size=(n, p)))
    found = with_replacement(method, hessians, batch_size)
    assume(np.linalg.eigvalsh(hessians.mean(axis=0))[0] > 1e-3)

    def step(lr: float, size: int) -> np.ndarray:
        """E[A ⊗ A] by all the batches that there are."""
        batches = [np.mean([hessians[i] for i in draw], axis=0) for draw in itertools.product(range(n), repeat=size)]
        return np.mean([np.kron(a, a) for a in (method.matrices(lr, h) for h in batches)], axis=0)

    def radius(lr: float) -> float:
        epoch = np.linalg.matrix_power(step(lr, batch_size), n // batch_size)
        epoch = step(lr, n % batch_size) @ epoch if n % batch_size else epoch
        return float(abs(np.linalg.eigvals(epoch)).max())

    assert radius(found) == pytest.approx(1, abs=1e-7)
    assert radius(0.99 * found) < 1 < radius(1.01 * found)


@pytest.mark.parametrize("p", [5, 9])
def test_the_limit_with_replacement_of_many_parameters_is_the_same_by_either_way(p: int) -> None:
    hessians = hessians_of(np.random.default_rng(p).normal(size=(3 * p, p)))
    found = with_replacement(sgd(), hessians, 1)
    mean = hessians.mean(axis=0)
    identity = np.eye(p)
    linear = np.kron(mean, identity) + np.kron(identity, mean)
    square = np.mean([np.kron(h, h) for h in hessians], axis=0)
    assert found == pytest.approx(1 / np.linalg.eigvals(np.linalg.solve(linear, square)).real.max(), rel=1e-8)
    step = np.eye(p * p) - found * linear + found * found * square
    assert abs(np.linalg.eigvals(step)).max() == pytest.approx(1, abs=1e-8)


def test_what_takes_too_long_is_not_looked_for() -> None:
    many = hessians_of(np.random.default_rng(0).normal(size=(60_000, 2)))
    assert in_order(sgd(), many) is None
    assert with_replacement(sgd(), many, 1) is not None
    assert with_replacement(sgd(0.9), hessians_of(np.ones((2, 9)) + np.eye(9)[:2]), 1) is not None  # two directions
    assert with_replacement(sgd(0.9), hessians_of(np.random.default_rng(0).normal(size=(20, 9))), 1) is None


# --- real runs on both sides -----------------------------------------------------------------------------------------


def settles(problem: Problem, lr: float, epochs: int = 500, **options: Any) -> bool:
    """Whether θ is nearer to where the run goes, later than earlier in a real run."""
    hyper = tuple(options.pop("hyper", {}).items())
    experiment = Experiment(lr=lr, epochs=epochs, set=hyper, **options)
    trainer = Trainer(experiment, problem)
    snapshot = trainer.advance()
    if snapshot.state is State.DIVERGED:
        return False
    losses = snapshot.history.rows[:, Column.LOSS]
    half = losses[len(losses) // 2 :]
    spread = [float(np.ptp(part)) for part in np.array_split(half, 2)]  # of a loss that settles, vanishing
    return spread[1] <= 0.9 * spread[0] or spread[0] <= 1e-13 * max(1.0, losses[0])


PROBLEMS = {"tutorial": lambda: load("linear"), "1": lambda: plane(6, 2, 1), "2": lambda: plane(4, 1, 5)}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("problem_name", "batch_size"), [("tutorial", "full"), ("tutorial", 1), ("1", "full"), ("1", 1), ("2", 2)]
)
def test_real_runs_settle_just_below_the_limit_and_break_just_beyond(
    name: str, problem_name: str, batch_size: Any
) -> None:
    problem, options = PROBLEMS[problem_name](), {"batch_size": batch_size, "hyper": METHODS[name]}
    found = rungs(problem, **options)
    assert found.applies.name == ("full batch" if batch_size == "full" else "in order")
    assert found.applies.kind is Kind.EXACT
    assert settles(problem, 0.99 * found.applies.lr, **options)
    assert not settles(problem, 1.01 * found.applies.lr, **options)


@given(st.integers(0, 10**6), st.sampled_from(sorted(METHODS)), st.sampled_from(["full", 1, 2]))
@settings(max_examples=6)
def test_real_runs_on_random_planes_do_so_too(seed: int, name: str, batch_size: Any) -> None:
    problem, options = plane(5, 2, seed), {"batch_size": batch_size, "hyper": METHODS[name]}
    here = curvature(problem, np.ones(2), engine_of(problem).evaluate)
    assume(here.smallest > 0.05 * here.largest)
    found = rungs(problem, **options)
    assert settles(problem, 0.99 * found.applies.lr, 1000, **options)
    assert not settles(problem, 1.02 * found.applies.lr, 1000, **options)


def test_below_the_steepest_sample_s_limit_no_order_breaks() -> None:
    problem = plane(6, 2, 1)
    found = rungs(problem, order="shuffle")
    steepest = min(one.lr for one in found.others if one.name.endswith("alone"))
    assert found.applies.lr is None
    assert f"{steepest:.4g}" in found.applies.reason
    for seed in range(5):
        assert settles(problem, 0.99 * steepest, order="shuffle", seed=seed)


def test_one_step_solves_a_problem_of_one_parameter() -> None:
    problem = load("linear")
    lr = named(rungs(problem, batch_size="full"), "one step").lr
    trainer = Trainer(Experiment(batch_size="full", lr=lr, epochs=1), problem)
    assert trainer.advance().theta[0] == pytest.approx(2, abs=1e-14)


@pytest.mark.parametrize("name", ["double-well", "rosenbrock", "himmelblau", "styblinski-tang"])
def test_at_a_minimum_the_local_limit_is_where_descent_stops_to_stay(name: str) -> None:
    from gdtui.problems.landscapes import LANDSCAPES

    problem = load(name, set=(("rms", 0.0),))
    minimum = np.array(LANDSCAPES[name].minima[0][0])
    found = rungs(problem, minimum, batch_size="full")
    assert found.applies.kind is Kind.LOCAL
    start = minimum + 1e-7 * found.curvature.steepest
    far = []
    for share in (0.99, 1.01):
        experiment = Experiment(lr=share * found.applies.lr, batch_size="full", epochs=150, init=tuple(start.tolist()))
        theta = Trainer(experiment, problem).advance().theta
        far.append(float(np.linalg.norm(theta - minimum)))
    assert far[0] < 0.3e-7
    assert far[1] > 3e-7


# --- adaptive optimizers ---------------------------------------------------------------------------------------------

NEVER = 1 - 1e-13
"""A memory that keeps what it has."""

FROZEN: dict[str, tuple[dict[str, float], list[str], list[float]]] = {
    # Hyperparameters, rows of state (v: what it divides by, 0: none), single numbers of a run that is old.
    "adam": ({"beta2": NEVER}, ["0", "v", "0"], [1.0, 1.0]),
    "adam amsgrad": ({"beta2": NEVER, "amsgrad": 1.0}, ["0", "v", "v"], [1.0, 1.0]),
    "adam decay": ({"beta2": NEVER, "weight_decay": 0.4}, ["0", "v", "0"], [1.0, 1.0]),
    "adam beta1 0": ({"beta1": 0.0, "beta2": NEVER}, ["0", "v", "0"], [1.0, 1.0]),
    "adamw": ({"beta2": NEVER, "weight_decay": 0.3}, ["0", "v", "0"], [1.0, 1.0]),
    "nadam": ({"beta2": NEVER}, ["0", "v"], [1e8, 1.0, 1.0]),
    "rmsprop": ({"alpha": NEVER}, ["v", "0", "0"], []),
    "rmsprop momentum": ({"alpha": NEVER, "momentum": 0.8}, ["v", "0", "0"], []),
    "rmsprop centered": ({"alpha": NEVER, "centered": 1.0}, ["v", "0", "m"], []),
    "adagrad": ({}, ["v"], [0.0]),
    "adagrad accumulator": ({"initial_accumulator_value": 2.0, "weight_decay": 0.4}, ["v"], [1.0]),
    "adadelta": ({"rho": NEVER}, ["v", "u"], []),
}


@pytest.mark.parametrize("case", FROZEN)
def test_adaptive_optimizers_settle_below_their_limit_and_grow_beyond(case: str) -> None:
    name, p = case.split(maxsplit=1)[0], 3
    rule, (given_values, rows, scalars) = RULES[name], FROZEN[case]
    values = {h.name: float(h.default) for h in rule.hyperparameters} | given_values
    numbers = np.random.default_rng(0)
    content = {"0": np.zeros(p), "v": numbers.uniform(1, 9, p), "u": numbers.uniform(1, 4, p), "m": np.full(p, 0.5)}
    state = np.concatenate([*(content[row] for row in rows), scalars])
    problem = plane(6, p, 2)
    x = problem.dataset.x
    matrix = 2 * x.T @ x / 6
    frozen = rungs(
        problem, batch_size="full", optimizer=name, hyper=given_values, optimizer_state=state, epochs=1, lr=0.1
    )
    limit = frozen.applies.lr
    assert frozen.applies.kind is Kind.LOCAL
    far = []
    for share in (0.99, 1.01):
        theta, running = 1e-40 * numbers.normal(size=p), state.copy()  # so near that nothing is added to v
        start = np.linalg.norm(theta)
        for _ in range(2500):
            update = getattr(updates, name)
            update(theta, matrix @ theta, share * limit, [values[h.name] for h in rule.hyperparameters], running)
            if np.linalg.norm(theta) > 1e3 * start:
                break  # before it is so far that v is not what it was
        far.append(float(np.linalg.norm(theta) / start))
    assert far[0] < 0.5
    assert far[1] > 2


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_s_denominators_are_corrected_for_its_start(name: str) -> None:
    problem = load("linear")
    trainer = Trainer(Experiment(optimizer=name, batch_size="full", epochs=5, lr=0.01), problem)
    gradients = []
    for epoch in range(5):
        gradients.append(trainer._engine.evaluate(trainer._engine.theta).gradients.mean())
        trainer.advance(updates_until(epoch + 1))
    v = sum(0.001 * 0.999 ** (4 - t) * g * g for t, g in enumerate(gradients)) / (1 - 0.999**5)
    values = {h.name: float(h.default) for h in RULES[name].hyperparameters}
    found = preconditioned(name, values, trainer._engine.optimizer_state, 1)
    assert found.denominators[0] == pytest.approx((1 - 0.9**5) * (math.sqrt(v) + 1e-8), rel=1e-12)


def updates_until(count: int) -> Any:
    from gdtui.descent.snapshot import Update

    return Update(count)


def test_before_the_first_update_an_adaptive_optimizer_has_no_limit() -> None:
    problem = load("linear")
    found = rungs(problem, optimizer="adam", batch_size="full", optimizer_state=np.zeros(5))
    assert (found.applies.lr, found.is_stable) == (None, None)
    assert "first update" in found.applies.reason
    assert rungs(problem, optimizer="adam", batch_size="full").applies.reason == found.applies.reason


def test_lion_has_none_and_says_why() -> None:
    found = rungs(load("linear"), optimizer="lion", batch_size="full", optimizer_state=np.ones(1))
    assert found.applies.lr is None
    assert "signs" in found.applies.reason


def test_of_what_is_not_quadratic_only_the_full_batch_s_limit_is_told() -> None:
    problem = load("logistic")
    found = rungs(problem, batch_size=4)
    assert (found.applies.lr, found.is_stable, found.fastest) == (None, None, None)
    (full,) = found.rungs
    assert (full.name, full.kind, full.lr) == ("full batch", Kind.LOCAL, 2 / found.curvature.largest)
    assert rungs(problem, batch_size="full").applies == full


def test_where_nothing_settles_every_rung_says_so() -> None:
    found = rungs(load("linear"), hyper={"momentum": 1.0})
    assert (found.applies.name, found.applies.lr, found.rungs[:1]) == ("in order", None, ())
    assert "never settles" in found.applies.reason


def test_clipping_makes_a_limit_one_of_where_it_does_not_clip() -> None:
    found = rungs(load("linear"), hyper={"clip": 1.0})
    assert found.applies.kind is Kind.LOCAL
    assert "clip" in found.applies.reason


# --- the whole, everywhere -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", RULES)
@pytest.mark.parametrize("problem_name", ["linear", "affine", "huber", "deep-linear", "saddle", "ackley", "quadratic"])
def test_every_ladder_is_in_order_and_tells_why_a_rung_is_missing(optimizer: str, problem_name: str) -> None:
    problem = load(problem_name)
    data = FAMILIES[problem_name].data or "noise"
    common = {"problem": problem_name, "data": data, "optimizer": optimizer}
    for order, batch_size in itertools.product(("sequential", "shuffle", "replacement"), (1, 5, "full")):
        experiment = Experiment(**common, order=order, batch_size=batch_size, epochs=2, lr=1e-3)
        trainer = Trainer(experiment, problem)
        theta, engine = trainer.advance().theta, trainer._engine
        found = ladder(problem, experiment, theta, engine.evaluate, optimizer_state=engine.optimizer_state)
        lrs = [one.lr for one in found.rungs]
        assert lrs == sorted(lrs)
        assert all(0 < lr < math.inf for lr in lrs)
        assert (found.applies.lr is None) <= bool(found.applies.reason)
        assert (found.is_stable is None) == (found.applies.lr is None)


def test_nothing_is_known_where_nothing_is_finite() -> None:
    problem = load("rosenbrock")
    found = rungs(problem, [1e200, 1e200], batch_size="full")
    assert (found.curvature, found.rungs, found.is_stable) == (None, (), None)
    assert found.applies.reason


def test_a_quadratic_s_curvature_is_used_again_and_another_s_is_not() -> None:
    problem = load("affine")
    engine, calls = engine_of(problem), []

    def evaluate(theta: np.ndarray) -> Any:
        calls.append(theta)
        return engine.evaluate(theta)

    first = ladder(problem, Experiment(), np.ones(2), evaluate)
    calls.clear()
    again = ladder(problem, Experiment(batch_size=3), np.zeros(2), evaluate, known=first.curvature)
    assert not calls
    assert again.curvature is first.curvature
    ladder(problem, Experiment(), np.zeros(2), evaluate, known=replace(first.curvature, is_exact=False))
    assert calls


def test_one_sample_is_its_own_full_batch() -> None:
    x = np.array([[3.0]])
    problem = Problem(MODELS["linear"], Dataset("one", x, np.ones(1), ("x",), "y"))
    for order in ("sequential", "shuffle", "replacement"):
        found = rungs(problem, order=order)
        assert found.applies.lr == pytest.approx(1 / 9)
        assert found.others == ()


# --- saddles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lr", "size"), [(0.1, 0.01), (0.5, 0.05), (0.01, 1e-5)])
def test_leaving_a_saddle_takes_as_many_updates_as_was_said(lr: float, size: float) -> None:
    problem = load("saddle", set=(("rms", 0.0),))
    point = np.array([0.0, 1e-6])
    engine = engine_of(problem)
    here = curvature(problem, point, engine.evaluate)
    component = distance_along_flattest(here, engine.evaluate(point).gradients.mean(axis=0))
    expected = updates_to_leave(lr, here.smallest, component, size)
    trainer = Trainer(Experiment(lr=lr, batch_size="full", init=tuple(point.tolist()), epochs=10**6), problem)
    snapshot = trainer.snapshot()
    while abs(snapshot.theta[1]) < size:
        snapshot = trainer.advance(updates_until(snapshot.updates + 1))
    assert abs(component) == pytest.approx(1e-6, rel=1e-6)
    assert abs(snapshot.updates - expected) <= 1


def test_what_does_not_move_never_leaves() -> None:
    assert updates_to_leave(0.1, -1.0, 0.0) is None
    assert updates_to_leave(0.1, 0.5, 1e-3) is None
    assert updates_to_leave(0.1, 0.0, 1e-3) is None
    assert updates_to_leave(0.1, -1.0, math.nan) is None
    assert updates_to_leave(0.1, -1.0, 2.0) == 0
    assert updates_to_leave(1.0, -1.0, 0.25) == 2
    assert updates_to_leave(1.0, -1.0, 0.24) == 3


# --- curves that are known in advance --------------------------------------------------------------------------------


def curve(problem: Problem, known: Curvature | None = None, **options: Any) -> tuple[Any, np.ndarray]:
    """What was predicted, and what a real run's history has."""
    experiment = Experiment(**({"batch_size": "full", "epochs": 60} | options))
    trainer = Trainer(experiment, problem)
    theta, evaluate = problem.start(experiment.init), trainer._engine.evaluate
    known = known or curvature(problem, theta, evaluate)
    predicted = predicted_curve(problem, experiment, theta, evaluate, known, np.arange(experiment.epochs + 1))
    return predicted, trainer.advance().history.rows[:, Column.LOSS]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97, 1.05])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_predicted_curve_is_the_real_run_s(name: str, share: float, noise: float) -> None:
    problem = plane(9, 3, 4, noise)
    lr = share * rungs(problem, batch_size="full", hyper=METHODS[name]).applies.lr
    predicted, real = curve(problem, lr=lr, set=tuple(METHODS[name].items()), epochs=200)
    np.testing.assert_allclose(predicted[: len(real)], real, rtol=1e-9, atol=1e-13 * real[0])
    assert len(real) == 201 or share > 1  # a run that diverges ends early


def test_the_predicted_curve_goes_down_as_far_as_the_real_one() -> None:
    predicted, real = curve(load("linear"), lr=0.05, epochs=30)
    assert (abs(predicted - real) <= 1e-9 * real + 1e-14 * np.sqrt(real)).all()  # θ itself is rounded
    assert real[-1] < 1e-14


def test_directions_without_curvature_do_not_move() -> None:
    predicted, real = curve(plane(2, 4, 0, noise=1.0), lr=0.02, epochs=50)
    np.testing.assert_allclose(predicted, real, rtol=1e-9, atol=1e-13 * real[0])


def test_any_epoch_can_be_asked_for_and_one_that_overflows_is_infinite() -> None:
    offsets, values = np.array([1.0, -2.0]), np.array([1.0, 4.0])
    epochs = np.array([0, 3, 10**9])
    stable = predicted_losses(sgd(), 0.1, values, offsets, 0.5, epochs)
    expected = [0.5 + 0.5 * (0.9 ** (2 * t) + 16 * 0.6 ** (2 * t)) for t in (0, 3)]
    assert stable.tolist() == pytest.approx([*expected, 0.5])
    assert predicted_losses(sgd(), 1.0, values, offsets, 0.5, epochs)[2] == math.inf
    assert predicted_losses(sgd(0.9), 10.0, values, offsets, 0.5, epochs)[2] == math.inf


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 1},
        {"order": "replacement"},
        {"schedule": "cosine"},
        {"optimizer": "adam"},
        {"set": (("clip", 1.0),)},
        {"problem": "deep-linear"},
    ],
    ids=str,
)
def test_no_curve_is_predicted_where_it_would_be_wrong(options: dict[str, Any]) -> None:
    problem = load(options.get("problem", "linear"))
    known = curvature(problem, np.ones(len(problem.parameters)), engine_of(problem).evaluate)
    experiment = Experiment(**({"batch_size": "full"} | options))
    evaluate = engine_of(problem).evaluate
    assert predicted_curve(problem, experiment, problem.start(()), evaluate, known, np.arange(3)) is None
