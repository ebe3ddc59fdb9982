"""gdtui: a gradient-descent laboratory for the terminal.

Example:
    >>> from gdtui import Epoch, Experiment, Trainer, load_problem
    >>> experiment = Experiment(batch_size="full", lr=0.05)
    >>> trainer = Trainer(experiment, load_problem(experiment))
    >>> trainer.advance(until=Epoch(10)).loss
    1.618010515146993e-05
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Epoch, Snapshot, State, Update
    from gdtui.descent.trainer import Trainer
    from gdtui.experiment import Experiment, InputError
    from gdtui.problems.loading import load_problem
    from gdtui.problems.problem import Problem
    from gdtui.training.recorder import Recorder

__all__ = [
    "Epoch",
    "Experiment",
    "InputError",
    "Problem",
    "Recorder",
    "Snapshot",
    "State",
    "Trainer",
    "Update",
    "load_problem",
]

_HOMES = {
    "Epoch": "gdtui.descent.snapshot",
    "Experiment": "gdtui.experiment",
    "InputError": "gdtui.experiment",
    "Problem": "gdtui.problems.problem",
    "Recorder": "gdtui.training.recorder",
    "Snapshot": "gdtui.descent.snapshot",
    "State": "gdtui.descent.snapshot",
    "Trainer": "gdtui.descent.trainer",
    "Update": "gdtui.descent.snapshot",
    "load_problem": "gdtui.problems.loading",
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is asked for: the command line must not wait for numpy."""
    if name == "torch":
        return import_module("gdtui.torch")  # so that `import gdtui` is enough
    if name not in _HOMES:
        raise AttributeError(f"module 'gdtui' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
