"""Facts: what the verdict's rules ask of a reading, each worked out when it is first asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gdtui.descent.batching import samples_in_batch, updates_in_epoch
from gdtui.descent.history import Column
from gdtui.descent.method import Method
from gdtui.descent.snapshot import State
from gdtui.insight import limits
from gdtui.insight.instruments import ROUNDING
from gdtui.insight.preconditioners import preconditioned
from gdtui.insight.stability import Kind, is_split
from gdtui.problems.landscapes import LANDSCAPES

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment
    from gdtui.insight.hessian import Curvature
    from gdtui.insight.limits import Recurrence
    from gdtui.insight.reading import Reading
    from gdtui.insight.stability import Stability
    from gdtui.problems.datasets import Array

EPSILON = 2.0**-52
FLAT = 1e-12
"""Of a quadratic, a direction whose λ is this part of λmax does not curve."""

FLAT_HERE = 1e-6
"""The same where the Hessian is known by differences."""

WINDOW = (10, 200)
"""Epochs that a trend is read from, at least and at most: a quarter of those since the last change."""

NEWEST = 0.2
"""The newest reading's part in what is averaged over readings."""

TURNS = 20
"""Epochs in which f's turns are counted."""


@dataclass(frozen=True, slots=True)
class Averages:
    """What swings from update to update, averaged over the readings so far; None where it is not known.

    Attributes:
        ratio: log of the learning rate over the limit here.
        flat: the gradient's part (of ‖∇f‖²) along directions that curve little.
        conflicts: the part of the samples that pull against the step.
        share: the largest share of the step, no more than all of it.
        noise: log of the noise scale.
        promised: how far f would fall in an epoch.
        left: how far f is above the minimum here.
    """

    ratio: float | None = None
    flat: float | None = None
    conflicts: float | None = None
    share: float | None = None
    noise: float | None = None
    promised: float | None = None
    left: float | None = None


class Modes(NamedTuple):
    """A Hessian's eigenvalues, the smallest first, (p,), the gradient along each, (p,), and their vectors, (p, p)."""

    values: Array
    along: Array
    vectors: Array


@dataclass(frozen=True, eq=False)
class Facts:
    """A reading, and what follows from it.

    Attributes:
        reading: what was measured.
        before: the averages until then.
    """

    reading: Reading
    before: Averages = Averages()

    # --- over the readings ---------------------------------------------------------------------------------------

    @cached_property
    def averages(self) -> Averages:
        """The averages with this reading in them."""
        limit, instruments = self.stability.applies, self.reading.instruments
        ratio = math.log(self.lr / limit.lr) if limit.lr and self.lr > 0 else None
        share, noise = instruments.largest_share, instruments.noise_scale
        against = None if instruments.conflicts is None else instruments.conflicts / instruments.samples
        before = self.before
        return Averages(
            ratio if limit.kind is Kind.EXACT else _averaged(before.ratio, ratio),
            _averaged(before.flat, self.flat),
            _averaged(before.conflicts, against),
            _averaged(before.share, share and min(max(share, 0.0), 1.0)),
            _averaged(before.noise, math.log(noise) if noise else None),
            _averaged(before.promised, self.promised),
            _averaged(before.left, self.left),
        )

    @property
    def ratio(self) -> float | None:
        """The learning rate over its limit, averaged where the limit moves with θ."""
        return None if self.averages.ratio is None else math.exp(self.averages.ratio)

    # --- the settings --------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """The moment."""
        return self.reading.snapshot

    @property
    def experiment(self) -> Experiment:
        """Its settings."""
        return self.snapshot.experiment

    @property
    def stability(self) -> Stability:
        """The learning rate among its limits."""
        return self.reading.stability

    @property
    def lr(self) -> float:
        """The learning rate of the newest update."""
        return self.stability.lr

    @property
    def n(self) -> int:
        """Samples."""
        return self.snapshot.problem.n

    @property
    def batch(self) -> int:
        """Samples in an update."""
        return samples_in_batch(self.experiment.batch_size, self.n)

    @property
    def updates_in_epoch(self) -> int:
        """How many updates an epoch makes."""
        return updates_in_epoch(self.experiment.batch_size, self.n)

    @property
    def is_ready(self) -> bool:
        """No update is made yet."""
        return self.snapshot.state is State.READY

    @property
    def is_split(self) -> bool:
        """Updates do not see every sample once each: their gradients are noisy."""
        return self.n > 1 and is_split(self.experiment, self.n)

    @cached_property
    def method(self) -> Method:
        """How θ is updated."""
        return Method.of(self.experiment)

    @cached_property
    def values(self) -> dict[str, float]:
        """The update rule's hyperparameters by name."""
        rule = self.method.rule
        return dict(zip((h.name for h in rule.hyperparameters), self.method.h.tolist(), strict=True))

    @property
    def decay(self) -> float:
        """Weight decay."""
        return self.values.get("weight_decay", 0.0)

    @property
    def is_plain(self) -> bool:
        """Gradient descent or SGD and nothing else: no momentum, no decay, no clipping."""
        return self.recurrence == limits.Recurrence() and self.decay == 0 and self.method.clip == 0

    @cached_property
    def recurrence(self) -> Recurrence | None:
        """SGD's linear recurrence; None for another rule."""
        if self.method.rule.name != "sgd":
            return None
        return limits.sgd(self.values["momentum"], self.values["dampening"], self.values["nesterov"] != 0)

    # --- where f stands ------------------------------------------------------------------------------------------

    @property
    def loss(self) -> float:
        """f at θ."""
        return self.snapshot.now.loss

    @property
    def known_best(self) -> float | None:
        """The least value of a landscape, as books have it."""
        landscape = LANDSCAPES.get(self.experiment.problem)
        return None if landscape is None else landscape.minima[0][1]

    @property
    def excess(self) -> float | None:
        """f above its least value, for a quadratic or a landscape."""
        if self.curvature and self.curvature.is_exact and self.decay == 0 and self.left is not None:
            return self.left
        return None if self.known_best is None else max(0.0, self.loss - self.known_best)

    @cached_property
    def gradient(self) -> Array:
        """What pulls at θ, shape (p,): ∇f, and the decay's part of it where it is added to the gradient."""
        with np.errstate(all="ignore"):
            pull: Array = self.snapshot.now.gradients.mean(axis=0) + self.decay * self.snapshot.theta
        return pull

    @property
    def curvature(self) -> Curvature | None:
        """Of f at θ."""
        return self.stability.curvature

    @cached_property
    def modes(self) -> Modes | None:
        """The Hessian's eigenvectors and what there is along them; None where it is not known whole."""
        here = self.curvature
        if here is None or here.matrix is None or not np.isfinite(self.gradient).all():
            return None
        values, vectors = np.linalg.eigh(here.matrix)
        return Modes(values + self.decay, vectors.T @ self.gradient, vectors)

    @cached_property
    def flat(self) -> float | None:
        """The part of ‖∇f‖² along directions that curve a hundredth as much as the steepest, or less."""
        if self.modes is None:
            return None
        values, along, _ = self.modes
        total = float((along * along).sum())
        return float((along[abs(values) <= values[-1] / 100] ** 2).sum()) / total if total > 0 else None

    @property
    def promised(self) -> float | None:
        """How far f would fall in an epoch, were each update's gradient ∇f, and f no steeper than its slope."""
        recurrence, denominators = self.recurrence, np.ones_like(self.gradient)
        if recurrence is None:
            rule, snapshot = self.method.rule.name, self.snapshot
            frozen = preconditioned(rule, self.values, snapshot.optimizer_state, len(snapshot.theta))
            if frozen is None or not (frozen.denominators > 0).all():
                return None
            recurrence, denominators = frozen.method, frozen.denominators
        pace = self.lr * (recurrence.direct + recurrence.kept * recurrence.gain / (1 - recurrence.beta))
        fall = self.updates_in_epoch * pace * float((self.gradient**2 / denominators).sum())
        return fall if self.left is None else min(fall, self.left)

    @cached_property
    def left(self) -> float | None:
        """½∇f·H⁻¹∇f: how far f is above the minimum that the curvature here leads to; of a quadratic it is exact.

        None where f does not curve upward all around, or decay is not part of what is minimised.
        """
        here, rule = self.curvature, self.method.rule.name
        if here is None or self.modes is None or (rule in ("adamw", "lion") and self.decay):
            return None
        values, along, _ = self.modes
        largest = float(values[-1])
        if here.is_exact:
            curved = values > FLAT * largest
            values, along = values[curved], along[curved]
        elif not largest > 0 or values[0] < -FLAT_HERE * largest - 10 * here.error:
            return None
        else:
            values = np.maximum(values, FLAT_HERE * largest)
        return 0.5 * float((along * along / values).sum())

    @property
    def swing(self) -> float:
        """What the newest update can still make of f: ½λmax‖Δθ‖², with momentum β‖Δθ‖²/2lr; 0 before the first."""
        here, size = self.curvature, self.reading.update_size or 0.0
        steepness = max(here.largest, 0.0) if here is not None else 0.0
        if self.recurrence and self.lr > 0:
            steepness = max(steepness, self.recurrence.beta / self.lr)
        return 0.5 * steepness * size * size

    def newton_step(self, along: Array) -> Array:
        """H⁻¹ times a gradient, both along H's eigenvectors, shape (p,): to where it is 0, be that a minimum or not."""
        values = np.ones(1) if self.modes is None else self.modes.values
        sizes = np.maximum(abs(values), FLAT_HERE * float(abs(values).max())) * np.where(values < 0, -1.0, 1.0)
        step: Array = np.divide(along, sizes, out=np.zeros_like(along), where=along != 0)
        return step

    def is_near_rest(self, reach: float, part: float, flight: float) -> bool:
        """Whether a Newton step leads to a point without gradient, no farther than `reach` times the way come so far.

        It does where a second step, with the curvature of here, would be no more than `part` of the first, and f still
        curves there as here in the flattest direction; costs two passes over the data.
        """
        if self.modes is None or self.curvature is None:
            return False
        step = self.newton_step(self.modes.along)
        length = float(np.linalg.norm(step))
        if not length <= reach * (self.reading.distance or 0.0):
            return False
        if not self.is_plain and (self.reading.update_size or 0.0) > flight * length:
            return False  # its momentum may carry it past
        largest = float(self.reading.alignments.norms.max())
        if float(np.linalg.norm(self.modes.along)) <= ROUNDING * largest:
            return True
        vectors, flattest = self.modes.vectors, self.curvature.flattest
        there = self.snapshot.theta - vectors @ step
        rest = self._pull(there)
        rounding = ROUNDING * largest / max(abs(self.curvature.smallest), FLAT_HERE)
        if not float(np.linalg.norm(self.newton_step(vectors.T @ rest))) <= part * length + rounding:
            return False
        change = (self._pull(there + length * flattest) - rest) @ flattest / length
        return bool(change / self.curvature.smallest > 0.5)

    def _pull(self, theta: Array) -> Array:
        """∇f elsewhere, shape (p,); costs a pass over the data."""
        gradient: Array = self.snapshot.evaluate(theta).gradients.mean(axis=0)
        return gradient

    # --- how it has gone -----------------------------------------------------------------------------------------

    def recent(self, most: int) -> Array:
        """The newest epochs with the settings of now, (epoch, f), shape (m, 2), m − 1 no more than asked for."""
        snapshot = self.snapshot
        rows = snapshot.history.until(snapshot.epoch).rows
        first = max(self.since, snapshot.epoch - most)
        newest: Array = rows[rows[:, Column.EPOCH].searchsorted(first) :][:, [Column.EPOCH, Column.LOSS]]
        return newest

    @property
    def since(self) -> int:
        """The epoch from which on all had the settings of now."""
        events = self.snapshot.events
        return math.ceil(events[-1].epoch) if events else 0

    @cached_property
    def window(self) -> Array:
        """The epochs that a trend is read from, (epoch, f), shape (m, 2)."""
        least, most = WINDOW
        return self.recent(min(max(least, (self.snapshot.epoch - self.since) // 4), most))

    @property
    def has_window(self) -> bool:
        """There are enough epochs to speak of a trend."""
        return len(self.window) > WINDOW[0] and bool(np.isfinite(self.window).all())

    @property
    def drop(self) -> float:
        """How far f has fallen from the window's first half to its second, as means: over half the window."""
        losses = self.window[:, 1]
        half = len(losses) // 2
        return float(losses[:half].mean() - losses[-half:].mean())

    @property
    def turns(self) -> tuple[int, int] | None:
        """How often f turned from falling to rising or back, and in how many of the newest epochs.

        None where not all of them are kept. Rounding, or a thousandth of f's range in those epochs, is no turn.
        """
        epochs, losses = self.recent(TURNS).T
        if len(epochs) < 2 or epochs[-1] - epochs[0] != len(epochs) - 1 or not np.isfinite(losses).all():
            return None
        steps = np.diff(losses)
        least = max(1e-3 * float(np.ptp(losses)), 64 * EPSILON * float(abs(losses).max()))
        signs = np.sign(steps[abs(steps) > least])
        return int((signs[1:] != signs[:-1]).sum()), len(steps)


def _averaged(before: float | None, now: float | None) -> float | None:
    return now if now is None or before is None else before + NEWEST * (now - before)
