"""Page: topics one below the other, to scroll through, to jump in and to search."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gdtui.topics.page import Line, laid_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from gdtui.topics.topic import Topic


class Page(ScrollView, can_focus=True):
    """Text in lines of the widget's width; what is looked for is marked."""

    DEFAULT_CSS = """
    Page {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        & > .page--title { color: $primary; text-style: bold; }
        & > .page--heading { text-style: bold; }
        & > .page--name { color: $primary; }
        & > .page--found { text-style: reverse; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"page--title", "page--heading", "page--name", "page--found"}

    def __init__(self, topics: Sequence[Topic]) -> None:
        super().__init__()
        self._topics = tuple(topics)
        self._lines: list[Line] = []
        self._starts: dict[str, int] = {}
        self._looked_for = ""

    @property
    def text(self) -> str:
        """All that it says, as it is broken into lines."""
        return "\n".join(line.text for line in self._lines)

    # --- where one is ------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Break the lines anew; what stands at the top stays there."""
        topic, below = self._place()
        self._lay_out()
        if topic:
            self._show_line(min(self._starts[topic] + below, self._end(topic) - 1))

    def go_to(self, topic: str) -> None:
        """Bring a topic to the top."""
        self._show_line(self._starts[topic])

    def go_on(self, topics: int) -> None:
        """To the next topic, or back to the beginning of this one and those before it."""
        starts, top = list(self._starts.values()), self.scroll_offset.y
        if topics > 0:
            self._show_line(next((start for start in starts if start > top), self.max_scroll_y))
        else:
            self._show_line(max((start for start in starts if start < top), default=0))

    def look_for(self, text: str, way: int = 0) -> bool:
        """Mark a text wherever it stands, and bring a line that has it into sight.

        Args:
            text: what to look for, in either case; nothing is marked where it is empty.
            way: 0: the first line from the top of the screen on; 1 and -1: the next after the top line, or before it.

        Returns:
            Whether it stands anywhere.
        """
        self._looked_for = text.lower()
        self.refresh()
        found = [y for y, line in enumerate(self._lines) if text and text.lower() in line.text.lower()]
        top = self.scroll_offset.y
        if way < 0:
            self._show_line(max((y for y in found if y < top), default=found[-1] if found else top))
        else:
            self._show_line(min((y for y in found if y >= top + way), default=found[0] if found else top))
        return bool(found)

    def _place(self) -> tuple[str, int]:
        """The topic at the top, and how many of its lines are above."""
        top = self.scroll_offset.y
        topic = next((name for name, start in reversed(self._starts.items()) if start <= top), "")
        return topic, top - self._starts.get(topic, 0)

    def _end(self, topic: str) -> int:
        return min((start for start in self._starts.values() if start > self._starts[topic]), default=len(self._lines))

    def _show_line(self, y: int) -> None:
        self.scroll_to(y=y, animate=False, immediate=True)

    # --- drawing -----------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._lines, self._starts = [], {}
        for topic in self._topics:
            self._starts[topic.name] = len(self._lines)
            self._lines += [*laid_out(topic, self.scrollable_size.width), Line(""), Line("")]
        self.virtual_size = Size(self.scrollable_size.width, len(self._lines))

    def render_line(self, y: int) -> Strip:
        """One line, with what is looked for marked."""
        y += self.scroll_offset.y
        line = self._lines[y] if y < len(self._lines) else Line("")
        plain, width = self.rich_style, self.size.width
        whole = plain if line.part == "text" else self._style(line.part)
        strip = Strip(
            [Segment(line.text[: line.name], self._style("name")), Segment(line.text[line.name :], whole)]
        ).simplify()
        for start in _found(line.text.lower(), self._looked_for):
            first, last = (
                Strip([Segment(line.text[:end])]).cell_length for end in (start, start + len(self._looked_for))
            )
            middle = strip.crop(first, last).apply_style(self._style("found"))
            strip = Strip.join([strip.crop(0, first), middle, strip.crop(last)])
        return strip.adjust_cell_length(width, plain)

    def _style(self, part: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"page--{part}", partial=True)


def _found(text: str, looked_for: str) -> list[int]:
    """Where a text stands in another."""
    found: list[int] = []
    at = text.find(looked_for) if looked_for else -1
    while at >= 0:
        found.append(at)
        at = text.find(looked_for, at + len(looked_for))
    return found
