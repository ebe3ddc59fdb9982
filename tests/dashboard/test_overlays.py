"""The second chart: the instruments that a run keeps, over its epochs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.style import Style

from gdtui.dashboard.curves import AHEAD, XAxis, loss_plot
from gdtui.dashboard.overlays import COLUMNS, Overlay, instrument_plot, reading, tracked
from gdtui.dashboard.themes import DARK
from gdtui.dashboard.widgets.plot import Ink, draw
from gdtui.descent.snapshot import Epoch, Snapshot
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.tracked import INSTRUMENTS, Tracker
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from gdtui.dashboard.widgets.series import Plot

BLUE = "#61afef"
INK = Ink(*[Style(color="#808080", bgcolor="#111418")] * 4, {"secondary": "#c5a0e6", **DARK.variables})
SHOWN = [overlay for overlay in Overlay if overlay is not Overlay.NONE]


def trainer(**setup: Any) -> Trainer:
    experiment = Experiment(**setup)
    return Trainer(experiment, load_problem(experiment), Tracker())


@cache
def moment(epoch: int = 6, **setup: Any) -> Snapshot:
    return trainer(**setup).advance(Epoch(epoch))


def plot(snapshot: Snapshot, overlay: Overlay, axis: XAxis = XAxis.EPOCHS) -> Plot:
    return instrument_plot(snapshot, overlay, axis, BLUE, loss_plot(snapshot, axis, log_y=True, color=BLUE))


def with_column(snapshot: Snapshot, name: str, values: list[float]) -> Snapshot:
    """The same moment, with other values of a tracked instrument."""
    rows = snapshot.tracked.copy()
    rows[:, 2 + INSTRUMENTS.index(name)] = values
    return replace(snapshot, tracked=rows)


def test_the_key_goes_round_from_none_to_none() -> None:
    overlay, seen = Overlay.NONE, []
    for _ in Overlay:
        overlay = overlay.next()
        seen.append(overlay.name)
    assert seen == ["GRAD_NORM", "NOISE_SCALE", "ALIGNMENT", "ALPHA", "UPDATE_SIZE", "SHARPNESS", "NONE"]


@pytest.mark.parametrize("overlay", SHOWN)
def test_a_curve_is_what_the_run_kept(overlay: Overlay) -> None:
    snapshot = moment(problem="saddle", lr=0.1)
    curve = plot(snapshot, overlay).series[0]
    assert curve.x.tolist() == [1, 2, 3, 4, 5, 6]
    assert curve.y.tolist() == snapshot.tracked[:, 2 + INSTRUMENTS.index(COLUMNS[overlay][0])].tolist()
    assert curve.color == BLUE


def test_conflicts_are_a_part_of_the_samples_beside_the_alignment() -> None:
    snapshot = moment(problem="saddle", lr=0.1)
    _, conflicts = plot(snapshot, Overlay.ALIGNMENT).series
    assert (conflicts.y * 32).tolist() == tracked(snapshot, "conflicts")[1].tolist()


@pytest.mark.parametrize(("axis", "x"), [(XAxis.EPOCHS, [1, 2]), (XAxis.UPDATES, [2, 4]), (XAxis.SAMPLES, [3, 6])])
def test_every_axis_counts_in_its_own_unit(axis: XAxis, x: list[float]) -> None:
    assert plot(moment(2, batch_size=2), Overlay.GRAD_NORM, axis).series[0].x.tolist() == x


@pytest.mark.parametrize("axis", list(XAxis))
@pytest.mark.parametrize("epoch", [0, 1, 6])
def test_the_x_range_is_that_of_the_loss_chart(axis: XAxis, epoch: int) -> None:
    snapshot = moment(epoch)
    loss = loss_plot(snapshot, axis, log_y=True, color=BLUE)
    for overlay in SHOWN:
        small = draw(plot(snapshot, overlay, axis), 60, 8, INK)
        assert small.x_range == draw(loss, 60, 20, INK).x_range


def test_what_is_undefined_is_a_gap() -> None:
    snapshot = with_column(moment(), "noise_scale", [1, 2, np.nan, 2, 1, np.nan])
    curve = plot(snapshot, Overlay.NOISE_SCALE).series[0]
    assert np.isnan(curve.y).tolist() == [False, False, True, False, False, True]
    assert reading(snapshot, Overlay.NOISE_SCALE) == "B –"


def test_sharpness_that_is_known_at_some_epochs_only_is_joined() -> None:
    snapshot = with_column(moment(), "sharpness", [9, np.nan, np.nan, 8, np.nan, np.nan])
    curve = plot(snapshot, Overlay.SHARPNESS).series[0]
    assert (curve.x.tolist(), curve.y.tolist()) == ([1, 4], [9, 8])
    assert reading(snapshot, Overlay.SHARPNESS) == "λmax 8.0 · 2/lr 200.0"


@pytest.mark.parametrize("axis", list(XAxis))
def test_on_every_axis_joined_values_stand_where_they_were_measured(axis: XAxis) -> None:
    whole = moment()
    sparse = with_column(whole, "sharpness", [9, np.nan, np.nan, 8, np.nan, np.nan])
    at = plot(whole, Overlay.GRAD_NORM, axis).series[0].x
    assert plot(sparse, Overlay.SHARPNESS, axis).series[0].x.tolist() == at[[0, 3]].tolist()


def test_beside_the_sharpness_stands_the_limit_of_the_learning_rate_in_force() -> None:
    run = trainer()
    run.advance(Epoch(3))
    run.change(lr=0.02)
    limit = plot(run.advance(Epoch(5)), Overlay.SHARPNESS).series[-1]
    assert limit.name == "2/lr"
    assert dict(zip(limit.x.tolist(), limit.y.tolist(), strict=True)) == {
        0: 200,
        1: 200,
        2: 200,
        3: 200,
        4: 100,
        5: 100,
    }


def test_a_learning_rate_of_0_has_no_limit_and_stops_nothing() -> None:
    snapshot = moment(epochs=6, schedule="cosine")
    drawn = draw(plot(replace(snapshot, lr=0.0), Overlay.SHARPNESS), 60, 8, INK)
    assert drawn.rows
    assert reading(replace(snapshot, lr=0.0), Overlay.SHARPNESS).endswith("2/lr ∞")


def test_positive_values_are_on_a_log_axis_and_signed_ones_never() -> None:
    snapshot = moment(problem="saddle", lr=0.1)
    assert {overlay for overlay in SHOWN if plot(snapshot, overlay).log_y} == {
        Overlay.GRAD_NORM,
        Overlay.NOISE_SCALE,
        Overlay.UPDATE_SIZE,
        Overlay.SHARPNESS,
    }


@pytest.mark.parametrize("values", [[-1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]])
def test_without_a_positive_value_or_with_a_negative_one_the_axis_is_linear(values: list[float]) -> None:
    assert not plot(with_column(moment(), "grad_norm", values), Overlay.GRAD_NORM).log_y


def test_after_a_rewind_what_lies_ahead_is_dim_and_joins_on() -> None:
    run = trainer()
    run.advance(Epoch(6))
    snapshot = run.rewind(4)
    now, ahead = plot(snapshot, Overlay.GRAD_NORM).series
    assert now.x.tolist() == [1, 2, 3, 4]
    assert (ahead.x.tolist(), ahead.color) == ([4, 5, 6], AHEAD)
    assert reading(snapshot, Overlay.GRAD_NORM).split() == ["‖g‖", f"{now.y[-1]:.4f}"]


@pytest.mark.parametrize("overlay", list(Overlay))
@pytest.mark.parametrize("axis", list(XAxis))
def test_before_anything_is_kept_the_chart_is_empty_and_the_border_has_a_dash(overlay: Overlay, axis: XAxis) -> None:
    snapshot = moment(0)
    assert draw(plot(snapshot, overlay, axis), 60, 8, INK).rows
    assert reading(snapshot, overlay).count("–") == len(COLUMNS.get(overlay, ()))


def test_the_border_has_the_newest_values() -> None:
    snapshot = moment(problem="saddle", lr=0.1)
    cosine, conflicts = (tracked(snapshot, name)[1][-1] for name in ("alignment", "conflicts"))
    words = reading(snapshot, Overlay.ALIGNMENT).split()
    assert words[:2] == ["cos", f"{cosine:.5f}"]
    assert words[-2:] == ["conflicts", f"{conflicts:.0f}"]


def test_alpha_is_drawn_between_its_landmarks() -> None:
    for epoch in (1, 6):
        _, *landmarks = plot(moment(epoch), Overlay.ALPHA, XAxis.UPDATES).series
        assert [(one.name, *one.y.tolist()) for one in landmarks] == [
            ("not moved", -1, -1),
            ("minimum", 0, 0),
            ("far wall", 1, 1),
        ]
        assert [one.x.tolist() for one in landmarks] == [[3, 3 * epoch]] * 3


def test_the_events_of_the_loss_chart_are_marked_here_too() -> None:
    run = trainer()
    run.advance(Epoch(3))
    run.change(lr=0.02)
    (mark,) = plot(run.advance(Epoch(5)), Overlay.ALPHA).marks
    assert mark.x == 3
