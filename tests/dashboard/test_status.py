"""The status line and the line of keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from labs import moment
from textual.app import App, ComposeResult

from gdtui.dashboard.widgets.status import SYMBOLS, KeyBar, Status
from gdtui.descent.snapshot import State
from gdtui.experiment import Experiment


class Lines(App[None]):
    def compose(self) -> ComposeResult:
        yield Status()
        yield KeyBar()


def text(app: App[None]) -> str:
    return app.query_one(Status).render().plain


async def test_the_line_says_what_runs_and_where_it_is() -> None:
    async with Lines().run_test(size=(130, 3)) as pilot:
        snapshot = moment(epoch=42)
        pilot.app.query_one(Status).show(snapshot.experiment, snapshot, "running", "10 epochs/s")
        words = text(pilot.app).split()
        assert words[:7] == ["gdtui", "linear", "·", "tutorial", "·", "sgd", "b=1"]
        for word in ("●", "running", "42/100", "126", "10", "epochs/s"):
            assert word in words


async def test_at_every_width_the_line_fits_and_its_numbers_are_whole() -> None:
    async with Lines().run_test(size=(130, 3)) as pilot:
        snapshot = moment(epoch=42)
        pilot.app.query_one(Status).show(snapshot.experiment, snapshot, "paused", "10 epochs/s")
        whole = set(text(pilot.app).split())
        for width in (30, 40, *range(50, 130, 4)):
            await pilot.resize_terminal(width, 3)
            assert len(text(pilot.app)) <= width - 2
            assert set(text(pilot.app).split()) <= whole


async def test_the_numbers_keep_their_places_from_epoch_to_epoch() -> None:
    async with Lines().run_test(size=(130, 3)) as pilot:
        places = set()
        for epoch in (0, 1, 9, 33):
            snapshot = moment(epoch=epoch)
            pilot.app.query_one(Status).show(snapshot.experiment, snapshot, "running", "10 epochs/s")
            line = text(pilot.app)
            places.add((line.index("● running"), line.index("/100"), line.index("loss"), line.index("updates")))
        assert len(places) == 1


async def test_in_the_midst_of_an_epoch_it_says_how_far() -> None:
    async with Lines().run_test(size=(130, 3)) as pilot:
        snapshot = moment(update=4)
        pilot.app.query_one(Status).show(snapshot.experiment, snapshot, "paused", "")
        assert "1/100 33 %" in text(pilot.app)


async def test_every_state_has_a_mark_of_its_own() -> None:
    states = {str(state) for state in State} | {"loading", "watching", "held"}
    assert set(SYMBOLS) == states
    assert len(set(SYMBOLS.values())) == len(states) - 1  # a watched run that is held looks paused


@pytest.mark.parametrize("name", ["[red]x[/].csv", "[/", "\x1b[31m.csv", "数据数据数据数据数据.csv", "x" * 500])
async def test_any_name_of_data_leaves_one_line_that_fits(name: str) -> None:
    async with Lines().run_test(size=(120, 3)) as pilot:
        snapshot, status = moment(epoch=1), pilot.app.query_one(Status)
        status.show(replace(snapshot.experiment, data=f"/data/{name}"), snapshot, "paused", "10 epochs/s")
        rendered = status.render()
        assert rendered.plain.isprintable()
        assert rendered.cell_len <= 118
        assert "paused" in rendered.plain


async def test_a_name_with_markup_is_shown_as_it_is() -> None:
    async with Lines().run_test(size=(120, 3)) as pilot:
        status = pilot.app.query_one(Status)
        status.show(Experiment(data="[red]x[/red]"), None, "loading", "")
        assert "red]" in text(pilot.app)


async def test_help_and_quit_are_in_the_key_bar_at_every_width() -> None:
    async with Lines().run_test(size=(130, 3)) as pilot:
        bar = pilot.app.query_one(KeyBar)
        for width in range(20, 200, 15):
            await pilot.resize_terminal(width, 3)
            rendered = bar.render().plain
            assert rendered.rstrip().endswith("? help  q quit")
            assert len(rendered.rstrip()) <= width - 2


async def test_space_pauses_what_plays() -> None:
    async with Lines().run_test(size=(130, 3)) as pilot:
        bar = pilot.app.query_one(KeyBar)
        assert bar.render().plain.startswith("space run ")
        bar.show("running")
        assert bar.render().plain.startswith("space pause ")
