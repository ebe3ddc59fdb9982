"""The app: theme, style sheet, the lab; what it leaves behind when it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.events import Key
from textual.theme import Theme
from textual.widgets import Input

from gdtui.dashboard.commands import KeymapCommands, Palette
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.widgets.status import LEAST

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.screen import Screen

    from gdtui.dashboard.begin import Opening
    from gdtui.terminal.pace import Link

THEME = Theme(
    name="gdtui",
    primary="#61afef",
    secondary="#c5a0e6",
    accent="#e5a445",
    warning="#e5a445",
    error="#e06c75",
    success="#8cc98f",
    foreground="#d7dae0",
    background="#111418",
    surface="#252b33",
    panel="#1a1f25",
    variables={"text-muted": "#7d8794", "text-error": "#e06c75", "border-blurred": "#3d4650"},
)


class LabApp(App[int]):
    """gdtui's dashboard.

    Attributes:
        failure: why the experiment could not even begin; empty where it could.
    """

    CSS_PATH = "app.tcss"
    TITLE = "gdtui"
    COMMANDS: ClassVar = {KeymapCommands}
    HORIZONTAL_BREAKPOINTS = [(0, "-cramped"), (LEAST[0], "-tiny"), (60, "-narrow"), (100, "-wide")]  # noqa: RUF012 (as Textual types it)
    VERTICAL_BREAKPOINTS = [(0, "-cramped"), (LEAST[1], "-flat"), (16, "-low"), (22, "-mid"), (30, "-tall")]  # noqa: RUF012

    def __init__(self, opening: Opening, driver: type[Driver] | None = None) -> None:
        super().__init__(driver)
        self.failure = ""
        self._lab = LabScreen(opening)
        self.register_theme(THEME)
        self.theme = THEME.name

    def get_default_screen(self) -> Screen[None]:
        """The lab is the only screen beneath."""
        return self._lab

    def on_mount(self) -> None:
        """A hang-up or a kill ends the app in good order, so that the terminal is restored."""
        if sys.platform != "win32":
            # While the interpreter computes in a thread, the event loop waits for its turn: make turns short.
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self.exit, None, 128 + number)
        sys.setswitchinterval(0.0005)

    def on_key(self, event: Key) -> None:
        """What was typed right behind the key that opened a field is for the field."""
        if event.is_printable and isinstance(self.focused, Input):
            self.focused.post_message(Key(event.key, event.character))
            event.prevent_default()

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        if type(self.screen) in (LabScreen, HelpScreen):  # its commands are the lab's
            self.push_screen(Palette(id="--command-palette"))

    @property
    def slow_link(self) -> Link | None:
        """The link to the terminal, where it is measured and cannot carry every frame."""
        link: Link | None = getattr(self._driver, "link", None)
        return link if link is not None and link.is_limit else None

    def action_redraw(self) -> None:
        """Draw the whole screen again: something else has written to the terminal."""
        redraw = getattr(self._driver, "redraw", self.refresh)
        redraw()

    def end(self) -> None:
        """Keep the last of the run; once the terminal is restored."""
        self._lab.player.end()

    async def action_export(self) -> None:
        """Write something of the run to a file."""
        from gdtui.dashboard.screens.export import ask

        lab = self.screen_stack[0]
        assert isinstance(lab, LabScreen)
        await ask(lab)

    def fail(self, message: str) -> None:
        """End because the experiment could not even begin."""
        self.failure = message
        self.exit()
