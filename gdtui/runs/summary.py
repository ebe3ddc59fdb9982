"""Summary: a kept run in a few words, for lists that people read and search."""

from __future__ import annotations

from functools import lru_cache
from time import time
from typing import TYPE_CHECKING

from gdtui.experiment import SETTINGS, Experiment, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.runs.store import Run

ALWAYS = ("problem", "data", "optimizer", "batch_size", "lr")
DEFAULTS = Experiment()
UNITS = ((31_557_600.0, "y"), (86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))
REMEMBERED = 32_768
"""Lines of settings whose few words are remembered: to search thousands of runs is to read each once."""


@lru_cache(REMEMBERED)
def brief(line: str) -> str:
    """What an experiment is about, and what else in it is not the default: `mlp · moons · adam b=16 lr 0.02 · ...`.

    A line that cannot be read, as of another version of gdtui, stays as it is.
    """
    try:
        experiment = Experiment.from_line(line)
    except InputError:
        return line
    problem, data, optimizer, batch_size, lr = (getattr(experiment, name) for name in ALWAYS)
    others = [
        f"{setting.option}={setting.write(getattr(experiment, setting.name))}"
        for setting in SETTINGS.values()
        if setting.name not in (*ALWAYS, "set") and getattr(experiment, setting.name) != getattr(DEFAULTS, setting.name)
    ]
    others += [f"{name}={value}" for name, value in experiment.set]
    about = f"{problem} · {data.rsplit('/', 1)[-1]} · {optimizer} b={batch_size} lr {lr:g}"
    return " · ".join([about, *([" ".join(others)] if others else [])])


@lru_cache(REMEMBERED)
def epochs_planned(line: str) -> int | None:
    """How many epochs an experiment is to have; None where its line cannot be read."""
    try:
        return Experiment.from_line(line).epochs
    except InputError:
        return None


def changes(run: Run) -> list[str]:
    """The settings that are not what they were at the start any more: `lr 0.01 → 0.02`."""
    if run.experiment == run.settings:
        return []
    try:
        before, after = (_written(Experiment.from_line(line)) for line in (run.experiment, run.settings))
    except InputError:
        return []
    names = dict.fromkeys([*before, *after])
    values = {name: (before.get(name, "default"), after.get(name, "default")) for name in names}
    return [f"{name} {was} → {now}" for name, (was, now) in values.items() if was != now]


def _written(experiment: Experiment) -> dict[str, str]:
    settings = {one.option: one.write(getattr(experiment, one.name)) for one in SETTINGS.values() if one.name != "set"}
    return settings | {name: str(value) for name, value in experiment.set}


def ago(then: float) -> str:
    """How long ago a time is, in seconds since 1970: `3 min`."""
    seconds = max(0.0, time() - then)
    size, unit = next(((size, unit) for size, unit in UNITS if seconds >= size), (1.0, "s"))
    return f"{int(seconds / size)} {unit}"


def matching(runs: Sequence[Run], words: Sequence[str]) -> list[Run]:
    """The runs in which each of these words stands, be it in their settings, state, id, name, tags or note."""
    wanted = [word.lower() for word in words]
    return [run for run in runs if all(word in _text(run) for word in wanted)]


def _text(run: Run) -> str:
    tags = [f"#{tag}" for tag in run.tags]
    return " ".join((run.id, run.name, *tags, run.note, run.state, run.settings, brief(run.settings))).lower()
