"""Findings: what a sweep says, in sentences: what is best, where it breaks and what theory says, what to try next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.experiment import InputError, printable
from gdtui.insight.sentences import Sentence, number, rough
from gdtui.insight.verdict import counted
from gdtui.sweeps.board import Sign, is_number
from gdtui.sweeps.border import border
from gdtui.sweeps.outcome import FAILED
from gdtui.sweeps.plane import is_seen_log, named, scale_of, typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gdtui.experiment import Experiment
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.board import Board
    from gdtui.sweeps.curves import Curves
    from gdtui.sweeps.space import Axis

MOST = 4
"""Sentences at once."""

ROUNDING = 1e-28
"""This part of max(1, f at the start): a squared error of 1e-14. Losses so small differ by rounding alone."""

ALIKE = 1e-12
"""Losses that differ by no more than this part are alike."""

LOST = ("diverged", "failed")

BEYOND = 3
"""So many values beyond an axis's edge are proposed."""

UNLIMITED = ("batch_size", "epochs", "seed")
"""Axes whose edges say nothing: more epochs are better, seeds are chance, and batches end with the data."""

MOST_WHYS = 200
"""Of so many points that failed, it is looked at why."""

BINS = 10
"""Random values are compared in so many parts of their range."""


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """The points that came to their end, none of their runs stopped early; the best first.

    Attributes:
        arms: indices into the board's, shape (k,).
        losses: their medians, shape (k,).
        floor: losses that differ by no more are alike.
        leaders: so many are as good as the best.
        close: so many differ by less than the seeds of any of them do; 1 where there are no seeds.
    """

    arms: NDArray[np.intp]
    losses: Array
    floor: float
    leaders: int
    close: int


def findings(
    board: Board, id: str, limit: Callable[[Experiment], float] | None = None, curves: Curves | None = None
) -> tuple[Sentence, ...]:
    """Say what the sweep of that id says, the most important first; nothing where nothing is over yet.

    Args:
        board: the sweep's points.
        id: the sweep's.
        limit: the learning rate at which theory sees an experiment break, nan where it does not say.
        curves: those of the runs: with them, a loss that has grown since the start is known for one.
    """
    starts = _starts(board, curves)
    ended = _ended(board, starts)
    found = [
        _best(board, ended),
        _failed(board),
        border(board, starts, limit),
        _edge(board, id, ended, limit),
        _seeds(ended),
        _axis(board, ended),
        _stopped(board),
    ]
    return tuple(sentence for sentence in found if sentence)[:MOST]


def _starts(board: Board, curves: Curves | None) -> Array:
    """The loss at each point's start, rounded up, shape (m,); nan where it is not known."""
    starts = np.full(len(board.arms), np.nan)
    if curves is not None:
        starts[curves.arms] = np.nextafter(curves.losses[:, 0], np.float32(np.inf))
    return starts


def _ended(board: Board, starts: Array) -> Ended:
    is_stopped = (board.runs.signs == Sign.STOPPED).any(axis=1)
    is_there = (board.signs == Sign.DONE) & np.isfinite(board.losses) & ~is_stopped
    arms = board.order[is_there[board.order]]
    losses = board.losses[arms]
    floor = ROUNDING * float(np.fmax.reduce(starts, initial=1.0))
    if not len(arms):
        return Ended(arms, losses, floor, 0, 0)
    with np.errstate(over="ignore"):
        behind, spreads = losses - losses[0], np.minimum.accumulate(board.most[arms] - board.least[arms])
    leaders = int((behind <= floor + ALIKE * abs(losses[0])).sum())
    is_apart = behind[1:] >= spreads[1:]
    close = 1 + (int(is_apart.argmax()) if is_apart.any() else len(is_apart))
    return Ended(arms, losses, floor, leaders, close)


# --- the best --------------------------------------------------------------------------------------------------------


def _best(board: Board, ended: Ended) -> Sentence | None:
    is_under_way = board.progress.done < board.progress.total
    if not ended.leaders:
        return _all_lost(board, is_under_way)
    if ended.leaders > 1:
        return Sentence(f"{'So far ' if is_under_way else ''}{_alike(board, ended)}", "good", "best")
    arm = int(ended.arms[0])
    text = f"Best{' so far' if is_under_way else ''}: {named(board, arm)}: loss {number(float(board.losses[arm]))}"
    runs, least, most = int(board.begun[arm]), float(board.least[arm]), float(board.most[arm])
    if runs > 1:
        spread = f" ({number(least)} to {number(most)})" if least < most else ", all alike"
        text += f", median of {runs:,} seeds{spread}"
    return Sentence(f"{text}.", "good", "best")


def _all_lost(board: Board, is_under_way: bool) -> Sentence | None:
    count = int((board.signs >= Sign.DONE).sum())
    counts = [int((board.signs == sign).sum()) for sign in (Sign.DIVERGED, Sign.FAILED)]
    if not count or sum(counts) < count:
        return None
    words = [f"{'' if some == count else f'{some:,} '}{word}" for some, word in zip(counts, LOST, strict=True) if some]
    what = "The only point" if count == 1 else f"All {count:,} points"
    return Sentence(f"{what}{' so far' if is_under_way else ''} {' and '.join(words)}.", "bad", "best")


def _alike(board: Board, ended: Ended) -> str:
    """That many points are as good as the best, and which of them need the fewest epochs."""
    arms, worst = ended.arms[: ended.leaders], float(ended.losses[ended.leaders - 1])
    if abs(worst) <= ended.floor:
        what = "reach 0" if worst == 0 else f"reach 0, but for rounding: {rough(worst)} at most"
    else:
        what = f"reach {number(worst)}, one like the other"
    epochs = board.epochs[arms]
    soonest = arms[epochs == epochs.min()]
    if len(soonest) == len(arms):
        return f"{len(arms):,} points {what}."
    after = f"after {counted(int(epochs.min()), 'epoch')}"
    which = named(board, int(soonest[0])) if len(soonest) == 1 else f"{len(soonest):,} of them"
    return f"{len(arms):,} points {what}; the soonest {after}: {which}."


# --- what went wrong -------------------------------------------------------------------------------------------------


def _failed(board: Board) -> Sentence | None:
    is_failed = board.runs.signs == Sign.FAILED
    count = int(is_failed.sum())
    if not count:
        return None
    arms = np.flatnonzero(is_failed.any(axis=1))[:MOST_WHYS].tolist()
    whys = {one.reason: None for arm in arms for one in board.outcomes(arm) if one.state == FAILED}
    why = printable(next(iter(whys)))
    text = f"{count:,} of {_runs(board)} failed{': ' if len(whys) == 1 else ', not all alike; the first: '}{why}"
    return Sentence(text, "bad", "failed")


def _stopped(board: Board) -> Sentence | None:
    count = int((board.runs.signs == Sign.STOPPED).sum())
    text = f"{count:,} of {_runs(board)} {'was' if count == 1 else 'were'} stopped early, too far behind."
    return Sentence(text, "note", "stopped") if count else None


def _runs(board: Board) -> str:
    return counted(board.progress.total, "run")


# --- what to try next ------------------------------------------------------------------------------------------------


def _edge(board: Board, id: str, ended: Ended, limit: Callable[[Experiment], float] | None) -> Sentence | None:
    """The best lies where an axis ends, and beyond that there is something to try."""
    sweep = board.progress.sweep
    if board.progress.state != "finished" or sweep.samples or not ended.leaders:
        return None
    arms = ended.arms[: max(ended.leaders, ended.close)]
    if board.lost[arms].any():
        return None
    for index, (axis, values) in enumerate(zip(board.axes, board.values, strict=True)):
        places = set(board.places[arms, index].tolist())
        is_last = places == {len(values) - 1}
        if axis.name in UNLIMITED or len(values) < 2 or not is_number(values[-1]) or not (is_last or places == {0}):
            continue
        beyond = _beyond(board, index, is_last, board.experiment(int(arms[0])), limit)
        if beyond:
            which = "largest" if is_last else "smallest"
            over = f"--over {axis.option}={','.join(map(axis.write, beyond))}"
            text = f"The best {axis.option} is the {which} tried: gdtui sweep --extend {id} {over}"
            return Sentence(text, "note", "edge")
    return None


def _beyond(
    board: Board, index: int, is_last: bool, best: Experiment, limit: Callable[[Experiment], float] | None
) -> list[Any]:
    """Values beyond an axis's edge, spaced as those before it, as far as they are right and theory lets them be."""
    axis, values = board.axes[index], board.values[index]
    edge, inner = (values[-1], values[-2]) if is_last else (values[0], values[1])
    is_log, is_whole, exact = is_seen_log(board, index), isinstance(edge, int) and isinstance(inner, int), edge
    digits = 2 - math.floor(math.log10(abs(edge - inner)))
    found = [edge]
    for _ in range(BEYOND):
        exact = exact * (edge / inner) if is_log else exact + (edge - inner)
        if not math.isfinite(exact):
            break
        value = round(exact) if is_whole else float(typed(exact)) if is_log else round(exact, digits)
        is_beyond = value > found[-1] if is_last else value < found[-1]
        if not (is_beyond and _is_right(best, axis, value) and _is_below(best, axis, value, limit)):
            break
        found.append(value)
    return found[1:]


def _is_right(experiment: Experiment, axis: Axis, value: Any) -> bool:
    from gdtui.descent.method import hyperparameters

    if axis.name == "momentum" and value >= 1:  # it never settles
        return False
    try:
        other = experiment.replace(**{axis.name: value})
        for one in hyperparameters(other):
            if one.name == axis.name:
                one.checked(value)
    except InputError:
        return False
    return True


def _is_below(experiment: Experiment, axis: Axis, value: Any, limit: Callable[[Experiment], float] | None) -> bool:
    """The learning rate is below where theory sees the experiment break, so far as it says."""
    if limit is None:
        return True
    other = experiment.replace(**{axis.name: value})
    return not other.lr >= limit(other)


# --- what matters ----------------------------------------------------------------------------------------------------


def _seeds(ended: Ended) -> Sentence | None:
    if ended.leaders > 1 or ended.close < 2:
        return None
    return Sentence(f"The first {ended.close:,} points differ by less than their seeds do.", "note", "seeds")


def _axis(board: Board, ended: Ended) -> Sentence | None:
    """Along which axis the best loss moves most, in orders of magnitude."""
    if not len(ended.arms) or ended.losses[0] < 0:
        return None
    moves = sorted(((_move(board, ended, index), axis.option) for index, axis in enumerate(board.axes)), reverse=True)
    if len(moves) < 2 or moves[0][0] < 1 or moves[0][0] < 2 * moves[1][0]:
        return None
    (most, first), (next_most, second) = moves[:2]
    more = "more than " if ended.losses[0] < ended.floor else ""
    less = f"by {rough(next_most)}" if next_most >= 0.1 else "by less than 0.1"
    text = f"{first} matters most: along it the best loss moves by {more}{rough(most)} orders of magnitude"
    return Sentence(f"{text}, along {second} {less}.", "note", "axis")


def _move(board: Board, ended: Ended, index: int) -> float:
    places = board.places[ended.arms, index]
    if board.progress.sweep.samples:
        places = scale_of(board, index, BINS).bins[places]
    bests = np.full(int(places.max()) + 1, np.inf)
    np.minimum.at(bests, places, np.maximum(ended.losses, ended.floor))
    bests = bests[np.isfinite(bests)]
    return math.log10(bests.max()) - math.log10(bests.min())
