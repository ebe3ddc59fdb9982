"""Asking: a box at the bottom, over the screen that asks: a line to type in, and what is to be said of it."""

from __future__ import annotations

from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Static

from gdtui.dashboard.screens.layer import Layer


class AskingScreen(ModalScreen[ScreenResultType], Layer[ScreenResultType]):
    """What such screens have in common: a `Vertical` with a `Field`, and beneath it `#told`."""

    def say(self, text: str, kind: str = "") -> None:
        """Say something of what is typed: what it means, that it is wrong, or asks something back."""
        for line in self.query("#told").results(Static):  # none any more, where one has left before the answer came
            line.set_class(kind == "wrong", "-wrong")
            line.set_class(kind == "asks", "-asks")
            line.update(text)
