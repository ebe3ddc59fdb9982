"""Reopen: a kept run as a trainer again, at the farthest it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.trainer import Trainer
from gdtui.experiment import InputError
from gdtui.insight.tracked import Tracker
from gdtui.problems.loading import load_problem, located

if TYPE_CHECKING:
    from gdtui.descent.record import Record
    from gdtui.runs.store import Run, Store


def reopen(store: Store, run: Run) -> tuple[Trainer, Record]:
    """The trainer of a kept run, and the record that it goes on from.

    Raises:
        InputError: if the run is not kept any more, or its data or model is not what it was.
    """
    record = store.record(run.id)
    trainer = Trainer.of(record, load_problem(located(record.experiment, run.folder)), Tracker())
    if not np.array_equal(trainer.snapshot().theta, record.theta, equal_nan=True):
        text = "the data or the model has changed since: the same updates no longer lead to the same θ"
        raise InputError("problem", text)
    return trainer, record
