"""Caption: what a lesson says about the runs that are shown, with numbers computed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

HINT = "▸ "


class Caption(VerticalScroll):
    """Two or three sentences, and what to try next."""

    DEFAULT_CSS = """
    Caption {
        height: auto;
        scrollbar-size-vertical: 1;
        & > Static { height: auto; }
        & > .caption--hint { color: $warning; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"caption--hint"}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.text = self.hint = ""

    def compose(self) -> ComposeResult:
        """The sentences, then the hint on a line of its own."""
        yield Static(markup=False)

    def show(self, text: str, hint: str) -> None:
        """Say this from now on."""
        self.text, self.hint = text, hint
        style = self.get_component_rich_style("caption--hint")
        self.query_one(Static).update(Text.assemble(text, "\n" if hint else "", (f"{HINT}{hint}", style)))
        self.scroll_home(animate=False)
