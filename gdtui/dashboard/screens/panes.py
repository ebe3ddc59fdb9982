"""Panes: what the lab is laid out of; each can be hidden, and zoomed to the whole screen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.cells import cell_len
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import Input

from gdtui.dashboard.keymap import LAB
from gdtui.dashboard.screens.layer import Layer
from gdtui.dashboard.widgets.caption import Caption
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.runs import Runs
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import Cramped, KeyBar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from textual.app import ComposeResult

    from gdtui.dashboard.screens.export import Source

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
    """The panes of a main screen, without what they show.

    Attributes:
        kind: which of the main screens it is, for its commands.
        titles: what stands above the panes, by their ids.
        hidden: the panes that a person wants hidden, by their ids.
    """

    AUTO_FOCUS = ""

    kind: ClassVar[str] = LAB
    titles: ClassVar[Mapping[str, str]] = PANES

    def __init__(self) -> None:
        super().__init__()
        self.hidden: frozenset[str] = frozenset()

    def head(self) -> Iterable[Widget]:
        """What stands above the panes: the status line."""
        raise NotImplementedError

    def first_pane(self) -> Widget:
        """Pane 1: what is run."""
        raise NotImplementedError

    def side_panes(self) -> Sequence[Widget]:
        """The panes of the side, which have nothing to show yet: the first frame need not wait for them."""
        raise NotImplementedError

    async def open_run(self, id: str) -> None:
        """Show the kept run of that id in place of this one."""
        raise NotImplementedError

    def source(self) -> Source | None:
        """What can be written to files of the moment that is shown; None where there is nothing yet."""
        raise NotImplementedError

    @property
    def is_moving(self) -> bool:
        """Moment follows moment."""
        raise NotImplementedError

    def end_welcome(self) -> None:
        """The first key is pressed."""

    def end(self) -> None:
        """Keep the last of what is shown; after the app has ended, or another main screen has come."""

    def compose(self) -> ComposeResult:
        """Status, panes, keys."""
        yield from self.head()
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield self.titled(self.first_pane())
                yield self.titled(Runs(id="runs", classes="pane"))
            with Vertical(id="right"):
                with Horizontal(id="lab"):
                    with Vertical(id="middle"):
                        yield self.titled(Chart(id="loss", classes="pane"))
                        yield self.titled(Chart(id="overlay", classes="pane -off"))
                        yield self.titled(Samples(id="samples", classes="pane"))
                    yield Vertical(id="side")
                yield self.titled(Log(id="log", classes="pane"))
        yield KeyBar(id="keys")
        yield Cramped()

    async def mount_side(self) -> None:
        """Mount the panes of the side."""
        await self.query_one("#side").mount_all(map(self.titled, self.side_panes()))

    def titled(self, pane: W) -> W:
        """A pane with what stands above it."""
        pane.border_title = self.titles[pane.id or ""]
        return pane

    @contextmanager
    def unless_leaving(self) -> Iterator[None]:
        """While the screen goes its widgets go one after the other: what cannot be shown any more need not be."""
        try:
            yield
        except NoMatches:
            if self.app.is_running and self in self.app.screen_stack:
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
        controls = (
            next((node for node in self.focused.ancestors if isinstance(node, Controls)), None)
            if self.focused
            else None
        )
        if isinstance(self.focused, Input) and controls is not None:
            controls.give_up(self.focused)
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
