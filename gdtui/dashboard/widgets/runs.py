"""Runs: the run of now and the pinned ones, a line each, with what tells them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip

from gdtui.dashboard.figures import WIDTH, figure, shortened
from gdtui.dashboard.keymap import key_of
from gdtui.dashboard.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.geometry import Size

EMPTY = "pins this run to compare"

DETAILED = 52
"""Cells from which there is room for a run's epoch and what has become of it."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """What the pane shows of a run.

    Attributes:
        key: the pinned run's; empty for the run of now.
        mark: its curve's line mark.
        color: its curve's, as in `Series`.
        words: what it is called, the most telling first.
        value: f, or what a cursor reads of it; nan where it has none there.
        epoch: how far it has come; None where it is not known.
        outcome: finished, converged, diverged or interrupted; empty where it can go on.
    """

    key: str
    mark: str
    color: str
    words: tuple[str, ...]
    value: float
    epoch: int | None
    outcome: str


class Runs(Lines, can_focus=True):
    """One line a run: mark and colour, in what it differs from the others, and its loss."""

    DEFAULT_CSS = """
    Runs {
        & > .runs--label { color: $foreground; }
        & > .runs--value { color: $foreground; }
        & > .runs--note { color: $text-muted; }
        & > .runs--selected { background: $primary 25%; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"runs--label", "runs--value", "runs--note", "runs--selected"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "select(-1)", "The run above", show=False),
        Binding("down", "select(1)", "The run below", show=False),
        Binding("p", "unpin", "Unpin the selected run", id="pin", show=False),
        Binding("delete,backspace", "unpin", "Unpin the selected run", show=False),
    ]

    @dataclass
    class Unpinned(Message):
        """A person has had enough of a pinned run.

        Attributes:
            key: which.
        """

        key: str

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[RunLine, ...] = ()
        self._selected = 0

    def show(self, lines: tuple[RunLine, ...]) -> None:
        """Show these runs, that of now first."""
        # Compared as text, in which one nan is like another.
        if repr(lines) == repr(self._lines):
            return
        is_same_height = len(lines) == len(self._lines)
        self._lines = lines
        self._selected = max(0, min(self._selected, len(lines) - 1))
        self.redraw()
        if not is_same_height:
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 (as Textual asks)
        """A line a run; one that says what to press where there is none."""
        return max(1, len(self._lines))

    def on_focus(self) -> None:
        """Show which run is selected."""
        self.redraw()

    def on_blur(self) -> None:
        """Show it no longer."""
        self.redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys to others where no pinned run is selected."""
        if action == "unpin":
            return self._selected > 0
        return super().check_action(action, parameters)

    def action_select(self, lines: int) -> None:
        """The run above or below."""
        self._selected = max(0, min(self._selected + lines, len(self._lines) - 1))
        self.redraw()

    def action_unpin(self) -> None:
        """No longer compare with the selected run."""
        self.post_message(self.Unpinned(self._lines[self._selected].key))

    def draw(self) -> list[Strip]:
        """A line a run, as many as there is room for, the selected one among them."""
        width, height = self.size
        if not self._lines:
            key = key_of(self.app, "pin")
            note = f"{key} {EMPTY}" if len(key) + len(EMPTY) < width else f"{key} pins"
            return [self._strip([Segment(note, self._style("note"))], width)]
        first = max(0, self._selected + 1 - height) if self.has_focus else 0
        return [self._line(k, width) for k in range(first, min(first + height, len(self._lines)))]

    def _line(self, k: int, width: int) -> Strip:
        line = self._lines[k]
        is_selected = self.has_focus and k == self._selected
        value = f"{figure(line.value):>{WIDTH}}"
        epochs = ["–" if each.epoch is None else f"{each.epoch:,}" for each in self._lines]
        detail = f"  {line.outcome:<11}  epoch {epochs[k]:>{max(map(len, epochs))}}  " if width >= DETAILED else " "
        room = width - 2 - len(detail) - len(value)
        if room < 3:
            detail, value, room = "", "", width - 2
        label = fitted(line.words, max(0, room))
        under = self._style("selected") if is_selected else Style()
        color = self.app.theme_variables.get(line.color, line.color)
        segments = [
            Segment(line.mark, self._style("label") + Style(color=color) + under),
            Segment(("▸" if is_selected else " ") + set_cell_size(label, room), self._style("label") + under),
            Segment(detail, self._style("note") + under),
            Segment(value, self._style("value") + under),
        ]
        return self._strip(segments, width)

    def _strip(self, segments: list[Segment], width: int) -> Strip:
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _style(self, part: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"runs--{part}", partial=True)


def fitted(words: tuple[str, ...], room: int) -> str:
    """Words in at most so many cells, those that have no room left out whole and a … in their place."""
    for count in range(len(words), 0, -1):
        text = " ".join(words[:count]) + (" …" if count < len(words) else "")
        if cell_len(text) <= room:
            return text
    return set_cell_size(shortened(words[0], room), room) if words and room else ""
