"""Findings: what a sweep says, in sentences: what is best, where it breaks and whether theory agrees, what to try next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.experiment import Experiment
    from gdtui.insight.sentences import Sentence
    from gdtui.sweeps.board import Board


def findings(board: Board, id: str, limit: Callable[[Experiment], float] | None = None) -> tuple[Sentence, ...]:
    """Say what the sweep of that id says, the most important first; nothing where nothing is over yet."""
    raise NotImplementedError
