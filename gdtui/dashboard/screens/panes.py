"""Panes: what the lab is laid out of; each can be hidden, and zoomed to the whole screen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.cells import cell_len
from textual.containers import Horizontal
from textual.content import Content
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import Input

from gdtui.dashboard.keymap import LAB
from gdtui.dashboard.screens.layer import Layer
from gdtui.dashboard.widgets.caption import Caption
from gdtui.dashboard.widgets.controls import Controls
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.status import Cramped, KeyBar
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from textual.app import ComposeResult

    from gdtui.dashboard.screens.export import Source
    from gdtui.runs.store import Run

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


COLUMN = "column"
"""The class of a container that goes when all panes in it are hidden."""


class PanesScreen(Layer[None]):
    """The panes of a main screen, without what they show.

    Attributes:
        kind: which of the main screens it is, for its commands.
        home: the pane that has the focus where no other one has; empty where none has.
        titles: what stands above the panes, by their ids.
        hidden: the panes that a person wants hidden, by their ids.
        has_come: all that comes behind the first frame is there.
    """

    AUTO_FOCUS = ""

    kind: ClassVar[str] = LAB
    home: ClassVar[str] = ""
    titles: ClassVar[Mapping[str, str]] = PANES

    def __init__(self) -> None:
        super().__init__()
        self.hidden: frozenset[str] = frozenset()
        self.has_come = True

    def head(self) -> Iterable[Widget]:
        """What stands above the panes: the status line."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """The panes, in their rows and columns."""
        raise NotImplementedError

    def source(self) -> Source | None:
        """What can be written to files of the moment that is shown; None where there is nothing yet."""
        raise NotImplementedError

    @property
    def shown(self) -> str:
        """The id of the kept training or sweep that it shows for good; empty where it shows one run after the other."""
        return ""

    @property
    def is_moving(self) -> bool:
        """Moment follows moment."""
        raise NotImplementedError

    def end_welcome(self) -> None:
        """The first key is pressed."""

    def rest(self) -> None:
        """Another main screen lies over this one from now on."""

    def end(self) -> None:
        """Keep the last of what is shown; after the app has ended, or another main screen has come."""

    def compose(self) -> ComposeResult:
        """Status, panes, keys."""
        yield from self.head()
        yield Horizontal(*self.body(), id="body")
        yield KeyBar(id="keys")
        yield Cramped()

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
        if pane == "experiment" and not (self.has_class("-wide") or self.has_class("-zoomed")):
            self.toggle_class("-drawer")
            self.call_after_refresh(self.show_again)
            return
        if not self.has_come:
            self.hidden ^= {pane}  # it will come so
            return
        widget = self.query_one(f"#{pane}")
        if self.has_class("-zoomed"):
            is_zoomed = widget.has_class("-zoom")
            self.unzoom()
            if not is_zoomed:
                self._zoom(widget)
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
        for column in self.query(".column"):
            column.set_class(all(pane.has_class("-off") for pane in column.query(".pane")), "-off")

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

    # --- the runs that are kept ----------------------------------------------------------------------------------

    def browse(
        self, pinned: Callable[[], Mapping[str, tuple[str, str]]], pin: Callable[[Run], Awaitable[None]]
    ) -> None:
        """Let a person look through the kept runs, as `RunsScreen` has it, and open one of them."""
        from gdtui.dashboard.screens.runs import RunsScreen
        from gdtui.sweeps.ledger import Ledger

        def leave(run: Run | None) -> None:
            if run is not None:
                self.app.run_worker(self.open_run(run.id), group="open")  # this screen may go meanwhile

        if self.app.screen is self:  # the palette may lie over another screen
            self.app.push_screen(RunsScreen(Ledger(), pinned, pin), leave)

    async def open_run(self, id: str) -> None:
        """Show the kept run or sweep of that id in place of this one."""
        try:
            await self.app.open_kept(id)  # type: ignore[attr-defined]
        except InputError as error:
            self.query_one(Log).say(str(error), "bad")

    def action_leave(self) -> None:
        """One layer out: a field, a zoomed pane, the focus, the drawer, this main screen."""
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
        elif self.focused is not None and self.focused.id != self.home:
            self.set_focus(self.query_one(f"#{self.home}") if self.home else None)
        elif self.has_class("-drawer"):
            self.remove_class("-drawer")
            self.call_after_refresh(self.show_again)
        else:
            self.app.run_worker(self.app.go_back, group="open")  # type: ignore[attr-defined]
