"""Run list: the kept runs, a virtual table that costs its visible rows; and all that is known of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gdtui.dashboard.widgets.lines import Lines
from gdtui.dashboard.widgets.runlines import BY_KEY, COLUMNS, Listing, cell, columns_in, details, folded, head

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gdtui.runs.store import Run

STYLES = ("header", "value", "dim", "running", "diverged", "name", "cursor")


class RunList(ScrollView, Lines, can_focus=False):
    """A line a run; the selected one stays selected wherever its line goes."""

    DEFAULT_CSS = """
    RunList {
        scrollbar-size-vertical: 1;
        & > .run-list--header { color: $text-muted; text-style: underline; }
        & > .run-list--value { color: $foreground; }
        & > .run-list--dim { color: $text-muted; }
        & > .run-list--running { color: $success; }
        & > .run-list--diverged { color: $error; }
        & > .run-list--name { color: $primary; }
        & > .run-list--cursor { background: $primary 25%; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"run-list--{style}" for style in STYLES}

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._listing = Listing()
        self._text = ""
        self._pins: Mapping[str, tuple[str, str]] = {}
        self._at = 0

    # --- what is shown -----------------------------------------------------------------------------------------------

    def show(self, found: Listing, text: str) -> None:
        """Show these runs, or where there are none a text; only the lines that changed are sent."""
        held = self.selected
        self._listing, self._text = found, text
        size = Size(0, 1 + len(found.runs))
        if size != self.virtual_size:
            self.virtual_size = size
        at = next((at for at, run in enumerate(found.runs) if held and run.id == held.id), self._at)
        self._go(at)

    def show_pins(self, pins: Mapping[str, tuple[str, str]]) -> None:
        """Mark the pinned runs, each by its id with its mark and colour."""
        self._pins = pins
        self.redraw()

    @property
    def selected(self) -> Run | None:
        """The run whose line is selected; None where no run is shown."""
        return self._listing.runs[self._at] if self._listing.runs else None

    @property
    def shown_columns(self) -> list[str]:
        """The columns for which there is room, from the left to the right."""
        widths = self._listing.widths
        return list(columns_in(self._width, widths)) if widths else [column.key for column in COLUMNS]

    # --- moving ------------------------------------------------------------------------------------------------------

    def move(self, rows: int) -> None:
        """Select another line, so many further down."""
        self._go(self._at + rows)

    def move_page(self, pages: int) -> None:
        """Select another line, so many pages further down."""
        self._go(self._at + pages * max(1, self._height - 1))

    def move_to(self, row: int) -> None:
        """Select a line by its number, -1 for the last."""
        self._go(row if row >= 0 else len(self._listing.runs) + row)

    @property
    def _height(self) -> int:
        """Lines for runs."""
        return max(0, self.size.height - 1)

    @property
    def _width(self) -> int:
        """Cells of a line that the scroll bar leaves free."""
        return self.size.width - (len(self._listing.runs) > self._height) * self.styles.scrollbar_size_vertical

    def _go(self, at: int) -> None:
        self._at = max(0, min(at, len(self._listing.runs) - 1))
        height, top = max(1, self._height), self.scroll_offset.y
        if not top <= self._at < top + height:
            top = self._at if self._at < top else self._at - height + 1
            self.scroll_to(y=top, animate=False, immediate=True)
        self.redraw()

    def on_resize(self) -> None:
        """Keep the selected line in sight."""
        self._go(self._at)

    # --- drawing -----------------------------------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self.redraw()

    def draw(self) -> list[Strip]:
        """The header and the runs in sight; or why there are none."""
        width = self._width
        styles = {style: self.get_component_rich_style(f"run-list--{style}") for style in STYLES}
        if not self._listing.runs or self._listing.widths is None:
            lines = [Strip([Segment(line, styles["dim"])]) for line in folded(self._text, width, self.size.height)]
        else:
            columns = columns_in(width, self._listing.widths)
            top = self.scroll_offset.y
            runs = self._listing.runs[top : top + self._height]
            lines = [Strip([Segment(head(columns, self._listing.order), styles["header"])])]
            lines += [self._line(run, columns, top + at == self._at, styles) for at, run in enumerate(runs)]
        return [line.adjust_cell_length(self.size.width, self.rich_style) for line in lines]

    def _line(self, run: Run, columns: Mapping[str, int], is_selected: bool, styles: Mapping[str, Style]) -> Strip:
        mark, color = self._pins.get(run.id, (" ", ""))
        pin_style = Style(color=self.app.theme_variables.get(color, color)) if color else styles["value"]
        segments = [Segment("›" if is_selected else " ", styles["value"]), Segment(f"{mark} ", pin_style)]
        for key, width in columns.items():
            segments.append(Segment(cell(run, key, width), styles[_style(key, run)]))
            segments.append(Segment("  ", styles["value"]))
        if not is_selected:
            return Strip(segments)
        line = Strip(segments).adjust_cell_length(self._width, self.rich_style)
        # Over the cells' own background, which `apply_style` would leave as it is.
        return Strip(Segment.apply_style(line, post_style=Style.from_color(bgcolor=styles["cursor"].bgcolor)))


def _style(key: str, run: Run) -> str:
    """A cell's style; what its colour says is in its text, too."""
    if key == "state":
        return run.state if run.state in ("running", "diverged") else "value"
    if key == "name":
        return "name"
    return "value" if key == "what" or (BY_KEY[key].is_number and key != "age") else "dim"


class RunDetails(Lines):
    """All that is known of a run, in as many lines as there are."""

    DEFAULT_CSS = """
    RunDetails {
        height: 6;
        padding: 0 2;
        & > .run-details--first { color: $foreground; }
        & > .run-details--rest { color: $text-muted; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"run-details--first", "run-details--rest"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run: Run | None = None
        self._maker = ""

    def show(self, run: Run | None, maker: str) -> None:
        """Show a run, and who makes it; None: nothing."""
        self._run, self._maker = run, maker
        self.redraw()

    def draw(self) -> list[Strip]:
        """Its lines."""
        if self._run is None:
            return []
        first, rest = (self.get_component_rich_style(f"run-details--{style}") for style in ("first", "rest"))
        texts = details(self._run, self._maker, self.size.width, self.size.height)
        lines = [Strip([Segment(text, rest if at else first)]) for at, text in enumerate(texts)]
        return [line.adjust_cell_length(self.size.width, self.rich_style) for line in lines]
