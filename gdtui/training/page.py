"""Page: what a loop has handed over, turned into what can be written; kept until it is."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.descent.snapshot import Event
from gdtui.experiment import printable
from gdtui.runs.records import finite
from gdtui.training.ledger import Field, News
from gdtui.training.training import loss_among

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from gdtui.training.moment import Moment

MOST_BYTES = 128 * 2**20
"""Of what could not be written yet."""

MOST_NAMES = 1_000
LONGEST_NAME = 200
LRS = ("lr", "learning_rate")

Values = tuple[float, float, float, "Mapping[str, Any]"]
"""Seconds, step, epoch, and numbers by name."""

WHOSE = "largest_share_sample"
"""The instrument that is a sample's number, of which there is no curve."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Samples as they were handed over.

    Attributes:
        seconds: since the training began.
        step: of the training.
        epoch: nan where it is not known.
        samples: which they are, shape (n,).
        labels: what each is called.
        given: what else `probe.moment_of` takes, by its name.
        instruments: scalars by name.
    """

    seconds: float
    step: float
    epoch: float
    samples: ArrayLike
    labels: Sequence[str]
    given: Mapping[str, ArrayLike]
    instruments: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Taken:
    """A learning rate that the loop was given, as it was asked for."""

    step: float
    epoch: float
    lr: float


class Page:
    """What is to be written next, and where the training stands.

    Attributes:
        dropped: values for which there was no room.
    """

    def __init__(self, refused: Callable[[str, str], None]) -> None:
        """`refused` is told of a kind of fault, and of one such fault in words."""
        self.dropped = 0
        self._refused = refused
        self._names: list[str] = []
        self._numbers: dict[Any, int] = {}  # by what they were called in the loop
        self._newest: dict[int, float] = {}
        self._step = self._seconds = 0.0
        self._epoch = math.nan
        self._samples = 0
        self.clear()

    def clear(self) -> None:
        """All of it is written."""
        self._rows = array("d")
        self._moments: list[Moment] = []
        self._lines: list[str] = []
        self._events: list[Event] = []
        self._bytes = 0

    def drop(self) -> None:
        """None of it can be written."""
        self.dropped += len(self._rows) // len(Field) + len(self._moments) + len(self._lines)
        self.clear()

    @property
    def is_empty(self) -> bool:
        """Nothing is to be written."""
        return not (self._rows or self._moments or self._lines or self._events)

    @property
    def news(self) -> News:
        """What is to be written."""
        values = np.array(self._rows).reshape(-1, len(Field))
        return News(tuple(self._names), values, self._moments, self._lines, self._events)

    @property
    def standing(self) -> dict[str, Any]:
        """Columns of the run: where the training stands."""
        loss = self._newest_of(loss_among(self._names))
        return {
            "epoch": int(finite(self._epoch) or 0),
            "updates": int(self._step),
            "seconds": self._seconds,
            "loss": None if loss is None else finite(loss),
            "samples": self._samples,
        }

    def add(self, things: deque[Values | Probe | Taken | str]) -> None:
        """Take in what the loop has handed over; one by one, as to free many at once would hold up the loop."""
        while things:
            thing = things.popleft()
            values = len(thing[3]) if isinstance(thing, tuple) else 1
            if self._bytes + 8 * len(self._rows) > MOST_BYTES:
                self.dropped += values
                continue
            try:
                self._add(thing)
            except Exception as error:  # whatever was handed over, what comes later is kept
                self.dropped += values
                what = "samples" if isinstance(thing, Probe) else "values"
                self._refused(what, f"{what} are left out: {error}")

    def _add(self, thing: Values | Probe | Taken | str) -> None:
        if isinstance(thing, tuple):
            self._add_values(*thing)
        elif isinstance(thing, str):
            self._lines.append(thing)
            self._bytes += len(thing)
        elif isinstance(thing, Taken):
            self._add_lr(thing)
        else:
            self._add_probe(thing)

    def _add_values(self, seconds: float, step: float, epoch: float, values: Mapping[Any, Any]) -> None:
        numbers, rows, newest = self._numbers, self._rows, self._newest
        for name, value in values.items():
            number = numbers.get(name)
            if number is None:
                number = self._number_of(name)
                if number is None:
                    self.dropped += 1
                    continue
            try:
                one = float(value)
            except OverflowError:  # a whole number may be larger than any float
                one = math.inf if value > 0 else -math.inf
            newest[number] = one
            rows.extend((number, step, epoch, seconds, one))
        self._step, self._epoch, self._seconds = step, epoch, seconds

    def _number_of(self, name: Any) -> int | None:
        """The number of a name that is new; None where there are too many."""
        shown = printable(str(name))[:LONGEST_NAME].strip() or "–"
        if shown not in self._names:
            if len(self._names) >= MOST_NAMES:
                self._refused("names", f"there are more than {MOST_NAMES:,} names of values: {shown[:40]} is left out")
                return None
            self._names.append(shown)
        number = self._numbers[name] = self._names.index(shown)
        return number

    def _newest_of(self, name: str) -> float | None:
        return self._newest.get(self._names.index(name)) if name in self._names else None

    def _add_lr(self, taken: Taken) -> None:
        before = next((lr for name in LRS if (lr := self._newest_of(name)) is not None), None)
        self._events.append(Event(int(taken.step), taken.epoch, "lr", before, taken.lr))

    def _add_probe(self, probe: Probe) -> None:
        from gdtui.training.probe import moment_of

        moment = moment_of(
            int(probe.step),
            probe.epoch,
            probe.seconds,
            probe.samples,
            **probe.given,
            labels=probe.labels,
            instruments=probe.instruments,
        )
        self._moments.append(moment)
        self._bytes += moment.numbers.nbytes + moment.samples.nbytes + sum(map(len, moment.labels))
        self._samples = len(moment.samples)
        charted = {name: value for name, value in moment.instruments.items() if name != WHOSE}
        self._add_values(probe.seconds, probe.step, probe.epoch, charted)
