"""Lesson: a few experiments to look at side by side, and a caption that is made of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.insight.stability import Stability


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment of a lesson.

    Attributes:
        label: what it is called beside the others, in a few words.
        experiment: its settings.
        seeds: where chance decides, it is run so often, with its own seed and those that follow.
        is_drawn: it has a curve; others only lend the caption a number.
    """

    label: str
    experiment: Experiment
    seeds: int = 1
    is_drawn: bool = True


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a trial.

    Attributes:
        trial: the trial.
        snapshots: the end of each of its runs, one a seed; the first has the experiment's own.
    """

    trial: Trial
    snapshots: tuple[Snapshot, ...]

    @property
    def label(self) -> str:
        """What it is called beside the others."""
        return self.trial.label

    @property
    def experiment(self) -> Experiment:
        """Its settings."""
        return self.trial.experiment

    @property
    def end(self) -> Snapshot:
        """Where the run with the experiment's own seed ended."""
        return self.snapshots[0]

    @cached_property
    def stability(self) -> Stability:
        """The learning rate among its limits, where the run started."""
        from gdtui.insight.stability import ladder

        start = self.end.problem.start(self.experiment.init)
        return ladder(self.end.problem, self.experiment, start, self.end.evaluate)


@dataclass(frozen=True, slots=True)
class Lesson:
    """Experiments that make a claim visible.

    Attributes:
        name: as in `gdtui lesson NAME`.
        title: the claim, in a few words.
        trials: the experiment to be shown first, then those to compare it with.
        caption: their outcomes, in the trials' order -> what they say: two or three sentences, all numbers computed.
        hint: what to try next, and with which key.
        x_axis: what the chart's x axis is to count at first.
        log_y: the chart's loss is logarithmic at first; not where f goes below 0.
    """

    name: str
    title: str
    trials: tuple[Trial, ...]
    caption: Callable[[Sequence[Outcome]], str]
    hint: str
    x_axis: Literal["epochs", "updates"] = "epochs"
    log_y: bool = True

    @property
    def shown(self) -> Experiment:
        """The experiment that the lesson opens with."""
        return self.trials[0].experiment

    @property
    def pins(self) -> tuple[Trial, ...]:
        """What is drawn beside it."""
        return tuple(trial for trial in self.trials[1:] if trial.is_drawn)


def run(lesson: Lesson) -> tuple[Outcome, ...]:
    """Run all of a lesson's trials to their ends; some tenths of a second, so not on an event loop."""
    return tuple(Outcome(trial, tuple(map(end_of, _runs(trial)))) for trial in lesson.trials)


def end_of(experiment: Experiment) -> Snapshot:
    """Where an experiment ends."""
    from gdtui.descent.trainer import Trainer
    from gdtui.problems.loading import load_problem

    return Trainer(experiment, load_problem(experiment)).advance()


def _runs(trial: Trial) -> list[Experiment]:
    first = trial.experiment.seed
    return [trial.experiment.replace(seed=seed) for seed in range(first, first + trial.seeds)]
