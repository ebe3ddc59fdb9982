"""Samples: every sample's row, a virtual table over the arrays that costs its visible rows."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gdtui.dashboard.figures import WIDTH, figure, shortened
from gdtui.dashboard.rows import Row, read_rows, sorted_samples
from gdtui.dashboard.widgets.lines import Lines
from gdtui.experiment import printable

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot

SORTED_INLINE = 10_000
"""More samples than this are sorted in a thread."""

BAR = 12
"""Cells of the bar at |g|, at most."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: what it is sorted by, its title, its cells."""

    key: str
    title: str
    width: int = WIDTH

    @property
    def is_descending_first(self) -> bool:
        """Sorted by it, the largest is what one looks for."""
        return self.key in ("loss", "norm")


def choose_columns(
    width: int, features: tuple[str, ...], target: str, parameters: tuple[str, ...], n: int
) -> list[Column]:
    """The columns that fit into so many cells: the sample and |g| always, then as many more as there is room for."""
    number = Column("sample", "#", max(2, len(str(n - 1))))
    x = [Column(f"x{j}", shortened(printable(name), WIDTH)) for j, name in enumerate(features)]
    y, y_hat = Column("y", shortened(printable(target), WIDTH)), Column("y_hat", "ŷ")
    loss, norm = Column("loss", "loss"), Column("norm", "|g|")
    is_single = len(parameters) == 1
    gradient = [Column(f"g{j}", "gradient" if is_single else f"∂{name}") for j, name in enumerate(parameters)]
    chosen, room = [number, norm], width - 2 - number.width - 1 - WIDTH - 1
    predicted = ([y], [y_hat]) if target else ([], [])
    for group in ([loss], predicted[0], gradient, predicted[1], *([column] for column in x)):
        cost = sum(column.width + 1 for column in group)
        if cost <= room:
            chosen += group
            room -= cost
    shown = [number, *x, y, y_hat, loss, *gradient, norm]
    return [column for column in shown if column in chosen]


class Samples(ScrollView, Lines, can_focus=True):
    """A row a sample: x, y, ŷ, loss, gradient; sorted by any column; as applied in this epoch, or at the current θ."""

    DEFAULT_CSS = """
    Samples {
        scrollbar-size-vertical: 1;
        & > .samples--header { color: $text-muted; text-style: underline; }
        & > .samples--value { color: $foreground; }
        & > .samples--dim { color: $text-muted; }
        & > .samples--negative { color: $secondary; }
        & > .samples--bar { color: $primary; }
        & > .samples--newest { text-style: bold; }
        & > .samples--cursor { background: $surface; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "samples--header",
        "samples--value",
        "samples--dim",
        "samples--negative",
        "samples--bar",
        "samples--newest",
        "samples--cursor",
    }

    BINDINGS: ClassVar = [
        Binding("up", "move(-1)", "Row up", show=False),
        Binding("down", "move(1)", "Row down", show=False),
        Binding("pageup", "move_page(-1)", "Page up", show=False),
        Binding("pagedown", "move_page(1)", "Page down", show=False),
        Binding("home", "move_to(0)", "First row", show=False),
        Binding("end", "move_to(-1)", "Last row", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row under the cursor, counted in the table's order."""

    applied: reactive[bool] = reactive(True, repaint=False)
    """Rows are shown as applied; otherwise at the current θ."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._snapshot: Snapshot | None = None
        self._columns: list[Column] = []
        self._sort_key = "sample"
        self._descending = False
        self._order: object = None
        self._is_sorting = False
        self._status = ""

    def show(self, snapshot: Snapshot) -> None:
        """Show a moment; only the lines that changed are sent."""
        is_new_problem = self._snapshot is None or snapshot.problem is not self._snapshot.problem
        self._snapshot = snapshot
        if is_new_problem:
            self.virtual_size = Size(0, snapshot.problem.n + 1)
            self._sort_key, self._descending, self._order = "sample", False, None
            self.cursor = 0
            self.scroll_to(y=0, animate=False)
        self._sort()

    def sort_by_next_column(self) -> None:
        """Sort by the column after the one that it is sorted by."""
        keys = [column.key for column in self._columns]
        if keys:
            at = keys.index(self._sort_key) if self._sort_key in keys else -1
            column = self._columns[(at + 1) % len(keys)]
            self._sort_key, self._descending = column.key, column.is_descending_first
            self._sort()

    def reverse(self) -> None:
        """Turn the order round."""
        self._descending = not self._descending
        self._sort()

    def watch_applied(self) -> None:
        """Show the same rows, otherwise."""
        self._sort()

    # --- order -------------------------------------------------------------------------------------------------------

    def _sort(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        if self._sort_key == "sample":
            self._order = None
        elif snapshot.problem.n <= SORTED_INLINE:
            self._order = self._sorted(snapshot)
        elif not self._is_sorting:
            self._is_sorting = True
            self.run_worker(self._sort_in_thread(), group="sort")
        self.redraw()

    def _sorted(self, snapshot: Snapshot) -> object:
        return sorted_samples(snapshot, self._sort_key, self._descending, self._shows_applied)

    async def _sort_in_thread(self) -> None:
        """Sort until the order is that of what is shown; one sort at a time, however fast the moments come."""
        done: object = None
        while (snapshot := self._snapshot) and snapshot.problem.n > SORTED_INLINE and self._sort_key != "sample":
            wanted = (self._sort_key, self._descending, self._shows_applied)
            if done == (snapshot, *wanted):
                break
            order = await asyncio.to_thread(sorted_samples, snapshot, *wanted)
            done = (snapshot, *wanted)
            is_same_problem = self._snapshot is not None and self._snapshot.problem is snapshot.problem
            if is_same_problem and wanted == (self._sort_key, self._descending, self._shows_applied):
                self._order = order
                self.redraw()
        self._is_sorting = False

    @property
    def _shows_applied(self) -> bool:
        """Before anything was applied, there is only now."""
        return self.applied and self._snapshot is not None and self._snapshot.visited > 0

    def _samples(self, first: int, count: int) -> list[int]:
        n = self._snapshot.problem.n if self._snapshot else 0
        places = range(first, min(first + count, n))
        if self._order is None:
            return [n - 1 - place if self._descending else place for place in places]
        return [int(self._order[place]) for place in places]  # type: ignore[index]

    # --- cursor ------------------------------------------------------------------------------------------------------

    def validate_cursor(self, row: int) -> int:
        """Stay in the table."""
        n = self._snapshot.problem.n if self._snapshot else 1
        return min(max(row, 0), n - 1)

    def watch_cursor(self) -> None:
        """Bring the row into sight."""
        height = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if not top <= self.cursor < top + height:
            self.scroll_to(
                y=self.cursor if self.cursor < top else self.cursor - height + 1, animate=False, immediate=True
            )
        self.redraw()

    def action_move(self, rows: int) -> None:
        """Cursor up or down."""
        self.cursor += rows

    def action_move_page(self, pages: int) -> None:
        """Cursor a page up or down."""
        self.cursor += pages * max(1, self.size.height - 2)

    def action_move_to(self, row: int) -> None:
        """Cursor to the first (0) or last (-1) row."""
        self.cursor = row if row >= 0 or self._snapshot is None else self._snapshot.problem.n + row

    # --- drawing -----------------------------------------------------------------------------------------------------

    def get_content_height(self, *_: object) -> int:
        """A header and a line a sample; the style sheet has the last word."""
        return 1 + (self._snapshot.problem.n if self._snapshot else 3)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self.redraw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor shows, or goes."""
        super().watch_has_focus(_has_focus)
        self.redraw()

    def draw(self) -> list[Strip]:
        """The header and the rows in sight."""
        snapshot, (width, height) = self._snapshot, self.size
        if snapshot is None:
            return []
        dataset, n = snapshot.problem.dataset, snapshot.problem.n
        self._columns = choose_columns(width, dataset.features, dataset.target, snapshot.problem.parameters, n)
        samples = self._samples(self.scroll_offset.y, height - 1)
        rows = read_rows(snapshot, samples, self._shows_applied)
        self._update_border(rows)
        largest = max((row.norm for row in rows if row.norm is not None), default=0.0)
        used = 2 + sum(column.width + 1 for column in self._columns)
        bar = min(BAR, width - used - 1)
        lines = [self._header(width)]
        lines += [self._line(row, place, largest, bar, width) for place, row in enumerate(rows, self.scroll_offset.y)]
        return lines

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"samples--{part}")

    def _header(self, width: int) -> Strip:
        arrow = "↓" if self._descending else "↑"
        text = "  "
        for column in self._columns:
            title = column.title
            if column.key == self._sort_key and (column.key != "sample" or self._descending):
                title = f"{arrow}{title}"[: column.width]
            text += f"{title:>{column.width}} "
        return Strip([Segment(text[:width], self._style("header"))]).adjust_cell_length(width, self.rich_style)

    def _line(self, row: Row, place: int, largest: float, bar: int, width: int) -> Strip:
        values = {"sample": str(row.sample), "y": figure(row.y), "y_hat": figure(row.y_hat)}
        values |= {"loss": figure(row.loss), "norm": figure(row.norm)}
        values |= {f"x{j}": figure(value) for j, value in enumerate(row.x)}
        values |= {f"g{j}": figure(value) for j, value in enumerate(row.gradient or ())}
        normal, dim, negative = self._style("value"), self._style("dim"), self._style("negative")
        segments = [Segment(("▸" if row.is_newest else " ") + ("c" if row.is_clipped else " "), normal)]
        for column in self._columns:
            value = values.get(column.key, "–")
            style = dim if column.key[0] in "sx" else normal
            if column.key[0] == "g" and value.startswith("-"):
                style = negative
            segments.append(Segment(f"{value:>{column.width}} ", style))
        if bar >= 4:
            segments.append(Segment(_bar(row.norm, largest, bar), self._style("bar")))
        strip = Strip(segments).adjust_cell_length(width, self.rich_style)
        if row.is_newest:
            strip = strip.apply_style(self._style("newest"))
        if self.has_focus and place == self.cursor:
            # Over the cells' own background, which `apply_style` would leave as it is.
            background = Style.from_color(bgcolor=self._style("cursor").bgcolor)
            strip = Strip(Segment.apply_style(strip, post_style=background), width)
        return strip

    def _update_border(self, rows: list[Row]) -> None:
        assert self._snapshot is not None
        applied = "as applied" if self._shows_applied else "now"
        key = next((column.title for column in self._columns if column.key == self._sort_key), "#")
        n = self._snapshot.problem.n
        status = f"{applied} · sort {key} · {n:,} samples"
        at = self.cursor - self.scroll_offset.y
        if self.has_focus and 0 <= at < len(rows):
            row = rows[at]
            exact = f"sample {row.sample}: ŷ {row.y_hat!r} loss {row.loss!r} |g| {row.norm!r}".replace("None", "–")
            status = exact if len(exact) < self.size.width - 4 else status
        if status != self._status:
            self._status = status
            self.border_subtitle = Content(status)


def _bar(value: float | None, largest: float, width: int) -> str:
    """A bar in eighths of a cell; anything above 0 shows."""
    if not value or not math.isfinite(value) or not math.isfinite(largest):
        return " " * width
    eighths = max(1, round(value / largest * width * 8))
    whole, part = divmod(eighths, 8)
    return ("█" * whole + " ▏▎▍▌▋▊▉"[part].strip()).ljust(width)
