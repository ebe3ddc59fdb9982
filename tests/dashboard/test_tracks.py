"""A training's curves: which belong together, on which axes, how they are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from trainings import points, training

from gdtui.dashboard.curves import XAxis
from gdtui.dashboard.pins import Pin, Pins, rising
from gdtui.dashboard.tracks import axes, counterpart, curve, is_log, plot_of, rate
from gdtui.descent.snapshot import Event
from gdtui.training.training import Training


@pytest.mark.parametrize(
    ("name", "names", "other"),
    [
        ("loss", ["loss", "val_loss"], "val_loss"),
        ("train/loss", ["train/loss", "lr", "val/loss"], "val/loss"),
        ("train_acc", ["train_loss", "val_loss", "train_acc", "val_acc"], "val_acc"),
        ("eval-loss", ["eval-loss", "training-loss"], "training-loss"),
        ("lr", ["loss", "lr"], ""),
        ("retrained", ["retrained", "rested"], ""),  # within a word it is no phase
        ("loss", ["loss"], ""),
    ],
)
def test_the_same_value_of_other_samples_belongs_to_it(name: str, names: list[str], other: str) -> None:
    assert counterpart(name, names) == other


@pytest.mark.parametrize(
    ("names", "loss"),
    [
        (["lr", "loss", "val_loss"], "loss"),
        (["val_loss", "train_loss"], "train_loss"),
        (["Total Loss", "x"], "Total Loss"),
        (["a", "b"], "a"),
        ([], ""),
    ],
)
def test_the_loss_is_found_by_its_name(names: list[str], loss: str) -> None:
    assert Training("t", curves={name: points([1.0]) for name in names}).loss == loss


def test_only_axes_of_which_something_is_known_are_offered() -> None:
    assert axes(training()) == [XAxis.UPDATES, XAxis.EPOCHS, XAxis.SECONDS]
    bare = points([1.0, 2.0])
    bare[:, 1:3] = math.nan
    assert axes(Training("t", curves={"loss": bare})) == [XAxis.UPDATES]


def test_a_plot_has_the_value_its_counterpart_the_events_and_the_pins() -> None:
    told = training(events=(Event(20, 2.0, "lr", 0.1, 0.05),))
    pins = Pins().put(Pin.trained(training(30), "k", "before"))
    plot = plot_of(told, "loss", XAxis.EPOCHS, True, pins)
    assert [one.name for one in plot.series] == ["loss", "val_loss", "k"]
    assert [(mark.x, mark.label) for mark in plot.marks] == [(2.0, "lr 0.1 → 0.05")]
    assert plot.log_y
    np.testing.assert_array_equal(plot.series[0].x, np.arange(1, 61) / 10)
    np.testing.assert_array_equal(plot.series[2].y, 2 / np.arange(1, 31))


def test_a_log_axis_has_no_place_for_what_is_below_zero() -> None:
    assert not plot_of(Training("t", curves={"loss": points([1.0, -1.0])}), "loss", XAxis.UPDATES, True).log_y
    assert is_log("val/loss")
    assert is_log("noise_scale")
    assert not is_log("val_accuracy")


def test_steps_that_begin_again_are_drawn_in_their_order() -> None:
    x, y = rising(np.array([1.0, 2.0, 3.0, 2.0, math.nan, 4.0]), np.arange(6.0))
    assert x.tolist() == [1.0, 2.0, 2.0, 3.0, 4.0]
    assert y.tolist() == [0.0, 1.0, 3.0, 2.0, 5.0]


def test_a_long_curve_is_thinned_and_keeps_its_peak() -> None:
    values = np.ones(50_000)
    values[31_234] = 9.0
    x, y = curve(Training("t", curves={"loss": points(values)}), "loss", XAxis.UPDATES)
    assert len(x) < 5_000
    assert y.max() == 9.0
    assert x[y.argmax()] == 31_235


def test_the_rate_is_of_the_newest_steps() -> None:
    assert rate(training()) == pytest.approx(100.0)
    assert rate(Training("t")) is None
    assert rate(Training("t", curves={"loss": points([1.0])})) is None


def test_a_training_without_values_can_be_pinned() -> None:
    pin = Pin.trained(Training("t"), "k", "empty")
    assert math.isnan(pin.loss)
    assert len(pin.series(XAxis.UPDATES, next(iter(Pins().put(pin)))[0]).x) == 0
