"""Compare: the settings in which experiments differ, and short labels made of them only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gdtui.experiment import SETTINGS, InputError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.experiment import Experiment

SAME = "same"
"""The label of experiments that do not differ."""

WORDS = ("problem", "optimizer", "schedule", "order")
"""Settings whose value says by itself which setting it is of."""

FLAGS = {"standardize": ("as they are", "standardized"), "drop_missing": ("all rows", "whole rows")}
"""Off and on, in words."""

UNSET = {"features": "all features", "target": "last column", "init": "default start"}
"""What an empty setting stands for."""


def differing(experiments: Sequence[Experiment]) -> dict[str, tuple[Any, ...]]:
    """The settings in which experiments differ, and each experiment's value.

    Hyperparameters stand in the place of `set`; one that is not set has its default, and is None where the experiment
    has no such hyperparameter.

    Returns:
        Values by the setting's or hyperparameter's name, as many as there are experiments, in the order of `SETTINGS`.
    """
    found = {name: tuple(getattr(one, name) for one in experiments) for name in SETTINGS if name != "set"}
    # Where all set the same, nothing of them can differ but by what has such a hyperparameter: that is told already.
    if len({one.set for one in experiments}) > 1:
        known = [_hyperparameters(one) for one in experiments]
        for name in sorted({name for one in experiments for name, _ in one.set}):
            found[name] = tuple(values.get(name) for values in known)
    return {name: values for name, values in found.items() if any(value != values[0] for value in values)}


def differences(experiments: Sequence[Experiment]) -> list[tuple[str, ...]]:
    """In what each experiment differs from some of the others, a word or two a setting: `("b=1", "lr 0.01")`."""
    found = differing(experiments)
    return [
        tuple(_word(name, values[k]) for name, values in found.items() if values[k] is not None)
        for k in range(len(experiments))
    ]


def labels(experiments: Sequence[Experiment]) -> list[str]:
    """A short label for each experiment, of the settings in which they differ only: `b=1 lr 0.01`; or `same`."""
    return [" ".join(words) or SAME for words in differences(experiments)]


def _hyperparameters(experiment: Experiment) -> dict[str, Any]:
    """Every hyperparameter's value, as set or by default; only those that are set where the others are not known."""
    from gdtui.descent.method import hyperparameters

    try:
        defaults = {one.name: one.default for one in hyperparameters(experiment)}
    except InputError:
        defaults = {}
    return defaults | dict(experiment.set)


def _word(name: str, value: Any) -> str:
    if name in WORDS or name == "data":
        return printable(str(value).rsplit("/", 1)[-1])
    if name == "batch_size":
        return f"b={value}"
    if name in FLAGS:
        return FLAGS[name][value]
    if value == ():
        return UNSET[name]
    if isinstance(value, tuple):
        value = ",".join(_number(item) for item in value)
    label = "start" if name == "init" else name
    return printable(f"{label} {_number(value)}") if value != "" else UNSET[name]


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
