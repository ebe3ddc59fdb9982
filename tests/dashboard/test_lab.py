"""The lab as a person meets it: every key, every field, every size."""

from __future__ import annotations

import itertools
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
from gdtui.dashboard.commands import KeymapCommands
from gdtui.dashboard.keymap import COMMANDS
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import Status
from gdtui.descent import trainer as trainers
from gdtui.descent.snapshot import Epoch
from gdtui.experiment import Experiment
from gdtui.preferences import SPEEDS

if TYPE_CHECKING:
    from pathlib import Path

    from labs import Lab

FOREVER = 10**9
MAX = len(SPEEDS) - 1
ALL = ("experiment", "loss", "samples", "landscape", "insight", "runs", "log")


async def play_at_max(driven: Lab) -> None:
    driven.player.change_speed(MAX)
    await driven.tap("space")
    await driven.until(lambda: re.search(r"running.*epoch +[1-9]", driven.status))


def loss_marks(driven: Lab) -> int:
    """Marks on the chart; a choice has another arrow."""
    return driven.text.count("▾lr")


# Descent


async def test_before_the_run_everything_is_there_and_says_what_to_press() -> None:
    async with lab() as driven:
        for word in ("1 Experiment", "2 Loss", "3 Samples", "7 Log", "○ ready", "space run", "? help", "q quit"):
            assert word in driven.text
        assert driven.log[0].startswith("space runs")
        assert driven.app.focused is None


async def test_space_runs_and_pauses() -> None:
    async with lab(epochs=FOREVER) as driven:
        await driven.press("space")
        await driven.until(lambda: "● running" in driven.status and len(driven.log) > 2)
        assert "space pause" in driven.text
        await driven.press("space")
        await driven.until(lambda: "‖ paused" in driven.status)
        assert "space run " in driven.text


async def test_a_run_to_its_end_logs_every_epoch_once() -> None:
    async with lab(epochs=7, play=True) as driven:
        await driven.until(lambda: "■ finished" in driven.status)
        assert [line.split()[1] for line in driven.log if line.startswith("Epoch ")] == list("1234567")
        assert sum("Finished 7 epochs" in line for line in driven.log) == 1
        assert "r starts again" in driven.log[-2]


async def test_a_full_stop_makes_one_update() -> None:
    async with lab((160, 40)) as driven:
        await driven.press("full_stop")
        await driven.until(lambda: re.search(r"updates +1\b", driven.status))
        assert [row[0] for row in driven.samples[1:4]] == ["▸", "1", "2"]
        assert driven.samples[2].count("–") == 4


async def test_e_makes_one_epoch() -> None:
    async with lab() as driven:
        await driven.press("e")
        await driven.until(lambda: driven.is_at(1))
        assert driven.log[-1] == "Epoch 1 w= 1.260688 loss= 2.5507170889386663"
        assert "as applied" in driven.pane("samples")


async def test_r_goes_back_to_the_start_with_the_settings_of_now() -> None:
    async with lab() as driven:
        await driven.step_to(3)
        await driven.press("plus", "r")
        await driven.until(lambda: driven.is_at(0))
        assert "○ ready" in driven.status
        assert driven.experiment.lr == 0.0125
        assert (driven.log[-1], loss_marks(driven)) == ("reset", 0)


async def test_plus_and_minus_scale_the_learning_rate_and_mark_it() -> None:
    async with lab() as driven:
        await driven.step_to(3)
        await driven.press("plus")
        await driven.until(lambda: loss_marks(driven) == 1)
        assert driven.log[-1] == "▾ lr 0.01 → 0.0125 from update 10"
        assert "lr 0.0125" in driven.status
        assert driven.screen.query_one("#lr", Input).value == "0.0125"
        await driven.press("minus", "minus")
        assert driven.experiment.lr == 0.008


async def test_before_the_start_a_change_is_no_event() -> None:
    async with lab() as driven:
        await driven.press("plus")
        await driven.until(lambda: "lr 0.0125" in driven.status)
        assert (loss_marks(driven), len(driven.log)) == (0, 1)


async def test_less_and_greater_change_the_speed() -> None:
    async with lab() as driven:
        seen = [re.findall(r"\S+ epochs/s", driven.status)]
        for key in ("less_than_sign", "greater_than_sign", "greater_than_sign"):
            await driven.press(key)
            seen.append(re.findall(r"\S+ epochs/s", driven.status))
        assert seen == [["10 epochs/s"], ["5 epochs/s"], ["10 epochs/s"], ["20 epochs/s"]]
        await driven.press("greater_than_sign", "greater_than_sign", "greater_than_sign")
        assert "  max " in f"{driven.status} "


async def test_g_changes_the_grain_and_the_log_has_each_visit() -> None:
    async with lab(epochs=1) as driven:
        await driven.press("g")
        assert "updates/s" in driven.status
        await driven.press("space")
        await driven.until(lambda: "finished" in driven.status)
        assert [line.split()[:3] for line in driven.log if "grad" in line] == [
            ["grad", "1.0", "2.0"],
            ["grad", "2.0", "4.0"],
            ["grad", "3.0", "6.0"],
        ]


# View


async def test_y_and_x_change_the_axes() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        seen = [driven.pane("loss")]
        for key in "yyxxxx":
            await driven.press(key)
            seen.append(driven.pane("loss"))
        assert seen == [
            "log y · epochs",
            "linear y · epochs",
            "log y · epochs",
            "log y · updates",
            "log y · samples seen",
            "log y · seconds",
            "log y · epochs",
        ]


async def test_o_sorts_the_samples_and_capital_o_reverses_them() -> None:
    async with lab((160, 40)) as driven:
        await driven.press("o", "o", "o", "o")
        assert "sort loss" in driven.pane("samples")
        assert [row[0] for row in driven.samples[1:4]] == ["2", "1", "0"]
        await driven.press("O")
        assert [row[0] for row in driven.samples[1:4]] == ["0", "1", "2"]


async def test_a_shows_the_samples_as_applied_or_now() -> None:
    async with lab() as driven:
        await driven.step_to(1)
        applied = driven.samples
        await driven.press("a")
        assert driven.pane("samples").startswith("now")
        assert driven.samples != applied


async def test_the_charts_cursor_reads_exact_values() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        driven.screen.query_one("#loss").focus()
        await driven.press("left")
        assert driven.pane("loss") == f"epochs 2: loss {driven.trainer.snapshot().loss!r}"
        await driven.press("home")
        assert driven.pane("loss") == "epochs 0: loss 4.666666666666667"
        await driven.press("escape")
        assert driven.pane("loss") == "log y · epochs"


# Panes


@pytest.mark.parametrize(
    ("key", "pane"), [("1", "experiment"), ("2", "loss"), ("3", "samples"), ("6", "runs"), ("7", "log")]
)
async def test_a_number_hides_its_pane_and_shows_it_again(key: str, pane: str) -> None:
    async with lab() as driven:
        await driven.press(key)
        assert not driven.is_seen(pane)
        await driven.step_to(2)
        await driven.press(key)
        assert driven.is_seen(pane)
        await driven.until(lambda: "Epoch 2 w=" in driven.text)


async def test_what_ran_while_the_loss_was_hidden_is_on_it() -> None:
    async with lab() as driven:
        await driven.press("2")
        await driven.step_to(2)
        await driven.press("2")
        driven.screen.query_one("#loss").focus()
        await driven.press("left")
        assert driven.pane("loss").startswith("epochs 2:")


@pytest.mark.parametrize(
    ("panes", "size"),
    [
        (("loss", "samples", "landscape", "insight", "runs", "log"), (120, 36)),
        (("loss", "samples", "log"), (80, 24)),
    ],
    ids=["120x36", "80x24"],
)
async def test_enter_zooms_the_focused_pane_and_enter_or_escape_comes_back(
    panes: tuple[str, ...], size: tuple[int, int]
) -> None:
    async with lab(size) as driven:
        before = list(map(driven.is_seen, ALL))
        for pane, back in zip(panes, itertools.cycle(("enter", "escape")), strict=False):
            widget = driven.screen.query_one(f"#{pane}")
            widget.focus()
            await driven.press("enter")
            assert [name for name in ALL if driven.is_seen(name)] == [pane]
            assert (widget.region.width, widget.region.height) == (size[0], size[1] - 2)
            await driven.press(back)
            assert list(map(driven.is_seen, ALL)) == before


@pytest.mark.parametrize("back", ["5", "escape"])
async def test_on_a_narrow_terminal_a_pane_of_the_side_takes_all_of_it(back: str) -> None:
    async with lab((80, 24)) as driven:
        before = list(map(driven.is_seen, ALL))
        for key, pane in (("4", "landscape"), ("6", "runs"), ("5", "insight")):
            await driven.press(key)
            assert [name for name in ALL if driven.is_seen(name)] == [pane]
            assert driven.screen.query_one(f"#{pane}").region.size == (80, 22)
        await driven.press(back)
        assert list(map(driven.is_seen, ALL)) == before


async def test_the_side_closes_up_when_its_panes_are_hidden() -> None:
    async with lab() as driven:
        width = driven.screen.query_one("#loss").region.width
        await driven.press("4", "5")
        assert not driven.is_seen("landscape")
        assert driven.screen.query_one("#loss").region.width > width
        await driven.press("5")
        assert driven.screen.query_one("#loss").region.width == width
        assert driven.is_seen("insight")


async def test_i_shows_an_instrument_over_the_epochs_under_the_loss() -> None:
    async with lab((120, 40)) as driven:
        await driven.step_to(3)
        assert not driven.is_seen("overlay")
        await driven.press("i")
        assert driven.is_seen("overlay")
        gradients = driven.trainer.snapshot().now.gradients
        assert driven.pane("overlay") == f"‖g‖ {abs(gradients.mean()):.4f}"
        seen = {driven.screen.query_one("#overlay").border_title}
        while driven.is_seen("overlay"):
            await driven.press("i")
            seen.add(driven.screen.query_one("#overlay").border_title)
        assert len(seen) > 5


async def test_the_verdict_names_both_limits_at_a_learning_rate_between_them() -> None:
    async with lab(lr=0.21) as driven:
        await driven.step_to(2)
        await driven.until(lambda: "sequential SGD is unstable" in driven.text)
        assert "(limit 0.2040), the full batch" in driven.text
        assert "(0.2143) is not" in driven.text


async def test_a_run_that_diverged_proposes_a_learning_rate_that_works() -> None:
    async with lab(lr=0.25, batch_size="full", epochs=10_000, play=True) as driven:
        driven.player.change_speed(MAX)
        proposal = "above the full batch's limit, 0.2143: try 0.1071"
        await driven.until(lambda: any(proposal in line for line in driven.log))
        await driven.write("lr", "0.1071")
        await driven.press("enter", "escape", "r", "space")
        await driven.until(lambda: "✓ converged" in driven.status or "■ finished" in driven.status)


async def test_the_landscape_and_what_was_measured_follow_the_run() -> None:
    async with lab(problem="saddle", data="noise", lr=0.1) as driven:
        await driven.until(lambda: "● now" in driven.pane("landscape"))
        await driven.step_to(2)
        await driven.until(lambda: "32 samples" in driven.pane("insight"))
        await driven.press("g", "full_stop")
        await driven.until(lambda: "update 65" in driven.text)


async def test_the_experiment_can_be_zoomed_from_the_palette() -> None:
    async with lab() as driven:
        driven.screen.query_one("#lr").focus()
        await driven.pilot.pause()
        await driven.screen.run_action("zoom")
        await driven.pilot.pause()
        assert driven.screen.query_one("#experiment").region.width == 120
        await driven.press("escape", "escape")
        assert all(map(driven.is_seen, ALL))


async def test_what_ran_while_the_loss_was_zoomed_away_is_on_it() -> None:
    async with lab() as driven:
        driven.screen.query_one("#log").focus()
        await driven.press("enter")
        await driven.step_to(2)
        await driven.press("enter")
        driven.screen.query_one("#loss").focus()
        await driven.press("left")
        assert driven.pane("loss").startswith("epochs 2:")


async def test_tab_goes_round_fields_and_panes_and_shift_tab_back() -> None:
    async with lab() as driven:
        seen = []
        for _ in range(24):
            await driven.press("tab")
            assert driven.app.focused is not None
            seen.append(driven.app.focused.id)
        assert seen[0] == "problem"
        assert seen[18:] == ["runs", "loss", "samples", "landscape", "insight", "log"]
        await driven.press("shift+tab")
        assert driven.app.focused.id == "insight"


async def test_escape_leaves_the_cursor_then_the_zoom_then_the_focus() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        driven.screen.query_one("#loss").focus()
        await driven.press("enter", "left")
        assert driven.pane("loss").startswith("epochs 2")
        await driven.press("escape")
        assert driven.pane("loss") == "log y · epochs"
        assert not driven.is_seen("log")
        await driven.press("escape")
        assert driven.is_seen("log")
        assert driven.app.focused is not None
        await driven.press("escape")
        assert driven.app.focused is None


async def test_at_80_columns_the_experiment_is_a_drawer() -> None:
    async with lab(size=(80, 24)) as driven:
        assert not driven.is_seen("experiment")
        assert all(map(driven.is_seen, ("loss", "samples", "log")))
        log_height = driven.screen.query_one("#log").size.height
        await driven.press("1")
        assert driven.is_seen("experiment")
        assert "Learning rate" in driven.text or " lr " in driven.text
        await driven.press("escape")
        assert not driven.is_seen("experiment")
        assert log_height == 1


async def test_below_60_columns_or_16_rows_there_are_loss_and_status() -> None:
    async with lab(size=(50, 14)) as driven:
        await driven.step_to(2)
        assert [name for name in ALL if driven.is_seen(name)] == ["loss"]
        assert "paused" in driven.status


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (300, 100), (60, 16), (100, 3), (3, 100)])
async def test_it_runs_at_any_size(size: tuple[int, int]) -> None:
    async with lab(size=size) as driven:
        await driven.press("e", "o", "1", "y", "tab", "enter", "left")
        await driven.until(lambda: driven.trainer.snapshot().epoch == 1)


async def test_a_storm_of_sizes_while_it_plays_does_no_harm() -> None:
    generator = random.Random(5)
    async with lab(epochs=FOREVER) as driven:
        await play_at_max(driven)
        for _ in range(40):
            await driven.resize(generator.randint(1, 250), generator.randint(1, 80))
        await driven.resize(120, 36)
        await driven.tap("space")
        await driven.until(lambda: "paused" in driven.status)
        await driven.until(lambda: all(map(driven.is_seen, ALL)))
        assert len(driven.text.split("\n")) == 36


# Help, palette, the end


@pytest.mark.parametrize("key", ["escape", "question_mark", "q", "f1"])
async def test_the_help_opens_and_closes(key: str) -> None:
    async with lab() as driven:
        await driven.press("question_mark")
        assert isinstance(driven.app.screen, HelpScreen)
        assert "Back to the start" in driven.text
        await driven.press(key)
        assert not isinstance(driven.app.screen, HelpScreen)
        assert driven.app.return_code is None


@pytest.mark.parametrize("over_help", [False, True])
async def test_a_command_is_run_from_the_palette(over_help: bool) -> None:
    async with lab() as driven:
        if over_help:
            await driven.press("question_mark")
        await driven.press("ctrl+p", *"one epoch")
        await driven.pilot.pause()
        await driven.press("enter")
        await driven.until(lambda: driven.is_at(1))


async def test_every_command_of_the_palette_can_be_run() -> None:
    async with lab(epochs=5) as driven:
        hits = [hit async for hit in KeymapCommands(driven.screen).discover()]
        for hit, command in zip(hits, COMMANDS, strict=False):  # behind them is what else one can type
            if command.id != "quit":
                await hit.command()
                await driven.pilot.pause(0)
        assert driven.app.is_running


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_q_quits(key: str) -> None:
    async with lab(epochs=FOREVER) as driven:
        await play_at_max(driven)
        await driven.tap(key)
        await until(driven.pilot, lambda: not driven.app.is_running)
        assert driven.app.return_code == 0


# Fields


async def test_in_a_field_keys_type() -> None:
    async with lab() as driven:
        await driven.write("features", "q1 r?.")
        assert driven.screen.query_one("#features", Input).value == "q1 r?."
        assert driven.app.is_running
        await driven.press("escape")
        assert driven.screen.query_one("#features", Input).value == ""
        assert driven.app.focused is None


async def test_the_learning_rate_can_be_typed_in_mid_run() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.write("lr", "0.05")
        await driven.press("enter")
        await driven.until(lambda: loss_marks(driven) == 1)
        assert driven.log[-1] == "▾ lr 0.01 → 0.05 from update 7"
        assert driven.is_at(2)


async def test_the_batch_size_can_be_typed_in_mid_run() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.write("batch_size", "full")
        await driven.press("enter")
        await driven.until(lambda: "▾ batch size 1 → full from update 7" in driven.log)
        await driven.press("escape", "e")
        await driven.until(lambda: re.search(r"updates +7\b", driven.status))


@pytest.mark.parametrize(
    ("setting", "value", "sign"),
    [("problem", "affine", "affine · tutorial"), ("data", "faithful", "linear · faithful")],
)
async def test_another_problem_or_other_data_begin_a_new_run(setting: str, value: str, sign: str) -> None:
    async with lab(lr=0.0001) as driven:
        await driven.step_to(3)
        driven.screen.query_one(f"#{setting}", Select).value = value
        await driven.until(lambda: sign in driven.status)
        assert driven.is_at(0)
        assert "○ ready" in driven.status


async def test_another_seed_begins_a_new_run() -> None:
    async with lab(order="shuffle") as driven:
        await driven.step_to(2)
        await driven.write("seed", "7")
        await driven.press("enter")
        await driven.until(lambda: driven.is_at(0))
        assert driven.experiment.seed == 7


async def test_another_problem_while_it_plays_at_max_leaves_nothing_of_the_old_run() -> None:
    async with lab(epochs=FOREVER) as driven:
        await play_at_max(driven)
        driven.screen.query_one("#data", Select).value = "faithful"
        await driven.until(lambda: "faithful" in driven.status and "ready" in driven.status)
        lines = len(driven.log)
        assert driven.pane("samples").endswith("272 samples")
        await driven.press("tab")
        assert len(driven.log) == lines
        assert driven.trainer.snapshot().updates == 0


async def test_r_while_it_plays_at_max_goes_back_to_the_start() -> None:
    async with lab(epochs=FOREVER) as driven:
        await play_at_max(driven)
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


async def test_a_field_that_is_wrong_is_given_up_with_escape() -> None:
    async with lab() as driven:
        await driven.write("lr", "-1")
        assert "✗ learning rate must be" in driven.text
        await driven.press("escape")
        assert "✗" not in driven.text
        assert driven.experiment.lr == 0.01


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
async def test_a_hundred_random_keys_do_no_harm(seed: int, size: tuple[int, int]) -> None:
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
