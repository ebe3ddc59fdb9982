"""The app: theme, style sheet, the lab; what it leaves behind when it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.console import Console
from textual.app import App
from textual.events import DescendantFocus, Key
from textual.widgets import Input

from gdtui.dashboard.commands import KeymapCommands, Palette
from gdtui.dashboard.keymap import SWEEP, key_of, keymap, with_keys
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.screens.panes import PanesScreen
from gdtui.dashboard.themes import OWN, chosen, complete, line_filters
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.inks import NO_SHADES
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.status import LEAST
from gdtui.preferences import DEFAULTS
from gdtui.terminal.colors import Colors

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.events import Event
    from textual.screen import Screen

    from gdtui.dashboard.begin import Opening
    from gdtui.preferences import Preferences
    from gdtui.sweeps.maker import Maker
    from gdtui.sweeps.sweep import Sweep
    from gdtui.terminal.pace import Link


SOON_S = 0.005
"""Between two looks at what is about to come."""


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
    HORIZONTAL_BREAKPOINTS = [(0, "-cramped"), (LEAST[0], "-tiny"), (60, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-cramped"), (LEAST[1], "-flat"), (16, "-low"), (22, "-mid"), (30, "-tall")]  # noqa: RUF012
    DEFAULT_MODE = "main"
    _colors = Colors.TRUE  # Textual asks for the theme's variables before there is one

    def __init__(
        self,
        opening: Opening,
        driver: type[Driver] | None = None,
        preferences: Preferences = DEFAULTS,
        colors: Colors = Colors.TRUE,
    ) -> None:
        """The lab in a person's theme, in the colours that there are.

        Raises:
            InputError: if there is no such theme, command or key, or one key twice.
        """
        super().__init__(driver)
        self.failure = ""
        self.animation_level = "none"
        self.commands = with_keys(preferences.keys)
        self.set_keymap(keymap(self.commands))
        self._preferences = preferences
        self._makers: dict[str, Maker] = {}
        self._beneath: list[tuple[str, PanesScreen]] = []  # main screens to go back to, with their modes
        self._main = self._main_screen(opening)
        for own in OWN:
            self.register_theme(own)
        self._terminal = colors
        self.wear(preferences.theme)
        # Textual's own asks the environment; what the filters leave goes out as it is.
        system: Literal["256", "truecolor"] = "256" if colors is Colors.INDEXED else "truecolor"
        file = self.console.file
        self.console = Console(
            color_system=system, file=file, force_terminal=True, legacy_windows=False, highlight=False, emoji=False
        )

    def wear(self, name: str) -> None:
        """Put on a theme, as far as the terminal has its colours.

        Raises:
            InputError: if there is no such theme.
        """
        theme, self._colors = chosen(name, self.available_themes, self._terminal)
        self._preferences = self._preferences.replace(theme=name)
        # Textual's answer to NO_COLOR is grey, which is a colour.
        self.no_color = self._colors is Colors.NONE
        self._filters = line_filters(theme, self._colors, self.ansi_theme)
        if self._preferences.ascii:
            from gdtui.dashboard.ascii import Ascii

            self._filters.append(Ascii())
        self.set_class(self._preferences.ascii or self._colors <= Colors.SIXTEEN, NO_SHADES)
        self.theme = theme.name

    def action_wear(self, name: str) -> None:
        """Another theme."""
        self.wear(name)

    def get_css_variables(self) -> dict[str, str]:
        """The theme's, and what it lacks."""
        self.theme_variables = complete(self.current_theme, super().get_css_variables(), self._colors)
        return self.theme_variables

    def get_default_screen(self) -> Screen[None]:
        """The main screen is the only one beneath."""
        return self._main

    def _main_screen(self, opening: Opening) -> PanesScreen:
        if opening.sweep is not None:
            from gdtui.dashboard.screens.sweep import SweepScreen
            from gdtui.sweeps.maker import Maker

            maker = self._makers.setdefault(opening.sweep.id, Maker(opening.sweep.id, opening.workers))
            return SweepScreen(opening.sweep, maker, opening.play)
        if opening.following is not None:
            from gdtui.dashboard.screens.training import TrainingScreen

            return TrainingScreen(opening.following, self._preferences)
        return LabScreen(opening, self._preferences)

    async def open_kept(self, id: str) -> None:
        """Show the kept run or sweep of that id on the main screen for its kind; a sweep and its run lie on each other.

        Raises:
            InputError: if it is not kept any more.
        """
        from gdtui.dashboard.begin import opening_of
        from gdtui.sweeps.ledger import Ledger

        def look_up() -> Opening:
            ledger = Ledger()
            return opening_of(ledger.find(id) or ledger.store.run(id))

        opening = await in_thread(look_up)
        if isinstance(self._main, LabScreen) and opening.run is not None:
            self._main.leave_for(opening.run)
        elif opening.id and opening.id in [main.shown for _, main in self._beneath]:
            while self._main.shown != opening.id:
                await self.go_back()
        elif opening.id != self._main.shown:
            await self._leave_for(self._main_screen(opening))

    async def make_sweep(self, sweep: Sweep) -> None:
        """Begin a sweep, and show it as it is made.

        Raises:
            InputError: if it cannot be kept.
        """
        from gdtui.dashboard.begin import Opening
        from gdtui.sweeps import preparing

        kept = await in_thread(partial(preparing.kept, sweep, {}))
        await self._leave_for(self._main_screen(Opening(play=True, sweep=kept)))

    async def _leave_for(self, main: PanesScreen) -> None:
        await self._has_come()
        before = self.current_mode, self._main
        self._preferences, self._main = self.left, main
        mode = f"main {id(main)}"  # Textual can leave a mode's first screen only with its mode
        self.add_mode(mode, lambda: main)
        await self.switch_mode(mode)
        if SWEEP in (before[1].kind, main.kind):
            before[1].rest()
            self._beneath.append(before)
            main.query_one(Log).say(f"{key_of(self, 'leave')} goes back to the {before[1].kind}", "note")
        else:
            await self._remove(*before)

    async def go_back(self) -> None:
        """From a sweep to what lay beneath, or from a run to the sweep that it was opened from."""
        await self._has_come()
        if self._beneath:
            before = self.current_mode, self._main
            self._preferences = self.left
            mode, self._main = self._beneath.pop()
            if mode not in self._modes:
                self.add_mode(mode, self.get_default_screen)
            await self.switch_mode(mode)
            self._main.show_again()
            await self._remove(*before)

    async def _has_come(self) -> None:
        """Wait for what a person has just opened: over another main screen, or over none, it would fail to come."""
        while not (self._main.has_come and all(screen.is_mounted for screen in self.screen_stack)):
            await asyncio.sleep(SOON_S)

    async def _remove(self, mode: str, main: PanesScreen) -> None:
        if mode not in self._modes:
            self.add_mode(mode, lambda: main)  # only a mode that was added can be removed
        await self.remove_mode(mode)
        await in_thread(main.end)

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
            self._main.end_welcome()
        await super().on_event(event)

    def on_key(self, event: Key) -> None:
        """What was typed right behind the key that opened a field is for the field."""
        if event.is_printable and isinstance(self.focused, Input):
            self.focused.post_message(Key(event.key, event.character))
            event.prevent_default()

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        if isinstance(self.screen, PanesScreen | HelpScreen):  # its commands are the main screen's
            self.push_screen(Palette())

    @property
    def left(self) -> Preferences:
        """The preferences that show the app the next time as a person has arranged it."""
        return (
            self._preferences.replace(hidden=tuple(self._main.hidden))
            if self._main.kind != SWEEP
            else self._preferences
        )

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
        """Keep the last of the run, and of the sweeps that are made here; once the terminal is restored."""
        for _, main in [*self._beneath, ("", self._main)]:
            main.end()
        for maker in self._makers.values():
            maker.end()

    async def action_export(self) -> None:
        """Write something of the run to a file."""
        from gdtui.dashboard.screens.export import ask

        await ask(self._main)

    def fail(self, message: str) -> None:
        """End because the experiment could not even begin."""
        self.failure = message
        self.exit()
