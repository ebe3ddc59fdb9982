"""Border: from which learning rate on a sweep diverges, and whether theory says the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gdtui.insight.sentences import Sentence, exactly
from gdtui.sweeps.board import Sign
from gdtui.sweeps.plane import label, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.board import Board

MOST_ROWS = 50
"""So many are compared with theory: of more, some that are evenly chosen."""


@dataclass(frozen=True, slots=True)
class Border:
    """Where the points that differ in nothing but the learning rate begin to diverge.

    Attributes:
        stable: the point with the largest learning rate that does not.
        broken: the one with the smallest that does, as do all that are larger.
        limit: the learning rate at which theory says that it does.
        is_near: that lies between the two, or at most one step of the grid away.
    """

    stable: int
    broken: int
    limit: float
    is_near: bool


def border(board: Board, starts: Array, limit: Callable[[Experiment], float] | None) -> Sentence | None:
    """Say from which learning rate on a sweep diverges; nothing where that is not to be seen.

    Args:
        board: the sweep's points.
        starts: the loss at each one's start, shape (m,), nan where it is not known: what is above it has grown.
        limit: the learning rate at which theory sees an experiment break, nan where it does not say.
    """
    index = next((index for index, axis in enumerate(board.axes) if axis.name == "lr"), None)
    if index is None:
        return None
    known: list[Border] = []
    is_all = True
    if limit is not None and not board.progress.sweep.samples:
        is_broken, is_known = _states(board, starts)
        rows = _rows(board, index, np.flatnonzero(is_known))
        is_all = len(rows) <= MOST_ROWS
        known = list(_borders(board, index, is_broken, _some(rows), limit))
    if not known:
        return _everywhere(board, index)
    far = [one for one in known if not one.is_near]
    text = _said(board, far[0] if far else known[-1], index)
    near, all_of = len(known) - len(far), f"{len(known):,} borders of divergence{'' if is_all else ' looked at'}"
    if len(known) == 1:
        text = text[0].upper() + text[1:]
    elif not far:
        text = f"All {all_of} lie within a grid step of theory: {text}"
    else:
        text = f"{near:,} of {all_of} {'lies' if near == 1 else 'lie'} within a grid step of theory; {text}"
    return Sentence(text, "note" if far else "good", "border")


def _said(board: Board, one: Border, index: int) -> str:
    axis, values = board.axes[index], board.values[index]
    broken, stable = (label(axis, values, int(board.places[arm, index])) for arm in (one.broken, one.stable))
    row = named(board, one.stable, without=index)
    if board.signs[one.broken] == Sign.DIVERGED:
        what = f"{row} diverges" if row else "diverges"
    else:
        what = f"{row}: the loss grows" if row else "the loss grows"
    return f"{what} from lr {broken} on, not at {stable}; theory says {exactly(one.limit)}."


def _states(board: Board, starts: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which points diverged, or have a loss above their start's; and of which it is known whether they did."""
    with np.errstate(invalid="ignore"):
        has_grown = (board.signs >= Sign.DONE) & (board.signs != Sign.FAILED) & (board.losses > starts)
    is_broken = (board.signs == Sign.DIVERGED) | has_grown
    return is_broken, is_broken | (board.signs == Sign.DONE)


def _borders(
    board: Board,
    index: int,
    is_broken: NDArray[np.bool_],
    rows: Iterable[NDArray[np.intp]],
    limit: Callable[[Experiment], float],
) -> Iterator[Border]:
    """The borders, between two neighbours, of which theory says something."""
    lrs = board.values[index]
    for row in rows:
        first = int(is_broken[row].argmax())
        if not first or not is_broken[row[first:]].all():
            continue
        stable, broken = int(row[first - 1]), int(row[first])
        below, above = board.places[[stable, broken], index].tolist()
        if above == below + 1 and math.isfinite(theory := limit(board.experiment(stable))):
            is_near = lrs[max(below - 1, 0)] <= theory <= lrs[min(above + 1, len(lrs) - 1)]
            yield Border(stable, broken, theory, is_near)


def _rows(board: Board, index: int, arms: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Points that differ in nothing but one axis, rising along it."""
    shape = [len(values) for at, values in enumerate(board.values) if at != index]
    others = np.delete(board.places[arms], index, axis=1)
    rows = np.ravel_multi_index(tuple(others.T), tuple(shape)) if shape else np.zeros(len(arms), dtype=np.intp)
    order = np.lexsort([board.places[arms, index], rows])
    return np.split(arms[order], np.flatnonzero(np.diff(rows[order])) + 1) if len(arms) else []


def _some(rows: list[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
    """All of them, or so many that are evenly chosen."""
    count = min(len(rows), MOST_ROWS)
    return [rows[at * len(rows) // count] for at in range(count)]


def _everywhere(board: Board, index: int) -> Sentence | None:
    """From which learning rate on every point diverged, and up to which none did."""
    places, has_diverged = board.places[:, index], board.signs == Sign.DIVERGED
    holds = (board.signs == Sign.DONE) | (board.signs == Sign.STOPPED)
    above = places[places > places[~has_diverged].max(initial=-1)]
    below = places[places < places[~holds].min(initial=len(board.values[index]))]
    if not (len(above) and len(below)):
        return None
    axis, values = board.axes[index], board.values[index]
    every, none = label(axis, values, int(above.min())), label(axis, values, int(below.max()))
    return Sentence(f"Every point from lr {every} on diverged, none up to {none}.", "note", "border")
