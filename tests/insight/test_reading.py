"""Readings: a moment measured, and the instruments that a run keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdtui.descent.history import Column
from gdtui.descent.snapshot import Epoch, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight import reading as module
from gdtui.insight.reading import read
from gdtui.insight.tracked import INSTRUMENTS, Tracker
from gdtui.problems.loading import load_problem


def trainer_of(track: Tracker | None = None, **settings: Any) -> Trainer:
    experiment = Experiment(**settings)
    return Trainer(experiment, load_problem(experiment), track)


def test_of_the_tutorial_everything_is_known() -> None:
    reading = read(trainer_of().advance(Epoch(1)))
    theta = reading.snapshot.theta[0]
    gradients = 2 * np.array([1.0, 4.0, 9.0]) * (theta - 2)
    assert reading.instruments.grad_norm == pytest.approx(abs(gradients.mean()), rel=1e-12)
    assert reading.alignments.shares.tolist() == pytest.approx([1 / 14, 4 / 14, 9 / 14], rel=1e-12)
    # The newest update saw sample 2 alone, but f along it is f's own: curvature 28/3, the minimum at 2.
    before = 2 - (2 - theta) / (1 - 0.18)
    assert reading.alpha == pytest.approx(2 * (theta - before) / (2 - before) / 2 - 1, rel=1e-9)
    assert reading.update_size == pytest.approx(theta - before, rel=1e-12)
    assert reading.distance == pytest.approx(theta - 1, rel=1e-12)
    assert reading.stability.applies.lr == pytest.approx(0.2040179384, rel=1e-9)


def test_in_mid_epoch_it_is_measured_at_the_theta_of_now() -> None:
    snapshot = trainer_of().advance(Update(2))
    reading = read(snapshot)
    g = snapshot.evaluate(snapshot.theta).gradients.mean(axis=0)
    assert reading.instruments.grad_norm == pytest.approx(np.linalg.norm(g), rel=1e-12)


def test_before_the_first_update_there_is_no_step() -> None:
    reading = read(trainer_of().snapshot())
    assert (reading.alpha, reading.update_size, reading.distance) == (None, None, 0.0)


def test_what_still_holds_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of(schedule="exponential")
    first = read(trainer.advance(Epoch(1)))
    calls = []
    original = module.ladder
    monkeypatch.setattr(module, "ladder", lambda *a, **k: calls.append(1) or original(*a, **k))
    second = read(trainer.advance(Epoch(2)), first)
    assert calls == []
    assert second.stability.applies == first.stability.applies
    assert second.stability.lr == second.snapshot.lr != first.stability.lr
    trainer.change(momentum=0.5)
    third = read(trainer.advance(Epoch(3)), second)
    assert calls == [1]
    assert third.stability.applies.lr != second.stability.applies.lr


def test_another_problem_s_reading_is_of_no_use() -> None:
    first = read(trainer_of().advance(Epoch(1)))
    other = read(trainer_of(problem="affine", data="faithful", standardize=True).advance(Epoch(1)), first)
    assert other.stability.applies.lr != first.stability.applies.lr


def test_adam_s_limit_is_known_after_its_first_update() -> None:
    trainer = trainer_of(optimizer="adam", batch_size="full")
    assert read(trainer.snapshot()).stability.applies.lr is None
    assert read(trainer.advance(Epoch(1))).stability.applies.lr is not None


@pytest.mark.parametrize(
    "settings",
    [{}, {"problem": "saddle", "data": "noise", "lr": 0.1}, {"problem": "mlp", "data": "moons", "optimizer": "adam"}],
)
def test_a_run_keeps_what_a_reading_of_its_moments_has(settings: dict[str, Any]) -> None:
    trainer = trainer_of(Tracker(), epochs=3, **settings)
    for epoch in range(1, 4):
        reading = read(trainer.advance(Epoch(epoch)))
        kept = dict(zip(INSTRUMENTS, reading.snapshot.tracked[-1, 2:].tolist(), strict=True))
        for name in ("grad_norm", "noise_scale", "alignment", "conflicts", "largest_share", "diversity"):
            assert kept[name] == pytest.approx(getattr(reading.instruments, name), rel=1e-12)
        assert kept["alpha"] == pytest.approx(reading.alpha, rel=1e-12)
        assert kept["update_size"] == pytest.approx(reading.update_size, rel=1e-12)
        assert kept["distance"] == pytest.approx(reading.distance, rel=1e-12)
        if epoch == 1 and reading.stability.curvature:
            assert kept["sharpness"] == pytest.approx(reading.stability.curvature.largest, rel=1e-9)


def test_after_divergence_it_still_reads() -> None:
    snapshot = trainer_of(lr=0.3, epochs=10_000).advance()
    reading = read(snapshot)
    assert reading.stability.is_stable is False


def test_the_forecast_is_what_the_run_then_does() -> None:
    trainer = trainer_of(problem="affine", data="faithful", standardize=True, batch_size="full", lr=0.1, epochs=300)
    forecast = read(trainer.snapshot()).forecast
    assert forecast is not None
    losses = trainer.advance().history.column(Column.LOSS)
    epochs = forecast[:, 0].astype(int)
    assert (epochs[0], epochs[-1]) == (0, 300)
    assert forecast[:, 1] == pytest.approx(losses[epochs], rel=1e-9)
    read_later = read(trainer.snapshot(), read(trainer.snapshot()))
    assert read_later.forecast is not None
    assert read_later.forecast.tobytes() == forecast.tobytes()


@pytest.mark.parametrize(
    "settings", [{}, {"problem": "rosenbrock", "data": "noise", "batch_size": "full"}, {"optimizer": "adam"}]
)
def test_where_theory_has_none_there_is_no_forecast(settings: dict[str, Any]) -> None:
    assert read(trainer_of(**settings).snapshot()).forecast is None


def test_after_a_change_there_is_no_forecast() -> None:
    trainer = trainer_of(batch_size="full")
    first = read(trainer.advance(Epoch(2)))
    assert first.forecast is not None
    trainer.change(lr=0.02)
    assert read(trainer.advance(Epoch(3)), first).forecast is None
