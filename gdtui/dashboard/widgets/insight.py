"""Insight: what the numbers mean: the verdict, the learning rate among its limits, noise, alignment, alpha."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from gdtui.dashboard.figures import WIDTH, figure, shortened
from gdtui.dashboard.gauges import Line, cut, ladder_axis, wrapped
from gdtui.dashboard.widgets.blocks import (
    CELL,
    LABEL,
    SOURCES,
    WIDE,
    Blocks,
    Sentences,
    align_lines,
    alpha_lines,
    fitting,
    grid,
    noise_lines,
    short,
    source_lines,
    stacked,
    verdict_lines,
)
from gdtui.experiment import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gdtui.insight.reading import Reading
    from gdtui.insight.stability import Limit, Stability

SMALL = 10_000
"""Up to so many numbers in G, each parameter's own signal-to-noise is cheap enough to compute while drawing."""

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


class Insight(Blocks, can_focus=True):
    """What a moment's numbers mean, the most important first; a block has its lines whatever its values are."""

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

    def lines(self, width: int, height: int) -> list[Line]:
        """The pane's lines at this size."""
        if self._reading is None:
            return [[("measured once there is a run", "label")]]
        return compose_lines(self._reading, self._sentences, width, height)


def compose_lines(reading: Reading, sentences: Sentences, width: int, height: int) -> list[Line]:
    """The pane's lines at this size."""
    blocks: dict[str, Callable[[int], list[Line]]] = {
        "verdict": lambda rows: verdict_lines(sentences, width, rows),
        "ladder": lambda rows: ladder_lines(reading.stability, width, rows),
        "noise": lambda rows: reading_noise_lines(reading, width)[:rows],
        "align": lambda rows: align_lines(reading.instruments, width)[:rows],
        "alpha": lambda rows: alpha_lines(reading.alpha, reading.update_size, width)[:rows],
        "figures": lambda rows: figure_lines(reading, width)[:rows],
        "sources": lambda rows: source_lines(SOURCES, width)[:rows],
    }
    return stacked(blocks, GROWTH, GAPS, width, height)


# --- blocks ----------------------------------------------------------------------------------------------------------


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


def reading_noise_lines(reading: Reading, width: int) -> list[Line]:
    """Your batch b against the noise scale B; the parameters' own signal-to-noise, where there is room."""
    from gdtui.descent.batching import samples_in_batch
    from gdtui.insight.stability import is_split

    one, experiment = reading.instruments, reading.snapshot.experiment
    batch, is_full = samples_in_batch(experiment.batch_size, one.of), not is_split(experiment, one.of)
    return noise_lines(one, batch, is_full, one.of, width) + _coordinate_lines(reading, width)


def figure_lines(reading: Reading, width: int) -> list[Line]:
    """‖g‖, the update's size, the curvature, the way from the start."""
    here = reading.stability.curvature
    values = {"‖g‖": reading.instruments.grad_norm, "update": reading.update_size}
    values |= {"λmax": here.largest if here else None, "λmin": here.smallest if here else None}
    return grid({**values, "from θ₀": reading.distance}, width, label=LABEL)


# --- parts of blocks -------------------------------------------------------------------------------------------------


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


def _lr_line(stability: Stability, width: int) -> Line:
    """The learning rate's own rung, and how much of its limit it is."""
    limit = stability.applies.lr
    text = ""
    if limit is not None:
        ratio = stability.lr / limit
        text = f"lr, {100 * ratio:.4g} % of its limit" if ratio < 100 else f"lr, {short(ratio)} × its limit"
    text = fitting((text,), width - WIDTH - 4) or "lr"
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
        line.append((" " * (20 - len(name)) + fitting((source, limit.source), room - 20), "label"))
    return line
