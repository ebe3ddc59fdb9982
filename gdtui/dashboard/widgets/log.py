"""Log: what happened, as lines; live and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.widgets import RichLog

from gdtui.dashboard.figures import figure, printable

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot

KEPT_LINES = 1_000
SHOWN_VISITS = 8
"""A larger batch is one line of the log, not one a sample."""


class Log(RichLog):
    """The tutorial's lines, live: each epoch with θ and loss; at grain update, each visit's gradient; every event."""

    DEFAULT_CSS = """
    Log {
        background: transparent;
        scrollbar-size: 0 0;
        & > .log--event { color: $warning; }
        & > .log--good { color: $success; }
        & > .log--bad { color: $error; }
        & > .log--note { color: $text-muted; }
        & > .log--line { color: $foreground; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--event", "log--good", "log--bad", "log--note", "log--line"}

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            max_lines=KEPT_LINES,
            min_width=1,
            wrap=True,
            markup=False,
            highlight=False,
            name=name,
            id=id,
            classes=classes,
        )

    def say(self, text: str, kind: str = "line") -> None:
        """Add a line: an event, a note, something good, something bad, or just a line."""
        style = self.get_component_rich_style(f"log--{kind}", partial=True)
        was_at_end = self.is_vertical_scroll_end
        self.write(Text(printable(text), style), scroll_end=False)
        if was_at_end:
            # Now, not after a refresh: the pane would be sent twice.
            self.scroll_end(animate=False, immediate=True, x_axis=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say in the border whether the newest line is in sight."""
        super().watch_scroll_y(old_value, new_value)
        subtitle = "live" if self.is_vertical_scroll_end else "end: back to live"
        if self.border_subtitle != subtitle:
            self.border_subtitle = subtitle

    def say_epoch(self, snapshot: Snapshot) -> None:
        """An epoch's line, as the tutorial prints it, counted from 1."""
        theta = snapshot.theta.tolist()
        names = snapshot.problem.parameters
        shown = " ".join(f"{name}= {value}" for name, value in zip(names[:3], theta[:3], strict=True))
        more = f" and {len(theta) - 3} more" if len(theta) > 3 else ""
        self.say(f"Epoch {snapshot.epoch} {shown}{more} loss= {snapshot.loss}")

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
