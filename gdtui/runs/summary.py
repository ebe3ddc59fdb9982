"""Summary: a kept run in a few words, for lists that people read and search."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

from gdtui.experiment import SETTINGS, Experiment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.runs.store import Run

ALWAYS = ("problem", "data", "optimizer", "batch_size", "lr")
DEFAULTS = Experiment()
UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def brief(line: str) -> str:
    """What an experiment is about, and what else in it is not the default: `mlp · moons · adam b=16 lr 0.02 · ...`."""
    experiment = Experiment.from_line(line)
    problem, data, optimizer, batch_size, lr = (getattr(experiment, name) for name in ALWAYS)
    others = [
        f"{setting.option}={setting.write(getattr(experiment, setting.name))}"
        for setting in SETTINGS.values()
        if setting.name not in (*ALWAYS, "set") and getattr(experiment, setting.name) != getattr(DEFAULTS, setting.name)
    ]
    others += [f"{name}={value}" for name, value in experiment.set]
    about = f"{problem} · {data.rsplit('/', 1)[-1]} · {optimizer} b={batch_size} lr {lr:g}"
    return " · ".join([about, *([" ".join(others)] if others else [])])


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
    return " ".join((run.id, run.name, *run.tags, run.note, run.state, run.settings, brief(run.settings))).lower()
