"""Log: what happened, as lines; live and bounded."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.binding import Binding
from textual.strip import Strip

from gdtui.dashboard.figures import figure
from gdtui.dashboard.gauges import cut
from gdtui.dashboard.widgets.lines import Lines
from gdtui.experiment import printable

if TYPE_CHECKING:
    from rich.style import Style
    from textual.binding import BindingType

    from gdtui.descent.snapshot import Snapshot

KEPT = 1_000
"""Entries kept; an entry longer than the pane is wide has several lines."""

SHOWN_PARAMETERS = 2
"""With more of them an epoch's line has their norm."""

SHOWN_VISITS = 8
"""A larger batch is one line of the log, not one a sample."""


class Log(Lines, can_focus=True):
    """The tutorial's lines, live: each epoch with θ and loss; at grain update, each visit's gradient; every event.

    A scroll view would lay out the whole screen anew at every line; a log that only ever shows its end need not. Where
    line follows line they come a few at a time: all of them move up, which is the most that is ever sent.
    """

    DEFAULT_CSS = """
    Log {
        & > .log--line { color: $foreground; }
        & > .log--note { color: $text-muted; }
        & > .log--event { color: $warning; }
        & > .log--good { color: $success; }
        & > .log--bad { color: $error; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--line", "log--note", "log--event", "log--good", "log--bad"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(1)", "Older", show=False),
        Binding("down", "scroll(-1)", "Newer", show=False),
        Binding("pageup", "scroll_page(1)", "A page older", show=False),
        Binding("pagedown", "scroll_page(-1)", "A page newer", show=False),
        Binding("home", "scroll(1_000_000)", "Oldest", show=False),
        Binding("end", "scroll(-1_000_000)", "Newest", show=False),
    ]

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._entries: deque[tuple[str, str]] = deque(maxlen=KEPT)
        self._back = 0  # lines between the newest and the lowest in sight

    @property
    def entries(self) -> tuple[str, ...]:
        """What is kept, the newest last."""
        return tuple(text for text, _ in self._entries)

    def say(self, text: str, kind: str = "line") -> None:
        """Add an entry: a line, a note, an event, something good or something bad."""
        entry = (printable(text), kind)
        self._entries.append(entry)
        if self._back:
            self._back += len(self._wrapped(entry[0]))  # what is being read stays where it is
        if kind in ("line", "note"):
            self.redraw_in_turn()
        else:
            self.redraw()

    def say_epoch(self, snapshot: Snapshot) -> None:
        """An epoch's line, as the tutorial prints it, counted from 1."""
        names, theta = snapshot.problem.parameters, snapshot.theta.tolist()
        if len(theta) > SHOWN_PARAMETERS:
            self.say(f"Epoch {snapshot.epoch} loss= {snapshot.loss} |θ|= {math.hypot(*theta)}")
            return
        shown = " ".join(f"{name}= {value}" for name, value in zip(names, theta, strict=True))
        self.say(f"Epoch {snapshot.epoch} {shown} loss= {snapshot.loss}")

    def say_update(self, snapshot: Snapshot) -> None:
        """The newest batch's visits, as the tutorial prints them: x, y and the gradient."""
        dataset, visits = snapshot.problem.dataset, snapshot.visits
        batch = visits.newest_batch.tolist()
        if len(batch) > SHOWN_VISITS:
            self.say(f"    update {snapshot.updates}: a batch of {len(batch)}", "note")
            return
        for sample, gradient in zip(batch, visits.gradients[len(visits) - len(batch) :].tolist(), strict=True):
            x = " ".join(figure(value) for value in dataset.x[sample].tolist()[:4])
            g = " ".join(str(value) for value in gradient[:4])
            self.say(f"    grad {x} {figure(float(dataset.y[sample]))} {g}", "note")

    def action_scroll(self, lines: int) -> None:
        """Towards older entries, or newer ones."""
        total = sum(len(self._wrapped(text)) for text, _ in self._entries)
        self._back = min(max(self._back + lines, 0), max(0, total - self.size.height))
        self.redraw()
        self.border_subtitle = f"{self._back} newer · end: live" if self._back else "live"

    def action_scroll_page(self, pages: int) -> None:
        """A page towards older entries, or newer ones."""
        self.action_scroll(pages * max(1, self.size.height - 1))

    def draw(self) -> list[Strip]:
        """The newest lines that fit, or those that one has scrolled back to."""
        width, height = self.size
        lines: list[tuple[str, str]] = []  # the newest first
        for text, kind in reversed(self._entries):
            wrapped = self._wrapped(text)
            # Of an entry that is too long for the pane, its beginning says more than its end.
            shown = wrapped if self._back or lines else cut(wrapped, height, width)
            lines += [(line, kind) for line in reversed(shown)]
            if len(lines) >= height + self._back:
                break
        # What one has scrolled back to may have been dropped: then the oldest that is kept.
        self._back = min(self._back, max(0, len(lines) - height))
        styles = {kind: self._style(kind) for kind in ("line", "note", "event", "good", "bad")}
        return [
            Strip([Segment(line, styles[kind])]).adjust_cell_length(width, self.rich_style)
            for line, kind in reversed(lines[self._back : self._back + height])
        ]

    def _style(self, kind: str) -> Style:
        return self.rich_style + self.get_component_rich_style(f"log--{kind}", partial=True)

    def _wrapped(self, text: str) -> list[str]:
        """An entry's lines; numbers are wrapped whole."""
        width = max(1, self.size.width)
        return (
            [text] if len(text) <= width else [line.plain.rstrip() for line in Text(text).wrap(self.app.console, width)]
        )
