"""Trainer: advance a descent, change it in mid-run, rewind, fork; knows no screen."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.descent.batching import draw, samples_in_batch, updates_in_epoch
from gdtui.descent.checkpoints import Checkpoint
from gdtui.descent.engine import Engine
from gdtui.descent.history import Column
from gdtui.descent.method import Method, changes_run, check_hyperparameters
from gdtui.descent.past import Past
from gdtui.descent.record import Record
from gdtui.descent.snapshot import Epoch, Evaluation, Event, Snapshot, State, Update
from gdtui.experiment import Experiment, InputError
from gdtui.problems.own import failure

if TYPE_CHECKING:
    from gdtui.descent.tracking import Track
    from gdtui.problems.datasets import Array
    from gdtui.problems.problem import Problem

DIVERGED_AT = 1e12
"""A loss this many times max(1, f at the start) counts as diverged."""


class Trainer:
    """Minimises a problem as an experiment says; between two calls of `advance` its settings may change.

    Same experiment and events, same bits: however the advance is cut into calls, compiled or interpreted, and by
    whatever way a moment is reached.

    Attributes:
        experiment: the settings as they are now, after the changes.
        problem: what is minimised.

    With `track`, what it computes is kept at the epochs that `tracking` chooses.

    Raises:
        InputError: if the experiment does not fit the problem, or the loss at the start is not finite.
    """

    def __init__(self, experiment: Experiment, problem: Problem, track: Track | None = None) -> None:
        self.experiment = experiment
        self.problem = problem
        check_hyperparameters(experiment)
        self._method = Method.of(experiment)
        self._generator = np.random.Generator(np.random.PCG64(experiment.seed))
        self._engine = Engine(problem, self._method, problem.start(experiment.init))
        # What the batch under way uses; the experiment's own settings may already have changed.
        self._in_force = self._method
        self._applied = 0  # events before now; later ones are known from before a rewind
        self._epoch = self._updates = 0
        self._seconds = 0.0
        self._began = perf_counter()
        self._reason = ""
        self._has_settled = False
        self._pass = self._engine.new_pass(np.arange(0), first_update=0)
        self._now: Evaluation | None = self._engine.evaluate(self._engine.theta)
        self._loss = self._now.loss
        self._visit_loss = math.nan
        self._diverged_at = min(DIVERGED_AT * max(1.0, self._loss), np.finfo(float).max)
        if not math.isfinite(self._loss):
            raise InputError("init", "the loss at the start is not finite: start elsewhere, or standardize the data")
        self._past = Past(track, self._engine.theta.size, problem.n, self._engine.optimizer_state.size)
        self._record_start()

    # --- what a caller sees --------------------------------------------------------------------------------------

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
        while not self._has_reached(until) and not self._is_over():
            self._advance_slice(until)
            if perf_counter() >= deadline:
                break
        self._seconds = perf_counter() - self._began
        return self.snapshot()

    def change(self, **settings: Any) -> tuple[Event, ...]:
        """Change settings in mid-run; each change becomes an event at the next update that begins.

        Before the first visit they just become part of the experiment. In the midst of a batch they wait for that
        batch's update; a new `order` waits for the next epoch, when it is drawn. After a rewind, what came later
        before is forgotten: the run goes another way from here.

        Returns:
            The events, one for each setting whose value differs.

        Raises:
            InputError: if a setting cannot change in mid-run, or its value is wrong.
        """
        before = self.experiment
        after = before.replace(**settings)
        changes = [(name, before.value(name), after.value(name)) for name in settings]
        changes = [(name, old, new) for name, old, new in changes if old != new]
        for name, *_ in changes:
            if not changes_run(before, name):
                raise InputError(name, f"{name} cannot change in mid-run; it makes a new run")
        if not changes:
            return ()
        method = Method.of(after)
        self._past.forget_later(self._epoch, self._applied)
        is_ready = self.state is State.READY
        self.experiment, self._method = after, method
        if is_ready:
            self._in_force = method
            self._engine.optimizer_state[:] = method.initial_state(self._engine.theta.size)
            self._record_start()
            return ()
        update = self._updates + (1 if self._pass.is_in_batch else 0)
        epoch = self._epoch if self._pass.is_closed else self._epoch + self._pass.batch_end / self.problem.n
        events = tuple(Event(update, epoch, name, old, new) for name, old, new in changes)
        self._past.events += events
        self._applied = len(self._past.events)
        return events

    def rewind(self, epoch: int) -> Snapshot:
        """Go to the end of an epoch that was run before; later ones stay known until something is changed.

        Args:
            epoch: from 0; one that was not reached yet counts as the last one that was.
        """
        epoch = min(max(epoch, 0), self._past.newest_epoch)
        # From a checkpoint before it, so that the epoch's own visits are seen again.
        self._restore(self._past.checkpoints.before(max(0, epoch - 1)))
        return self.advance(until=Epoch(epoch)) if epoch else self.snapshot()

    def fork(self) -> Trainer:
        """A second run that has come to this moment as this one has, and can now go its own way."""
        other = Trainer.of(self.record(), self.problem, self._past.tracked.track)
        other._past.forget_later(self._epoch, self._applied)
        return other

    @classmethod
    def of(cls, record: Record, problem: Problem, track: Track | None = None) -> Trainer:
        """A trainer at the moment of a record, with all that was known then.

        A moment within a batch is that of the batch's beginning.

        Raises:
            InputError: if this is not the problem that the record is of: the data or the model has changed since.
        """
        trainer = cls(record.experiment, problem, track)
        start = record.history.first_loss
        if trainer._loss != start or len(record.theta) != len(trainer._engine.theta):
            text = f"the data or the model has changed since: f at the start was {start!r}, now it is {trainer._loss!r}"
            raise InputError("data", text)
        trainer.go_to(record)
        return trainer

    def go_to(self, record: Record, with_visits: bool = True) -> Snapshot:
        """Go to the moment of a record of this problem's, and know what was known then.

        Without its visits it is the end of the last epoch, and no work.
        """
        self._past.restore(record)
        if not with_visits:
            self._restore(record.newest)
            self._seconds = record.seconds
            return self.snapshot()
        self._restore(self._past.checkpoints.before(max(0, record.epoch - 1)))
        self.advance(until=Epoch(record.epoch))
        if record.visited > record.epoch * self.problem.n:
            self.advance(until=Update(record.updates + (record.state is State.DIVERGED)))
        if self.experiment != record.settings:
            self._apply_due_events()
        self._seconds = record.seconds
        return self.snapshot()

    def compile(self) -> None:
        """Between epochs: compile at once, where that can be, though this run be small: many may follow."""
        self._engine.compile()

    def record(self) -> Record:
        """This moment with all that is known of the run, to go on from later."""
        return Record.of(self.snapshot(), self._past)

    def snapshot(self) -> Snapshot:
        """This moment, frozen."""
        return Snapshot(
            problem=self.problem,
            experiment=self.experiment,
            state=self.state,
            reason=self._reason,
            epoch=self._epoch,
            farthest=max(self._epoch, self._past.newest_epoch),
            updates=self._updates,
            visited=self._visited,
            seconds=self._seconds,
            lr=self._in_force.lr_at(self._lr_epoch),
            theta=self._engine.theta.copy(),
            loss=self._loss,
            visit_loss=self._visit_loss,
            visits=self._pass.visits(self.problem.n),
            events=self._past.events[: self._applied],
            history=self._past.history.view(),
            tracked=self._past.tracked.view(),
            optimizer_state=self._engine.optimizer_state.copy(),
            evaluate=self._engine.evaluate,
            _now=self._now,
        )

    # --- slices --------------------------------------------------------------------------------------------------

    @property
    def _lr_epoch(self) -> int:
        """The epoch whose learning rate the last update had, counted from 0."""
        return max(0, self._epoch - 1) if self._pass.is_closed else self._epoch

    def _is_over(self) -> bool:
        """No update follows; more epochs that were asked for before a rewind count where they were asked for."""
        if self._pass.is_closed and not self._reason:
            self._apply_due_events()
        return self.state.is_over

    def _has_reached(self, until: Epoch | Update | None) -> bool:
        # An epoch's last update is only done when the epoch is closed.
        is_between = self._pass.is_closed or not self._pass.is_complete
        return until is not None and is_between and until.is_reached(self._epoch, self._updates)

    def _advance_slice(self, until: Epoch | Update | None) -> None:
        """A little work: whole epochs; or some visits; or some of the evaluation at an epoch's end."""
        if self._pass.is_closed:
            self._apply_due_events()
            self._engine.adopt_compiled(perf_counter() - self._began)
            epochs = self._epochs_at_once(until)
            if epochs:
                self._run_epochs(epochs)
                return
            order = draw(self.experiment.order, self.problem.n, 1, self._generator)
            self._pass = self._engine.new_pass(order, self._updates)
        if not self._pass.is_complete:
            self._visit(one_batch=isinstance(until, Update))
        if self._pass.is_complete and not self._reason:
            self._close_epoch()

    def _epochs_at_once(self, until: Epoch | Update | None) -> int:
        """How many whole epochs are little enough work, and nothing is to happen before their end."""
        n = self.problem.n
        if isinstance(until, Update) or n > self._engine.slice:
            return 0
        last = self.experiment.epochs if until is None else min(until.count, self.experiment.epochs)
        epochs = int(min(last, self._past.next_due(self._epoch, self.experiment.epochs))) - self._epoch
        if self._applied < len(self._past.events):
            left = self._past.events[self._applied].update - self._updates
            epochs = min(epochs, left // updates_in_epoch(self._method.batch_size, n))
        return min(epochs, self._engine.slice // n)

    def _run_epochs(self, count: int) -> None:
        n, first, method = self.problem.n, self._epoch, self._method
        self._in_force = method
        orders = draw(self.experiment.order, n, count, self._generator)
        lrs = method.lrs(first, count)
        current = self._engine.new_pass(orders[:n], self._updates)
        done, sums, is_finite = self._engine.run_epochs(current, method, lrs, orders, self._diverged_at)
        # The last epoch is the one that the pass has recorded: it is finished below, unless it came to nothing.
        last = done - 1 if is_finite else done
        per_epoch = updates_in_epoch(method.batch_size, n)
        begin = last * n if len(orders) > n else 0
        current.order, current.first_update = orders[begin : begin + n], self._updates + last * per_epoch
        seconds = perf_counter() - self._began
        self._record(sums[:last] / n, lrs, seconds, per_epoch)
        self._pass, self._updates = current, current.first_update + current.updates
        self._epoch += last
        if is_finite:
            current.now_sum = float(sums[last, 1])
            self._finish_epoch(seconds)
        else:
            self._diverge()

    def _record(self, losses: Array, lrs: Array, seconds: float, per_epoch: int) -> None:
        """Epochs that are complete, (visit loss, loss) each, shape (m, 2), from the current one on."""
        if not len(losses):
            return
        self._visit_loss, self._loss = losses[-1].tolist()
        rows = np.empty((len(Column), len(losses))).T  # a column's numbers side by side: faster to write
        rows[:, Column.EPOCH] = np.arange(self._epoch + 1, self._epoch + len(losses) + 1)
        rows[:, Column.UPDATES] = self._updates + per_epoch * np.arange(1, len(losses) + 1)
        rows[:, Column.VISITED] = rows[:, Column.EPOCH] * self.problem.n
        rows[:, Column.SECONDS], rows[:, Column.LR] = seconds, lrs[: len(losses)]
        rows[:, Column.VISIT_LOSS], rows[:, Column.LOSS] = losses.T
        self._past.extend(rows, after=self._epoch)

    def _visit(self, one_batch: bool) -> None:
        current, n = self._pass, self.problem.n
        if not current.is_in_batch:
            self._apply_due_events()
            self._in_force = self._method
        batch_size = samples_in_batch(self._in_force.batch_size, n)
        stop = min(current.position + self._engine.slice, n)
        is_waiting = self._in_force is not self._method or self._applied < len(self._past.events)
        if one_batch or is_waiting:
            stop = min(stop, current.batch_end if current.is_in_batch else current.position + batch_size)
        updates = current.updates
        is_finite = self._engine.visit(current, self._in_force, self._in_force.lr_at(self._epoch), stop)
        self._updates += current.updates - updates
        if not is_finite:
            self._diverge()
        self._now = None

    def _close_epoch(self) -> None:
        """Some of the evaluation of f at the epoch's end; with its last sample, the epoch is closed."""
        self._engine.evaluate_some(self._pass)
        if self._pass.evaluated == self.problem.n:
            self._finish_epoch(perf_counter() - self._began)

    def _finish_epoch(self, seconds: float) -> None:
        current = self._pass
        current.is_closed = True
        self._epoch += 1
        self._now = current.evaluation()
        self._loss = self._now.loss
        lr = self._in_force.lr_at(self._epoch - 1)
        self._has_settled = lr > 0 and not current.has_moved(self._engine.theta)
        self._visit_loss = current.loss_sum / self.problem.n
        if not math.isfinite(self._loss):
            why = failure(self.problem, self._engine.theta, int(np.isfinite(self._now.losses).argmin()))
            self._reason = f"in epoch {self._epoch}: the loss is not finite{why}"
            return
        self._past.add((self._epoch, self._updates, self._visited, seconds, self._loss, self._visit_loss, lr))
        checkpoint = self._checkpoint()
        self._past.keep(checkpoint)
        if self._loss > self._diverged_at:
            self._reason = f"in epoch {self._epoch}: the loss is {self._loss:.3g}, over {self._diverged_at:.3g}"
        self._past.tracked.add(self.snapshot(), checkpoint.experiment.epochs)

    def _diverge(self) -> None:
        current = self._pass
        is_loss = current.is_in_batch
        what = "a sample's loss" if is_loss else "θ"
        why = failure(self.problem, self._engine.theta, int(current.order[current.position])) if is_loss else ""
        self._reason = f"in epoch {self._epoch + 1}, at update {self._updates + 1}: {what} is no longer finite{why}"
        self._now = None

    # --- time travel ---------------------------------------------------------------------------------------------

    def _record_start(self) -> None:
        self._past.begin((0, 0, 0, 0.0, self._loss, math.nan, self._method.lr_at(0)), self._checkpoint())

    def _checkpoint(self) -> Checkpoint:
        """This moment, before the changes that wait for the next update: on replay they are not made by then."""
        experiment, events = self._past.without_waiting(self.experiment, self._applied, self._updates)
        return Checkpoint(
            experiment=experiment,
            epoch=self._epoch,
            updates=self._updates,
            theta=self._engine.theta.copy(),
            optimizer_state=self._engine.optimizer_state.copy(),
            generator_state=self._generator.bit_generator.state,
            visit_loss=self._visit_loss,
            events=events,
        )

    def _restore(self, checkpoint: Checkpoint) -> None:
        self.experiment = checkpoint.experiment
        self._method = self._in_force = Method.of(checkpoint.experiment)
        self._epoch, self._updates = checkpoint.epoch, checkpoint.updates
        self._engine.theta[:] = checkpoint.theta
        self._engine.optimizer_state[:] = checkpoint.optimizer_state
        self._generator.bit_generator.state = checkpoint.generator_state
        self._applied = checkpoint.events
        self._reason, self._has_settled = "", False
        self._visit_loss = checkpoint.visit_loss
        self._pass = self._engine.new_pass(np.arange(0), checkpoint.updates)
        self._now = self._engine.evaluate(self._engine.theta)
        self._loss = self._now.loss

    def _apply_due_events(self) -> None:
        """Events that are known from before a rewind take effect again where they did."""
        events = self._past.events
        while self._applied < len(events) and events[self._applied].update <= self._updates:
            event = events[self._applied]
            self.experiment = self.experiment.replace(**{event.setting: event.after})
            self._method = Method.of(self.experiment)
            self._applied += 1
