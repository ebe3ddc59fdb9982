"""Pictures of the sweep screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from labs import rows_of, until
from test_sweep_screen import kept

import gdtui.sweeps.ledger as ledger_module
from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.widgets.lines import Lines
from gdtui.sweeps.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

SMALL, MIDDLE, LARGE = (80, 24), (120, 36), (200, 60)
OVER = "lr=log:0.001:0.3:20", "batch-size=1,2,full", "momentum=0,0.5"


@pytest.mark.parametrize(
    ("size", "keys", "is_made"),
    [
        pytest.param(SMALL, [], True, id="80x24"),
        pytest.param(MIDDLE, ["left"], True, id="120x36"),
        pytest.param(LARGE, ["right_square_bracket", "v"], True, id="200x60"),
        pytest.param(MIDDLE, [], False, id="waiting-120x36"),
    ],
)
def test_picture_of_a_sweep(
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    keys: list[str],
    is_made: bool,
) -> None:
    monkeypatch.setattr(ledger_module, "new_id", lambda: "5eed1234")
    sweep = kept(*OVER, line="epochs=60", is_made=is_made)
    with Ledger().store.writing() as connection:
        connection.execute("UPDATE sweep SET seconds = 1.5")
    app = LabApp(Opening(sweep=Ledger().named(sweep.id)))

    async def shown(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "┃" in "\n".join(rows_of(app)))
        await until(pilot, lambda: app.screen_stack[0].seen.is_whole)  # type: ignore[attr-defined]
        for key in keys:
            await pilot.press(key)
        await pilot.pause(0.5)
        await until(pilot, lambda: not any(pane.is_behind for pane in app.screen_stack[0].query(Lines)))
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=shown)
