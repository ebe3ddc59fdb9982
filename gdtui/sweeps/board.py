"""Board: a sweep at one moment, as the arrays that a map, a leaderboard and a picture of curves are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array
    from gdtui.sweeps.outcome import Progress
    from gdtui.sweeps.space import Axis


class Sign(IntEnum):
    """What has become of a point, of all its seeds: what more than half of them say."""

    WAITING = 0
    """None of its runs has begun."""
    RUNNING = 1
    DONE = 2
    """Finished or converged."""
    STOPPED = 3
    """Stopped early."""
    DIVERGED = 4
    FAILED = 5


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """A sweep's points, with all seeds of one together; m points, those that wait as well.

    Attributes:
        progress: the moment.
        axes: the sweep's, in their order.
        values: of each axis, the values that there are, each once: numbers rising, words in the order given.
        arms: the points' keys, as `Sweep.arm` has them; m of them, in the order of `Sweep.points`.
        places: which of its axes' values a point has, shape (m, axes); indices into `values`.
        signs: what has become of it, a `Sign`, shape (m,).
        begun: how many of its runs have begun, shape (m,).
        lost: how many of those diverged or failed, shape (m,).
        losses: the median over its seeds, shape (m,); infinite where that is lost, nan where it waits.
        least: the smallest of its seeds' losses, shape (m,), likewise.
        most: the largest, shape (m,), likewise.
        epochs: the most epochs that one of its runs has come, shape (m,).
        best: the id of its run with the smallest loss; empty where there is none.
        order: the points that have begun, the best first, as `outcome.standings` has them; indices, shape (k,).
    """

    progress: Progress
    axes: tuple[Axis, ...]
    values: tuple[tuple[Any, ...], ...]
    arms: tuple[str, ...]
    places: NDArray[np.int32]
    signs: NDArray[np.int8]
    begun: NDArray[np.int32]
    lost: NDArray[np.int32]
    losses: Array
    least: Array
    most: Array
    epochs: NDArray[np.int64]
    best: tuple[str, ...]
    order: NDArray[np.intp]


def board_of(progress: Progress, before: Board | None = None) -> Board:
    """The board of a moment.

    Args:
        progress: the moment.
        before: the board of an earlier one of the same sweep: only what is new since is worked out.
    """
    raise NotImplementedError
