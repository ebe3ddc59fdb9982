"""Values: what a training tells, a line a value, the chosen one marked; and what it was begun with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip

from gdtui.dashboard.figures import WIDTH, figure, shortened
from gdtui.dashboard.gauges import wrapped
from gdtui.dashboard.widgets.lines import Lines
from gdtui.dashboard.widgets.runlines import fitted
from gdtui.experiment import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual.binding import BindingType

    from gdtui.training.training import Training

SPARK = 5
"""Cells of the small curve behind a value."""

NAMED = 8
"""Cells of a name, at least, before there is room for a small curve."""

BLOCKS = "▁▂▃▄▅▆▇█"

NOTHING = "no value yet"


class Values(Lines, can_focus=True):
    """A line a value: its name, the newest figure, a small curve; below, the config. Up and down choose one."""

    DEFAULT_CSS = """
    Values {
        & > .values--name { color: $foreground; }
        & > .values--chosen { color: $primary; text-style: bold; }
        & > .values--label { color: $text-muted; }
        & > .values--spark { color: $primary; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"values--name", "values--chosen", "values--label", "values--spark"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Chart the value above", show=False),
        Binding("down", "choose(1)", "Chart the value below", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A person wants to see another value.

        Attributes:
            name: which.
        """

        name: str

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._training: Training | None = None
        self._chosen = ""

    def show(self, training: Training, chosen: str) -> None:
        """Show a training's values, one of which is charted."""
        is_chosen_anew = chosen != self._chosen
        self._training, self._chosen = training, chosen
        if is_chosen_anew:
            self.redraw()
        else:
            self.redraw_in_turn()

    def action_choose(self, lines: int) -> None:
        """The value above or below."""
        names = list(self._training.curves) if self._training else []
        if names:
            at = names.index(self._chosen) if self._chosen in names else 0
            self.post_message(self.Chosen(names[max(0, min(at + lines, len(names) - 1))]))

    def draw(self) -> list[Strip]:
        """The values, as many as there is room for, the chosen one among them; then the config."""
        width, height = self.size
        training = self._training
        if training is None:
            return []
        names = list(training.curves)
        at = names.index(self._chosen) if self._chosen in names else 0
        config = min(len(training.config), max(0, height - len(names) - 1), height // 2)
        room = max(1, height - config - bool(config))
        first = max(0, min(at - room // 2, len(names) - room))
        lines = [self._value(name, width) for name in names[first : first + room]]
        if not names:
            lines = [[Segment(text, self._style("label"))] for text in wrapped(training.notice or NOTHING, width)]
        if config:
            lines.append([])
        for name, text in training.config[:config]:
            label = f"{printable(name)} "
            value = fitted(printable(text), max(1, width - len(label))).rstrip()
            lines.append([Segment(label, self._style("label")), Segment(value, self._style("name"))])
        return [Strip(line).adjust_cell_length(width, self.rich_style) for line in lines]

    def _value(self, name: str, width: int) -> list[Segment]:
        assert self._training is not None
        from gdtui.training.curves import Column

        values = self._training.curves[name][:, Column.VALUE]
        is_chosen = name == self._chosen
        spark = SPARK if width - 3 - WIDTH - SPARK >= NAMED else 0
        room = max(1, width - 2 - WIDTH - (spark + 1 if spark else 0))
        mark = "▸" if is_chosen else " "
        text = f"{mark}{fitted(shortened(printable(name), room), room)} {figure(float(values[-1])):>{WIDTH}}"
        segments = [Segment(text, self._style("chosen" if is_chosen else "name"))]
        if spark:
            segments.append(Segment(f" {sparkline(values.tolist(), spark)}", self._style("spark")))
        return segments

    def _style(self, part: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"values--{part}", partial=True)


def sparkline(values: Sequence[float], cells: int) -> str:
    """A curve in so few cells, each the last of an equal part of it; what is not finite is a blank.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7], 4)
    '▁▃▆█'
    """
    m = len(values)
    seen = list(values) if m <= cells else [values[m * (cell + 1) // cells - 1] for cell in range(cells)]
    known = [value for value in seen if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    return "".join(_block(value, low, high) for value in seen).ljust(cells)


def _block(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return " "
    # Each of the two is divided first: their difference might overflow.
    part = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.0
    return BLOCKS[round(part * (len(BLOCKS) - 1))]
