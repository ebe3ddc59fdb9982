"""Board: a sweep at one moment, as the arrays that a map, a leaderboard and a picture of curves are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.experiment import Experiment
from gdtui.sweeps.outcome import FAILED, STOPPED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array
    from gdtui.sweeps.outcome import Progress, RunOutcome
    from gdtui.sweeps.space import Axis


class Sign(IntEnum):
    """What has become of a point, of all its seeds: what more than half of them say.

    Of one whose runs are all over and do not agree, that of the median one, the worse of two.
    """

    WAITING = 0
    """None of its runs has begun."""
    RUNNING = 1
    DONE = 2
    """Finished or converged."""
    STOPPED = 3
    """Stopped early."""
    DIVERGED = 4
    FAILED = 5


SIGNS = {
    "finished": Sign.DONE,
    "converged": Sign.DONE,
    STOPPED: Sign.STOPPED,
    "diverged": Sign.DIVERGED,
    FAILED: Sign.FAILED,
}
"""By a run's state; in every other one it is on its way."""

ABSENT = len(Sign)
"""In place of the sign of a run that a point with fewer seeds than another does not have."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """The runs of a board's points, a row a point and a column a seed; s of them, as many as any point has.

    Attributes:
        keys: of each point, its runs' keys, seed after seed.
        slots: where each key is in the arrays, flattened.
        names: the place of each point's key among all of them in the alphabet, shape (m,).
        losses: shape (m, s); infinite where it is lost, nan where it waits.
        signs: shape (m, s); of each run, a `Sign`, or ABSENT.
        epochs: that it has come, shape (m, s).
    """

    keys: tuple[tuple[str, ...], ...]
    slots: Mapping[str, int]
    names: NDArray[np.intp]
    losses: Array
    signs: NDArray[np.int8]
    epochs: NDArray[np.int64]

    @classmethod
    def waiting(cls, keys: Sequence[tuple[str, ...]], arms: Sequence[str]) -> Runs:
        """None of them has begun."""
        shape = len(keys), max(map(len, keys), default=1)
        slots = {key: point * shape[1] + seed for point, row in enumerate(keys) for seed, key in enumerate(row)}
        names = np.empty(len(arms), dtype=np.intp)
        names[sorted(range(len(arms)), key=arms.__getitem__)] = np.arange(len(arms))
        signs = np.full(shape, ABSENT, dtype=np.int8)
        signs.flat[list(slots.values())] = Sign.WAITING
        return cls(tuple(keys), slots, names, np.full(shape, np.nan), signs, np.zeros(shape, dtype=np.int64))

    def after(self, news: Sequence[RunOutcome]) -> tuple[Runs, NDArray[np.intp]]:
        """The same with newer outcomes, and which points those are of."""
        at = np.array([self.slots[outcome.key] for outcome in news], dtype=np.intp)
        losses, signs, epochs = self.losses.copy(), self.signs.copy(), self.epochs.copy()
        losses.flat[at] = [outcome.rank[1] for outcome in news]
        signs.flat[at] = [SIGNS.get(outcome.state, Sign.RUNNING) for outcome in news]
        epochs.flat[at] = [outcome.epoch for outcome in news]
        return replace(self, losses=losses, signs=signs, epochs=epochs), np.unique(at // losses.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """A sweep's points, with all seeds of one together; m points, those that wait as well.

    Attributes:
        progress: the moment.
        axes: the sweep's, in their order.
        values: of each axis, the values that there are, each once: numbers rising, then words in the order given.
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
        order: the points that have begun, the best first, those that were stopped early last; indices, shape (k,).
        runs: what it is made of.
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
    runs: Runs = field(default_factory=lambda: Runs.waiting((), ()), repr=False)

    def experiment(self, arm: int) -> Experiment:
        """A point's, with the first of its seeds."""
        return Experiment.from_line(self.arms[arm])

    def settings(self, arm: int) -> dict[str, Any]:
        """Where a point is, by the axes' options."""
        places = self.places[arm].tolist()
        return {axis.option: values[at] for axis, values, at in zip(self.axes, self.values, places, strict=True)}

    def outcomes(self, arm: int) -> list[RunOutcome]:
        """What has become of a point's runs, of those that have begun, seed after seed."""
        found = self.progress.outcomes
        return [found[key] for key in self.runs.keys[arm] if key in found]


def board_of(progress: Progress, before: Board | None = None) -> Board:
    """The board of a moment.

    Args:
        progress: the moment.
        before: the board of an earlier one of the same sweep: only what is new since is worked out.
    """
    found = progress.outcomes
    if before is not None and before.progress.sweep is progress.sweep:
        known = before.progress.outcomes
        news = [outcome for key, outcome in found.items() if known.get(key) is not outcome]
        if len(found) == len(known) + sum(outcome.key not in known for outcome in news):
            return _after(before, progress, news)
    return _after(_waiting(progress), progress, list(found.values()))


def _waiting(progress: Progress) -> Board:
    """The board of a sweep of which nothing has begun."""
    sweep = progress.sweep
    points = sweep.points()
    keys: dict[str, list[str]] = {}
    for key in points:
        keys.setdefault(sweep.arm(key), []).append(key)
    arms = tuple(keys)
    columns = [_column(axis, [points[arm].value(axis.name) for arm in arms]) for axis in sweep.axes]
    none, nan = np.zeros(len(arms), dtype=np.int32), np.full(len(arms), np.nan)
    return Board(
        progress=progress,
        axes=sweep.axes,
        values=tuple(values for values, _ in columns),
        arms=arms,
        places=np.stack([places for _, places in columns], axis=1),
        signs=none.astype(np.int8),
        begun=none,
        lost=none,
        losses=nan,
        least=nan,
        most=nan,
        epochs=none.astype(np.int64),
        best=("",) * len(arms),
        order=np.arange(0),
        runs=Runs.waiting(list(map(tuple, keys.values())), arms),
    )


def _column(axis: Axis, column: Sequence[Any]) -> tuple[tuple[Any, ...], NDArray[np.int32]]:
    """An axis's values, each once, and which of them each point has."""
    there = set(column)
    given = dict.fromkeys([*(value for value in axis.values if value in there), *column])
    values = tuple(sorted(given, key=_sorted_by))
    index = {value: at for at, value in enumerate(values)}
    return values, np.array([index[value] for value in column], dtype=np.int32)


def _sorted_by(value: Any) -> tuple[int, Any]:
    """Numbers come first, then what is made of numbers, then words, which stay in the order given."""
    if is_number(value):
        return 0, value
    return (1, value) if isinstance(value, tuple) else (2, 0)


def is_number(value: Any) -> bool:
    """Whether a value is one; on and off are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _after(board: Board, progress: Progress, news: Sequence[RunOutcome]) -> Board:
    """The same board with newer outcomes."""
    if not news:
        return replace(board, progress=progress)
    runs, points = board.runs.after(news)
    losses, signs = runs.losses[points], runs.signs[points]
    begun = (~np.isnan(losses)).sum(axis=1)

    def put(array: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
        changed = array.copy()
        changed[points] = values
        return changed

    best = list(board.best)
    for point, seed in zip(points.tolist(), _winners(losses, signs).tolist(), strict=True):
        best[point] = progress.outcomes[runs.keys[point][seed]].run if seed >= 0 else ""
    board = replace(
        board,
        progress=progress,
        signs=put(board.signs, _signs(signs, begun)),
        begun=put(board.begun, begun),
        lost=put(board.lost, ((signs == Sign.DIVERGED) | (signs == Sign.FAILED)).sum(axis=1)),
        losses=put(board.losses, medians(losses)),
        least=put(board.least, np.nanmin(losses, axis=1)),
        most=put(board.most, np.nanmax(losses, axis=1)),
        epochs=put(board.epochs, runs.epochs[points].max(axis=1)),
        best=tuple(best),
        runs=runs,
    )
    there = np.flatnonzero(board.begun)
    is_stopped = (runs.signs == Sign.STOPPED).any(axis=1)
    return replace(board, order=there[np.lexsort([runs.names[there], board.losses[there], is_stopped[there]])])


def medians(rows: Array) -> Array:
    """The median of each row's values; nan counts as none, and is that of a row without any."""
    ranked, at = np.sort(rows, axis=1), np.arange(len(rows))  # nan comes last
    counts = (~np.isnan(rows)).sum(axis=1)
    low, high = ranked[at, (counts - 1) // 2], ranked[at, counts // 2]
    middle: Array = np.where(low == high, low, low / 2 + high / 2)  # of two that are huge, the sum is infinite
    return middle


def _winners(losses: Array, signs: NDArray[np.int8]) -> NDArray[np.intp]:
    """The column of each row's smallest loss; one that diverged where there is none, else -1: what failed is no run."""
    is_run = ~np.isnan(losses) & (signs != Sign.FAILED)
    cost = np.where(is_run, np.minimum(losses, np.finfo(float).max), np.inf)
    return np.where(is_run.any(axis=1), cost.argmin(axis=1), -1)


def _signs(signs: NDArray[np.int8], begun: NDArray[np.intp]) -> NDArray[np.int8]:
    """The sign of each row's runs together."""
    ranked, rows = np.sort(signs, axis=1), np.arange(len(signs))
    runs = (signs != ABSENT).sum(axis=1)
    middle = ranked[rows, runs // 2]
    is_over = (signs >= Sign.DONE).sum(axis=1) == signs.shape[1]
    is_most = 2 * (signs == middle[:, np.newaxis]).sum(axis=1) > runs
    under_way = np.where(begun > 0, Sign.RUNNING, Sign.WAITING)
    return np.where(is_over | (is_most & (middle >= Sign.DONE)), middle, under_way).astype(np.int8)
