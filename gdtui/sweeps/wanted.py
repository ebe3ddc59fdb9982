"""Wanted: what is to be swept, in one line as one types it: `lr=log:0.001:0.3:20 batch-size=1,4,full seeds=5`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.experiment import InputError, shown
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from gdtui.experiment import Experiment
    from gdtui.sweeps.space import Axis

COUNTS = ("seeds", "samples")
HALVING = "halving"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of the sweep command, without what they are put on top of.

    Attributes:
        axes: what is varied.
        seeds: each point is run with so many; 0: not said.
        samples: so many random points; 0: not said.
        is_halving: runs that are behind are stopped early.
    """

    axes: tuple[Axis, ...] = ()
    seeds: int = 0
    samples: int = 0
    is_halving: bool = False

    def of(self, experiment: Experiment) -> Sweep:
        """The sweep of an experiment.

        Raises:
            InputError: if it is none.
        """
        return Sweep(experiment, self.axes, self.seeds or 1, self.samples, self.is_halving)

    def more_of(self, sweep: Sweep) -> Sweep:
        """A sweep extended by it.

        Raises:
            InputError: if it cannot be.
        """
        if self.is_halving:
            raise InputError(HALVING, f"{HALVING} is settled when a sweep is begun")
        return sweep.extended(self.axes, self.seeds, self.samples)


def parse_wanted(text: str) -> Wanted:
    """What a line says; words parted by blanks.

    Raises:
        InputError: if a word is not an axis, `seeds=N`, `samples=N` or `halving`.
    """
    axes: list[Axis] = []
    counts = dict.fromkeys(COUNTS, 0)
    is_halving = False
    for word in text.split():
        name, equals, value = word.partition("=")
        if word == HALVING:
            is_halving = True
        elif name in COUNTS and equals:
            counts[name] = _count(name, value)
        else:
            axes.append(parse_axis(word))
    return Wanted(tuple(axes), **counts, is_halving=is_halving)


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InputError(name, f"{name} is a whole number, got {shown(text)}")
    return int(text[:9])
