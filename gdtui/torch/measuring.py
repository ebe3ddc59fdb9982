"""Measuring: what a probe's gradients say at one step, as the numbers of its samples and the scalars of all."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from gdtui.insight.alpha import ALIKE, alpha, variance_of_mean
from gdtui.insight.instruments import ROUNDING, measure_projected
from gdtui.torch.sharpness import ends

if TYPE_CHECKING:
    from torch import Tensor

    from gdtui.insight.instruments import Alignments
    from gdtui.problems.datasets import Array
    from gdtui.torch.per_sample import PerSample

_COUNTS = ("samples", "of")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A probe at one step.

    Attributes:
        losses: ℓᵢ, shape (n,).
        alignments: their gradients' norms, cosines and shares.
        along: gᵢ·g/‖g‖, shape (n,).
        across: gᵢ along the direction across g in which they vary the most, shape (n,).
        instruments: scalars by name, of `Instruments` and of `tracked.INSTRUMENTS`; none that is undefined.
    """

    losses: Array
    alignments: Alignments
    along: Array
    across: Array
    instruments: dict[str, float]


def measured(per_sample: PerSample, start: Tensor, before: Tensor | None) -> Measured:
    """A probe as it is now.

    Args:
        per_sample: its gradients.
        start: θ when the watching began, shape (p,).
        before: θ before the newest update, shape (p,); None where it is not known.
    """
    theta = per_sample.theta()
    update = torch.zeros_like(theta) if before is None else theta - before.to(theta)
    t = float(torch.linalg.vector_norm(update))
    direction = update / t if t else update
    samples = per_sample.samples(direction)
    losses, norms, along, across, slopes = map(
        _array, (samples.losses, samples.norms, samples.along, samples.across, samples.slopes)
    )
    grad_norm = float(torch.linalg.vector_norm(samples.mean))
    rounding = ROUNDING * torch.finfo(per_sample.dtype).eps / torch.finfo(torch.float64).eps
    alignments, scalars = measure_projected(norms, along, grad_norm, rounding)
    instruments = {name: value for name, value in asdict(scalars).items() if name not in _COUNTS}
    instruments["probe_loss"] = float(losses.mean())
    instruments["distance"] = float(torch.linalg.vector_norm(theta - start.to(theta)))
    if before is not None:
        instruments["update_size"] = t
        losses0, slopes0 = per_sample.slopes(per_sample.named(before), direction)
        instruments["alpha"] = landed(_array(losses0), _array(slopes0), losses, slopes, t)
    return Measured(losses, alignments, along, across, defined(instruments))


def landed(losses0: Array, slopes0: Array, losses1: Array, slopes1: Array, t: float) -> float | None:
    """Alpha of a step of length t, from every sample's loss and slope before it and after it, shapes (n,)."""
    of_four = (losses0, losses1, slopes0, slopes1)
    with np.errstate(all="ignore"):
        f0, f1, d0, d1 = (float(values.mean()) for values in of_four)
        v0, v1, v2, v3 = map(variance_of_mean, of_four) if len(losses0) > 1 else ALIKE
    return alpha(f0, f1, d0, d1, t, (v0, v1, v2, v3))


def spectrum(per_sample: PerSample) -> dict[str, float]:
    """The sharpness λmax and λmin of the probe's f, those that are known."""
    largest, smallest = ends(per_sample.hessian_product(), per_sample.theta())
    return defined({"sharpness": largest, "lambda_min": smallest})


def defined(values: dict[str, float | None]) -> dict[str, float]:
    """Those that are numbers, and finite."""
    return {name: float(value) for name, value in values.items() if value is not None and math.isfinite(value)}


def _array(values: Tensor) -> Array:
    array: Array = values.detach().cpu().double().numpy()
    return array
