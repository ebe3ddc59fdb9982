"""Picture: the loss chart, or the whole lab, as SVG."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.color import Color

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.figures import shortened
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.themes import DARK
from gdtui.dashboard.widgets.lines import Lines
from gdtui.experiment import InputError, printable

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from gdtui.dashboard.widgets.series import Plot
    from gdtui.descent.snapshot import Snapshot

SIZE = (120, 36)
"""Columns and rows of a picture that nobody has sized."""

COLORS = {"primary": DARK.primary, "secondary": DARK.secondary or "", **DARK.variables}
"""Of curves."""

LOOK_S = 0.01
"""Seconds between two looks at whether the lab shows what it is to show."""


def title(snapshot: Snapshot) -> str:
    """What a picture of this moment shows: `linear · tutorial · sgd b=1 lr 0.01 · epoch 42`."""
    e = snapshot.experiment
    data = shortened(snapshot.problem.dataset.name.rsplit("/", 1)[-1], 24)
    return printable(f"{e.problem} · {data} · {e.optimizer} b={e.batch_size} lr {e.lr:.6g} · epoch {snapshot.epoch:,}")


def chart_svg(plot: Plot, heading: str, caption: str, size: tuple[int, int] = SIZE) -> str:
    """A chart as SVG.

    Args:
        plot: its curves.
        heading: stands above it.
        caption: stands below it, at the right: what its axes are.
        size: columns and rows.
    """
    from gdtui.dashboard.widgets.plot import Ink, draw

    background, foreground = Color.parse(DARK.background or ""), Color.parse(DARK.foreground or "")
    base = Style(bgcolor=background.rich_color)

    def ink(color: Color) -> Style:
        return base + Style(color=color.rich_color)

    width, height = size
    label = ink(background.blend(foreground, 0.5))
    inks = Ink(base, ink(background.blend(foreground, 0.3)), label, ink(Color.parse(DARK.warning or "")), COLORS)
    rows = [list(strip) for strip in draw(plot, width, height - 1, inks).rows]
    rows.append([Segment(printable(caption)[:width].rjust(width), label)])
    console = Console(
        record=True, file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="truecolor"
    )
    for row in rows:
        console.print(Segments([*row, Segment.line()]), end="")
    theme = TerminalTheme(background.rgb, foreground.rgb, [background.rgb] * 8)
    return console.export_svg(title=printable(heading), theme=theme)


def loss_svg(snapshot: Snapshot, size: tuple[int, int] = SIZE) -> str:
    """The loss over the epochs of the run at this moment, on a log axis where it can be, as SVG."""
    from gdtui.dashboard.curves import XAxis, loss_plot

    plot = loss_plot(snapshot, XAxis.EPOCHS, log_y=True, color="primary")
    caption = f"loss, {'log' if plot.log_y else 'linear'} y · {XAxis.EPOCHS.value}"
    return chart_svg(plot, title(snapshot), caption, size)


def lab_svg(snapshot: Snapshot, size: tuple[int, int] = SIZE) -> str:
    """The whole lab at this moment as SVG, all panes measured; nothing is written to the terminal.

    Raises:
        InputError: if the experiment's data can no longer be loaded.
    """
    app = LabApp(Opening(snapshot.experiment, is_kept=False))
    pictures: list[str] = []

    async def draw(pilot: Pilot[object]) -> None:
        lab = app.screen_stack[0]
        assert isinstance(lab, LabScreen)

        async def show() -> None:
            lab.player.show(snapshot)

        def is_measured() -> bool:
            return lab.reader.findings is not None and lab.reader.findings.reading.snapshot is snapshot

        while app.is_running and lab.player.snapshot is None:
            await asyncio.sleep(LOOK_S)
        lab.player.ask(show)
        while app.is_running and (not is_measured() or any(pane.is_behind for pane in lab.query(Lines))):
            await asyncio.sleep(LOOK_S)
        if app.is_running:
            await pilot.pause()
            pictures.append(app.export_screenshot(title=title(snapshot)))
            app.exit()

    app.run(headless=True, size=size, auto_pilot=draw)
    if app.failure:
        raise InputError("", app.failure)
    return pictures[0]
