"""Rows: what the lines of a log tell, as columns of numbers and as words; names that are an axis are told apart."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gdtui.problems.datasets import Array

Row = dict[str, Any]
"""What one line tells: numbers, text or nested rows, by name."""


class Axis(IntEnum):
    """What a value stands over."""

    STEP = 0
    EPOCH = 1
    SECONDS = 2


AXES = {
    Axis.STEP: (
        "global_step", "trainer/global_step", "train/global_step", "step", "_step", "steps", "iteration", "iter", "it",
        "num_updates", "updates", "update", "batch", "batch_idx",
    ),
    Axis.EPOCH: ("epoch", "train/epoch", "trainer/epoch", "current_epoch"),
    Axis.SECONDS: (
        "wall_time", "_runtime", "elapsed", "seconds", "timestamp", "_timestamp", "time", "datetime", "date",
    ),
}  # fmt: skip
"""What an axis is called, the likeliest first; upper and lower case are the same."""

CONFIGS = ("config", "hparams", "hyperparameters", "args", "experiment")
"""What a program calls the settings that it began with."""

CLOCK = 1e8
"""Seconds beyond this are the time of day, counted from 1970; before, they are counted from the beginning."""

MILLISECONDS = 1e11
DEEPEST = 8
"""Nested rows further down are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Consecutive rows of a log.

    Attributes:
        count: how many, m.
        axes: over what each row's values stand, shape (m, 3), columns as in `Axis`; nan where it does not tell.
        columns: by name, which rows tell it, rising, and its values; both of shape (k,), k from 1 to m.
        words: the newest text by name.
    """

    count: int
    axes: Array
    columns: Mapping[str, tuple[NDArray[np.int64], Array]] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def gather(rows: Iterable[Row], is_timed: bool = True) -> Rows:
    """The numbers of rows; those that have the same names are read at once.

    Args:
        rows: in their order.
        is_timed: a row's `time` or `seconds` says when it was written.
    """
    words = Words()
    shapes: dict[tuple[str, ...], tuple[list[int], list[tuple[Any, ...]]]] = {}
    count = 0
    for row in rows:
        flat = _flat(row, words, count) if dict in map(type, row.values()) else row
        names = tuple(flat)
        shape = shapes.get(names)
        if shape is None:
            shape = shapes[names] = ([], [])
        shape[0].append(count)
        shape[1].append(tuple(flat.values()))
        count += 1
    axes = np.full((count, len(Axis)), np.nan)
    pieces: dict[str, list[tuple[NDArray[np.int64], Array]]] = {}
    for names, (numbers, values) in shapes.items():
        where, standing = np.array(numbers, dtype=np.int64), _axes(names)
        for name, column in zip(names, zip(*values, strict=True), strict=True):
            axis = standing.get(name)
            if axis == Axis.SECONDS and not is_timed:
                axis = None
            known, found = _numbers(column, is_time=axis == Axis.SECONDS)
            rows_of = where
            if known is not None:
                rows_of = where[known]
                for index in np.flatnonzero(~known).tolist():
                    words.tell(name, numbers[index], column[index])
            if axis is not None:
                axes[rows_of, axis] = found
            if axis == Axis.SECONDS:
                rows_of, found = rows_of[found < CLOCK], found[found < CLOCK]  # it may be how long something took
            if axis in (None, Axis.SECONDS) and len(found):
                pieces.setdefault(name, []).append((rows_of, found))
    return Rows(count, axes, {name: _in_order(parts) for name, parts in pieces.items()}, words.newest)


class Words:
    """The newest text by name, in whatever order it is come upon."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, str]] = {}

    def tell(self, name: str, index: int, word: object) -> None:
        """The row of that index has this text; what is none is left out."""
        if isinstance(word, str) and index >= self._told.get(name, (-1, ""))[0]:
            self._told[name] = (index, word)

    @property
    def newest(self) -> dict[str, str]:
        """The text of the last row that has one, by name."""
        return {name: word for name, (_, word) in sorted(self._told.items(), key=lambda told: told[1][0])}


@lru_cache(maxsize=256)
def _axes(names: tuple[str, ...]) -> dict[str, Axis]:
    """Which of the names are an axis: the likeliest for each."""
    lower = {name.strip().lower(): name for name in reversed(names)}
    found = ((next((lower[known] for known in AXES[axis] if known in lower), None), axis) for axis in Axis)
    return {name: axis for name, axis in found if name is not None}


def _in_order(parts: Sequence[tuple[NDArray[np.int64], Array]]) -> tuple[NDArray[np.int64], Array]:
    """Where and what of one name, from rows of several shapes."""
    if len(parts) == 1:
        return parts[0]
    where, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = where.argsort(kind="stable")
    return where[order], values[order]


def _numbers(column: tuple[Any, ...], is_time: bool) -> tuple[NDArray[np.bool_] | None, Array]:
    """Which entries of a column are numbers, None for all of them, and these."""
    if type(column[0]) is not list:
        try:
            numbers = np.array(column, dtype=float)
            if numbers.ndim == 1:
                return None, numbers
        except (TypeError, ValueError, OverflowError):
            pass
    found = [_moment(entry) if is_time else number(entry) for entry in column]
    known = np.array([value is not None for value in found])
    return known, np.array([value for value in found if value is not None], dtype=float)


def number(entry: object) -> float | None:
    """An entry as a number: nothing is nan, text may be one; None where it is none."""
    try:
        return math.nan if entry is None else float(entry)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if entry > 0 else -math.inf  # type: ignore[operator]
    except (TypeError, ValueError):
        return None


def _moment(entry: object) -> float | None:
    """A time in seconds, also where it is written as a date."""
    if isinstance(entry, str) and len(entry) > 7 and number(entry) is None:
        try:
            return datetime.fromisoformat(entry).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    return number(entry)


def _flat(row: Row, words: Words, index: int) -> Row:
    """A row without nested rows, their names joined by `/`; settings go to the words."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict) and name.lower() in CONFIGS:
            for key, word in settings(value).items():
                words.tell(key, index, word)
        else:
            flat.update(_leaves(name, value))
    return flat


def settings(config: Row) -> dict[str, str]:
    """A program's settings as text."""
    return {name: text(value) for key, entry in config.items() for name, value in _leaves(key, entry)}


def text(value: object) -> str:
    """A setting's value as text."""
    if isinstance(value, list | tuple):
        return ",".join(map(text, value[:16])) + (",…" if len(value) > 16 else "")
    return "" if value is None else str(value)


def _leaves(name: str, value: object, depth: int = 1) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        yield name, value
    elif depth < DEEPEST:
        for key, entry in value.items():
            yield from _leaves(f"{name}/{key}", entry, depth + 1)
