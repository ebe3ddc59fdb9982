"""Pictures of the panes that show another program's training, beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from probes import many, training_of
from textual.app import App, ComposeResult
from textual.containers import Horizontal

from gdtui.dashboard.ascii import Ascii
from gdtui.dashboard.themes import DARK
from gdtui.dashboard.widgets.cloud import Cloud
from gdtui.dashboard.widgets.readings import Readings
from gdtui.dashboard.widgets.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.filter import LineFilter

PROBE = many(256, step=1_200, sharpness=8.6, lambda_min=-0.3, update_size=0.0123, distance=1.7, alpha=-0.4)


class Panes(App[None]):
    CSS = """
    Cloud, Readings, Samples { border: round $border-blurred; border-subtitle-color: $text-muted; padding: 0 1; }
    Horizontal { height: 60%; }
    Cloud { width: 1fr; }
    Readings { width: 44; }
    Samples { height: 1fr; }
    """
    AUTO_FOCUS = None

    def __init__(self, is_ascii: bool) -> None:
        super().__init__()
        self.is_ascii = is_ascii
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Cloud()
            yield Readings()
        yield Samples()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *([Ascii()] if self.is_ascii else [])]

    def on_mount(self) -> None:
        samples = self.query_one(Samples)
        samples.show_moment(PROBE)
        self.query_one(Cloud).show(PROBE)
        self.query_one(Readings).show(training_of(PROBE, np.exp(-np.arange(121) / 40), lr=0.1, batch_size="64"))

    def sort_by_gradient(self) -> None:
        for _ in range(3):
            self.query_one(Samples).sort_by_next_column()


@pytest.mark.parametrize("is_ascii", [False, True], ids=["all", "ascii"])
@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_picture_of_a_probe(snap_compare: Callable[..., bool], size: tuple[int, int], is_ascii: bool) -> None:
    app = Panes(is_ascii)

    async def sorted_by_gradient(pilot: object) -> None:
        await pilot.pause()  # type: ignore[attr-defined]
        app.sort_by_gradient()
        await pilot.pause()  # type: ignore[attr-defined]

    assert snap_compare(app, terminal_size=size, run_before=sorted_by_gradient)
