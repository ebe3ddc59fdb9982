"""Begin: what the lab opens with; a run at its start, or a kept one where it was left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gdtui.experiment import Experiment

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer
    from gdtui.runs.keeper import Keeper
    from gdtui.runs.store import Run
    from gdtui.sweeps.kept import KeptSweep
    from gdtui.training.training import Following


@dataclass(frozen=True, slots=True)
class Opening:
    """What the lab opens with.

    Attributes:
        experiment: what to run.
        play: run at once.
        is_kept: keep what is run.
        run: a kept run to show instead; None for a new one.
        is_watched: follow that run while another process makes it.
        lesson: the name of a lesson to open instead; empty where none is.
        following: another program's training to follow instead; None where none is.
        sweep: a kept sweep to show instead, and to go on with at once to play; None where none is.
        workers: who is to make it, in the options of the command that does.
    """

    experiment: Experiment = field(default_factory=Experiment)
    play: bool = False
    is_kept: bool = True
    run: Run | None = None
    is_watched: bool = False
    lesson: str = ""
    following: Following | None = None
    sweep: KeptSweep | None = None
    workers: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Of the kept run or sweep; empty where it is none."""
        kept = self.sweep or self.run or (self.following and self.following.run)
        return kept.id if kept else ""


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A run that can be played.

    Attributes:
        trainer: what is played.
        snapshot: its first moment.
        keeper: keeps it; None where it is not to be kept.
    """

    trainer: Trainer
    snapshot: Snapshot
    keeper: Keeper | None


def opening_of(kept: Run | KeptSweep, play: bool = False, is_watched: bool = False) -> Opening:
    """What shows a kept run of either kind, or a sweep.

    Raises:
        InputError: if it was made by another version, and cannot be read.
    """
    from gdtui.runs.store import Run, Store

    if not isinstance(kept, Run):
        return Opening(play=play, sweep=kept)
    if kept.is_training:
        from gdtui.training.kept import KeptTraining

        return Opening(following=KeptTraining(Store(), kept))
    return Opening(Experiment.from_line(kept.settings), play, run=kept, is_watched=is_watched)


def begin(experiment: Experiment, before: Snapshot | None, is_kept: bool) -> Begun:
    """A new run of an experiment, after the run that was shown before.

    Raises:
        InputError: if the experiment names something that there is not, or that does not fit.
    """
    import gdtui.dashboard.widgets.plot  # noqa: F401 (plotext, for the first chart)
    from gdtui.descent.trainer import Trainer
    from gdtui.insight.tracked import Tracker
    from gdtui.problems.loading import load_problem

    is_same = before is not None and _same_problem(before.experiment, experiment)
    trainer = Trainer(experiment, before.problem if before and is_same else load_problem(experiment), Tracker())
    return Begun(trainer, trainer.snapshot(), _keeper() if is_kept else None)


def fork(trainer: Trainer, parent: str, is_kept: bool) -> Begun:
    """Another run that has come to this moment as that one, which is kept under an id, has."""
    other = trainer.fork()
    return Begun(other, other.snapshot(), _keeper(parent) if is_kept else None)


def open_kept(run: Run, is_kept: bool) -> Begun:
    """A kept run at the farthest it has come; what it does from here on is kept with it.

    One that another process makes is not ours to go on with, nor is one that a sweep has measured: what is done with it
    here is another run.

    Raises:
        InputError: if it is not kept any more, or its data or model is not what it was.
    """
    import gdtui.dashboard.widgets.plot  # noqa: F401 (plotext, for the first chart)
    from gdtui.runs.keeper import Keeper
    from gdtui.runs.reopen import reopen
    from gdtui.runs.store import Store

    store = Store()
    trainer, record = reopen(store, run)
    keeper = None
    if is_kept:
        keeper = _keeper(run.id) if run.is_made or run.sweep else Keeper(store, run=run.id, record=record)
    return Begun(trainer, trainer.snapshot(), keeper)


def _keeper(parent: str = "") -> Keeper:
    from gdtui.runs.keeper import Keeper
    from gdtui.runs.store import Store

    return Keeper(Store(), parent=parent)


def _same_problem(one: Experiment, other: Experiment) -> bool:
    names = ("problem", "data", "features", "target", "standardize", "drop_missing", "seed", "set", "init")
    return all(getattr(one, name) == getattr(other, name) for name in names)
