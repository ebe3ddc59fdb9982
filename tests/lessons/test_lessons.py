"""All lessons: named, listed lightly, runnable, short, and every number in their captions computed."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gdtui.experiment import Experiment, InputError
from gdtui.lessons.catalog import LESSONS, lesson_named
from gdtui.lessons.lesson import run
from tests.lessons.taught import NUMBER, caption, outcomes, texts_of_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gdtui.lessons.lesson import Lesson, Trial
    from tests.conftest import Finished

DEFINED = {
    "learning-rate": {"1e-6"},
    "momentum": {"1e-6"},
    "batches": {"5"},
    "noise-scale": {"1"},
}
"""How near the end counts as near enough: a definition, not a result."""


def test_each_claim_of_the_tutorial_and_of_the_experts_has_its_lesson() -> None:
    assert list(LESSONS) == [
        "update-rule",
        "learning-rate",
        "local-minimum",
        "saddle-point",
        "stuck-saddle",
        "gd-vs-sgd",
        "batches",
        "divergence",
        "momentum",
        "noise-scale",
        "outlier",
    ]


def test_a_list_of_names_and_titles_waits_for_nothing_heavy() -> None:
    program = (
        "import sys; from gdtui.lessons.catalog import LESSONS; "
        "print([(one.name, one.title) for one in LESSONS.values()]); "
        "print({'numpy', 'numba', 'duckdb', 'plotext', 'textual', 'rich'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    titles, heavy = result.stdout.splitlines()
    assert all(lesson.title in titles for lesson in LESSONS.values())
    assert heavy == "set()"


def test_a_lesson_is_found_by_its_name() -> None:
    assert lesson_named("divergence") is LESSONS["divergence"]


def test_a_name_that_is_not_known_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown lesson 'divergance' \(did you mean divergence\?\)") as error:
        lesson_named("divergance")
    assert error.value.setting == "lesson"


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_what_is_read_fits_its_lines(lesson: Lesson) -> None:
    assert len(lesson.title) <= 80
    assert len(lesson.hint) <= 100
    assert len(caption(lesson.name)) <= 240
    assert "\n" not in caption(lesson.name)
    assert 2 <= len(re.findall(r"\.(?: |$)", caption(lesson.name))) <= 3


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_curves_are_told_apart_by_their_labels(lesson: Lesson) -> None:
    labels = [trial.label for trial in lesson.trials]
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) <= 16
    assert lesson.shown is lesson.trials[0].experiment
    assert lesson.trials[0].is_drawn
    assert 1 <= len(lesson.pins) <= 3


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_a_label_says_what_the_experiment_is(lesson: Lesson) -> None:
    for trial in lesson.trials:
        for name, number in re.findall(r"(lr|κ|rms|b|clip|from) ([\d.]+)", trial.label):
            setting = {"κ": "kappa", "b": "batch_size", "from": "init"}.get(name, name)
            value = trial.experiment.value(setting)
            assert float(number) == (value[0] if setting == "init" else value)
        if trial.label.startswith(("gd", "b full")):
            assert trial.experiment.batch_size == "full"
        if trial.label.startswith("sgd"):
            assert trial.experiment.batch_size == 1


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_a_log_axis_is_only_asked_for_where_f_stays_above_zero(lesson: Lesson) -> None:
    drawn = [one for one in outcomes(lesson.name) if one.trial.is_drawn]
    lowest = min(float(one.end.history.rows[:, 4].min()) for one in drawn)
    assert lesson.log_y <= (lowest >= 0)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_every_experiment_runs_from_its_line_to_the_same_end(lesson: Lesson, gdtui: Callable[..., Finished]) -> None:
    for outcome in outcomes(lesson.name):
        line = outcome.experiment.to_line()
        assert Experiment.from_line(line) == outcome.experiment
        (end,) = gdtui("run", "--format", "jsonl", "--experiment", line).records("end")
        assert (end["loss"], end["theta"]) == (outcome.end.loss, outcome.end.theta.tolist())


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_no_number_in_a_caption_stays_whatever_the_experiments_are(lesson: Lesson) -> None:
    text = caption(lesson.name)
    labels = " ".join(trial.label for trial in lesson.trials)
    left = {at: number for at, number in enumerate(texts_of_numbers(text)) if number not in texts_of_numbers(labels)}
    left = {at: number for at, number in left.items() if number not in DEFINED.get(lesson.name, ())}
    for trials in _variations(lesson):
        changed = replace(lesson, trials=trials)
        other = texts_of_numbers(changed.caption(run(changed)))
        if len(other) == len(texts_of_numbers(text)):
            left = {at: number for at, number in left.items() if other[at] == number}
        if not left:
            return
    pytest.fail(f"always the same in {text!r}: {left}")


def _variations(lesson: Lesson) -> Iterator[tuple[Trial, ...]]:
    """The lesson's trials with other settings, one kind of setting at a time."""

    def each(change: Callable[[Experiment], Experiment]) -> tuple[Trial, ...]:
        return tuple(replace(trial, experiment=change(trial.experiment)) for trial in lesson.trials)

    def hyperparameters(experiment: Experiment) -> Experiment:
        return experiment.replace(
            **{name: value * 2 for name, value in experiment.set if name not in ("n", "momentum")}
        )

    yield each(lambda one: one.replace(lr=one.lr * 0.9, epochs=one.epochs + 4))
    yield each(lambda one: one.replace(lr=one.lr * 1.01))
    yield each(lambda one: one.replace(weight_decay=0.1))
    yield each(lambda one: one.replace(init=(-0.5,)) if one.problem == "double-well" else one)
    yield each(lambda one: one.replace(seed=one.seed + 1, init=tuple(value + 0.02 for value in one.init)))
    yield tuple(replace(trial, seeds=trial.seeds + 1) for trial in lesson.trials)
    yield each(hyperparameters)
    yield each(lambda one: one.replace(**{name: value * 0.9 for name, value in one.set if name == "momentum"}))
    yield each(lambda one: one.replace(**{name: value // 2 for name, value in one.set if name == "n"}))
    yield each(lambda one: one.replace(batch_size=2 if one.batch_size == 1 else one.batch_size))
    yield each(lambda one: one.replace(data="noisy-line") if one.data == "tutorial" else one)
    yield each(lambda one: one.replace(n=70) if one.data == "outlier-line" else one)


def test_numbers_are_found_as_they_stand() -> None:
    assert texts_of_numbers("1/λ = 0.1071, from −1,234 to 3e-9 (45 %).") == ["0.1071", "−1,234", "3e-9", "45"]
    assert NUMBER.fullmatch("5.5e12")
