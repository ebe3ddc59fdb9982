"""Run prompts: the last line of the runs' screen: its keys, a line to type in, or a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Label, Static

from gdtui.dashboard.widgets.controls import Field
from gdtui.dashboard.widgets.status import KeyBar
from gdtui.runs.store import SWEEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import Key

    from gdtui.dashboard.keymap import Command
    from gdtui.runs.store import Run


class Prompt(Horizontal):
    """One line to type in.

    Attributes:
        run: the run that what is typed is for; None for a search.
        setting: what of it.
    """

    DEFAULT_CSS = """
    Prompt {
        height: 1;
        padding: 0 1;
        & Label { color: $text-muted; }
        & Field { width: 1fr; padding: 0; background: transparent; }
        & Field:focus { background: $primary 25%; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.run: Run | None = None
        self.setting = ""

    def compose(self) -> ComposeResult:
        """What it is, and the field."""
        yield Label(markup=False)
        yield Field(compact=True, select_on_focus=False)

    def ask(self, run: Run | None, setting: str, label: str, text: str) -> None:
        """Let a person type, beginning with what there is already; at once: the keys that follow are for it."""
        self.run, self.setting = run, setting
        self.query_one(Label).update(f"{label} ")
        field = self.query_one(Field)
        field.value = text
        field.cursor_position = len(field.value)
        self.display = True
        self.screen.set_focus(field)


class Question(Static, can_focus=True):
    """Whether a run is to be deleted for good; any key but y says no."""

    DEFAULT_CSS = """
    Question { height: 1; padding: 0 1; color: $warning; }
    """

    @dataclass
    class Confirmed(Message):
        """Yes.

        Attributes:
            run: the run that was asked about.
        """

        run: Run

    class Declined(Message):
        """No."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._run: Run | None = None

    def ask(self, run: Run) -> None:
        """Ask about a run; the keys that follow are the answer."""
        self._run = run
        what = f"sweep {run.id} with all its runs" if run.kind == SWEEP else f"run {run.id}"
        self.update(f"delete {what} for good? y/n")
        self.display = True
        self.screen.set_focus(self)

    def on_key(self, event: Key) -> None:
        """The answer."""
        event.stop()
        event.prevent_default()
        if event.key == "y" and self._run is not None:
            self.post_message(self.Confirmed(self._run))
        else:
            self.post_message(self.Declined())


class RunKeys(KeyBar):
    """The keys of the runs' screen, as many as fit; the last two always have their place."""

    def __init__(self, commands: Sequence[Command], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items = [(command.shown, command.label) for command in commands if command.in_bar]

    def render(self) -> Text:
        """Key and label, key and label."""
        room = self.size.width - 2
        wanted = [*self._items[-2:], *self._items[:-2]]
        fitting = 0
        for keys, label in wanted:
            room -= len(keys) + len(label) + 3
            if room < -2:  # nothing stands behind the last one
                break
            fitting += 1
        text = Text(no_wrap=True)
        for keys, label in [*wanted[2:fitting], *wanted[:2]]:
            self._append(text, keys, label)
        return text
