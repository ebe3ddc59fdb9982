"""Line marks: curves that can be told apart without their colours; and what is not drawn twice."""

from __future__ import annotations

import numpy as np
import pytest
from rich.style import Style

from gdtui.dashboard.widgets import plot as plots
from gdtui.dashboard.widgets.plot import Drawing, Ink, draw
from gdtui.dashboard.widgets.series import Plot, Series

INK = Ink(*[Style(bgcolor="#12161b")] * 4)
WIDTH, HEIGHT = 80, 20


def series(y: np.ndarray, mark: str, color: str = "#5fafff", x: np.ndarray | None = None) -> Series:
    return Series(mark, np.arange(float(len(y))) if x is None else x, np.asarray(y, dtype=float), color, mark)


def drawn(*curves: Series, before: Drawing | None = None, **plot: object) -> Drawing:
    return draw(Plot(curves, **plot), WIDTH, HEIGHT, INK, before)  # type: ignore[arg-type]


def cells(drawing: Drawing) -> list[str]:
    return [row.text[drawing.left :] for row in drawing.rows[: drawing.canvas_rows]]


def places(drawing: Drawing, mark: str) -> list[tuple[int, int]]:
    return [(column, y) for y, row in enumerate(cells(drawing)) for column, c in enumerate(row) if c == mark]


@pytest.mark.parametrize("wave", [lambda x: x, lambda x: 1 - x**2, lambda x: np.sin(20 * x) + 1, lambda x: 0 * x + 1])
def test_marks_stand_on_their_curve_and_at_its_end(wave) -> None:
    y = wave(np.linspace(0, 1, 300))
    marked, plain = drawn(series(y, "■")), drawn(series(y, ""))
    found = places(marked, "■")
    assert 4 <= len(found) <= 7
    assert max(found)[0] == plain.column(299)
    for column, row in found:
        around = "".join(line[column] for line in cells(plain)[max(0, row - 1) : row + 2])
        assert around.strip()
    on_it = sum(cells(plain)[row][column] != " " for column, row in found)
    assert on_it >= len(found) - 1


def test_of_curves_that_lie_on_each_other_every_ones_marks_are_seen() -> None:
    y = np.linspace(1, 0, 50)
    marks = "●■▲○◆×□△◇"
    drawing = drawn(*(series(y, mark) for mark in marks), x_range=(0, 49))
    columns = [column for mark in marks for column, _ in places(drawing, mark)]
    assert all(len(places(drawing, mark)) >= 4 for mark in marks)
    assert len(columns) == len(set(columns))
    assert cells(drawing)[-1][-1] == "●"


def test_a_mark_has_its_curves_colour() -> None:
    drawing = drawn(series(np.linspace(0, 1, 50), "■", "#ff0000"), series(np.linspace(1, 0, 50), "▲", "#00ff00"))
    colors = {
        part.text[k]: part.style.color.name
        for row in drawing.rows
        for part in row
        for k in range(len(part.text))
        if part.style and part.style.color and part.text[k] in "■▲"
    }
    assert colors == {"■": "#ff0000", "▲": "#00ff00"}


def test_no_mark_stands_in_a_gap() -> None:
    y = np.ones(101)
    y[20:80] = np.nan
    drawing = drawn(series(y, "■"), x_range=(0, 100))
    columns = [column for column, _ in places(drawing, "■")]
    assert columns
    assert not any(drawing.column(20) <= column <= drawing.column(79) for column in columns)


def test_the_marks_of_a_growing_curve_stay_where_they_are() -> None:
    y = np.linspace(1, 0.5, 101)
    early, late = (places(drawn(series(y[:m], "■"), x_range=(0, 100)), "■") for m in (60, 80))
    assert sorted(early)[:-1] == sorted(late)[: len(early) - 1]


def test_a_short_curve_has_its_mark_and_an_empty_one_none() -> None:
    assert places(drawn(series(np.ones(1), "■"), x_range=(0, 9)), "■") == [(0, 0)]
    assert places(drawn(series(np.ones(0), "■"), series(np.ones(5), "")), "■") == []


def test_curves_that_are_still_the_same_are_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    still = [series(np.linspace(1, end, 90), "■") for end in (0.1, 0.2, 0.3)]
    before = drawn(series(np.linspace(1, 0.5, 40), ""), *still, x_range=(0, 100))
    made: list[object] = []
    whole = plots.layer
    monkeypatch.setattr(plots, "layer", lambda *of: made.append(of) or whole(*of))
    now = series(np.linspace(1, 0.5, 41), "")
    after = drawn(now, *still, before=before, x_range=(0, 100))
    assert len(made) == 1
    assert cells(after) == cells(drawn(now, *still, x_range=(0, 100)))


@pytest.mark.parametrize("change", [{"x_range": (0, 200)}, {"log_y": True}])
def test_on_other_axes_everything_is_drawn_anew(change: dict) -> None:
    curves = series(np.linspace(1, 0.5, 40), ""), series(np.linspace(1, 0.01, 90), "■")
    before = drawn(*curves, x_range=(0, 100))
    after = drawn(*curves, before=before, **{"x_range": (0, 100), **change})
    assert cells(after) == cells(drawn(*curves, **{"x_range": (0, 100), **change}))
    grown = series(np.array([50.0, 1.0]), "")
    assert cells(drawn(grown, curves[1], before=before, x_range=(0, 100))) == cells(
        drawn(grown, curves[1], x_range=(0, 100))
    )
