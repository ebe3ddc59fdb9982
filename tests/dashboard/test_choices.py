"""Every problem, optimizer and schedule in the lab: their fields, what they bring along, and how they look."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from labs import lab
from textual.widgets import Input, Select

from gdtui.descent.optimizers import RULES
from gdtui.descent.schedules import SCHEDULES
from gdtui.preferences import SPEEDS
from gdtui.problems.catalog import FAMILIES

MAX = len(SPEEDS) - 1


def fields(driven: Any) -> dict[str, Any]:
    """The hyperparameters' fields on the screen, and what they show."""
    entries = driven.screen.query(".-hyperparameter Input, .-hyperparameter Select")
    return {entry.id.removeprefix("h-"): entry.value for entry in entries}


def errors(driven: Any) -> list[str]:
    """What is said to be wrong, each with the label of the field above it."""
    rows = [row[1:29].strip() for row in driven.text.split("\n")]
    found = []
    for k, row in enumerate(rows):
        if row.startswith("✗"):
            found.append(f"{rows[k - 1].split()[0]}: {row.removeprefix('✗ ')}")
    return found


async def choose(driven: Any, setting: str, value: Any) -> None:
    driven.screen.query_one(f"#{setting}", Select).value = value
    await driven.until(lambda: driven.experiment.value(setting.removeprefix("h-")) == value)
    await driven.pilot.pause()


async def enter(driven: Any, name: str, text: str) -> None:
    await driven.write(f"h-{name}", text)
    await driven.press("enter")


SGD = {"momentum": "0.0", "dampening": "0.0", "nesterov": "0", "weight_decay": "0.0"}


# Fields that come and go


async def test_the_fields_are_those_of_what_is_chosen_with_their_defaults() -> None:
    async with lab() as driven:
        assert fields(driven) == {**SGD, "clip": "0.0"}
        await choose(driven, "problem", "mlp")
        mlp = {"hidden": "8", "activation": "tanh", "loss": "logistic", "n": "100", "noise": "0.1"}
        assert fields(driven) == {**mlp, **SGD, "clip": "0.0"}
        await choose(driven, "data", "spiral")
        assert fields(driven) == {**mlp, "n": "200", "noise": "0.02", "turns": "1.5", **SGD, "clip": "0.0"}
        await choose(driven, "problem", "saddle")
        assert fields(driven) == {"n": "32", "rms": "1.0", **SGD, "clip": "0.0"}
        await choose(driven, "problem", "polynomial")
        assert fields(driven) == {"degree": "3", "n": "50", "noise": "0.5", **SGD, "clip": "0.0"}


async def test_every_optimizer_and_schedule_can_be_chosen_in_turn() -> None:
    async with lab() as driven:
        for optimizer in [*RULES, "sgd"]:
            await choose(driven, "optimizer", optimizer)
            assert list(fields(driven)) == [one.name for one in RULES[optimizer].hyperparameters] + ["clip"]
            assert driven.experiment.lr == (0.01 if optimizer == "sgd" else RULES[optimizer].lr)
            assert driven.screen.query_one("#lr", Input).value == repr(driven.experiment.lr)
        await driven.press("e")
        for schedule in [*SCHEDULES, "constant"]:
            await choose(driven, "schedule", schedule)
            shown = [one.name for one in SCHEDULES[schedule].hyperparameters]
            assert list(fields(driven)) == [*SGD, *shown, "clip"]
        assert errors(driven) == []
        assert any(line.startswith("▾ schedule constant → step") for line in driven.log)


async def test_a_problem_brings_data_and_a_learning_rate() -> None:
    async with lab() as driven:
        seen = []
        for problem in ("logistic", "saddle", "linear"):
            await choose(driven, "problem", problem)
            seen.append((driven.screen.query_one("#data", Select).value, driven.screen.query_one("#lr", Input).value))
        assert seen == [("moons", "0.1"), ("noise", "0.1"), ("tutorial", "0.01")]
        assert errors(driven) == []


# Changing them


@pytest.mark.parametrize(
    ("settings", "name", "text", "event"),
    [
        ({}, "momentum", "0.9", "▾ momentum None → 0.9 from update 7"),
        ({}, "clip", "0.5", "▾ clip None → 0.5 from update 7"),
        ({"optimizer": "adam"}, "beta1", "0.5", "▾ beta1 None → 0.5 from update 7"),
        ({"schedule": "step"}, "gamma", "0.5", "▾ gamma None → 0.5 from update 7"),
        ({"set": (("momentum", 0.9),)}, "momentum", "0.5", "▾ momentum 0.9 → 0.5 from update 7"),
    ],
)
async def test_the_methods_hyperparameters_change_in_mid_run(
    settings: dict[str, Any], name: str, text: str, event: str
) -> None:
    async with lab(**settings) as driven:
        await driven.step_to(2)
        await enter(driven, name, text)
        await driven.until(lambda: any(line.startswith(f"▾ {name}") for line in driven.log))
        assert driven.log[-1].replace("0.0 →", "None →").replace("0.9 →", event.split()[2] + " →").startswith("▾")
        assert driven.log[-1].endswith(event.split("→")[1].strip())
        assert f"▾{name}" in driven.text
        assert driven.is_at(2)


@pytest.mark.parametrize(
    ("settings", "name", "text"),
    [
        ({"problem": "mlp", "data": "moons"}, "hidden", "3"),
        ({"problem": "polynomial", "data": "noisy-line", "lr": 0.001}, "degree", "2"),
        ({"problem": "affine", "data": "noisy-line"}, "noise", "0.2"),
        ({"problem": "saddle", "data": "noise", "lr": 0.1}, "rms", "0.1"),
        ({"problem": "saddle", "data": "noise", "lr": 0.1}, "n", "8"),
    ],
)
async def test_the_problems_hyperparameters_make_a_new_run(settings: dict[str, Any], name: str, text: str) -> None:
    async with lab(**settings) as driven:
        await driven.step_to(2)
        await enter(driven, name, text)
        await driven.until(lambda: driven.is_at(0))
        assert str(driven.experiment.value(name)) == text
        assert fields(driven)[name] == text
        await driven.press("escape", "e")
        await driven.until(lambda: driven.is_at(1))


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"problem": "polynomial", "data": "noisy-line", "lr": 0.001}, [("degree", "0", "degree must be from 1")]),
        ({"problem": "mlp", "data": "moons"}, [("hidden", "0", "hidden must be from 1 to")]),
        (
            {},
            [
                ("momentum", "abc", "momentum must be a number"),
                ("nesterov", "1", "nesterov needs momentum"),
                ("clip", "-1", "clip must be at least 0"),
            ],
        ),
        ({"optimizer": "adam"}, [("beta1", "1", "beta1 must be below 1")]),
        ({"problem": "logistic", "data": "moons"}, [("n", "1", "n must be from 2 to")]),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_the_run_stays(
    settings: dict[str, Any], wrong: list[tuple[str, str, str]]
) -> None:
    async with lab(**settings) as driven:
        await driven.step_to(1)
        before = driven.trainer
        for name, text, error in wrong:
            await enter(driven, name, text)
            await driven.until(lambda: errors(driven))
            assert [line[: len(name) + 2 + len(error)] for line in errors(driven)] == [f"{name}: {error}"]
            assert driven.trainer is before
            assert driven.is_at(1)
            await driven.press("escape")
            assert errors(driven) == []


async def test_what_the_data_cannot_do_is_said_beside_the_data() -> None:
    async with lab(problem="logistic", data="moons", lr=0.1) as driven:
        driven.screen.query_one("#data", Select).value = "iris"
        await driven.until(lambda: errors(driven))
        assert errors(driven)[0].startswith("Data: logistic needs 2 classes")
        assert driven.experiment.data == "moons"


async def test_nesterov_is_right_once_there_is_momentum() -> None:
    async with lab() as driven:
        await enter(driven, "nesterov", "1")
        await driven.until(lambda: errors(driven))
        await enter(driven, "momentum", "0.9")
        await driven.until(lambda: driven.experiment.value("momentum") == 0.9)
        await enter(driven, "nesterov", "1")
        await driven.until(lambda: driven.experiment.value("nesterov") == 1)
        assert errors(driven) == []


# How they look


async def test_a_landscape_has_neither_targets_nor_predictions_and_goes_below_zero() -> None:
    async with lab((220, 40), problem="saddle", data="noise", lr=0.1) as driven:
        assert driven.samples[0] == ["#", "z1", "z2", "loss", "∂x", "∂y", "|g|", "share", "cos"]
        assert driven.pane("loss") == "log y · epochs"
        await driven.step_to(3)
        assert driven.trainer.snapshot().loss < 0
        assert driven.pane("loss") == "linear y, as f < 0 · epochs"
        await driven.press("y")
        assert driven.pane("loss") == "linear y · epochs"


async def test_clipped_samples_are_marked() -> None:
    async with lab(set=(("clip", 5.0),)) as driven:
        await driven.step_to(1)
        await driven.pilot.pause()
        rows = driven.samples[1:4]
        assert [row[0] for row in rows] == ["0", "c", "▸c"]


@pytest.mark.parametrize(("problem", "size"), zip(FAMILIES, itertools.cycle([(80, 24), (120, 36)]), strict=False))
async def test_every_problem_steps_and_sorts_by_every_column(problem: str, size: tuple[int, int]) -> None:
    family = FAMILIES[problem]
    async with lab(size, problem=problem, data=family.data or "noise", lr=family.lr) as driven:
        await driven.tap("full_stop", "e")
        await driven.until(lambda: driven.is_at(1))
        sorted_by = [driven.pane("samples")]
        for key in "aoooooooooo":
            await driven.tap(key)
            sorted_by.append(driven.pane("samples"))
        await driven.pilot.pause()
        assert len({re.search(r"sort \S+", line)[0] for line in sorted_by if "sort" in line}) >= 4
        assert all(row.isprintable() for row in driven.text.split("\n"))


async def test_problems_changed_quickly_while_it_plays_at_max_end_in_the_last_one() -> None:
    async with lab(epochs=10**9) as driven:
        driven.player.change_speed(MAX)
        await driven.tap("space")
        for problem in ("mlp", "saddle", "softmax", "linear", "logistic", "ackley"):
            driven.screen.query_one("#problem", Select).value = problem
            await driven.pilot.pause(0.01)
            await driven.resize(80 if problem == "saddle" else 120, 36)
        await driven.until(lambda: driven.experiment.problem == "ackley" and driven.is_at(0))
        await driven.until(lambda: driven.screen.query_one("#problem", Select).value == "ackley")
        assert errors(driven) == []
        assert fields(driven) == {"n": "32", "rms": "1.0", **SGD, "clip": "0.0"}
        await driven.press("e")
        await driven.until(lambda: driven.is_at(1))


async def test_a_large_model_and_large_data_answer() -> None:
    settings = {"problem": "mlp", "data": "moons", "set": (("hidden", 6_000), ("n", 2))}
    async with lab(**settings, lr=1e-4, batch_size="full") as driven:
        await driven.press("e")
        await driven.until(lambda: driven.is_at(1))
    async with lab(problem="affine", data="noisy-line", set=(("n", 10**6),), lr=1e-3) as driven:
        assert "1,000,000 samples" in driven.pane("samples")


async def test_two_choices_at_once_are_both_made() -> None:
    async with lab() as driven:
        driven.screen.query_one("#problem", Select).value = "logistic"
        await driven.pilot.pause(0.001)
        driven.screen.query_one("#data", Select).value = "circles"
        await driven.until(lambda: driven.experiment.data == "circles")
        assert driven.experiment.problem == "logistic"
        await driven.until(lambda: "inner" in fields(driven))
        assert driven.screen.query_one("#problem", Select).value == "logistic"
