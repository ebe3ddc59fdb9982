"""What experts add: each claim on numbers found without gdtui, and the caption says those."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.insight.instruments import measure
from gdtui.lessons.catalog import LESSONS
from gdtui.lessons.lesson import end_of
from tests.lessons.taught import caption, numbers, outcomes


def bowl(kappa: float, lr: float, momentum: float) -> int:
    """Updates of the heavy ball on ½(x² + κy²) from (κ, 1) until f is a millionth of what it was."""
    steepness, theta, b = np.array([1.0, kappa]), np.array([kappa, 1.0]), np.zeros(2)
    start = 0.5 * float(steepness @ theta**2)
    for update in range(10_000):
        if 0.5 * float(steepness @ theta**2) <= 1e-6 * start:
            return update
        b = momentum * b + steepness * theta
        theta = theta - lr * b
    raise AssertionError


def test_momentum_pays_the_root_of_what_conditioning_costs() -> None:
    counts, best = {}, {}
    for kappa in (100, 10):
        root = math.sqrt(kappa)
        best[kappa] = ((root - 1) / (root + 1)) ** 2
        counts[kappa] = (bowl(kappa, 2 / (1 + kappa), 0), bowl(kappa, 4 / (1 + root) ** 2, best[kappa]))
    assert counts[100][0] / counts[10][0] == pytest.approx(10, rel=0.1)
    assert counts[100][1] / counts[10][1] == pytest.approx(math.sqrt(10), rel=0.1)
    # (κ − 1)/(κ + 1) an update, exactly, from where both directions shrink alike.
    assert counts[100][0] == math.ceil(math.log(1e-6) / (2 * math.log(99 / 101)))
    assert numbers(caption("momentum")) == pytest.approx(
        [100, counts[100][0], 1e-6, best[100], counts[100][1], 10, *counts[10]], rel=5e-5
    )


def test_momentum_no_other_lr_is_better_without_it() -> None:
    lr = LESSONS["momentum"].shown.lr
    assert bowl(100, lr, 0) <= min(bowl(100, lr * factor, 0) for factor in (0.9, 0.99, 1.005))


def test_momentum_hint_too_much_swings() -> None:
    end = end_of(LESSONS["momentum"].shown.replace(momentum=0.9))
    steps = np.sign(np.diff(end.history.column(Column.LOSS)[:60]))
    assert (steps[1:] != steps[:-1]).sum() >= 4


def test_noise_scale_tells_from_which_batch_on_larger_ones_do_not_pay() -> None:
    end = outcomes("noise-scale")[-1].end
    line = np.column_stack([end.problem.dataset.x, np.ones(256)])
    best = np.linalg.lstsq(line, end.problem.dataset.y, rcond=None)[0]
    theta = best + 0.1 * (np.ones(2) - best)  # a hundredth of the excess
    rows = 2 * (line @ theta - end.problem.dataset.y)[:, None] * line
    noise = float(rows.var(axis=0, ddof=1).sum() / (rows.mean(axis=0) ** 2).sum())
    near, scale, double, fewer, base, after, before, work, *above = numbers(caption("noise-scale"))
    assert near == 1
    assert scale == pytest.approx(noise, rel=0.02)
    assert base < double < scale / 4
    # McCandlish et al. 2018: updates go as 1 + B/b, samples as b + B.
    assert fewer / 100 == pytest.approx(1 - (1 + noise / 8) / (1 + noise / 4), abs=0.05)
    assert fewer / 100 == pytest.approx(1 - after / before, abs=0.01)
    assert work / 100 == pytest.approx((8 + noise) / (4 + noise) - 1, abs=0.08)
    double, fewer, base, after, before, work, seeds = above
    assert scale * 3 < base < double
    assert fewer / 100 == pytest.approx(1 - (1 + noise / 256) / (1 + noise / 128), abs=0.05)
    assert work / 100 == pytest.approx((256 + noise) / (128 + noise) - 1, abs=0.1)
    assert seeds == len(outcomes("noise-scale")[0].snapshots)


def test_noise_scale_lr_is_in_proportion_for_the_b_that_is_found() -> None:
    scale = numbers(caption("noise-scale"))[1]
    for trial in LESSONS["noise-scale"].trials:
        b = trial.experiment.batch_size
        assert isinstance(b, int)
        assert trial.experiment.lr == pytest.approx(0.2 * b / (b + scale), rel=0.03)


def test_noise_scale_updates_are_counted_one_by_one() -> None:
    """Batches of 4 in the run's own order, followed by hand until a hundredth of the excess is left."""
    counts = []
    for end in outcomes("noise-scale")[0].snapshots:
        x, y, seed = end.problem.dataset.x[:, 0], end.problem.dataset.y, end.experiment.seed
        line = np.column_stack([x, np.ones(256)])
        least = float(np.mean((line @ np.linalg.lstsq(line, y, rcond=None)[0] - y) ** 2))
        order = np.random.Generator(np.random.PCG64(seed)).permutation(256)
        theta, updates = np.ones(2), 0
        level = least + 0.01 * (float(np.mean((line @ theta - y) ** 2)) - least)
        while float(np.mean((line @ theta - y) ** 2)) > level:
            batch = order[4 * updates : 4 * updates + 4]
            assert len(batch) == 4, "it takes less than an epoch"
            theta = theta - end.experiment.lr * 2 * line[batch].T @ (line[batch] @ theta - y[batch]) / 4
            updates += 1
        counts.append(updates)
    assert numbers(caption("noise-scale"))[6] == pytest.approx(np.mean(counts), rel=2e-3)


def test_noise_scale_hint_it_grows_as_f_falls() -> None:
    shown = LESSONS["noise-scale"].shown
    end = outcomes("noise-scale")[0].end
    start = Trainer(shown, end.problem).advance(Epoch(0))
    before, after = (measure(one.now.gradients).noise_scale for one in (start, end))
    assert before is not None
    assert after is not None
    assert after > 10 * before


def test_outlier_drags_the_line_and_robust_losses_hold_it() -> None:
    squared, huber, clipped, without = (outcome.end for outcome in outcomes("outlier"))
    apart = np.flatnonzero(squared.problem.dataset.y != without.problem.dataset.y)
    assert len(apart) == 1
    x, y = squared.problem.dataset.x[:, 0], squared.problem.dataset.y
    line = np.column_stack([x, np.ones(50)])
    dragged, straight = (np.linalg.lstsq(line, of.problem.dataset.y, rcond=None)[0] for of in (squared, without))
    assert squared.theta == pytest.approx(dragged, abs=1e-6)
    assert without.theta == pytest.approx(straight, abs=1e-6)
    shift = float(np.linalg.norm(dragged - straight))
    moved = [float(np.linalg.norm(end.theta - straight)) for end in (huber, clipped)]
    assert max(moved) < shift / 5

    def rows(theta: np.ndarray) -> np.ndarray:
        return 2 * (line @ theta - y)[:, None] * line

    pulls = np.linalg.norm(rows(dragged), axis=1)
    first = rows(np.ones(2))
    share = float(first[apart[0]] @ first.mean(axis=0) / (50 * (first.mean(axis=0) ** 2).sum()))
    assert pulls.argmax() == apart[0]
    said = numbers(caption("outlier"))
    expected = [apart[0], 50, 100 * share, pulls.max() / np.median(pulls), shift, *moved, 1]
    assert said == pytest.approx(expected, rel=0.03)
    assert said[0] == apart[0]


def test_outlier_hint_a_filter_leaves_it_alone() -> None:
    end = outcomes("outlier")[0].end
    said = numbers(caption("outlier"))
    assert np.flatnonzero(np.linalg.norm(end.visits.gradients, axis=1) > 10).tolist() == [said[0]]
