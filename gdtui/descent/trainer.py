"""Trainer: advance a descent, change it in mid-run; knows no screen."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.descent import kernel
from gdtui.descent.batching import ORDERS, samples_in_batch
from gdtui.descent.history import History
from gdtui.descent.optimizers import optimizer_named
from gdtui.descent.passes import Pass, flat
from gdtui.descent.snapshot import Epoch, Evaluation, Event, Snapshot, State, Update
from gdtui.experiment import BatchSize, Experiment, InputError, setting_named

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array
    from gdtui.problems.problem import Problem

DIVERGED_AT = 1e12
"""A loss this many times max(1, f at the start) counts as diverged."""

SLICE = 4096
"""Numbers of the data between two looks at the clock: a few milliseconds of interpreted work."""


class Trainer:
    """Minimises a problem as an experiment says; between two calls of `advance` its settings may change.

    Same experiment and events, same bits: however the advance is cut into calls.

    Attributes:
        experiment: the settings as they are now, after the changes.
        problem: what is minimised.

    Raises:
        InputError: if the experiment does not fit the problem, or the loss at the start is not finite.
    """

    def __init__(self, experiment: Experiment, problem: Problem) -> None:
        self.experiment = experiment
        self.problem = problem
        self._update = optimizer_named(experiment.optimizer).update
        self._generator = np.random.Generator(np.random.PCG64(experiment.seed))
        self._theta = problem.start(experiment.init)
        self._flat_theta = flat(self._theta)
        self._total = flat(np.zeros_like(self._theta))
        self._x, self._y = flat(problem.dataset.x), flat(problem.dataset.y)
        # What the batch under way uses; the experiment's own values may already have changed.
        self._lr: float = experiment.lr
        self._batch_size: BatchSize = experiment.batch_size
        self._events: tuple[Event, ...] = ()
        self._epoch = self._updates = 0
        self._seconds = 0.0
        self._began = perf_counter()
        self._reason = ""
        self._has_settled = False
        self._pass = Pass(np.arange(0), len(self._theta), first_update=0)
        self._slice = max(1, SLICE // len(self._theta))
        self._now: Evaluation | None = self._evaluate(self._theta)
        self._loss = self._now.loss
        self._visit_loss = math.nan
        self._diverged_at = DIVERGED_AT * max(1.0, self._loss)
        if not math.isfinite(self._loss):
            raise InputError("init", "the loss at the start is not finite: start elsewhere, or standardize the data")
        self._history = History()
        self._record_epoch(seconds=0.0)

    @property
    def state(self) -> State:
        """Ready, running, finished, converged or diverged."""
        if self._reason:
            return State.DIVERGED
        if not self._pass.is_closed or self._epoch < self.experiment.epochs:
            return State.READY if self._visited == 0 else State.RUNNING
        return State.CONVERGED if self._has_settled else State.FINISHED

    @property
    def _visited(self) -> int:
        return self._epoch * self.problem.n + (0 if self._pass.is_closed else self._pass.position)

    def advance(self, until: Epoch | Update | None = None, budget_s: float | None = None) -> Snapshot:
        """Run until an epoch or update is reached, a time budget is spent, or the descent is over.

        Args:
            until: where to stop; None: at the experiment's last epoch.
            budget_s: seconds to spend, about; None: as long as it takes.
        """
        self._began = perf_counter() - self._seconds
        deadline = math.inf if budget_s is None else perf_counter() + budget_s
        while not self.state.is_over and not self._has_reached(until):
            self._advance_slice(one_batch=isinstance(until, Update))
            if perf_counter() >= deadline:
                break
        self._seconds = perf_counter() - self._began
        return self.snapshot()

    def change(self, **settings: Any) -> tuple[Event, ...]:
        """Change settings in mid-run; each change becomes an event at the next update that begins.

        Before the first visit they just become part of the experiment. In the midst of a batch they wait for that
        batch's update; a new `order` waits for the next epoch, when it is drawn.

        Returns:
            The events, one for each setting whose value differs.

        Raises:
            InputError: if a setting cannot change in mid-run, or its value is wrong.
        """
        before = self.experiment
        after = before.replace(**settings)
        changed = [name for name in settings if getattr(before, name) != getattr(after, name)]
        for name in changed:
            if not setting_named(name).changes_run:
                raise InputError(name, f"{name} cannot change in mid-run; it makes a new run")
        is_ready = self.state is State.READY
        self.experiment = after
        if is_ready:
            self._lr, self._batch_size = after.lr, after.batch_size
            self._history = History()
            self._record_epoch(seconds=0.0)
            return ()
        update = self._updates + (1 if self._pass.is_in_batch else 0)
        epoch = self._epoch if self._pass.is_closed else self._epoch + self._pass.batch_end / self.problem.n
        events = tuple(Event(update, epoch, name, getattr(before, name), getattr(after, name)) for name in changed)
        self._events += events
        return events

    def snapshot(self) -> Snapshot:
        """This moment, frozen."""
        now = self._now
        return Snapshot(
            problem=self.problem,
            experiment=self.experiment,
            state=self.state,
            reason=self._reason,
            epoch=self._epoch,
            updates=self._updates,
            visited=self._visited,
            seconds=self._seconds,
            theta=self._theta.copy(),
            loss=self._loss,
            visit_loss=self._visit_loss,
            visits=self._pass.visits(self.problem.n),
            events=self._events,
            history=self._history.view(),
            _evaluate=self._evaluate if now is None else lambda _: now,
        )

    def _has_reached(self, until: Epoch | Update | None) -> bool:
        # An epoch's last update is only done when the epoch is closed.
        is_between = self._pass.is_closed or not self._pass.is_complete
        return until is not None and is_between and until.is_reached(self._epoch, self._updates)

    def _advance_slice(self, one_batch: bool) -> None:
        """A little work: some visits, at most one batch's if so asked; or some of the evaluation at an epoch's end."""
        if self._pass.is_closed:
            order = ORDERS[self.experiment.order](self.problem.n, self._generator)
            self._pass = Pass(order, len(self._theta), self._updates)
        if self._pass.is_complete:
            self._close_epoch()
        else:
            self._visit(one_batch)
            if self._pass.is_complete and not self._reason:
                self._close_epoch()

    def _visit(self, one_batch: bool) -> None:
        current = self._pass
        stop = min(current.position + self._slice, self.problem.n)
        if current.is_in_batch:
            has_changed = (self._lr, self._batch_size) != (self.experiment.lr, self.experiment.batch_size)
            stop = min(stop, current.batch_end) if one_batch or has_changed else stop
        else:
            self._lr, self._batch_size = self.experiment.lr, self.experiment.batch_size
            if one_batch:
                stop = min(stop, current.position + samples_in_batch(self._batch_size, self.problem.n))
        updates = current.updates
        current.loss_sum, is_finite = kernel.descend(
            self.problem.model.loss,
            self._update,
            self._flat_theta,
            self._lr,
            samples_in_batch(self._batch_size, self.problem.n),
            self._x,
            self._y,
            current.samples,
            stop,
            current.cursor,
            self._total,
            current.losses,
            current.gradients,
            current.update_of,
            current.thetas,
            current.loss_sum,
        )
        self._updates += current.updates - updates
        self._now = None
        if not is_finite:
            what = "a sample's loss" if current.is_in_batch else "θ"
            self._reason = f"in epoch {self._epoch + 1}, at update {self._updates + 1}: {what} is no longer finite"

    def _close_epoch(self) -> None:
        """Some of the evaluation of f at the epoch's end; with its last sample, the epoch is closed."""
        current = self._pass
        start, current.evaluated = current.evaluated, min(current.evaluated + self._slice, self.problem.n)
        current.now_sum = kernel.evaluate(
            self.problem.model.loss,
            self._flat_theta,
            self._x,
            self._y,
            start,
            current.evaluated,
            current.now_losses,
            current.now_gradients,
            current.now_sum,
        )
        if current.evaluated == self.problem.n:
            self._finish_epoch()

    def _finish_epoch(self) -> None:
        current = self._pass
        current.is_closed = True
        self._epoch += 1
        self._now = current.evaluation()
        loss = self._now.loss
        self._has_settled = not current.has_moved(self._theta)
        self._visit_loss = current.loss_sum / self.problem.n
        self._loss = loss
        if not math.isfinite(loss):
            self._reason = f"in epoch {self._epoch}: the loss is not finite"
            return
        self._record_epoch(perf_counter() - self._began)
        if loss > self._diverged_at:
            self._reason = f"in epoch {self._epoch}: the loss is {loss:.3g}, over {self._diverged_at:.3g}"

    def _record_epoch(self, seconds: float) -> None:
        self._history.append(
            (self._epoch, self._updates, self._visited, seconds, self._loss, self._visit_loss, self._lr)
        )

    def _evaluate(self, theta: Array) -> Evaluation:
        losses, gradients = np.empty(self.problem.n), np.empty((self.problem.n, len(theta)))
        total = kernel.evaluate(
            self.problem.model.loss,
            flat(theta),
            self._x,
            self._y,
            0,
            self.problem.n,
            flat(losses),
            flat(gradients),
            0.0,
        )
        return Evaluation(losses, gradients, total / self.problem.n)
