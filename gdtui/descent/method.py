"""Method: how θ is updated, all of it: the rule and its hyperparameters, the schedule, clipping, the batch size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from gdtui.descent.optimizers import RULES, Rule, initial_state, rule_named
from gdtui.descent.schedules import SCHEDULES, Schedule, schedule_named
from gdtui.experiment import SETTINGS, InputError, unknown
from gdtui.hyperparameters import Hyperparameter
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.loading import SOURCES, problem_hyperparameters

if TYPE_CHECKING:
    from gdtui.experiment import BatchSize, Experiment
    from gdtui.problems.datasets import Array

CLIP = Hyperparameter("clip", 0.0, "norm to which each sample's gradient is cut; 0: not", 0)


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """What the kernel needs of an experiment's settings.

    Attributes:
        rule: the optimizer.
        h: its hyperparameters, as the rule takes them.
        clip: the norm to which each sample's gradient is clipped; 0 for none.
        batch_size: samples in an update.
    """

    rule: Rule
    h: Array
    clip: float
    batch_size: BatchSize
    _schedule: Schedule
    _schedule_values: tuple[float, ...]
    _base_lr: float
    _planned_epochs: int

    @classmethod
    def of(cls, experiment: Experiment) -> Method:
        """The method that an experiment describes.

        Raises:
            InputError: if there is no such optimizer or schedule, or a hyperparameter of theirs is wrong.
        """
        import numpy as np

        rule, schedule = rule_named(experiment.optimizer), schedule_named(experiment.schedule)
        given = dict(experiment.set)

        def of(owner: tuple[Hyperparameter, ...]) -> dict[str, int | float | str]:
            return {one.name: given[one.name] for one in owner if one.name in given}

        return cls(
            rule=rule,
            h=np.array(rule.h(of(rule.hyperparameters)), dtype=np.float64),
            clip=float(CLIP.checked(given.get("clip", CLIP.default))),
            batch_size=experiment.batch_size,
            _schedule=schedule,
            _schedule_values=schedule.values(of(schedule.hyperparameters)),
            _base_lr=experiment.lr,
            _planned_epochs=experiment.epochs,
        )

    def lr_at(self, epoch: int) -> float:
        """The learning rate of the epoch that begins when so many are complete."""
        return self._schedule.lr_at(self._base_lr, epoch, self._planned_epochs, self._schedule_values)

    def lrs(self, first: int, count: int) -> Array:
        """The learning rates of so many epochs, from the one that begins when `first` are complete, shape (count,)."""
        import numpy as np

        if self._schedule.name == "constant":
            return np.full(count, self._base_lr)
        return np.array([self.lr_at(epoch) for epoch in range(first, first + count)])

    def initial_state(self, p: int) -> Array:
        """The rule's state before the first update, flat."""
        return initial_state(self.rule, p)


def method_hyperparameters(experiment: Experiment) -> tuple[Hyperparameter, ...]:
    """The hyperparameters of an experiment's optimizer and schedule, and clipping's."""
    rule, schedule = rule_named(experiment.optimizer), schedule_named(experiment.schedule)
    return (*rule.hyperparameters, *schedule.hyperparameters, CLIP)


def check_hyperparameters(experiment: Experiment) -> None:
    """Every hyperparameter that is set belongs to something.

    Raises:
        InputError: if one belongs neither to the problem, its data, the optimizer nor the schedule.
    """
    known = [h.name for h in hyperparameters(experiment)]
    for name, _ in experiment.set:
        if name not in known:
            raise InputError(name, unknown("hyperparameter", name, known))


def changes_run(experiment: Experiment, name: str) -> bool:
    """Whether a setting or hyperparameter can change in mid-run, as an event; otherwise it makes a new run."""
    if name in SETTINGS:
        return SETTINGS[name].changes_run
    return name in (h.name for h in method_hyperparameters(experiment))


def hyperparameters(experiment: Experiment) -> tuple[Hyperparameter, ...]:
    """All that an experiment can set: the problem's and its data's, the optimizer's, the schedule's, clipping's."""
    return (*problem_hyperparameters(experiment), *method_hyperparameters(experiment))


@cache
def whole_hyperparameters() -> frozenset[str]:
    """The names of those that are whole numbers, whichever problem, data, optimizer or schedule has them."""
    known = chain(
        *(family.hyperparameters for family in FAMILIES.values()),
        *(source.hyperparameters for source in SOURCES.values()),
        *(rule.hyperparameters for rule in RULES.values()),
        *(schedule.hyperparameters for schedule in SCHEDULES.values()),
    )
    return frozenset(one.name for one in known if isinstance(one.default, int))


def only_known(experiment: Experiment) -> Experiment:
    """The same experiment without the hyperparameters that its problem and method do not have."""
    known = {h.name for h in hyperparameters(experiment)}
    return experiment.replace(**{name: None for name, _ in experiment.set if name not in known})
