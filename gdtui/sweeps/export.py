"""Export: a sweep's runs as a table in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.experiment import InputError
from gdtui.runs.atomic import destination
from gdtui.runs.export import check, unique_names, write_table, write_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.runs.export import Table, Written
    from gdtui.sweeps.outcome import Progress

OWN = ("run", "state", "reason", "epoch", "updates", "seconds", "loss")
"""What is told of each run, behind its settings."""


def export(
    progress: Progress, what: str, file: str, replace: bool = False, draw: Callable[[], str] | None = None
) -> Written:
    """Write something of a sweep to a file, whole or not at all; numbers are written in full.

    Args:
        progress: the sweep as it stands.
        what: history: a run a row. experiment: what is swept. lab: a picture.
        file: its name; the suffix says how it is written.
        replace: a file that is there already may be replaced.
        draw: gives the picture's SVG.

    Raises:
        InputError: if there is nothing of it, or it cannot be written so, or the file is there already.
    """
    check(what, file)
    destination(file, replace)
    if what == "lab" and draw is not None:
        return write_text([draw()], what, file, replace)
    described = json.loads(progress.sweep.to_text())
    if what == "experiment":
        text = json.dumps(described) if file.endswith(".json") else progress.sweep.experiment.to_line()
        note = "" if file.endswith(".json") else "it leaves out what is swept over, .json does not"
        return write_text([f"{text}\n"], what, file, replace, note=note)
    if what != "history":
        how = "its screen is a picture: gdtui open SWEEP, then w" if what == "lab" else "export one of its runs"
        raise InputError("what", f"a sweep has no {what} to write: {how}")
    return write_table(runs_table(progress), described, what, file, replace)


def runs_table(progress: Progress) -> Table:
    """A run a row, in the order of the sweep's points; those that have not begun are waiting, and their loss is nan.

    A setting that is called as something else in the table gets a number: `epoch_2`.
    """
    points = progress.sweep.points()
    outcomes = [progress.outcomes.get(key) for key in points]
    settings = [progress.sweep.settings(experiment) for experiment in points.values()]
    options = list(settings[0])
    table: Table = {}
    for name, option in zip(unique_names(OWN, options), options, strict=True):
        table[name] = _column([one[option] for one in settings])
    table["run"] = np.array([one.run if one else "" for one in outcomes])
    table["state"] = np.array([one.state if one else "waiting" for one in outcomes])
    table["reason"] = np.array([one.reason if one else "" for one in outcomes])
    for name in ("epoch", "updates"):
        table[name] = np.array([getattr(one, name) if one else 0 for one in outcomes], dtype=np.int64)
    table["seconds"] = np.array([one.seconds if one else 0.0 for one in outcomes])
    table["loss"] = np.array([one.loss if one else np.nan for one in outcomes])
    return table


def _column(values: list[Any]) -> Any:
    """Numbers as they are; anything else, as a batch size that is full, as text."""
    is_plain = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return np.array(values if is_plain else [_written(value) for value in values])


def _written(value: Any) -> str:
    return ",".join(map(repr, value)) if isinstance(value, tuple) else "" if value is None else str(value)
