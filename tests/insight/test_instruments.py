"""Instruments: against exact rational arithmetic, by hand, and where numbers are huge, tiny, equal or not finite."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.insight import instruments
from gdtui.insight.instruments import (
    Instruments,
    alignments,
    coordinate_signal_to_noise,
    distance,
    measure,
    measure_projected,
)

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array

pytestmark = pytest.mark.filterwarnings("error")

UNDEFINED = Instruments(0, 0, *[None] * 12)


@dataclass(frozen=True)
class Exact:
    """Section 5's definitions, word for word, in rational numbers; what is not defined is None."""

    rows: list[list[Fraction]]

    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def mean(self) -> list[Fraction]:
        return [sum(column, Fraction(0)) / self.n for column in zip(*self.rows, strict=True)]

    @property
    def signal(self) -> Fraction:
        return dot(self.mean, self.mean)

    @property
    def s(self) -> list[Fraction]:
        return [dot(row, row) for row in self.rows]

    @property
    def p(self) -> list[Fraction]:
        return [dot(row, self.mean) for row in self.rows]

    @property
    def noise(self) -> Fraction | None:
        differences = [[a - b for a, b in zip(row, self.mean, strict=True)] for row in self.rows]
        return over(sum(dot(each, each) for each in differences), self.n - 1)

    @property
    def inner(self) -> Fraction | None:
        return over(sum((p - self.signal) ** 2 for p in self.p), self.n * (self.n - 1) * self.signal**2)

    @property
    def ortho(self) -> Fraction | None:
        if not self.signal:
            return None
        squares = sum(s - p * p / self.signal for s, p in zip(self.s, self.p, strict=True))
        return over(squares, self.n * (self.n - 1) * self.signal)

    @property
    def cosines(self) -> list[float]:
        pairs = zip(self.s, self.p, strict=True)
        return [root(p * p / (s * self.signal)) * (-1) ** (p < 0) if s * self.signal else math.nan for s, p in pairs]

    @property
    def shares(self) -> list[Fraction | None]:
        return [over(p, self.n * self.signal) for p in self.p]

    def coordinate_signal_to_noise(self) -> list[Fraction | None]:
        parts = [Exact([[value] for value in column]) for column in zip(*self.rows, strict=True)]
        return [over(part.signal, part.noise) for part in parts]


def exact(gradients: Array) -> Exact:
    return Exact([[Fraction(value) for value in row] for row in gradients.tolist()])


def dot(a: list[Fraction], b: list[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def over(numerator: Fraction | int | None, denominator: Fraction | int | None) -> Fraction | None:
    return Fraction(numerator) / denominator if numerator is not None and denominator else None


def root(value: Fraction) -> float:
    """Where the number itself is no float, its root still may be."""
    shift = (value.numerator.bit_length() - value.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(value / Fraction(4) ** shift), shift)


def same(value: float | None, wanted: Fraction | float | None) -> bool:
    """Equal to 1e-9, or to what rounding adds to a number of about 1; None where None is wanted."""
    if value is None or wanted is None:
        return value is wanted
    return math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-15)


@st.composite
def matrices(draw: st.DrawFn) -> Array:
    """Small whole numbers times a power of two: g is 0 or far from it; now and then a row is orthogonal to it."""
    n, p = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    size = draw(st.sampled_from([1, 3, 1000]))
    numbers = draw(st.lists(st.integers(-size, size), min_size=n * p, max_size=n * p))
    return np.ldexp(np.array(numbers, dtype=float).reshape(n, p), draw(st.sampled_from([0, 0, -1060, -664, 664, 1010])))


def gaussian(n: int, p: int, seed: int = 0, mean: float = 0.3) -> Array:
    return np.random.default_rng(seed).standard_normal((n, p)) + mean


# By hand


def test_the_tutorial_at_its_start() -> None:
    """x = 1, 2, 3, y = 2x, w = 1: gᵢ = 2xᵢ²(w − 2) = −2, −8, −18; g = −28/3, trΣ = 196/3, ‖g‖² = 784/9."""
    gradients = np.array([[-2.0], [-8.0], [-18.0]])
    measured = measure(gradients)
    wanted = Instruments(3, 3, 28 / 3, 3 / 4, 1.0, 1 / 2, 1 / 2, 0.0, 1 / 2, 4 / 3, 0, 1.0, 9 / 14, 2)
    for name in Instruments.__slots__:
        assert getattr(measured, name) == pytest.approx(getattr(wanted, name), rel=1e-14, abs=0), name
    rated = alignments(gradients)
    assert rated.norms.tolist() == [2.0, 8.0, 18.0]
    assert rated.cosines.tolist() == [1.0, 1.0, 1.0]
    assert rated.shares == pytest.approx([1 / 14, 4 / 14, 9 / 14], rel=1e-14)
    assert coordinate_signal_to_noise(gradients) == pytest.approx([4 / 3], rel=1e-14)


def test_two_parameters_by_hand() -> None:
    """g = (1, 0): the third row is orthogonal to it, the second pulls against it."""
    gradients = np.array([[4.0, 3.0], [-1.0, 0.0], [0.0, -3.0]])
    rated, measured = alignments(gradients), measure(gradients)
    assert rated.norms.tolist() == [5.0, 1.0, 3.0]
    assert rated.cosines == pytest.approx([0.8, -1.0, 0.0], abs=1e-15)
    assert rated.shares == pytest.approx([4 / 3, -1 / 3, 0.0], abs=1e-15)
    assert (measured.conflicts, measured.largest_share_sample) == (1, 0)
    assert measured.alignment == pytest.approx(-0.2 / 3)
    # trΣ = ((9 + 9) + 4 + (1 + 9))/2 = 16, of which along g (9 + 4 + 1)/2 = 7 and across it 9.
    assert measured.noise_scale == pytest.approx(16)
    assert measured.noise_scale_debiased is None  # 16/3 is more than ‖g‖² = 1
    assert measured.inner_product_test == pytest.approx(math.sqrt(7 / 3))
    assert measured.orthogonality_test == pytest.approx(math.sqrt(3))
    assert coordinate_signal_to_noise(gradients) == pytest.approx([1 / 7, 0.0])


def test_a_sample_that_pulls_hard_against_the_step_has_the_largest_share() -> None:
    measured = measure(np.array([[5.0], [5.0], [-9.0]]))  # shares 5, 5 and -9
    assert (measured.largest_share, measured.largest_share_sample) == (pytest.approx(-9.0), 2)
    assert (measured.conflicts, measured.alignment) == (1, pytest.approx(1 / 3))


# Exactly


@given(matrices())
def test_every_scalar_is_its_definition(gradients: Array) -> None:
    measured, wanted = measure(gradients), exact(gradients)
    n, signal, noise = wanted.n, wanted.signal, wanted.noise
    defined = [cosine for cosine in wanted.cosines if not math.isnan(cosine)]
    assert (measured.samples, measured.of) == (n, n)
    norm = root(signal) if signal else 0.0
    assert measured.grad_norm == pytest.approx(norm, rel=1e-12, abs=5e-324)
    assert same(measured.noise_scale, over(noise, signal))
    debiased = None if noise is None else signal - noise / n
    assert same(measured.noise_scale_debiased, over(noise, debiased) if debiased is not None and debiased > 0 else None)
    assert same(measured.norm_test and measured.norm_test**2, over(noise, n * signal))
    assert same(measured.inner_product_test and measured.inner_product_test**2, wanted.inner)
    assert same(measured.orthogonality_test and measured.orthogonality_test**2, wanted.ortho)
    assert same(measured.diversity, over(sum(wanted.s), n * n * signal))
    assert same(measured.signal_to_noise, over(signal, noise))
    assert measured.conflicts == sum(p < 0 for p in wanted.p)
    assert same(measured.alignment, sum(defined) / len(defined) if defined else None)
    largest = max(map(abs, wanted.shares)) if signal else None
    assert same(measured.largest_share and abs(measured.largest_share), largest)
    if signal:
        assert same(measured.largest_share, wanted.shares[measured.largest_share_sample])


@given(matrices())
def test_every_samples_alignment_is_its_definition(gradients: Array) -> None:
    rated, wanted = alignments(gradients), exact(gradients)
    assert rated.norms == pytest.approx([root(s) if s else 0.0 for s in wanted.s], rel=1e-12, abs=5e-324)
    assert rated.cosines == pytest.approx(wanted.cosines, rel=1e-9, abs=1e-15, nan_ok=True)
    shares = [math.nan if share is None else float(share) for share in wanted.shares]
    assert rated.shares == pytest.approx(shares, rel=1e-9, abs=1e-15, nan_ok=True)


@given(matrices())
def test_an_orthogonal_sample_has_a_cosine_of_exactly_0(gradients: Array) -> None:
    rated, wanted = alignments(gradients), exact(gradients)
    for cosine, s, p in zip(rated.cosines, wanted.s, wanted.p, strict=True):
        if s and wanted.signal:
            assert np.sign(cosine) == (p > 0) - (p < 0)


@given(matrices())
def test_every_coordinates_signal_to_noise_is_its_definition(gradients: Array) -> None:
    wanted = [math.nan if each is None else float(each) for each in exact(gradients).coordinate_signal_to_noise()]
    assert coordinate_signal_to_noise(gradients) == pytest.approx(wanted, rel=1e-9, abs=1e-15, nan_ok=True)


# One dial


@pytest.mark.parametrize(("n", "p"), [(2, 1), (3, 5), (50, 1), (1000, 7), (20, 3000), (70_000, 3)])
@pytest.mark.parametrize("mean", [1e-3, 0.3, 1e3])
def test_the_identities_hold(n: int, p: int, mean: float) -> None:
    gradients = gaussian(n, p, mean=mean)
    measured = measure(gradients)
    b = measured.noise_scale
    assert measured.norm_test**2 == pytest.approx(b / n, rel=1e-9, abs=0)
    parts = measured.inner_product_test**2 + measured.orthogonality_test**2
    assert parts == pytest.approx(b / n, rel=1e-9, abs=0)
    assert n * measured.diversity == pytest.approx(1 + (n - 1) * b / n, rel=1e-9, abs=0)
    assert measured.signal_to_noise == pytest.approx(1 / b, rel=1e-9, abs=0)
    assert alignments(gradients).shares.sum() == pytest.approx(1, rel=1e-9, abs=0)


@pytest.mark.parametrize(("n", "p"), [(70_000, 3), (100_000, 1), (130, 2000)])
def test_many_rows_are_the_sum_of_their_blocks(n: int, p: int) -> None:
    gradients = gaussian(n, p)
    mean = gradients.mean(axis=0)
    measured, rated = measure(gradients), alignments(gradients)
    assert measured.noise_scale == pytest.approx(gradients.var(axis=0, ddof=1).sum() / (mean @ mean), rel=1e-9)
    assert rated.norms == pytest.approx(np.linalg.norm(gradients, axis=1), rel=1e-12)
    assert rated.cosines * rated.norms == pytest.approx(gradients @ mean / np.linalg.norm(mean), abs=1e-10)
    assert measured.conflicts == (gradients @ mean < 0).sum()
    assert rated.shares.argmax() == measured.largest_share_sample == (gradients @ mean).argmax()


def test_any_memory_layout_gives_the_same() -> None:
    gradients = gaussian(1000, 4)
    assert measure(np.asfortranarray(gradients)) == measure(gradients)
    assert measure(np.repeat(gradients, 2, axis=0)[::2]) == measure(gradients)


# Rounding


def test_a_small_spread_about_a_large_mean_is_exact() -> None:
    """Σsᵢ − n‖g‖² has no correct digit here."""
    gradients = 1 + np.ldexp(np.array([[3.0, 1.0], [1.0, -4.0], [-1.0, 5.0], [2.0, 0.0]]), -40)
    measured, wanted = measure(gradients), exact(gradients)
    assert measured.noise_scale == pytest.approx(float(wanted.noise / wanted.signal), rel=1e-9, abs=0)
    assert measured.inner_product_test == pytest.approx(root(wanted.inner), rel=1e-9, abs=0)
    # g's direction is known to an ulp of 1, the spread is 2⁻⁴⁰.
    assert measured.orthogonality_test == pytest.approx(root(wanted.ortho), rel=1e-3, abs=0)


def test_near_the_minimum_the_mean_is_still_exact() -> None:
    gradients = np.ldexp(np.array([[3.0], [-7.0], [4.0]]), 30) + np.array([[1.0], [0.0], [0.0]])
    assert measure(gradients).grad_norm == pytest.approx(1 / 3, rel=1e-6)
    assert alignments(gradients).shares.sum() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("n", [3, 7, 1000, 99_999])
@pytest.mark.parametrize("value", [0.1, 1 / 3, -7e-5])
def test_equal_gradients_have_no_noise_though_their_mean_is_rounded(n: int, value: float) -> None:
    measured = measure(np.full((n, 3), value))
    none = (measured.noise_scale, measured.noise_scale_debiased, measured.norm_test)
    assert none == (measured.inner_product_test, measured.orthogonality_test, 0.0) == (0.0, 0.0, 0.0)
    assert measured.signal_to_noise is None
    assert measured.diversity == pytest.approx(1 / n)
    assert (measured.conflicts, measured.alignment) == (0, pytest.approx(1))
    assert np.isnan(coordinate_signal_to_noise(np.full((n, 3), value))).all()


@pytest.mark.parametrize("seed", range(20))
def test_a_mean_that_is_all_rounding_is_0(seed: int) -> None:
    """Each row comes with its negative; in another order their sum is some 1e-14, whose direction means nothing."""
    generator = np.random.default_rng(seed)
    half = generator.standard_normal((500, 3))
    gradients = generator.permutation(np.concatenate([half, -half]))
    measured = measure(gradients)
    assert measured.grad_norm < 1e-15
    zero = replace(UNDEFINED, samples=1000, of=1000, grad_norm=measured.grad_norm, signal_to_noise=0.0, conflicts=0)
    assert measured == zero
    assert np.isnan(alignments(gradients).cosines).all()


@pytest.mark.parametrize("seed", range(20))
def test_orthogonal_rows_are_no_conflict_whatever_the_rounding(seed: int) -> None:
    """Rows ±a beside a common b, all turned by a random rotation: those without b are orthogonal to g."""
    generator = np.random.default_rng(seed)
    rotation = np.linalg.qr(generator.standard_normal((8, 8)))[0]
    across = np.diag([0.0, 1, 2, 3, 4, 5, 6, 7])[1:]
    gradients = np.concatenate([across, -across, np.eye(1, 8)]) @ rotation
    measured = measure(gradients)
    assert (measured.conflicts, measured.samples) == (0, 15)
    assert np.count_nonzero(alignments(gradients).cosines) == 1


# Degenerate


def test_one_sample_has_no_variance() -> None:
    measured = measure(np.array([[3.0, 4.0]]))
    wanted = replace(UNDEFINED, samples=1, of=1, grad_norm=5.0, diversity=1.0, conflicts=0, alignment=1.0)
    assert replace(measured, alignment=round(measured.alignment, 12)) == replace(
        wanted, largest_share=measured.largest_share, largest_share_sample=0, diversity=measured.diversity
    )
    assert (measured.largest_share, measured.diversity) == (pytest.approx(1), pytest.approx(1))
    assert np.isnan(coordinate_signal_to_noise(np.array([[3.0, 4.0]]))).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (4, 5)])
def test_at_the_minimum_of_every_sample_nothing_is_defined(shape: tuple[int, int]) -> None:
    gradients = np.zeros(shape)
    wanted = replace(UNDEFINED, samples=shape[0], of=shape[0], grad_norm=0.0, conflicts=0)
    assert measure(gradients) == wanted
    rated = alignments(gradients)
    assert not rated.norms.any()
    assert np.isnan(rated.cosines).all()
    assert np.isnan(rated.shares).all()


def test_where_samples_cancel_there_is_noise_and_no_signal() -> None:
    wanted = replace(UNDEFINED, samples=3, of=3, grad_norm=0.0, signal_to_noise=0.0, conflicts=0)
    assert measure(np.array([[1.0, 2.0], [2.0, -3.0], [-3.0, 1.0]])) == wanted


def test_a_sample_without_gradient_has_no_cosine_and_a_share_of_0() -> None:
    rated = alignments(np.array([[2.0], [0.0], [-1.0]]))
    assert rated.cosines == pytest.approx([1, math.nan, -1], nan_ok=True)
    assert rated.shares.tolist() == [2.0, 0.0, -1.0]
    assert measure(np.array([[2.0], [0.0], [-1.0]])).alignment == 0.0


def test_one_parameter_has_nothing_across() -> None:
    measured = measure(gaussian(1000, 1))
    assert measured.orthogonality_test == 0.0
    assert measured.inner_product_test == pytest.approx(measured.norm_test, rel=1e-12)


def test_an_outlier_makes_the_step() -> None:
    gradients = np.full((1000, 2), 1e-3)
    gradients[123] = 1e6
    measured = measure(gradients)
    assert (measured.largest_share, measured.largest_share_sample) == (pytest.approx(1, abs=1e-6), 123)
    assert measured.noise_scale == pytest.approx(1000, rel=1e-4)


@pytest.mark.parametrize(("n", "p"), [(2, 1), (3, 2), (7, 5), (1000, 3), (30_000, 30)])
def test_where_one_sample_pulls_and_the_others_rest_all_signal_may_be_noise(n: int, p: int) -> None:
    """Then B = n: ‖g‖² less its bias is 0, not what rounding leaves of it."""
    gradients = np.zeros((n, p))
    gradients[n // 2] = gaussian(1, p)
    measured = measure(gradients)
    assert measured.noise_scale == pytest.approx(n)
    assert measured.noise_scale_debiased is None


def test_a_saturated_sample_keeps_its_norm_and_cosine() -> None:
    """Beside gradients of 1e100 the square of 1e-250 is no float, but which way it points is known."""
    gradients = np.array([[1e100, 0.0], [-3e-250, 4e-250], [3e-320, 0.0]])
    rated = alignments(gradients)
    assert rated.norms == pytest.approx([1e100, 5e-250, 3e-320], rel=1e-12, abs=0)
    assert rated.cosines == pytest.approx([1, -0.6, 1])
    assert measure(gradients).conflicts == 1


@pytest.mark.parametrize("exponent", [-1000, -664, 664, 1000])
def test_the_gradients_scale_changes_the_norms_alone(exponent: int) -> None:
    gradients = gaussian(50, 3)
    plain, scaled = measure(gradients), measure(np.ldexp(gradients, exponent))
    assert scaled == replace(plain, grad_norm=math.ldexp(plain.grad_norm, exponent))
    assert (
        alignments(np.ldexp(gradients, exponent)).norms.tolist()
        == np.ldexp(alignments(gradients).norms, exponent).tolist()
    )
    snr = coordinate_signal_to_noise
    assert snr(np.ldexp(gradients, exponent)).tolist() == snr(gradients).tolist()


def test_a_norm_beyond_all_floats_leaves_the_rest_defined() -> None:
    gradients = np.full((2, 4), 1.7e308)
    assert measure(gradients).grad_norm is None
    assert measure(gradients).alignment == pytest.approx(1)
    assert alignments(gradients).norms.tolist() == [math.inf, math.inf]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_undefined(bad: float) -> None:
    gradients = gaussian(5, 2)
    gradients[3, 1] = bad
    assert measure(gradients) == replace(UNDEFINED, samples=5, of=5)
    rated = alignments(gradients)
    assert rated.norms[:3] == pytest.approx(np.linalg.norm(gradients[:3], axis=1))
    assert np.isnan(rated.cosines).all()
    assert np.isnan(rated.shares).all()
    assert np.isnan(coordinate_signal_to_noise(gradients)).all()


@given(st.lists(st.floats(), min_size=1, max_size=8), st.integers(1, 3))
def test_no_scalar_is_ever_nan_or_infinite(numbers: list[float], p: int) -> None:
    gradients = np.resize(np.array(numbers), (len(numbers), p))
    measured = measure(gradients)
    for name in Instruments.__slots__:
        value = getattr(measured, name)
        assert value is None or math.isfinite(value), name
        assert type(value) in (int, float, type(None)), name  # JSON writes these
    assert measured.alignment is None or -1 <= measured.alignment <= 1
    for values in (alignments(gradients).cosines, coordinate_signal_to_noise(gradients)):
        assert not np.isinf(values).any()


# Many samples


@pytest.fixture
def few_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 100,000 were 1,000."""
    monkeypatch.setattr(instruments, "MEASURED", 1000)


def test_up_to_100_000_rows_all_are_measured() -> None:
    assert measure(np.ones((100_000, 1))).samples == 100_000
    measured = measure(np.ones((100_001, 1)))
    assert (measured.samples, measured.of) == (50_001, 100_001)


@pytest.mark.usefixtures("few_measured")
@pytest.mark.parametrize("n", [1001, 1999, 2000, 12_345, 1_000_000])
def test_a_sample_of_the_rows_is_always_the_same(n: int) -> None:
    gradients = gaussian(n, 1)
    first, again = measure(gradients), measure(gradients.copy())
    assert first == again
    assert 500 <= first.samples <= 1000
    assert first.of == n
    assert alignments(gradients).shares[first.largest_share_sample] == pytest.approx(first.largest_share)


@pytest.mark.usefixtures("few_measured")
def test_the_mean_is_that_of_all_rows() -> None:
    gradients = np.zeros((10_000, 2))
    gradients[::100] = [3.0, 4.0]
    assert measure(gradients).grad_norm == pytest.approx(0.05, rel=1e-12)


@pytest.mark.usefixtures("few_measured")
@pytest.mark.parametrize("period", [2, 5, 10, 20])
def test_classes_that_take_turns_are_all_measured(period: int) -> None:
    gradients = np.arange(20_000.0)[:, None] % period
    measured = measure(gradients)
    mean, variance = gradients.mean(), gradients.var(ddof=1)
    assert measured.noise_scale == pytest.approx(variance / mean**2, rel=0.1)
    assert coordinate_signal_to_noise(gradients) == pytest.approx([mean**2 / variance], rel=0.1)


@pytest.mark.usefixtures("few_measured")
def test_the_estimates_are_near_what_they_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = gaussian(30_000, 4)
    estimated = measure(gradients)
    monkeypatch.setattr(instruments, "MEASURED", 30_000)
    true = measure(gradients)
    for name in ("noise_scale", "noise_scale_debiased", "norm_test", "diversity", "signal_to_noise", "alignment"):
        assert getattr(estimated, name) == pytest.approx(getattr(true, name), rel=0.1), name
    assert estimated.inner_product_test == pytest.approx(true.inner_product_test, rel=0.1)
    assert estimated.orthogonality_test == pytest.approx(true.orthogonality_test, rel=0.1)
    assert estimated.conflicts / estimated.samples == pytest.approx(true.conflicts / true.samples, rel=0.1)
    parts = estimated.inner_product_test**2 + estimated.orthogonality_test**2
    assert parts == pytest.approx(estimated.norm_test**2, rel=1e-9)
    assert estimated.norm_test**2 == pytest.approx(estimated.noise_scale / 30_000, rel=1e-9)


@pytest.mark.usefixtures("few_measured")
@pytest.mark.parametrize("outlier", [0, 1])  # two of the same few: one of them at most is measured
def test_orthogonal_rows_are_no_conflict_where_what_makes_the_step_is_not_measured(outlier: int) -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    across = np.diag([0.0, 1, 2, 3])[1:] @ rotation
    gradients = np.tile(np.concatenate([across, -across]), (500, 1))
    assert measure(np.insert(gradients, outlier, 1e9 * rotation[0], axis=0)).conflicts == 0


def test_a_large_matrix_is_never_copied() -> None:
    gradients = np.ones((400_000, 10))
    tracemalloc.start()
    try:
        measure(gradients)
        assert tracemalloc.get_traced_memory()[1] < gradients.nbytes / 3
    finally:
        tracemalloc.stop()


# θ


def test_the_distance_between_two_thetas() -> None:
    assert distance(np.array([1.0, 5.0]), np.array([4.0, 1.0])) == 5.0
    assert distance(np.array([3e200]), np.array([-4e200])) == pytest.approx(7e200)
    assert distance(np.array([3e-200, 0.0]), np.array([0.0, 4e-200])) == pytest.approx(5e-200)
    assert distance(np.array([math.nan]), np.array([0.0])) is None
    assert distance(np.array([1.5e308]), np.array([-1.5e308])) is None


# --- from projections ------------------------------------------------------------------------------------------------


def projected(gradients: Array, rounding: float = instruments.ROUNDING) -> tuple[instruments.Alignments, Instruments]:
    mean = gradients.mean(axis=0)
    norm = float(np.linalg.norm(mean))
    along = gradients @ mean / norm if norm else np.zeros(len(gradients))
    return measure_projected(np.linalg.norm(gradients, axis=1), along, norm, rounding)


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (5, 3), (200, 50)])
@pytest.mark.parametrize("scale", [1.0, 1e150, 1e-150])
def test_projections_say_what_the_rows_say(shape: tuple[int, int], scale: float) -> None:
    gradients = (np.random.default_rng(0).standard_normal(shape) + 0.3) * scale
    rated, scalars = projected(gradients)
    expected = alignments(gradients)
    for name in ("norms", "cosines", "shares"):
        assert getattr(rated, name) == pytest.approx(getattr(expected, name), rel=1e-9)
    found, wanted = vars_of(scalars), vars_of(measure(gradients))
    assert found == pytest.approx(wanted, rel=1e-9)


def vars_of(scalars: Instruments) -> dict[str, float]:
    """Those that are defined."""
    values = {name: getattr(scalars, name) for name in scalars.__dataclass_fields__}
    return {name: value for name, value in values.items() if value is not None}


def test_rows_that_are_all_the_same_have_no_noise_whatever_rounding_says() -> None:
    gradients = np.full((9, 4), 0.1, dtype=np.float32).astype(float) * (1 + 1e-8 * np.arange(4))
    rated, scalars = projected(gradients, rounding=64 * float(np.finfo(np.float32).eps))
    assert scalars.noise_scale == 0
    assert scalars.signal_to_noise is None
    assert rated.shares == pytest.approx(np.full(9, 1 / 9))


def test_where_the_projections_mean_is_zero_or_not_finite_they_are_undefined() -> None:
    for gradients in (np.zeros((3, 2)), np.array([[1.0, 2.0], [-1.0, -2.0]])):
        rated, scalars = projected(gradients)
        assert np.isnan(rated.cosines).all()
        assert scalars.noise_scale is scalars.alignment is scalars.largest_share is None
        assert scalars.grad_norm == 0
    _, scalars = measure_projected(np.array([1.0, math.inf]), np.array([1.0, math.nan]), math.inf)
    assert scalars.grad_norm is scalars.noise_scale is scalars.conflicts is None
