"""Hessians from gradients: against PyTorch's, closed forms and plain linear algebra; and where there is none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdtui.descent.engine import Engine
from gdtui.descent.method import Method
from gdtui.descent.snapshot import Evaluation
from gdtui.experiment import Experiment
from gdtui.insight import hessian
from gdtui.insight.hessian import curvature, lanczos, mean_gradient, preconditioned_sharpness, sample_hessians
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.datasets import Dataset
from gdtui.problems.loading import load_problem
from gdtui.problems.models import MODELS as PLAIN
from gdtui.problems.problem import Problem


class Counted:
    """Evaluates a problem anywhere, and counts."""

    def __init__(self, problem: Problem) -> None:
        self.engine = Engine(problem, Method.of(Experiment()), np.ones(len(problem.parameters)))
        self.passes = 0

    def __call__(self, theta: np.ndarray) -> Evaluation:
        self.passes += 1
        return self.engine.evaluate(np.ascontiguousarray(theta))


def load(name: str, **settings: Any) -> Problem:
    return load_problem(Experiment(**({"problem": name, "data": FAMILIES[name].data or "noise"} | settings)))


def linear_problem(x: np.ndarray, model: str = "linear", y: np.ndarray | None = None) -> Problem:
    y = np.zeros(len(x)) if y is None else y
    return Problem(PLAIN[model], Dataset("here", x.copy(), y, tuple(f"x{j}" for j in range(x.shape[1])), "y"))


def of(problem: Problem, theta: Any, **options: Any) -> hessian.Curvature | None:
    return curvature(problem, np.array(theta, dtype=np.float64), Counted(problem), **options)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch, the oracle of these tests, is not installed")


def torch_mean_loss(torch: Any, name: str, problem: Problem, is_logistic: bool) -> Any:
    """θ -> f(θ), as one writes it in PyTorch."""
    x, y = torch.tensor(problem.dataset.x), torch.tensor(problem.dataset.y)
    d = x.shape[1]
    cross_entropy = torch.nn.functional.cross_entropy
    log_loss = torch.nn.functional.binary_cross_entropy_with_logits

    def mlp(theta: Any) -> Any:
        h = (len(theta) - 1) // (d + 2)
        hidden = torch.tanh(x @ theta[: h * d].reshape(h, d).T + theta[h * d : h * d + h])
        z = hidden @ theta[h * d + h : -1] + theta[-1]
        return log_loss(z, y) if is_logistic else ((z - y) ** 2).mean()

    def polynomial(theta: Any) -> Any:
        degree = (len(theta) - 1) // d
        powers = torch.cat([x[:, [j]] ** k for j in range(d) for k in range(1, degree + 1)], dim=1)
        return ((powers @ theta[:-1] + theta[-1] - y) ** 2).mean()

    def softmax(theta: Any) -> Any:
        table = theta.reshape(-1, d + 1)
        return cross_entropy(x @ table[:, :d].T + table[:, d], y.long())

    return {
        "linear": lambda theta: ((x @ theta - y) ** 2).mean(),
        "affine": lambda theta: ((x @ theta[:d] + theta[d] - y) ** 2).mean(),
        "polynomial": polynomial,
        "huber": lambda theta: torch.nn.functional.huber_loss(x @ theta[:d] + theta[d], y),
        "logistic": lambda theta: log_loss(x @ theta[:d] + theta[d], y),
        "softmax": softmax,
        "deep-linear": lambda theta: (((x @ theta[:d]) * theta[d] - y) ** 2).mean(),
        "mlp": mlp,
    }[name]


MODELS = [
    ("linear", {}),
    ("affine", {"data": "two-feature"}),
    ("polynomial", {"set": (("degree", 4),)}),
    ("huber", {}),
    ("logistic", {}),
    ("softmax", {"data": "iris"}),
    ("deep-linear", {"data": "two-feature"}),
    ("mlp", {"set": (("hidden", 4),)}),
    ("mlp", {"set": (("hidden", 4), ("loss", "squared"))}),
    ("mlp", {"set": (("hidden", 12),)}),
    ("mlp", {"set": (("hidden", 12), ("loss", "squared"))}),
]


@pytest.mark.parametrize(("name", "settings"), MODELS, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_eigenvalues_of_every_model_are_those_of_pytorch_s_hessian(
    torch: Any, name: str, settings: dict[str, Any], seed: int
) -> None:
    problem = load(name, **settings)
    theta = np.random.default_rng(seed).normal(size=len(problem.parameters)) * 0.7
    found = of(problem, theta)
    is_logistic = ("loss", "squared") not in settings.get("set", ())
    f = torch_mean_loss(torch, name, problem, is_logistic)
    expected = torch.func.hessian(f)(torch.tensor(theta)).numpy()
    values = np.linalg.eigvalsh(expected)
    size = abs(values).max()
    assert found.largest == pytest.approx(values[-1], abs=1e-8 * size)
    assert found.smallest == pytest.approx(values[0], abs=1e-6 * size)
    assert abs(found.largest - values[-1]) <= found.error + 1e-12 * size
    for value, vector in ((values[-1], found.steepest), (values[0], found.flattest)):
        assert np.linalg.norm(vector) == pytest.approx(1)
        assert np.linalg.norm(expected @ vector - value * vector) < 2e-5 * size
    if found.matrix is not None:
        np.testing.assert_allclose(found.matrix, expected, rtol=0, atol=1e-8 * size)
    else:
        assert len(theta) > hessian.DENSE


# --- landscapes ------------------------------------------------------------------------------------------------------


def of_rosenbrock(x: float, y: float) -> list[list[float]]:
    return [[2 + 1200 * x * x - 400 * y, -400 * x], [-400 * x, 200]]


def of_himmelblau(x: float, y: float) -> list[list[float]]:
    return [[12 * x * x + 4 * y - 42, 4 * (x + y)], [4 * (x + y), 12 * y * y + 4 * x - 26]]


def of_beale(x: float, y: float) -> list[list[float]]:
    constants = (1.5, 2.25, 2.625)
    powers = [(c, y**k - 1, k * y ** (k - 1), k * (k - 1) * y ** max(k - 2, 0)) for k, c in enumerate(constants, 1)]
    xx = sum(2 * u * u for _, u, _, _ in powers)
    xy = sum(2 * du * (c + x * u) + 2 * x * u * du for c, u, du, _ in powers)
    yy = sum(2 * x * x * du * du + 2 * (c + x * u) * x * ddu for c, u, du, ddu in powers)
    return [[xx, xy], [xy, yy]]


def of_monkey(x: float, y: float) -> list[list[float]]:
    square = x * x + y * y
    xy = -6 * y + 6 * x * y
    return [[6 * x + 3 * square + 6 * x * x, xy], [xy, -6 * x + 3 * square + 6 * y * y]]


def diagonal(second: Any) -> Any:
    return lambda *theta: np.diag([second(j, v) for j, v in enumerate(theta)])


CLOSED: dict[str, Any] = {
    "quadratic": diagonal(lambda j, _: (1.0, 10.0)[j]),
    "double-well": diagonal(lambda _, x: 3 * x * x - 1),
    "saddle": diagonal(lambda j, v: 1.0 if j == 0 else 3 * v * v - 1),
    "monkey-saddle": of_monkey,
    "rosenbrock": of_rosenbrock,
    "himmelblau": of_himmelblau,
    "beale": of_beale,
    "rastrigin": diagonal(lambda _, x: 2 + 10 * math.tau**2 * math.cos(math.tau * x)),
    "styblinski-tang": diagonal(lambda _, x: 6 * x * x - 16),
}
SADDLES = {"saddle": (0.0, 0.0), "monkey-saddle": (0.0, 0.0), "double-well": (0.153,), "beale": (0.0, 1.0)}


@pytest.mark.parametrize("name", CLOSED)
def test_landscapes_have_their_closed_hessian_at_minima_saddles_and_elsewhere(name: str) -> None:
    from gdtui.problems.landscapes import LANDSCAPES

    problem = load(name)
    numbers = np.random.default_rng(5)
    points = [point for point, _ in LANDSCAPES[name].minima] + [problem.start(()), *numbers.normal(size=(3, 1)) * 1.5]
    points += [SADDLES[name]] if name in SADDLES else []
    for point in points:
        theta = np.broadcast_to(np.array(point), len(problem.parameters)).copy()
        expected = np.array(CLOSED[name](*theta.tolist()))
        found, size = of(problem, theta), max(1.0, abs(expected).max())
        np.testing.assert_allclose(found.matrix, expected, rtol=0, atol=1e-7 * size)
        values = np.linalg.eigvalsh(expected)
        assert (found.smallest, found.largest) == pytest.approx((values[0], values[-1]), abs=1e-7 * size)
        assert found.is_exact == (name == "quadratic")
        assert found.evaluations <= 16 * len(theta) + 1


def test_a_saddle_points_along_the_way_out() -> None:
    found = of(load("saddle"), [0.0, 0.0])
    assert (found.smallest, abs(found.flattest[1])) == pytest.approx((-1.0, 1.0))


def test_a_cusp_has_no_hessian() -> None:
    assert of(load("ackley"), [0.0, 0.0]) is None
    assert of(load("ackley"), [0.3, -0.2]) is not None


# --- which models are quadratic --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_models_that_say_so_and_no_others_have_gradients_that_change_by_the_same_everywhere(name: str) -> None:
    problem = load(name)
    evaluate, numbers = Counted(problem), np.random.default_rng(0)
    differences = []
    step = numbers.normal(size=len(problem.parameters))
    for _ in range(4):
        theta = 2 * numbers.normal(size=len(step))
        differences.append(evaluate(theta + step).gradients - evaluate(theta).gradients)
    spread = max(float(abs(one - differences[0]).max()) for one in differences)
    assert (spread < 1e-9 * abs(differences[0]).max()) == problem.model.is_quadratic
    if problem.model.is_quadratic:
        assert np.linalg.eigvalsh(sample_hessians(evaluate, problem.n, len(step))).min() > -1e-9


def test_a_person_s_own_model_is_not_taken_for_a_quadratic(tmp_path: Any) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "def mine(theta, x, y, g):\n    g[0] = 4 * theta[0] * theta[0] * theta[0]\n    return theta[0] ** 4\n"
    )
    problem = load_problem(Experiment(problem=f"{file}:mine"))
    assert not problem.model.is_quadratic
    assert of(problem, [0.5]).largest == pytest.approx(3.0, rel=1e-9)


# --- quadratics ------------------------------------------------------------------------------------------------------


def test_the_tutorial_s_hessians_are_exact() -> None:
    found = of(load("linear"), [1.0])
    assert found.samples.ravel().tolist() == [2.0, 8.0, 18.0]
    assert found.largest == found.smallest == 28 / 3
    assert (found.is_exact, found.error, found.evaluations) == (True, 0.0, 2)


@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1e-6, 1.0, 1e6]), height=st.sampled_from([0.0, 1.0, 1e12]))
@settings(max_examples=40)
def test_a_quadratic_s_hessian_is_exact_whatever_the_sizes_of_features_and_targets(
    seed: int, scale: float, height: float
) -> None:
    numbers = np.random.default_rng(seed)
    n, d = int(numbers.integers(1, 9)), int(numbers.integers(1, 5))
    x = numbers.normal(size=(n, d)) * scale
    problem = linear_problem(x, y=height * numbers.normal(size=n))
    found = of(problem, numbers.normal(size=d))
    np.testing.assert_allclose(found.samples, 2 * x[:, :, None] * x[:, None, :], rtol=1e-14)
    np.testing.assert_allclose(found.matrix, 2 * x.T @ x / n, rtol=1e-12, atol=1e-15 * scale * scale)


def test_the_samples_of_large_data_have_no_hessians_of_their_own_but_their_mean_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = linear_problem(np.random.default_rng(0).normal(size=(40, 3)))
    whole = of(problem, np.ones(3))
    monkeypatch.setattr(hessian, "MOST_SAMPLES_NUMBERS", 100)
    mean = of(problem, np.ones(3))
    assert whole.samples.shape == (40, 3, 3)
    assert mean.samples is None
    np.testing.assert_allclose(mean.matrix, whole.matrix, rtol=1e-13)
    monkeypatch.setattr(hessian, "DENSE", 1)
    ends = of(problem, np.ones(3))
    assert ends.matrix is None
    assert ends.is_exact
    assert (ends.largest, ends.smallest) == pytest.approx((whole.largest, whole.smallest), rel=1e-9)


def test_a_quadratic_of_many_parameters_costs_one_pass_a_product() -> None:
    x = np.random.default_rng(0).normal(size=(80, 70))
    x[:, 0] *= 5
    problem = linear_problem(x)
    evaluate = Counted(problem)
    found = curvature(problem, np.ones(70), evaluate)
    assert evaluate.passes == found.evaluations <= 1 + hessian.MOST_PRODUCTS
    assert found.largest == pytest.approx(np.linalg.eigvalsh(2 * x.T @ x / 80)[-1], rel=1e-8)


# --- Lanczos ---------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**6), p=st.integers(1, 40))
@settings(max_examples=60)
def test_lanczos_finds_both_ends_or_says_how_far_off_it_is(seed: int, p: int) -> None:
    numbers = np.random.default_rng(seed)
    q, _ = np.linalg.qr(numbers.normal(size=(p, p)))
    values = np.sort(numbers.normal(size=p) ** 3)
    matrix = (q * values) @ q.T
    ends = lanczos(lambda v: matrix @ v, p)
    size = abs(values).max()
    assert ends.products <= min(p, hessian.MOST_PRODUCTS)
    assert values[0] - 1e-12 * size <= ends.smallest <= ends.largest <= values[-1] + 1e-12 * size
    for end, vector in ((ends.largest, ends.steepest), (ends.smallest, ends.flattest)):
        assert abs(values - end).min() <= ends.residual + 1e-12 * size
        assert np.linalg.norm(matrix @ vector - end * vector) <= ends.residual + 1e-11 * size
    if p <= 8:
        assert (ends.smallest, ends.largest) == pytest.approx((values[0], values[-1]), abs=1e-5 * size)


def test_lanczos_stops_early_where_few_eigenvalues_differ() -> None:
    matrix = np.diag([3.0] * 500 + [-1.0] * 499 + [7.0])
    ends = lanczos(lambda v: matrix @ v, 1000)
    assert (ends.products, ends.smallest, ends.largest) == (3, pytest.approx(-1), pytest.approx(7))


def test_lanczos_on_nothing_finds_zero() -> None:
    ends = lanczos(lambda v: 0 * v, 50)
    assert (ends.smallest, ends.largest, ends.products) == (0, 0, 1)


# --- what an optimizer's denominators make of it ---------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [3, 10])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_preconditioned_sharpness_is_the_largest_eigenvalue_of_the_product(hidden: int, shift: float) -> None:
    problem = load("mlp", set=(("hidden", hidden),))
    theta = problem.start(())
    evaluate = Counted(problem)
    here = curvature(problem, theta, evaluate)
    denominators = np.random.default_rng(0).uniform(0.1, 3.0, len(theta))
    gradient = hessian.MeanGradient(evaluate, 10**6)
    matrix, _ = hessian.hessian(gradient, theta)
    expected = np.linalg.eigvals(np.diag(1 / denominators) @ (matrix + shift * np.eye(len(theta)))).real.max()
    found = preconditioned_sharpness(problem, theta, evaluate, here, denominators, shift)
    assert (here.matrix is None) == (hidden == 10)
    assert found == pytest.approx(expected, rel=1e-7)


def test_a_parameter_that_stays_where_it_is_does_not_count() -> None:
    problem = load("quadratic")
    here = of(problem, [1.0, 1.0])
    assert preconditioned_sharpness(problem, np.ones(2), Counted(problem), here, np.array([2.0, 0.0])) == pytest.approx(
        0.5
    )


# --- where there is none, and what it costs --------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("size", [1e160, 1e308, math.inf, math.nan])
def test_nothing_is_raised_at_points_where_nothing_is_finite(name: str, size: float) -> None:
    problem = load(name)
    found = of(problem, np.full(len(problem.parameters), size))
    assert found is None or np.isfinite([found.largest, found.smallest, found.error]).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_no_hessian_costs_more_passes_than_it_may_and_all_are_counted(name: str) -> None:
    problem = load(name)
    theta = problem.start(())
    for most in (0, 1, 5, 20, 10**6):
        evaluate = Counted(problem)
        found = curvature(problem, theta, evaluate, most_numbers=most * problem.n * len(theta))
        assert evaluate.passes <= min(most, hessian.MOST_EVALUATIONS)
        assert found is None or found.evaluations == evaluate.passes


def test_features_a_million_times_too_large_take_smaller_steps() -> None:
    numbers = np.random.default_rng(0)
    x, y = numbers.normal(size=(30, 1)), (numbers.random(30) > 0.5).astype(float)
    small, large = (linear_problem(x * scale, "affine", y) for scale in (1.0, 1e6))
    logistic = load("logistic").model
    values = [
        of(Problem(logistic, problem.dataset), [w, 0.1]).matrix[0, 0] for problem, w in ((small, 0.5), (large, 0.5e-6))
    ]
    assert values[1] == pytest.approx(1e12 * values[0], rel=1e-4)


def test_two_calls_give_the_same_bits() -> None:
    problem = load("mlp")
    one, two = (of(problem, problem.start(())) for _ in range(2))
    assert (one.largest, one.smallest, one.steepest.tobytes()) == (two.largest, two.smallest, two.steepest.tobytes())


def test_the_mean_gradient_is_the_mean_of_the_samples() -> None:
    problem = load("linear")
    assert mean_gradient(Counted(problem), np.array([1.0])).tolist() == pytest.approx([-28 / 3])
