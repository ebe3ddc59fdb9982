"""Status: the line on top that says what runs and where it is, the line of keys, and that there is no room."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from gdtui.dashboard.figures import figure, shortened
from gdtui.dashboard.keymap import LAB, bar, commands_of, on_screen
from gdtui.experiment import printable

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.terminal.pace import Link

SYMBOLS = {
    "loading": "…",
    "ready": "○",
    "running": "●",
    "paused": "‖",
    "finished": "■",
    "converged": "✓",
    "diverged": "✗",
    "interrupted": "╳",
    "watching": "◉",
    "held": "‖",
}
"""A mark for each state, so that colour is never the only signal."""


NAMED = 36
"""Columns from which there is room for gdtui's own name."""

LEFT_TO_OTHERS = 60
"""Columns that the reason why a run is not kept leaves to the rest, or else it is not said here."""


class StatusLine(Widget):
    """What runs at the left, where it is at the right; numbers keep their places."""

    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        padding: 0 1;
        & > .status--name { color: $primary; text-style: bold; }
        & > .status--label { color: $text-muted; }
        & > .status--value { color: $foreground; }
        & > .status--running { color: $success; }
        & > .status--diverged { color: $error; text-style: bold; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--name",
        "status--label",
        "status--value",
        "status--running",
        "status--diverged",
    }

    AHEAD: ClassVar[int] = 2
    """So many of the figures are more important than any but the shortest description."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._state = "loading"
        self._trouble = self._link = ""

    def descriptions(self) -> list[str]:
        """What runs, in fewer and fewer words."""
        raise NotImplementedError

    def figures(self) -> list[list[tuple[str, str]]]:
        """Label and value of each, the most important first; where it can be said in less, that after it."""
        raise NotImplementedError

    def show_state(self, state: str, trouble: str, link: Link | None) -> None:
        """Show the state, what there is to worry about, a link that is the limit, and what else has changed."""
        self._state, self._trouble = state, trouble
        self._link = f"  ≈ {link.bytes_per_s / 1000:4.1f} kB/s {link.round_trip_ms or 0:4.0f} ms" if link else ""
        line = self._line()
        if line != self._shown:
            self._shown = line
            self.refresh()

    _shown: Text | None = None

    def render(self) -> Text:
        """One line."""
        return self._line()

    def _line(self) -> Text:
        """What has no room is left out whole, the least important first."""
        style = self.get_component_rich_style
        kind = {"running": "running", "watching": "running", "diverged": "diverged"}.get(self._state, "value")
        right = Text(f"{SYMBOLS[self._state]} {self._state:<9}", style(f"status--{kind}"))
        if self._trouble:
            short = self._trouble.partition(":")[0]
            words = self._trouble if len(self._trouble) + LEFT_TO_OTHERS <= self.size.width else short
            right = Text.assemble((words, style("status--diverged")), "  ", right)
        left = Text("gdtui" if self.size.width >= NAMED else "", style("status--name"))
        figures = self.figures()
        names = self.descriptions()
        for name in names:
            ahead = figures[: 2 if name is names[-1] else self.AHEAD]
            necessary = right.cell_len + left.cell_len + sum(_cells(options[0]) for options in ahead)
            if necessary + cell_len(name) + 4 <= self.size.width:
                left.append(f"  {name}", style("status--value"))
                break
        for options in figures:
            room = self.size.width - left.cell_len - right.cell_len
            label, value = next((option for option in options if _cells(option) < room), ("", ""))
            right.append(f"  {label} " if label else "  " if value else "", style("status--label"))
            right.append(value, style("status--value"))
        if left.cell_len + right.cell_len + len(self._link) < self.size.width:
            left.append(self._link, style("status--label"))
        left.append(" " * max(1, self.size.width - left.cell_len - right.cell_len))
        return left.append_text(right)


class Status(StatusLine):
    """A descent's: its experiment, its moment, the player's speed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._experiment: Experiment | None = None
        self._snapshot: Snapshot | None = None
        self._speed = ""

    def show(
        self,
        experiment: Experiment,
        snapshot: Snapshot | None,
        state: str,
        speed: str,
        not_kept: str = "",
        link: Link | None = None,
    ) -> None:
        """Show a moment, its state, the player's speed, why the run is not being kept, and a link that is the limit."""
        self._experiment, self._snapshot, self._speed = experiment, snapshot, speed
        self.show_state(state, f"! not kept: {not_kept}" if not_kept else "", link)

    def descriptions(self) -> list[str]:
        """The experiment."""
        e = self._experiment
        if e is None:
            return []
        method = f"{e.optimizer} b={e.batch_size} lr {e.lr:.6g}"
        name = self._snapshot.problem.dataset.name if self._snapshot else e.data
        data = shortened(printable(name.rsplit("/", 1)[-1]), 24)
        return [printable(f"{e.problem} · {data} · {method}"), printable(f"{data} · {method}"), method]

    def figures(self) -> list[list[tuple[str, str]]]:
        """How far it has come."""
        s = self._snapshot
        if s is None or self._experiment is None:
            return []
        planned = f"{self._experiment.epochs:,}"
        inside = "" if s.is_between_epochs else f" {100 * (s.visited / s.problem.n - s.epoch):2.0f} %"
        epoch = f"{s.epoch:>{len(planned)},}"
        return [
            [(label, f"{epoch}{of}") for of in (f"/{planned}{inside:5}", "") for label in ("epoch", "")],
            [("loss", f"{figure(s.loss):>9}")],
            [("updates", f"{s.updates:>3,}")],
            [("", f"{self._speed:>12}")],
        ]


def _cells(labelled: tuple[str, str]) -> int:
    label, value = labelled
    return 2 + len(label) + (1 if label else 0) + len(value)


class KeyBar(Widget):
    """The keys that matter now, as many as fit."""

    DEFAULT_CSS = """
    KeyBar {
        height: 1;
        padding: 0 1;
        & > .key-bar--key { color: $primary; text-style: bold; }
        & > .key-bar--label { color: $text-muted; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key", "key-bar--label"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._state, self._pane = "ready", ""

    def show(self, state: str) -> None:
        """Those that matter while the run is in this state: ready, running, paused, over or following."""
        if state != self._state:
            self._state = state
            self.refresh()

    def show_pane(self, pane: str) -> None:
        """Those that matter while this pane is focused, or a field."""
        if pane != self._pane:
            self._pane = pane
            self.refresh()

    def render(self) -> Text:
        """Key and label, key and label; help and quit always have their place."""
        room = self.size.width + 2  # nothing stands behind the last one
        commands = on_screen(commands_of(self.app), getattr(self.screen, "kind", LAB))
        items = bar(self._state, self._pane, room, commands)
        text = Text(no_wrap=True)
        for keys, label in items:
            self._append(text, keys, label)
        return text

    def _append(self, text: Text, keys: str, label: str) -> None:
        text.append(keys, self.get_component_rich_style("key-bar--key"))
        text.append(f" {label}  ", self.get_component_rich_style("key-bar--label"))


LEAST = (30, 8)
"""Columns and rows of the smallest terminal that shows anything of the lab."""


class Cramped(Widget):
    """Says how large a terminal has to be; the style sheet shows it, and nothing else, where one is smaller."""

    DEFAULT_CSS = "Cramped { display: none; height: 1fr; content-align: center middle; color: $text-muted; }"

    def render(self) -> Text:
        """As much of it as there is room for."""
        width, height = self.app.size
        least = f"{LEAST[0]}×{LEAST[1]}"
        texts = (f"{least} at least, this is {width}×{height}", f"{least} at least", f"≥ {least}", "…")
        return Text(next((text for text in texts if len(text) <= self.size.width), ""), no_wrap=True)
