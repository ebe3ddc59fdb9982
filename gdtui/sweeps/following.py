"""Following: a sweep as it is made, from look to look, by whichever process makes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.sweeps.board import Board, board_of
from gdtui.sweeps.curves import Curves, curves_of
from gdtui.sweeps.findings import findings
from gdtui.sweeps.limits import Limits
from gdtui.sweeps.outcome import FAILED, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gdtui.insight.sentences import Sentence
    from gdtui.sweeps.kept import KeptSweep
    from gdtui.sweeps.ledger import Ledger
    from gdtui.sweeps.outcome import Progress

SAID = 3
"""Failures that are said at once: many fail alike."""

TARGET = 0.01
"""Of the loss at the start: the target, unless one chooses another."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A sweep as it was seen.

    Attributes:
        kept: its name, and who makes it.
        board: its points.
        curves: their losses over the epochs.
        states: how many of its runs are in each state.
        sentences: what it says.
        failures: why runs have failed since the look before, the newest few.
        is_whole: with what theory says of it, which the first look leaves out: it may take a while.
    """

    kept: KeptSweep
    board: Board
    curves: Curves
    states: Mapping[str, int]
    sentences: tuple[Sentence, ...]
    failures: tuple[str, ...] = ()
    is_whole: bool = True


class Following:
    """Looks at one sweep; not at once from several threads.

    Attributes:
        limits: where theory sees its experiments break.
    """

    def __init__(self, ledger: Ledger, kept: KeptSweep) -> None:
        self.limits = Limits(kept.folder)
        self._ledger, self._id = ledger, kept.id
        self._seen: Seen | None = None

    def look(self, target: float | None = None) -> Seen | None:
        """The sweep as it is now; None where nothing has changed since the look before.

        Args:
            target: the loss to be reached; None: a hundredth of the loss at the start.

        Raises:
            InputError: if it is not kept any more.
        """
        before = self._seen
        progress = self._ledger.look(self._id, before.board.progress if before else None)
        if before and before.is_whole and not _is_news(before, progress, target):
            return None
        kept = self._ledger.named(self._id)
        board = board_of(progress, before.board if before else None)
        if target is None:
            target = before.curves.target if before else math.nan
        curves = curves_of(self._ledger, self._id, board, target, before.curves if before else None)
        if math.isnan(target) and not math.isnan(usual := usual_target(curves)):
            curves = curves_of(self._ledger, self._id, board, usual, curves)
        states = counted(progress.outcomes.values())
        if not kept.process and "running" in states:
            states["interrupted"] = states.pop("running")
        sentences = findings(board, self._id, self.limits if before else None, curves)
        failures = _failures(progress, before.board.progress if before else None)
        self._seen = Seen(kept, board, curves, states, sentences, failures, is_whole=before is not None)
        return self._seen


def _failures(progress: Progress, before: Progress | None) -> tuple[str, ...]:
    known = before.outcomes if before else {}
    news = (one for key, one in progress.outcomes.items() if one.state == FAILED and known.get(key) != one)
    return tuple(one.reason for one in news)[-SAID:]


def _is_news(before: Seen, progress: Progress, target: float | None) -> bool:
    was = before.board.progress
    is_same_target = target in (None, before.curves.target)
    return (progress.turn, progress.total, progress.is_made) != (was.turn, was.total, was.is_made) or not is_same_target


def usual_target(curves: Curves) -> float:
    """A hundredth of the loss at the start; nan where that is not known, or not above 0."""
    starts = curves.losses[:, 0]
    start = float(starts[0]) if len(starts) else math.nan
    return TARGET * start if start > 0 else math.nan
