"""Probes: moments of trainings to show, made of gradients in the plane."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.insight.instruments import measure
from gdtui.training.moment import Moment, Number
from gdtui.training.training import Training

if TYPE_CHECKING:
    from collections.abc import Sequence

NAN = math.nan


def moment_of(
    gradients: Any,
    samples: Sequence[int] = (),
    labels: tuple[str, ...] = (),
    losses: Any = None,
    step: int = 100,
    **instruments: float,
) -> Moment:
    """A probe of these gradients, shape (n, 2), with all that follows from them; further instruments are added."""
    g = np.array(gradients, dtype=np.float64).reshape(-1, 2)
    n, mean = len(g), g.mean(axis=0)
    norm = math.hypot(*mean)
    with np.errstate(all="ignore"):
        unit = mean / norm
        numbers = np.empty((n, len(Number)))
        numbers[:, Number.LOSS] = np.arange(n) / 8 if losses is None else losses
        numbers[:, Number.NORM] = np.hypot(*g.T)
        numbers[:, Number.ALONG] = g @ unit
        numbers[:, Number.ACROSS] = g @ np.array([-unit[1], unit[0]])
        numbers[:, Number.COSINE] = numbers[:, Number.ALONG] / numbers[:, Number.NORM]
        numbers[:, Number.SHARE] = numbers[:, Number.ALONG] / (n * norm)
    measured = measure(g)
    known = {field.name: getattr(measured, field.name) for field in fields(measured)}
    found = {name: float(value) for name, value in known.items() if value is not None}
    ids = np.array(samples or range(n), dtype=np.int64)
    return Moment(step, step / 50, step / 10, ids, numbers, labels, found | instruments)


def moment_without_gradients(losses: Any, norms: Any = NAN, labels: tuple[str, ...] = ()) -> Moment:
    """A probe whose losses are known, and perhaps the gradients' norms."""
    numbers = np.full((len(losses), len(Number)), NAN)
    numbers[:, Number.LOSS], numbers[:, Number.NORM] = losses, norms
    return Moment(100, NAN, 10.0, np.arange(len(losses)), numbers, labels)


def many(n: int, seed: int = 0, **how: Any) -> Moment:
    """A probe of some two hundred samples, say, of which some pull against the step; with labels."""
    random = np.random.default_rng(seed)
    gradients = np.array([1.0, 0.3]) + random.standard_t(4, (n, 2)) * 0.8
    labels = tuple(random.choice(["cat", "dog", "ship", "golden retriever"], n).tolist())
    samples = (7 + 3 * np.arange(n)).tolist()
    return moment_of(gradients, samples, labels, np.abs(random.normal(size=n)), **how)


def training_of(moment: Any, losses: Any = None, lr: float | None = None, **config: str) -> Training:
    """A training that has come to a moment, with a value of its loss at every tenth step."""
    curves = {}
    if losses is not None:
        steps = 10.0 * np.arange(len(losses))
        curves["train/loss"] = np.column_stack([steps, steps / 50, steps / 10, losses])
        if lr is not None:
            curves["lr"] = np.column_stack([steps, steps / 50, steps / 10, np.full(len(losses), lr)])
    return Training("mine", config=tuple(config.items()), curves=curves, moment=moment)
