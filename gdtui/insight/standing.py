"""Standing: the rules about where θ stands, and about what the samples make of it.

A known best is a landscape's; what f has left is told from the curvature here, exactly where f is quadratic.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.snapshot import State
from gdtui.insight.facts import EPSILON, FLAT_HERE
from gdtui.insight.forecast import distance_along_flattest, updates_to_leave
from gdtui.insight.instruments import ROUNDING
from gdtui.insight.sentences import Sentence, number, part, rough

if TYPE_CHECKING:
    from gdtui.insight.facts import Facts
    from gdtui.insight.hessian import Curvature

SQUARED = ("linear", "affine", "polynomial", "deep-linear")
"""Problems whose ℓᵢ is the square of a residual, so that an outlier can be told by it."""


def converged(facts: Facts, was_said: bool) -> Sentence | None:
    """What is left of f is nothing beside what is gained, or the last epoch did not move θ."""
    left = facts.left
    if left is None:
        if facts.snapshot.state is State.CONVERGED:
            return Sentence("Converged: the last epoch did not move θ.", "good", "converged")
        return None
    gained = facts.snapshot.history.first_loss - facts.loss + left
    least = max((1e-10 if was_said else 1e-12) * gained, 4 * EPSILON * abs(facts.loss))
    if not (left <= least and facts.swing <= 10 * least):
        return None
    best, norm = facts.known_best, facts.reading.instruments.grad_norm or 0.0
    if facts.curvature and facts.curvature.is_exact:
        text = f"f is {_within(left)} its least value, {number(_best(facts, left))}"
    elif best is not None:
        text = f"f is {_within(max(0.0, facts.loss - best))} its known best, {number(best)}"
    else:
        text = f"a minimum, as far as the curvature here tells: ‖g‖ = {number(norm)}, f = {number(facts.loss)}"
    return Sentence(f"Converged: {text}.", "good", "converged")


def local_minimum(facts: Facts, was_said: bool) -> Sentence | None:
    """Near a minimum that is above the known best, by far more than what is left."""
    best, left, here = facts.known_best, facts.left, facts.curvature
    if best is None or left is None or here is None or facts.decay or not here.smallest > FLAT_HERE * here.largest:
        return None
    above = facts.loss - left - best
    if not above > 1e-4 * max(abs(best), facts.snapshot.history.first_loss - best):
        return None
    typical = facts.averages.left if facts.is_split else left + facts.swing
    if typical is None or not typical <= (0.3 if was_said else 0.03) * above:
        return None
    return Sentence(f"Local minimum: f is {number(facts.loss - best)} above the known best.", "note", "local minimum")


def saddle(facts: Facts, was_said: bool) -> Sentence | None:
    """Near a point without gradient from which f falls some way."""
    here, norm = facts.curvature, facts.reading.instruments.grad_norm
    if here is None or norm is None:
        return None
    if not here.smallest < -((1e-4 if was_said else 1e-3) * max(here.largest, 0.0) + 10 * here.error):
        return None
    if not facts.is_near_rest(*((0.2, 0.5, math.inf) if was_said else (0.05, 0.1, 1.0))):
        return None
    kind = "Saddle" if here.largest > 0 else "Maximum"
    text = f"{kind}: ‖g‖ = {number(norm)} and λmin = {number(here.smallest)}"
    return Sentence(f"{text}{_way_off(facts, here)}.", "bad", "saddle")


def _way_off(facts: Facts, here: Curvature) -> str:
    """How a saddle will be left, as far as that is known."""
    if facts.recurrence is None or facts.method.clip or facts.decay:
        return ""
    largest = here.flattest[abs(here.flattest).argmax()]
    out = np.round(here.flattest / largest, 6)  # (1, 1) rather than nearly that: what cancels there, cancels exactly
    pull = float(facts.gradient @ out)
    if facts.is_split:
        pulls, rounding = facts.snapshot.now.gradients @ out, ROUNDING * float(facts.reading.alignments.norms.max())
        if float(np.abs(pulls - pull).max()) > rounding:
            return "; the samples' noise will drive it off"
        return "; no sample pulls off it: it stays" if abs(pull) <= rounding else ""
    if pull == 0:
        return "; nothing pulls off it: it stays"
    updates = None if facts.recurrence.has_memory else _updates_to_leave(facts, here)
    return f"; {updates:,} more update{'s' if updates > 1 else ''} to leave at this rate" if updates else ""


def _updates_to_leave(facts: Facts, here: Curvature) -> int | None:
    """Until it is as far off as it has come; None where λmin's vector is too blurred to tell in from out."""
    if facts.modes is None:
        return None
    component, spread = distance_along_flattest(here, facts.gradient), here.largest - here.smallest
    far = float(np.linalg.norm(facts.newton_step(facts.modes.along)))
    if component is None or abs(component) * spread <= 10 * here.error * far:
        return None
    return updates_to_leave(facts.lr, here.smallest, component, facts.reading.distance or 1.0)


def noise_floor(facts: Facts, was_said: bool) -> Sentence | None:
    """Noisy updates no longer gain what their mean gradient promises: f hovers above the minimum."""
    if not facts.is_split or not facts.has_window or facts.decay or facts.method.clip:
        return None
    noise = math.exp(facts.averages.noise) if facts.averages.noise is not None else 0.0
    is_noisy = noise >= (0.5 if was_said else 1) * facts.batch
    if not (is_noisy or _is_cycle(facts, was_said)):
        return None
    best, what = _floor(facts)
    above = float(facts.window[:, 1].mean()) - best
    chance = 3 * float(facts.window[:, 1].std()) * math.sqrt(4 / len(facts.window))
    if facts.drop > (0.5 if was_said else 0.25) * above and (facts.drop > chance or not was_said):
        return None
    if not was_said and not _hovers(facts):
        return None
    cure = "a larger batch" if facts.batch < facts.n else "each sample once an epoch"
    why = f"B = {rough(noise)} against batches of {facts.batch:,}" if is_noisy else "the samples' order drives it round"
    text = f"Noise floor: f hovers {rough(above)} above {what}: {why}; a lower lr or {cure} comes closer."
    return Sentence(text if what else f"Noise floor: f no longer falls: {why}.", "note", "noise floor")


def _floor(facts: Facts) -> tuple[float, str]:
    """What f hovers above, its least value or that of the minimum here, and its name; none where neither is known."""
    excess, left = facts.excess, facts.left
    if excess is not None and (left is None or excess - left <= 0.5 * excess):
        return facts.loss - excess, f"its least value, {number(_best(facts, excess))}"
    if left is not None:
        return facts.loss - left, f"the minimum here, some {number(facts.loss - left)}"
    return float(facts.window[:, 1].mean()) - 0.04 * abs(facts.loss), ""  # a hundredth of f is little


def _hovers(facts: Facts) -> bool:
    """f falls by a tenth of what its gradient promises, at most."""
    promised, losses = facts.averages.promised, facts.window[:, 1]
    half = len(losses) // 2
    if promised is None or half * promised < 3 * float(losses.std()) / math.sqrt(half):
        return False  # chance alone could hide that f falls as promised
    return facts.drop <= 0.1 * half * promised


def _is_cycle(facts: Facts, was_said: bool) -> bool:
    """In a fixed order every epoch ends as the one before, to a hundredth of what f has left."""
    above = facts.excess if facts.excess is not None else abs(facts.loss)
    change = float(np.ptp(facts.window[:, 1]))
    return facts.experiment.order == "sequential" and change <= (0.05 if was_said else 0.01) * above


def plateau(facts: Facts, was_said: bool) -> Sentence | None:
    """f hardly changes, although the gradient and the curvature here say that there is more to gain."""
    norm, here = facts.reading.instruments.grad_norm, facts.curvature
    if not facts.has_window or here is None or norm is None or facts.decay or facts.method.clip:
        return None
    excess = facts.excess if facts.excess is not None else facts.loss
    change = float(np.ptp(facts.window[:, 1]))
    if not (excess > 0 and change <= (0.03 if was_said else 0.01) * excess):
        return None
    if facts.left is None:
        is_more = here.smallest < -10 * here.error
        more = f"λmin = {number(here.smallest)}"
    else:
        is_more = facts.left >= (5 if was_said else 10) * change
        more = f"the curvature here leads {number(facts.left)} down"
    if not is_more:
        return None
    epochs = len(facts.window) - 1
    text = f"Plateau: f has changed by {part(change / excess)} in {epochs} epochs; ‖g‖ = {number(norm)}, {more}."
    return Sentence(text, "note", "plateau")


# --- the samples -----------------------------------------------------------------------------------------------------


def outlier(facts: Facts, was_said: bool) -> Sentence | None:
    """One sample makes most of the step, or pulls many times as hard as the others because it is so far off."""
    instruments, norms = facts.reading.instruments, facts.reading.alignments.norms
    if facts.n < 10 or instruments.noise_scale is None:
        return None
    share, owner = instruments.largest_share or 0.0, instruments.largest_share_sample
    usually = facts.averages.share or 0.0
    owns = min(share, usually) >= (0.35 if was_said else 0.5)
    owns = owns and (facts.averages.noise or 0.0) <= math.log((1.5 if was_said else 1) * facts.n)
    middle, far = float(np.median(norms)), _farthest(facts, 1.3 if was_said else 1.7)
    if not middle > 0 or not (owns or far is not None):
        return None
    clip = number(3 * middle)
    if far is None:
        text = f"Sample {owner:,} owns the step: {part(share)} of it, one of {facts.n:,}; clip={clip} would cut it"
        return Sentence(f"{text} to 3 times the median gradient.", "note", "outlier")
    times = float(norms[far]) / middle
    text = f"Outlier: sample {far:,} pulls {number(round(times, 1))} times as hard as the median sample"
    if owns and owner == far:
        text += f" and makes {part(share)} of the step"
    cure = f"problem huber or clip={clip}" if facts.experiment.problem == "affine" else f"clip={clip}"
    return Sentence(f"{text}; {cure} would hold it.", "note", "outlier")


def _farthest(facts: Facts, times: float) -> int | None:
    """The sample that pulls hardest, if its residual is so many times what normal noise would have as its largest."""
    if facts.experiment.problem not in SQUARED or facts.method.clip:
        return None
    residuals, norms = np.sqrt(facts.snapshot.now.losses), facts.reading.alignments.norms
    far = int(norms.argmax())
    usual = math.sqrt(2 * math.log(2 * facts.n)) / 0.6745  # of the median |residual|
    if not residuals[far] > times * usual * np.median(residuals) > 0:
        return None
    return far if norms[far] > 3 * times * np.median(norms) else None


def conflicts(facts: Facts, was_said: bool) -> Sentence | None:
    """A third of the samples or more would rather go the other way."""
    instruments = facts.reading.instruments
    against, measured = instruments.conflicts, instruments.samples
    part = facts.averages.conflicts
    if not against or facts.n < 3 or part is None or part < (1 / 4 if was_said else 1 / 3):
        return None
    where = f"{against:,} of {measured:,}" + (" measured" if measured < facts.n else "")
    return Sentence(f"Conflicting samples: {where} pull against the step.", "note", "conflicts")


# --- words -----------------------------------------------------------------------------------------------------------


def _best(facts: Facts, excess: float) -> float:
    """f's least value, 0 where it is nothing beside f at the start."""
    best = facts.loss - excess
    return best if abs(best) > 1e-14 * abs(facts.snapshot.history.first_loss) else 0.0


def _within(left: float) -> str:
    return f"within {rough(left)} of" if left else "at"
