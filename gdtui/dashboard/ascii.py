"""ASCII: a line filter for terminals, and people, that want nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter

from gdtui.ascii import in_ascii

if TYPE_CHECKING:
    from textual.color import Color


class Ascii(LineFilter):
    """Whatever is drawn, in plain characters."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 (as Textual asks)
        """The same cells with likenesses of their characters."""
        return [Segment(_cells(text), style, control) for text, style, control in segments]


@lru_cache(4096)
def _cells(text: str) -> str:
    """A text's likeness, in as many cells as Textual has measured for it."""
    width = cell_len(text)
    return in_ascii(text)[:width].ljust(width)
