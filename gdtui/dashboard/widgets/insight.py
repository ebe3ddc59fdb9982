"""Insight: what the numbers mean: the verdict, the learning rate among its limits, noise, alignment, alpha."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from gdtui.dashboard.figures import WIDTH, figure, shortened
from gdtui.dashboard.gauges import Line, cut, dial, ladder_axis, ruler, share_bar, wrapped
from gdtui.dashboard.widgets.lines import Lines
from gdtui.experiment import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gdtui.insight.instruments import Instruments
    from gdtui.insight.reading import Reading
    from gdtui.insight.stability import Limit, Stability

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

SMALL = 10_000
"""Up to so many numbers in G, each parameter's own signal-to-noise is cheap enough to compute while drawing."""

SOURCES = (
    ("limits", "the lr from which on updates no longer shrink the error; ≈ of the curvature here, Cohen et al. 2021"),
    ("noise B", "trΣ/‖g‖², McCandlish et al. 2018; debiased with ‖g‖² − trΣ/n for ‖g‖²"),
    ("tests", "norm √(trΣ/n)/‖g‖, Byrd et al. 2012; norm² = along² + across² = B/n, Bollapragada et al. 2017"),
    ("divers.", "Σ‖gᵢ‖²/‖Σgᵢ‖², Yin et al. 2018; signal/noise 1/B, of a parameter gⱼ²/varⱼ, Liu et al. 2020"),
    ("align", "the mean of cosᵢ = gᵢ·g/(‖gᵢ‖‖g‖); cosᵢ < 0 is against; share gᵢ·g/(n‖g‖²), in all 1"),
    ("alpha", "the newest update on a quadratic fitted to f and f′ at both its ends, Schneider et al. 2021"),
    ("λ", "of f's Hessian: exact where f is quadratic, elsewhere by differences or Lanczos's iteration"),
)

GROWTH = (
    *("verdict", "verdict", "ladder", "ladder", "noise", "align", "alpha", "figures"),
    *("ladder", "verdict", "noise", "ladder", "verdict", "ladder", "align", "figures"),
    *("gap", "figures", "gap", "gap", "ladder", "ladder", "ladder", "gap", "gap", "alpha", "noise", "noise"),
    *("ladder", "figures", "ladder", "noise", "ladder", "noise", "ladder", "verdict", "ladder"),
    *("ladder",) * 4,
    "gap",
    *("sources",) * 2 * len(SOURCES),
)
"""Which block has each further line of the pane's height: it depends on nothing that moves from frame to frame."""

GAPS = ("noise", "align", "figures", "alpha", "sources", "ladder")
"""Which blocks have an empty line before them, as far as there are any."""

PARTS = ("label", "value", "accent", "good", "bad", "note", "line", "tick", "wall", "broken", "noise", "against")


class Insight(Lines, can_focus=True):
    """What a moment's numbers mean, the most important first; a block has its lines whatever its values are."""

    DEFAULT_CSS = """
    Insight {
        & > .insight--label, & > .insight--note { color: $text-muted; }
        & > .insight--value { color: $foreground; }
        & > .insight--accent { color: $primary; text-style: bold; }
        & > .insight--good { color: $success; text-style: bold; }
        & > .insight--bad { color: $error; text-style: bold; }
        & > .insight--line, & > .insight--broken { color: $foreground 30%; }
        & > .insight--tick { color: $foreground 70%; }
        & > .insight--wall { color: $foreground; text-style: bold; }
        & > .insight--noise, & > .insight--against { color: $secondary; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"insight--{part}" for part in PARTS}

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._reading: Reading | None = None
        self._sentences: Sentences = ()
        self._status = ""

    def show(self, reading: Reading, sentences: Sequence[tuple[str, str]]) -> None:
        """Show what was measured of a moment, and what the verdict says of it; only lines that changed are sent."""
        goes_on = self._reading is not None and self._reading.snapshot.state == reading.snapshot.state
        self._reading, self._sentences = reading, tuple(sentences)
        one = reading.instruments
        status = f"{one.of:,} samples" if one.samples == one.of else f"{one.samples:,} of {one.of:,} samples"
        if status != self._status:
            self._status = status
            self.border_subtitle = Content(status)
        if goes_on:
            self.redraw_in_turn()
        else:
            self.redraw()

    def draw(self) -> list[Strip]:
        """As many blocks, and of each as many lines, as there is room for."""
        width, height = self.size
        if self._reading is None:
            lines: list[Line] = [[("measured once there is a run", "label")]]
        else:
            lines = compose_lines(self._reading, self._sentences, width, height)
        styles = {part: self.get_component_rich_style(f"insight--{part}") for part in PARTS}
        return [
            Strip([Segment(text, styles[part]) for text, part in line]).adjust_cell_length(width, self.rich_style)
            for line in lines
        ]


def compose_lines(reading: Reading, sentences: Sentences, width: int, height: int) -> list[Line]:
    """The pane's lines at this size."""
    blocks: dict[str, Callable[[int], list[Line]]] = {
        "verdict": lambda rows: verdict_lines(sentences, width, rows),
        "ladder": lambda rows: ladder_lines(reading.stability, width, rows),
        "noise": lambda rows: noise_lines(reading, width)[:rows],
        "align": lambda rows: align_lines(reading.instruments, width)[:rows],
        "alpha": lambda rows: alpha_lines(reading.alpha, reading.update_size, width)[:rows],
        "figures": lambda rows: figure_lines(reading, width)[:rows],
        "sources": lambda rows: source_lines(width)[:rows],
    }
    most = {name: len(block(height)) for name, block in blocks.items()}
    most |= {"verdict": 3 if width >= WIDE else 6, "gap": len(GAPS)}
    rows = dict.fromkeys(most, 0)
    for name in GROWTH:
        if sum(rows.values()) < height and rows[name] < most[name]:
            rows[name] += 1
    spaced = GAPS[: rows["gap"]]
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


def ladder_lines(stability: Stability, width: int, rows: int) -> list[Line]:
    """The axis; below it the learning rate among the limits, the smallest first, and why some are not known."""
    everything = (stability.applies, *stability.others, *([stability.fastest] if stability.fastest else []))
    reasons = {limit.name: wrapped(f"{limit.name}: {limit.reason}", width - 2) for limit in everything if not limit.lr}
    rows = min(rows, 2 + len(everything) + sum(len(texts) - 1 for texts in reasons.values()))
    # What matters most has the first lines: the limit that applies, the learning rate, its neighbours.
    taken = everything[: 1 if rows <= 2 else rows - 2]
    rungs = [(limit.lr, _limit_line(limit, stability, width)) for limit in taken if limit.lr]
    rungs += [(stability.lr, _lr_line(stability, width))] if rows > 2 else []
    lines = [line for _, line in sorted(rungs, key=lambda rung: rung[0])]
    missing = [limit.name for limit in taken if not limit.lr]
    room = rows - 1 - len(lines)
    for left, name in enumerate(missing, 1 - len(missing)):
        texts = cut(reasons[name], room + left, width - 2)  # a line at least for each of those still to come
        lines += [[("  " if row else "– ", "label"), (text, "label")] for row, text in enumerate(texts)]
        room -= len(texts)
    return [ladder_axis(stability, width), *lines, *([] for _ in range(room))][:rows]


def noise_lines(reading: Reading, width: int) -> list[Line]:
    """Your batch b against the noise scale B, in words and on a dial; B's parts, where there is room."""
    from gdtui.descent.batching import samples_in_batch
    from gdtui.insight.stability import is_split

    one, experiment = reading.instruments, reading.snapshot.experiment
    batch = samples_in_batch(experiment.batch_size, one.of)
    is_full = not is_split(experiment, one.of)
    word, texts = _noise_words(one, batch, is_full)
    head = _labelled("noise B", one.noise_scale, texts, width)
    gauge = dial(batch, one.noise_scale, one.of, width - WORD)
    lines = [head, [(f"{word:<{WORD}}", "noise" if word == NOISY else "value"), *gauge]]
    parts = {"B debiased": one.noise_scale_debiased, "norm test": one.norm_test, "along g": one.inner_product_test}
    parts |= {"across g": one.orthogonality_test, "diversity": one.diversity, "signal/noise": one.signal_to_noise}
    return lines + _grid(parts, width, label=12) + _coordinate_lines(reading, width)


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
        cells = min(40, room - len(_fitting(texts, room)) - 1)
        bar = [(" ", "line"), *share_bar(one.conflicts, one.samples, cells)] if cells >= LEAST_BAR else []
    lines = [[*_labelled("align", one.alignment, texts, width), *bar]]
    texts = ()
    if one.largest_share_sample is not None:
        sample = f"sample {one.largest_share_sample}"
        texts = (f"of the step, the largest: {sample}", f"largest, {sample}", sample)
    return [*lines, _labelled("share", one.largest_share, texts, width)]


def alpha_lines(alpha: float | None, update_size: float | None, width: int) -> list[Line]:
    """Where the newest update landed between the two walls of its valley; at the right a ruler and a word."""
    room = width - CELL - 2
    cells = min(41, room - 9) if room >= 14 else room if room >= 5 else 0
    word = _alpha_word(alpha, bool(update_size)) if room >= 14 else ""
    gauge = ruler(alpha, cells - 1 + cells % 2) if cells >= 5 else []
    lines = [[*_labelled("alpha", alpha, (), width), *gauge, (f" {word}" if word else "", "value")]]
    if cells == 41:
        legend = f"{'not moved':<16}{'minimum':<16}{'far wall':>9}"
        lines.append([(" " * (CELL + 2), "label"), (legend, "label")])
    return lines


def figure_lines(reading: Reading, width: int) -> list[Line]:
    """‖g‖, the update's size, the curvature, the way from the start."""
    here = reading.stability.curvature
    values = {"‖g‖": reading.instruments.grad_norm, "update": reading.update_size}
    values |= {"λmax": here.largest if here else None, "λmin": here.smallest if here else None}
    return _grid({**values, "from θ₀": reading.distance}, width, label=LABEL)


def source_lines(width: int) -> list[Line]:
    """Where the formulas come from; none where there is no room to read them."""
    if width < WIDE:
        return []
    lines = [(name, wrapped(text, width - LABEL)) for name, text in SOURCES]
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
    ratio = f"1/{_short(scale / batch)} of B" if batch < scale else f"{_short(batch / scale)} × B" if scale else "≫ B"
    word = NONE if is_full or not scale else NOISY if batch < scale else CLEAR
    whole = f"full batch {batch:,}: " if is_full else f"batch {batch:,} against B: "
    return word, (f"{whole}b is {ratio}", f"b {batch:,} is {ratio}", f"b is {ratio}", f"b {batch:,}")


def _short(ratio: float) -> str:
    """Two to four digits: 1.3, 23, 640, 6.4e5."""
    if math.isinf(ratio):
        return "∞"
    if ratio < 9.95:
        return f"{ratio:.1f}"
    return f"{ratio:.0f}" if ratio < 9_999.5 else f"{ratio:.1e}".replace("e+0", "e").replace("e+", "e")


def _coordinate_lines(reading: Reading, width: int) -> list[Line]:
    """Each parameter's own signal-to-noise, of as many as a line has room for."""
    gradients = reading.snapshot.now.gradients
    if width < WIDE or gradients.size > SMALL:
        return []
    from gdtui.insight.instruments import coordinate_signal_to_noise

    shown = (width - CELL) // CELL
    names = [shortened(printable(name), LABEL - 1) for name in reading.snapshot.problem.parameters[:shown]]
    ratios = coordinate_signal_to_noise(gradients)[:shown].tolist()
    line: Line = [("signal/noise by ", "label")]
    for name, ratio in zip(names, ratios, strict=True):
        line += [(f"{name:>{LABEL - 1}} ", "label"), (f"{figure(ratio):>{WIDTH}}", "value")]
    return [line]


def _alpha_word(alpha: float | None, has_moved: bool) -> str:
    if alpha is None or math.isnan(alpha):
        return ""
    if alpha == -1:
        return "concave" if has_moved else "no step"  # as alpha's conventions have it
    words = ((-1.0, "uphill"), (-0.05, "short"), (0.05, "minimum"), (0.9995, "too far"), (1.0005, "far wall"))
    return next((word for end, word in words if alpha < end), "climbs")


def _lr_line(stability: Stability, width: int) -> Line:
    """The learning rate's own rung, and how much of its limit it is."""
    limit = stability.applies.lr
    text = ""
    if limit is not None:
        ratio = stability.lr / limit
        text = f"lr, {100 * ratio:.4g} % of its limit" if ratio < 100 else f"lr, {_short(ratio)} × its limit"
    text = _fitting((text,), width - WIDTH - 4) or "lr"
    part = "bad" if stability.is_stable is False else "accent"
    return [("◆ ", part), (f"{figure(stability.lr):>{WIDTH + 1}} ", part), (text, "value")]


def _limit_line(limit: Limit, stability: Stability, width: int) -> Line:
    """A limit's rung: ≈ where it is of the curvature here alone; its formula where there is room."""
    from gdtui.insight.stability import Kind

    applies = limit is stability.applies
    value = f"{'≈' if limit.kind is Kind.LOCAL else ''}{figure(limit.lr)}"
    room = width - WIDTH - 4
    name = limit.name if len(limit.name) <= room else limit.name.removeprefix("with ").removesuffix(" alone")
    line = [("┤ ", "wall") if applies else ("┬ ", "tick"), (f"{value:>{WIDTH + 1}} ", "value")]
    line.append((shortened(name, room), "value" if applies else "label"))
    if width >= WIDE:
        source = ", ".join(filter(None, (limit.reason, limit.source)))
        line.append((" " * (20 - len(name)) + _fitting((source, limit.source), room - 20), "label"))
    return line


def _labelled(label: str, value: float | None, texts: Sequence[str], width: int) -> Line:
    """A label, its figure, and the first of some texts that fits."""
    text = _fitting(texts, width - CELL - 2)
    return [(f"{label:<{LABEL}}", "label"), (f"{figure(value):>{WIDTH}}  ", "value"), (text, "value")]


def _fitting(texts: Sequence[str], room: int) -> str:
    return next((text for text in texts if cell_len(text) <= room), "")


def _grid(values: dict[str, float | None], width: int, label: int) -> list[Line]:
    """Labels with their figures, as many beside each other as fit."""
    columns = max(1, (width + 2) // (label + WIDTH + 2))
    items = [[(f"{name:<{label}}", "label"), (f"{figure(value):>{WIDTH}}", "value")] for name, value in values.items()]
    rows = [items[start : start + columns] for start in range(0, len(items), columns)]
    return [[piece for item in row for piece in (*item, ("  ", "label"))] for row in rows]
