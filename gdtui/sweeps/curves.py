"""Curves: the losses of all runs of a sweep over their epochs, in bounded memory; and how soon each came to a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array
    from gdtui.sweeps.board import Board
    from gdtui.sweeps.ledger import Ledger

POINTS = 128
"""Of each curve, evenly spaced over the longest one's planned epochs."""


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The losses of the runs of a sweep that are kept so far.

    Attributes:
        turn: of the newest write that is in it.
        epochs: at which the losses are, shape (POINTS,), from 0 to the most epochs that a run is planned to have.
        losses: of each run at those, shape (k, POINTS), float32; nan before it has come so far, or once it diverged.
        arms: the point that each run is one of, an index into the board's arms, shape (k,).
        target: the loss that was to be reached.
        reached: the epochs after which each point's median run came to the target, shape (m,), exact, from all that
            is kept; infinite where it did not, nan where none of its runs is over.
    """

    turn: int
    epochs: Array
    losses: NDArray[np.float32]
    arms: NDArray[np.intp]
    target: float
    reached: Array


def curves_of(ledger: Ledger, id: str, board: Board, target: float, before: Curves | None = None) -> Curves:
    """The curves of a sweep; what is new since before, or all where the target is another one, is read alone.

    Raises:
        InputError: if it is not kept any more.
    """
    raise NotImplementedError


def exact_curves(ledger: Ledger, id: str, board: Board, arm: int) -> list[Array]:
    """The whole curves of a point's runs, seed by seed: epochs and losses, each of shape (e, 2).

    Raises:
        InputError: if they are not kept any more.
    """
    raise NotImplementedError
