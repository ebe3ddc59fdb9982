"""Cloud: every sample's gradient as a point of a plane, along their mean's direction and across it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from gdtui.dashboard.gauges import wrapped
from gdtui.dashboard.widgets.lines import Lines

if TYPE_CHECKING:
    from rich.style import Style

    from gdtui.dashboard.widgets.pointcloud import Points, Reach
    from gdtui.training.moment import Moment

EMPTY = "no gradients yet: gdtui.torch.Watcher records them"
PLACELESS = "no direction: they are 0, not finite, or told as norms alone; run.samples takes whole gradients"

PARTS = ("zero", "point", "against", "label", "mean", "axis", "number", "dim")


class Cloud(Lines, can_focus=True):
    """The gradients of a probe's samples; those at the left of the line at 0 pull against the step."""

    DEFAULT_CSS = """
    Cloud {
        & > .cloud--zero, & > .cloud--axis { color: $foreground 30%; }
        & > .cloud--number { color: $foreground 50%; }
        & > .cloud--point { color: $primary; }
        & > .cloud--against { color: $secondary; }
        & > .cloud--label { color: $foreground; }
        & > .cloud--mean { color: $accent; text-style: bold; }
        & > .cloud--dim { color: $text-muted; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"cloud--{part}" for part in PARTS}

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._moment: Moment | None = None
        self._points: Points | None = None
        self._reach: Reach | None = None
        self._status = ""

    def show(self, moment: Moment | None) -> None:
        """Show the gradients of this moment from now on; only the lines that changed are sent."""
        from gdtui.dashboard.widgets.pointcloud import points_of, reach_of

        self._moment = moment
        self._points = points_of(moment) if moment is not None else None
        self._reach = reach_of(self._points, self._reach) if self._points is not None else None
        self.redraw()
        self._describe()

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        self._describe()

    def draw(self) -> list[Strip]:
        """The points with the numbers around them, or what would bring some."""
        width, height = self.size
        moment, points, reach = self._moment, self._points, self._reach
        if moment is None or points is None or reach is None or not len(points.places):
            segments = [Segment(line, self._part("dim")) for line in wrapped(what_is_missing(moment), width)]
            return [Strip([segment]).adjust_cell_length(width, self.rich_style) for segment in segments]
        from gdtui.dashboard.widgets.frame import surrounded
        from gdtui.dashboard.widgets.pointcloud import draw

        canvas, frame = draw(moment, points, reach, width, height)
        rows = canvas.strips(self._style, {})
        return surrounded(frame, canvas, rows, self._part("axis"), self._part("number"))

    def _part(self, part: str) -> Style:
        return self.get_component_rich_style(f"cloud--{part}")

    def _style(self, ink: int, _ground: int) -> Style:
        from gdtui.dashboard.widgets.pointcloud import Ink

        return self._part(Ink(ink).name.lower()) if ink else self.rich_style

    def _describe(self) -> None:
        """How many gradients, and how many of them pull against the step, as far as the border has room."""
        room = self.outer_size.width - 6
        status = next((text for text in _descriptions(self._moment, self._points) if len(text) <= room), "")
        if status != self._status:
            self._status = status
            self.border_subtitle = Content(status)


def what_is_missing(moment: Moment | None) -> str:
    """What would bring the gradients of which nothing is known."""
    return PLACELESS if moment is not None and moment.has_gradients else EMPTY


def _descriptions(moment: Moment | None, points: Points | None) -> list[str]:
    """What is to be said of the points, the fullest first."""
    if moment is None or points is None or not len(points.places):
        return []
    drawn, missing = len(points.places), len(moment.samples) - len(points.places)
    against = f"{int(points.is_against.sum()):,} against"
    texts = [f"{drawn:,} gradient{'' if drawn == 1 else 's'}", against]
    texts += [f"{missing:,} without a place"] if missing else []
    return [" · ".join([*texts, "◆ mean"]), " · ".join(texts), " · ".join(texts[:2]), against]
