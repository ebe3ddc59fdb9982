"""Outcome: what has become of a sweep's runs, as frozen values: all that a table, a map or a progress bar needs."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gdtui.sweeps.sweep import Sweep

FAILED = "failed"
STOPPED = "paused"
"""The state of a run that was stopped early: it can be gone on with by hand."""

LOST = ("diverged", FAILED)

OVER = ("finished", "converged", STOPPED, *LOST)
"""The states in which a sweep has nothing more to do with a run."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One run of a sweep.

    Attributes:
        key: its experiment's line, as in `Sweep.points`.
        run: its id; empty where it failed.
        state: as of any run, or failed.
        reason: why it diverged, failed, or was stopped early; empty otherwise.
        epoch: epochs completed.
        updates: updates made.
        seconds: time spent in the descent.
        loss: f after the last completed epoch; nan where it failed.
    """

    key: str
    run: str
    state: str
    reason: str
    epoch: int
    updates: int
    seconds: float
    loss: float

    @property
    def is_over(self) -> bool:
        """The sweep has nothing more to do with it."""
        return self.state in OVER

    @property
    def rank(self) -> tuple[bool, float]:
        """What runs are sorted by: those that came to their end first, then the loss; infinite where it is lost."""
        is_lost = self.state in LOST or not math.isfinite(self.loss)
        return self.state == STOPPED, math.inf if is_lost else self.loss


@dataclass(frozen=True, slots=True)
class Progress:
    """A sweep at one moment.

    Attributes:
        sweep: what is swept.
        outcomes: the runs that have begun, by their keys.
        total: how many runs there are.
        turn: of the newest write that is in it.
        is_made: a process makes it.
        seconds: time spent on it so far.
        looks: when it was looked at lately, and how many runs were over then; for the rate.
    """

    sweep: Sweep
    outcomes: Mapping[str, RunOutcome] = field(repr=False)
    total: int
    turn: int = 0
    is_made: bool = False
    seconds: float = 0.0
    looks: tuple[tuple[float, int], ...] = field(default=(), repr=False)

    @property
    def done(self) -> int:
        """Runs that are over."""
        return self.looks[-1][1] if self.looks else over(self.outcomes.values())

    @property
    def state(self) -> str:
        """Running, finished, or interrupted."""
        return "running" if self.is_made else "finished" if self.done == self.total else "interrupted"

    @property
    def rate(self) -> float:
        """Runs a second, lately; 0 where it is not known."""
        (first_at, first), (last_at, last) = (*self.looks[:1], *self.looks[-1:]) or ((0.0, 0), (0.0, 0))
        return (last - first) / (last_at - first_at) if last_at > first_at else 0.0

    @property
    def seconds_left(self) -> float:
        """At that rate; infinite where it is not known."""
        return (self.total - self.done) / self.rate if self.rate > 0 else 0.0 if self.done == self.total else math.inf


@dataclass(frozen=True, slots=True)
class Standing:
    """A point of a sweep, with all its seeds.

    Attributes:
        settings: where it is, by the axes' options.
        runs: how many of its runs have begun.
        states: how many are in each state.
        loss: the median of their losses; one that diverged or failed counts as infinite.
        least: the smallest of them.
        most: the largest.
        epoch: the most epochs that one has come.
        best: the id of the run with the smallest loss.
    """

    settings: Mapping[str, Any]
    runs: int
    states: Mapping[str, int]
    loss: float
    least: float
    most: float
    epoch: int
    best: str


def over(outcomes: Iterable[RunOutcome]) -> int:
    """How many are over."""
    return sum(outcome.is_over for outcome in outcomes)


def counted(outcomes: Iterable[RunOutcome]) -> dict[str, int]:
    """How many are in each state."""
    counts = Counter(outcome.state for outcome in outcomes)
    return {state: counts[state] for state in dict.fromkeys([*OVER, *sorted(counts)]) if counts[state]}


def standings(progress: Progress) -> list[Standing]:
    """The points of a sweep, the best first: those that came to their end before those that were stopped early."""
    from gdtui.sweeps.board import board_of

    board = board_of(progress)
    return [
        Standing(
            settings=board.settings(arm),
            runs=int(board.begun[arm]),
            states=counted(board.outcomes(arm)),
            loss=float(board.losses[arm]),
            least=float(board.least[arm]),
            most=float(board.most[arm]),
            epoch=int(board.epochs[arm]),
            best=board.best[arm],
        )
        for arm in board.order.tolist()
    ]
