"""Conduct: makes a sweep, from what is missing of it to its end, with every run in the store as it comes."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median
from time import monotonic, sleep
from typing import TYPE_CHECKING

from gdtui.experiment import InputError
from gdtui.sweeps import halving
from gdtui.sweeps.crew import LostError
from gdtui.sweeps.engine import Engine
from gdtui.sweeps.outcome import FAILED, LOST, STOPPED
from gdtui.sweeps.work import Job, Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from gdtui.sweeps.crew import Batch, Crew
    from gdtui.sweeps.ledger import Ledger
    from gdtui.sweeps.outcome import Progress, RunOutcome

WRITE_EVERY_S = 0.25
"""Outcomes that come in quick succession are written together."""

WRITE_TRIES = 4
"""So often a store that cannot be written is tried, each time with its own patience."""

STOP_S = 3.0
"""What is under way when a sweep is stopped has so long to come back; it takes longer only within a single epoch."""


class Conductor:
    """Makes one sweep, which is this ledger's.

    Attributes:
        progress: the sweep as it was seen last.
    """

    def __init__(self, ledger: Ledger, id: str, folder: str, crew: Crew) -> None:
        """A sweep of that id, whose experiments' relative file names begin in that folder."""
        self.progress = ledger.look(id)
        self._ledger, self._id, self._folder, self._crew = ledger, id, folder, crew
        self._points = self.progress.sweep.points()
        self._numbers = {key: number for number, key in enumerate(self._points, 1)}
        self._engine = Engine(crew, self._ready)
        self._stop_at = math.inf
        self._written = monotonic()

    @property
    def has_workers(self) -> bool:
        """There is somebody to do the work; where there is nobody, it waits."""
        return self._crew.size > 0

    def stop(self) -> None:
        """Begin nothing any more, keep what is under way, and end."""
        self._stop_at = min(self._stop_at, monotonic() + STOP_S)
        self._engine.stop()

    def run(self) -> Generator[Progress, None, None]:
        """Make what is missing; gives the sweep as it is, several times a second.

        Raises:
            InputError: if the workers are lost, or the store cannot be written; what came until then is kept.
        """
        try:
            for part in (*(halving.PARTS if self.progress.sweep.is_halving else ()), 1.0):
                targets = {key: self._target(key, part) for key in self._points}
                self._engine.add(self._missing(targets))
                yield from self._make(targets)
                if self._stop_at < math.inf:
                    return
                if part < 1:
                    self._halve(part)
        except LostError as error:
            raise InputError("sweep", f"{error}; {self._how_to_go_on()}") from error
        finally:
            self._crew.close()
            self._ledger.let_go(self._id)
            self.progress = self._ledger.look(self._id, self.progress)

    def _how_to_go_on(self) -> str:
        return f"what came of the sweep until then is kept: gdtui sweep --resume {self._id} goes on"

    def _make(self, targets: dict[str, int]) -> Iterator[Progress]:
        """Do the jobs that there are; a run that has not come as far as it is to goes on."""
        pending: list[Outcome] = []
        try:
            while self._engine.has_work and monotonic() < self._stop_at:
                pending += self._engine.take()
                if pending and (monotonic() - self._written > WRITE_EVERY_S or not self._engine.has_work):
                    due, pending = pending, []
                    self._write(due, targets)
                yield self.progress
        finally:
            if pending:
                self._write(pending, targets)

    def _write(self, outcomes: list[Outcome], targets: dict[str, int]) -> None:
        now = monotonic()
        for left in reversed(range(WRITE_TRIES)):
            try:
                self._ledger.write(self._id, self._numbers, outcomes, now - self._written)
                break
            except InputError as error:
                if error.setting != "store":
                    raise
                if not left:
                    raise InputError("store", f"{error}; {self._how_to_go_on()}") from error
                sleep(WRITE_EVERY_S)
        self._written = now
        self.progress = self._ledger.look(self._id, self.progress)
        keys = [one.key for one in outcomes if one.record and not self._is_there(one.key, targets[one.key])]
        self._engine.add(self._job(key, targets[key]) for key in keys)

    # --- what is to be done ------------------------------------------------------------------------------------------

    def _target(self, key: str, part: float) -> int:
        epochs = self._points[key].epochs
        return epochs if part == 1 else halving.rung(epochs, part)

    def _missing(self, targets: dict[str, int]) -> list[Job]:
        return [self._job(key, epoch) for key, epoch in targets.items() if not self._is_there(key, epoch)]

    def _is_there(self, key: str, epoch: int) -> bool:
        outcome = self.progress.outcomes.get(key)
        return outcome is not None and (outcome.is_over or outcome.epoch >= epoch)

    def _job(self, key: str, epoch: int) -> Job:
        return Job(key, self._points[key], self._folder, epoch)

    def _ready(self, batch: Batch) -> Batch:
        """Each with the record that it goes on from."""
        begun = {job.key: outcome.run for job in batch if (outcome := self.progress.outcomes.get(job.key))}
        records = self._ledger.store.records(filter(None, begun.values()))
        return [replace(job, record=records.get(begun.get(job.key, ""))) for job in batch]

    # --- which are stopped early -------------------------------------------------------------------------------------

    def _halve(self, part: float) -> None:
        """Stop the points that are too far behind, each with all its seeds."""
        outcomes, arms = self.progress.outcomes, self._arms_at(part)
        planned = {arm: self._points[keys[0]].epochs for arm, keys in arms.items()}
        parts = [one for one in halving.PARTS if one <= part]
        rungs = {arm: [0, *(halving.rung(epochs, one) for one in parts)] for arm, epochs in planned.items()}
        losses = self._ledger.losses_at(self._id, {key: rungs[arm] for arm, keys in arms.items() for key in keys})
        curves = {}
        for arm, keys in arms.items():
            seeds = [_known(outcomes[key], rungs[arm], losses.get(key, ())) for key in keys]
            curves[arm] = [(rung, median(ones)) for rung, *ones in zip(rungs[arm], *seeds, strict=True)]
        behind = [key for arm in halving.stopped(curves, planned) for key in arms[arm] if not outcomes[key].is_over]
        reasons = {
            outcomes[key].run: f"stopped early at epoch {outcomes[key].epoch:,}, too far behind" for key in behind
        }
        if reasons:
            self._ledger.stop(self._id, reasons)
            self.progress = self._ledger.look(self._id, self.progress)

    def _arms_at(self, part: float) -> dict[str, list[str]]:
        """The points that came as far as this rung, with their runs' keys.

        Those that were stopped at it count as well: a sweep that is resumed comes by here again.
        """
        arms: dict[str, list[str]] = {}
        gone = set()
        for key in self._points:
            outcome, arm = self.progress.outcomes[key], self.progress.sweep.arm(key)
            arms.setdefault(arm, []).append(key)
            if outcome.state == STOPPED and outcome.epoch < self._target(key, part):
                gone.add(arm)
        return {arm: keys for arm, keys in arms.items() if arm not in gone}


def _known(outcome: RunOutcome, rungs: Sequence[int], losses: Sequence[float]) -> list[float]:
    """A run's losses at some epochs, as one knew them then: infinite only from where it was lost."""
    if outcome.state == FAILED:
        return [math.inf] * len(rungs)
    is_lost = outcome.state in LOST
    return [math.inf if is_lost and epoch > outcome.epoch else loss for epoch, loss in zip(rungs, losses, strict=True)]
