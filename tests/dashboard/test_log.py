"""The log: what it keeps, where it stands, what it says."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from labs import moment, problem_of
from textual.app import App, ComposeResult

from gdtui.dashboard.widgets import log as module
from gdtui.dashboard.widgets.lines import GRACE_S, REPAINT_S
from gdtui.dashboard.widgets.log import KEPT, SHOWN_VISITS, Log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot


SOON_S = 2 * (REPAINT_S + GRACE_S)


class Page(App[None]):
    CSS = "Log { border: round white; height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield Log()


@asynccontextmanager
async def page(size: tuple[int, int] = (60, 8)) -> AsyncIterator[tuple[Pilot[None], Log]]:
    async with Page().run_test(size=size) as pilot:
        log = pilot.app.query_one(Log)
        log.focus()
        await pilot.pause()
        yield pilot, log


def lines(log: Log) -> list[str]:
    return [log.render_line(y).text.rstrip() for y in range(log.size.height)]


async def test_the_newest_line_is_in_sight() -> None:
    async with page() as (pilot, log):
        for i in range(50):
            log.say(f"line {i}")
        await pilot.pause(SOON_S)
        assert lines(log) == [f"line {i}" for i in range(44, 50)]


async def test_what_happens_is_seen_at_once_and_line_after_line_a_few_at_a_time() -> None:
    async with page() as (pilot, log):
        log.say("first")
        log.say("second")
        await pilot.pause(SOON_S)
        assert lines(log)[:3] == ["first", "second", ""]
        log.say("third")
        log.say("fourth")
        assert "fourth" not in lines(log)
        log.say("lr 1 → 2", "event")
        assert lines(log)[:5] == ["first", "second", "third", "fourth", "lr 1 → 2"]


async def test_a_long_run_keeps_a_bounded_log() -> None:
    async with page() as (_, log):
        for i in range(KEPT + 500):
            log.say(f"line {i}")
        assert len(log.entries) == KEPT
        assert log.entries[-1] == f"line {KEPT + 499}"


async def test_what_one_scrolled_back_to_stays_where_it_is() -> None:
    async with page() as (pilot, log):
        for i in range(50):
            log.say(f"line {i}")
        await pilot.press("up", "up", "pageup")
        seen = lines(log)
        for i in range(50, 70):
            log.say(f"line {i}")
        assert lines(log) == seen == [f"line {i}" for i in range(37, 43)]


async def test_end_comes_back_to_the_newest_line() -> None:
    async with page() as (pilot, log):
        for i in range(50):
            log.say(f"line {i}")
        await pilot.press("home")
        assert lines(log)[0] == "line 0"
        assert log.border_subtitle == "44 newer · end: live"
        await pilot.press("end")
        assert lines(log)[-1] == "line 49"
        assert log.border_subtitle == "live"


async def test_whoever_reads_the_oldest_line_is_not_left_with_nothing_when_it_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEPT", 50)
    async with page() as (pilot, log):
        for i in range(50):
            log.say(f"line {i}")
        await pilot.press("home")
        for i in range(150):
            log.say(f"more {i}")
        await pilot.pause(SOON_S)
        assert lines(log) == [f"more {i}" for i in range(100, 106)]
        await pilot.press("down")
        assert lines(log)[0] == "more 101"


@pytest.mark.parametrize("text", ["[red]x[/]", "[/", "[@click=app.bell]", "a[0] {b} \\[c]"])
async def test_markup_is_shown_as_it_is(text: str) -> None:
    async with page() as (_, log):
        log.say(text)
        assert lines(log)[0] == text


async def test_what_a_terminal_would_obey_is_written_out() -> None:
    async with page() as (_, log):
        log.say("\x1b[31m\nred")
        assert lines(log)[0] == r"\x1b[31m\nred"


async def test_an_epochs_line_has_all_digits_and_wraps_between_numbers() -> None:
    snapshot = moment(problem_of([[1, 2], [0, 1]], [1, 0.3]), epoch=7)
    async with page() as (pilot, log):
        log.say_epoch(snapshot)
        numbers = [str(value) for value in (*snapshot.theta.tolist(), snapshot.loss)]
        for width in (80, 50, 30):
            await pilot.resize_terminal(width, 8)
            assert re.findall(r"= (\S+)", " ".join(lines(log))) == numbers


async def test_an_update_says_each_visits_gradient() -> None:
    async with page() as (_, log):
        log.say_update(moment(update=1))
        assert log.entries == ("    grad 1.0 2.0 -2.0",)


async def test_a_large_batch_is_one_line() -> None:
    many = SHOWN_VISITS + 1
    async with page() as (_, log):
        log.say_update(moment(problem_of(range(many), range(many)), update=1, batch_size="full"))
        assert log.entries == (f"    update 1: a batch of {many}",)


async def test_what_was_said_before_the_pane_had_a_size_is_there() -> None:
    async with Page().run_test(size=(60, 8)) as pilot:
        log = pilot.app.query_one(Log)
        log.display = False
        await pilot.pause()
        log.say("hidden")
        log.display = True
        await pilot.pause()
        assert lines(log)[0] == "hidden"
