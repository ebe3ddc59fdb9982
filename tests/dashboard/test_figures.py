"""Figures: numbers and texts at a fixed width."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gdtui.dashboard.figures import WIDTH, figure, shortened
from gdtui.experiment import printable

finite = st.floats(min_value=-1e308, max_value=1e308)


@given(st.floats())
def test_a_figure_never_needs_more_than_its_nine_cells(value: float) -> None:
    assert 1 <= len(figure(value)) <= WIDTH == 9


@given(st.floats(min_value=1e-99, max_value=1e99) | st.floats(min_value=-1e9, max_value=-1e-9))
def test_a_figure_is_true_to_four_significant_digits(value: float) -> None:
    assert float(figure(value)) == pytest.approx(value, rel=0.5001e-3)


@given(finite)
def test_a_figure_of_any_number_has_its_sign_and_its_size(value: float) -> None:
    assert float(figure(value)) == pytest.approx(value, rel=0.051)


@given(st.integers(min_value=-99_999, max_value=99_999))
def test_whole_numbers_are_shown_whole(value: int) -> None:
    assert float(figure(float(value))) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.99834, "1.9983"),
        (0.00123456, "0.001235"),
        (99_999.49, "99999"),
        (99_999.5, "1.000e+5"),
        (-1.2345e-10, "-1.23e-10"),
        (1e300, "1.00e+300"),
    ],
)
def test_a_figure_reads_as_expected(value: float | None, shown: str) -> None:
    assert figure(value) == shown


@given(st.text())
def test_what_is_printable_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    assert printable(text).isprintable()


def test_an_ordinary_name_is_printed_as_it_is() -> None:
    assert printable("größe [red] 数据") == "größe [red] 数据"
    assert printable("\x1b[31m\n\udcff") == r"\x1b[31m\n\udcff"


@given(st.text() | st.text("a1日本語"), st.integers(min_value=3, max_value=40))
def test_what_is_shortened_keeps_its_start_and_its_end(text: str, width: int) -> None:
    short = shortened(text, width)
    assert cell_len(short) <= width
    assert short == text or any(
        text.startswith(short[:at]) and text.endswith(short[at + 1 :])
        for at, character in enumerate(short)
        if character == "…"
    )
