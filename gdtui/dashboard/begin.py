"""Begin: a run at its start; what it minimises is read anew only where that has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer
    from gdtui.experiment import Experiment


def begin(experiment: Experiment, before: Snapshot | None) -> tuple[Trainer, Snapshot]:
    """A new run of an experiment and its first moment, after the run that was shown before.

    Raises:
        InputError: if the experiment names something that there is not, or that does not fit.
    """
    import gdtui.dashboard.widgets.plot  # noqa: F401 (plotext, for the first chart)
    from gdtui.descent.trainer import Trainer
    from gdtui.insight.tracked import Tracker
    from gdtui.problems.loading import load_problem

    is_same = before is not None and _same_problem(before.experiment, experiment)
    trainer = Trainer(experiment, before.problem if before and is_same else load_problem(experiment), Tracker())
    return trainer, trainer.snapshot()


def _same_problem(one: Experiment, other: Experiment) -> bool:
    names = ("problem", "data", "features", "target", "standardize", "drop_missing", "seed", "set", "init")
    return all(getattr(one, name) == getattr(other, name) for name in names)
