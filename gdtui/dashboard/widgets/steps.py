"""Steps: the newest update taken apart, as the lines of a small table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from gdtui.dashboard.figures import WIDTH, figure, shortened
from gdtui.experiment import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gdtui.insight.anatomy import Anatomy

    Line = list[tuple[str, str]]
    """Texts, each with the part of a pane whose style it has: label, text, dim or now."""

FORMULA = 12
"""With fewer cells than these left for it, a formula is left out."""

WIDE, FORMULA_OF_MANY = 72, 36
"""In a table so wide, a formula has its place however many parameters there are, up to so many cells."""


def anatomy_lines(anatomy: Anatomy, width: int, height: int) -> list[Line]:
    """A line a stage, from g to the step: its name, its formula where there is room, its value in each parameter.

    Of many parameters there are the first, and the norm of all; with too few lines, what is between g and the step is
    left out, the newest first. No line is wider than `width`, and no number cut.
    """
    stages = anatomy.stages
    label = max(cell_len(stage.name) for stage in stages)
    longest = max(cell_len(stage.formula) for stage in stages)
    reserved = min(longest, FORMULA_OF_MANY) + 1 if width >= WIDE else 0
    room = (width - label - reserved) // (WIDTH + 1)
    if height < 2 or room < 1:
        return []
    has_norm = len(anatomy.parameters) > room
    shown = anatomy.parameters[: room - has_norm]
    heads = [shortened(printable(name), WIDTH) for name in shown] + ["norm"] * has_norm
    left = width - label - len(heads) * (WIDTH + 1) - 1
    formulas = min(left, longest) if left >= FORMULA else 0
    has_head = height >= 3
    lines = [_head(anatomy, heads, label + (formulas + 1 if formulas else 0))] if has_head else []
    for stage in (*stages[:-1][: height - has_head - 1], stages[-1]):
        numbers = stage.values[: len(shown)].tolist() + [stage.norm] * has_norm
        line: Line = [(_padded(stage.name, label), "text")]
        if formulas:
            line.append((" " + _padded(shortened(stage.formula, formulas), formulas), "dim"))
        line.append((_columns(map(figure, numbers)), "now" if stage is stages[-1] else "text"))
        lines.append(line)
    return lines


def _head(anatomy: Anatomy, heads: list[str], indent: int) -> Line:
    """The parameters' names above their columns, and the update's number where that leaves room."""
    text, title = " " * indent + _columns(heads), f"update {anatomy.update:,} "
    return [(title + text[len(title) :] if not text[: len(title)].strip() else text, "dim")]


def _columns(texts: Iterable[str]) -> str:
    return "".join(f" {text:>{WIDTH}}" for text in texts)


def _padded(text: str, cells: int) -> str:
    """A hat over a letter is a character without a cell of its own."""
    return text + " " * (cells - cell_len(text))
