"""The landscape pane: what is drawn and where, what it says, what is sent, what it costs."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from labs import until
from textual.app import App, ComposeResult

from gdtui.dashboard.figures import figure
from gdtui.dashboard.widgets import scenery
from gdtui.dashboard.widgets.dots import Canvas
from gdtui.dashboard.widgets.inks import LEVELS, NO_SHADES
from gdtui.dashboard.widgets.landscape import Landscape
from gdtui.dashboard.widgets.steps import anatomy_lines
from gdtui.descent.snapshot import Epoch, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.anatomy import anatomy
from gdtui.insight.terrain import Slice, Terrain, terrain
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.geometry import Region
    from textual.pilot import Pilot

    from gdtui.insight.anatomy import Anatomy

HIMMELBLAU = {"problem": "himmelblau", "lr": 0.01, "batch_size": "full"}
MLP = {"problem": "mlp", "data": "moons", "lr": 0.1, "batch_size": "full"}
PANE, ZOOMED = (38, 12), (120, 36)
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[+-]?\d+)?|–")


def trainer(**settings: Any) -> Trainer:
    experiment = Experiment().replace(**settings)
    return Trainer(experiment, load_problem(experiment))


def seen(count: int, /, **settings: Any) -> Terrain:
    """A terrain after some epochs, each of which was drawn."""
    run = trainer(**settings)
    drawn = terrain(run.snapshot())
    for epoch in range(1, count + 1):
        drawn = terrain(run.advance(Epoch(epoch)), drawn)
    return drawn


def apart(update: int, **settings: Any) -> Anatomy:
    found = anatomy(trainer(**settings).advance(Update(update)))
    assert found is not None
    return found


class Pane(App[None]):
    CSS = "Landscape { border: round white; padding: 0 1; height: 1fr; }"
    AUTO_FOCUS = None

    def __init__(self, relief: str = "auto") -> None:
        super().__init__()
        self._relief = relief

    def compose(self) -> ComposeResult:
        yield Landscape(relief=self._relief)


@asynccontextmanager
async def pane(
    drawn: Terrain | None, size: tuple[int, int] = PANE, relief: str = "auto", apart: Anatomy | None = None
) -> AsyncIterator[tuple[Pilot[None], Landscape]]:
    async with Pane(relief).run_test(size=size) as pilot:
        await pilot.pause()
        widget = pilot.app.query_one(Landscape)
        widget.show(drawn, apart)
        await pilot.pause()
        yield pilot, widget


def lines(widget: Landscape) -> list[str]:
    return [widget.render_line(y).text for y in range(widget.size.height)]


def found(widget: Landscape, character: str) -> list[tuple[int, int]]:
    return [(y, x) for y, line in enumerate(lines(widget)) for x, c in enumerate(line) if c == character]


def said(widget: Landscape) -> str:
    return str(widget.border_subtitle)


def shade(widget: Landscape, y: int, x: int) -> float:
    """How bright a cell's ground is."""
    [segment] = widget.render_line(y).crop(x, x + 1)
    assert segment.style is not None
    assert segment.style.bgcolor is not None
    return sum(segment.style.bgcolor.get_truecolor())


# The canvas


def test_a_point_stands_on_the_curve_through_it() -> None:
    for columns, rows in ((31, 9), (8, 3), (90, 40)):
        for at in np.linspace(0, 1, 2 * columns):
            canvas = Canvas(columns, rows)
            canvas.curve(np.linspace(0, 1, 2 * columns) ** 2, 1)
            row, column = canvas.cell(at, at**2)
            assert chr(int(canvas._codes[row, column])) > "⠀"


def test_a_steep_curve_has_no_holes() -> None:
    canvas = Canvas(10, 12)
    canvas.curve(np.where(np.arange(20) < 9, 0.0, 1.0), 1)
    assert (canvas._codes != ord(" ")).any(axis=1).all()


def test_a_gap_is_a_gap() -> None:
    canvas = Canvas(10, 3)
    canvas.curve(np.where(np.abs(np.arange(20) - 10) < 4, np.nan, 0.5), 1)
    inked = (canvas._codes != ord(" ")).any(axis=0)
    assert not inked[5]
    assert inked[[0, 9]].all()


# One parameter


async def test_the_curve_has_its_point_its_minimum_and_its_start() -> None:
    async with pane(seen(3)) as (_, widget):
        [(now_y, now_x)], [(_, minimum_x)], [(start_y, start_x)] = (found(widget, mark) for mark in "●×◇")
        assert start_x < now_x < minimum_x
        assert start_y < now_y
        assert "● now" in said(widget)


async def test_the_step_to_come_is_marked_until_it_is_over() -> None:
    async with pane(seen(1, lr=0.2, batch_size="full", epochs=2), ZOOMED) as (_, widget):
        [(_, now)], [(_, following)] = found(widget, "●"), found(widget, "○")
        assert following < now  # over the minimum and back
        assert "○ next" in said(widget)
        widget.show(seen(2, lr=0.2, batch_size="full", epochs=2))
        assert not found(widget, "○")
        assert "○" not in said(widget)


async def test_the_tangent_touches_f_at_the_point() -> None:
    async with pane(seen(1, lr=0.001), ZOOMED) as (_, widget):
        [(y, x)] = found(widget, "●")
        accent = widget.get_component_rich_style("landscape--tangent").color
        cells = [
            (row, column)
            for row in range(widget.size.height)
            for column in range(widget.size.width)
            for segment in widget.render_line(row).crop(column, column + 1)
            if segment.style and segment.style.color == accent and "⠀" < segment.text <= "⣿"
        ]
        left, right = [cell for cell in cells if cell[1] < x], [cell for cell in cells if cell[1] > x]
        assert min(left)[0] < y < max(right)[0]  # f falls there


async def test_walls_do_not_flatten_the_wells() -> None:
    async with pane(seen(1, problem="double-well", lr=0.1)) as (_, widget):
        [(well, _)] = [at for at in found(widget, "×") if at[1] < 20]
        assert well >= 5
        assert found(widget, "◇")[0][0] <= 2


# Two


async def test_the_map_has_path_and_marks_where_they_are() -> None:
    async with pane(seen(4, **HIMMELBLAU), ZOOMED) as (_, widget):
        [(start_y, start_x)], [(now_y, now_x)] = found(widget, "◇"), found(widget, "●")
        assert now_x > start_x
        assert now_y < start_y
        assert len(found(widget, "×")) >= 3
        assert any("⠀" < c <= "⣿" for line in lines(widget) for c in line)


async def test_valleys_are_dark() -> None:
    async with pane(seen(0, **HIMMELBLAU), ZOOMED) as (_, widget):
        corner = shade(widget, 0, widget.size.width - 1)
        for y, x in found(widget, "×"):
            assert shade(widget, y, x) < corner


async def test_heights_as_characters_are_as_high_as_f() -> None:
    drawn = seen(0, **HIMMELBLAU)
    async with pane(drawn, relief="levels") as (_, widget):
        text = lines(widget)
        assert not any(c == "▀" or "⠀" < c <= "⣿" for line in text for c in line)
        corners = {text[0][-1], text[0][8]}
        assert corners <= set(LEVELS[-3:])
        y, x = found(widget, "×")[0]
        assert {text[y][x - 1], text[y][x + 1]} <= set(LEVELS[:4])


async def test_without_colours_the_path_can_be_read() -> None:
    async with pane(seen(6, **HIMMELBLAU), ZOOMED, relief="levels") as (_, widget):
        path = found(widget, "o")
        assert len(path) >= 2
        assert "o path" in said(widget)
        [now] = found(widget, "●")
        assert any(abs(y - now[0]) <= 2 and abs(x - now[1]) <= 4 for y, x in path)


async def test_where_there_are_no_shades_there_are_characters() -> None:
    async with pane(seen(0, **HIMMELBLAU)) as (pilot, widget):
        assert "▀" in "".join(lines(widget))
        pilot.app.add_class(NO_SHADES)
        widget.notify_style_update()
        assert "▀" not in "".join(lines(widget))
        assert "*" in "".join(lines(widget))


# More


async def test_a_slice_has_both_ends_and_alpha() -> None:
    drawn = seen(3, **MLP)
    async with pane(drawn) as (_, widget):
        [(before_y, before_x)], [(now_y, now_x)] = found(widget, "◇"), found(widget, "●")
        assert before_x < now_x
        assert before_y < now_y
        text = "".join(lines(widget))
        assert isinstance(drawn.shape, Slice)
        assert f"alpha {figure(drawn.shape.alpha):>9}" in text
        assert f"step {figure(drawn.shape.length):>9}" in text


async def test_before_the_first_step_it_shows_where_that_would_go() -> None:
    async with pane(seen(0, **MLP)) as (_, widget):
        [(_, now)], [(_, following)] = found(widget, "●"), found(widget, "○")
        assert now < following


async def test_part_of_many_samples_says_so() -> None:
    async with pane(seen(0, problem="affine", data="noisy-line", n=20_000)) as (_, widget):
        assert said(widget).startswith("f of 1,000 of 20,000")


async def test_before_there_is_anything_it_says_what_to_press() -> None:
    async with pane(None) as (_, widget):
        assert "space runs" in lines(widget)[0]


async def test_no_step_is_said() -> None:
    drawn = replace(seen(1, **MLP), shape=None)
    async with pane(drawn) as (_, widget):
        assert "no step" in lines(widget)[0]


# The anatomy


def text_of(found: Anatomy, width: int = 34, height: int = 10) -> list[str]:
    return ["".join(text for text, _ in line) for line in anatomy_lines(found, width, height)]


def test_the_anatomy_is_a_line_a_stage() -> None:
    shown = apart(3, optimizer="adam", problem="affine", data="noisy-line")
    table = text_of(shown)
    assert [line.split()[0] for line in table] == ["update", "g", "m̂", "√v̂", "Δθ"]
    assert table[0].split()[-2:] == ["w", "b"]
    assert table[1].split()[1:] == [figure(value) for value in shown.stages[0].values]
    assert table[-1].split()[1:] == [figure(value) for value in shown.step.values]


def test_with_room_the_formulas_are_there() -> None:
    table = text_of(apart(3, optimizer="adam", problem="affine", data="noisy-line"), width=80)
    assert "β₁·m + (1 − β₁)·g" in table[2]
    assert "−lr·m̂/(√v̂ + eps)" in table[-1]


def test_of_many_parameters_the_first_and_the_norm() -> None:
    shown = apart(3, **MLP)
    table = text_of(shown, width=60)
    assert table[0].split()[-1] == "norm"
    assert table[1].split()[-1] == figure(shown.stages[0].norm)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lion"])
@pytest.mark.parametrize("settings", [{}, {"problem": "affine", "data": "faithful"}, MLP], ids=["1", "2", "33"])
def test_it_fits_and_cuts_no_number(settings: dict[str, Any], optimizer: str) -> None:
    shown = apart(3, **{**settings, "optimizer": optimizer, "lr": 1e-7})
    for width in range(1, 130, 3):
        for height in range(8):
            table = anatomy_lines(shown, width, height)
            assert len(table) <= height
            for line in table:
                assert sum(len(text) - text.count("̂") for text, _ in line) <= width
            for line in table[1:]:
                assert all(NUMBER.fullmatch(cell) for cell in line[-1][0].split())


async def test_the_anatomy_lies_below_the_picture() -> None:
    async with pane(seen(2), apart=apart(6)) as (_, widget):
        text = lines(widget)
        assert [line.split()[0] for line in text[-2:]] == ["g", "Δθ"]
        assert found(widget, "●")[0][0] < len(text) - 3
        widget.show(seen(2))
        assert "Δθ" not in "".join(lines(widget))


# Every size, every problem


@pytest.mark.parametrize("relief", ["blocks", "levels"])
@pytest.mark.parametrize("settings", [{}, HIMMELBLAU, MLP], ids=["1", "2", "33"])
async def test_it_is_drawn_at_every_size(settings: dict[str, Any], relief: str) -> None:
    drawn, parts = seen(2, **settings), apart(2, **settings)
    async with pane(drawn, relief=relief, apart=parts) as (pilot, widget):
        for size in ((1, 1), (5, 3), (7, 4), (12, 30), (60, 4), (38, 12), (20, 8), (200, 60)):
            await pilot.resize_terminal(*size)
            widget.show(drawn, parts)
            await until(pilot, lambda size=size: len(said(widget)) <= max(0, size[0] - 4))
            for line in lines(widget):
                assert len(line) - line.count("̂") == widget.size.width


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FAMILIES)
def test_every_problem_is_drawn_however_far_away(name: str) -> None:
    data = {"data": FAMILIES[name].data} if FAMILIES[name].data else {}
    snapshot, before = trainer(problem=name, **data).snapshot(), None
    for size in (0.0, 1.0, 1e60, 1e160):
        theta = size * np.random.default_rng(1).standard_normal(len(snapshot.theta))
        drawn = terrain(replace(snapshot, theta=theta, _now=None))
        for cells in ((1, 1), (34, 10), (100, 30)):
            if drawn.shape is not None:
                before = scenery.draw(drawn, *cells, size != 1.0, before)
                assert before.canvas.rows <= cells[1]
                assert before.canvas.columns + before.frame.left <= cells[0]


def test_names_are_shown_as_they_are() -> None:
    shown = replace(apart(1), parameters=("[/b]\x1b[m",))
    assert text_of(shown)[0].split()[-1] == r"[/…\x1b[m"


# What is sent


def refreshed(widget: Landscape, monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    sent: list[Region] = []
    monkeypatch.setattr(widget, "refresh", lambda *regions, **_: sent.extend(regions))
    return sent


async def test_only_the_lines_that_changed_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer(**HIMMELBLAU)
    drawn = terrain(run.advance(Epoch(1)))
    async with pane(drawn, ZOOMED) as (_, widget):
        sent = refreshed(widget, monkeypatch)
        widget.show(terrain(run.snapshot(), drawn))
        assert not sent
        widget.show(terrain(run.advance(Epoch(2)), drawn))
        assert 0 < len(sent) < 8
        run, sent[:] = trainer(**MLP), []
        widget.show(terrain(run.advance(Epoch(1))))
        before = said(widget)
        widget.show(terrain(run.advance(Epoch(2))))
        assert said(widget) == before  # a border would be sent with all that is within


async def test_the_ground_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer(**HIMMELBLAU)
    drawn = terrain(run.snapshot())
    async with pane(drawn, ZOOMED) as (pilot, widget):
        shaded: list[int] = []
        shade = Canvas.shade
        monkeypatch.setattr(Canvas, "shade", lambda self, grounds: (shaded.append(1), shade(self, grounds))[0])
        for epoch in range(1, 9):
            drawn = terrain(run.advance(Epoch(epoch)), drawn)
            widget.show(drawn)
        assert not shaded
        await pilot.resize_terminal(100, 30)
        widget.show(drawn)
        assert shaded == [1]
