"""The training screen: it shows what a program tells, as it tells it; and asks it for what a person wants."""

from __future__ import annotations

import pytest
from labs import moment, rows_of
from trainings import points, probe, training, watched

from gdtui.dashboard.curves import XAxis
from gdtui.dashboard.pins import Pin
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.values import Values, sparkline
from gdtui.descent.snapshot import Event
from gdtui.training.training import Training


def seen(here) -> str:
    """All that is on the screen, as text."""
    return "\n".join(rows_of(here.app))


async def test_what_it_has_told_is_on_the_screen() -> None:
    now = training(moment=probe(), moments=(50,), lines=((0, "hello from the loop"),))
    async with watched(now) as here:
        text = seen(here)
        for part in ("cnn", "batch_size", "64", "val_loss", "accuracy", "2 Values", "4 Gradients", "watching"):
            assert part in text
        assert "hello from the loop" in text
        assert "loss · log y · steps" in text
        assert here.screen.query_one("#loss", Chart).plot.series[0].name == "loss"


async def test_it_goes_on_as_the_program_does() -> None:
    async with watched(training(5)) as here:
        curves = {"loss": points([1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125])}
        await here.tell(curves=curves, lines=((0, "first"), (1, "second")), events=(Event(6, 0.6, "lr", 0.1, 0.05),))
        assert here.screen.query_one("#loss", Chart).plot.series[0].y[-1] == 0.03125
        entries = here.screen.query_one(Log).entries
        assert [entry for entry in entries if entry in ("first", "second")] == ["first", "second"]
        assert any("lr 0.1 → 0.05 from step 7" in entry for entry in entries)
        await here.tell(lines=((0, "first"), (1, "second"), (2, "third")))
        assert [e for e in here.screen.query_one(Log).entries if e in ("first", "second", "third")][-1] == "third"
        await here.tell(state="interrupted", reason="its process ended")
        assert "interrupted its process ended" in here.screen.query_one(Log).entries
        assert "interrupted" in seen(here)


async def test_values_are_chosen_with_v_and_with_the_arrows() -> None:
    async with watched(training()) as here:
        await here.pilot.press("v")
        assert here.screen.value == "val_loss"
        await here.pilot.press("V", "V")
        assert here.screen.value == "accuracy"
        assert "accuracy · linear y" in seen(here)
        here.screen.set_focus(here.screen.query_one(Values))
        await here.pilot.press("up", "up")
        await here.until(lambda: here.screen.value == "val_loss")


async def test_axes_go_round_and_y_turns_for_one_value() -> None:
    async with watched(training()) as here:
        await here.pilot.press("x")
        assert "· epochs" in seen(here)
        assert here.screen.query_one("#loss", Chart).plot.series[0].x[-1] == 6.0
        await here.pilot.press("x", "x", "y")
        assert "loss · linear y · steps" in seen(here)
        await here.pilot.press("v", "y")
        assert "val_loss · linear y" in seen(here)


async def test_a_second_value_stands_below_and_goes() -> None:
    async with watched(training()) as here:
        overlay = here.screen.query_one("#overlay", Chart)
        await here.pilot.press("i")
        await here.pilot.pause()
        assert overlay.plot.series[0].name == "lr"  # val_loss is above already
        assert overlay.display
        await here.pilot.press("i", "i")
        await here.pilot.pause()
        assert not overlay.display


async def test_space_holds_the_picture_and_lets_it_go() -> None:
    async with watched(training(5)) as here:
        await here.pilot.press("space")
        assert "held" in seen(here)
        looks = here.followed.looks
        here.followed.now = training(9)
        await here.until(lambda: here.followed.looks > looks + 1)
        assert len(here.screen.training.curves["loss"]) == 5
        await here.pilot.press("space")
        assert len(here.screen.training.curves["loss"]) == 9
        assert not here.followed.asked


async def test_a_loop_that_asks_is_asked() -> None:
    async with watched(training(is_controlled=True)) as here:
        assert any("its loop asks" in entry for entry in here.screen.query_one(Log).entries)
        await here.pilot.press("space")
        await here.until(lambda: here.followed.asked == [("pause", None)])
        await here.tell(state="paused")
        await here.pilot.press("space", "plus", "minus")
        await here.until(lambda: len(here.followed.asked) == 4)
        assert here.followed.asked[1:] == [("go-on", None), ("lr", 0.125), ("lr", 0.08)]
        await here.pilot.press("X")
        assert "once more" in here.screen.query_one(Log).entries[-1]
        assert len(here.followed.asked) == 4
        await here.pilot.press("X")
        await here.until(lambda: here.followed.asked[-1] == ("stop", None))


async def test_one_that_does_not_ask_says_so() -> None:
    async with watched(training()) as here:
        await here.pilot.press("plus")
        await here.until(lambda: "its loop does not ask" in here.screen.query_one(Log).entries)


async def test_probes_can_be_gone_back_to() -> None:
    probes = {step: probe(step, seed=step) for step in (10, 20, 30)}
    now = training(moment=probes[30], moments=(10, 20, 30))
    async with watched(now, probes=probes) as here:
        await here.pilot.press("left_square_bracket")
        await here.until(lambda: "◂ samples at step 20, probe 2 of 3" in here.screen.query_one(Log).entries)
        # A newer one comes: what is looked at stays.
        await here.tell(moment=probe(40), moments=(10, 20, 30, 40))
        await here.pilot.press("left_curly_bracket")
        await here.until(lambda: "◂ samples at step 10, probe 1 of 4" in here.screen.query_one(Log).entries)
        here.followed.probes[40] = here.followed.now.moment
        await here.pilot.press("right_curly_bracket")
        await here.until(lambda: "◂ samples at step 40, probe the newest" in here.screen.query_one(Log).entries)


async def test_samples_are_sorted_and_filtered() -> None:
    async with watched(training(moment=probe(), moments=(50,))) as here:
        samples = here.screen.query_one(Samples)
        await here.pilot.press("o", "o", "o")
        assert "sort" in str(samples.border_subtitle)
        await here.pilot.press("slash", *"label=a", "enter")
        await here.pilot.pause()
        assert "4/12" in str(samples.border_subtitle)


async def test_without_probes_a_person_is_told_what_brings_them() -> None:
    async with watched(training()) as here:
        await here.pilot.press("left_square_bracket")
        assert "it has told nothing of its samples yet" in here.screen.query_one(Log).entries
        assert "gdtui.torch" in seen(here)


async def test_a_training_that_is_gone_is_said_and_stays_on_the_screen() -> None:
    async with watched(training()) as here:
        here.followed.error = "run 1a is not kept any more"
        await here.until(lambda: here.followed.error in here.screen.query_one(Log).entries)
        looks = here.followed.looks
        await here.pilot.pause(0.6)
        assert here.followed.looks == looks
        assert "val_loss" in seen(here)


async def test_pins_lie_beside_it() -> None:
    async with watched(training(5)) as here:
        await here.pilot.press("p")
        await here.tell(curves=training(9).curves, values=36)
        plot = here.screen.query_one("#loss", Chart).plot
        assert [len(one.x) for one in plot.series] == [9, 9, 5]
        assert "at step 5" in seen(here)
        await here.pilot.press("d")
        assert "against now" in seen(here)
        await here.pilot.press("P")
        assert len(here.screen.query_one("#loss", Chart).plot.series) == 2


async def test_pinned_runs_are_compared_by_the_value_that_is_charted() -> None:
    async with watched(training(5)) as here:
        await here.pilot.press("p")
        own = Pin.of(moment(epoch=3), "own", "descent")
        assert here.screen.pin(own)
        await here.tell(curves=training(9).curves, values=36)
        here.screen.choose("accuracy")
        series = here.screen.query_one("#loss", Chart).plot.series
        assert series[1].y.tolist() == training(5).curves["accuracy"][:, -1].tolist()
        assert len(series[2].x) == 0  # a descent has no such value
        here.screen.choose("loss")
        series = here.screen.query_one("#loss", Chart).plot.series
        assert series[2].y.tolist() == training(5).curves["loss"][:, -1].tolist()
        assert series[3].y[-1] == own.loss


async def test_the_runs_say_how_far_each_has_come() -> None:
    async with watched(training(30), size=(160, 36)) as here:
        await here.pilot.press("p", "6")
        here.screen.set_focus(here.screen.query_one("#runs"))
        await here.pilot.press("6", "enter")
        await here.pilot.pause()
        lines = [line for line in seen(here).splitlines() if "epoch" in line and "│" in line]
        assert len(lines) == 2
        assert all("epoch 3 " in line for line in lines)


async def test_one_that_has_ended_is_neither_held_nor_stopped() -> None:
    async with watched(training(state="finished")) as here:
        log = here.screen.query_one(Log)
        await here.pilot.press("space")
        assert "finished" in rows_of(here.app)[0]
        assert log.entries[-1] == "it has ended: there is nothing to hold"
        await here.pilot.press("X")
        assert log.entries[-1] == "it has ended already"


async def test_the_keys_say_what_space_does() -> None:
    async with watched(training()) as here:
        assert "space hold" in rows_of(here.app)[-1]
        await here.tell(is_controlled=True)
        assert "space pause" in rows_of(here.app)[-1]
        await here.tell(state="paused")
        assert "space go on" in rows_of(here.app)[-1]


async def test_how_fast_it_goes_has_room_before_its_config() -> None:
    config = tuple((f"setting {k}", "a long value of it") for k in range(5))
    async with watched(training(config=config)) as here:
        assert "steps/s" in rows_of(here.app)[0]
        assert "cnn" in rows_of(here.app)[0]


async def test_what_is_waited_for_is_said_where_nothing_is_known_yet() -> None:
    async with watched(Training("log.csv", notice="log.csv is not there yet"), size=(120, 36)) as here:
        here.screen.hidden = frozenset({"log"})
        here.screen.hide_unwanted()
        await here.pilot.pause()
        assert "log.csv is not there yet" in seen(here)


async def test_where_nothing_is_told_nothing_is_pinned_or_written_and_that_is_said() -> None:
    async with watched(Training("empty", state="finished")) as here:
        log = here.screen.query_one(Log)
        await here.pilot.press("p")
        assert log.entries[-1] == "it has told no value yet: there is nothing to pin"
        await here.pilot.press("w")
        assert log.entries[-1] == "there is nothing to write yet"


async def test_what_can_be_written_is_said_in_a_trainings_words() -> None:
    async with watched(training(moment=probe())) as here:
        await here.pilot.press("w")
        assert "a step a row" in seen(here)
        await here.pilot.press("tab")
        assert "the newest probe" in seen(here)


@pytest.mark.parametrize("size", [(200, 60), (120, 36), (80, 24), (60, 16), (30, 8), (10, 3)])
async def test_at_every_size_it_shows_something_and_takes_every_key(size: tuple[int, int]) -> None:
    async with watched(training(moment=probe(), moments=(50,)), size=size) as here:
        for key in ("v", "x", "y", "i", "o", "O", "p", "d", "1", "2", "3", "4", "5", "6", "7", "left_square_bracket"):
            await here.pilot.press(key)
        assert here.app.is_running
        assert seen(here).strip()


async def test_a_name_can_be_anything() -> None:
    strange = {
        "[bold]x": points([1.0]),
        "a\x1b[31m": points([float("nan")]),
        "": points([float("inf")]),
        "é" * 99: points([1e308, -1e308]),
    }
    lines, config = ((0, "[red]not markup[/]\x07"),), (("[b]", "\x1b[2J"),)
    now = training(curves=strange, lines=lines, config=config)
    async with watched(now) as here:
        for _ in strange:
            await here.pilot.press("v", "i")
        assert "[bold]x" in seen(here)
        assert "[red]not markup[/]" in seen(here)


async def test_one_who_leaves_follows_no_longer() -> None:
    async with watched(training()) as here:
        followed = here.followed
        await here.pilot.press("q")
    assert followed.is_closed


async def test_axes_of_which_nothing_is_known_are_left_out() -> None:
    bare = points([1.0, 2.0])
    bare[:, 1:3] = float("nan")
    async with watched(training(curves={"loss": bare})) as here:
        await here.pilot.press("x")
        assert here.screen._axis is XAxis.UPDATES


def test_a_small_curve_has_the_shape_of_the_large_one() -> None:
    assert sparkline([1.0, 2.0, 4.0], 3) == "▁▃█"
    assert sparkline([5.0] * 9, 4) == "▁▁▁▁"
    assert sparkline([1.0, float("nan"), 2.0], 4) == "▁ █ "
    assert sparkline([-1e308, 1e308], 2) == "▁█"
