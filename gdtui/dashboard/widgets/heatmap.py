"""Heat map: a sweep over two of its axes, a cell a point; a cursor goes from cell to cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.color import Color
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from gdtui.dashboard.figures import shortened
from gdtui.dashboard.gauges import wrapped
from gdtui.dashboard.widgets.inks import NO_SHADES
from gdtui.dashboard.widgets.lines import Lines
from gdtui.dashboard.widgets.shades import greys, legible, ramp
from gdtui.experiment import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from gdtui.dashboard.widgets.heatlayout import Layout
    from gdtui.sweeps.plane import Plane

EMPTY = "a cell a point, as soon as the first run has begun"

NAMED = 16
"""Cells of an axis's name, at most."""

KNOWN = 1_000
"""Drawn rows that are remembered."""

PARTS = ("quiet", "level", "lost", "text", "best", "limit", "cursor", "number", "here", "name", "dim")
RAMP = ("worst", "middle", "best-of-all")


class HeatMap(Lines, can_focus=True):
    """What came of each point, as shades of one value: the better, the farther from the background.

    Where there can be no shades, they are characters; whatever is not plainly done has a sign of its own.
    """

    DEFAULT_CSS = """
    HeatMap {
        & > .heat-map--worst { color: $secondary 12%; }
        & > .heat-map--middle { color: $primary 50%; }
        & > .heat-map--best-of-all { color: $primary; }
        & > .heat-map--level { color: $foreground 60%; }
        & > .heat-map--quiet { color: $foreground 40%; }
        & > .heat-map--lost { color: $error; }
        & > .heat-map--text { color: $foreground; }
        & > .heat-map--best, & > .heat-map--limit { color: $foreground; text-style: bold; }
        & > .heat-map--cursor { color: $background; background: $foreground; text-style: bold; }
        & > .heat-map--number, & > .heat-map--dim { color: $text-muted; }
        & > .heat-map--here { color: $foreground; text-style: bold; }
        & > .heat-map--name { color: $foreground; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"heat-map--{part}" for part in (*PARTS, *RAMP)}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", "The point at the left", show=False),
        Binding("right", "move(0, 1)", "The point at the right", show=False),
        Binding("up", "move(1, 0)", "The point above", show=False),
        Binding("down", "move(-1, 0)", "The point below", show=False),
        Binding("home", "move_to_end(False)", "The first point of the row", show=False),
        Binding("end", "move_to_end(True)", "The last point of the row", show=False),
    ]

    @dataclass
    class Moved(Message):
        """A person has moved the cursor.

        Attributes:
            arm: to this point, an index into the board's.
        """

        arm: int

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._plane: Plane | None = None
        self._names = ("", "")
        self._selected: int | None = None
        self._rows: dict[bytes, Strip] = {}
        self._styles: dict[tuple[int, int], Style] = {}
        self._shades: list[Color] = []
        self._status = ""

    # --- what is shown -----------------------------------------------------------------------------------------------

    def show(self, plane: Plane | None, x: str = "", y: str = "", selected: int | None = None) -> None:
        """Show a plane; only the lines that changed are sent.

        Args:
            plane: the cells; None: there are none yet.
            x: the name of the axis from left to right.
            y: that of the one from bottom to top; empty where there is none.
            selected: the point under the cursor, an index into the board's.
        """
        self._plane, self._selected = plane, selected
        self._names = shortened(printable(x), NAMED), shortened(printable(y), NAMED)
        self.redraw()
        self._describe()

    def columns_rows_room(self) -> tuple[int, int]:
        """How many columns and rows of a plane could be shown now."""
        from gdtui.dashboard.widgets.heatlayout import room

        return room(*self.size)

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        self._describe()

    def notify_style_update(self) -> None:
        """Forget the colours of before."""
        super().notify_style_update()
        self._rows, self._styles, self._shades = {}, {}, []

    # --- moving ------------------------------------------------------------------------------------------------------

    @property
    def _at(self) -> tuple[int, int] | None:
        """Row and column of the cursor."""
        if self._plane is None or self._selected is None:
            return None
        return self._plane.place_of(self._selected)

    def action_move(self, up: int, right: int) -> None:
        """To the next point in a direction; at first to the best one."""
        from gdtui.dashboard.widgets.heatlayout import beginning, neighbour

        if self._plane is not None:
            at = self._at
            self._go(neighbour(self._plane, at, up, right) if at else beginning(self._plane))

    def action_move_to_end(self, is_last: bool) -> None:
        """To the first or last point of the row."""
        from gdtui.dashboard.widgets.heatlayout import beginning, end_of_row

        if self._plane is not None:
            at = self._at
            self._go(end_of_row(self._plane, at[0], is_last) if at else beginning(self._plane))

    def _go(self, place: tuple[int, int] | None) -> None:
        if self._plane is not None and place is not None:
            self._selected = int(self._plane.arms[place])
            self.redraw()
            self.post_message(self.Moved(self._selected))

    # --- drawing -----------------------------------------------------------------------------------------------------

    def draw(self) -> list[Strip]:
        """The cells with their labels, or what is to come."""
        width, height = self.size
        if self._plane is None or not (self._plane.arms >= 0).any():
            return [self._line([(text, "dim")]) for text in wrapped(EMPTY, width)]
        from gdtui.dashboard.widgets.heatcells import draw
        from gdtui.dashboard.widgets.heatlayout import layout_of

        if len(self._rows) > KNOWN:
            self._rows = {}
        layout = layout_of(self._plane, self._at, width, height)
        canvas = draw(self._plane, self._at, layout, self._has_shades)
        rows = canvas.strips(self._style, self._rows)
        gutter = self._gutter(self._plane, layout)
        strips = [Strip.join([label, row]) if label else row for label, row in zip(gutter, rows, strict=True)]
        head, below = self._around(self._plane, layout)
        return [
            line.adjust_cell_length(width, self.rich_style)
            for line in [*([head] if layout.head else []), *strips, *below]
        ]

    def _gutter(self, plane: Plane, layout: Layout) -> list[Strip | None]:
        """The rows' labels, a line each of the picture."""
        if not layout.gutter:
            return [None] * (layout.rows * layout.height)
        from gdtui.dashboard.widgets.heatlayout import y_label

        blank = Strip([Segment(" " * layout.gutter, self.rich_style)], layout.gutter)
        lines: list[Strip | None] = [blank] * (layout.rows * layout.height)
        at = self._at
        for row in range(layout.first[0], layout.first[0] + layout.rows):
            label = y_label(plane.y_labels[row])
            part = self._part("here" if at is not None and at[0] == row else "number")
            text = " " * (layout.gutter - 1 - cell_len(label)) + label + " "
            lines[layout.line(row)] = Strip([Segment(text, part)], layout.gutter)
        return lines

    def _around(self, plane: Plane, layout: Layout) -> tuple[Strip, list[Strip]]:
        """The line above: the axis's name and what the shades stand for; those below: the labels, the other name."""
        width = self.size.width
        below = self._labels(plane, layout)
        x, y = (f"{name} {arrow}" if name else "" for name, arrow in zip(self._names, "→↑", strict=True))
        free = layout.gutter + layout.columns * layout.width
        names = [y]
        if layout.below and width - free > cell_len(x):
            below[0] = Strip.join([below[0].adjust_cell_length(free + 1, self.rich_style), self._line([(x, "name")])])
        elif layout.below > 1:
            below.append(self._line([(f"{x:>{free}}", "name")]))
        else:
            names.append(x)
        name = "  ".join(filter(None, names))
        head = self._line([(name, "name")])
        scale = self._scale(plane)
        if cell_len(name) + 2 + scale.cell_length <= width:
            end = max(free, cell_len(name) + 2 + scale.cell_length)
            head = Strip.join([head.adjust_cell_length(end - scale.cell_length, self.rich_style), scale])
        return head, below

    def _labels(self, plane: Plane, layout: Layout) -> list[Strip]:
        """The columns' labels, in a line."""
        from gdtui.dashboard.widgets.heatlayout import x_labels

        if not layout.below:
            return []
        at = self._at
        pieces, end = [(" " * layout.gutter, "number")], 0
        labels = x_labels(plane, layout, at[1] if at is not None else None, layout.columns * layout.width)
        for begin, text, is_here in labels:
            pieces += [(" " * (begin - end), "number"), (text, "here" if is_here else "number")]
            end = begin + cell_len(text)
        return [self._line(pieces)]

    def _scale(self, plane: Plane) -> Strip:
        """The worst and the best value, with the shades from one to the other."""
        import numpy as np

        from gdtui.dashboard.widgets.heatcells import BANDS, LEVELS, Ink, value_text

        finite = plane.values[np.isfinite(plane.values)]
        if not len(finite):
            return Strip([])
        number = self._part("number")
        steps = range(1, BANDS + 1)
        if self._has_shades:
            ramp = [Segment(" ", self._style(Ink.BASE, step)) for step in steps]
        else:
            ramp = [Segment(LEVELS, self._part("level"))]
        worst, best = f"{value_text(float(finite.max()))} ", f" {value_text(float(finite.min()))}"
        return Strip([Segment(worst, number), *ramp, Segment(best, number)])

    def _line(self, parts: Sequence[tuple[str, str]]) -> Strip:
        """A line of texts, each in the style of a part."""
        return Strip([Segment(text, self._part(part)) for text, part in parts if text])

    # --- styles ------------------------------------------------------------------------------------------------------

    @property
    def _has_shades(self) -> bool:
        return not self.app.has_class(NO_SHADES)

    def _part(self, part: str) -> Style:
        return self.get_component_rich_style(f"heat-map--{part}")

    def _style(self, ink: int, ground: int) -> Style:
        """An ink's style on a shade, on which it can be read; an ink below 0 is a shade itself."""
        from gdtui.dashboard.widgets.heatcells import Ink

        key = (ink, ground)
        if key not in self._styles:
            style = self.rich_style if ink <= 0 else self._part(Ink(ink).name.lower())
            if ground > 0 and ink != Ink.CURSOR:
                shade = self._shade(ground)
                style += Style(bgcolor=shade.rich_color)
                if ink > 0:
                    inks = (Color.parse(self.app.theme_variables[name]) for name in ("foreground", "background"))
                    style += Style(color=legible(inks, shade).rich_color)
            self._styles[key] = style
        return self._styles[key]

    def _shade(self, ground: int) -> Color:
        """The colour of a band of values, from 1, the worst."""
        from gdtui.dashboard.widgets.heatcells import BANDS

        if not self._shades and self.app.console.color_system == "256":
            self._shades = greys(BANDS, self.app.current_theme.dark)
        elif not self._shades:
            self._shades = ramp([Color.from_rich_color(self._part(part).color) for part in RAMP], BANDS)
        return self._shades[ground - 1]

    # --- the border --------------------------------------------------------------------------------------------------

    def _describe(self) -> None:
        """What the signs are, as far as there is room in the border."""
        status = ""
        if self._plane is not None:
            from gdtui.dashboard.widgets.heatcells import legend

            for text in legend(self._plane, self._has_shades):
                longer = f"{status} · {text}" if status else text
                status = longer if cell_len(longer) <= self.outer_size.width - 6 else status
        if status != self._status:
            self._status = status
            self.border_subtitle = Content(status)
