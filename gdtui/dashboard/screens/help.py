"""Help: what is shown, where its numbers come from, and what every key does; the topics of `gdtui help`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from gdtui.dashboard.keymap import PANES, commands_of
from gdtui.dashboard.screens.layer import Layer

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from gdtui.dashboard.widgets.page import Page

PAGE_OF = {"lesson": "lessons", "overlay": "loss"}
"""The topics of panes that are called otherwise."""

BESIDE = {"insight": ("instruments", "limits")}
"""What one reads together with a topic."""

HINTS = ("1-7 panes · tab next · / find · esc close", "/ find · esc close", "esc")


class HelpScreen(ModalScreen[None], Layer[None]):
    """All topics below each other: what was asked about first, then the keys, then all others."""

    # With the ids of the lab's commands: a person's own keys for those do the same here.
    BINDINGS: ClassVar = [
        Binding("escape", "leave", "Close", id="leave", show=False),
        Binding("question_mark,f1", "dismiss", "Close", id="help", show=False),
        Binding("q", "dismiss", "Close", id="quit", show=False),
        Binding("ctrl+p", "app.command_palette", "Palette", id="palette", show=False),
        Binding("tab", "go_on(1)", "Next topic", id="next", show=False),
        Binding("shift+tab", "go_on(-1)", "Topic before", id="back", show=False),
        Binding("slash", "find", "Find", id="filter", show=False),
        Binding("n", "find_next(1)", "Next place", show=False),
        Binding("N", "find_next(-1)", "Place before", show=False),
        *(Binding(key, f"go_to('{pane}')", pane, id=f"pane-{key}", show=False) for key, pane in PANES.items()),
    ]

    def __init__(self, topic: str = "") -> None:
        """`topic`: a topic, or a pane, to begin with."""
        super().__init__()
        self._topic = PAGE_OF.get(topic, topic)

    def compose(self) -> ComposeResult:
        """The page, and at its foot a line to type what to look for."""
        from gdtui.dashboard.manual import manual
        from gdtui.dashboard.widgets.page import Page
        from gdtui.topics.topic import NAMES

        commands = commands_of(self.app)
        first = (self._topic, *BESIDE.get(self._topic, ())) if self._topic else ()
        with Vertical(id="help") as frame:
            frame.border_title = "Help"
            yield Page([manual(name, commands) for name in dict.fromkeys((*first, "keys", *NAMES))])
            yield Input(placeholder="find", compact=True, classes="-off")

    def on_mount(self) -> None:
        """Arrow keys scroll."""
        self._page.focus()

    def on_resize(self) -> None:
        """Say as many of the keys as fit."""
        room = self.app.size.width - 6
        self.query_one("#help").border_subtitle = next((hint for hint in HINTS if len(hint) <= room), "")

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """As long as there is nothing to read, one can but leave."""
        return self.is_mounted or action in ("dismiss", "leave")

    @property
    def _page(self) -> Page:
        from gdtui.dashboard.widgets.page import Page

        return self.query_one(Page)

    def action_go_to(self, pane: str) -> None:
        """To a pane's page."""
        self._page.go_to(pane)

    def action_go_on(self, topics: int) -> None:
        """To the next topic or the one before."""
        self._page.go_on(topics)

    def action_find(self) -> None:
        """Type what to look for."""
        line = self.query_one(Input)
        line.remove_class("-off")
        line.clear()
        self.set_focus(line)

    def action_find_next(self, way: int) -> None:
        """Another place where it stands."""
        self._page.look_for(self.query_one(Input).value, way)

    def action_leave(self) -> None:
        """Out of the line that one types in, or of the help."""
        if isinstance(self.focused, Input):
            self._close_line()
        else:
            self.dismiss()

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        event.stop()
        is_found = self._page.look_for(event.value) or not event.value
        event.input.set_class(not is_found, "-wrong")

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_line()

    def _close_line(self) -> None:
        self.query_one(Input).add_class("-off")
        self.set_focus(self._page)
