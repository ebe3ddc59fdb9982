"""Differences of runs, and what a cursor reads of them, against plain numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from labs import moment, trainer_of
from trainings import points

from gdtui.dashboard.comparison import (
    Now,
    comparison_texts,
    difference_plot,
    losses,
    losses_at,
    reading_texts,
    run_lines,
)
from gdtui.dashboard.curves import XAxis, loss_plot
from gdtui.dashboard.pins import LOOKS, NOW, Pin, Pins
from gdtui.dashboard.tracks import plot_of
from gdtui.descent.history import History
from gdtui.descent.snapshot import Epoch, Snapshot
from gdtui.experiment import Experiment
from gdtui.training.training import Training

BLUE = "#61afef"


def pinned(*snapshots) -> Pins:
    pins = Pins()
    for k, snapshot in enumerate(snapshots):
        pins = pins.put(Pin.of(snapshot, f"run {k}"))
    return pins


def of_losses(losses: list[float], per_epoch: float = 1.0) -> Pin:
    history = History()
    for epoch, loss in enumerate(losses):
        history.append((epoch, per_epoch * epoch, 3 * epoch, 0.1 * epoch, loss, loss, 0.01))
    return Pin("here", "", Experiment(), (), history.view(), 3, "finished", len(losses) - 1)


def difference(now, pins: Pins, axis: XAxis = XAxis.EPOCHS, log_y: bool = True):
    return difference_plot(loss_plot(now, axis, log_y, BLUE, pins), pins, axis)


@pytest.mark.parametrize("axis", XAxis)
def test_a_training_of_which_an_axis_is_not_known_is_left_out_there(axis: XAxis) -> None:
    bare = points([2.0, 1.0])
    bare[:, 1:3] = math.nan
    pins = Pins().put(Pin.trained(Training("t", curves={"loss": bare}), "t", "t"))
    drawn = len(loss_plot(moment(epoch=5), axis, True, BLUE, pins).series[-1].x)
    assert drawn == (2 if axis is XAxis.UPDATES else 0)
    assert len(difference(moment(epoch=5), pins, axis).series[0].x) == 2


def test_a_value_of_which_the_axis_is_not_known_has_no_difference() -> None:
    bare = points([2.0, 1.0])
    bare[:, 1] = math.nan
    told = Training("t", curves={"loss": points([2.0, 1.0]), "lr": bare})
    pins = Pins().put(Pin.trained(told, "t", "t"))
    plot = difference_plot(plot_of(told, "lr", XAxis.EPOCHS, True, pins), pins, XAxis.EPOCHS)
    assert [len(one.x) for one in plot.series] == [0, 0]


@pytest.mark.parametrize(("log_y", "of"), [(True, np.divide), (False, np.subtract)])
def test_at_the_same_epochs_it_is_the_ratio_or_the_difference_of_the_losses(log_y: bool, of) -> None:
    now, other = moment(epoch=9), moment(epoch=5, batch_size="full")
    plot = difference(now, pinned(other), log_y=log_y)
    line, curve = plot.series
    f, f_now = (np.array([moment(epoch=e, batch_size=b).loss for e in range(6)]) for b in ("full", 1))
    assert curve.x.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(curve.y, of(f, f_now), rtol=1e-15)
    assert (line.x.tolist(), line.y.tolist()) == ([0, 9], [1, 1] if log_y else [0, 0])
    assert (line.color, line.mark) == (BLUE, NOW)
    assert (curve.mark, curve.color) == LOOKS[0]
    assert (plot.log_y, plot.x_range) == (log_y, (0, 100))


def test_by_updates_each_is_interpolated_at_the_others_epochs_where_both_have_been() -> None:
    now, other = moment(epoch=6), moment(epoch=10, batch_size="full")
    curve = difference(now, pinned(other), XAxis.UPDATES, log_y=False).series[1]
    grid = np.arange(11.0)  # an update an epoch; of now three, up to 18
    f = np.interp(grid, np.arange(11), [moment(epoch=e, batch_size="full").loss for e in range(11)])
    f_now = np.interp(grid, 3 * np.arange(7), [moment(epoch=e).loss for e in range(7)])
    assert curve.x.tolist() == grid.tolist()
    np.testing.assert_allclose(curve.y, f - f_now, rtol=1e-15, atol=1e-15)


def test_a_ratio_is_known_only_where_both_are_above_zero() -> None:
    now = moment(epoch=4)
    ratio = difference(now, Pins().put(of_losses([1.0, 0.0, math.inf, 2.0]))).series[1].y
    f_now = [moment(epoch=e).loss for e in range(4)]
    assert ratio[[0, 3]].tolist() == [1.0 / f_now[0], 2.0 / f_now[3]]
    assert math.isnan(ratio[1])
    assert not math.isfinite(ratio[2])


def test_where_a_loss_goes_below_zero_there_are_differences() -> None:
    pins = Pins().put(of_losses([1.0, -1.0]))
    plot = difference(moment(epoch=1), pins, log_y=True)
    assert not plot.log_y
    assert plot.series[1].y[1] == -1.0 - moment(epoch=1).loss


def test_of_long_runs_every_point_of_a_difference_is_exact_and_its_peak_is_there() -> None:
    rng = np.random.default_rng(3)
    f = rng.random(30_000) + 1
    f[12_345] = 99.0
    trainer = trainer_of(epochs=40_000, lr=1e-9, batch_size="full")
    now = trainer.advance(Epoch(40_000))
    pins = Pins().put(of_losses(f.tolist()))
    curve = difference(now, pins, log_y=False).series[1]
    f_now = now.history.rows[:30_000, 4]
    at = curve.x.astype(int)
    assert curve.x.tolist() == at.tolist()
    np.testing.assert_array_equal(curve.y, f[at] - f_now[at])
    assert curve.x[curve.y.argmax()] == 12_345
    assert len(at) < 10_000


# What the cursor reads


@pytest.mark.parametrize("axis", [XAxis.EPOCHS, XAxis.UPDATES, XAxis.SAMPLES])
def test_the_cursor_reads_every_run_at_the_same_x(axis: XAxis) -> None:
    now, full, pair = moment(epoch=8), moment(epoch=12, batch_size="full"), moment(epoch=3, batch_size=2)
    pins = pinned(full, pair)
    plot = loss_plot(now, axis, True, BLUE, pins)
    runs = [(one.history.column(axis.column), one.history.rows[:, 4]) for one in (now, full, pair)]
    for x in (0.0, 1.0, 2.5, 6.0, 9.0, 11.0, 30.0):
        wanted = [np.interp(x, *run) if x <= run[0][-1] else math.nan for run in runs]
        np.testing.assert_array_equal(losses_at(x, plot, pins, axis, is_difference=False), wanted)
        ratios = [value / wanted[0] for value in wanted]
        np.testing.assert_array_equal(losses_at(x, plot, pins, axis, is_difference=True), ratios)


def test_without_a_cursor_each_run_has_its_last_loss() -> None:
    now, other = moment(epoch=8), moment(epoch=3, lr=0.02)
    assert losses(now, pinned(other)) == [now.loss, other.loss]


def test_the_cursors_text_gets_shorter_by_whole_numbers() -> None:
    value = 2.7841859573644085e-28
    texts = reading_texts(XAxis.EPOCHS, 12.0, (("loss", value), ("ahead", 0.5)))
    assert texts == [
        "epochs 12: loss 2.7841859573644085e-28, ahead 0.5",
        "epochs 12: loss 2.7841859573644085e-28",
        "epochs 12: 2.784e-28",
        "epochs 12",
    ]
    many = comparison_texts(XAxis.UPDATES, 3.0, pinned(moment(), moment()), [0.5, math.nan, 0.25])
    assert many == ["updates 3: ● 0.50000  ▲ 0.25000", "updates 3: ● 0.50000", "updates 3"]


# What the pane is given


def at(snapshot: Snapshot) -> Now:
    return Now(snapshot.experiment, snapshot.epoch, str(snapshot.state))


def test_a_line_has_only_what_differs() -> None:
    now, other = moment(epoch=2, lr=0.02), moment(epoch=100, batch_size="full")
    pins = pinned(other).put(Pin.of(moment(epoch=4, lr=0.02), "named", name="mine"))
    lines = run_lines(at(now), pins, [1.0, 2.0, 3.0], BLUE)
    assert [line.words for line in lines] == [
        ("now", "lr 0.02", "b=1"),
        ("lr 0.01", "b=full"),
        ("mine",),  # a name says enough
    ]
    assert [(line.mark, line.value, line.epoch) for line in lines] == [(NOW, 1.0, 2), ("■", 2.0, 100), ("▲", 3.0, 4)]
    assert [line.outcome for line in lines] == ["", "finished", ""]


def test_where_nothing_differs_a_line_says_how_far_it_is() -> None:
    lines = run_lines(at(moment(epoch=9)), pinned(moment(epoch=4)), [1.0, 2.0], BLUE)
    assert [line.words for line in lines] == [("now",), ("same", "to epoch 4")]


def test_without_pins_there_are_no_lines() -> None:
    assert run_lines(at(moment()), Pins(), [1.0], BLUE) == ()
