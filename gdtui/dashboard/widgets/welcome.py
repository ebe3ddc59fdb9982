"""Welcome: the first keys, for one who starts gdtui for the first time."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from gdtui.dashboard.keymap import key_of

FIRST = {
    ("run",): "run, pause",
    ("update",): "one update",
    ("lr-up", "lr-down"): "learning rate",
    ("help",): "what all this is",
}
"""Commands by their ids, and what they do in a word or two."""


class Welcome(Static):
    """Four lines over the chart, which has nothing to show yet."""

    DEFAULT_CSS = """
    Welcome {
        width: auto;
        height: auto;
        padding: 0 2;
        background: $background;
        color: $text-muted;
    }
    """

    def on_mount(self) -> None:
        """The keys as they are bound."""
        keys = [" ".join(key_of(self.app, name) for name in names) for names in FIRST]
        column = max(map(len, keys))
        text = Text()
        for key, words in zip(keys, FIRST.values(), strict=True):
            text.append(f"{key:>{column}}", f"bold {self.app.theme_variables['primary']}")
            text.append(f"  {words}\n")
        text.rstrip()
        self.update(text)
