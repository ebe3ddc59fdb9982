"""Sweep curves: the losses of all runs of a sweep over their epochs, those of the selected point in front."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from gdtui.dashboard.gauges import wrapped
from gdtui.dashboard.widgets.lines import Lines
from gdtui.experiment import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from gdtui.dashboard.widgets.curvefield import Raster
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.curves import Curves

EMPTY = "all runs' losses, as soon as the first one is kept"

PARTS = ("few", "some", "many", "curve", "mark", "axis", "number", "dim")

KNOWN = 1_000
"""Drawn rows that are remembered."""


class SweepCurves(Lines, can_focus=True):
    """Dots where runs have been, the brighter the more of them; in front, with marks on it, what is selected."""

    DEFAULT_CSS = """
    SweepCurves {
        & > .sweep-curves--few { color: $foreground 28%; }
        & > .sweep-curves--some { color: $foreground 42%; }
        & > .sweep-curves--many { color: $foreground 62%; }
        & > .sweep-curves--curve { color: $primary; }
        & > .sweep-curves--mark { color: $primary; text-style: bold; }
        & > .sweep-curves--axis { color: $foreground 30%; }
        & > .sweep-curves--number { color: $foreground 50%; }
        & > .sweep-curves--dim { color: $text-muted; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"sweep-curves--{part}" for part in PARTS}

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._curves: Curves | None = None
        self._selected: Sequence[Array] = ()
        self._name = ""
        self._log_y = False
        self._raster: Raster | None = None
        self._rows: dict[bytes, Strip] = {}
        self._status = ""

    def show(
        self,
        curves: Curves | None,
        selected: Sequence[Array] = (),
        name: str = "",
        log_y: bool = True,
        raster: Raster | None = None,
    ) -> None:
        """Show a sweep's curves; only the lines that changed are sent.

        Args:
            curves: of all runs; None: there are none yet.
            selected: the curves in front, epochs and losses, each of shape (e, 2).
            name: what those are of.
            log_y: the losses on a logarithmic axis.
            raster: the curves as `curvefield.rasterised` has drawn them at this size; otherwise that is done here.
        """
        self._curves, self._selected, self._name, self._log_y = curves, selected, name, log_y
        if raster is not None:
            self._raster = raster
        self.redraw()
        self._describe()

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        self._describe()

    def notify_style_update(self) -> None:
        """Forget the colours of before."""
        super().notify_style_update()
        self._rows = {}

    # --- drawing -----------------------------------------------------------------------------------------------------

    def draw(self) -> list[Strip]:
        """The curves with the numbers around them, or what is to come."""
        width, height = self.size
        curves = self._curves
        if curves is None or not len(curves.losses):
            lines = [Strip([Segment(line, self._part("dim"))]) for line in wrapped(EMPTY, width)]
            return [line.adjust_cell_length(width, self.rich_style) for line in lines]
        from gdtui.dashboard.widgets.curvefield import rasterised, with_selected
        from gdtui.dashboard.widgets.frame import surrounded

        if self._raster is None or not self._raster.fits(curves, width, height, self._log_y):
            self._raster = rasterised(curves, width, height, self._log_y)
        if len(self._rows) > KNOWN:
            self._rows = {}
        canvas = with_selected(self._raster, self._selected)
        rows = canvas.strips(self._style, self._rows)
        return surrounded(self._raster.frame, canvas, rows, self._part("axis"), self._part("number"))

    def _part(self, part: str) -> Style:
        return self.get_component_rich_style(f"sweep-curves--{part}")

    def _style(self, ink: int, _ground: int) -> Style:
        from gdtui.dashboard.widgets.curvefield import Ink

        return self._part(Ink(ink).name.lower()) if ink else self.rich_style

    # --- the border --------------------------------------------------------------------------------------------------

    def _describe(self) -> None:
        """What is in front, and how many curves there are, as far as the border has room."""
        room = self.outer_size.width - 6
        status = next((text for text in self._descriptions() if cell_len(text) <= room), "")
        if status != self._status:
            self._status = status
            self.border_subtitle = Content(status)

    def _descriptions(self) -> list[str]:
        """The fullest first."""
        if self._curves is None or not len(self._curves.losses):
            return []
        count = len(self._curves.losses)
        runs = f"{count:,} run{'' if count == 1 else 's'}"
        if not self._selected:
            return [runs]
        name = f"● {printable(self._name)}" if self._name else "● selected"
        return [f"{name} · {runs} · by epochs", f"{name} · {runs}", name]
