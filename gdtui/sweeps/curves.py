"""Curves: the losses of all runs of a sweep over their epochs, in bounded memory; how soon each came to a target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gdtui.experiment import InputError
from gdtui.sweeps.board import ABSENT, Sign, medians

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array
    from gdtui.sweeps.board import Board
    from gdtui.sweeps.ledger import Ledger
    from gdtui.sweeps.sweep import Sweep

POINTS = 128
"""Of each curve, evenly spaced over the longest one's planned epochs."""


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The losses of the runs of a sweep that are kept so far.

    Attributes:
        turn: of the newest write that is in it.
        epochs: at which the losses are, shape (POINTS,), whole numbers from 0 to the most epochs that a run is planned
            to have; where those are fewer, some come twice.
        losses: of each run at those, shape (k, POINTS), float32; nan before it has come so far, or once it diverged.
        arms: the point that each run is one of, an index into the board's arms, shape (k,).
        target: the loss that was to be reached.
        reached: the epochs after which each point's median run came to the target, shape (m,), exact, from all that
            is kept; infinite where it did not, nan where none of its runs is over.
        sweep: what is swept.
        slots: where each run is among the board's `Runs`, shape (k,).
        firsts: the epochs after which each run came to the target, shape (k,); infinite where it did not.
    """

    turn: int
    epochs: Array
    losses: NDArray[np.float32]
    arms: NDArray[np.intp]
    target: float
    reached: Array
    sweep: Sweep | None = field(default=None, repr=False)
    slots: NDArray[np.intp] = field(default_factory=lambda: np.arange(0), repr=False)
    firsts: Array = field(default_factory=lambda: np.empty(0), repr=False)


def curves_of(ledger: Ledger, id: str, board: Board, target: float, before: Curves | None = None) -> Curves:
    """The curves of a sweep; what is new since before, or all where the target is another one, is read alone.

    Raises:
        InputError: if it is not kept any more.
    """
    epochs = _epochs(board)
    old = before if before and before.sweep is board.progress.sweep and before.target == target else None
    if old and old.turn == board.progress.turn:
        return old
    news: dict[int, tuple[NDArray[np.float32], float]] = {}
    for key, rows in ledger.losses(id, old.turn if old else -1):
        if (slot := board.runs.slots.get(key)) is not None:
            news[slot] = _at(epochs, rows), _first(rows, target)
    slots = np.array(list(news), dtype=np.intp)
    losses = np.array([curve for curve, _ in news.values()], dtype=np.float32).reshape(-1, POINTS)
    firsts = np.array([first for _, first in news.values()])
    if old:
        stay = ~np.isin(old.slots, slots)
        slots = np.concatenate([old.slots[stay], slots])
        losses, firsts = np.concatenate([old.losses[stay], losses]), np.concatenate([old.firsts[stay], firsts])
    return Curves(
        turn=board.progress.turn,
        epochs=epochs,
        losses=losses,
        arms=slots // board.runs.signs.shape[1],
        target=target,
        reached=_reached(board, slots, firsts),
        sweep=board.progress.sweep,
        slots=slots,
        firsts=firsts,
    )


def exact_curves(ledger: Ledger, id: str, board: Board, arm: int) -> list[Array]:
    """The whole curves of a point's runs, seed by seed: epochs and losses, each of shape (e, 2).

    Raises:
        InputError: if they are not kept any more.
    """
    runs = [outcome.run for outcome in board.outcomes(arm) if outcome.run]
    found = ledger.histories(runs)
    if len(found) < len(runs):
        raise InputError("sweep", f"runs of sweep {id} are not kept any more")
    return [found[run] for run in runs]


def _epochs(board: Board) -> Array:
    planned = [board.progress.sweep.experiment.epochs]
    for axis, values in zip(board.axes, board.values, strict=True):
        if axis.name == "epochs":
            planned = list(values)
    return np.round(np.linspace(0, max(planned), POINTS))


def _at(epochs: Array, rows: Array) -> NDArray[np.float32]:
    """The losses of a run at these epochs, each the newest by then."""
    at = rows[:, 0].searchsorted(epochs, side="right") - 1
    with np.errstate(over="ignore"):
        losses = np.where(epochs <= rows[-1, 0], rows[at, 1], np.nan).astype(np.float32)
    losses[~np.isfinite(losses)] = np.nan
    return losses


def _first(rows: Array, target: float) -> float:
    """The epoch of the first loss that is at the target or below; infinite where none is."""
    is_there = rows[:, 1] <= target
    first = int(is_there.argmax())
    return float(rows[first, 0]) if is_there[first] else np.inf


def _reached(board: Board, slots: NDArray[np.intp], firsts: Array) -> Array:
    """Of each point, the median of its runs that are over; one that failed has come nowhere."""
    signs = board.runs.signs
    each = np.full(signs.shape, np.inf)
    each.flat[slots] = firsts
    return medians(np.where((signs >= Sign.DONE) & (signs != ABSENT), each, np.nan))
