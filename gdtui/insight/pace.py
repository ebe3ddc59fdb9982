"""Pace: the rules about the learning rate: what it does to the descent, and what another would.

Where f is not quadratic, limits and curvature are those of this θ, and the sentence says "here".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gdtui.insight import limits
from gdtui.insight.facts import FLAT
from gdtui.insight.reading import MOST_NUMBERS
from gdtui.insight.sentences import Sentence, Tone, exactly, number, part, rough
from gdtui.insight.stability import Kind, is_split, ladder

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.insight.facts import Facts
    from gdtui.insight.stability import Limit, Stability

# --- diverged --------------------------------------------------------------------------------------------------------


def diverged(snapshot: Snapshot) -> Sentence:
    """That it diverged, why, and what would not."""
    why = why_diverged(snapshot)
    return Sentence(f"Diverged: {why}" if why else "Diverged.", "bad", "diverged")


def why_diverged(snapshot: Snapshot) -> str:
    """The limit that the learning rate is above, and one that would be below it; empty where that is not known.

    Not for an event loop: it measures the curvature at the start.
    """
    stability = _at_start(snapshot)
    limit, lr = stability.applies, f"lr {stability.lr:g}"
    is_noisy = snapshot.problem.n > 1 and is_split(snapshot.experiment, snapshot.problem.n)
    if limit.lr is None:
        full = next((one for one in stability.others if one.name == "full batch" and one.lr is not None), None)
        if full is None or full.lr is None or stability.lr <= full.lr:
            return ""
        where = "" if full.kind is Kind.EXACT else " at the start"
        return f"{lr} is above even the full batch's limit{where}, {exactly(full.lr)}; batches need less."
    safe = number(safe_lr(stability, is_noisy) or limit.lr / 2)
    if stability.lr <= limit.lr:
        is_steeper = limit.kind is Kind.LOCAL
        return f"{lr} is below the limit at the start, {exactly(limit.lr)}, but f gets steeper." if is_steeper else ""
    if limit.kind is Kind.EXACT:
        return f"{lr} is above {_LIMITS[limit.name]}, {exactly(limit.lr)}: try {safe}."
    return f"{lr} is above the limit at the start, {exactly(limit.lr)}: {safe} would be stable there."


def safe_lr(stability: Stability, is_split: bool) -> float | None:
    """A learning rate surely below the limit that applies: the fastest; where updates are noisy, half of it at most."""
    limit = stability.applies.lr
    if limit is None:
        return None
    fastest = stability.fastest.lr if stability.fastest else None
    if is_split or fastest is None:
        return min(limit / 2, fastest or limit)
    return min(fastest, 0.95 * limit)  # with a large condition number the fastest is the limit, but for its last digits


def _at_start(snapshot: Snapshot) -> Stability:
    """The learning rate of a moment among the limits of its run's start: far out, where it diverged to, are none."""
    problem, experiment = snapshot.problem, snapshot.experiment
    start = problem.start(experiment.init)
    return ladder(problem, experiment, start, snapshot.evaluate, lr=snapshot.lr, most_numbers=MOST_NUMBERS)


# --- the learning rate -----------------------------------------------------------------------------------------------

_LIMITS = {
    "full batch": "the full batch's limit",
    "in order": "the limit in this order",
    "in any order": "the limit in any order",
    "with replacement": "the limit with replacement",
}
_DESCENTS = {
    "full batch": "the full batch",
    "in order": "sequential SGD",
    "in any order": "SGD in any order",
    "with replacement": "SGD with replacement",
}


def unstable(facts: Facts, was_said: bool) -> Sentence | None:
    """The learning rate is above the limit that applies: of a quadratic for ever, of another f here."""
    limit, lr = facts.stability.applies, facts.lr
    if limit.lr is None:
        return None
    if limit.kind is Kind.LOCAL:
        return _above_here(facts, limit.lr) if (facts.ratio or 0.0) > (0.9 if was_said else 1.0) else None
    if _settles(facts, limit, facts.batch) is not False:
        return None
    safe = number(safe_lr(facts.stability, facts.is_split) or limit.lr / 2)
    if limit.name == "with replacement":
        text = f"lr {lr:g} is above the limit with replacement, {exactly(limit.lr)}: the mean square grows"
        return Sentence(f"{text}, though a single run may settle. Try {safe}.", "bad", "unstable")
    others = _neighbours(facts, is_stable=True)
    if others:
        text = f"lr {lr:g}: {_named(facts, limit)} is unstable (limit {exactly(limit.lr)}), {others} not."
    else:
        text = f"Unstable: lr {lr:g} is above {_LIMITS[limit.name]}, {exactly(limit.lr)}."
    return Sentence(f"{text} Try {safe}.", "bad", "unstable")


def _above_here(facts: Facts, limit: float) -> Sentence:
    is_above, is_falling = facts.lr > limit, facts.has_window and facts.drop > 0
    text = f"{'Above' if is_above else 'Close to'} the limit {_here(facts)}: lr {facts.lr:g}, limit {exactly(limit)};"
    kind: Tone = "bad" if is_above and not is_falling else "note"
    return Sentence(f"{text} half of that is {number(limit / 2)}.", kind, "unstable")


def edge(facts: Facts, was_said: bool) -> Sentence | None:
    """Full batches about the limit of the curvature here, and yet f falls (Cohen et al. 2021)."""
    limit = facts.stability.applies
    if limit.lr is None or limit.kind is Kind.EXACT or facts.is_split or not facts.has_window or facts.method.clip:
        return None
    low, high = (0.9, 2.0) if was_said else (1.0, 1.7)
    first = float(facts.window[0, 1])
    ripples = 0.05 * abs(first) if was_said else 0.0
    if not (low < (facts.ratio or 0.0) < high and facts.drop > -ripples and facts.loss < first + ripples):
        return None
    if facts.is_plain and facts.curvature:
        what = f"λmax, now {number(facts.curvature.largest)}, keeps to about 2/lr = {number(2 / facts.lr)}"
    else:
        what = f"the limit here, now {exactly(limit.lr)}, keeps to about lr {facts.lr:g}"
    text = f"Edge of stability: {what}, and f {'still falls' if facts.drop > 0 else 'does not grow'}."
    return Sentence(text, "note", "edge")


def stable(facts: Facts, was_said: bool) -> Sentence | None:
    """The learning rate is below the limit that applies; before the first update also what would be quickest."""
    limit, lr = facts.stability.applies, facts.lr
    if limit.lr is None or lr == 0:
        return _stable_in_every_order(facts) if lr else None
    if limit.kind is Kind.LOCAL:
        if not ((facts.ratio or math.inf) < (1.0 if was_said else 0.95) and lr < limit.lr):
            return None
        text = f"Stable {_here(facts)}: lr {lr:g} is {part(lr / limit.lr)} of the limit, {exactly(limit.lr)}."
        return Sentence(text, "good", "stable")
    if lr >= limit.lr:
        return _stable_again(facts, limit)
    others = _neighbours(facts, is_stable=False)
    if others or facts.is_ready:
        text = f"lr {lr:g}: {_named(facts, limit)} is stable (limit {exactly(limit.lr)})"
        text += f", {others} not" if others else ""
        text += _in_one_step(facts) if facts.is_ready else ""
        return Sentence(f"{text}.", "good", "stable")
    text = f"Stable: lr {lr:g} is {part(lr / limit.lr)} of {_LIMITS[limit.name]}, {exactly(limit.lr)}."
    return Sentence(text, "good", "stable")


def _in_one_step(facts: Facts) -> str:
    fastest = facts.stability.fastest
    if fastest is None or fastest.lr is None or fastest.name != "one step":
        return ""
    if math.isclose(facts.lr, fastest.lr, rel_tol=1e-3):
        return ""
    return f"; one {'full-batch ' if facts.is_split else ''}step of {exactly(fastest.lr)} would solve it"


def _stable_again(facts: Facts, limit: Limit) -> Sentence | None:
    """Beyond the limit in a fixed order an epoch may be stable again: at 1/λ of a sample it forgets where it began."""
    radius = _radius_in_order(facts, facts.batch) if _settles(facts, limit, facts.batch) else None
    if radius is None or limit.lr is None:
        return None
    text = f"lr {facts.lr:g} is above where this order first breaks, {exactly(limit.lr)}, yet it settles:"
    return Sentence(f"{text} an epoch leaves {number(radius)} of the distance.", "note", "stable")


def _stable_in_every_order(facts: Facts) -> Sentence | None:
    """Without momentum, no batch lengthens anything below the limit of the steepest sample."""
    alone = [one for one in facts.stability.others if one.name.endswith(" alone") and one.lr is not None]
    if not alone or facts.recurrence is None or facts.recurrence.has_memory or facts.method.clip:
        return None
    least = min(alone, key=lambda one: one.lr or 0.0)
    if least.lr is None or facts.lr >= least.lr:
        return None
    name = least.name.removesuffix(" alone")
    text = f"Stable: lr {facts.lr:g} is below the limit of {name} alone, {exactly(least.lr)}: no order breaks."
    return Sentence(text, "good", "stable")


def oscillating(facts: Facts, was_said: bool) -> Sentence | None:
    """Full batches that cross the valley to and fro: by alpha for gradient descent, by f's turns for other methods."""
    if facts.is_split or facts.is_ready:
        return None
    if not facts.is_plain:
        turns, epochs = facts.turns or (0, 0)
        if turns < (2 if was_said else 4):
            return None
        cure = "less momentum or a lower lr" if facts.recurrence and facts.recurrence.has_memory else "a lower lr"
        text = f"Oscillating: f has turned {turns} times in the last {epochs} epochs;"
        return Sentence(f"{text} {cure} would damp it.", "note", "oscillating")
    alpha = facts.reading.alpha
    if alpha is None or not (facts.ratio or 0.0) > (0.7 if was_said else 0.75):
        return None
    if not (0.3 if was_said else 0.5) < alpha < 1:
        return None
    landed = (
        f"the newest update ended at alpha {number(round(alpha, 3))}, across the valley (0 its floor, 1 its far wall)"
    )
    floor = number(facts.lr / (1 + alpha))
    return Sentence(f"Oscillating: {landed}; lr {floor} would have met the floor.", "note", "oscillating")


def slow(facts: Facts, was_said: bool) -> Sentence | None:
    """The learning rate is far below the best one, or, where that is not known, below the limit here."""
    if facts.recurrence is None or facts.method.clip or facts.decay:
        return None
    is_exact = facts.stability.applies.kind is Kind.EXACT
    text = _far_from_best(facts, was_said) if is_exact else _far_from_limit(facts, was_said)
    return Sentence(f"Slow: {text}.", "note", "slow") if text else None


def _far_from_best(facts: Facts, was_said: bool) -> str:
    best = safe_lr(facts.stability, facts.is_split) if facts.stability.fastest else None
    noise = facts.reading.instruments.noise_scale
    if facts.is_split and (noise is None or noise > (2 if was_said else 1) * facts.batch):
        return ""  # noise, not the pace, may be what keeps f up
    if best is None or not facts.lr < best / (3 if was_said else 4):
        return ""
    epochs, least = _epochs_a_factor(facts, facts.lr), _epochs_a_factor(facts, best)
    if epochs is None or least is None or epochs < max(3.0, 3 * least):
        return ""
    then = f"in {_epochs(least)}" if least >= 1 else "in less than one"
    if least == 0 and not facts.is_split:
        then = "one step would end it"
    return f"at lr {facts.lr:g} f's excess falls to 1/e in {_epochs(epochs)}, at {number(best)} {then}"


def _far_from_limit(facts: Facts, was_said: bool) -> str:
    limit, here = facts.stability.applies.lr, facts.curvature
    if limit is None or here is None or facts.is_split or here.smallest < -0.1 * here.largest:
        return ""  # where f curves down, the limit says little of the pace
    if not 0 < (facts.ratio or 0.0) < (1 / 12 if was_said else 1 / 25):
        return ""
    return f"lr {facts.lr:g} is 1/{limit / facts.lr:,.0f} of the limit here, {exactly(limit)}"


def valley(facts: Facts, was_said: bool) -> Sentence | None:
    """The gradient lies along directions in which f curves a hundredth as much as across, or less."""
    flat = facts.averages.flat
    if facts.modes is None or facts.is_ready or flat is None or flat < (0.2 if was_said else 0.5):
        return None
    values, along, _ = facts.modes
    is_flat = abs(values) <= values[-1] / (30 if was_said else 100)
    squares = along[is_flat] ** 2
    if not squares.sum() > 0:
        return None
    curved = float((squares * values[is_flat]).sum() / squares.sum())
    text = f"Narrow valley: f curves by {number(curved)} along it, by {number(float(values[-1]))} across"
    limit = facts.stability.applies.lr
    if facts.recurrence and limit is not None:
        text += f", which keeps lr below {exactly(limit)}"
        text += "; momentum would be faster" if facts.is_plain else ""
    return Sentence(f"{text}.", "note", "valley")


def _epochs_a_factor(facts: Facts, lr: float) -> float | None:
    """Epochs in which f's excess falls to 1/e in its slowest direction, by full batches of that lr; 0: one step."""
    if facts.modes is None or facts.recurrence is None:
        return None
    values = facts.modes.values
    values = values[values > FLAT * values[-1]]
    if not len(values):
        return None
    roots = np.linalg.eigvals(facts.recurrence.matrices(lr, values[:, np.newaxis, np.newaxis]))
    radius = float(abs(roots).max())
    if radius < 1e-9:
        return 0.0
    return -1 / (2 * math.log(radius)) / facts.updates_in_epoch if radius < 1 else None


def _radius_in_order(facts: Facts, batch: int) -> float | None:
    """What an epoch of batches in order leaves of the distance: beyond the limit it can be below 1 again."""
    here = facts.curvature
    if here is None or here.samples is None or facts.recurrence is None:
        return None
    first = np.arange(0, facts.n, batch)
    p = here.samples.shape[-1]
    if len(first) * ((2 * p) ** 3 + 500) > limits.MOST_WORK:
        return None
    sums = np.add.reduceat(here.samples, first, axis=0)
    batches = sums / np.diff(np.append(first, facts.n))[:, np.newaxis, np.newaxis] + facts.decay * np.eye(p)
    with np.errstate(all="ignore"):
        logarithm = limits.log_radius(facts.recurrence.matrices(facts.lr, limits.on_range(batches)))
        return float(np.exp(logarithm))


def _settles(facts: Facts, limit: Limit, batch: int = 1) -> bool | None:
    """Whether the learning rate is below a limit; beyond that of a fixed order the epoch itself is asked."""
    if limit.lr is None:
        return None
    if facts.lr < limit.lr or limit.name not in ("in order", "in any order") or limit.kind is not Kind.EXACT:
        return facts.lr < limit.lr
    radius = _radius_in_order(facts, batch)
    return None if radius is None else radius < 1


# --- words -----------------------------------------------------------------------------------------------------------


def _here(facts: Facts) -> str:
    return "where nothing is clipped" if facts.method.clip else "here"


def _epochs(count: float) -> str:
    return f"{rough(count)} epoch{'' if rough(count) == '1' else 's'}"


def _named(facts: Facts, limit: Limit) -> str:
    """The descent that a limit is of; the full batch is compared with single samples."""
    name = _DESCENTS[limit.name]
    if not 1 < facts.batch < facts.n:
        return name
    return name.replace("sequential SGD", "mini-batches in order").replace("SGD", "mini-batches")


def _neighbours(facts: Facts, is_stable: bool) -> str:
    """The other descents that this lr would settle, or would not; they are those of no one sample alone.

    `the full batch (0.2143) is`, `sequential SGD (0.2040) and SGD with replacement (0.1429) are`, or nothing.
    """
    batch = facts.batch if facts.is_split else 1
    others = [one for one in facts.stability.others if one.name in _DESCENTS]
    others = [one for one in others if _settles(facts, one, batch) is is_stable]
    named = [f"{_named(facts, one)} ({exactly(one.lr)})" for one in others if one.lr is not None]
    return " and ".join(named) + (" are" if len(named) > 1 else " is") if named else ""
