"""Rewind, forward and fork, by key: what the screen shows of the way back and of the other ways."""

from __future__ import annotations

import re
from typing import Any

import pytest
from labs import lab, moment, trainer_of

from gdtui.dashboard.curves import AHEAD, XAxis, loss_plot
from gdtui.dashboard.figures import figure
from gdtui.dashboard.pins import LOOKS, Pin, Pins
from gdtui.descent.snapshot import Epoch
from gdtui.experiment import Experiment
from gdtui.preferences import SPEEDS
from gdtui.problems.loading import load_problem

FOREVER = 10**9
MAX = len(SPEEDS) - 1
BACK, ON = "left_square_bracket", "right_square_bracket"
BACK_10, ON_10 = "left_curly_bracket", "right_curly_bracket"


async def play_to_the_end(driven: Any) -> None:
    driven.player.change_speed(MAX)
    await driven.tap("space")
    await driven.until(lambda: re.search("finished|diverged|converged", driven.status))


def seen(driven: Any) -> tuple[str, list[list[str]]]:
    """What the screen says of a moment: the status line without its state, and the samples."""
    return driven.status.split("epoch", 1)[1], driven.samples


async def test_back_and_forward_show_the_same_numbers_again() -> None:
    async with lab(order="shuffle", seed=2, batch_size=2) as driven:
        moments = {}
        for epoch in range(1, 5):
            await driven.step_to(epoch)
            await driven.pilot.pause()
            moments[epoch] = seen(driven)
        for key, epoch in ((BACK, 3), (BACK, 2), (ON, 3), (BACK, 2), (BACK, 1), (ON, 2), (ON, 3), (ON, 4)):
            await driven.press(key)
            await driven.until(lambda epoch=epoch: driven.is_at(epoch))
            assert seen(driven) == moments[epoch]
        assert "◂ at epoch 2 of the 4 that were run" in driven.log


async def test_ten_epochs_at_a_time_and_no_farther_than_either_end() -> None:
    async with lab(epochs=25) as driven:
        await play_to_the_end(driven)
        for key, epoch in ((BACK_10, 15), (BACK_10, 5), (BACK_10, 0), (ON_10, 10), (ON_10, 20), (ON_10, 25)):
            await driven.press(key)
            assert driven.is_at(epoch), epoch
        assert "finished" in driven.status
        lines = len(driven.log)
        await driven.press(ON_10, ON)
        assert len(driven.log) == lines


async def test_a_thousand_epochs_are_rewound() -> None:
    async with lab(epochs=1000, lr=0.001) as driven:
        await play_to_the_end(driven)
        end = seen(driven)
        await driven.tap(*[BACK_10] * 12)
        await driven.until(lambda: driven.is_at(880))
        await driven.tap(*[ON_10] * 11, *[ON] * 10)
        await driven.until(lambda: driven.is_at(1000))
        assert seen(driven) == end


async def test_before_the_start_there_is_nowhere_to_go() -> None:
    async with lab() as driven:
        for key in (BACK, ON, BACK_10, ON_10, "f"):
            await driven.press(key)
            assert driven.is_at(0), key
            assert "○ ready" in driven.status
            assert len(driven.log) == 1, key


async def test_after_a_rewind_another_learning_rate_goes_another_way() -> None:
    async with lab(epochs=12) as driven:
        await play_to_the_end(driven)
        end = driven.trainer.snapshot().loss
        await driven.press(BACK_10, "plus")
        await driven.until(lambda: "▾ lr 0.01 → 0.0125 from update 7" in driven.log)
        assert driven.trainer.snapshot().farthest == 2
        await driven.press(ON)
        assert driven.is_at(2)
        await play_to_the_end(driven)
        assert driven.trainer.snapshot().loss < end


async def test_a_rewind_takes_the_settings_back_and_on_again() -> None:
    async with lab() as driven:
        await driven.step_to(3)
        await driven.press("plus")
        await driven.step_to(5)
        await driven.press(BACK, BACK, BACK)
        assert driven.experiment.lr == 0.01
        assert driven.screen.query_one("#lr").value == "0.01"
        await driven.press(ON, ON)
        assert driven.screen.query_one("#lr").value == "0.0125"


async def test_in_the_midst_of_an_epoch_forward_stays_where_it_is() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.press("full_stop", "full_stop", ON)
        assert re.search(r"updates +8\b", driven.status)
        await driven.press(BACK)
        assert driven.is_at(1)


@pytest.mark.parametrize("rungs", [0, MAX])
async def test_while_it_plays_a_rewind_pauses_it(rungs: int) -> None:
    async with lab(epochs=FOREVER) as driven:
        driven.player.change_speed(rungs)
        await driven.tap("space")
        await driven.until(lambda: re.search(r"running.*epoch +([3-9]|\d\d)", driven.status))
        await driven.tap(BACK)
        await driven.until(lambda: "paused" in driven.status and any("◂" in line for line in driven.log))
        snapshot = driven.trainer.snapshot()
        assert snapshot.farthest == snapshot.epoch + 1
        await driven.press("space")
        await driven.until(lambda: driven.trainer.snapshot().epoch > snapshot.epoch + 1)


@pytest.mark.parametrize("rungs", [0, MAX])
async def test_while_it_plays_a_fork_pauses_it_and_can_go_on(rungs: int) -> None:
    async with lab(epochs=FOREVER) as driven:
        driven.player.change_speed(rungs)
        await driven.tap("space")
        await driven.until(lambda: re.search(r"running.*epoch +[1-9]", driven.status))
        await driven.tap("f")
        await driven.until(lambda: any("forked at epoch" in line for line in driven.log))
        forked = driven.trainer.snapshot().updates
        await driven.tap("space")
        await driven.until(lambda: driven.trainer.snapshot().updates > forked)


async def test_a_fork_keeps_the_old_curve_and_leaves_its_end_behind() -> None:
    async with lab(epochs=12) as driven:
        await play_to_the_end(driven)
        end = driven.trainer.snapshot().loss
        await driven.press(BACK_10, "f", "minus")
        await play_to_the_end(driven)
        loss = driven.trainer.snapshot().loss
        assert loss > end
        assert driven.runs == [["●", "now", "lr", "0.008", figure(loss)], ["■", "lr", "0.01", figure(end)]]


async def test_forks_at_the_same_moment_pin_their_run_once() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.press("f", "f", "f")
        assert [line[0] for line in driven.runs] == ["●", "■"]


async def test_more_forks_than_places_are_made_and_the_last_are_not_pinned() -> None:
    async with lab() as driven:
        for epoch in range(1, 11):
            await driven.step_to(epoch)
            await driven.press("f")
        assert [line[0] for line in driven.runs] == ["●", *(look.mark for look in LOOKS)]
        assert sum("forked at epoch" in line for line in driven.log) == 10
        assert sum("pinned already" in line for line in driven.log) == 2


async def test_after_divergence_one_can_go_back_and_do_better() -> None:
    async with lab(lr=0.3, epochs=50) as driven:
        await play_to_the_end(driven)
        assert "diverged" in driven.status
        await driven.press(BACK)
        assert "paused" in driven.status
        await driven.press("f", *["minus"] * 14)
        await play_to_the_end(driven)
        assert "finished" in driven.status


async def test_a_fork_where_it_diverged_does_no_harm() -> None:
    async with lab(lr=0.3) as driven:
        await play_to_the_end(driven)
        await driven.press("f", "space", "e", ON, BACK)
        assert "paused" in driven.status


# What the chart is given


def pinned(snapshot: Any) -> Pins:
    return Pins().put(Pin.of(snapshot, "here"))


def test_what_lies_ahead_of_a_rewind_is_a_curve_of_its_own_from_there_on() -> None:
    trainer = trainer_of(epochs=9)
    trainer.advance()
    now, ahead = loss_plot(trainer.rewind(4), XAxis.EPOCHS, True, "#61afef").series
    assert now.x.tolist() == [0, 1, 2, 3, 4]
    assert ahead.x.tolist() == [4, 5, 6, 7, 8, 9]
    assert (now.y[-1], ahead.color) == (ahead.y[0], AHEAD)


@pytest.mark.parametrize("axis", XAxis)
def test_what_lies_ahead_of_a_long_plan_is_in_sight(axis: XAxis) -> None:
    trainer = trainer_of(epochs=FOREVER, lr=0.001)
    trainer.advance(until=Epoch(3000))
    plot = loss_plot(trainer.rewind(10), axis, True, "#61afef")
    assert plot.x_range is None or plot.x_range[1] >= plot.series[1].x[-1]


def test_a_curve_that_was_forked_from_is_in_sight_and_has_its_colour() -> None:
    trainer = trainer_of(epochs=FOREVER)
    trainer.advance(until=Epoch(150))
    plot = loss_plot(trainer_of(epochs=FOREVER).snapshot(), XAxis.EPOCHS, True, "#61afef", pinned(trainer.snapshot()))
    assert (plot.series[1].mark, plot.series[1].color) == LOOKS[0]
    assert plot.x_range == (0, 150)


def test_where_any_curve_goes_below_zero_the_axis_is_linear() -> None:
    saddle = load_problem(Experiment(problem="saddle", data="noise"))
    below, start = moment(saddle, epoch=5, lr=0.1), moment(saddle, lr=0.1)
    assert loss_plot(start, XAxis.EPOCHS, True, "#61afef").log_y
    assert not loss_plot(below, XAxis.EPOCHS, True, "#61afef").log_y
    assert not loss_plot(start, XAxis.EPOCHS, True, "#61afef", pinned(below)).log_y
