"""Grid: what Textual writes, as cells; and what is not cells, as it came."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdtui.terminal.cells import PLAIN, style_of
from gdtui.terminal.grid import Grid
from tests.terminal.emulator import Emulator
from tests.terminal.frames import sequences

OTHERS = [
    "\x1b[?1049h",
    "\x1b[?25l",
    "\x1b[>25u",
    "\x1b[<u",
    "\x1b[?2026$p",
    "\x1b[?2048h",
    "\x1b[6n",
    "\x1b]0;a title\x07",
    "\x1b]52;c;Y29waWVk\x07",
    "\x1b]22;pointer\x1b\\",
    "\x07",
    "\x1bPq#0;2;0;0;0\x1b\\",
    "\x1b_Ga=d\x1b\\",
    "\x1bPtmux;\x1b\x1b[1;1H\x1b\\",
    "\x1b[>4;1m",
]


def looks(grid: Grid) -> list[list[tuple[str, tuple[str, ...], str, str, str]]]:
    """The grid as the emulator says it."""
    e = Emulator(1, 1)
    rows = []
    for row in grid.rows:
        cells = []
        for cell in row:
            e.feed(PLAIN.change_to(cell.style))
            cells.append(e._look(e._cell(cell.text)))
            e.feed(cell.style.change_to(PLAIN))
        rows.append(cells)
    return rows


def text(grid: Grid) -> list[str]:
    return ["".join(cell.text for cell in row).rstrip() for row in grid.rows]


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_it_has_what_a_terminal_shows(data: st.DataObject) -> None:
    updates = data.draw(sequences())
    grid, emulator = Grid(*updates[0].size), Emulator(*updates[0].size)
    for update in updates:
        if update.size != (grid.width, grid.height):
            grid.resize(*update.size)
            emulator.resize(*update.size, " ")
        emulator.feed(update.data)
        grid.feed(update.data)
        assert looks(grid) == emulator.looks
        assert grid.cursor == emulator.cursor


@given(parts=st.lists(st.sampled_from([*OTHERS, "\x1b[2;3Hab", "\x1b[1mx\x1b[0m", "漢"]), max_size=8), data=st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_not_cells_passes_in_order_wherever_writes_are_cut(parts: list[str], data: st.DataObject) -> None:
    written = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=6)))
    pieces = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    whole, cut = Grid(20, 5), Grid(20, 5)
    assert whole.feed(written) == "".join(part for part in parts if part in OTHERS)
    assert "".join(cut.feed(piece) for piece in pieces) == "".join(part for part in parts if part in OTHERS)
    assert looks(cut) == looks(whole)


def test_marks_of_synchronized_output_are_dropped() -> None:
    grid = Grid(10, 2)
    assert grid.feed("\x1b[?2026h\x1b[1;1Hab\x1b[?2026l") == ""
    assert text(grid)[0] == "ab"


def test_a_blank_is_the_same_whatever_its_letters_would_be() -> None:
    grid = Grid(3, 1)
    grid.feed("\x1b[1;1H\x1b[1;31;44m \x1b[0m\x1b[32;44m \x1b[0m\x1b[4;44m \x1b[0m")
    first, second, underlined = grid.rows[0]
    assert first is second
    assert first is not underlined


STYLED = "\x1b[1;4m"


@pytest.mark.parametrize(("written", "is_styled"), [(f" {STYLED}\u0323", False), ("\x1b[1m \x1b[m\u0323", True)])
def test_a_mark_on_a_blank_has_the_blank_s_style(written: str, is_styled: bool) -> None:
    plain, grid = Emulator(3, 1), Grid(3, 1)
    plain.feed(written)
    grid.feed(written)
    cell = grid.rows[0][0]
    assert cell.text == " \u0323"
    assert bool(cell.style.attributes) == is_styled == bool(plain.looks[0][0][1])


def test_half_of_a_wide_character_is_blank() -> None:
    grid = Grid(6, 1)
    grid.feed("\x1b[1;1H漢字\x1b[1;2Hx")
    assert text(grid) == [" x字"]
    grid.feed("\x1b[1;3Hy")
    assert text(grid) == [" xy"]


def test_a_strip_that_is_too_long_ends_at_the_edge() -> None:
    grid = Grid(4, 2)
    grid.feed("\x1b[1;3Habc\n\x1b[9;9Hz")
    assert text(grid) == ["  ab", "   z"]


@pytest.mark.parametrize(
    ("written", "rows"),
    [
        ("abc\r\nd\bx", ["abc", "x"]),
        ("abc\x1b[Hx\x1b[2Bz", ["xbc", "", " z"]),
        ("abcd\x1b[2G\x1b[K", ["a"]),
        ("abcd\x1b[2G\x1b[1K", ["  cd"]),
        ("abcd\r\nefgh\x1b[1;3H\x1b[J", ["ab"]),
        ("abcd\x1b[2J", []),
        ("a\tb", ["a       b"]),
        ("a\x00\x0eb\x9bc", ["abc"]),
    ],
)
def test_richs_own_controls(written: str, rows: list[str]) -> None:
    grid = Grid(10, 3)
    grid.feed("\x1b[1;1H" + written)
    assert text(grid) == [*rows, "", "", ""][:3]


@pytest.mark.parametrize(
    ("one", "other", "sequence"),
    [
        ((0, "", ""), (1, "31", ""), "\x1b[1;31m"),
        ((1, "31", ""), (0, "", ""), "\x1b[m"),
        ((1, "31", "44"), (1, "32", "44"), "\x1b[32m"),
        ((1, "38;2;1;2;3", "48;2;1;2;3"), (0, "38;2;1;2;3", "48;2;1;2;3"), "\x1b[22m"),
        ((3, "38;2;1;2;3", "48;2;1;2;3"), (2, "38;2;1;2;3", "48;2;1;2;3"), "\x1b[22;2m"),
        ((15, "31", "44"), (0, "32", ""), "\x1b[0;32m"),
    ],
)
def test_a_change_of_style_says_the_least(
    one: tuple[int, str, str], other: tuple[int, str, str], sequence: str
) -> None:
    assert style_of(*one, "").change_to(style_of(*other, "")) == sequence
