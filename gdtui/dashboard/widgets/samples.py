"""Samples: every sample's row, a virtual table over the arrays that costs its visible rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input

from gdtui.dashboard.columns import DESCENDING_FIRST
from gdtui.dashboard.descentsamples import DescentSamples
from gdtui.dashboard.filters import Filter, FilterError, parse
from gdtui.dashboard.rows import aligned
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.views import Choice, View, view
from gdtui.dashboard.widgets.filterline import FilterLine
from gdtui.dashboard.widgets.lines import Lines
from gdtui.dashboard.widgets.samplelines import MARKS, header, row_strip, statuses

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.widget import Widget

    from gdtui.dashboard.columns import Column
    from gdtui.dashboard.rows import Aligned, Row
    from gdtui.dashboard.samplesource import Source
    from gdtui.descent.snapshot import Snapshot
    from gdtui.insight.reading import Reading
    from gdtui.training.moment import Moment

INLINE = 20_000
"""More samples than this are filtered and sorted in a thread."""

STYLES = ("header", "value", "dim", "negative", "marked", "bar", "newest", "cursor", "wrong")

LATE_S = 0.3
"""A reading that is older than what is shown for longer than this is said to be."""


class Samples(ScrollView, Lines, can_focus=True):
    """A row a sample: x, y, ŷ, loss, gradient; sorted, filtered; as applied in this epoch, or at the current θ.

    Of another program's training: loss, gradient and label of a probe's samples.
    """

    DEFAULT_CSS = """
    Samples {
        scrollbar-size-vertical: 1;
        & > .samples--header { color: $text-muted; text-style: underline; }
        & > .samples--value { color: $foreground; }
        & > .samples--dim { color: $text-muted; }
        & > .samples--negative { color: $secondary; }
        & > .samples--marked { color: $warning; text-style: bold; }
        & > .samples--bar { color: $primary; }
        & > .samples--newest { text-style: bold; }
        & > .samples--cursor { background: $primary 25%; }
        & > .samples--wrong { color: $text-error; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"samples--{style}" for style in STYLES}

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
        self._source: Source | None = None
        self._is_late = False
        self._late: Timer | None = None
        self._columns: list[Column] = []
        self._sort_key = "sample"
        self._descending = False
        self._filter = Filter()
        self._view: View | None = None
        self._is_arranging = False
        self._held: int | None = None  # the sample that the cursor was moved to
        self._line: FilterLine | None = None
        self._before: tuple[str, Widget | None] = ("", None)
        self._error = ""

    # --- what is shown -----------------------------------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Show a descent's moment; only the lines that changed are sent."""
        self._show(DescentSamples.of(snapshot, self.applied, self._source))

    def show_moment(self, moment: Moment) -> None:
        """Show a training's moment: the cursor stays on its sample, and the order and the filter stay."""
        from gdtui.dashboard.momentsamples import MomentSamples

        self._show(MomentSamples(moment))

    def _show(self, source: Source) -> None:
        before, self._source = self._source, source
        if before is None or not source.is_like(before):
            self._show_problem(source)
        self._mind_lag()
        self._arrange()

    def _show_problem(self, source: Source) -> None:
        self._sort_key, self._descending, self._held = "sample", False, None
        self._restore_filter(self._filter.text)
        if self._line is not None:
            self._set_filter(self._line.value)
        self._view = View(Choice(source, Filter(), "sample", False), None) if source.is_in_order else None
        self.virtual_size = self._wanted_size()
        self.cursor = 0
        self.scroll_to(y=0, animate=False)

    def show_reading(self, reading: Reading) -> None:
        """Show the shares and cosines of a reading; of another problem than the one shown, nothing."""
        if len(reading.alignments.norms) <= INLINE:
            self._take_reading(reading, aligned(reading.alignments))
        else:
            self.run_worker(self._align(reading), group="reading", exclusive=True)

    async def _align(self, reading: Reading) -> None:
        self._take_reading(reading, await in_thread(partial(aligned, reading.alignments)))

    def _take_reading(self, reading: Reading, found: Aligned) -> None:
        source = self._source
        if isinstance(source, DescentSamples) and source.snapshot.problem is reading.snapshot.problem:
            self._show(replace(source, aligned=found, aligned_at=reading.snapshot))

    def _mind_lag(self) -> None:
        """Say it when the reading stays behind what is shown; usually it follows at once."""
        if self._source is None or not self._source.behind:
            self._is_late = False
            if self._late is not None:
                self._late.stop()
                self._late = None
        elif not self._is_late and self._late is None:
            self._late = self.set_timer(LATE_S, self._say_late)

    def _say_late(self) -> None:
        self._is_late, self._late = True, None
        self.redraw()

    def sort_by_next_column(self) -> None:
        """Sort by the column after the one that it is sorted by."""
        keys = list(dict.fromkeys(column.key for column in self._columns))
        if keys:
            at = keys.index(self._sort_key) if self._sort_key in keys else -1
            self._sort_key = keys[(at + 1) % len(keys)]
            self._descending, self._held = self._sort_key in DESCENDING_FIRST, None
            self._arrange()

    def reverse(self) -> None:
        """Turn the order round."""
        self._descending, self._held = not self._descending, None
        self._arrange()

    def watch_applied(self) -> None:
        """Show the same rows, otherwise."""
        if isinstance(self._source, DescentSamples):
            self._show(replace(self._source, wants_applied=self.applied))

    # --- which, in which order ---------------------------------------------------------------------------------------

    def _choice(self, source: Source) -> Choice:
        return Choice(source, self._filter, self._sort_key, self._descending)

    def _arrange(self) -> None:
        if self._source is None:
            return
        choice = self._choice(self._source)
        if self._view is not None and choice.is_same(self._view.choice):
            self.redraw()
        elif choice.is_all or choice.source.n <= INLINE:
            self._show_view(*_placed(choice, self._held))
        elif not self._is_arranging:
            self._is_arranging = True
            self.run_worker(self._arrange_in_thread(choice), group="view")

    async def _arrange_in_thread(self, choice: Choice) -> None:
        """Filter and sort until what is shown is as it should be; one at a time, however fast the moments come."""
        done: Choice | None = None
        try:
            while not choice.is_all and choice.source.n > INLINE and not (done and choice.is_same(done)):
                held = self._held
                found, row = await in_thread(partial(_placed, choice, held))
                assert self._source is not None
                done, choice = choice, self._choice(self._source)
                if choice.is_like(done):
                    self._show_view(found, row if held == self._held else None)
        finally:
            self._is_arranging = False

    def _show_view(self, found: View, row: int | None) -> None:
        """Show these samples, with the cursor on the one that it was moved to where that is among them."""
        self._view = found
        self._fit()
        self.cursor = self.cursor if row is None else row
        self.redraw()

    def _wanted_size(self) -> Size:
        """A header, a line a sample that is shown, and the filter's."""
        return Size(0, 1 + (len(self._view) if self._view else 0) + (self._line is not None))

    def _fit(self) -> None:
        """Let the scrolling know how many rows there are, without a new layout for each of a filter's numbers."""
        size, height = self._wanted_size(), self.container_size.height
        if (size.height > height) != (self.virtual_size.height > height):
            self.virtual_size = size  # the scroll bar comes or goes
        elif size != self.virtual_size:
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)

    # --- filter ------------------------------------------------------------------------------------------------------

    async def open_filter(self) -> None:
        """Let a person type the filter, in the last line."""
        if self._line is not None or self._source is None or not self.size:
            return
        self._before = self._filter.text, self.screen.focused
        self._line = line = FilterLine(self._filter.text, self._source.example)
        await self.mount(line)
        self.virtual_size = self._wanted_size()
        self.screen.set_focus(line)  # at once: the keys that follow are for it

    @on(Input.Changed)
    def _try_filter(self, event: Input.Changed) -> None:
        """Show what is typed as it is typed; what is not understood leaves the view as it was."""
        event.stop()
        if self._line is not None:
            self._set_filter(event.value)
            self._arrange()

    @on(Input.Submitted)
    def _keep_filter(self, event: Input.Submitted) -> None:
        event.stop()
        if not self._error:
            self._close_filter(self)

    @on(Input.Blurred)
    def _leave_filter(self, event: Input.Blurred) -> None:
        event.stop()
        self._close_filter(self.screen.focused)

    @on(FilterLine.GivenUp)
    def _give_filter_up(self, event: FilterLine.GivenUp) -> None:
        event.stop()
        self._restore_filter(self._before[0])
        self._close_filter(self._before[1])

    def _close_filter(self, focused: Widget | None) -> None:
        if self._line is not None:
            line, self._line, self._error = self._line, None, ""
            self.screen.set_focus(focused)
            line.remove()
            self.virtual_size = self._wanted_size()
            self._arrange()

    def _set_filter(self, text: str) -> None:
        assert self._source is not None
        try:
            self._filter, self._error = parse(text, self._source.names, self._source.words), ""
        except FilterError as error:
            self._error = str(error)

    def _restore_filter(self, text: str) -> None:
        """The filter of before, where there are such columns here."""
        self._set_filter(text)
        if self._error:
            self._filter, self._error = Filter(), ""

    @property
    def is_container(self) -> bool:
        """While it has the filter's line."""
        return self._line is not None

    # --- cursor ------------------------------------------------------------------------------------------------------

    @property
    def _height(self) -> int:
        """Lines for rows."""
        return max(0, self.size.height - 1 - (self._line is not None))

    def validate_cursor(self, row: int) -> int:
        """Stay in the table."""
        return max(min(row, (len(self._view) if self._view else 1) - 1), 0)

    def watch_cursor(self) -> None:
        """Bring the row into sight."""
        height, top = max(1, self._height), self.scroll_offset.y
        if not top <= self.cursor < top + height:
            top = self.cursor if self.cursor < top else self.cursor - height + 1
            self.scroll_to(y=top, animate=False, immediate=True)
        self.redraw()

    def action_move(self, rows: int) -> None:
        """Cursor up or down."""
        self.cursor += rows
        places = self._view.places(self.cursor, 1) if self._view else []
        self._held = self._view.choice.source.rows(places)[0].sample if self._view and places else None

    def action_move_page(self, pages: int) -> None:
        """Cursor a page up or down."""
        self.action_move(pages * max(1, self._height - 1))

    def action_move_to(self, row: int) -> None:
        """Cursor to the first (0) or last (-1) row."""
        self.action_move((row if row >= 0 or not self._view else len(self._view) + row) - self.cursor)

    # --- drawing -----------------------------------------------------------------------------------------------------

    def get_content_height(self, *_: object) -> int:
        """A header, a line a sample, filtered or not, and the filter's; the style sheet has the last word."""
        return 1 + (self._source.n if self._source else 3) + (self._line is not None)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self.redraw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor shows, or goes."""
        super().watch_has_focus(_has_focus)
        self.redraw()

    def draw(self) -> list[Strip]:
        """The header, the rows in sight, the filter's line."""
        source, found, width = self._source, self._view, self.size.width
        if source is None or found is None:
            return []
        if not source.has_places_of(found.choice.source):
            source = found.choice.source  # until the new samples are arranged
        self._columns = source.columns(width - MARKS)
        top, height = self.scroll_offset.y, self._height
        rows = source.rows(found.places(top, height))
        self._update_border(source, found, rows)
        largest = max((row.norm for row in rows if row.norm is not None and isfinite(row.norm)), default=0.0)
        styles = {style: self.get_component_rich_style(f"samples--{style}") for style in STYLES}
        head = header(self._columns, self._sort_key, self._descending)
        lines = [Strip([Segment(head, styles["header"])])]
        lines += [row_strip(row, self._columns, largest, styles) for row in rows]
        if not len(found):
            lines.append(Strip([Segment("   no sample is like this; / changes the filter", styles["dim"])]))
        blank = self.rich_style
        lines = [line.adjust_cell_length(width, blank) for line in lines]
        at = self.cursor - top
        if self.has_focus and 0 <= at < len(rows):
            # Over the cells' own background, which `apply_style` would leave as it is.
            background = Style.from_color(bgcolor=styles["cursor"].bgcolor)
            lines[1 + at] = Strip(Segment.apply_style(lines[1 + at], post_style=background), width)
        if self._line is not None:
            lines += [Strip.blank(width, blank)] * (self._height + 1 - len(lines))
            lines.append(Strip([Segment("/ ", styles["dim"])]).adjust_cell_length(width, blank))
        return lines

    def _update_border(self, source: Source, found: View, rows: list[Row]) -> None:
        room = self.size.width - 2
        if self._error:
            text = f"✗ {self._error}"
            text = text if len(text) <= room else f"{text[: max(0, room - 1)]}…"
        else:
            at = self.cursor - self.scroll_offset.y
            row = rows[at] if self.has_focus and 0 <= at < len(rows) else None
            texts = statuses(source, found, self._columns, row, self._is_late)
            text = next((text for text in texts if len(text) <= room), "")
        colour = self.get_component_rich_style("samples--wrong").color if self._error else None
        content = Content.styled(text, colour.name) if colour is not None else Content(text)
        if content != self._border_subtitle:
            # Its setter would have the whole table sent; and what is rendered at this moment is not looked at again.
            self._border_subtitle = content
            self.call_next(self.refresh, Region(-self.gutter.left, self.size.height, self.outer_size.width, 1))


def _placed(choice: Choice, held: int | None) -> tuple[View, int | None]:
    """The samples that are chosen, and the row of one of them."""
    found = view(choice)
    return found, None if held is None else found.row(held)
