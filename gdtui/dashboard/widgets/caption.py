"""Caption: what a lesson says about the runs that are shown, with numbers computed from them."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

HINT = "▸ "


class Caption(Widget):
    """Two or three sentences, and what to try next."""

    DEFAULT_CSS = """
    Caption {
        height: auto;
        & > .caption--hint { color: $warning; }
    }
    """

    COMPONENT_CLASSES = {"caption--hint"}  # noqa: RUF012 (as Textual types it)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.text = self.hint = ""

    def show(self, text: str, hint: str) -> None:
        """Say this from now on."""
        self.text, self.hint = text, hint
        self.refresh(layout=True)

    def render(self) -> Text:
        """The sentences, then the hint on a line of its own."""
        return Text.assemble(
            self.text, "\n" if self.hint else "", (f"{HINT}{self.hint}", self.get_component_rich_style("caption--hint"))
        )
