"""The tutorial's lessons: each claim on numbers found without gdtui, and the caption says those."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gdtui.descent.history import Column
from gdtui.descent.snapshot import State
from gdtui.lessons.catalog import LESSONS
from gdtui.lessons.lesson import end_of
from tests.lessons.taught import caption, numbers, outcomes, tutorial_cost, tutorial_gd, tutorial_sgd

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.descent.snapshot import Snapshot
    from gdtui.problems.datasets import Array


def losses(snapshot: Snapshot) -> Array:
    return snapshot.history.column(Column.LOSS)


def shown(lesson: str, **changes: Any) -> Snapshot:
    """The end of a lesson's first experiment with other settings."""
    return end_of(LESSONS[lesson].shown.replace(**changes))


def first(values: list[float] | Array, level: float) -> int:
    return next(at for at, value in enumerate(values) if value <= level)


def test_update_rule_goes_against_the_slope_from_either_side() -> None:
    from_1, from_4 = tutorial_gd(1.0, 0.01, 100), tutorial_gd(4.0, 0.01, 100)
    assert from_1[0] < from_1[1] < 2 < from_4[1] < from_4[0]
    slopes = [(ws[0] - ws[1]) / 0.01 for ws in (from_1, from_4)]
    said = numbers(caption("update-rule"))
    assert said == pytest.approx(
        [1, slopes[0], from_1[1], 4, slopes[1], from_4[1], 100, from_1[-1], from_4[-1]], rel=5e-4
    )
    assert "up to" in caption("update-rule").partition(";")[0]


def test_learning_rate_small_is_slow_and_large_goes_beyond() -> None:
    steepness = 2 * 14 / 3
    counts = [
        first([tutorial_cost(w) for w in tutorial_gd(1.0, lr, 100)], 1e-6 * tutorial_cost(1.0))
        for lr in (0.01, 0.1, 0.2)
    ]
    beyond = tutorial_gd(1.0, 0.2, 3)
    assert beyond[1] > 2 > beyond[2]
    assert counts[1] < counts[2] < counts[0]
    factors = [1 - lr * steepness for lr in (0.01, 0.1, 0.2)]
    said = numbers(caption("learning-rate"))
    assert said == pytest.approx([0.01, 0.1, 0.2, *factors, 1e-6, *counts, 1 / steepness, 2 / steepness], rel=5e-4)
    assert tutorial_gd(1.0, 1 / steepness, 1)[-1] == pytest.approx(2)


def well(x: float, lr: float, updates: int, noise: Callable[[], float] = lambda: 0.0) -> float:
    """Descent on x⁴/4 − x²/2 + 0.15x."""
    for _ in range(updates):
        x -= lr * (x**3 - x + 0.15 + noise())
    return x


def well_f(x: float) -> float:
    return x**4 / 4 - x**2 / 2 + 0.15 * x


def test_local_minimum_holds_a_short_step_and_not_a_long_one() -> None:
    near, far = well(1.5, 0.1, 160), well(1.5, 0.7, 160)
    right, _, left = sorted(np.roots([1, 0, -1, 0.15]).real, reverse=True)
    assert (near, far) == pytest.approx((right, left))
    said = numbers(caption("local-minimum"))
    assert said[:6] == pytest.approx([0.1, near, well_f(right) - well_f(left), 0.7, far, 0], rel=5e-4)


def test_local_minimum_is_left_by_noise_that_is_neither_weak_nor_strong() -> None:
    said = numbers(caption("local-minimum"))
    seeds, found = said[6], dict(zip(said[8::2], said[7::2], strict=True))
    assert found[0.5] == 0
    assert found[1] <= 0.3 * seeds
    assert found[2] >= 0.8 * seeds
    assert found[1] < found[4] < found[2]
    # Many more runs with noise of their own, each of its 32 values once an epoch: the same chances, as far as so few
    # seeds can tell.
    at_random, runs = np.random.default_rng(1), 1000
    for rms, count in found.items():
        noise = at_random.standard_normal((runs, 32))
        noise = rms * (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, keepdims=True)
        ends = np.full(runs, 1.5)
        for _ in range(10):
            for z in at_random.permuted(noise, axis=1).T:
                ends -= 0.1 * (ends**3 - ends + 0.15 + z)
        chance = float((ends < 0).mean())
        assert abs(count / seeds - chance) <= 3 * math.sqrt(chance * (1 - chance) / seeds) + 0.05


def test_local_minimum_hint_another_start_ends_in_the_better_well() -> None:
    assert shown("local-minimum", init=(-0.5,)).theta[0] == pytest.approx(-1.0679, abs=1e-4)


def ridge(y: float, lr: float) -> int:
    """Updates of descent on the saddle until f is half its least value."""
    x = 1.0
    for update in range(10_000):
        if x * x / 2 - y * y / 2 + y**4 / 4 <= -1 / 8:
            return update
        x, y = x - lr * x, y - lr * (y**3 - y)
    raise AssertionError


def test_saddle_point_is_left_with_noise_and_kept_without() -> None:
    sgd, gd, beside = outcomes("saddle-point")
    assert gd.end.theta[1] == 0
    assert abs(gd.end.theta[0]) < 1e-9
    assert abs(losses(gd.end)[-1]) < 1e-12
    assert all(end.loss < -0.2 for end in sgd.snapshots)
    start, updates, y, left, seeds, needed, near, late = numbers(caption("saddle-point"))
    assert (start, updates, y) == (0, 256, 0)
    assert left == seeds == len({end.experiment.seed for end in sgd.snapshots}) == 20
    assert (near, late) == (1e-6, ridge(1e-6, 0.1))
    assert ridge(1.0e-6, 0.1) == first(losses(beside.end), -1 / 8)
    # Half of the least value is crossed between the two ends of epochs that the history has.
    epoch = first(losses(sgd.end), -1 / 8)
    assert 32 * (epoch - 1) < needed <= 32 * epoch


def test_saddle_point_hint_less_noise_leaves_later() -> None:
    less = shown("saddle-point", rms=0.01)
    assert losses(less)[-1] < -0.2
    assert first(losses(less), -1 / 8) > first(losses(outcomes("saddle-point")[0].end), -1 / 8)


def test_stuck_saddle_no_sample_pulls_off_the_line() -> None:
    def deep(b: float) -> tuple[float, list[float]]:
        a = 0.5
        generator = np.random.default_rng(0)
        fs = [float(np.mean((np.array([1, 2, 3]) * (a * b - 2)) ** 2))]
        for _ in range(60):
            for x in generator.permutation([1.0, 2.0, 3.0]):
                r = 2 * x * (x * a * b - 2 * x)
                a, b = a - 0.01 * r * b, b - 0.01 * r * a
            fs.append(float(np.mean((np.array([1, 2, 3]) * (a * b - 2)) ** 2)))
        return a + b, fs

    (off, on_line), (_, beside) = deep(-0.5), deep(-0.49)
    assert off == 0
    half = first(beside, beside[0] / 2)
    _, _, pulling, samples, f, epochs, f_of_gd, near, needed = numbers(caption("stuck-saddle"))
    assert (pulling, samples, epochs, near) == (0, 3, 60, -0.49)
    assert (f, f_of_gd) == pytest.approx((on_line[-1], 4 * 14 / 3), rel=5e-4)
    assert needed == half


def test_gd_vs_sgd_leads_by_epochs_and_not_by_updates() -> None:
    whole = tutorial_cost(1.0)
    sgd, gd, longer = tutorial_sgd(1.0, 0.01, 100), tutorial_gd(1.0, 0.01, 100), tutorial_gd(1.0, 0.03, 100)
    by_epochs = [100 * tutorial_cost(ws[1]) / whole for ws in (sgd, gd, longer)]
    by_updates = 100 * tutorial_cost(gd[3]) / whole
    assert by_epochs[0] < 0.7 * by_epochs[1]
    assert by_epochs[0] < by_updates < 1.02 * by_epochs[0]
    assert by_epochs[2] < by_epochs[0]
    assert numbers(caption("gd-vs-sgd")) == pytest.approx(
        [by_epochs[0], by_epochs[1], 3, 3, by_updates, 0.03, by_epochs[2]], rel=2e-3
    )


def test_gd_vs_sgd_hint_by_updates_the_lead_is_all_but_gone() -> None:
    sgd, gd, _ = outcomes("gd-vs-sgd")
    decades = [math.log10(losses(one.end)[0] / losses(one.end)[30]) for one in (sgd, gd)]
    assert decades[0] == pytest.approx(3 * decades[1], rel=0.05)


def test_batches_between_have_few_updates_and_few_epochs() -> None:
    found = []
    for outcome in outcomes("batches"):
        data = outcome.end.problem.dataset
        line = np.column_stack([data.x, np.ones(len(data.y))])
        least = float(np.mean((line @ np.linalg.lstsq(line, data.y, rcond=None)[0] - data.y) ** 2))
        excess = (losses(outcome.end) - least) / (losses(outcome.end)[0] - least)
        epochs = first(excess, 0.05)
        updates = epochs * math.ceil(
            128 / (128 if outcome.experiment.batch_size == "full" else outcome.experiment.batch_size)
        )
        found.append((epochs, updates, 100 * float(excess[len(excess) // 2 :].mean())))
    small, middle, full = found
    assert small[0] <= middle[0] < full[0] / 3
    assert full[1] <= middle[1] < small[1] / 3
    assert small[2] > 50 * middle[2] > 50 * full[2]
    said = numbers(caption("batches"))
    # The other numbers are those of labels: b 1, b 16.
    assert [said[at] for at in (0, 1, 2, 4, 5, 7, 8)] == [5, *small[:2], *middle[:2], *full[:2]]
    assert [said[10], said[12]] == pytest.approx([small[2], middle[2]], rel=0.05)


def test_batches_hint_by_updates_the_middle_is_about_as_quick() -> None:
    said = numbers(caption("batches"))
    assert said[5] <= 1.5 * said[8]


def test_divergence_full_batches_and_sgd_have_limits_of_their_own() -> None:
    limit = 2 / (2 * 14 / 3)
    lrs = np.linspace(0.1, 0.25, 1_500_001)
    in_order = float(lrs[np.argmax(abs((1 - 2 * lrs) * (1 - 8 * lrs) * (1 - 18 * lrs)) > 1)])
    assert in_order < 0.21 < limit < 0.25
    above, below, sgd = outcomes("divergence")
    assert [one.end.state for one in (above, below, sgd)] == [State.DIVERGED, State.FINISHED, State.DIVERGED]
    threshold = 1e12 * tutorial_cost(1.0)
    gd_fs = [tutorial_cost(w) for w in tutorial_gd(1.0, 0.25, 60)]
    sgd_fs = [tutorial_cost(w) for w in tutorial_sgd(1.0, 0.21, 200)]
    gd_at, sgd_at = (next(at for at, f in enumerate(fs) if f > threshold) for fs in (gd_fs, sgd_fs))
    falls = tutorial_cost(tutorial_gd(1.0, 0.21, 200)[-1])
    said = numbers(caption("divergence"))
    expected = [limit, 0.25, gd_fs[gd_at], gd_at, 0.21, falls, in_order, 0.21, sgd_fs[sgd_at], sgd_at]
    assert said == pytest.approx(expected, rel=0.02)
    assert (said[3], said[9]) == (gd_at, sgd_at)


def test_one_seed_follows_the_other() -> None:
    sgd = outcomes("saddle-point")[0]
    assert [end.experiment.seed for end in sgd.snapshots] == list(range(20))
