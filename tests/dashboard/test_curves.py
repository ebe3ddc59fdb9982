"""What the loss chart shows of a descent."""

from __future__ import annotations

import numpy as np
import pytest
from labs import moment, problem_of, trainer_of

from gdtui.dashboard.curves import SMALL, WHOLE_PLAN, XAxis, event_text, loss_plot
from gdtui.descent.snapshot import Epoch, Event, Update


def plot(snapshot, axis: XAxis = XAxis.EPOCHS):
    return loss_plot(snapshot, axis, log_y=True, color="#61afef")


def test_the_curve_is_f_at_the_end_of_each_epoch_from_the_start() -> None:
    snapshot = moment(epoch=4)
    curve = plot(snapshot).series[0]
    assert curve.x.tolist() == [0, 1, 2, 3, 4]
    assert curve.y.tolist() == [moment(epoch=epoch).loss for epoch in range(5)]


@pytest.mark.parametrize(
    ("axis", "x", "end"),
    [(XAxis.EPOCHS, [0, 1, 2], 100), (XAxis.UPDATES, [0, 2, 4], 200), (XAxis.SAMPLES, [0, 3, 6], 300)],
)
def test_every_axis_counts_in_its_own_unit_up_to_the_plan(axis: XAxis, x: list[float], end: float) -> None:
    drawn = plot(moment(epoch=2, batch_size=2), axis)
    assert drawn.series[0].x.tolist() == x
    assert drawn.x_range == (0, end)


def test_seconds_rise_and_fit_the_run() -> None:
    drawn = plot(moment(epoch=5), XAxis.SECONDS)
    assert drawn.x_range is None
    assert (np.diff(drawn.series[0].x) >= 0).all()


def test_the_axes_go_round() -> None:
    axis, seen = XAxis.EPOCHS, []
    for _ in range(4):
        axis = axis.next()
        seen.append(axis.value)
    assert seen == ["updates", "samples seen", "seconds", "epochs"]


def test_between_epochs_the_curve_goes_on_to_where_it_is_now() -> None:
    snapshot = moment(update=4)
    curve = plot(snapshot).series[0]
    assert curve.x[-1] == pytest.approx(4 / 3)
    assert curve.y[-1] == snapshot.now.loss


def test_of_many_samples_no_point_between_epochs_is_computed() -> None:
    snapshot = moment(problem_of(np.zeros(SMALL + 1), np.zeros(SMALL + 1)), update=1, batch_size=SMALL)
    assert plot(snapshot).series[0].x.tolist() == [0]


def test_a_long_plan_is_grown_into() -> None:
    ends = [plot(moment(epoch=epoch, epochs=WHOLE_PLAN + 1)).x_range for epoch in (0, 99, 100, 499)]
    assert ends == [(0, 100), (0, 100), (0, 200), (0, 500)]


def test_a_change_is_marked_where_it_took_effect_on_every_axis() -> None:
    trainer = trainer_of(batch_size=2)
    trainer.advance(Epoch(3))
    trainer.change(lr=0.02)
    trainer.advance(Update(7))
    trainer.change(batch_size=1)
    snapshot = trainer.advance(Epoch(5))
    for axis, at in ((XAxis.EPOCHS, (3, 3 + 2 / 3)), (XAxis.UPDATES, (6, 7)), (XAxis.SAMPLES, (9, 11))):
        marks = plot(snapshot, axis).marks
        assert [mark.x for mark in marks] == pytest.approx(at)
        assert [mark.label for mark in marks] == ["lr 0.01 → 0.02", "batch size 2 → 1"]


def test_another_number_of_epochs_is_no_mark_but_another_range() -> None:
    trainer = trainer_of()
    trainer.advance(Epoch(3))
    trainer.change(epochs=40)
    drawn = plot(trainer.snapshot())
    assert (drawn.marks, drawn.x_range) == ((), (0, 40))


def test_a_change_is_told_in_words() -> None:
    assert event_text(Event(3, 1.0, "batch_size", 1, "full")) == "batch size 1 → full"


def test_a_forecast_is_laid_beneath_as_far_as_the_axis_and_f_reach() -> None:
    forecast = np.column_stack([np.arange(0.0, 500.0), np.geomspace(1.0, 1e30, 500)])
    snapshot = moment(batch_size="full", epochs=100)
    plot = loss_plot(snapshot, XAxis.EPOCHS, True, "#61afef", forecast=forecast)
    assert plot.series[0].name == "loss"
    (predicted,) = (one for one in plot.series if one.name == "predicted")
    assert predicted.x.max() == 100
    assert plot.x_range == (0, 100)
    far = loss_plot(moment(batch_size="full", epochs=1000), XAxis.SAMPLES, True, "#61afef", forecast=forecast)
    (predicted,) = (one for one in far.series if one.name == "predicted")
    assert predicted.y.max() <= 1e12 * snapshot.loss
    assert predicted.x[1] == 3.0
    assert all(
        one.name != "predicted" for one in loss_plot(snapshot, XAxis.SECONDS, True, "#61afef", forecast=forecast).series
    )
