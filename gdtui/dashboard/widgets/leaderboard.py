"""Leaderboard: a sweep's points, the best first: a virtual table that costs its visible lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gdtui.dashboard.gauges import wrapped
from gdtui.dashboard.widgets.lines import Lines
from gdtui.dashboard.widgets.ranklines import GAP, Column, axis_widths, cell, columns_in, head
from gdtui.sweeps.board import Sign

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.binding import BindingType

    from gdtui.sweeps.board import Board

EMPTY = "the best points, as soon as the first run has begun"

STYLES = ("header", "value", "dim", "running", "lost", "cursor")
OF_SIGNS = {Sign.RUNNING: "running", Sign.DIVERGED: "lost", Sign.FAILED: "lost"}


class Leaderboard(ScrollView, Lines, can_focus=True):
    """A line a point; the selected point stays selected wherever its line goes."""

    DEFAULT_CSS = """
    Leaderboard {
        scrollbar-size-vertical: 1;
        & > .leaderboard--header { color: $text-muted; text-style: underline; }
        & > .leaderboard--value { color: $foreground; }
        & > .leaderboard--dim { color: $text-muted; }
        & > .leaderboard--running { color: $success; }
        & > .leaderboard--lost { color: $error; }
        & > .leaderboard--cursor { background: $primary 25%; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"leaderboard--{style}" for style in STYLES}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "The point above", show=False),
        Binding("down", "move(1)", "The point below", show=False),
        Binding("pageup", "move_page(-1)", "Page up", show=False),
        Binding("pagedown", "move_page(1)", "Page down", show=False),
        Binding("home", "move_to(0)", "The best point", show=False),
        Binding("end", "move_to(-1)", "The last point", show=False),
    ]

    @dataclass
    class Moved(Message):
        """A person has selected another point.

        Attributes:
            arm: this one, an index into the board's.
        """

        arm: int

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._board: Board | None = None
        self._widths: tuple[int, ...] = ()
        self._selected: int | None = None

    # --- what is shown -----------------------------------------------------------------------------------------------

    def show(self, board: Board, selected: int | None = None) -> None:
        """Show a board's points that have begun, one of them selected; only the lines that changed are sent."""
        before, self._board, self._selected = self._board, board, selected
        if before is None or before.values != board.values:
            self._widths = axis_widths(board.axes, board.values)
        size = Size(0, 1 + len(board.order))
        if size != self.virtual_size:
            self.virtual_size = size
        self._keep_in_sight()

    @property
    def place(self) -> int | None:
        """The place of the selected point in the order, from 0; None where it is not in it."""
        import numpy as np

        if self._board is None or self._selected is None:
            return None
        found = np.flatnonzero(self._board.order == self._selected)
        return int(found[0]) if len(found) else None

    # --- moving ------------------------------------------------------------------------------------------------------

    def action_move(self, lines: int) -> None:
        """Select the point so many lines below; at first the best one."""
        place = self.place
        self._go(0 if place is None else place + lines)

    def action_move_page(self, pages: int) -> None:
        """Select a point so many pages below."""
        self._go((self.place or 0) + pages * max(1, self._height - 1))

    def action_move_to(self, place: int) -> None:
        """Select the point at a place, -1 for the last."""
        self._go(place if place >= 0 else self._count + place)

    @property
    def _count(self) -> int:
        return len(self._board.order) if self._board is not None else 0

    @property
    def _height(self) -> int:
        """Lines for points."""
        return max(0, self.size.height - 1)

    @property
    def _width(self) -> int:
        """Cells of a line that the scroll bar leaves free."""
        return self.size.width - (self._count > self._height) * self.styles.scrollbar_size_vertical

    def _go(self, place: int) -> None:
        if self._board is None or not self._count:
            return
        arm = int(self._board.order[max(0, min(place, self._count - 1))])
        if arm != self._selected:
            self._selected = arm
            self._keep_in_sight()
            self.post_message(self.Moved(arm))

    def _keep_in_sight(self) -> None:
        place, height, top = self.place, max(1, self._height), self.scroll_offset.y
        if place is not None and not top <= place < top + height:
            top = place if place < top else place - height + 1
            self.scroll_to(y=top, animate=False, immediate=True, force=True)  # also before there is a scroll bar
        self.redraw()

    def on_resize(self) -> None:
        """Keep the selected line in sight."""
        self._keep_in_sight()

    # --- drawing -----------------------------------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self.redraw()

    def draw(self) -> list[Strip]:
        """The header and the points in sight; or what is to come."""
        width, board = self._width, self._board
        styles = {style: self.get_component_rich_style(f"leaderboard--{style}") for style in STYLES}
        if board is None or not self._count:
            lines = [Strip([Segment(line, styles["dim"])]) for line in wrapped(EMPTY, width)]
        else:
            columns = columns_in(width, board, self._widths)
            top, selected = self.scroll_offset.y, self.place
            places = range(top, min(top + self._height, self._count))
            lines = [Strip([Segment(head(columns), styles["header"])])]
            lines += [self._line(board, place, columns, place == selected, styles) for place in places]
        return [line.adjust_cell_length(self.size.width, self.rich_style) for line in lines]

    def _line(
        self, board: Board, place: int, columns: Sequence[Column], is_selected: bool, styles: Mapping[str, Style]
    ) -> Strip:
        segments = [Segment("› " if is_selected else "  ", styles["value"])]
        for column in columns:
            text = cell(board, place, column)
            segments.append(Segment(text, styles[_style(board, place, column)]))
            segments.append(Segment(" " * GAP, styles["value"]))
        if not is_selected:
            return Strip(segments[:-1])
        line = Strip(segments[:-1]).adjust_cell_length(self._width, self.rich_style)
        # Over the cells' own background, which `apply_style` would leave as it is.
        return Strip(Segment.apply_style(line, post_style=Style.from_color(bgcolor=styles["cursor"].bgcolor)))


def _style(board: Board, place: int, column: Column) -> str:
    """A cell's style; what its colour says is in its text, too."""
    arm = board.order[place]
    if column.key == "state":
        return OF_SIGNS.get(Sign(board.signs[arm]), "dim")
    return "dim" if column.key in ("rank", "epochs", "run", "least", "most") else "value"
