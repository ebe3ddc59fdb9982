"""What a verdict says: each rule on a run that must hear it and on close ones that must not, and that none flickers."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gdtui.descent.snapshot import Epoch, Snapshot, State, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.reading import read
from gdtui.insight.rules import RULES
from gdtui.insight.sentences import exactly, number, part, rough
from gdtui.insight.verdict import Judgement, judge
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.loading import load_problem

FULL = {"batch_size": "full"}


def begin(problem: str = "linear", **settings: Any) -> Trainer:
    family = FAMILIES[problem]
    own = {"data": family.data or "noise", "lr": family.lr, "epochs": 2000}
    hyper = tuple(settings.pop("hyper", {}).items())
    experiment = Experiment(**({"problem": problem} | own | settings), set=hyper)
    return Trainer(experiment, load_problem(experiment))


def told(trainer: Trainer, epochs: int, every: int = 1) -> list[Judgement]:
    """The judgement of each epoch, from the start on, each after the one before."""
    judgements, reading, judgement = [], None, None
    for epoch in range(0, epochs + 1, every):
        snapshot = trainer.advance(Epoch(epoch))
        reading = read(snapshot, reading)
        judgement = judge(reading, judgement)
        judgements.append(judgement)
        if snapshot.state.is_over:
            break
    return judgements


def said(problem: str = "linear", at: int = 0, **settings: Any) -> dict[str, str]:
    """The sentences at one epoch by their rules, judged by itself."""
    return sentences(judge(read(begin(problem, **settings).advance(Epoch(at)))))


def sentences(judgement: Judgement) -> dict[str, str]:
    return {one.rule: one.text for one in judgement.sentences}


def kinds(judgement: Judgement) -> dict[str, str]:
    return {one.rule: one.kind for one in judgement.sentences}


# --- before the first update -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {},
            {
                "stable": "lr 0.01: sequential SGD is stable (limit 0.2040); "
                "one full-batch step of 0.1071 would solve it."
            },
        ),
        ({"lr": 3 / 28, **FULL}, {"stable": "lr 0.107143: the full batch is stable (limit 0.2143)."}),
        (
            {"lr": 0.21},
            {
                "unstable": "lr 0.21: sequential SGD is unstable (limit 0.2040), the full batch (0.2143) is not. "
                "Try 0.102."
            },
        ),
        ({"lr": 0.25, **FULL}, {"unstable": "Unstable: lr 0.25 is above the full batch's limit, 0.2143. Try 0.1071."}),
        (
            {"lr": 0.15, "order": "replacement"},
            {
                "unstable": "lr 0.15 is above the limit with replacement, 0.1429: the mean square grows, "
                "though a single run may settle. Try 0.07143."
            },
        ),
        ({"problem": "rosenbrock", **FULL}, {"stable": "Stable here: lr 0.001 is 75 % of the limit, 0.001328."}),
        (
            {"problem": "rosenbrock", "lr": 0.003, **FULL},
            {"unstable": "Above the limit here: lr 0.003, limit 0.001328; half of that is 0.0006638."},
        ),
        ({"problem": "rosenbrock"}, {}),  # no limit is known for batches of an f that is not quadratic
        ({"problem": "linear", "optimizer": "adam", **FULL}, {}),  # nor for Adam before its first update
    ],
    ids=str,
)
def test_before_the_first_update_it_says_what_to_expect(settings: dict[str, Any], expected: dict[str, str]) -> None:
    assert said(**settings) == expected


def test_full_batches_below_their_limit_name_the_descents_that_would_break() -> None:
    text = said(lr=0.21, at=1, **FULL)["stable"]
    assert text == (
        "lr 0.21: the full batch is stable (limit 0.2143), "
        "sequential SGD (0.2040) and SGD with replacement (0.1429) are not."
    )


def test_beyond_its_first_limit_a_fixed_order_may_settle_again() -> None:
    # At 1/2 sample 0 is solved by its own step: Π(1 − lr·h) is 0.
    told_ = said(lr=0.5, at=0)
    assert set(told_) == {"stable"}
    assert (
        "above where this order first breaks, 0.2040, yet it settles: an epoch leaves 0 of the distance"
        in told_["stable"]
    )
    assert begin(lr=0.5).advance(Epoch(3)).loss == 0.0
    # And at 0.6 it does not: |0.2·(−3.8)·(−9.8)| > 1.
    assert set(said(lr=0.6)) == {"unstable"}


def test_shuffled_batches_are_stable_for_certain_below_the_steepest_sample_s_limit() -> None:
    settings = {"problem": "affine", "data": "noisy-line", "order": "shuffle"}
    trainer = begin(**settings)
    alone = [one.lr for one in read(trainer.snapshot()).stability.others if "alone" in one.name]
    assert "no order breaks" in said(**settings, lr=0.9 * min(alone))["stable"]
    assert "stable" not in said(**settings, lr=1.1 * min(alone))


# --- while it runs ---------------------------------------------------------------------------------------------------


def test_slow_names_the_best_lr_and_both_paces() -> None:
    text = said(at=5, **FULL)["slow"]
    assert text == "Slow: at lr 0.01 f's excess falls to 1/e in 5.1 epochs, at 0.1071 one step would end it."
    losses = [begin(**FULL).advance(Epoch(e)).loss for e in (0, 10)]
    assert 10 / math.log(losses[0] / losses[1]) == pytest.approx(5.1, rel=0.01)


def test_slow_is_silent_near_the_best_lr_where_noise_rules_and_at_the_end() -> None:
    assert "slow" not in said(lr=0.05, at=5, **FULL)
    assert "slow" not in said("affine", lr=0.005, at=50)
    assert "slow" not in said(lr=0.02, at=800, **FULL)


def test_slow_compares_with_the_limit_where_the_best_is_not_known() -> None:
    assert said("huber", at=5, **FULL)["slow"].startswith("Slow: lr 0.05 is 1/56 of the limit here, 2.7")
    assert "slow" not in said("huber", lr=0.5, at=5, **FULL)
    assert "slow" not in said("saddle", lr=0.01, at=5, **FULL)  # f curves down there as much as up


def test_oscillating_says_where_the_step_landed_and_which_would_have_met_the_floor() -> None:
    told_ = said(lr=0.2, at=3, **FULL)
    alpha = 0.2 * 28 / 3 - 1
    assert told_["oscillating"] == (
        f"Oscillating: the newest update ended at alpha {alpha:.3f}, across the valley (0 its floor, 1 its far wall); "
        "lr 0.1071 would have met the floor."
    )
    assert "oscillating" not in said(lr=0.15, at=3, **FULL)
    assert "oscillating" not in said(lr=0.25, at=3, **FULL)  # that is unstable
    assert "oscillating" not in said(lr=0.19, at=3)  # single samples


def test_momentum_oscillates_by_the_turns_of_f() -> None:
    trainer = begin("quadratic", lr=0.1, hyper={"momentum": 0.9}, **FULL)
    judgement = told(trainer, 40)[-1]
    turns = int(re.search(r"turned (\d+) times in the last 20 epochs", sentences(judgement)["oscillating"]).group(1))
    losses = [trainer.rewind(e).loss for e in range(20, 41)]
    signs = [b > a for a, b in pairwise(losses)]
    assert turns == sum(a != b for a, b in pairwise(signs))
    assert "oscillating" not in said("quadratic", lr=0.01, at=40, hyper={"momentum": 0.2}, **FULL)


def test_a_valley_is_told_by_its_walls_and_its_floor() -> None:
    judgement = told(begin("rosenbrock", **FULL), 20)[-1]
    text = sentences(judgement)["valley"]
    x, y = judgement.snapshot.theta
    hessian = np.array([[2 - 400 * (y - 3 * x * x), -400 * x], [-400 * x, 200]])
    low, high = np.linalg.eigvalsh(hessian)
    assert text == (
        f"Narrow valley: f curves by {number(low)} along it, by {number(high)} across, "
        f"which keeps lr below {exactly(2 / high)}; momentum would be faster."
    )
    assert "valley" not in sentences(told(begin("himmelblau", **FULL), 20)[-1])


def test_the_edge_of_stability_is_where_full_batches_above_the_limit_go_on_to_fall() -> None:
    judgements = told(begin("mlp", data="moons", lr=4.0, hyper={"hidden": 4, "n": 40}, **FULL), 40)
    names = [one.sentences[0].rule for one in judgements]
    assert names[0] == "unstable"
    assert names[-1] == "edge"
    assert re.fullmatch(
        r"Edge of stability: λmax, now 0\.\d+, keeps to about 2/lr = 0\.5, and f still falls\.",
        judgements[-1].sentences[0].text,
    )
    assert judgements[-1].snapshot.loss < judgements[-11].snapshot.loss
    calm = told(begin("mlp", data="moons", lr=0.5, hyper={"hidden": 2, "n": 40}, **FULL), 20)
    assert not any("edge" in one.holding for one in calm)


def test_the_edge_is_not_for_a_quadratic_nor_for_noisy_updates() -> None:
    assert "edge" not in said("quadratic", lr=0.1999, at=30, **FULL)
    assert "edge" not in said("mlp", data="moons", lr=4.0, at=30, hyper={"hidden": 4})


# --- where it stands -------------------------------------------------------------------------------------------------


def test_converged_says_how_near_the_least_value() -> None:
    judgements = told(begin(), 100)
    first = next(j for j in judgements if "converged" in sentences(j))
    loss = first.snapshot.loss
    assert loss <= 1e-12 * 14 / 3 < judgements[judgements.index(first) - 1].snapshot.loss
    assert sentences(first)["converged"] == f"Converged: f is within {rough(loss)} of its least value, 0."
    assert kinds(first)["converged"] == "good"


def test_converged_knows_a_least_value_that_is_not_zero() -> None:
    trainer = begin("affine", lr=0.4, **FULL)
    text = said("affine", lr=0.4, at=100, **FULL)["converged"]
    x, y = trainer.problem.dataset.x[:, 0], trainer.problem.dataset.y
    residuals = y - np.polyval(np.polyfit(x, y, 1), x)
    assert text.endswith(f"of its least value, {number(float((residuals**2).mean()))}.")


def test_converged_is_silent_while_noise_keeps_it_off_and_while_momentum_flies_through() -> None:
    assert "converged" not in said("affine", at=300)
    trainer = begin("quadratic", lr=0.1, hyper={"momentum": 0.9, "rms": 0.0}, **FULL)
    for judgement in told(trainer, 40):
        assert "converged" not in sentences(judgement)


def test_a_local_minimum_is_how_far_above_the_known_best() -> None:
    judgement = told(begin("double-well", **FULL), 60)[-1]
    assert sentences(judgement)["local minimum"] == "Local minimum: f is 0.2991 above the known best."
    assert judgement.snapshot.loss + 0.40525622983211224 == pytest.approx(0.2991, abs=1e-4)
    assert "local minimum" not in sentences(told(begin("double-well", init=(-1.5,), **FULL), 60)[-1])
    assert "local minimum" not in said("double-well", at=1, **FULL)


def test_a_saddle_that_is_left_says_after_how_many_updates() -> None:
    trainer = begin("saddle", init=(1.0, 1e-9), **FULL)
    judgement = told(trainer, 100)[-1]
    text = sentences(judgement)["saddle"]
    snapshot = judgement.snapshot
    norm = math.hypot(snapshot.theta[0], snapshot.theta[1] - snapshot.theta[1] ** 3)
    match = re.fullmatch(r"Saddle: ‖g‖ = (\S+) and λmin = −1; (\d+) more updates to leave at this rate\.", text)
    assert float(match.group(1)) == pytest.approx(norm, rel=1e-3)
    assert int(match.group(2)) == math.ceil(math.log(1 / snapshot.theta[1]) / math.log(1.1)) == 118
    y = [abs(trainer.advance(Update(100 + int(match.group(2)) + late)).theta[1]) for late in (-30, 30)]
    assert y[0] < 0.1
    assert y[1] > 0.9


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"problem": "saddle", **FULL}, "nothing pulls off it: it stays"),
        ({"problem": "deep-linear", "init": (0.5, -0.5), **FULL}, "nothing pulls off it: it stays"),
        ({"problem": "deep-linear", "init": (0.5, -0.5)}, "no sample pulls off it: it stays"),
    ],
    ids=str,
)
def test_a_saddle_that_holds_what_comes_to_it_says_so(settings: dict[str, Any], why: str) -> None:
    judgements = told(begin(**settings), 100)
    assert sentences(judgements[-1])["saddle"].endswith(f"; {why}.")
    assert begin(**settings).advance(Epoch(1500)).loss == pytest.approx(judgements[-1].snapshot.loss, abs=1e-9)


def test_a_saddle_is_not_wherever_the_curvature_is_negative() -> None:
    assert "saddle" not in said("saddle", at=3, **FULL)
    assert "saddle" not in said("himmelblau", at=0, **FULL)
    flying = told(begin("deep-linear", hyper={"momentum": 0.9}, **FULL), 60)
    valley = told(begin("rosenbrock", lr=0.003, **FULL), 900, every=3)
    assert not any("saddle" in sentences(one) for one in (*flying, *valley))
    # Noise throws it off at once.
    assert "saddle" not in {rule for one in told(begin("saddle", hyper={"rms": 1.0}), 20) for rule in sentences(one)}


def test_a_saddle_where_it_starts_is_told_before_the_first_update() -> None:
    assert said("saddle", init=(0.0, 0.0), **FULL)["saddle"] == (
        "Saddle: ‖g‖ = 0 and λmin = −1; nothing pulls off it: it stays."
    )
    assert "the samples' noise will drive it off" in said("saddle", init=(0.0, 0.0))["saddle"]


def test_the_noise_floor_is_how_far_above_the_least_value_it_hovers() -> None:
    judgement = told(begin("affine"), 40)[-1]
    assert sentences(judgement)["noise floor"] == (
        "Noise floor: f hovers 0.008 above its least value, 0.1828: B = 45 against batches of 1; "
        "a lower lr or a larger batch comes closer."
    )
    for cure in ({"lr": 0.005}, {"batch_size": 25}):
        assert begin("affine", **cure).advance(Epoch(400)).loss < judgement.snapshot.loss - 0.006


@pytest.mark.parametrize("order", ["shuffle", "replacement"])
def test_the_noise_floor_stays_said_though_f_goes_up_and_down(order: str) -> None:
    judgements = told(begin("affine", order=order), 150)
    said_at = [k for k, one in enumerate(judgements) if "noise floor" in one.holding]
    assert said_at
    assert len(said_at) > 0.8 * (len(judgements) - said_at[0])


def test_the_noise_floor_is_not_where_it_is_only_slow_nor_where_it_still_falls_nor_without_noise() -> None:
    assert "noise floor" not in said("affine", lr=1e-6, at=100)
    assert "noise floor" not in said("polynomial", lr=0.0005, at=20)
    assert "noise floor" not in said(at=60)
    assert "noise floor" not in said("affine", at=60, **FULL)


def test_a_plateau_is_where_f_hardly_changes_though_there_is_a_way_down() -> None:
    trainer = begin("mlp", data="moons", lr=1.0, hyper={"hidden": 7}, **FULL)
    snapshot = trainer.advance(Epoch(44))
    text = sentences(judge(read(snapshot)))["plateau"]
    losses = [trainer.rewind(e).loss for e in range(33, 45)]
    assert text.startswith(f"Plateau: f has changed by {part((max(losses) - min(losses)) / losses[-1])} in 11 epochs; ")
    assert trainer.advance(Epoch(600)).loss < 0.2 * snapshot.loss  # there was
    assert "plateau" not in said("mlp", data="moons", lr=1.0, at=10, hyper={"hidden": 7}, **FULL)
    assert "plateau" not in said(at=100, **FULL)


# --- the samples -----------------------------------------------------------------------------------------------------


def test_an_outlier_is_named_with_what_would_hold_it() -> None:
    snapshot = begin("affine", data="outlier-line", **FULL).advance(Epoch(60))
    text = sentences(judge(read(snapshot)))["outlier"]
    norms = np.linalg.norm(snapshot.now.gradients, axis=1)
    far, middle = int(norms.argmax()), float(np.median(norms))
    assert text == (
        f"Outlier: sample {far} pulls {number(round(norms[far] / middle, 1))} times as hard as the median sample; "
        f"problem huber or clip={number(3 * middle)} would hold it."
    )
    y = snapshot.problem.dataset.y
    assert y[far] > np.median(y) + 5  # one of those that were shifted by 10
    for problem in ("affine", "polynomial"):
        assert "outlier" not in said(problem, data="noisy-line", at=30, **FULL)
    assert "outlier" not in said("affine", data="outlier-line", at=30, hyper={"clip": 0.5}, **FULL)


def test_a_sample_that_makes_half_the_step_owns_it() -> None:
    snapshot = begin("affine", data="noisy-line", **FULL).snapshot()
    reading = read(snapshot)
    instruments = replace(reading.instruments, largest_share=0.62, largest_share_sample=7, noise_scale=20.0)
    text = sentences(judge(replace(reading, instruments=instruments)))["outlier"]
    assert text.startswith("Sample 7 owns the step: 62 % of it, one of 50; clip=")
    for quiet in ({"largest_share": 0.4}, {"noise_scale": 2000.0}):
        still = replace(reading, instruments=replace(instruments, **quiet))
        assert "outlier" not in sentences(judge(still))


def test_conflicts_are_counted() -> None:
    reading = read(begin("mlp", data="moons").advance(Epoch(3)))
    against = int((reading.alignments.cosines < 0).sum())
    assert against >= 34
    assert sentences(judge(reading))["conflicts"] == f"Conflicting samples: {against} of 100 pull against the step."
    assert "conflicts" not in said(at=3)
    assert "conflicts" not in said("affine", at=300)  # at the noise floor half of them always do


# --- all of them -----------------------------------------------------------------------------------------------------


def test_a_descent_that_diverged_says_nothing_else() -> None:
    (judgement,) = [one for one in told(begin(lr=0.25, **FULL), 100) if one.snapshot.state is State.DIVERGED]
    (sentence,) = judgement.sentences
    assert sentence.text == "Diverged: lr 0.25 is above the full batch's limit, 0.2143: try 0.1071."
    assert (sentence.kind, sentence.rule) == ("bad", "diverged")


def test_other_settings_are_judged_afresh() -> None:
    trainer = begin("double-well", **FULL)
    before = told(trainer, 60)[-1]
    assert before.holding
    trainer.change(lr=0.05)
    reading = read(trainer.advance(Epoch(61)))
    assert judge(reading, before).sentences == judge(reading).sentences


def test_a_trend_is_only_read_from_the_epochs_since_the_last_change() -> None:
    trainer = begin("affine")
    told(trainer, 40)
    trainer.change(lr=0.005)
    assert "noise floor" not in sentences(judge(read(trainer.advance(Epoch(42)))))


def test_what_was_said_stays_until_it_is_clearly_over() -> None:
    reading = read(begin("affine", data="noisy-line", **FULL).snapshot())

    def against(count: int, before: Judgement | None) -> Judgement:
        return judge(replace(reading, instruments=replace(reading.instruments, conflicts=count)), before)

    assert "conflicts" not in sentences(against(14, None))
    judgement = against(20, None)
    assert "conflicts" in sentences(judgement)
    judgement = against(14, judgement)
    assert "conflicts" in sentences(judgement)
    for _ in range(10):
        judgement = against(2, judgement)
    assert "conflicts" not in sentences(judgement)


DESCENTS: list[dict[str, Any]] = [
    FULL,
    {},
    {"order": "replacement"},
    {"order": "shuffle", "batch_size": 4, "optimizer": "adam"},
    {"hyper": {"momentum": 0.9}, **FULL},
]


@pytest.mark.parametrize("settings", DESCENTS, ids=str)
@pytest.mark.parametrize("problem", list(FAMILIES))
def test_no_descent_s_verdict_flickers(problem: str, settings: dict[str, Any]) -> None:
    is_costly = problem in ("mlp", "softmax")
    hyper = settings.get("hyper", {}) | ({"hidden": 2} if problem == "mlp" else {})
    judgements = told(begin(problem, **(settings | {"hyper": hyper})), 14 if is_costly else 80)
    rules = [one.sentences[0].rule if one.sentences else "" for one in judgements]
    changes = sum(a != b for a, b in pairwise(rules))
    assert changes <= 7, [(k, b) for k, (a, b) in enumerate(pairwise(rules), 1) if a != b]
    for judgement in judgements:
        assert len(judgement.sentences) <= 3
        for one in judgement.sentences:
            assert one.text.isprintable()
            assert not re.search(r"\b(nan|inf)\b|e[+-]0", one.text), one.text


def test_at_extremes_no_sentence_has_a_number_that_is_none() -> None:
    def moment(snapshot: Snapshot) -> None:
        for one in judge(read(snapshot)).sentences:
            assert not re.search(r"\b(nan|inf)\b", one.text), one.text

    for settings in ({"lr": 1e-300}, {"lr": 1e300, **FULL}, {"init": (1e150,)}, {"init": (2.0,)}, {"init": (1e-300,)}):
        trainer = begin(**settings)
        moment(trainer.snapshot())
        moment(trainer.advance(Update(1)))
        moment(trainer.advance(Epoch(3)))
    for problem in ("saddle", "monkey-saddle", "deep-linear"):
        moment(begin(problem, init=(0.0, 0.0)).advance(Epoch(2)))
    moment(begin("affine", schedule="cosine", epochs=20).advance())
    moment(begin("affine", optimizer="lion").advance(Epoch(30)))
    assert len({rule.name for rule in RULES}) == len(RULES)
