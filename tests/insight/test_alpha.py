"""Alpha: exact on quadratics, elsewhere Cockpit's fit, solved here in rational numbers."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gdtui.descent.snapshot import Evaluation
from gdtui.insight.alpha import alpha, step_alpha

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.problems.datasets import Array

pytestmark = pytest.mark.filterwarnings("error")

numbers = st.integers(-40, 40).map(lambda number: number / 4)
positive = st.integers(1, 80).map(lambda number: number / 8)


def fitted(observed: Sequence[float], t: float, variances: Sequence[float]) -> list[Fraction]:
    """The quadratic w0 + w1 τ + w2 τ² of least weighted squares: (Φ Λ⁻¹ Φᵀ) w = Φ Λ⁻¹ y, Λ the variances."""
    t = Fraction(t)
    phi = [[1, 0, 0], [1, t, t * t], [0, 1, 0], [0, 1, 2 * t]]
    weights = [1 / Fraction(variance) for variance in variances]
    terms = list(zip(phi, weights, map(Fraction, observed), strict=True))
    matrix = [[sum(row[i] * w * row[j] for row, w, _ in terms) for j in range(3)] for i in range(3)]
    right = [sum(row[i] * w * y for row, w, y in terms) for i in range(3)]
    whole = determinant(matrix)
    return [determinant([swapped(row, j, right[i]) for i, row in enumerate(matrix)]) / whole for j in range(3)]


def swapped(row: list[Fraction], at: int, value: Fraction) -> list[Fraction]:
    return [value if j == at else each for j, each in enumerate(row)]


def determinant(m: list[list[Fraction]]) -> Fraction:
    return sum(
        m[0][i] * (m[1][(i + 1) % 3] * m[2][(i + 2) % 3] - m[1][(i + 2) % 3] * m[2][(i + 1) % 3]) for i in range(3)
    )


def landed(w: list[Fraction], t: float) -> Fraction:
    """Cockpit's last step: the far wall is at −w1/w2, and a step there is 1."""
    return Fraction(-1) if w[2] <= 0 else 2 * Fraction(t) / (-w[1] / w[2]) - 1


@given(st.tuples(numbers, numbers, numbers, numbers), positive, st.tuples(positive, positive, positive, positive))
def test_it_is_cockpits_fit(observed: tuple, t: float, variances: tuple) -> None:
    w = fitted(observed, t, variances)
    assume(w[1] and w[2])
    assert alpha(*observed, t, variances) == pytest.approx(float(landed(w, t)), rel=1e-9, abs=1e-9)


@given(st.tuples(numbers, numbers, numbers, numbers), positive)
def test_without_variances_all_four_count_alike(observed: tuple, t: float) -> None:
    w = fitted(observed, t, (3, 3, 3, 3))
    assume(w[1] and w[2])
    wanted = pytest.approx(float(landed(w, t)), rel=1e-9, abs=1e-9)
    assert alpha(*observed, t) == wanted
    assert alpha(*observed, t, (0, 0, 0, 0)) == wanted


@given(numbers, numbers, positive, positive, st.tuples(positive, positive, positive, positive))
def test_on_a_quadratic_it_is_exact_whatever_the_variances(
    height: float, start: float, curvature: float, t: float, variances: tuple
) -> None:
    """f = height + curvature (τ + start)²: the minimum is at −start."""
    assume(start < 0)
    f = [height + curvature * (tau + start) ** 2 for tau in (0, t)]
    d = [2 * curvature * (tau + start) for tau in (0, t)]
    assert alpha(*f, *d, t, variances) == pytest.approx((t + start) / -start, rel=1e-9, abs=1e-9)


def test_what_is_known_exactly_is_not_corrected() -> None:
    """f rises from 0 to 1 over a step of 1, where its slopes, −1 and 3, would have it rise by 1 too; then by 2."""
    assert alpha(0, 1, -1, 3, 1, (1, 1, 1, 1)) == pytest.approx(3)
    assert alpha(0, 2, -1, 3, 1, (1, 1, 0, 0)) == pytest.approx(3)  # the slopes stand
    assert alpha(0, 2, -1, 3, 1, (0, 0, 1, 0)) == pytest.approx(-3)  # f and the last slope: 2 = (d + 3)/2
    assert alpha(0, 2, -2, 3, 1, (0, 0, 0, 1)) == pytest.approx(3)  # f and the first: 2 = (−2 + d)/2


def test_no_step_has_not_moved() -> None:
    assert alpha(1, 1, -2, -2, 0) == -1
    assert alpha(0, 0, 0, 0, 0) == -1
    assert alpha(0, 0, -2, -1.9, 0) == -1


def test_a_step_whose_square_is_no_float_goes_by_its_slopes() -> None:
    assert alpha(0, 0, -2, 1, 1e-170, (0, 0, 1, 1)) == 0.5


def test_a_line_has_no_minimum_to_move_to() -> None:
    assert alpha(1, -3, -2, -2, 2) == -1


@pytest.mark.parametrize("slopes", [(-1, -2), (3, 2), (0, -1), (1, -1)])
def test_where_f_bends_down_it_is_as_cockpit_has_it(slopes: tuple[float, float]) -> None:
    assert alpha(0, sum(slopes) / 2, *slopes, 1) == -1


def test_uphill_from_the_start_is_below_minus_1() -> None:
    assert alpha(1, 4, 2, 4, 1) == pytest.approx(-2)


def test_from_the_minimum_itself_it_is_undefined() -> None:
    assert alpha(0, 1, 0, 2, 1) is None
    assert alpha(0, 0, 0, 0, 1) is None


def test_the_minimum_is_a_plain_0() -> None:
    assert math.copysign(1, alpha(1, 0, -2, 0, 1)) == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("position", range(9))
def test_what_is_not_finite_is_undefined(position: int, bad: float) -> None:
    arguments = [1.0, 0.0, -2.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0]
    arguments[position] = bad
    assert alpha(*arguments[:5], tuple(arguments[5:])) is None


@given(st.tuples(st.floats(), st.floats(), st.floats(), st.floats()), st.floats(0), st.tuples(*[st.floats(0)] * 4))
def test_it_is_finite_or_undefined(observed: tuple, t: float, variances: tuple) -> None:
    landing = alpha(*observed, t, variances)
    assert landing is None or math.isfinite(landing)


# From samples


def evaluated(x: Sequence[float], w: float) -> Evaluation:
    """The tutorial's model on y = 2x: ℓᵢ = xᵢ²(w − 2)²."""
    squares = np.square(x)
    losses = squares * (w - 2) ** 2
    return Evaluation(losses, (2 * squares * (w - 2))[:, None], float(losses.mean()))


@pytest.mark.parametrize(("lr", "wanted"), [(0.0, -1), (3 / 56, -0.5), (3 / 28, 0), (3 / 14, 1), (0.25, 4 / 3)])
@pytest.mark.parametrize("x", [(1, 2, 3), (math.sqrt(14 / 3),)])
def test_the_tutorials_learning_rates(x: tuple[float, ...], lr: float, wanted: float) -> None:
    """3/28 solves it in one step, at 3/14 descent only goes to and fro; one sample does as three do."""
    w = 1 + lr * 28 / 3
    landing = step_alpha(np.array([1.0]), np.array([w]), evaluated(x, 1.0), evaluated(x, w))
    assert landing == pytest.approx(wanted, abs=1e-9)


def quartic(theta: Array, z: Array, scales: Array) -> Evaluation:
    """ℓᵢ = scaleᵢ (θ·θ)² + zᵢ·θ: not quadratic along a step, and noisy."""
    square = theta @ theta
    losses = scales * square**2 + z @ theta
    gradients = 4 * square * scales[:, None] * theta + z
    return Evaluation(losses, gradients, float(losses.mean()))


@pytest.mark.parametrize("seed", range(10))
def test_the_samples_spread_weighs_what_they_say(seed: int) -> None:
    """Slopes along the unit step, Bessel's variances, fitted in rational numbers; 1/n is common to all and cancels."""
    generator = np.random.default_rng(seed)
    z, scales = generator.standard_normal((6, 3)), generator.random(6) + 0.5
    theta0 = generator.random(3) + 0.5
    before = quartic(theta0, z, scales)
    theta1 = theta0 - 0.1 * before.gradients.mean(axis=0)
    after = quartic(theta1, z, scales)
    t = float(np.linalg.norm(theta1 - theta0))
    slopes = [each.gradients @ ((theta1 - theta0) / t) for each in (before, after)]
    spreads = [float(np.var(values, ddof=1)) for values in (before.losses, after.losses, *slopes)]
    w = fitted((before.loss, after.loss, slopes[0].mean(), slopes[1].mean()), t, spreads)
    landing = step_alpha(theta0, theta1, before, after)
    assert landing == pytest.approx(float(landed(w, t)), rel=1e-9)
    assert landing != pytest.approx(alpha(before.loss, after.loss, slopes[0].mean(), slopes[1].mean(), t), rel=1e-3)


def test_equal_samples_count_as_one() -> None:
    """Their variance is 0, not what rounding makes of it: the same quartic 7 times."""
    theta0, theta1 = np.array([0.1, 1.3]), np.array([0.3, -0.7])

    def many(n: int) -> float | None:
        ends = [quartic(theta, np.full((n, 2), 0.1), np.full(n, 0.7)) for theta in (theta0, theta1)]
        return step_alpha(theta0, theta1, *ends)

    assert many(7) == pytest.approx(many(1), rel=1e-9)


def test_a_step_to_where_nothing_is_finite_is_undefined() -> None:
    bad = Evaluation(np.array([math.inf, 1.0]), np.array([[math.nan], [1e308]]), math.inf)
    before = evaluated((1, 2), 1.0)
    assert step_alpha(np.array([1.0]), np.array([3.0]), before, bad) is None
    assert step_alpha(np.array([1.0]), np.array([math.inf]), before, before) is None
    assert step_alpha(np.array([-1.5e308]), np.array([1.5e308]), before, before) is None
