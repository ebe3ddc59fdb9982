"""Tracks: the training screen's charts: one of its values, another below, and the runs that are compared with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from gdtui.dashboard.curves import XAxis
from gdtui.dashboard.keymap import TRAINING
from gdtui.dashboard.pins import Pin
from gdtui.dashboard.screens.panes import PANES
from gdtui.dashboard.screens.pinning import PinningScreen
from gdtui.dashboard.tracks import COLOR, LABELS, axes, counterpart, epoch_of, is_log, plot_of
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.runs import Runs
from gdtui.dashboard.widgets.trainstatus import TrainingStatus
from gdtui.dashboard.widgets.values import NOTHING, Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.widget import Widget

    from gdtui.dashboard.widgets.series import Plot
    from gdtui.training.training import Training


class TracksScreen(PinningScreen):
    """The panes of a training, with its charts and runs.

    Attributes:
        training: what is shown of it; None before the first look.
    """

    kind: ClassVar[str] = TRAINING
    titles: ClassVar[Mapping[str, str]] = {
        **PANES,
        "experiment": "1 Training",
        "loss": "2 Values",
        "landscape": "4 Gradients",
    }

    def __init__(self) -> None:
        super().__init__()
        self.training: Training | None = None
        self.value = ""  # that is charted; empty until there is one
        self._second = ""  # the one below; empty where there is none
        self._axis = XAxis.UPDATES
        self._turned: frozenset[str] = frozenset()  # values on another kind of y axis than usual
        self._plot: Plot | None = None
        self._charted = self._pins  # with the value that is charted
        self._cursor: Chart.CursorMoved | None = None

    def head(self) -> Iterable[Widget]:
        """The status line."""
        yield TrainingStatus(id="status")

    def first_pane(self) -> Widget:
        """What it tells."""
        return Values(id="experiment", classes="pane")

    def side_panes(self) -> Sequence[Widget]:
        """Its samples' gradients, and what they mean."""
        from gdtui.dashboard.widgets.cloud import Cloud
        from gdtui.dashboard.widgets.readings import Readings

        return Cloud(id="landscape", classes="pane"), Readings(id="insight", classes="pane")

    def action_help(self) -> None:
        """The screen explained, and its keys."""
        self.explain("training")

    # --- what is drawn -------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Other texts fit in the borders."""
        self.call_after_refresh(self.show_again)

    def show_training(self, training: Training) -> None:
        """Show what is known of it by now."""
        self.training = training
        if self.value not in training.curves:
            self.value = training.loss
        self.query_one(Values).show(training, self.value)
        self.show_again()

    def show_again(self) -> None:
        """Draw the charts: they are not drawn while they are hidden."""
        training, chart, overlay = self.training, self.query_one("#loss", Chart), self.query_one("#overlay", Chart)
        if training is None:
            return
        if not self.value:
            self.subtitle(chart, training.notice or NOTHING, NOTHING)
            return
        axis = self._axis if self._axis in axes(training) else XAxis.UPDATES
        self._charted = self._pins if self.value == training.loss else self._pins.charting(self.value)
        self._plot = plot = plot_of(training, self.value, axis, self._is_log(self.value), self._charted)
        if self._is_difference:
            from gdtui.dashboard.comparison import difference_plot

            plot = difference_plot(plot, self._charted, axis)
        if chart.display:
            chart.show(plot)
        if overlay.display and self._second in training.curves:
            overlay.show(plot_of(training, self._second, axis, self._is_log(self._second)))
        self._show_readings()

    def _is_log(self, name: str) -> bool:
        return is_log(name) != (name in self._turned)

    def _show_readings(self) -> None:
        """What the chart shows, or its cursor reads; and each run's value, the newest or at the cursor."""
        from gdtui.dashboard import comparison

        training, plot, at, runs = self.training, self._plot, self._cursor, self.query_one(Runs)
        if training is None or plot is None:
            return
        y = "log y" if plot.log_y else "linear y"
        view = f"{self.value} · {'against now' if self._is_difference else y} · {LABELS[self._axis]}"
        if at is None or at.x is None:
            newest = [float(one.y[-1]) if len(one.y) else float("nan") for one in plot.series]
            values, texts = [newest[0], *newest[len(newest) - len(self._pins) :]], [view, f"{y} · {LABELS[self._axis]}"]
        else:
            values = comparison.losses_at(at.x, plot, self._charted, self._axis, self._is_difference)
            texts = [
                f"{LABELS[self._axis]} {at.x:,.7g}: " + ", ".join(f"{name} {value!r}" for name, value in at.values)
            ]
            texts.append(f"{LABELS[self._axis]} {at.x:,.7g}")
        self.subtitle(self.query_one("#loss", Chart), *texts)
        now = comparison.Now(None, epoch_of(training), training.state)
        runs.show(comparison.run_lines(now, self._pins, values, COLOR))

    @on(Chart.CursorMoved, "#loss")
    def _read_cursor(self, message: Chart.CursorMoved) -> None:
        message.stop()
        self._cursor = message
        self._show_readings()

    # --- which values, on which axes -----------------------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Chart a value."""
        self.value = name
        if self.training is not None:
            self.show_training(self.training)

    def action_choose_value(self, steps: int) -> None:
        """Chart the next value, or the one before."""
        names = list(self.training.curves) if self.training else []
        if names:
            self.choose(names[(names.index(self.value) + steps) % len(names)])

    def action_change_overlay(self) -> None:
        """The next value below, or none."""
        curves = self.training.curves if self.training else ()
        shown = self.value, counterpart(self.value, curves)
        names = ["", *(name for name in curves if name not in shown)]
        at = names.index(self._second) if self._second in names else 0
        self._second = names[(at + 1) % len(names)]
        overlay = self.query_one("#overlay", Chart)
        overlay.border_title = self._second.replace("[", "\\[")
        overlay.set_class(not self._second, "-off")
        if not self._second and overlay.has_class("-zoom"):
            self.unzoom()
        self.call_after_refresh(self.reach, overlay)

    def action_change_x_axis(self) -> None:
        """The next x axis of which something is known."""
        if self.training is not None:
            known = axes(self.training)
            self._axis = known[(known.index(self._axis) + 1) % len(known)] if self._axis in known else known[0]
            self.show_again()

    def action_toggle_log_y(self) -> None:
        """Log or linear, for this value."""
        self._turned ^= {self.value}
        self.show_again()

    # --- the runs that are compared ------------------------------------------------------------------------------

    def action_pin(self) -> None:
        """Pin this training as it stands."""
        training = self.training
        if training is None or not self.value:
            self.query_one(Log).say("it has told no value yet: there is nothing to pin", "note")
            return
        key = f"at {training.values}"
        if self._pins.get(key):
            self.unpin(key)
        else:
            steps = int(training.curves[self.value][-1, 0])
            self.pin(Pin.trained(training, key, f"at step {steps:,}"))

    def show_pins(self) -> None:
        """Draw the charts with these."""
        self.show_again()

    def action_clear_pins(self) -> None:
        """Compare no longer."""
        self.clear_pins()

    def action_toggle_difference(self) -> None:
        """Values, or the pinned runs against this one."""
        self.toggle_difference()
