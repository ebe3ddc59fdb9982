"""Sweep: which experiments belong together, as a frozen value; to and from one line of text."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from gdtui.experiment import MAX_COUNT, Experiment, InputError
from gdtui.sweeps.space import Axis, grid, parse_axis, random_points

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_RUNS = 100_000


@dataclass(frozen=True)
class Sweep:
    """Experiments over some axes. A run's key is its experiment's line: same point, same line, same run.

    Attributes:
        experiment: what the axes are put on top of.
        axes: what is varied.
        seeds: each point is run with so many seeds, from the experiment's own on.
        samples: so many random points; 0: all points of the grid.
        is_halving: runs that are behind are stopped early.
        before: what it was before it was extended; those points come first.

    Raises:
        InputError: if the axes do not go together, or there are too many runs.
    """

    experiment: Experiment
    axes: tuple[Axis, ...]
    seeds: int = 1
    samples: int = 0
    is_halving: bool = False
    before: Sweep | None = None

    def __post_init__(self) -> None:
        names = [axis.option for axis in self.axes]
        if not names:
            raise InputError("over", "say what to sweep over: --over lr=0.001,0.01,0.1 or --over lr=log:0.001:0.3:20")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError("over", f"--over {twice} is given twice: give all its values at once")
        if self.seeds > 1 and "seed" in names:
            raise InputError("seeds", "--seeds and --over seed are two ways to say the same: leave one out")
        for name, count in (("seeds", self.seeds), ("samples", self.samples)):
            least = 1 if name == "seeds" else 0
            if not least <= count <= MOST_RUNS:
                raise InputError(name, f"--{name} is a whole number from {least} to {MOST_RUNS:,}, got {count}")
        for axis in self.axes:
            if not (axis.values or self.samples):
                text = f"--over {axis.to_text()}: say how many values, {axis.to_text()}:10, or draw some: --samples 100"
                raise InputError("over", text)
        points = self.samples or prod(len(axis.values) for axis in self.axes)
        if points * self.seeds > MOST_RUNS:
            text = f"{points * self.seeds:,} runs are too many for a sweep, it takes {MOST_RUNS:,}: try --samples"
            raise InputError("over", text)
        if self.experiment.seed + self.seeds > MAX_COUNT:
            raise InputError("seed", f"with {self.seeds} seeds, the first one is below {MAX_COUNT - self.seeds}")

    def points(self) -> dict[str, Experiment]:
        """All its experiments by their keys; a seed after the other, so that early runs are from everywhere.

        Raises:
            InputError: if a value of an axis is wrong.
        """
        return {key: experiment for key, (experiment, _) in self._points.items()}

    def arm(self, key: str) -> str:
        """The key of what a run shares with those that differ from it in nothing but one of the seeds."""
        return self._points[key][1]

    @cached_property
    def _points(self) -> dict[str, tuple[Experiment, str]]:
        points = dict(self.before._points) if self.before else {}
        arms = {arm.to_line(): arm for arm in self._arms()}
        for seed in range(self.seeds):
            for key, arm in arms.items():
                experiment = arm.replace(seed=arm.seed + seed) if seed else arm
                points.setdefault(experiment.to_line() if seed else key, (experiment, key))
        return points

    def _arms(self) -> Iterator[Experiment]:
        try:
            if self.samples:
                yield from random_points(self.experiment, self.axes, self.samples)
            else:
                yield from grid(self.experiment, self.axes)
        except InputError as error:
            option = error.setting.replace("_", "-")
            raise InputError("over", f"--over {option}: {error}") from None

    def settings(self, experiment: Experiment) -> dict[str, Any]:
        """Where on the axes an experiment is, by the axes' options; and its seed, where there are several."""
        values = {axis.option: experiment.value(axis.name) for axis in self.axes}
        return values if self.seeds == 1 else values | {"seed": experiment.seed}

    def extended(self, axes: Sequence[Axis] = (), seeds: int = 0, samples: int = 0) -> Sweep:
        """The same with more values on its axes, more axes, more seeds or more samples; what was there stays.

        On a new axis, the points that were there are where the experiment is.

        Raises:
            InputError: if that is not more than there was, or not what can be had.
        """
        if (self.samples and axes) or (samples and not self.samples):
            which = "random" if self.samples else "a grid"
            how = "--samples and --seeds" if self.samples else "--over and --seeds"
            raise InputError("extend", f"this sweep is {which}: extend it by {how}")
        if any(axis.name == "seed" for axis in axes) and self.seeds > 1:
            raise InputError("seeds", "this sweep has seeds: extend it by --seeds")
        mine = {axis.name: axis for axis in self.axes}
        for axis in axes:
            there = mine.get(axis.name) or Axis(axis.name, self._here(axis))
            mine[axis.name] = there.joined(axis.values)
        wider = replace(
            self,
            axes=tuple(mine.values()),
            seeds=max(seeds, self.seeds),
            samples=max(samples, self.samples),
            before=self,
        )
        if len(wider.points()) == len(self.points()):
            raise InputError("extend", "all of that is in the sweep already: gdtui sweep --resume goes on with it")
        return wider

    def _here(self, axis: Axis) -> tuple[Any, ...]:
        value = self.experiment.value(axis.name)
        if value is None:
            text = (
                f"--over {axis.option}: the runs that are there have no {axis.option} of their own; begin a new sweep"
            )
            raise InputError("over", text)
        return (value,)

    # --- to and from text --------------------------------------------------------------------------------------------

    def to_text(self) -> str:
        """One line of JSON that `from_text` reads back to an equal sweep."""
        return json.dumps(self._as_dict())

    def _as_dict(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment.to_line(),
            "over": [axis.to_text() for axis in self.axes],
            "seeds": self.seeds,
            "samples": self.samples,
            "halving": self.is_halving,
            "before": self.before and self.before._as_dict(),
        }

    @classmethod
    def from_text(cls, text: str) -> Sweep:
        """Read what `to_text` wrote.

        Raises:
            InputError: if it is something else.
        """
        try:
            return cls._of(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError("sweep", f"the sweep cannot be read: {error}") from error

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Sweep:
        return cls(
            experiment=Experiment.from_line(values["experiment"]),
            axes=tuple(map(parse_axis, values["over"])),
            seeds=values["seeds"],
            samples=values["samples"],
            is_halving=values["halving"],
            before=values["before"] and cls._of(values["before"]),
        )
