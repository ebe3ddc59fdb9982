"""Landscape: f around θ: its curve, its map, or a slice along the step; and the newest update taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.strip import Strip

from gdtui.dashboard.keymap import key_of
from gdtui.dashboard.widgets.inks import LEVELS, MARKS, NO_SHADES, PLAIN_PATH, Ink
from gdtui.dashboard.widgets.lines import Lines
from gdtui.dashboard.widgets.steps import anatomy_lines

if TYPE_CHECKING:
    from gdtui.dashboard.widgets.scenery import Scenery
    from gdtui.insight.anatomy import Anatomy
    from gdtui.insight.terrain import Terrain

PLOT_ROWS = 5
"""Lines that an anatomy leaves to the picture."""

KNOWN = 1_000
"""Drawn rows that are remembered."""


class Landscape(Lines, can_focus=True):
    """f around θ, from a `Terrain`; below it, where one is given, the newest update's anatomy.

    A map's heights are shades, low ones next to the background; where there can be none, they are characters.
    Every mark is a character of its own.
    """

    DEFAULT_CSS = """
    Landscape {
        & > .landscape--axis { color: $foreground 30%; }
        & > .landscape--label { color: $foreground 50%; }
        & > .landscape--low { color: $primary 4%; }
        & > .landscape--high { color: $primary 45%; }
        & > .landscape--line { color: $foreground 24%; }
        & > .landscape--level { color: $foreground 40%; }
        & > .landscape--curve { color: $primary; }
        & > .landscape--fit { color: $secondary 70%; }
        & > .landscape--tangent { color: $accent; }
        & > .landscape--path { color: $accent; }
        & > .landscape--start { color: $foreground; }
        & > .landscape--minimum { color: $success; text-style: bold; }
        & > .landscape--next { color: $accent; }
        & > .landscape--now { color: $accent; text-style: bold; }
        &:nocolor > .landscape--fit { color: $foreground 40%; }
        & > .landscape--text { color: $foreground; }
        & > .landscape--dim { color: $text-muted; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"landscape--{ink.name.lower()}" for ink in Ink if ink),
        *(f"landscape--{part}" for part in ("axis", "label", "low", "high", "text", "dim")),
    }

    def __init__(
        self,
        *,
        relief: str = "auto",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """`relief`: how a map shows heights: in blocks, in levels (characters), or auto: as the terminal can."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._relief = relief
        self._terrain: Terrain | None = None
        self._anatomy: Anatomy | None = None
        self._scenery: Scenery | None = None
        self._rows: dict[bytes, Strip] = {}
        self._styles: dict[tuple[int, int], Style] = {}
        self._shades: list[Color] = []
        self._status = ""

    def show(self, terrain: Terrain | None, anatomy: Anatomy | None = None) -> None:
        """Show this from now on; only the lines that changed are sent."""
        self._terrain, self._anatomy = terrain, anatomy
        self.redraw()
        self._describe()

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        self._describe()

    def notify_style_update(self) -> None:
        """Forget the colours of before."""
        super().notify_style_update()
        self._rows, self._styles, self._shades = {}, {}, []

    # --- drawing -----------------------------------------------------------------------------------------------------

    def draw(self) -> list[Strip]:
        """The picture, and the anatomy below it."""
        width, height = self.size
        terrain = self._terrain
        if terrain is None:
            text = f"{key_of(self.app, 'run')} runs · {key_of(self.app, 'update')} makes one update"
            return [self._line([(text, "dim")])]
        table = anatomy_lines(self._anatomy, width, height - PLOT_ROWS) if self._anatomy is not None else []
        height -= len(table)
        if terrain.shape is None:
            strips = [self._line([("there is no step to draw f along", "dim")])]
            strips += [self._line([])] * (height - 1)
        else:
            strips = self._picture(terrain, width, height)
        return strips + [self._line(line) for line in table]

    def _picture(self, terrain: Terrain, width: int, height: int) -> list[Strip]:
        from gdtui.dashboard.widgets import scenery
        from gdtui.dashboard.widgets.frame import surrounded

        self._scenery = scenery.draw(terrain, width, height, self._has_blocks, self._scenery)
        if len(self._rows) > KNOWN:
            self._rows = {}
        frame, rows = self._scenery.frame, self._scenery.canvas.strips(self._style, self._rows)
        return surrounded(frame, self._scenery.canvas, rows, self._part("axis"), self._part("label"))

    def _line(self, parts: list[tuple[str, str]]) -> Strip:
        """A line of texts, each in the style of a part."""
        segments = [Segment(text, self._part(part)) for text, part in parts]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    # --- styles ------------------------------------------------------------------------------------------------------

    @property
    def _has_blocks(self) -> bool:
        """Whether a map's heights are shades."""
        return self._relief == "blocks" or (self._relief == "auto" and not self.app.has_class(NO_SHADES))

    def _part(self, part: str) -> Style:
        return self.get_component_rich_style(f"landscape--{part}")

    def _style(self, ink: int, ground: int) -> Style:
        """An ink's style on a shade; an ink below 0 is a shade itself, the upper half of a cell."""
        key = (ink, ground)
        if key not in self._styles:
            style = self.rich_style if ink <= 0 else self._part(Ink(ink).name.lower())
            if ink < 0:
                style += Style(color=self._shade(-ink).rich_color)
            if ground > 0:
                style += Style(bgcolor=self._shade(ground).rich_color)
            self._styles[key] = style
        return self._styles[key]

    def _shade(self, ground: int) -> Color:
        """The colour of a band of heights, from 1."""
        if not self._shades and self.app.console.color_system == "256":
            # So few colours are dark, or light, that the shades would run together; there are more greys.
            first, step = (18, 10) if self.app.current_theme.dark else (248, -10)
            greys = range(first, first + step * len(LEVELS), step)
            self._shades = [Color(value, value, value) for value in greys]
        elif not self._shades:
            low, high = (Color.from_rich_color(self._part(part).color) for part in ("low", "high"))
            self._shades = [low.blend(high, k / (len(LEVELS) - 1)) for k in range(len(LEVELS))]
        return self._shades[min(ground, len(self._shades)) - 1]

    # --- the border --------------------------------------------------------------------------------------------------

    def _describe(self) -> None:
        """What the marks are, as far as there is room in the border."""
        status = ""
        for text in _descriptions(self._terrain, self._has_blocks) if self._terrain is not None else []:
            longer = f"{status} · {text}" if status else text
            status = longer if len(longer) <= self.outer_size.width - 6 else status
        if status != self._status:
            self._status = status
            self.border_subtitle = Content(status)


def _descriptions(terrain: Terrain, has_blocks: bool) -> list[str]:
    """What is to be said of a picture, the most important first: nothing that is another from frame to frame."""
    from gdtui.insight.terrain import Map, Slice

    n, samples, shape = terrain.objective.problem.n, terrain.objective.samples, terrain.shape
    texts = [f"f of {samples:,} of {n:,}"] if samples < n else []
    start, minimum, to_come, now = (MARKS[ink] for ink in (Ink.START, Ink.MINIMUM, Ink.NEXT, Ink.NOW))
    if isinstance(shape, Slice) and shape.is_to_come:
        return [*texts, f"{now} now {to_come} next"]
    if isinstance(shape, Slice):
        return [*texts, f"{start} before {now} now", f"{minimum} fit", "x in steps"]
    legend = f"{now} now"
    if terrain.to_come is not None:
        is_full = terrain.snapshot.experiment.batch_size == "full"
        legend += f" {to_come} next" if is_full else f" {to_come} mean next"
    texts.append(legend)
    if len(terrain.objective.minima):
        texts.append(f"{minimum} minimum")
    texts.append(f"{start} start")
    if isinstance(shape, Map) and not has_blocks:
        texts.insert(0, f"{PLAIN_PATH} path")
    return texts
