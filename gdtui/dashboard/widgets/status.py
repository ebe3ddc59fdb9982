"""Status: the line on top that says what runs and where it is, and the line of keys at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.widget import Widget

from gdtui.dashboard.figures import figure, printable, shortened
from gdtui.dashboard.keymap import bar

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment

SYMBOLS = {
    "loading": "…",
    "ready": "○",
    "running": "●",
    "paused": "‖",
    "finished": "■",
    "converged": "✓",
    "diverged": "✗",
}
"""A mark for each state, so that colour is never the only signal."""


class Status(Widget):
    """What runs at the left, where it is at the right; numbers keep their places."""

    DEFAULT_CSS = """
    Status {
        height: 1;
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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._experiment: Experiment | None = None
        self._snapshot: Snapshot | None = None
        self._state = "loading"
        self._speed = ""

    def show(self, experiment: Experiment, snapshot: Snapshot | None, state: str, speed: str) -> None:
        """Show a moment, its state and the player's speed."""
        before = self.render()
        self._experiment, self._snapshot, self._state, self._speed = experiment, snapshot, state, speed
        if self.render() != before:
            self.refresh()

    def render(self) -> Text:
        """One line; what has no room is left out whole."""
        style = self.get_component_rich_style
        kind = {"running": "running", "diverged": "diverged"}.get(self._state, "value")
        right = Text(f"{SYMBOLS[self._state]} {self._state:<9}", style(f"status--{kind}"))
        room = self.size.width - right.cell_len - len("gdtui  ")
        for label, value in self._figures():
            if len(label) + len(value) + 3 <= room:
                right.append(f"  {label} " if label else "  ", style("status--label"))
                right.append(value, style("status--value"))
                room = self.size.width - right.cell_len - len("gdtui  ")
        left = Text("gdtui", style("status--name"))
        name = self._describe()
        if room >= 12:
            left.append(f"  {shortened(name, room - 1)}", style("status--value"))
        left.append(" " * max(1, self.size.width - left.cell_len - right.cell_len))
        return left.append_text(right)

    def _describe(self) -> str:
        e = self._experiment
        if e is None:
            return ""
        return printable(f"{e.problem} · {e.data.rsplit('/', 1)[-1]} · {e.optimizer} b={e.batch_size} lr {e.lr:.6g}")

    def _figures(self) -> list[tuple[str, str]]:
        s = self._snapshot
        if s is None or self._experiment is None:
            return []
        planned = f"{self._experiment.epochs:,}"
        inside = "" if s.is_between_epochs else f" {100 * (s.visited / s.problem.n - s.epoch):2.0f} %"
        return [
            ("epoch", f"{s.epoch:>{len(planned)},}/{planned}{inside:5}".rstrip() + " " * (5 - len(inside))),
            ("loss", f"{figure(s.loss):>9}"),
            ("updates", f"{s.updates:>{max(3, len(f'{s.updates:,}'))},}"),
            ("", f"{self._speed:>12}"),
        ]


class KeyBar(Widget):
    """The keys, as many as fit."""

    DEFAULT_CSS = """
    KeyBar {
        height: 1;
        & > .key-bar--key { color: $primary; text-style: bold; }
        & > .key-bar--label { color: $text-muted; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key", "key-bar--label"}

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._is_playing = False

    def show(self, is_playing: bool) -> None:
        """Space runs, or pauses."""
        if is_playing != self._is_playing:
            self._is_playing = is_playing
            self.refresh()

    def render(self) -> Text:
        """Key and label, key and label; help and quit always have their place."""
        items = bar(self._is_playing)
        room = self.size.width - 1 - sum(len(keys) + len(label) + 3 for keys, label in items[-2:])
        text = Text(" ", no_wrap=True)
        for keys, label in items[:-2]:
            if len(keys) + len(label) + 3 > room:
                break
            room -= len(keys) + len(label) + 3
            self._append(text, keys, label)
        for keys, label in items[-2:]:
            self._append(text, keys, label)
        return text

    def _append(self, text: Text, keys: str, label: str) -> None:
        text.append(keys, self.get_component_rich_style("key-bar--key"))
        text.append(f" {label}  ", self.get_component_rich_style("key-bar--label"))
