"""Deltas: after them a terminal shows what it shows after all that Textual writes, cell for cell, style for style."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from gdtui.terminal.delta import Shown
from gdtui.terminal.grid import Grid
from gdtui.terminal.traits import Traits
from tests.terminal.emulator import Emulator
from tests.terminal.frames import Update, sequences

EXAMPLES = int(os.environ.get("GDTUI_EXAMPLES", "300"))
"""Screens that are tried; more take their time."""

TRAITS = st.builds(Traits, erases_in_color=st.booleans(), repeats=st.booleans())


def check(
    updates: list[Update],
    traits: Traits,
    limits: list[int],
    wraps: bool,
    adds_cr: bool,
    scrolls: bool,
    is_exact: bool,
    cut: float,
) -> None:
    """Both terminals show the same after each update; a delta cut at its limit needs others."""
    size = updates[0].size
    plain = Emulator(*size)
    slow = Emulator(*size, wraps, adds_cr, traits.erases_in_color, scrolls)
    slow.resize(*size, "#")
    grid, shown = Grid(*size), Shown(traits)
    for update, limit in zip(updates, limits, strict=True):
        if update.size != size:
            size = update.size
            for one in (plain, slow):
                one.resize(*size, "#")
            grid.resize(*size)
            shown.forget()
        plain.feed(update.data)
        place = round(update.cut * len(update.data))
        assert grid.feed(update.data[:place]) + grid.feed(update.data[place:]) == ""
        if not limit:
            continue  # this frame is left out
        for _ in range(size[1] + 1):
            delta = shown.approach(grid, is_exact, limit)
            place = round(cut * len(delta))
            slow.feed(delta[:place])
            slow.feed(delta[place:])
            if not shown.is_behind:
                break
        assert slow.looks == plain.looks
        assert slow.cursor == plain.cursor


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_screen_equals_plain_textuals(data: st.DataObject) -> None:
    updates = data.draw(sequences())
    limits = [data.draw(st.sampled_from([1 << 30, 1 << 30, 30, 0])) for _ in updates[:-1]]
    check(
        updates,
        data.draw(TRAITS),
        [*limits, 1 << 30],
        *(data.draw(st.booleans()) for _ in range(4)),
        data.draw(st.floats(0, 1)),
    )
