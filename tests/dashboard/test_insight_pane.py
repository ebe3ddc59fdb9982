"""The Insight pane: what one reads on it, at which sizes, and that nothing on it jumps."""

from __future__ import annotations

import math
import re
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs import moment, problem_of, until
from rich.cells import cell_len
from textual.app import App, ComposeResult

from gdtui.dashboard.gauges import cut, dial, ladder_axis, ruler, share_bar, wrapped
from gdtui.dashboard.widgets.insight import GROWTH, Insight, compose_lines
from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.instruments import Instruments, measure
from gdtui.insight.reading import Reading, read
from gdtui.insight.stability import Kind, Limit, Stability
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

STABLE = (("Stable: lr 0.01 is 4.9 % of 0.2040, SGD's limit in order.", "good"),)
NOTHING = ("noise_scale", "norm_test", "alignment", "largest_share")


@cache
def reading(epoch: int = 12, **setup: Any) -> Reading:
    experiment = Experiment(**setup)
    trainer = Trainer(experiment, load_problem(experiment))
    return read(trainer.advance(Epoch(epoch)))


def of_gradients(gradients: Any, **setup: Any) -> Reading:
    """A reading whose instruments are those of the given per-sample gradients, shape (n, p)."""
    return replace(reading(**setup), instruments=measure(np.asarray(gradients, dtype=np.float64)))


def blank(gradients: Any = ((math.nan,),) * 5) -> Reading:
    """A reading of which nothing is known."""
    unknown = Limit("full batch", None, Kind.LOCAL, "", "the curvature here is not finite")
    stability = Stability(0.01, unknown, (), None, None)
    return replace(of_gradients(gradients), alpha=None, update_size=None, distance=None, stability=stability)


def page(shown: Reading, size: tuple[int, int] = (38, 14), sentences: Any = STABLE) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in compose_lines(shown, sentences, *size)]


def row(lines: list[str], start: str) -> str:
    """The words of the line that starts so."""
    return " ".join(next(line for line in lines if line.lstrip().startswith(start)).split())


def parts(shown: Reading, part: str, size: tuple[int, int] = (38, 14)) -> str:
    """All that is drawn as this part."""
    return "".join(text for line in compose_lines(shown, STABLE, *size) for text, its in line if its == part)


# What one reads


def test_the_tutorial_is_read_from_the_verdict_down() -> None:
    lines = page(reading())
    assert lines[0].startswith("✓ Stable: lr 0.01")
    assert row(lines, "◆") == "◆ 0.010000 lr, 4.902 % of its limit"
    assert row(lines, "┤") == "┤ 0.20402 in order"
    assert row(lines, "noise B") == "noise B 0.75000 b 1 is 1.3 × B"
    assert row(lines, "signal leads")
    assert row(lines, "align").startswith("align 1.0 0 of 3 against")
    assert row(lines, "alpha").endswith("short")
    assert row(lines, "‖g‖") == "‖g‖ 0.24887 update 0.005853"


def test_below_its_limit_the_learning_rate_stands_before_the_wall_and_nothing_is_red() -> None:
    shown = reading()
    axis = page(shown)[4]
    assert axis.index("◆") < axis.index("┤") < axis.index("╳")
    assert parts(shown, "bad") == ""


def test_beyond_its_limit_the_learning_rate_stands_in_the_broken_region_and_is_red() -> None:
    shown = reading(lr=0.21)
    axis = page(shown)[4]
    assert axis.index("┤") < axis.index("◆") < axis.index("╳")
    assert parts(shown, "bad").split() == ["◆◆", "0.21000"]
    assert row(page(shown), "◆") == "◆ 0.21000 lr, 102.9 % of its limit"


def test_the_rungs_rise_with_the_learning_rate_among_them() -> None:
    lines = page(reading(lr=0.21), (38, 40))
    values = [float(match[1]) for line in lines if (match := re.match(r"[◆┤┬] +([\d.]+) ", line))]
    assert values == sorted(values)
    assert values == pytest.approx([3 / 28, 1 / 9, 1 / 7, 0.204018, 0.21, 3 / 14, 1 / 4, 1], rel=1e-4)


def test_there_is_a_tick_for_every_limit_and_one_wall() -> None:
    axis = next(line for line in page(reading(), (200, 34)) if "╳" in line)
    assert (axis.count("┬"), axis.count("┤"), axis.count("◆")) == (6, 1, 1)


def test_at_the_minimum_what_is_undefined_is_a_dash() -> None:
    lines = page(reading(epoch=3, init=(2.0,)))
    assert row(lines, "noise B") == "noise B – all gradients are 0"
    assert row(lines, "align").startswith("align – 0 of 3")
    assert row(lines, "alpha").endswith("no step")
    assert row(lines, "‖g‖") == "‖g‖ 0 update 0"


def test_noise_leads_where_the_batch_is_smaller_than_b() -> None:
    shown = reading(problem="saddle", lr=0.1)
    lines = page(shown)
    ratio = shown.instruments.noise_scale or 0
    assert row(lines, "noise B").endswith(f"b 1 is 1/{ratio:.0f} of B")
    assert row(lines, "noise leads").split()[-1] == "32"
    assert row(lines, "align").split()[2] == f"{shown.instruments.conflicts}/32"
    assert "batch 1 against B: b is" in row(page(shown, (60, 20)), "noise B")


def test_the_full_batch_has_no_noise() -> None:
    lines = page(reading(epoch=5, batch_size="full"))
    assert row(lines, "no noise")


def test_a_limit_of_the_curvature_here_is_marked_as_such_and_an_unknown_one_says_why() -> None:
    lines = page(reading(problem="saddle", lr=0.1))
    assert re.fullmatch(r"┬ ≈1\.\d+ full batch", row(lines, "┬"))
    assert "known only for the full batch here" in " ".join(" ".join(lines).split())


def test_an_adaptive_optimizer_has_its_own_limit() -> None:
    lines = page(reading(optimizer="adam", batch_size="full"))
    assert re.fullmatch(r"┤ ≈[\d.]+ full batch", row(lines, "┤"))


@pytest.mark.parametrize(
    ("alpha", "word", "pointer"),
    [
        (-2.0, "uphill", "◂"),
        (-0.5, "short", "◆"),
        (0.0, "minimum", "◆"),
        (0.5, "too far", "◆"),
        (1.0, "far wall", "◆"),
        (2.8, "climbs", "▸"),
        (-1.0, "concave", "◆"),
    ],
)
def test_alpha_says_where_the_update_landed(alpha: float, word: str, pointer: str) -> None:
    line = row(page(replace(reading(), alpha=alpha)), "alpha")
    assert line.endswith(word)
    assert pointer in line


def test_the_largest_share_is_told_with_its_sample() -> None:
    lines = page(reading(), (60, 20))
    assert row(lines, "share") == "share 0.64286 of the step, the largest: sample 2"


def test_a_single_sample_has_no_noise_scale() -> None:
    one = read(moment(problem_of([1.0], [2.0]), epoch=2))
    assert row(page(one), "noise B") == "noise B – a single sample"


def test_of_a_million_samples_it_says_how_many_were_measured() -> None:
    shown = of_gradients(np.random.default_rng(0).normal(0.02, 1.0, (1_000_000, 1)))
    line = row(page(shown, (118, 34)), "align")
    assert f"{shown.instruments.conflicts:,} of 100,000 of 1,000,000 pull against the step" in line
    assert re.search(r"\d\d\.\d % against", row(page(shown), "align"))


async def test_the_border_says_of_how_many_samples_it_speaks() -> None:
    async with pane() as (_, insight):
        insight.show(reading(), STABLE)
        assert insight.border_subtitle == "3 samples"
        insight.show(of_gradients(np.ones((200_000, 1))), STABLE)
        assert insight.border_subtitle == "100,000 of 200,000 samples"


def test_after_divergence_nothing_is_nan() -> None:
    diverged = reading(epoch=2_000, epochs=2_000, lr=0.3)
    for shown in (diverged, blank(), blank(np.full((5, 2), math.inf))):
        text = "\n".join(page(shown, (118, 40)))
        assert "nan" not in text
        assert "None" not in text
    assert "g is not finite" in row(page(blank()), "noise B")


def test_zoomed_it_splits_the_noise_and_names_its_sources() -> None:
    lines = page(reading(problem="saddle", lr=0.1), (100, 45))
    text = "\n".join(lines)
    for words in ("B debiased", "norm test", "along g", "across g", "signal/noise by", "McCandlish et al. 2018"):
        assert words in text
    assert "2/λmax" in row(lines, "┬")


def test_of_a_costly_problem_nothing_is_computed_while_drawing() -> None:
    class Uncounted:
        gradients = np.empty((20_000, 1))

    shown = reading()
    costly = replace(shown, snapshot=replace(shown.snapshot, _now=Uncounted()))  # type: ignore[arg-type]
    assert "signal/noise by" not in "\n".join(page(costly, (100, 45)))


def test_the_verdict_is_broken_between_words_and_never_in_a_number() -> None:
    sentence = "lr 0.21: full batch is stable (limit 0.2143), sequential SGD is not (0.2040)"
    for width in (24, 38, 59):
        shown = page(reading(), (width, 14), ((sentence, "bad"),))[:4]
        words = " ".join(line[2:] for line in shown).split()
        assert [word for word in words if word != "…"] == sentence.split()[: len(words) - words.count("…")]


def test_a_name_with_markup_is_shown_as_it_is() -> None:
    assert page(reading(), (60, 20), (("[red]w[/] is \x1b[1m stuck", "note"),))[0] == r"· [red]w[/] is \x1b[1m stuck"


# Nothing jumps


@pytest.mark.parametrize("size", [(24, 6), (38, 14), (60, 20), (118, 40)])
def test_every_block_keeps_its_line_and_its_columns_while_its_values_change(size: tuple[int, int]) -> None:
    seen: dict[str, set[tuple[int, int]]] = {}
    for epoch in (1, 2, 7, 90):
        sentence = "word " * epoch
        lines = page(reading(epoch, problem="saddle", lr=0.1), size, ((sentence, "note"),))
        for label in ("┬", "noise B", "align", "share", "alpha", "‖g‖"):
            found = next(((y, line) for y, line in enumerate(lines) if line.startswith(label)), None)
            if found and (figures := re.match(r"\S+(?: B)? +\S+", found[1])):
                seen.setdefault(label, set()).add((found[0], figures.end()))
    assert len(seen) >= 2
    assert all(len(places) == 1 for places in seen.values()), seen


def test_a_taller_pane_takes_no_line_away() -> None:
    shown = reading()
    before: list[str] = []
    for height in range(4, 40):
        labels = [line.split()[0] for line in page(shown, (38, height), ()) if line]
        assert len([label for label in before if label not in labels]) == 0
        before = labels


async def test_only_the_lines_that_changed_are_sent() -> None:
    async with pane() as (pilot, insight):
        insight.show(reading(), STABLE)
        sent: list[Any] = []
        insight.refresh = lambda *regions, **_: sent.extend(regions)  # type: ignore[method-assign]
        insight.show(replace(reading(), alpha=0.25), STABLE)
        await until(pilot, lambda: sent)
        assert [(region.y, region.height) for region in sent] == [(12, 1)]


# Sizes and values


@asynccontextmanager
async def pane(size: tuple[int, int] = (38, 14)) -> AsyncIterator[tuple[Pilot[None], Insight]]:
    class Page(App[None]):
        CSS = "Insight { height: 1fr; }"

        def compose(self) -> ComposeResult:
            yield Insight()

    async with Page().run_test(size=size) as pilot:
        yield pilot, pilot.app.query_one(Insight)


async def test_it_draws_at_every_size_before_and_after_there_is_something_to_show() -> None:
    async with pane() as (pilot, insight):
        assert "measured" in insight.render_line(0).text
        for size in ((1, 1), (2, 3), (9, 4), (24, 6), (38, 14), (200, 60)):
            await pilot.resize_terminal(*size)
            insight.show(reading(problem="saddle", lr=0.1), STABLE)
            for y in range(size[1]):
                assert insight.render_line(y).cell_length == size[0]


@pytest.mark.parametrize("width", range(24, 201, 16))
def test_no_line_is_wider_than_the_pane(width: int) -> None:
    many = of_gradients(np.random.default_rng(0).normal(0.02, 1.0, (100_001, 1)))
    for shown in (reading(), reading(problem="saddle", lr=0.1), blank(), many):
        assert all(cell_len(line) <= width for line in page(shown, (width, 60)))


def drawn_instruments() -> st.SearchStrategy[Instruments]:
    number = st.none() | st.floats(allow_nan=False, allow_infinity=False)
    count = st.integers(1, 10**7)
    return st.builds(
        lambda samples, more, values, conflicts: Instruments(
            samples, samples + more, *values[:8], None if conflicts is None else conflicts % (samples + 1), *values[8:]
        ),
        count,
        count,
        st.tuples(*[number] * 10, st.none() | st.integers(0, 10**7)),
        st.none() | count,
    )


@settings(deadline=None)
@given(
    one=drawn_instruments(),
    alpha=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lrs=st.tuples(*[st.none() | st.floats(0, 1e308, exclude_min=True)] * 2),
    lr=st.floats(0, 1e308),
    width=st.integers(1, 200),
    height=st.integers(1, 60),
)
def test_whatever_the_numbers_are_it_is_a_page_without_nan(
    one: Instruments, alpha: float | None, lrs: tuple[float | None, float | None], lr: float, width: int, height: int
) -> None:
    limits = [Limit(name, at, Kind.EXACT, "") for name, at in zip(("in order", "full batch"), lrs, strict=True)]
    stability = Stability(lr, limits[0], (limits[1],), None, None)
    lines = page(replace(reading(), instruments=one, alpha=alpha, stability=stability), (width, height))
    assert len(lines) <= height
    assert not re.search("nan|None|inf", "\n".join(lines).replace("infinite", ""))


def test_every_field_may_be_none() -> None:
    shown = reading()
    for field in fields(Instruments):
        if field.name not in ("samples", "of"):
            assert page(replace(shown, instruments=replace(shown.instruments, **{field.name: None})), (118, 40))


# Gauges


def text(line: Any) -> str:
    return "".join(piece for piece, _ in line)


def test_on_the_dial_the_batch_moves_from_1_to_n() -> None:
    assert [text(dial(batch, None, 64, 20)).index("b") for batch in (1, 8, 64)] == [2, 9, 16]


@pytest.mark.parametrize(("scale", "arrow"), [(0.5, "◂"), (1e9, "▸")])
def test_a_noise_scale_beyond_the_dial_is_an_arrow_at_its_end(scale: float, arrow: str) -> None:
    shown = text(dial(4, scale, 64, 20))
    assert arrow in shown
    assert "B" not in shown


def test_the_ruler_has_its_minimum_in_the_middle() -> None:
    assert [text(ruler(alpha, 11)).index("◆") for alpha in (-1.0, 0.0, 1.0)] == [0, 5, 10]


@pytest.mark.parametrize(("part", "filled"), [(0, 0), (1, 1), (500, 5), (999, 9), (1000, 10)])
def test_a_little_shows_on_the_bar_and_so_does_a_little_that_is_missing(part: int, filled: int) -> None:
    assert text(share_bar(part, 1000, 10)) == "━" * filled + "─" * (10 - filled)


@pytest.mark.parametrize("lr", [0.0, 5e-324, 1e-12, 1e12, 1e308])
def test_a_learning_rate_far_from_its_limit_is_on_the_axis_or_at_its_end(lr: float) -> None:
    applies = Limit("", 0.2, Kind.EXACT, "")
    axis = text(ladder_axis(Stability(lr, applies, (), None, None), 40))
    assert len(axis) == 40
    assert re.search("[◆◂▸]", axis)


def test_an_axis_of_the_same_learning_rates_has_the_same_ends() -> None:
    ends = set()
    for limit in (0.19, 0.2, 0.21):
        axis = text(ladder_axis(Stability(0.01, Limit("", limit, Kind.LOCAL, ""), (), None, None), 40))
        ends.add((axis.split()[0], axis.split()[-1]))
    assert ends == {("0.005", "0.5")}


def test_what_is_cut_ends_after_a_whole_word() -> None:
    assert cut(wrapped("one two three four five", 9), 2, 9) == ["one two", "three …"]


def test_growth_has_room_for_all_of_a_large_pane() -> None:
    assert len(GROWTH) >= 45
