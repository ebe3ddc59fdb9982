"""What experts add to the tutorial: conditioning and momentum, the noise scale and batches, one outlier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gdtui.experiment import Experiment
from gdtui.insight.sentences import number, part, rough
from gdtui.lessons.lesson import Lesson, Trial
from gdtui.lessons.words import listed, reached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.lessons.lesson import Outcome

# --- conditioning and momentum ---------------------------------------------------------------------------------------


def _bowl(kappa: float, has_momentum: bool) -> Trial:
    """On ½(x² + κy²), with the lr and μ that are best for λ from 1 to κ (Polyak 1964)."""
    root = math.sqrt(kappa)
    lr, momentum = (4 / (1 + root) ** 2, ((root - 1) / (root + 1)) ** 2) if has_momentum else (2 / (1 + kappa), 0.0)
    bowl = Experiment(problem="quadratic", data="noise", batch_size="full", epochs=400)
    label = f"{'momentum' if has_momentum else 'gd'} κ {kappa:g}"
    return Trial(label, bowl.replace(lr=lr, kappa=kappa, momentum=momentum, n=2))


def _momentum(outcomes: Sequence[Outcome]) -> str:
    from gdtui.lessons.measures import FALLEN, epochs_to_fall

    plain, heavy, easy, easy_heavy = (reached(epochs_to_fall(one.end), one.end.epoch) for one in outcomes)
    kappas = [number(round(_condition(outcome), 6)) for outcome in outcomes]
    momentum = number(outcomes[1].experiment.value("momentum"))
    return (
        f"Steepest over flattest λ is κ = {kappas[0]}: at its best lr gradient descent takes {plain} updates until "
        f"f is {number(FALLEN)} of its start; with momentum {momentum} it takes {heavy}. "
        f"At κ = {kappas[2]} they take {easy} and {easy_heavy}: about as κ without momentum, as √κ with it."
    )


def _condition(outcome: Outcome) -> float:
    here = outcome.stability.curvature
    return here.largest / here.smallest if here else math.nan


MOMENTUM = Lesson(
    name="momentum",
    title="Conditioning and momentum: a narrow valley costs κ updates, or √κ",
    trials=(_bowl(100, False), _bowl(100, True), _bowl(10, False), _bowl(10, True)),
    caption=_momentum,
    hint="Set momentum to 0.9 in the experiment (1), then r and space: too much, and f swings.",
)


# --- the noise scale and batches -------------------------------------------------------------------------------------

NEAR = 0.01
SEEDS = 8
LINE = Experiment(problem="affine", data="noisy-line", order="shuffle", epochs=8, set=(("n", 256), ("noise", 0.5)))


def _of_batches(batch_size: int) -> Trial:
    """With the lr that pays for such batches, in proportion to b/(b + B) (McCandlish et al. 2018, eq. 2.6)."""
    lr = round(0.2 * batch_size / (batch_size + 37), 4)
    return Trial(f"b {batch_size}", LINE.replace(batch_size=batch_size, lr=lr), SEEDS)


def _noise_scale(outcomes: Sequence[Outcome]) -> str:
    from gdtui.lessons.measures import noise_scale_at

    noise = noise_scale_at(outcomes[-1].end, NEAR)
    small, twice_small, large, twice_large = outcomes
    return (
        f"Where {part(NEAR)} of f's excess is left, B = {rough(noise or math.nan)}. Until then "
        f"{_twice(small, twice_small)}; but {_twice(large, twice_large)}. "
        f"Means of {len(small.snapshots)} seeds; lr as b/(b + B)."
    )


def _twice(once: Outcome, twice: Outcome) -> str:
    before, after = _mean_updates(once), _mean_updates(twice)
    work = after * int(twice.experiment.batch_size) / (before * int(once.experiment.batch_size)) - 1
    fewer = f"{part(1 - after / before)} fewer updates than {once.label} ({after:.3g}, {before:.3g})"
    return f"{twice.label} takes {fewer}, {part(work)} more work"


def _mean_updates(outcome: Outcome) -> float:
    """Over the seeds; one that does not get there counts with all its updates."""
    from gdtui.lessons.measures import level_of_excess, updates_to

    counts = [updates_to(end, level_of_excess(end, NEAR)) or end.updates for end in outcome.snapshots]
    return sum(counts) / len(counts)


NOISE_SCALE = Lesson(
    name="noise-scale",
    title="The noise scale B: batches below it save updates, batches above it do not",
    trials=tuple(_of_batches(batch_size) for batch_size in (4, 8, 128, 256)),
    caption=_noise_scale,
    hint="Press space, then i until B is drawn: it grows as f falls.",
)


# --- one outlier -----------------------------------------------------------------------------------------------------

OUTLIER_LINE = Experiment(
    problem="affine", data="outlier-line", lr=0.05, batch_size="full", epochs=200, set=(("outliers", 0.02),)
)


def _outlier(outcomes: Sequence[Outcome]) -> str:
    import numpy as np

    from gdtui.descent.snapshot import Epoch
    from gdtui.insight.instruments import alignments
    from gdtui.lessons.measures import replayed

    squared, *robust, without = outcomes
    end, start = alignments(squared.end.now.gradients), replayed(squared.end, Epoch(0))
    sample = int(end.norms.argmax())
    share = float(alignments(start.now.gradients).shares[sample])
    times = float(end.norms[sample] / np.median(end.norms))
    moved = listed(
        f"{rough(float(np.linalg.norm(one.end.theta - without.end.theta)))} with {one.label}"
        for one in (squared, *robust)
    )
    return (
        f"Sample {sample} of {squared.end.problem.n} makes {part(share)} of the first step; at the end, where the "
        f"others agree, it pulls {rough(times)} times as hard as the median sample. It shifts θ by {moved}."
    )


OUTLIER = Lesson(
    name="outlier",
    title="One outlier: what it does to squared loss, and what holds it",
    trials=(
        Trial("squared loss", OUTLIER_LINE),
        Trial("huber loss", OUTLIER_LINE.replace(problem="huber")),
        Trial("clip 1", OUTLIER_LINE.replace(clip=1.0)),
        Trial("no outlier", OUTLIER_LINE.replace(shift=0.0), is_drawn=False),
    ),
    caption=_outlier,
    hint="Press space, and once it has run /, then type |g|>10: one sample is left.",
)

LESSONS = (MOMENTUM, NOISE_SCALE, OUTLIER)
"""In the order in which they build on each other."""
