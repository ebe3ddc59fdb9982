"""Panes: what the lab is laid out of; each can be hidden, and zoomed to the whole screen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rich.cells import cell_len
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import Input

from gdtui.dashboard.screens.layer import Layer
from gdtui.dashboard.widgets.caption import Caption
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.runs import Runs
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import Cramped, KeyBar, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult

    from gdtui.experiment import Experiment

    W = TypeVar("W", bound="Widget")

PANES = {
    "lesson": "0 Lesson",
    "experiment": "1 Experiment",
    "loss": "2 Loss",
    "overlay": "",  # the instrument that it shows
    "samples": "3 Samples",
    "landscape": "4 Landscape",
    "insight": "5 Insight",
    "runs": "6 Runs",
    "log": "7 Log",
}


class PanesScreen(Layer[None]):
    """The lab's panes, without what they show.

    Attributes:
        hidden: the panes that a person wants hidden, by their ids.
    """

    AUTO_FOCUS = ""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self._experiment = experiment
        self.hidden: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Status, panes, keys."""
        yield Status(id="status")
        yield _titled(Caption(id="lesson", classes="pane"))
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield _titled(Controls(self._experiment, id="experiment", classes="pane"))
                yield _titled(Runs(id="runs", classes="pane"))
            with Vertical(id="right"):
                with Horizontal(id="lab"):
                    with Vertical(id="middle"):
                        yield _titled(Chart(id="loss", classes="pane"))
                        yield _titled(Chart(id="overlay", classes="pane -off"))
                        yield _titled(Samples(id="samples", classes="pane"))
                    yield Vertical(id="side")
                yield _titled(Log(id="log", classes="pane"))
        yield KeyBar(id="keys")
        yield Cramped()

    async def mount_side(self) -> None:
        """The panes of the side, which have nothing to show yet: the first frame need not wait for them."""
        from gdtui.dashboard.widgets.insight import Insight
        from gdtui.dashboard.widgets.landscape import Landscape

        panes = Landscape(id="landscape", classes="pane"), Insight(id="insight", classes="pane")
        await self.query_one("#side").mount_all(_titled(pane) for pane in panes)

    @contextmanager
    def unless_leaving(self) -> Iterator[None]:
        """While the app ends its widgets go one after the other: what cannot be shown any more need not be."""
        try:
            yield
        except NoMatches:
            if self.app.is_running:
                raise

    def show_again(self) -> None:
        """Draw what is not drawn while it is hidden."""

    def subtitle(self, widget: Widget, *texts: str) -> None:
        """Set what stands in a pane's lower border: the first text that fits in whole, if any does."""
        room = widget.outer_size.width - 4  # for the corners and a blank beside each
        content = Content(next((text for text in texts if cell_len(text) <= room), ""))
        if widget.border_subtitle != content.markup:
            widget.border_subtitle = content

    def action_toggle_pane(self, pane: str) -> None:
        """Show or hide a pane; one that has no place beside the others takes all of the screen."""
        widget = self.query_one(f"#{pane}")
        if self.has_class("-zoomed"):
            is_zoomed = widget.has_class("-zoom")
            self.unzoom()
            if not is_zoomed:
                self._zoom(widget)
        elif pane == "experiment" and not self.has_class("-wide"):
            self.toggle_class("-drawer")
            self.call_after_refresh(self.show_again)
        else:
            is_off = not widget.has_class("-off") and bool(widget.region.area)
            widget.set_class(is_off, "-off")
            self.hidden = self.hidden | {pane} if is_off else self.hidden - {pane}
            self._close_up()
            self.call_after_refresh(self.reach, widget)

    def reach(self, pane: Widget) -> None:
        """Let a pane that is not off be seen, and draw what has come into sight."""
        if pane.has_class("-off") or pane.region.area or self.has_class("-zoomed"):
            self.show_again()
        else:
            self._zoom(pane)

    def hide_unwanted(self) -> None:
        """Hide the panes that are to be hidden, as far as they are mounted."""
        for pane in self.query(".pane"):
            if pane.id in self.hidden:
                pane.add_class("-off")
        self._close_up()

    def _close_up(self) -> None:
        """Leave no gap where all panes of a column are hidden."""
        for column in ("left", "middle", "side"):
            panes = self.query_one(f"#{column}").query(".pane")
            self.query_one(f"#{column}").set_class(all(pane.has_class("-off") for pane in panes), "-off")

    def action_zoom(self) -> None:
        """The focused pane on the whole screen, or back."""
        if self.has_class("-zoomed"):
            self.unzoom()
        elif (pane := self._focused_pane()) is not None:
            self._zoom(pane)

    def _zoom(self, pane: Widget) -> None:
        pane.add_class("-zoom")
        for container in self.query("#body Horizontal, #body Vertical").exclude("Controls *"):
            container.set_class(pane not in container.query(".pane"), "-empty")
        self.add_class("-zoomed")
        self.call_after_refresh(self.show_again)

    def unzoom(self) -> None:
        """All panes beside each other again."""
        self.remove_class("-zoomed")
        for pane in self.query(".pane"):
            pane.remove_class("-zoom")
        self.call_after_refresh(self.show_again)

    def show_lesson(self, is_shown: bool) -> None:
        """Show or hide what a lesson says; on a flat terminal it takes the panes' place."""
        self.set_class(is_shown, "-taught")
        caption = self.query_one(Caption)
        if is_shown and self.has_class("-flat"):
            caption.focus()  # it may have to be scrolled
        elif self.focused is caption:
            self.set_focus(None)
        self.call_after_refresh(self.show_again)

    def on_descendant_focus(self) -> None:
        """Show the keys that are of use there."""
        self._show_keys()

    def on_descendant_blur(self) -> None:
        """Show them no longer."""
        self._show_keys()

    def _show_keys(self) -> None:
        pane = self._focused_pane()
        name = "field" if isinstance(self.focused, Input) else pane.id or "" if pane is not None else ""
        with self.unless_leaving():
            self.query_one(KeyBar).show_pane(name)

    def _focused_pane(self) -> Widget | None:
        nodes = self.focused.ancestors_with_self if self.focused is not None else []
        return next((node for node in nodes if node.id in PANES and isinstance(node, Widget)), None)

    def action_help(self) -> None:
        """The pane that one looks at explained, and the keys."""
        zoomed = next((pane.id or "" for pane in self.query(".-zoom")), "")
        focused = self._focused_pane()
        self.explain(focused.id or "" if focused is not None else zoomed)

    def explain(self, topic: str) -> None:
        """A topic or a pane explained; nothing in particular where it is empty."""
        from gdtui.dashboard.screens.help import HelpScreen

        show = self.app.switch_screen if isinstance(self.app.screen, HelpScreen) else self.app.push_screen
        show(HelpScreen(topic))

    def action_leave(self) -> None:
        """One layer out: a field, a zoomed pane, the focus, the drawer."""
        if isinstance(self.focused, Input) and self.query_one(Controls) in self.focused.ancestors:
            self.query_one(Controls).give_up(self.focused)
            self.set_focus(None)
        elif self.has_class("-zoomed"):
            self.unzoom()
        elif self.has_class("-taught") and self.has_class("-flat"):
            self.show_lesson(False)
        elif self.focused is not None:
            self.set_focus(None)
        else:
            self.remove_class("-drawer")
            self.call_after_refresh(self.show_again)


def _titled(pane: W) -> W:
    pane.border_title = PANES[pane.id or ""]
    return pane
