"""The tutorial's claims, each as a lesson: what it says can be seen, and where it is not the whole truth, that too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.experiment import Experiment
from gdtui.insight.sentences import exactly, number, part, rough
from gdtui.lessons.lesson import Lesson, Trial
from gdtui.lessons.words import learning_rate, listed, percent, reached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.lessons.lesson import Outcome

GD = Experiment(batch_size="full")
SGD = Experiment()


# --- the update rule and the learning rate ---------------------------------------------------------------------------


def _update_rule(outcomes: Sequence[Outcome]) -> str:
    from gdtui.descent.snapshot import Epoch, Update
    from gdtui.lessons.measures import replayed

    texts = []
    for outcome in outcomes:
        start, then = replayed(outcome.end, Epoch(0)), replayed(outcome.end, Update(1))
        slope = float(start.now.gradients.mean(axis=0)[0])
        way = "up" if slope < 0 else "down"
        w, after = number(start.theta[0]), number(then.theta[0])
        texts.append(f"at w = {w} the slope is {number(slope)} and w goes {way} to {after}")
    epochs, ends = outcomes[0].end.epoch, listed(exactly(float(outcome.end.theta[0])) for outcome in outcomes)
    return f"An update takes lr times f's slope from w: {'; '.join(texts)}. After {epochs} epochs w is {ends}."


UPDATE_RULE = Lesson(
    name="update-rule",
    title="The update rule: against the slope, from either side",
    trials=(
        Trial("gd from 1", GD.replace(init=(1.0,))),
        Trial("gd from 4", GD.replace(init=(4.0,))),
    ),
    caption=_update_rule,
    hint="Press . for one update at a time, and see θ step down f in the landscape (4).",
)


def _learning_rate(outcomes: Sequence[Outcome]) -> str:
    from gdtui.lessons.measures import FALLEN, epochs_to_fall

    stability = outcomes[0].stability
    steepness = stability.curvature.largest if stability.curvature else 0.0
    lrs = listed(f"{outcome.experiment.lr:g}" for outcome in outcomes)
    factors = listed(number(1 - outcome.experiment.lr * steepness) for outcome in outcomes)
    counts = listed(reached(epochs_to_fall(outcome.end), outcome.end.epoch) for outcome in outcomes)
    best, limit = learning_rate(stability.fastest), learning_rate(stability.applies)
    return (
        f"At lr {lrs} an update leaves 1 − lr·λ = {factors} of the distance, "
        f"so f is at {number(FALLEN)} of its start after {counts} updates. "
        f"Best is lr 1/λ = {best}: one step; from 2/λ = {limit} on it never arrives."
    )


LEARNING_RATE = Lesson(
    name="learning-rate",
    title="The learning rate: too small is slow, too large goes beyond",
    trials=(
        Trial("lr 0.01", GD),
        Trial("lr 0.1", GD.replace(lr=0.1)),
        Trial("lr 0.2", GD.replace(lr=0.2)),
    ),
    caption=_learning_rate,
    hint="Press + or - and r, then space: insight (5) shows where lr stands among its limits.",
)


# --- local minima and saddle points ----------------------------------------------------------------------------------

DOUBLE_WELL = Experiment(problem="double-well", data="noise", lr=0.1, batch_size="full", epochs=160)
SEEDS = 20
STRENGTHS = (0.5, 1, 2, 4)


def _local_minimum(outcomes: Sequence[Outcome]) -> str:
    from gdtui.problems.landscapes import LANDSCAPES

    minima = LANDSCAPES["double-well"].minima
    best = minima[0][1]

    def is_better(theta: float) -> bool:
        return min(minima, key=lambda minimum: abs(theta - minimum[0][0])) is minima[0]

    slow, fast, *noisy = outcomes
    lr, jump = slow.experiment.lr, fast.experiment.lr
    x, there = number(slow.end.theta[0]), number(fast.end.theta[0])
    above, left = (number(round(one.end.loss - best, 9)) for one in (slow, fast))
    counts = [sum(is_better(float(end.theta[0])) for end in outcome.snapshots) for outcome in noisy]
    found = listed(f"{count} at rms {one.experiment.value('rms'):g}" for count, one in zip(counts, noisy, strict=True))
    return (
        f"At lr {lr:g} descent ends at x = {x}, f {above} above the best; at lr {jump:g} at {there}, {left} above. "
        "SGD's noise, shuffled, helps if neither weak nor strong: "
        f"of {len(noisy[0].snapshots)} seeds, in the better well are {found}."
    )


def _noisy(rms: float) -> Trial:
    experiment = DOUBLE_WELL.replace(batch_size=1, order="shuffle", epochs=10, rms=rms)
    return Trial(f"sgd rms {rms:g}", experiment, SEEDS, is_drawn=rms == 2)


LOCAL_MINIMUM = Lesson(
    name="local-minimum",
    title="A local minimum: where descent ends depends on lr, and on luck",
    trials=(
        Trial("gd lr 0.1", DOUBLE_WELL),
        Trial("gd lr 0.7", DOUBLE_WELL.replace(lr=0.7)),
        *map(_noisy, STRENGTHS),
    ),
    caption=_local_minimum,
    hint="Set the start to -0.5 in the experiment (1), then space: it ends in the better well.",
    x_axis="updates",
    log_y=False,
)


SADDLE = Experiment(
    problem="saddle", data="noise", lr=0.1, batch_size="full", epochs=256, init=(1.0, 0.0), set=(("rms", 0.1),)
)


def _saddle_point(outcomes: Sequence[Outcome]) -> str:
    from gdtui.lessons.measures import epochs_to, updates_to
    from gdtui.problems.landscapes import LANDSCAPES

    noisy, exact, beside = outcomes
    level = LANDSCAPES["saddle"].minima[0][1] / 2
    left = sum(epochs_to(end, level) is not None for end in noisy.snapshots)
    some = reached(updates_to(noisy.end, level), noisy.end.updates)
    late = reached(epochs_to(beside.end, level), beside.end.epoch)
    return (
        f"Gradient descent from y = {number(exact.experiment.init[1])} comes to the saddle and stays: after "
        f"{exact.end.updates} updates y = {number(exact.end.theta[1])}. SGD's noise drives it off, "
        f"in {left} of {len(noisy.snapshots)} seeds, here in {some} updates. "
        f"Yet from y = {number(beside.experiment.init[1])} gradient descent leaves too, in {late}."
    )


SADDLE_POINT = Lesson(
    name="saddle-point",
    title="A saddle point: SGD leaves it, gradient descent only if it comes from beside",
    trials=(
        Trial("sgd", SADDLE.replace(batch_size=1, order="shuffle", epochs=8), SEEDS),
        Trial("gd", SADDLE),
        Trial("gd from beside", SADDLE.replace(init=(1.0, 1e-6))),
    ),
    caption=_saddle_point,
    hint="Set rms to 0.01 in the experiment (1), then space: less noise leaves later, but it leaves.",
    x_axis="updates",
    log_y=False,
)


DEEP = Experiment(problem="deep-linear", order="shuffle", init=(0.5, -0.5), epochs=60)


def _stuck_saddle(outcomes: Sequence[Outcome]) -> str:
    from gdtui.descent.snapshot import Epoch
    from gdtui.lessons.measures import epochs_to, replayed

    sgd, full, beside = outcomes
    start = replayed(sgd.end, Epoch(0))
    across = int((start.now.gradients.sum(axis=1) != 0).sum())
    first, second = (number(value) for value in start.theta)
    half = reached(epochs_to(beside.end, beside.end.history.first_loss / 2), beside.end.epoch)
    return (
        f"From w₁ = {first}, w₂ = {second}, {across} of {sgd.end.problem.n} samples pull off the line w₁ = −w₂, "
        f"and it ends in the saddle: SGD's noise keeps to the line, f is {number(sgd.end.loss)} after "
        f"{sgd.end.epoch} epochs, and {number(full.end.loss)} with GD. "
        f"From w₂ = {number(beside.experiment.init[1])} SGD halves f in {half}."
    )


STUCK_SADDLE = Lesson(
    name="stuck-saddle",
    title="A saddle point that SGD does not leave: its noise must point off it",
    trials=(
        Trial("sgd", DEEP),
        Trial("gd", DEEP.replace(batch_size="full")),
        Trial("sgd from beside", DEEP.replace(init=(0.5, -0.49))),
    ),
    caption=_stuck_saddle,
    hint="Press space, then read insight (5): it says what pulls off the saddle, if anything does.",
    log_y=False,
)


# --- gradient descent, SGD, and batches between ----------------------------------------------------------------------


def _gd_vs_sgd(outcomes: Sequence[Outcome]) -> str:
    from gdtui.lessons.measures import part_left

    sgd, gd, longer = outcomes
    updates = sgd.end.updates // sgd.end.epoch
    first, other, longest = (percent(part_left(outcome.end, 1)) for outcome in outcomes)
    return (
        f"After an epoch f is at {first} of its start with SGD, at {other} with GD. "
        f"But SGD has then made {updates} updates: {updates} of GD's leave {percent(part_left(gd.end, updates))}. "
        f"And at lr {longer.experiment.lr:g} an epoch of GD leaves {longest}."
    )


GD_VS_SGD = Lesson(
    name="gd-vs-sgd",
    title="SGD drops faster than gradient descent: by epochs, hardly by updates",
    trials=(
        Trial("sgd lr 0.01", SGD),
        Trial("gd lr 0.01", GD),
        Trial("gd lr 0.03", GD.replace(lr=0.03)),
    ),
    caption=_gd_vs_sgd,
    hint="Press x: by updates SGD's lead is all but gone.",
)


NOISY_LINE = Experiment(
    problem="affine", data="noisy-line", lr=0.05, order="shuffle", epochs=80, set=(("n", 128), ("noise", 0.5))
)
NEAR = 0.05


def _batches(outcomes: Sequence[Outcome]) -> str:
    from gdtui.lessons.measures import epochs_to, hovering, level_of_excess

    texts = []
    for outcome in outcomes:
        end = outcome.end
        epochs = epochs_to(end, level_of_excess(end, NEAR))
        updates = None if epochs is None else epochs * (end.updates // end.epoch)
        texts.append(f"{reached(epochs, end.epoch)} and {reached(updates, end.updates)} with {outcome.label}")
    floors = listed(f"{part(hovering(one.end))} with {one.label}" for one in outcomes[:2])
    return (
        f"Epochs and updates until {part(NEAR)} of f's excess is left: {', '.join(texts)}. "
        f"Epochs are work, updates wait for one another: {outcomes[1].label} needs few of both. "
        f"Noise keeps up {floors}."
    )


BATCHES = Lesson(
    name="batches",
    title="Batches: the compromise between gradient descent and SGD",
    trials=(
        Trial("b 1", NOISY_LINE),
        Trial("b 16", NOISY_LINE.replace(batch_size=16)),
        Trial("b full", NOISY_LINE.replace(batch_size="full")),
    ),
    caption=_batches,
    hint="Press x: by updates batches of 16 are about as quick as the full batch.",
)


# --- divergence ------------------------------------------------------------------------------------------------------


def _divergence(outcomes: Sequence[Outcome]) -> str:
    above, below, sgd = outcomes
    full, ordered = (learning_rate(outcome.stability.applies) for outcome in (above, sgd))
    return (
        f"The full batch breaks at lr 2/λ = {full}: at {above.experiment.lr:g} f {_fate(above)}, at "
        f"{below.experiment.lr:g} it {_fate(below)}. SGD in this order breaks sooner, at {ordered}: "
        f"at lr {sgd.experiment.lr:g} f {_fate(sgd)}."
    )


def _fate(outcome: Outcome) -> str:
    from gdtui.descent.snapshot import State

    end = outcome.end
    if end.state is State.DIVERGED:
        return f"grows to {rough(end.loss)} in {end.epoch} epochs and is stopped"
    return f"falls to {rough(end.loss)}" if end.loss < end.history.first_loss else f"has grown to {rough(end.loss)}"


DIVERGENCE = Lesson(
    name="divergence",
    title="Divergence: the learning rate's limit, and SGD's own",
    trials=(
        Trial("gd lr 0.25", GD.replace(lr=0.25, epochs=200)),
        Trial("gd lr 0.21", GD.replace(lr=0.21, epochs=200)),
        Trial("sgd lr 0.21", SGD.replace(lr=0.21, epochs=200)),
    ),
    caption=_divergence,
    hint="Press - and r, then space, until f falls: insight (5) shows each limit.",
)

LESSONS = (
    UPDATE_RULE,
    LEARNING_RATE,
    LOCAL_MINIMUM,
    SADDLE_POINT,
    STUCK_SADDLE,
    GD_VS_SGD,
    BATCHES,
    DIVERGENCE,
)
"""In the tutorial's order."""
