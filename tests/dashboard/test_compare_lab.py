"""Comparing runs in the lab, by key: p, P, d, x, f, the chart's cursor, and the pane of runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from labs import lab, moment

from gdtui.dashboard.figures import figure
from gdtui.dashboard.pins import LOOKS, Pin
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.runs import EMPTY
from gdtui.preferences import SPEEDS

if TYPE_CHECKING:
    from labs import Lab

SIZES = [(80, 24), (120, 36)]
MARKS = "".join(look.mark for look in LOOKS)


async def run_to_the_end(driven: Lab) -> None:
    driven.player.change_speed(len(SPEEDS))
    await driven.tap("space")
    await driven.until(lambda: re.search("finished|diverged|converged", driven.status))


async def restart(driven: Lab, setting: str, text: str) -> None:
    await driven.press("r")
    await driven.until(lambda: driven.is_at(0))
    if not driven.is_seen("experiment"):
        await driven.press("1")
    await driven.write(setting, text)
    await driven.press("enter", "escape", "escape", "escape")
    await driven.pilot.pause()


async def gd_then_sgd(driven: Lab) -> None:
    """The full batch, pinned; then batches of one."""
    await run_to_the_end(driven)
    await driven.press("p")
    await restart(driven, "batch_size", "1")
    await run_to_the_end(driven)


def marks_on_the_chart(driven: Lab) -> set[str]:
    chart = driven.screen.query_one("#loss", Chart)
    return {c for y in range(chart.size.height) for c in chart.render_line(y).text} & set(f"●{MARKS}")


def losses(batch_size: int | str) -> list[float]:
    return moment(epoch=30, epochs=30, batch_size=batch_size).history.rows[:, 4].tolist()


@pytest.mark.parametrize("size", SIZES)
async def test_a_pinned_run_stays_on_the_chart_with_what_differs_in_the_pane_and_d_shows_ratios_or_differences(
    size: tuple[int, int],
) -> None:
    async with lab(size, batch_size="full", epochs=30) as driven:
        await gd_then_sgd(driven)
        assert marks_on_the_chart(driven) == {"●", "■"}
        if not driven.is_seen("runs"):
            await driven.press("6")
        lines = [[word for word in line if word not in ("finished", "epoch", "30")] for line in driven.runs if line]
        assert lines == [["●", "now", "b=1", figure(losses(1)[-1])], ["■", "b=full", figure(losses("full")[-1])]]
        await driven.press("escape")
        seen = []
        for key in "dyxydd":
            await driven.press(key)
            seen.append(driven.pane("loss"))
        assert seen == [
            "ratio to now · epochs",
            "difference to now · epochs",
            "difference to now · updates",
            "ratio to now · updates",
            "log y · updates",
            "ratio to now · updates",
        ]
        await driven.press("P")
        assert driven.pane("loss") == "log y · updates"


async def test_before_anything_is_pinned_the_pane_says_what_to_press_and_leaves_the_fields_their_room() -> None:
    async with lab() as driven:
        assert driven.runs == [["p", *EMPTY.split()]]
        fields = driven.screen.query_one("#experiment")
        assert fields.max_scroll_y == 0
        await driven.press("p")
        await driven.step_to(1)
        await driven.press("f")
        await driven.step_to(2)
        await driven.press("f")
        assert len(driven.runs) == 3
        assert fields.max_scroll_y == 0


async def test_p_pins_then_pins_anew_then_unpins() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.press("p")
        early = driven.trainer.snapshot().loss
        await driven.step_to(4)
        assert driven.runs[1] == ["■", "same", "to", "epoch", "2", figure(early)]
        await driven.press("p")
        assert driven.runs[1] == ["■", "same", "to", "epoch", "4", figure(driven.trainer.snapshot().loss)]
        await driven.press("p")
        assert driven.runs == [["p", *EMPTY.split()]]
        assert marks_on_the_chart(driven) == set()
        events = [line for line in driven.log if "■" in line]
        assert events == ["■ pinned as it is at epoch 2", "■ pinned anew as it is at epoch 4", "■ unpinned"]


async def test_pins_stay_through_reset_changes_and_other_problems_until_all_are_unpinned() -> None:
    async with lab(epochs=10) as driven:
        for setting, text in (("seed", "1"), ("lr", "0.02"), ("init", "0.5"), ("target", "y")):
            await run_to_the_end(driven)
            await driven.press("p")
            await restart(driven, setting, text)
        assert [line[0] for line in driven.runs] == ["●", *MARKS[:4]]
        driven.screen.query_one("#problem").value = "affine"
        await driven.until(lambda: driven.experiment.problem == "affine")
        await driven.pilot.pause()
        assert [line[0] for line in driven.runs] == ["●", *MARKS[:4]]
        assert driven.runs[1][1] == "linear"
        await driven.press("P")
        assert driven.runs == [["p", *EMPTY.split()]]


async def test_keys_of_one_burst_pin_the_moment_that_they_ask_for() -> None:
    async with lab() as driven:
        await driven.tap("e", "e", "p", "e", "d")
        await driven.until(lambda: driven.is_at(3) and "ratio" in driven.pane("loss"))
        assert "■ pinned as it is at epoch 2" in driven.log


async def test_a_fork_pins_the_run_forked_from_with_what_lies_ahead_of_it() -> None:
    async with lab(epochs=12) as driven:
        await run_to_the_end(driven)
        await driven.press("left_curly_bracket", "f", "plus")
        await driven.step_to(3)
        end = moment(epoch=12, epochs=12).loss
        assert driven.runs[1] == ["■", "lr", "0.01", figure(end)]


async def test_a_change_after_a_rewind_is_another_run_and_leaves_the_pinned_one_alone() -> None:
    async with lab(epochs=12) as driven:
        await run_to_the_end(driven)
        await driven.press("p")
        pinned = driven.runs[1][-1]
        await driven.press("left_curly_bracket", "plus")
        await driven.step_to(3)
        await driven.press("p")
        assert [line[0] for line in driven.runs] == ["●", "■", "▲"]
        assert driven.runs[1][-1] == pinned


async def test_a_rewound_run_is_pinned_as_far_as_it_has_come() -> None:
    async with lab(epochs=12) as driven:
        await driven.step_to(5)
        await driven.press("plus")
        await driven.step_to(7)
        end = driven.trainer.snapshot().loss
        await driven.press(*["left_square_bracket"] * 5, "p")
        assert driven.runs[0][:4] == ["●", "now", "lr", "0.01"]
        assert driven.runs[1] == ["■", "lr", "0.0125", figure(end)]


# The cursor


async def test_the_cursor_reads_every_run_at_its_x_and_in_the_difference_view_ratios() -> None:
    async with lab(batch_size="full", epochs=30) as driven:
        await gd_then_sgd(driven)
        gd, sgd = losses("full"), losses(1)
        driven.screen.query_one("#loss").focus()
        await driven.press("left")
        assert driven.pane("loss") == f"epochs 30: loss {sgd[30]!r}"
        assert [line[-1] for line in driven.runs] == [figure(sgd[30]), figure(gd[30])]
        await driven.press("home")
        assert driven.pane("runs") == "loss at 0"
        assert [line[-1] for line in driven.runs] == ["4.6667", "4.6667"]
        await driven.press("x", "end")
        assert driven.pane("loss") == f"updates 90: loss {sgd[30]!r}"
        assert [line[-1] for line in driven.runs] == [figure(sgd[30]), "–"]
        await driven.press("escape")
        assert [line[-1] for line in driven.runs] == [figure(sgd[30]), figure(gd[30])]
        assert driven.pane("runs") == "loss"
        await driven.press("x", "x", "x", "d", "left")
        assert driven.pane("runs") == "ratio to now at 30"
        assert [line[-1] for line in driven.runs] == ["1.0", figure(gd[30] / sgd[30])]


async def test_where_there_is_no_pane_of_runs_the_charts_border_has_them_all() -> None:
    async with lab((80, 24), batch_size="full", epochs=30) as driven:
        await gd_then_sgd(driven)
        driven.screen.query_one("#loss").focus()
        await driven.press("left")
        assert driven.pane("loss") == f"epochs 30: ● {figure(losses(1)[30])}  ■ {figure(losses('full')[30])}"


async def test_at_every_size_what_the_cursor_reads_is_seen_in_whole() -> None:
    async with lab(epochs=30, play=True) as driven:
        driven.player.change_speed(len(SPEEDS))
        await driven.until(lambda: "finished" in driven.status)
        for width, height in ((80, 24), (104, 36), (120, 36), (62, 20), (40, 12)):
            await driven.resize(width, height)
            await driven.until(lambda size=(width, height): driven.screen.size == size)
            await driven.pilot.pause()
            driven.screen.query_one("#loss").focus()
            await driven.press("left")
            shown = driven.pane("loss")
            assert shown.startswith("epochs 30"), (width, height)
            assert shown in driven.text
            assert "…" not in shown
            await driven.press("escape")


# Differences


async def test_without_pins_d_says_to_pin_a_run_first() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.press("d")
        assert "pin one first (p)" in driven.log[-1]
        assert driven.pane("loss") == "log y · epochs"


# The pane


@pytest.mark.parametrize("key", ["p", "delete"])
@pytest.mark.parametrize("size", SIZES)
async def test_a_run_is_selected_in_the_pane_and_unpinned_there(size: tuple[int, int], key: str) -> None:
    async with lab(size) as driven:
        for epoch in (1, 2, 3):
            await driven.step_to(epoch)
            await driven.press("f")
        if not driven.is_seen("runs"):
            await driven.press("6")
        driven.screen.query_one("#runs").focus()
        await driven.press("down", "down")
        assert [line[0] for line in driven.runs if line] == ["●", "■", "▲▸same", "○"]
        await driven.press(key)
        assert [line[0] for line in driven.runs if line] == ["●", "■", "○▸same"]
        await driven.press("up", "up", "up", key)
        pinned = 1 if key == "p" else 0
        assert len([line for line in driven.runs if line]) == 3 + pinned


async def test_runs_can_be_pinned_from_elsewhere_by_a_name() -> None:
    async with lab() as driven:
        pin = Pin.of(moment(epoch=100, lr=0.02), "kept-7", "warm")
        assert driven.screen.pin(pin)
        await driven.pilot.pause()
        assert driven.runs[1] == ["■", "warm", figure(pin.loss)]
        for k in range(7):
            assert driven.screen.pin(Pin.of(moment(epoch=k), f"k{k}"))
        assert not driven.screen.pin(Pin.of(moment(), "too many"))
        assert driven.screen.pin(Pin.of(moment(epoch=50, lr=0.02), "kept-7", "warm"))
        await driven.pilot.pause()
        assert len(driven.runs) == 9


async def test_any_name_is_only_text_and_leaves_the_loss_in_sight() -> None:
    async with lab() as driven:
        for name in ("[red]x[/]", "\x1b[31m", "数据数据数据数据数据数据", "x" * 500, ""):
            pin = Pin.of(moment(epoch=100), "kept", name)
            driven.screen.pin(pin)
            await driven.pilot.pause()
            assert "\x1b" not in driven.text
            assert len(driven.runs) == 2
            assert driven.runs[1][-1] == figure(pin.loss), name


async def test_a_pane_that_shows_the_same_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await driven.press("p")
        pane = driven.screen.query_one("#runs")
        drawn: list[object] = []
        monkeypatch.setattr(pane, "refresh", lambda *regions, **_: drawn.append(regions))
        driven.screen.show_again()
        assert drawn == []
        await driven.step_to(3)
        assert drawn
