"""Sweep pane: what is swept and how far it is, a line a fact; and what the sweep says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from gdtui.dashboard.figures import shortened
from gdtui.dashboard.gauges import cut, share_bar, wrapped
from gdtui.dashboard.widgets.blocks import Blocks, verdict_lines
from gdtui.dashboard.widgets.ranklines import axis_text
from gdtui.dashboard.widgets.runlines import fitted
from gdtui.dashboard.widgets.signs import MARKS, WORDS, counted_signs
from gdtui.dashboard.widgets.sweepstatus import clock, rate_text
from gdtui.experiment import printable
from gdtui.runs.summary import brief
from gdtui.sweeps.board import Sign

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gdtui.dashboard.gauges import Line
    from gdtui.insight.sentences import Sentence
    from gdtui.sweeps.board import Board
    from gdtui.sweeps.outcome import Progress
    from gdtui.sweeps.space import Axis

EMPTY = "what is swept, once it is read"
NO_FINDINGS = "what the sweep says, once the first runs are over"

LABEL, LONGEST = 8, 14
"""Cells of the labels, at least and at most."""

NAMED = 8
"""Cells from which there is room for a part of the workers' name."""

PERCENT = 6
"""Cells of a part in per cent, behind the bar."""

SHOWN = (Sign.DONE, Sign.RUNNING, Sign.WAITING, Sign.STOPPED, Sign.DIVERGED, Sign.FAILED)
"""The order of the counts."""

ALWAYS = (Sign.DONE, Sign.WAITING)
"""These have a line though there are none."""

PARTS = {Sign.DIVERGED: "bad", Sign.FAILED: "bad", Sign.DONE: "good"}


class SweepPane(Blocks, can_focus=True):
    """A progress bar, counts, times; then the axes, the seeds, and what they are put on top of."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._board: Board | None = None
        self._states: Mapping[str, int] = {}
        self._workers = ""

    def show(self, board: Board, states: Mapping[str, int], workers: str) -> None:
        """Show a sweep; only the lines that changed are sent.

        Args:
            board: the sweep's moment.
            states: how many of its runs are in each state, as `outcome.counted` says.
            workers: who makes it; empty where nobody does.
        """
        self._board, self._states, self._workers = board, states, workers
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """As many facts as there is room for, each whole."""
        if self._board is None:
            return [[(text, "label")] for text in wrapped(EMPTY, width)]
        return sweep_lines(self._board.progress, self._states, self._workers, width, height)


def sweep_lines(progress: Progress, states: Mapping[str, int], workers: str, width: int, height: int) -> list[Line]:
    """The pane's lines at this size: the most important facts, in the order in which one reads them."""
    sweep = progress.sweep
    counts = counted_signs(states, progress.total)
    head = [_bar(progress, width), *(_count(sign, count, progress.total, width) for sign, count in counts.items())]
    head = [head[0], *(head[1 + sign] for sign in SHOWN if counts[sign] or sign in ALWAYS)]
    facts = {"elapsed": [clock(progress.seconds)]}
    if progress.is_made:
        rate, left = rate_text(progress.rate), clock(progress.seconds_left)
        facts["left"] = [left] if rate == "–" else [f"{left} at {rate} runs/s", left]
    facts |= {printable(axis.option): axis_words(axis, sweep.samples) for axis in sweep.axes}
    if sweep.samples:
        facts["samples"] = [f"{sweep.samples:,} random points", f"{sweep.samples:,}"]
    facts["seeds"] = [f"{sweep.seeds:,}"]
    facts["halving"] = ["on: what is far behind is stopped", "on"] if sweep.is_halving else ["off"]
    label = min(max(LABEL, *map(cell_len, facts)), LONGEST)
    if workers:
        who = printable(workers)
        facts["workers"] = [who, *([shortened(who, width - label - 1)] if width - label - 1 >= NAMED else [])]
    lines = [*head, *(_fact(fitted(name, label), texts, width) for name, texts in facts.items())]
    room = height - len(lines) - 1
    if room > 0:  # the experiment takes what is left; a number of it is never cut
        base = cut(wrapped(f"on {printable(brief(sweep.experiment.to_line()))}", width), room, width)
        lines += [[], *([(text, "label")] for text in base)]
    return lines[:height]


def axis_words(axis: Axis, samples: int) -> list[str]:
    """An axis's range and how many values it has, in fewer and fewer words."""
    span, count = axis.span, len(axis.values)
    if span is not None:
        low, high = f"{span.low:g}", f"{span.high:g}"
        how = span.scale if samples or not count else f"{count:,} {span.scale}"
        return [f"{low} … {high}  {how}", f"{low} … {high}", how]
    every = ", ".join(axis_text(axis, value) for value in axis.values)
    ends = f"{axis_text(axis, axis.values[0])} … {axis_text(axis, axis.values[-1])}" if axis.values else ""
    return [every, f"{ends}  {count:,}", f"{count:,} values", f"{count:,}"]


def _bar(progress: Progress, width: int) -> Line:
    """How much of the sweep is done."""
    part = f"{100 * progress.done / progress.total:.0f} %" if progress.total else "–"
    if progress.done < progress.total and part == "100 %":
        part = "99 %"
    if width < 2 * PERCENT:
        return [(part, "value")]
    return [*share_bar(progress.done, progress.total, width - PERCENT), (f"{part:>{PERCENT}}", "value")]


def _count(sign: Sign, count: int, total: int, width: int) -> Line:
    """How many runs are in a condition, its mark and word before it."""
    word, number = WORDS[sign], f"{count:>{len(f'{total:,}')},}"
    text = f" {word:<{max(len(word) for word in WORDS.values())}} {number}"
    if 1 + cell_len(text) > width:
        text = f" {number} {word}" if len(number) + len(word) + 3 <= width else f" {number}"
    return [(MARKS[sign], PARTS.get(sign, "note")), (text, "value" if count else "label")]


def _fact(label: str, texts: Sequence[str], width: int) -> Line:
    """A label and the first of some texts that fits behind it."""
    room = width - cell_len(label) - 1
    text = next((text for text in texts if cell_len(text) <= room), "…" if room > 0 else "")
    return [(f"{label} ", "label"), (text, "value")]


class SweepInsight(Blocks, can_focus=True):
    """What a sweep says: what is best, where it breaks and whether theory agrees, what to try next."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._findings: tuple[Sentence, ...] = ()

    def show(self, findings: Sequence[Sentence]) -> None:
        """Show what `sweeps.findings` says; only the lines that changed are sent."""
        self._findings = tuple(findings)
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """The sentences, each with its mark, as far as there is room."""
        if not self._findings:
            return [[(text, "label")] for text in wrapped(NO_FINDINGS, width)]
        return verdict_lines(tuple((one.text, one.kind) for one in self._findings), width, height)
