"""Chart: curves over epochs, with event marks and a keyboard cursor that reads exact values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.binding import Binding
from textual.message import Message

from gdtui.dashboard.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.strip import Strip

    from gdtui.dashboard.widgets.plot import Drawing
    from gdtui.dashboard.widgets.series import Plot, Reading


class Chart(Lines, can_focus=True):
    """A plot of a few curves that sends only the rows that changed.

    plotext and numpy are imported by the first draw, not before: they would delay the first frame.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chart--axis", "chart--label", "chart--mark", "chart--cursor"}

    DEFAULT_CSS = """
    Chart {
        & > .chart--axis { color: $foreground 30%; }
        & > .chart--label { color: $foreground 50%; }
        & > .chart--mark { color: $warning; }
        & > .chart--cursor { color: $foreground 40%; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move_cursor(-1)", "Cursor left", show=False),
        Binding("right", "move_cursor(1)", "Cursor right", show=False),
        Binding("home", "jump_cursor(0)", "Cursor to the first value", show=False),
        Binding("end", "jump_cursor(1)", "Cursor to the last value", show=False),
        Binding("escape", "clear_cursor", "Hide the cursor", id="leave", show=False),
    ]

    @dataclass
    class CursorMoved(Message):
        """The cursor reads something else: it moved, or the data under it changed.

        Attributes:
            chart: whose cursor it is.
            x: the first series' nearest; the cursor's own where that series has not been; None when it is hidden.
            values: name and y of every series that has been there, at its own point nearest to the cursor.
        """

        chart: Chart
        x: float | None
        values: tuple[tuple[str, float], ...]

        @property
        def control(self) -> Chart:
            """Whose cursor it is."""
            return self.chart

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._plot: Plot | None = None
        self._drawing: Drawing | None = None
        self._is_drawn = False
        self._cursor: float | None = None
        self._reading: Reading = (None, ())

    @property
    def plot(self) -> Plot | None:
        """The curves that are shown; None before the first."""
        return self._plot

    def show(self, plot: Plot) -> None:
        """Show these curves from now on."""
        self._plot = plot
        self._is_drawn = False
        self.redraw()
        self._read_cursor()

    def draw(self) -> list[Strip]:
        """The curves, and the cursor's line behind them."""
        if self._plot is None:
            return []
        if self._drawing is None or not self._is_drawn or self._drawn_size != self.size:
            from gdtui.dashboard.widgets.plot import Ink, draw

            axis, label, mark = (self.get_component_rich_style(f"chart--{part}") for part in ("axis", "label", "mark"))
            ink = Ink(Style(bgcolor=self.rich_style.bgcolor), axis, label, mark, self.app.theme_variables)
            self._drawing = draw(self._plot, self.size.width, self.size.height, ink, self._drawing)
            self._is_drawn = True
        if self._cursor is None:
            return self._drawing.rows
        return self._drawing.with_cursor(self._cursor, self.get_component_rich_style("chart--cursor"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Escape to others unless there is a cursor to hide."""
        if action == "clear_cursor":
            return self._cursor is not None
        return super().check_action(action, parameters)

    def action_move_cursor(self, columns: int) -> None:
        """Move the cursor by so many columns; without one, put it on the newest value."""
        if (drawing := self._drawing) is None or drawing.data_range is None:
            return
        first, last = drawing.data_range
        x = last if self._cursor is None else drawing.x(drawing.column(self._cursor) + columns)
        self._set_cursor(min(max(x, first), last))

    def action_jump_cursor(self, end: int) -> None:
        """Put the cursor on the first value, or on the last."""
        if self._drawing is not None and self._drawing.data_range is not None:
            self._set_cursor(self._drawing.data_range[end])

    def action_clear_cursor(self) -> None:
        """Hide the cursor."""
        self._set_cursor(None)

    def _set_cursor(self, x: float | None) -> None:
        self._cursor = x
        self.redraw()
        self._read_cursor()

    def _read_cursor(self) -> None:
        """Tell what the cursor reads, if that is news."""
        reading: Reading = (None, ())
        if self._cursor is not None and self._plot is not None:
            from gdtui.dashboard.widgets.plot import read

            reach = self._drawing.column_width / 2 if self._drawing else 0.0
            reading = read(self._plot.series, self._cursor, reach)
        # Compared as text, in which one nan is like another.
        if repr(reading) != repr(self._reading):
            self._reading = reading
            self.post_message(self.CursorMoved(self, *reading))
