"""Batches and orders, as a descent shows them in its visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from descents import noisy_plane, trace, trainer_of

from gdtui.descent.batching import ORDERS, updates_in_epoch
from gdtui.descent.snapshot import Epoch, Snapshot

if TYPE_CHECKING:
    from gdtui.experiment import BatchSize


def epochs_of(count: int, **settings: object) -> list[Snapshot]:
    trainer = trainer_of(noisy_plane(7), epochs=count, **settings)
    return [trainer.advance(until=Epoch(epoch + 1)) for epoch in range(count)]


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [
        ("full", [7]),
        (1, [1] * 7),
        (2, [2, 2, 2, 1]),
        (3, [3, 3, 1]),
        (4, [4, 3]),
        (7, [7]),
        (8, [7]),
        (10**15, [7]),
    ],
)
def test_a_last_batch_that_is_smaller_counts_as_a_batch(batch_size: BatchSize, sizes: list[int]) -> None:
    first, second = epochs_of(2, batch_size=batch_size)
    assert np.bincount(first.visits.update_of).tolist() == sizes
    assert np.bincount(second.visits.update_of).tolist() == sizes
    assert second.updates == 2 * len(sizes)
    assert updates_in_epoch(batch_size, 7) == len(sizes)


def test_a_smaller_last_batch_takes_the_mean_over_its_own_samples() -> None:
    (epoch,) = epochs_of(1, batch_size=4, lr=0.5)
    visits = epoch.visits
    mean = visits.gradients[4:].sum(axis=0) / 3
    np.testing.assert_allclose(epoch.theta, visits.thetas[1] - 0.5 * mean, rtol=1e-14)


def test_a_batch_size_over_n_is_gradient_descent() -> None:
    (over,), (full,) = epochs_of(1, batch_size=1000), epochs_of(1, batch_size="full")
    assert over.theta.tobytes() == full.theta.tobytes()


def test_sequential_visits_the_samples_as_they_stand() -> None:
    for epoch in epochs_of(3, order="sequential"):
        assert epoch.visits.samples.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_shuffle_visits_every_sample_once_in_another_order_each_epoch() -> None:
    orders = [epoch.visits.samples.tolist() for epoch in epochs_of(6, order="shuffle")]
    assert all(sorted(order) == [0, 1, 2, 3, 4, 5, 6] for order in orders)
    assert len({tuple(order) for order in orders}) == 6


def test_replacement_draws_n_samples_some_of_them_again() -> None:
    orders = [epoch.visits.samples for epoch in epochs_of(20, order="replacement")]
    assert all(len(order) == 7 and set(order) <= set(range(7)) for order in orders)
    assert any(len(set(order)) < 7 for order in orders)


def test_replacement_draws_each_sample_about_as_often_as_any_other() -> None:
    generator = np.random.Generator(np.random.PCG64(0))
    counts = np.bincount(ORDERS["replacement"](70_000, generator) % 7)
    assert abs(counts - 10_000).max() < 500  # more than five standard deviations


@pytest.mark.parametrize("order", ["shuffle", "replacement"])
def test_the_seed_fixes_the_order_and_nothing_else_does(order: str) -> None:
    first, again, other = (trainer_of(noisy_plane(7), order=order, seed=seed, epochs=5).advance() for seed in (7, 7, 8))
    assert trace(first) == trace(again)
    assert first.visits.samples.tolist() != other.visits.samples.tolist()


def test_the_seed_does_not_matter_to_the_sequential_order() -> None:
    first, other = (trainer_of(noisy_plane(7), seed=seed, epochs=5).advance() for seed in (7, 8))
    assert first.theta.tobytes() == other.theta.tobytes()


def test_the_order_does_not_depend_on_the_batch_size() -> None:
    one, four = epochs_of(3, order="shuffle", batch_size=1), epochs_of(3, order="shuffle", batch_size=4)
    for a, b in zip(one, four, strict=True):
        assert a.visits.samples.tolist() == b.visits.samples.tolist()
