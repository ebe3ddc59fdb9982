"""The lab as a person meets it: every key, every pane, every size."""

from __future__ import annotations

import itertools
import random
import re
from typing import TYPE_CHECKING

import pytest
from labs import lab, until
from textual.widgets import Input

from gdtui.dashboard.commands import KeymapCommands
from gdtui.dashboard.keymap import OF_LAB
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.preferences import SPEEDS

if TYPE_CHECKING:
    pass

FOREVER = 10**9
MAX = len(SPEEDS) - 1
ALL = ("experiment", "loss", "samples", "landscape", "insight", "runs", "log")


# Descent


async def test_before_the_run_everything_is_there_and_says_what_to_press() -> None:
    async with lab() as driven:
        for word in ("1 Experiment", "2 Loss", "3 Samples", "7 Log", "○ ready", "space run", "? help", "q quit"):
            assert word in driven.text
        assert driven.log[0].startswith("space runs")
        assert driven.app.focused is None
        await driven.press("plus")
        await driven.until(lambda: "lr 0.0125" in driven.status)
        assert (driven.loss_marks, len(driven.log)) == (0, 1), "before the start a change is no event"


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


async def test_e_makes_one_epoch_and_a_shows_its_samples_as_applied_or_now() -> None:
    async with lab() as driven:
        await driven.press("e")
        await driven.until(lambda: driven.is_at(1))
        assert driven.log[-1] == "Epoch 1 w= 1.260688 loss= 2.5507170889386663"
        assert "as applied" in driven.pane("samples")
        applied = driven.samples
        await driven.press("a")
        assert driven.pane("samples").startswith("now")
        assert driven.samples != applied


async def test_r_goes_back_to_the_start_with_the_settings_of_now() -> None:
    async with lab() as driven:
        await driven.step_to(3)
        await driven.press("plus", "r")
        await driven.until(lambda: driven.is_at(0))
        assert "○ ready" in driven.status
        assert driven.experiment.lr == 0.0125
        assert (driven.log[-1], driven.loss_marks) == ("reset", 0)


async def test_plus_and_minus_scale_the_learning_rate_and_mark_it() -> None:
    async with lab() as driven:
        await driven.step_to(3)
        await driven.press("plus")
        await driven.until(lambda: driven.loss_marks == 1)
        assert driven.log[-1] == "▾ lr 0.01 → 0.0125 from update 10"
        assert "lr 0.0125" in driven.status
        assert driven.screen.query_one("#lr", Input).value == "0.0125"
        await driven.press("minus", "minus")
        assert driven.experiment.lr == 0.008


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


async def test_y_and_x_change_the_axes_and_the_charts_cursor_reads_exact_values() -> None:
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
        driven.screen.query_one("#loss").focus()
        await driven.press("left")
        assert driven.pane("loss") == f"epochs 2: loss {driven.trainer.snapshot().loss!r}"
        await driven.press("home")
        assert driven.pane("loss") == "epochs 0: loss 4.666666666666667"
        await driven.press("escape")
        assert driven.pane("loss") == "log y · epochs"


async def test_o_sorts_the_samples_and_capital_o_reverses_them() -> None:
    async with lab((160, 40)) as driven:
        await driven.press("o", "o", "o", "o")
        assert "sort loss" in driven.pane("samples")
        assert [row[0] for row in driven.samples[1:4]] == ["2", "1", "0"]
        await driven.press("O")
        assert [row[0] for row in driven.samples[1:4]] == ["0", "1", "2"]


# Panes


async def test_a_number_hides_its_pane_and_shows_it_again() -> None:
    panes = (("1", "experiment"), ("2", "loss"), ("3", "samples"), ("6", "runs"), ("7", "log"))
    async with lab() as driven:
        for epoch, (key, pane) in enumerate(panes, start=1):
            await driven.press(key)
            assert not driven.is_seen(pane), pane
            await driven.step_to(epoch)
            await driven.press(key)
            assert driven.is_seen(pane), pane
            await driven.until(lambda epoch=epoch: f"Epoch {epoch} w=" in driven.text)


async def test_what_ran_while_the_loss_was_hidden_or_zoomed_away_is_on_it() -> None:
    async with lab() as driven:
        await driven.press("2")
        await driven.step_to(2)
        await driven.press("2")
        driven.screen.query_one("#loss").focus()
        await driven.press("left")
        assert driven.pane("loss").startswith("epochs 2:")
        await driven.press("escape")
        driven.screen.query_one("#log").focus()
        await driven.press("enter")
        await driven.step_to(4)
        await driven.press("enter")
        driven.screen.query_one("#loss").focus()
        await driven.press("left")
        assert driven.pane("loss").startswith("epochs 4:")


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


async def test_on_a_narrow_terminal_a_pane_of_the_side_takes_all_of_it() -> None:
    async with lab((80, 24)) as driven:
        before = list(map(driven.is_seen, ALL))
        for back in ("5", "escape"):
            for key, pane in (("4", "landscape"), ("6", "runs"), ("5", "insight")):
                await driven.press(key)
                assert [name for name in ALL if driven.is_seen(name)] == [pane]
                assert driven.screen.query_one(f"#{pane}").region.size == (80, 22)
            await driven.press(back)
            assert list(map(driven.is_seen, ALL)) == before, back


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
        await driven.play_at_max()
        for _ in range(40):
            await driven.resize(generator.randint(1, 250), generator.randint(1, 80))
        await driven.resize(120, 36)
        await driven.tap("space")
        await driven.until(lambda: "paused" in driven.status)
        await driven.until(lambda: all(map(driven.is_seen, ALL)))
        assert len(driven.text.split("\n")) == 36


# Help, palette, the end


async def test_the_help_opens_and_closes() -> None:
    async with lab() as driven:
        for key in ("escape", "question_mark", "q", "f1"):
            await driven.press("question_mark")
            assert isinstance(driven.app.screen, HelpScreen)
            assert "Back to the start" in driven.text
            await driven.press(key)
            assert not isinstance(driven.app.screen, HelpScreen), key
            assert driven.app.return_code is None


async def test_a_command_is_run_from_the_palette_also_over_the_help() -> None:
    async with lab() as driven:
        for epoch, keys in ((1, ()), (2, ("question_mark",))):
            await driven.press(*keys, "ctrl+p", *"one epoch")
            await driven.pilot.pause()
            await driven.press("enter")
            await driven.until(lambda epoch=epoch: driven.is_at(epoch))


async def test_every_command_of_the_palette_can_be_run() -> None:
    async with lab(epochs=5) as driven:
        hits = [hit async for hit in KeymapCommands(driven.screen).discover()]
        for hit, command in zip(hits, OF_LAB, strict=False):  # behind them is what else one can type
            if command.id != "quit":
                await hit.command()
                await driven.pilot.pause(0)
        assert driven.app.is_running


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_q_quits(key: str) -> None:
    async with lab(epochs=FOREVER) as driven:
        await driven.play_at_max()
        await driven.tap(key)
        await until(driven.pilot, lambda: not driven.app.is_running)
        assert driven.app.return_code == 0
