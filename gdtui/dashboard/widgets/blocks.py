"""Blocks: what Insight and Readings are made of: sentences, dials and rulers, each in lines of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from gdtui.dashboard.figures import WIDTH, figure
from gdtui.dashboard.gauges import Line, cut, dial, ruler, share_bar, wrapped
from gdtui.dashboard.widgets.lines import Lines
from gdtui.experiment import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gdtui.insight.instruments import Instruments

Sentences = tuple[tuple[str, str], ...]
"""What the verdict says: sentences, each with its kind: good, bad or note."""

MARKS = {"good": "✓", "bad": "✗"}
"""A sentence's mark, so that colour is never the only signal; a note has ·."""

LABEL = 8
"""Cells of a label; its figure stands at their right, and what it means two cells on."""

CELL = LABEL + WIDTH
"""Cells of a label with its figure."""

WIDE = 60
"""From so many cells on there is room for formulas and legends."""

WORD = 14
"""Cells of the word in front of the dial."""

LEAST_BAR = 3
"""A shorter bar says nothing."""

SOURCES = (
    ("limits", "the lr from which on updates no longer shrink the error; ≈ of the curvature here, Cohen et al. 2021"),
    ("noise B", "trΣ/‖g‖², McCandlish et al. 2018; debiased with ‖g‖² − trΣ/n for ‖g‖²"),
    ("tests", "norm √(trΣ/n)/‖g‖, Byrd et al. 2012; norm² = along² + across² = B/n, Bollapragada et al. 2017"),
    ("divers.", "Σ‖gᵢ‖²/‖Σgᵢ‖², Yin et al. 2018; signal/noise 1/B, of a parameter gⱼ²/varⱼ, Liu et al. 2020"),
    ("align", "the mean of cosᵢ = gᵢ·g/(‖gᵢ‖‖g‖); cosᵢ < 0 is against; share gᵢ·g/(n‖g‖²), in all 1"),
    ("alpha", "the newest update on a quadratic fitted to f and f′ at both its ends, Schneider et al. 2021"),
    ("λ", "of f's Hessian: exact where f is quadratic, elsewhere by differences or Lanczos's iteration"),
)

PARTS = ("label", "value", "accent", "good", "bad", "note", "line", "tick", "wall", "broken", "noise", "against")


class Blocks(Lines):
    """A pane of blocks, the most important first; a block has its lines whatever its values are."""

    DEFAULT_CSS = """
    Blocks {
        & > .blocks--label, & > .blocks--note { color: $text-muted; }
        & > .blocks--value { color: $foreground; }
        & > .blocks--accent { color: $primary; text-style: bold; }
        & > .blocks--good { color: $success; text-style: bold; }
        & > .blocks--bad { color: $error; text-style: bold; }
        & > .blocks--line, & > .blocks--broken { color: $foreground 30%; }
        & > .blocks--tick { color: $foreground 70%; }
        & > .blocks--wall { color: $foreground; text-style: bold; }
        & > .blocks--noise, & > .blocks--against { color: $secondary; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"blocks--{part}" for part in PARTS}

    def lines(self, width: int, height: int) -> list[Line]:
        """The pane's lines at this size."""
        raise NotImplementedError

    def draw(self) -> list[Strip]:
        """As many blocks, and of each as many lines, as there is room for."""
        width, height = self.size
        styles = {part: self.get_component_rich_style(f"blocks--{part}") for part in PARTS}
        return [
            Strip([Segment(text, styles[part]) for text, part in line]).adjust_cell_length(width, self.rich_style)
            for line in self.lines(width, height)
        ]


def stacked(
    blocks: Mapping[str, Callable[[int], list[Line]]],
    growth: Sequence[str],
    gaps: Sequence[str],
    width: int,
    height: int,
) -> list[Line]:
    """The lines of blocks below each other.

    Args:
        blocks: how many lines a block may have -> its lines; by its name, in their order.
        growth: which block has each further line of the height; gap: an empty line before one of `gaps`.
        gaps: the blocks that may have an empty line before them, as far as there are any.
        width: in cells.
        height: lines, at most.
    """
    gaps = [name for name in gaps if name in blocks]
    most = {name: len(block(height)) for name, block in blocks.items()}
    most |= {"verdict": 3 if width >= WIDE else 6, "gap": len(gaps)}
    rows = dict.fromkeys(most, 0)
    for name in growth:
        if name in rows and sum(rows.values()) < height and rows[name] < most[name]:
            rows[name] += 1
    spaced = gaps[: rows["gap"]]
    return [
        line
        for name, block in blocks.items()
        if rows[name]
        for line in (*([[]] if name in spaced else []), *block(rows[name]))
    ]


# --- blocks ----------------------------------------------------------------------------------------------------------


def verdict_lines(sentences: Sentences, width: int, rows: int) -> list[Line]:
    """The sentences, each with its mark; filled up, so that what follows stays where it is."""
    lines: list[Line] = []
    for sentence, kind in sentences:
        mark, part = MARKS.get(kind, "·"), kind if kind in MARKS else "note"
        room = rows - len(lines)
        for row, text in enumerate(cut(wrapped(printable(sentence), width - 2), room, width - 2)):
            lines.append([(f"{mark} " if row == 0 else "  ", part), (text, "value")])
    return [*lines, *([] for _ in range(rows - len(lines)))]


def noise_lines(one: Instruments, batch: int, is_full: bool, end: int, width: int) -> list[Line]:
    """Your batch b against the noise scale B, in words and on a dial from 1 to `end`; B's parts."""
    word, texts = _noise_words(one, batch, is_full)
    gauge = dial(batch, one.noise_scale, end, width - WORD)
    lines = [labelled("noise B", one.noise_scale, texts, width)]
    lines.append([(f"{word:<{WORD}}", "noise" if word == NOISY else "value"), *gauge])
    return lines + noise_parts(one, width)


def noise_parts(one: Instruments, width: int) -> list[Line]:
    """What the noise scale can be split into."""
    parts = {"B debiased": one.noise_scale_debiased, "norm test": one.norm_test, "along g": one.inner_product_test}
    parts |= {"across g": one.orthogonality_test, "diversity": one.diversity, "signal/noise": one.signal_to_noise}
    return grid(parts, width, label=12)


def align_lines(one: Instruments, width: int) -> list[Line]:
    """How well the samples agree, how many pull against the step, whose share of it is largest."""
    room = width - CELL - 2
    texts: tuple[str, ...] = ()
    bar: Line = []
    if one.conflicts is not None:
        against, measured = f"{one.conflicts:>{len(f'{one.samples:,}')},}", f"{one.samples:,}"
        of = measured if one.samples == one.of else f"{measured} of {one.of:,}"
        texts = (f"{against} of {of} pull against the step", f"{against} of {of} against")
        texts = (*texts, f"{against}/{measured} against", f"{100 * one.conflicts / one.samples:5.1f} % against")
        texts = tuple(text for text in texts if len(text) + 1 + LEAST_BAR <= room)
        texts = texts or (f"{against}/{measured}", f"{one.conflicts:,}/{measured}", f"{one.conflicts:,}")
        cells = min(40, room - len(fitting(texts, room)) - 1)
        bar = [(" ", "line"), *share_bar(one.conflicts, one.samples, cells)] if cells >= LEAST_BAR else []
    lines = [[*labelled("align", one.alignment, texts, width), *bar]]
    texts = ()
    if one.largest_share_sample is not None:
        sample = f"sample {one.largest_share_sample}"
        texts = (f"of the step, the largest: {sample}", f"largest, {sample}", sample)
    return [*lines, labelled("share", one.largest_share, texts, width)]


def alpha_lines(alpha: float | None, update_size: float | None, width: int) -> list[Line]:
    """Where the newest update landed between the two walls of its valley; at the right a ruler and a word."""
    room = width - CELL - 2
    cells = min(41, room - 9) if room >= 14 else room if room >= 5 else 0
    word = _alpha_word(alpha, bool(update_size)) if room >= 14 else ""
    gauge = ruler(alpha, cells - 1 + cells % 2) if cells >= 5 else []
    lines = [[*labelled("alpha", alpha, (), width), *gauge, (f" {word}" if word else "", "value")]]
    if cells == 41:
        legend = f"{'not moved':<16}{'minimum':<16}{'far wall':>9}"
        lines.append([(" " * (CELL + 2), "label"), (legend, "label")])
    return lines


def source_lines(sources: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """Where the formulas come from; none where there is no room to read them."""
    if width < WIDE:
        return []
    lines = [(name, wrapped(text, width - LABEL)) for name, text in sources]
    return [
        [(f"{'' if row else name:<{LABEL}}", "label"), (text, "label")]
        for name, texts in lines
        for row, text in enumerate(texts)
    ]


# --- parts of blocks -------------------------------------------------------------------------------------------------

NOISY, CLEAR, NONE = "noise leads", "signal leads", "no noise"


def _noise_words(one: Instruments, batch: int, is_full: bool) -> tuple[str, tuple[str, ...]]:
    """Which of the two leads, and how far b is from B, the longest text first."""
    scale = one.noise_scale
    if scale is None:
        why = "all gradients are 0"
        if one.grad_norm is None:
            why = "g is not finite"
        elif one.of == 1:
            why = "a single sample"
        elif one.signal_to_noise is not None or one.grad_norm:
            why = "g is 0: only noise"
        return "", (why,)
    ratio = f"1/{short(scale / batch)} of B" if batch < scale else f"{short(batch / scale)} × B" if scale else "≫ B"
    word = NONE if is_full or not scale else NOISY if batch < scale else CLEAR
    whole = f"full batch {batch:,}: " if is_full else f"batch {batch:,} against B: "
    return word, (f"{whole}b is {ratio}", f"b {batch:,} is {ratio}", f"b is {ratio}", f"b {batch:,}")


def short(ratio: float) -> str:
    """Two to four digits: 1.3, 23, 640, 6.4e5."""
    if math.isinf(ratio):
        return "∞"
    if ratio < 9.95:
        return f"{ratio:.1f}"
    return f"{ratio:.0f}" if ratio < 9_999.5 else f"{ratio:.1e}".replace("e+0", "e").replace("e+", "e")


def _alpha_word(alpha: float | None, has_moved: bool) -> str:
    if alpha is None or math.isnan(alpha):
        return ""
    if alpha == -1:
        return "concave" if has_moved else "no step"  # as alpha's conventions have it
    words = ((-1.0, "uphill"), (-0.05, "short"), (0.05, "minimum"), (0.9995, "too far"), (1.0005, "far wall"))
    return next((word for end, word in words if alpha < end), "climbs")


def labelled(label: str, value: float | None, texts: Sequence[str], width: int) -> Line:
    """A label, its figure, and the first of some texts that fits."""
    text = fitting(texts, width - CELL - 2)
    return [(f"{label:<{LABEL}}", "label"), (f"{figure(value):>{WIDTH}}  ", "value"), (text, "value")]


def fitting(texts: Sequence[str], room: int) -> str:
    """The first of some texts that has room; none, where none has."""
    return next((text for text in texts if cell_len(text) <= room), "")


def grid(values: dict[str, float | None], width: int, label: int) -> list[Line]:
    """Labels with their figures, as many beside each other as fit."""
    columns = max(1, (width + 2) // (label + WIDTH + 2))
    items = [[(f"{name:<{label}}", "label"), (f"{figure(value):>{WIDTH}}", "value")] for name, value in values.items()]
    rows = [items[start : start + columns] for start in range(0, len(items), columns)]
    return [[piece for item in row for piece in (*item, ("  ", "label"))] for row in rows]
