"""Likenesses in ASCII: of all that gdtui writes, in as many cells, and no two that must not be taken for each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

import gdtui
from gdtui.ascii import SPELLED, in_ascii, likeness
from gdtui.dashboard.ascii import Ascii
from gdtui.dashboard.pins import LOOKS, NOW
from gdtui.dashboard.widgets.inks import LEVELS, MARKS, PLAIN_PATH
from gdtui.dashboard.widgets.status import SYMBOLS

BRAILLE = [chr(code) for code in range(0x2801, 0x2900)]


def test_everything_that_gdtui_writes_has_a_likeness() -> None:
    sources = (path.read_text(encoding="utf-8") for path in Path(gdtui.__file__).parent.rglob("*.py"))
    written = {char for source in sources for char in source if not char.isascii()}
    assert {"θ", "∇", "╳"} <= written
    assert {char for char in written if likeness(char) == "?"} == set()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_whatever_is_drawn_is_plain_and_as_wide(text: str) -> None:
    (drawn,) = Ascii().apply([Segment(text)], Color(0, 0, 0))
    assert all(" " <= char <= "~" for char in drawn.text)
    assert len(drawn.text) == cell_len(text)


@pytest.mark.parametrize("chars", ["─━│┃╭╮╰╯├┤┬┼└▀█▏θŷ‖²ᵢ×·…–−∞", "".join(BRAILLE)])
def test_what_takes_one_cell_takes_one(chars: str) -> None:
    assert len(in_ascii(chars)) == len(chars)


def test_marks_stay_distinct() -> None:
    pins = [likeness(mark) for mark in (NOW, *(look.mark for look in LOOKS))]
    assert len(set(pins)) == len(pins)
    points = [likeness(mark) for mark in MARKS.values()]
    assert len(set(points)) == len(points)
    assert not set(points) & {*LEVELS, PLAIN_PATH}
    states = {SYMBOLS[state] for state in ("running", "paused", "finished", "converged", "diverged", "ready")}
    assert len({likeness(symbol) for symbol in states}) == len(states)


def test_no_line_of_a_curve_is_taken_for_a_mark() -> None:
    assert not {likeness(char) for char in BRAILLE} & {likeness(mark) for mark in (NOW, *(look.mark for look in LOOKS))}


def test_a_limit_that_applies_is_not_like_the_others_nor_like_the_learning_rate() -> None:
    assert len(set(map(likeness, "┬┤╳◆─◂▸"))) == 7


def test_dots_high_are_high_and_dots_low_are_low() -> None:
    assert "".join(map(likeness, "⠉⠒⠤⣀⡇⠁⡀⣿")) == "\"--_|'.%"


def test_numbers_keep_their_meaning() -> None:
    assert in_ascii("       ∞|") == "     inf|"
    assert in_ascii("-∞      |") == "-inf    |"
    assert in_ascii("−1.5 × 10¹²") == "-1.5 x 1012"
    assert not in_ascii("∞").isdigit()


def test_y_hat_is_not_y_and_words_are_not_multiplied() -> None:
    assert in_ascii("y ŷ m̂") == "y Y M"
    assert in_ascii("linear · tutorial") == "linear - tutorial"
    assert in_ascii("g·x") == "g*x"


def test_a_line_that_may_be_longer_is_spelled_out() -> None:
    text = "θ: 4.667 → 0, ‖g‖² ≤ ½, ŵ"
    assert text.encode("ascii", SPELLED) == rb"theta: 4.667 -> 0, ||g||^2 <= 1/2, \u0175"
    assert text.encode("latin-1", SPELLED) == b"theta: 4.667 -> 0, ||g||\xb2 <= \xbd, \\u0175"
