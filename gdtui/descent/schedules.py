"""Schedules: how the learning rate changes from epoch to epoch; PyTorch's curves in closed form, names and defaults.

A schedule is one pure function `lr_at(base_lr, epoch, planned_epochs, values)`: the learning rate of the epoch that
begins when `epoch` are completed, in a run that was planned for `planned_epochs`. It depends on nothing else, so that
any epoch can be asked for at once. Values are finite and never negative, also beyond the plan: there `cosine` goes on
along its wave, as PyTorch's does, and `one-cycle`, where PyTorch raises, stays at its end.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gdtui.experiment import InputError, Value, unknown
from gdtui.hyperparameters import Hyperparameter, with_defaults

LrAt = Callable[[float, int, int, Sequence[float]], float]


def constant(base_lr: float, _epoch: int, _planned_epochs: int, _values: Sequence[float]) -> float:
    """lr."""
    return base_lr


def step(base_lr: float, epoch: int, _planned_epochs: int, values: Sequence[float]) -> float:
    """lr·gamma^⌊epoch/step_size⌋ (torch StepLR)."""
    step_size, gamma = values
    return _geometric(base_lr, gamma, int(epoch // step_size))


def exponential(base_lr: float, epoch: int, _planned_epochs: int, values: Sequence[float]) -> float:
    """lr·gamma^epoch (torch ExponentialLR)."""
    (gamma,) = values
    return _geometric(base_lr, gamma, epoch)


def cosine(base_lr: float, epoch: int, planned_epochs: int, values: Sequence[float]) -> float:
    """eta_min + ½(lr − eta_min)(1 + cos(π·epoch/T_max)) (torch CosineAnnealingLR; Loshchilov and Hutter 2017).

    It is down at epoch T_max, up again at 2·T_max, and so on. T_max = 0 stands for the planned epochs.
    """
    t_max, eta_min = int(values[0]) or planned_epochs, values[1]
    return _half_cosine(base_lr, eta_min, epoch % (2 * t_max) / t_max)


def warmup(base_lr: float, epoch: int, _planned_epochs: int, values: Sequence[float]) -> float:
    """From lr·start_factor in a straight line to lr at epoch total_iters, then lr (torch LinearLR)."""
    start_factor, total_iters = values
    if epoch >= total_iters:
        return base_lr
    return base_lr * (start_factor + (1 - start_factor) * epoch / total_iters)


def one_cycle(base_lr: float, epoch: int, planned_epochs: int, values: Sequence[float]) -> float:
    """Half a cosine up from lr/div_factor to lr, half a cosine down to lr/(div_factor·final_div_factor).

    torch OneCycleLR (Smith and Topin 2018) with max_lr = lr, total_steps = the planned epochs, two phases, and the
    momentum left alone (cycle_momentum=False). The top is at epoch pct_start·planned − 1, the end in the last planned
    epoch; it stays there.
    """
    pct_start, div_factor, final_div_factor = values
    first, last = base_lr / div_factor, base_lr / div_factor / final_div_factor
    top, end = pct_start * planned_epochs - 1, planned_epochs - 1
    if epoch < top:
        return _half_cosine(first, base_lr, epoch / top)
    if top == end:
        return base_lr
    return _half_cosine(base_lr, last, (min(epoch, end) - top) / (end - top))


def _half_cosine(start: float, end: float, share: float) -> float:
    """From start to end as share goes from 0 to 1, and back as it goes on to 2."""
    weight = (1 + math.cos(math.pi * share)) / 2
    return weight * start + (1 - weight) * end


def _geometric(base_lr: float, gamma: float, times: int) -> float:
    """lr·gamma^times, at most the largest float."""
    try:
        return min(base_lr * gamma**times, sys.float_info.max)
    except OverflowError:
        return sys.float_info.max


@dataclass(frozen=True, slots=True)
class Schedule:
    """A learning rate over time, with what it needs.

    Attributes:
        name: as in `--schedule`.
        summary: what it does, for people.
        lr_at: (lr, completed epochs, planned epochs, values) -> the learning rate of the epoch that begins.
        hyperparameters: in the order of the values.
    """

    name: str
    summary: str
    lr_at: LrAt
    hyperparameters: tuple[Hyperparameter, ...] = ()

    def values(self, given: Mapping[str, Value]) -> tuple[float, ...]:
        """The hyperparameters as `lr_at` takes them: each as given, or its default.

        Raises:
            InputError: if one is unknown or out of its range.
        """
        values = with_defaults(self.name, self.hyperparameters, given)
        return tuple(float(values[one.name]) for one in self.hyperparameters)


SCHEDULES = {
    schedule.name: schedule
    for schedule in (
        Schedule("constant", "lr, always", constant),
        Schedule(
            "step",
            "lr times gamma every step_size epochs",
            step,
            (
                Hyperparameter("step_size", 30, "epochs from step to step", 1),
                Hyperparameter("gamma", 0.1, "factor at each step", 0),
            ),
        ),
        Schedule(
            "exponential",
            "lr times gamma every epoch",
            exponential,
            (Hyperparameter("gamma", 0.95, "factor at each epoch", 0),),
        ),
        Schedule(
            "cosine",
            "from lr to eta_min along half a cosine, in T_max epochs",
            cosine,
            (
                Hyperparameter("T_max", 0, "epochs on the way down; 0: the planned epochs", 0),
                Hyperparameter("eta_min", 0.0, "lr at the bottom", 0),
            ),
        ),
        Schedule(
            "warmup",
            "from lr·start_factor up to lr in a straight line, in total_iters epochs; then lr",
            warmup,
            (
                Hyperparameter("start_factor", 1 / 3, "share of lr at the start", 1e-6, 1),
                Hyperparameter("total_iters", 5, "epochs on the way up", 1),
            ),
        ),
        Schedule(
            "one-cycle",
            "up to lr along half a cosine, then down to almost 0 at the last planned epoch",
            one_cycle,
            (
                Hyperparameter("pct_start", 0.3, "share of the epochs on the way up", 0, 1),
                Hyperparameter("div_factor", 25.0, "starts at lr/div_factor", 1),
                Hyperparameter("final_div_factor", 1e4, "ends this many times below the start", 1),
            ),
        ),
    )
}
"""Every schedule by its name, the simplest first."""


def schedule_named(name: str) -> Schedule:
    """The schedule of that name.

    Raises:
        InputError: if there is none; it names the nearest.
    """
    if name not in SCHEDULES:
        raise InputError("schedule", unknown("schedule", name, tuple(SCHEDULES)))
    return SCHEDULES[name]
