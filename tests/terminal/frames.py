"""Screens as Textual writes them, drawn at random: its own strips and updates, of all that terminals find hard."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

CONSOLE = Console(color_system="truecolor", force_terminal=True)

TEXTS = [
    *("a", "loss", "0.9844e-20", "Epoch 75", "─" * 9, "╭", "│", "⡇⠢", "█▌", "‖", "θ∇×", "x" * 30, "=" * 12),
    *("漢字", "日本語", "한", "é漢é", "日" * 6, "ﬁ", "é", "e\u0301", "ñ\u0323o"),
    *("🚀", "⚠\ufe0f", "👩\u200d🔬", "🇩🇪", "☕"),
]
COLORS = ["#111418", "#61afef", "#d7dae0", "red", "bright_blue", "color(120)", "default"]


@dataclass(frozen=True)
class Update:
    """What is written, and on which screen.

    Attributes:
        size: columns and rows.
        data: as the compositor writes it.
        cut: where it is cut in two.
    """

    size: tuple[int, int]
    data: str
    cut: float


@st.composite
def styles(draw: st.DrawFn) -> Style | None:
    """Few, so that they come again."""
    if draw(st.integers(0, 9)) == 0:
        return None
    attributes = {
        name: True
        for name in ("bold", "dim", "italic", "underline", "reverse", "strike", "blink", "overline", "underline2")
        if draw(st.integers(0, 11)) == 0
    }
    color, background = (draw(st.sampled_from([None, *COLORS])) for _ in range(2))
    style = Style(color=color and Color.parse(color), bgcolor=background and Color.parse(background), **attributes)
    if draw(st.integers(0, 19)) == 0:
        style += Style(link=draw(st.sampled_from(["https://a.org/?q=1;2", "https://b.org"])))
        style._link_id = "7"
    return style


@st.composite
def strips(draw: st.DrawFn, width: int, palette: list[Style | None]) -> Strip:
    """A row of so many cells."""
    segments: list[Segment] = []
    length = 0
    while length < width and draw(st.integers(0, 7)):
        text = draw(st.sampled_from(TEXTS)) if draw(st.booleans()) else " " * draw(st.integers(1, width))
        segments.append(Segment(text, draw(st.sampled_from(palette))))
        length += cell_len(text)
    return Strip(segments).adjust_cell_length(width, draw(st.sampled_from(palette)))


@st.composite
def sequences(draw: st.DrawFn) -> list[Update]:
    """Updates of one screen: whole, parts of it, scrolled parts, the same again, another size."""
    palette = [draw(styles()) for _ in range(draw(st.integers(1, 5)))]
    width, height = draw(st.integers(2, 60)), draw(st.integers(1, 14))
    rows = [draw(strips(width, palette)) for _ in range(height)]
    updates = [_update(draw, rows, Region(0, 0, width, height), (width, height))]
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["part", "part", "rows", "scroll", "scroll", "same", "size"]))
        x, y = 0, draw(st.integers(0, height - 1))
        w, h = width, draw(st.integers(1, height - y))
        if kind == "size":
            width, height = draw(st.integers(2, 60)), draw(st.integers(1, 14))
            rows = [draw(strips(width, palette)) for _ in range(height)]
            x, y, w, h = 0, 0, width, height
        elif kind == "rows":
            for k in range(y, y + h):
                rows[k] = draw(strips(width, palette))
        elif kind == "part":
            x = draw(st.integers(0, width - 1))
            w = draw(st.integers(1, width - x))
            for k in range(y, y + h):
                new = draw(strips(w, palette))
                rows[k] = Strip.join([rows[k].crop(0, x), new, rows[k].crop(x + w, width)])
        elif kind == "scroll":
            n = draw(st.integers(1, h))
            new = [draw(strips(width, palette)) for _ in range(n)]
            part = rows[y : y + h]
            rows[y : y + h] = part[n:] + new if draw(st.booleans()) else new + part[: h - n]
        updates.append(_update(draw, rows, Region(x, y, w, h), (width, height)))
    return updates


def _update(draw: st.DrawFn, rows: list[Strip], region: Region, size: tuple[int, int]) -> Update:
    part = [[row.crop(region.x, region.right)] for row in rows[region.y : region.bottom]]
    data = LayoutUpdate(part, region).render_segments(CONSOLE)
    cursor = draw(st.integers(0, size[0] - 1)), draw(st.integers(0, size[1] - 1))
    return Update(size, f"{data}\x1b[{cursor[1] + 1};{cursor[0] + 1}H", draw(st.floats(0, 1)))
