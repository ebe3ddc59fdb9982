"""The lab's fields in mid-run, its ends and failures, and keys in any order."""

from __future__ import annotations

import random
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from labs import lab, table, until
from textual.css.query import NoMatches
from textual.widgets import Input, Select

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.keymap import COMMANDS
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import Status
from gdtui.descent import trainer as trainers
from gdtui.descent.snapshot import Epoch
from gdtui.experiment import Experiment
from gdtui.preferences import SPEEDS

if TYPE_CHECKING:
    from pathlib import Path


FOREVER = 10**9
MAX = len(SPEEDS) - 1


# Fields


async def test_in_a_field_keys_type_and_escape_gives_up_what_they_typed() -> None:
    async with lab() as driven:
        await driven.write("features", "q1 r?.")
        assert driven.screen.query_one("#features", Input).value == "q1 r?."
        assert driven.app.is_running
        await driven.press("escape")
        assert driven.screen.query_one("#features", Input).value == ""
        assert driven.app.focused is None
        await driven.write("lr", "-1")
        assert "✗ learning rate must be" in driven.text
        await driven.press("escape")
        assert "✗" not in driven.text
        assert driven.experiment.lr == 0.01


async def test_learning_rate_and_batch_size_can_be_typed_in_mid_run() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.write("lr", "0.05")
        await driven.press("enter")
        await driven.until(lambda: driven.loss_marks == 1)
        assert driven.log[-1] == "▾ lr 0.01 → 0.05 from update 7"
        assert driven.is_at(2)
        await driven.write("batch_size", "full")
        await driven.press("enter")
        await driven.until(lambda: "▾ batch size 1 → full from update 7" in driven.log)
        await driven.press("escape", "e")
        await driven.until(lambda: re.search(r"updates +7\b", driven.status))


async def test_another_problem_or_other_data_or_another_seed_begin_a_new_run() -> None:
    signs = (("problem", "affine", "affine · tutorial"), ("data", "faithful", "affine · faithful"))
    async with lab(lr=0.0001, order="shuffle") as driven:
        for setting, value, sign in signs:
            await driven.step_to(3)
            driven.screen.query_one(f"#{setting}", Select).value = value
            await driven.until(lambda sign=sign: sign in driven.status)
            assert driven.is_at(0)
            assert "○ ready" in driven.status
        await driven.step_to(2)
        await driven.write("seed", "7")
        await driven.press("enter")
        await driven.until(lambda: driven.is_at(0))
        assert driven.experiment.seed == 7


async def test_other_data_or_r_while_it_plays_at_max_leave_nothing_of_the_old_run() -> None:
    async with lab(epochs=FOREVER) as driven:
        await driven.play_at_max()
        driven.screen.query_one("#data", Select).value = "faithful"
        await driven.until(lambda: "faithful" in driven.status and "ready" in driven.status)
        lines = len(driven.log)
        assert driven.pane("samples").endswith("272 samples")
        await driven.press("tab", "escape")
        assert len(driven.log) == lines
        assert driven.trainer.snapshot().updates == 0
        await driven.play_at_max()
        await driven.tap("r")
        await driven.until(lambda: "ready" in driven.status)
        lines = len(driven.log)
        await driven.press("escape")
        assert len(driven.log) == lines
        assert driven.trainer.snapshot().updates == 0


async def test_space_while_a_reset_still_loads_shows_nothing_of_the_old_run(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    class Slow(trainers.Trainer):
        def __init__(self, *arguments: Any) -> None:
            gate.wait(30)
            super().__init__(*arguments)

    async with lab(epochs=FOREVER) as driven:
        await driven.press("e")
        monkeypatch.setattr(trainers, "Trainer", Slow)
        old = driven.trainer
        await driven.press("r", "space")
        await driven.until(lambda: "loading" in driven.status)
        assert old.snapshot().epoch == 1
        gate.set()
        await driven.until(lambda: driven.trainer is not old and driven.is_at(2))
        assert old.snapshot().epoch == 1


async def test_keys_pressed_while_a_run_still_loads_act_on_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    class Slow(trainers.Trainer):
        def __init__(self, *arguments: Any) -> None:
            gate.wait(30)
            super().__init__(*arguments)

    async with lab() as driven:
        monkeypatch.setattr(trainers, "Trainer", Slow)
        await driven.tap("r", "plus", "plus", "e", "plus", "e")
        gate.set()
        await driven.until(lambda: driven.is_at(2))
        (event,) = driven.trainer.snapshot().events
        assert (event.update, event.before, event.after) == (3, 0.015625, 0.0195312)


async def test_keys_of_one_burst_take_effect_in_their_order() -> None:
    async with lab() as driven:
        await driven.tap("e", "e", "plus", "full_stop", "left_square_bracket", "minus", "e")
        await driven.until(lambda: driven.experiment.lr == 0.008 and driven.is_at(2))
        (event,) = driven.trainer.snapshot().events
        assert (event.update, event.after) == (3, 0.008)


async def test_a_wrong_field_keeps_the_run_going() -> None:
    async with lab(epochs=FOREVER) as driven:
        await driven.press("space")
        await driven.write("features", "nosuch")
        await driven.press("enter")
        await driven.until(lambda: "✗ unknown column" in driven.text)
        lines = len(driven.log)
        await driven.until(lambda: len(driven.log) > lines + 2)
        assert "running" in driven.status


# Ends and failures


async def test_a_learning_rate_that_is_too_large_diverges_and_says_so() -> None:
    async with lab(lr=0.3, play=True) as driven:
        driven.player.change_speed(MAX)
        await driven.until(lambda: "✗ diverged" in driven.status)
        assert any(line.startswith("Diverged in epoch") and "last finite θ is kept" in line for line in driven.log)
        assert "- lowers the learning rate, r starts again" in driven.log
        await driven.press("minus", "r")
        await driven.until(lambda: "○ ready" in driven.status)


async def test_steps_after_the_end_say_nothing_more() -> None:
    async with lab(epochs=2) as driven:
        await driven.step_to(2)
        await driven.until(lambda: "finished" in driven.status)
        lines = len(driven.log)
        await driven.press("e", "full_stop", "space")
        assert len(driven.log) == lines


async def test_more_epochs_go_on_after_the_end() -> None:
    async with lab(epochs=2) as driven:
        await driven.step_to(2)
        await driven.write("epochs", "4")
        await driven.press("enter", "escape", "space")
        await driven.until(lambda: "Finished 4 epochs" in driven.log[-1])


async def test_play_starts_at_once() -> None:
    async with lab(play=True, epochs=3) as driven:
        await driven.until(lambda: "finished" in driven.status)


@pytest.mark.parametrize(
    ("settings", "failure"),
    [
        ({"data": "nosuch.csv"}, "nosuch.csv"),
        ({"features": ("nosuch",)}, "unknown column 'nosuch' (there is x, y)"),
        ({"init": (1.0, 2.0)}, "start has 2 numbers"),
        ({"problem": "cubic"}, "unknown problem 'cubic'"),
        ({"init": (1e308,)}, "the loss at the start is not finite"),
    ],
)
async def test_what_cannot_begin_ends_with_a_line_that_says_why(settings: dict[str, Any], failure: str) -> None:
    app = LabApp(Opening(Experiment(**settings)))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: not app.is_running)
    assert failure in app.failure
    assert "\n" not in app.failure


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("[red]x.csv", "[b]x,[/"),
        ("x[.csv", '"[@click=app.quit]x","\x1b[31m"'),
        ("数据.csv", "größe,数据数据数据数据数据"),
        ("$primary.csv", "$x,%y"),
        ("a" * 200 + ".csv", "x" * 300 + ",y"),
    ],
    ids=["markup", "actions and escapes", "wide", "variables", "long"],
)
async def test_names_of_data_are_only_text(tmp_path: Path, name: str, header: str) -> None:
    path = table(tmp_path / name, header)
    async with lab(data=path, problem="affine", lr=0.001) as driven:
        await driven.press("e", "1", "1", "tab", "tab", "enter", "escape")
        driven.screen.query_one(Samples).focus()
        await driven.press("o", "down")
        assert all(row.isprintable() for row in driven.text.split("\n"))
        assert driven.app.is_running


@pytest.mark.parametrize(("seed", "size"), [(1, (120, 36)), (2, (80, 24)), (3, (50, 14))])
async def test_a_hundred_random_keys_do_no_harm(
    seed: int, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where a file is written that they happen to name
    generator = random.Random(seed)
    # The palette can be told to quit, and then does.
    keys = [key for command in COMMANDS for key in command.keys.split(",") if command.id not in ("quit", "palette")]
    keys += ["up", "down", "left", "right", "home", "end", "pageup", "pagedown", "backspace", "9", "z", "slash"]
    async with lab(size=size) as driven:
        for _ in range(100):
            await driven.tap(generator.choice(keys))
        await driven.press("escape", "escape", "escape", "escape")
        assert driven.app.is_running


async def test_a_run_by_keys_has_the_bits_of_one_without_a_screen() -> None:
    async with lab(order="shuffle", seed=3, batch_size=2) as driven:
        await driven.press("full_stop", "full_stop", "full_stop", "e", "e")
        await driven.until(lambda: driven.trainer.snapshot().epoch >= 3)
        theta = driven.trainer.snapshot().theta
        alone = trainers.Trainer(driven.experiment, driven.trainer.problem).advance(Epoch(3))
        assert theta.tobytes() == alone.theta.tobytes()


async def test_a_moment_that_comes_while_the_app_ends_is_not_shown() -> None:
    async with lab() as driven:
        snapshot = driven.player.trainer.advance(until=Epoch(1))
        driven.app._running = False  # the first thing that goes when the app ends; then its widgets, one by one
        await driven.screen.query_one(Status).remove()
        driven.screen.show_snapshot(snapshot)
        driven.app._running = True
        with pytest.raises(NoMatches):
            driven.screen.show_snapshot(snapshot)  # but a widget that is missed while it runs is a fault
