"""The loss chart: what is drawn, what is sent, what the cursor reads."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import Binding

from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.plot import HUGE, Drawing, Ink, draw
from gdtui.dashboard.widgets.series import Mark, Plot, Series

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.pilot import Pilot

NAN, INF = float("nan"), float("inf")
BLUE, ORANGE = "#5fafff", "#ffaf5f"
PANE = Style(bgcolor="#12161b")
INK = Ink(PANE, *(PANE + Style(color=color) for color in ("#404040", "#808080", "#ffff00")))


def series(y: Any, x: Any = None, name: str = "now", color: str = BLUE) -> Series:
    y = np.asarray(y, dtype=np.float64)
    return Series(name, np.arange(float(len(y))) if x is None else np.asarray(x, dtype=np.float64), y, color)


def drawn(*curves: Series, width: int = 80, height: int = 20, **plot: Any) -> Drawing:
    return draw(Plot(curves, **plot), width, height, INK)


def text(drawing: Drawing) -> list[str]:
    return [strip.text for strip in drawing.rows]


def canvas(drawing: Drawing) -> list[str]:
    return [row[drawing.left :] for row in text(drawing)[: drawing.canvas_rows]]


def labels(drawing: Drawing) -> list[str]:
    return " ".join(row[: drawing.left - 1] for row in text(drawing)[: drawing.canvas_rows]).split()


def inked_columns(drawing: Drawing) -> list[bool]:
    return [any(cell != " " for cell in column) for column in zip(*canvas(drawing), strict=True)]


def colors_of(drawing: Drawing) -> set[str]:
    cells = (segment for row in drawing.rows for segment in row if any("⠀" < c <= "⣿" for c in segment.text))
    return {segment.style.color.name for segment in cells if segment.style and segment.style.color}


# Drawing


@pytest.mark.parametrize(("value", "row"), [(9.9, 0), (1.1e-6, -1)])
def test_one_value_in_65_000_reaches_the_edge(value: float, row: int) -> None:
    y = np.ones(65_000)
    y[31_337] = value
    assert canvas(drawn(series(y), log_y=True))[row].strip()


def test_a_spike_beside_a_nan_survives() -> None:
    y = np.ones(65_000)
    y[31_336:31_338] = NAN, 9.9
    assert canvas(drawn(series(y)))[0].strip()


@pytest.mark.parametrize("hole", [NAN, INF, -INF])
def test_what_is_not_finite_is_a_gap(hole: float) -> None:
    y = np.ones(101)
    y[40:61] = hole
    inked = inked_columns(drawn(series(y), x_range=(0, 100)))
    middle = len(inked) // 2
    assert not any(inked[middle - 5 : middle + 5])
    assert all(inked[: middle - 9])
    assert all(inked[middle + 9 :])


def test_on_a_log_scale_zero_is_a_gap() -> None:
    y = np.ones(101)
    y[40:61] = 0.0
    inked = inked_columns(drawn(series(y), x_range=(0, 100), log_y=True))
    assert not inked[len(inked) // 2]
    assert inked[0]


def test_points_far_apart_are_joined() -> None:
    assert all(inked_columns(drawn(series([1.0, 3.0], x=[0, 100]), x_range=(0, 100))))


def test_a_point_between_two_gaps_is_drawn() -> None:
    assert sum(inked_columns(drawn(series([NAN, 1.0, NAN]), x_range=(0, 2)))) == 1


def test_every_curve_keeps_its_colour() -> None:
    falling, rising = series(np.linspace(1, 0, 50)), series(np.linspace(0, 1, 50), color=ORANGE)
    assert colors_of(drawn(falling, rising)) == {BLUE, ORANGE}


def test_the_first_curve_lies_on_top() -> None:
    y = np.linspace(0, 1, 50)
    assert colors_of(drawn(series(y, color=ORANGE), series(y))) == {ORANGE}


def test_no_cell_has_a_background_of_its_own() -> None:
    for size in (80, 20), (13, 5), (8, 3):
        drawing = drawn(series([1, 2, 3]), marks=(Mark(1, "lr"),), width=size[0], height=size[1])
        styles = {segment.style for row in drawing.rows for segment in row}
        assert {style.bgcolor for style in styles if style} == {PANE.bgcolor}
        assert None not in styles


def test_a_log_axis_counts_in_whole_decades() -> None:
    assert labels(drawn(series([5.0, 2e-8]), log_y=True, height=14)) == [
        "1e+0",
        "1e-2",
        "1e-4",
        "1e-6",
        "1e-8",
    ]


def test_a_linear_axis_goes_from_zero_to_a_round_number() -> None:
    assert labels(drawn(series([9.7, 3.1]), height=14)) == ["10", "5", "0"]
    assert labels(drawn(series([3e-7, 1e-7]), height=14)) == ["3e-7", "2e-7", "1e-7", "0"]


def test_x_labels_are_round_and_do_not_touch() -> None:
    assert text(drawn(series(np.ones(9)), x_range=(0, 100)))[-1].split() == [
        "0",
        "20",
        "40",
        "60",
        "80",
        "100",
    ]
    assert text(drawn(series(np.ones(9)), x_range=(0, 1e6)))[-1].split()[-1] == "1e6"
    for width in range(16, 120):
        shown = text(drawn(series(np.ones(9)), x_range=(0, 123_456), width=width))[-1].split()
        assert [float(label) for label in shown] == sorted({float(label) for label in shown})


def test_the_axes_stand_still_while_a_loss_falls() -> None:
    y = 4 * np.exp(-np.arange(100.0) / 5)
    for log_y in (False, True):
        a, b = (drawn(series(y[:m]), x_range=(0, 100), log_y=log_y) for m in (70, 71))
        assert [row[: a.left] for row in text(a)] == [row[: a.left] for row in text(b)]
        assert sum(x != y for x, y in zip(text(a), text(b), strict=True)) <= 1


def test_a_mark_stands_over_its_x_with_its_label_where_it_fits() -> None:
    drawing = drawn(series([0, 0]), x_range=(0, 100), marks=(Mark(50, "lr 0.01"), Mark(52, "batch 4"), Mark(999, "no")))
    top = canvas(drawing)[0]
    assert top.index("▾") == drawing.column(50)
    assert "lr" not in top
    assert "▾batch 4" in top
    assert "no" not in top


@pytest.mark.parametrize("height", [*range(-1, 6), 20, 100])
def test_every_size_is_filled_exactly(height: int) -> None:
    curve, marks = series([1, NAN, 1e-3, 4]), (Mark(1, "lr 0.0125"), Mark(NAN, "never"))
    for width in [*range(-1, 31), 80, 300]:
        for log_y in (False, True):
            rows = drawn(curve, marks=marks, width=width, height=height, log_y=log_y).rows
            assert len(rows) == (max(0, height) if width > 0 else 0)
            assert all(row.cell_length == len(row.text) == width for row in rows)


FUZZ = """
import warnings
import numpy as np
from tests.dashboard.test_chart import INK, Mark, Plot, draw, series
warnings.simplefilter("error")
rng = np.random.default_rng(7)
odd = np.array([0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 1.7e308, -1.7e308, 5e-324, -5e-324, 1e-310, 1e16,
                1e16 + 2, 3.0, 123456.789, np.nan, np.inf, -np.inf])
def values(m):
    pool = odd if rng.random() < 0.5 else rng.choice(odd, 2)
    return rng.choice(pool, m) if rng.random() < 0.6 else rng.normal(size=m) * 10.0 ** rng.integers(-300, 300)
for case in range(900):
    curves = []
    for _ in range(rng.integers(0, 4)):
        m = int(rng.choice([0, 1, 2, 3, 20, 300]))
        curves.append(series(values(m), x=values(m) if rng.random() < 0.4 else None))
    x_range = tuple(float(end) for end in rng.choice(odd, 2)) if rng.random() < 0.4 else None
    marks = tuple(Mark(float(x), "lr 0.1") for x in rng.choice(odd, 2))
    width, height = int(rng.integers(-2, 90)), int(rng.integers(-2, 25))
    drawing = draw(Plot(tuple(curves), marks, x_range, bool(rng.random() < 0.5)), width, height, INK)
    assert all(row.cell_length == len(row.text) == width for row in drawing.rows), (case, width)
    for x in odd[:3]:
        drawing.with_cursor(drawing.x(drawing.column(x)), INK.axis)
print("alive")
"""


def test_nothing_one_can_plot_ends_the_process() -> None:
    run = subprocess.run([sys.executable, "-c", FUZZ], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "alive", run.stderr[-2000:]


def test_the_largest_numbers_are_drawn() -> None:
    assert canvas(drawn(series([0, 1.7e308])))[0].strip()
    assert labels(drawn(series([-HUGE, HUGE])))[0] == "1e300"


LEAK = """
import resource, sys
from tests.dashboard.test_chart import drawn, np, series
curves = [series(np.random.default_rng(seed).random(40)) for seed in (0, 1)]
def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
for _ in range(50):
    drawn(*curves, width=10, height=3)
before = memory()
for _ in range(2000):
    drawn(*curves, width=10, height=3)
print(memory() - before)
"""


def test_two_thousand_draws_keep_no_memory() -> None:
    pytest.importorskip("resource")
    run = subprocess.run([sys.executable, "-c", LEAK], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 4, "MB"


def test_a_long_run_costs_about_what_a_short_one_does() -> None:
    def cost(m: int) -> float:
        plot = series(np.random.default_rng(0).random(m))
        times = []
        for _ in range(15):
            start = time.perf_counter()
            drawn(plot, x_range=(0, m))
            times.append(time.perf_counter() - start)
        return median(times)

    drawn(series([1.0]))
    assert cost(65_000) < 4 * cost(140)


def test_a_start_without_a_plot_imports_neither_plotext_nor_numpy() -> None:
    code = "import sys, gdtui.dashboard.widgets.chart; print({'plotext', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# The widget


class Lab(App[None]):
    CSS = "Chart { height: 20; width: 80; border: round white; }"
    BINDINGS = [Binding("escape", "back", "Back")]  # noqa: RUF012 (as in every Textual app)

    def __init__(self) -> None:
        super().__init__()
        self.readings: list[tuple[float | None, tuple[tuple[str, float], ...]]] = []
        self.went_back = 0

    def compose(self) -> ComposeResult:
        yield Chart(id="loss")

    def on_chart_cursor_moved(self, message: Chart.CursorMoved) -> None:
        self.readings.append((message.x, message.values))

    def action_back(self) -> None:
        self.went_back += 1


def shown(chart: Chart) -> list[str]:
    return [chart.render_line(y).text for y in range(chart.size.height)]


async def settled(pilot: Pilot[None], *curves: Series, **plot: Any) -> Chart:
    chart = pilot.app.query_one(Chart)
    chart.focus()
    chart.show(Plot(curves, **plot))
    await pilot.pause()
    return chart


async def test_only_rows_that_changed_are_sent() -> None:
    y = 4 * np.exp(-np.arange(100.0) / 5)
    async with Lab().run_test() as pilot:
        chart = await settled(pilot, series(y[:46]), x_range=(0, 100), log_y=True)
        before = shown(chart)
        with pytest.MonkeyPatch.context() as patch:
            sent: list[Region] = []
            patch.setattr(chart, "refresh", lambda *regions, **_: sent.extend(regions))
            chart.show(Plot((series(y[:46]),), x_range=(0, 100), log_y=True))
            assert sent == []
            chart.show(Plot((series(y[:50]),), x_range=(0, 100), log_y=True))
        after = shown(chart)
        changed = [row for row, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        assert [region.y for region in sent] == changed
        assert 1 <= len(changed) <= 3


async def test_a_changed_row_reaches_the_screen() -> None:
    async with Lab().run_test() as pilot:
        chart = await settled(pilot, series([1, 1]), x_range=(0, 9))
        await settled(pilot, series([0, 1]), x_range=(0, 9))
        screen = ["".join(part.text for part in strip) for strip in pilot.app.screen._compositor.render_strips()]
        assert [row[1:-1] for row in screen[1:19]] == shown(chart)


async def test_a_chart_without_a_plot_is_blank() -> None:
    async with Lab().run_test() as pilot:
        assert set("".join(shown(pilot.app.query_one(Chart)))) == {" "}
        await pilot.press("left", "home", "end", "escape")


async def test_a_new_size_and_a_new_theme_are_drawn_anew() -> None:
    async with Lab().run_test() as pilot:
        chart = await settled(pilot, series([1, 2, 3]), log_y=True)
        axis = chart.render_line(3)._segments[1].style
        pilot.app.theme = "textual-light"
        await pilot.pause()
        assert chart.render_line(3)._segments[1].style != axis
        chart.styles.width = 41
        await pilot.pause()
        assert {len(row) for row in shown(chart)} == {39}


async def test_no_row_of_the_widget_is_without_the_panes_background() -> None:
    async with Lab().run_test() as pilot:
        chart = await settled(pilot, series([1, 2, 3]), marks=(Mark(1, "lr"),))
        await pilot.press("left")
        styles = [segment.style for y in range(18) for segment in chart.render_line(y)]
        assert {style.bgcolor for style in styles if style} == {chart.rich_style.bgcolor}


async def test_the_cursor_reads_exact_values_of_every_curve() -> None:
    y = np.random.default_rng(0).random(1000)
    async with Lab().run_test() as pilot:
        app = pilot.app
        assert isinstance(app, Lab)
        await settled(pilot, series(y), series(y[:10], name="gd"), x_range=(0, 999))
        await pilot.press("left")
        assert app.readings == [(999.0, (("now", y[999]),))]
        await pilot.press("home")
        assert app.readings[-1] == (0.0, (("now", y[0]), ("gd", y[0])))
        await pilot.press("right")
        x, values = app.readings[-1]
        assert x is not None
        assert x == pytest.approx(999 / 72, abs=1)
        assert values == (("now", y[int(x)]), ("gd", y[9]))
        await pilot.press("end")
        assert app.readings[-1] == app.readings[0]


async def test_where_only_other_curves_have_been_the_cursor_reads_those() -> None:
    async with Lab().run_test() as pilot:
        app = pilot.app
        assert isinstance(app, Lab)
        await settled(pilot, series([1, 2, 3]), series(np.arange(101.0), name="gd"), x_range=(0, 100))
        await pilot.press("left")
        assert app.readings == [(100.0, (("gd", 100.0),))]
        await pilot.press("home")
        assert app.readings[-1] == (0.0, (("now", 1.0), ("gd", 0.0)))


async def test_the_cursor_is_a_thin_line_behind_the_curve() -> None:
    async with Lab().run_test() as pilot:
        chart = await settled(pilot, series([1, 1, 1]), x_range=(0, 2))
        before = shown(chart)
        await pilot.press("home")
        column = [row[5] for row in shown(chart)[:16]]
        assert column.count("│") == 15
        assert [row[6:] for row in shown(chart)] == [row[6:] for row in before]
        await pilot.press("escape")
        assert shown(chart) == before


async def test_the_cursor_speaks_only_when_it_reads_something_new() -> None:
    async with Lab().run_test() as pilot:
        app = pilot.app
        assert isinstance(app, Lab)
        await settled(pilot, series([4.0, NAN, 2.0]), x_range=(0, 2))
        await pilot.press("home")
        await settled(pilot, series([4.0, NAN, 2.0]), x_range=(0, 2))
        assert len(app.readings) == 1
        await settled(pilot, series([4.5, NAN, 2.0]), x_range=(0, 2))
        assert app.readings[1:] == [(0.0, (("now", 4.5),))]
        await settled(pilot)
        assert app.readings[2:] == [(None, ())]


async def test_escape_hides_the_cursor_first_and_is_somebody_elses_then() -> None:
    async with Lab().run_test() as pilot:
        app = pilot.app
        assert isinstance(app, Lab)
        await settled(pilot, series([1, 2]))
        await pilot.press("left", "escape")
        assert app.readings[-1] == (None, ())
        assert app.went_back == 0
        await pilot.press("escape")
        assert app.went_back == 1
