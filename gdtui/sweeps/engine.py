"""Engine: hands jobs to a crew in batches of the right length, few at once, and gives their outcomes as they come.

The first job of each kind goes alone, and shows how long they are. Where many follow, the next one goes alone as well,
and compiles: what numba makes is kept on disk, and the other workers need not compile it once more.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gdtui.sweeps.crew import LostError
from gdtui.sweeps.work import Job, Outcome, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from gdtui.experiment import Experiment
    from gdtui.sweeps.crew import Batch, Crew

BATCH_S = 0.5
"""A batch is to take so long."""

MOST_IN_BATCH = 500

MOST_EPOCHS = 200_000
"""In a batch of more than one: each is 56 bytes of a history, and all of a batch comes back and is written at once."""

AHEAD = 2
"""Batches that each worker has, with the one that it is at."""

WORTH_COMPILING_S = 3.0
"""So many seconds of work of a kind, left for each worker, are worth a compiler's."""

TOGETHER = 2
"""So often a job may be at a worker that died among others; from then on it goes alone."""

MOST_DEATHS = 4
"""So many dead workers are a job's own fault."""

MOST_MENDS = 5
"""So often, one after the other without an outcome, the workers are lost and begun anew."""

LOST_S = 1.0
"""For what else is under way to come back, or to be lost, when workers are lost."""

TURN_S = 0.1
"""Between two looks at whether it is to stop."""

Kind = tuple[object, ...]


@dataclass(slots=True)
class _Queue:
    """The jobs of one kind that wait.

    Attributes:
        jobs: the next one first.
        seconds: that one takes, about; None: none has come back yet.
        is_trying: one goes alone: the others wait for it.
        is_compiled: they are compiled at once.
    """

    jobs: deque[Job] = field(default_factory=deque)
    seconds: float | None = None
    is_trying: bool = False
    is_compiled: bool = False

    def learn(self, seconds: float) -> None:
        """How long one took; what came before counts less and less."""
        self.seconds = seconds if self.seconds is None else 0.7 * self.seconds + 0.3 * seconds


class Engine:
    """Does jobs.

    Args:
        crew: the workers.
        ready: called as a batch is sent: each job with the record that it goes on from.
        do: what a worker does with a batch.
    """

    def __init__(
        self,
        crew: Crew,
        ready: Callable[[Batch], Batch] = lambda batch: batch,
        do: Callable[[Batch], list[Outcome]] = work,
    ) -> None:
        self._crew, self._ready, self._do = crew, ready, do
        self._queues: dict[Kind, _Queue] = {}
        self._suspects: deque[Job] = deque()
        self._deaths: dict[str, int] = {}
        self._flying: dict[Future[list[Outcome]], Batch] = {}
        self._failed: list[Outcome] = []
        self._trouble: BaseException | None = None
        self._mends = 0
        self._is_stopping = False

    def add(self, jobs: Iterable[Job]) -> None:
        """Have these done, too."""
        for job in jobs:
            self._queues.setdefault(kind(job.experiment), _Queue()).jobs.append(job)

    def stop(self) -> None:
        """Send nothing any more; what is under way comes back."""
        self._is_stopping = True

    @property
    def has_work(self) -> bool:
        """Something is under way, or can be sent."""
        waiting = self._suspects or any(queue.jobs for queue in self._queues.values())
        return bool(self._flying or self._failed or (waiting and not self._is_stopping))

    def take(self) -> list[Outcome]:
        """What has come of jobs since; after a moment also nothing, so that somebody may look about.

        A run that came only some of its way is handed over as it is: who wants it to go on adds it again.

        Raises:
            LostError: if the workers cannot be reached any more; what came back from them was handed over before.
        """
        if self._trouble:
            trouble, self._trouble = self._trouble, None
            self._mend(trouble)
        self._send()
        return self._take()

    # --- out -----------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        while not self._is_stopping and len(self._flying) < max(1, AHEAD * self._crew.size):
            batch = self._next_batch()
            if not batch:
                return
            jobs = self._ready(batch)
            try:
                self._flying[self._crew.submit(self._do, jobs)] = batch
            except Exception as error:  # the executor knows already that its workers are lost
                self._put_back(batch)
                self._trouble = error
                return

    def _next_batch(self) -> Batch:
        left = sum(len(queue.jobs) for queue in self._queues.values())
        for queue in self._queues.values():
            if queue.jobs and not queue.is_trying:
                return self._batch_of(queue, left)
        if self._suspects and not self._flying:
            return [self._suspects.popleft()]
        return []

    def _batch_of(self, queue: _Queue, left: int) -> Batch:
        workers = max(1, self._crew.size)
        if queue.seconds is None:
            count, queue.is_trying = 1, True
        elif not queue.is_compiled and queue.seconds * len(queue.jobs) / workers > WORTH_COMPILING_S:
            count, queue.is_trying, queue.is_compiled = 1, True, True
        else:
            share = -(-left // (AHEAD * workers))  # at the end, each worker gets as much as the others
            count = max(1, min(int(BATCH_S / max(queue.seconds, 1e-6)), share, MOST_IN_BATCH))
        jobs: Batch = []
        epochs = 0
        while queue.jobs and len(jobs) < count and (not jobs or epochs + queue.jobs[0].epoch <= MOST_EPOCHS):
            job = queue.jobs.popleft()
            epochs += job.epoch
            jobs.append(replace(job, is_compiled=queue.is_compiled))
        return jobs

    # --- back ----------------------------------------------------------------------------------------------------

    def _take(self) -> list[Outcome]:
        outcomes, self._failed = self._failed, []
        done, _ = wait(self._flying, TURN_S, FIRST_COMPLETED)
        errors = [error for future in done if (error := _error(future))]
        fatal = self._trouble or next((error for error in errors if self._crew.loses_all(error)), None)
        if fatal:
            wait(self._flying, LOST_S)
        for future in list(self._flying) if fatal else done:
            batch = self._flying.pop(future)
            error = _error(future) if future.done() else fatal
            if error is None:
                outcomes += self._learn(batch, future.result())
            else:
                self._put_back(batch, is_death=self._crew.is_death(error))
        self._trouble = fatal
        if outcomes and not fatal:
            self._mends = 0
        return outcomes

    def _learn(self, batch: Batch, outcomes: list[Outcome]) -> list[Outcome]:
        queue = self._queues[kind(batch[0].experiment)]
        queue.is_trying = False
        if len(batch) > 1 or not queue.is_compiled or queue.seconds is None:
            queue.learn(sum(outcome.seconds for outcome in outcomes) / len(outcomes))
        else:
            queue.seconds = min(queue.seconds, outcomes[0].seconds)  # of the one that compiles, less would be known
        begun = {outcome.key for outcome in outcomes}
        queue.jobs.extendleft(reversed([job for job in batch if job.key not in begun]))
        return outcomes

    def _put_back(self, batch: Batch, is_death: bool = False) -> None:
        queue = self._queues[kind(batch[0].experiment)]
        queue.is_trying = False
        for job in reversed(batch):
            deaths = self._deaths[job.key] = self._deaths.get(job.key, 0) + is_death
            if deaths >= MOST_DEATHS:
                self._failed.append(Outcome(job.key, None, f"{deaths} workers died at it"))
            elif deaths >= TOGETHER:
                self._suspects.append(job)
            else:
                queue.jobs.appendleft(job)

    def _mend(self, error: BaseException) -> None:
        """New workers; nothing is under way."""
        self._mends += 1
        if self._mends > MOST_MENDS:
            why = " ".join(str(error).split()) or type(error).__name__
            raise LostError(f"the workers are lost again and again: {why}") from error
        self._crew.mend(error)


def _error(future: Future[list[Outcome]]) -> BaseException | None:
    return InterruptedError("it was cancelled") if future.cancelled() else future.exception()


def kind(experiment: Experiment) -> Kind:
    """What experiments have in common that one kernel serves, on the same data."""
    return experiment.problem, experiment.data, experiment.features, experiment.target, experiment.optimizer
