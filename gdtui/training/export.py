"""Export: a training's values, its samples, its config as a file; pictures are drawn by the dashboard."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.experiment import InputError
from gdtui.runs.atomic import destination
from gdtui.runs.export import PICTURES, Written, check, write_table, write_text
from gdtui.training.moment import Number

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.runs.export import Table
    from gdtui.training.moment import Moment
    from gdtui.training.training import Training

NAMES = {
    Number.LOSS: "loss",
    Number.NORM: "grad_norm",
    Number.COSINE: "cos",
    Number.SHARE: "share",
    Number.ALONG: "along",
    Number.ACROSS: "across",
}
"""What the samples' numbers are called in a file."""


def export(
    training: Training, what: str, file: str, replace: bool = False, draw: Callable[[], str] | None = None
) -> Written:
    """Write something of a training to a file, whole or not at all; numbers are written in full.

    Args:
        training: as it stands.
        what: history: a step a row. samples: its newest probe, a sample a row. experiment: its config. chart, lab: a
            picture.
        file: its name; the suffix says how it is written.
        replace: a file that is there already may be replaced.
        draw: gives a picture's SVG.

    Raises:
        InputError: if there is nothing of it, or it cannot be written so, or the file is there already.
    """
    check(what, file)
    destination(file, replace)
    if what in PICTURES:
        if draw is None:
            raise InputError("what", "a picture of a training is written in the dashboard: open it, then press w")
        return write_text([draw()], what, file, replace)
    described: dict[str, Any] = {"training": training.name, "config": dict(training.config), "state": training.state}
    if what == "experiment":
        lines = "".join(f"{name}={value}\n" for name, value in training.config)
        return write_text([json.dumps(described) + "\n" if file.endswith(".json") else lines], what, file, replace)
    if what == "samples":
        if training.moment is None:
            raise InputError("what", "this training has told nothing of its samples: gdtui.torch.Watcher records them")
        return write_table(samples_table(training.moment), described, what, file, replace)
    if not training.curves:
        raise InputError("what", "this training has told no value yet")
    points = sum(map(len, training.curves.values()))
    note = f"{points:,} of {training.values:,} values, every peak among them" if points < training.values else ""
    return write_table(history_table(training), described, what, file, replace, note)


def history_table(training: Training) -> Table:
    """A row for each step and epoch, more where a value was told more than once there; what was not told is nan.

    The seconds are those of what was told first.
    """
    rows: dict[tuple[Any, ...], tuple[float, ...]] = {}  # where each row stands
    cells: dict[str, dict[tuple[Any, ...], float]] = {}
    for name, points in training.curves.items():
        told: Counter[tuple[float, ...]] = Counter()
        cells[name] = {}
        for step, epoch, seconds, value in points.tolist():
            at = step, -math.inf if math.isnan(epoch) else epoch  # nan is like no other nan
            key = *at, told[at]
            told[at] += 1
            rows[key] = min(rows.get(key, (step, epoch, seconds)), (step, epoch, seconds), key=lambda row: row[2])
            cells[name][key] = value
    keys = sorted(rows)
    axes = np.array([rows[key] for key in keys])
    table: Table = {"step": axes[:, 0].astype(np.int64), "epoch": axes[:, 1], "seconds": axes[:, 2]}
    for name, values in cells.items():
        table[_unique(name, table)] = np.array([values.get(key, math.nan) for key in keys])
    return table


def samples_table(moment: Moment) -> Table:
    """A sample a row, in the probe's order; without the numbers that are not known of any."""
    table: Table = {"sample": moment.samples}
    if moment.labels:
        table["label"] = np.array(moment.labels)
    numbers = {name: moment.column(number) for number, name in NAMES.items()}
    return table | {name: column for name, column in numbers.items() if not np.isnan(column).all()}


def _unique(name: str, taken: Table) -> str:
    """A name that no other column has, also where case does not count, as in DuckDB."""
    known = {one.casefold() for one in taken}
    one, number = name or "_", 1
    while one.casefold() in known:
        number += 1
        one = f"{name}_{number}"
    return one
