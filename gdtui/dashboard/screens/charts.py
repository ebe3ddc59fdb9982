"""Charts: the loss, an instrument below it, and the runs that are compared with the one of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from gdtui.dashboard.curves import XAxis, loss_plot
from gdtui.dashboard.overlays import Overlay, instrument_plot, reading
from gdtui.dashboard.pins import Pin
from gdtui.dashboard.screens.pinning import PinningScreen
from gdtui.dashboard.widgets.caption import Caption
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.runs import Runs
from gdtui.dashboard.widgets.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.widget import Widget

    from gdtui.dashboard.widgets.series import Plot
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array


COLOR = "primary"
"""Of the run of now."""


class ChartsScreen(PinningScreen):
    """The lab's panes, with its charts and runs; a pinned run stays, whatever becomes of the run of now."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self._experiment = experiment
        self._snapshot: Snapshot | None = None
        self._forecast: Array | None = None
        self._x_axis = XAxis.EPOCHS
        self._log_y = True
        self._overlay = Overlay.NONE
        self._plot: Plot | None = None  # f itself, also where differences are shown
        self._cursor: Chart.CursorMoved | None = None
        self._begun = 0
        self._run: Pin | None = None  # the run of now at the farthest that it has come: it may be rewound

    def head(self) -> Iterable[Widget]:
        """The status line, and what a lesson says."""
        yield Status(id="status")
        yield self.titled(Caption(id="lesson", classes="pane"))

    def first_pane(self) -> Widget:
        """The experiment's fields."""
        return Controls(self._experiment, id="experiment", classes="pane")

    def side_panes(self) -> Sequence[Widget]:
        """Landscape and insight."""
        from gdtui.dashboard.widgets.insight import Insight
        from gdtui.dashboard.widgets.landscape import Landscape

        return Landscape(id="landscape", classes="pane"), Insight(id="insight", classes="pane")

    # --- what is drawn -------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Other texts fit in the borders."""
        self.call_after_refresh(self.show_again)

    def show_again(self) -> None:
        """Draw the charts: they are not drawn while they are hidden."""
        with self.unless_leaving():
            self._show_charts()

    def show_pins(self) -> None:
        """Draw the charts with these."""
        self._show_charts()

    def _show_charts(self) -> None:
        chart, overlay, snapshot = self.query_one("#loss", Chart), self.query_one("#overlay", Chart), self._snapshot
        if snapshot is not None:
            if snapshot.epoch == snapshot.farthest:
                self._run = Pin.of(snapshot, f"run {self._begun}")
            self._plot = plot = loss_plot(snapshot, self._x_axis, self._log_y, COLOR, self._pins, self._forecast)
            if self._is_difference:
                from gdtui.dashboard.comparison import difference_plot

                plot = difference_plot(plot, self._pins, self._x_axis)
            if chart.display or overlay.display:
                chart.show(plot)
            if overlay.display:
                overlay.show(instrument_plot(snapshot, self._overlay, self._x_axis, COLOR, plot))
                self.subtitle(overlay, reading(snapshot, self._overlay))
        self._show_readings()

    def _show_readings(self) -> None:
        """What the chart shows, or its cursor reads; and each run's value, the newest or at the cursor."""
        chart, runs, snapshot, plot, at = (
            self.query_one("#loss", Chart),
            self.query_one(Runs),
            self._snapshot,
            self._plot,
            self._cursor,
        )
        if snapshot is None or plot is None:
            self.subtitle(chart, self._view)
            return
        from gdtui.dashboard import comparison

        if at is None or at.x is None:
            values, what, texts = comparison.losses(snapshot, self._pins), "loss", [self._view]
        else:
            values = comparison.losses_at(at.x, plot, self._pins, self._x_axis, self._is_difference)
            what = f"{self._y} at {at.x:,.7g}"
            if self._pins and not runs.region.area:
                texts = comparison.comparison_texts(self._x_axis, at.x, self._pins, values)
            elif self._is_difference:
                texts = [f"{self._view} {at.x:,.7g}", self._view]
            else:
                own = tuple(value for value in at.values if self._pins.get(value[0]) is None)
                texts = comparison.reading_texts(self._x_axis, at.x, own)
        self.subtitle(chart, *texts)
        now = comparison.Now(snapshot.experiment, snapshot.epoch, str(snapshot.state))
        runs.show(comparison.run_lines(now, self._pins, values, COLOR))
        self.subtitle(runs, what if self._pins else "", "")

    @property
    def _y(self) -> str:
        """What the y axis is of, in a word or two."""
        if not self._is_difference:
            return "loss"
        return "ratio to now" if self._plot is not None and self._plot.log_y else "difference to now"

    @property
    def _view(self) -> str:
        """What the axes are."""
        if self._is_difference:
            y = self._y
        elif self._plot is not None and self._plot.log_y != self._log_y:
            y = "linear y, as f < 0"
        else:
            y = "log y" if self._log_y else "linear y"
        return f"{y} · {self._x_axis.value}"

    @on(Chart.CursorMoved, "#loss")
    def _read_cursor(self, message: Chart.CursorMoved) -> None:
        message.stop()
        self._cursor = message
        self._show_readings()

    # --- the runs that are compared ------------------------------------------------------------------------------

    def begin_run(self) -> None:
        """From now on another run is shown: one that is new, forked, or goes another way after a rewind."""
        self._begun += 1

    def pin_now(self) -> None:
        """Pin the run of now as it stands; unpin it where nothing has happened since it was pinned."""
        pin, log = self._run, self.query_one(Log)
        if pin is None:
            return
        pinned = self._pins.get(pin.key)
        if pinned is not None and pinned[1].is_like(pin):
            self.unpin(pin.key)
            log.say(f"{pinned[0].mark} unpinned", "event")
        elif self.pin(pin) and (place := self._pins.get(pin.key)):
            anew = "pinned anew" if pinned else "pinned"
            log.say(f"{place[0].mark} {anew} as it is at epoch {pin.epoch:,}", "event")

    def pin_forked(self) -> None:
        """Pin the run of now, which is forked from, unless its like is pinned already."""
        pin = self._run
        if pin is not None and not any(pin.is_like(other) for _, other in self._pins):
            self.pin(pin)

    # --- how it is drawn -----------------------------------------------------------------------------------------

    def look_at(self, x_axis: XAxis, log_y: bool) -> None:
        """Draw the loss so from now on."""
        self._x_axis, self._log_y = x_axis, log_y
        self._show_charts()

    def action_toggle_log_y(self) -> None:
        """Log or linear."""
        self._log_y = not self._log_y
        self._show_charts()

    def action_change_x_axis(self) -> None:
        """The next x axis."""
        self._x_axis = self._x_axis.next()
        self._show_charts()

    def action_change_overlay(self) -> None:
        """The next instrument under the loss, or none."""
        self._overlay = self._overlay.next()
        overlay = self.query_one("#overlay", Chart)
        overlay.border_title = self._overlay.value
        overlay.set_class(self._overlay is Overlay.NONE, "-off")
        if overlay.has_class("-off") and overlay.has_class("-zoom"):
            self.unzoom()
        self.call_after_refresh(self.reach, overlay)
