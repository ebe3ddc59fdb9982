"""Filter line: the samples' filter, as one types it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.message import Message

from gdtui.dashboard.widgets.controls import Field


class FilterLine(Field):
    """One line; enter keeps what is typed, escape gives it up."""

    DEFAULT_CSS = """
    FilterLine { dock: bottom; margin: 0 0 0 2; padding: 0; background: transparent; }
    FilterLine:focus { background: $primary 25%; }
    """

    BINDINGS: ClassVar = [Binding("escape", "give_up", "Give up", show=False)]

    class GivenUp(Message):
        """Nothing is to change after all."""

    def __init__(self, value: str, example: str) -> None:
        super().__init__(value, placeholder=example, compact=True, id="filter")

    def action_give_up(self) -> None:
        """As it was before."""
        self.post_message(self.GivenUp())
