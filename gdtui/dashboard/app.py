"""The app: theme, style sheet, the lab; what it leaves behind when it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.events import DescendantFocus, Key
from textual.theme import Theme
from textual.widgets import Input

from gdtui.dashboard.commands import KeymapCommands, Palette
from gdtui.dashboard.keymap import keymap, with_keys
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.preferences import DEFAULTS

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.events import Event
    from textual.screen import Screen

    from gdtui.dashboard.begin import Opening
    from gdtui.preferences import Preferences
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
        commands: the table of keys, with those that its person has chosen.

    Raises:
        InputError: if the preferences name a command or a key that there is not, or one key twice.
    """

    CSS_PATH = "app.tcss"
    TITLE = "gdtui"
    COMMANDS: ClassVar = {KeymapCommands}
    ENABLE_COMMAND_PALETTE = False  # Textual would bind ctrl-p, too; in the keymap it may be another key
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-wide")]  # noqa: RUF012 (as Textual types it)
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-low"), (30, "-tall")]  # noqa: RUF012

    def __init__(
        self, opening: Opening, driver: type[Driver] | None = None, preferences: Preferences = DEFAULTS
    ) -> None:
        super().__init__(driver)
        self.failure = ""
        self.commands = with_keys(preferences.keys)
        self.set_keymap(keymap(self.commands))
        self._preferences = preferences
        self._lab = LabScreen(opening, preferences)
        self.animation_level = "none"
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

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """No cursor blinks: what does not change need not be sent."""
        if isinstance(event.widget, Input):
            event.widget.cursor_blink = False

    async def on_event(self, event: Event) -> None:
        """The first key ends the welcome, whatever the key is for."""
        if isinstance(event, Key):
            self._lab.end_welcome()
        await super().on_event(event)

    def on_key(self, event: Key) -> None:
        """What was typed right behind the key that opened a field is for the field."""
        if event.is_printable and isinstance(self.focused, Input):
            self.focused.post_message(Key(event.key, event.character))
            event.prevent_default()

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        if type(self.screen) in (LabScreen, HelpScreen):  # its commands are the lab's
            self.push_screen(Palette())

    @property
    def left(self) -> Preferences:
        """The preferences that show the app the next time as a person has arranged it."""
        return self._preferences.replace(hidden=tuple(self._lab.hidden))

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
