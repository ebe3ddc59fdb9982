"""Commands: the keymap in the command palette, and whatever else can be chosen by its name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandInput, CommandList, CommandPalette, DiscoveryHit, Hit, Provider
from textual.content import Content

from gdtui.dashboard.keymap import commands_of, on_screen
from gdtui.dashboard.screens.layer import Layer
from gdtui.dashboard.threads import in_thread

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Sequence

    from textual.command import Hits

    from gdtui.dashboard.finds import Find
    from gdtui.dashboard.keymap import Command
    from gdtui.dashboard.screens.panes import PanesScreen

PLACEHOLDER = "An action, problem, optimizer, lesson, run, theme or help topic"

DESCRIBED = 1e-3
"""The score of what has the words in its description only: behind all that has them in its name."""


class Palette(CommandPalette, Layer[None]):
    """Textual's command palette, perhaps with something typed already."""

    def __init__(self, typed: str = "") -> None:
        super().__init__(placeholder=PLACEHOLDER, id="--command-palette")
        self._typed = typed

    def on_mount(self) -> None:
        """What is typed already."""
        line = self.query_one(CommandInput)
        line.value = self._typed
        line.cursor_position = len(self._typed)

    def _action_command_list(self, action: str) -> None:
        # Textual's list fails where it is paged before it has lines to page through.
        if self.query_one(CommandList).size.height:
            super()._action_command_list(action)


class KeymapCommands(Provider):
    """Every command of the keymap, found by its help or its key; behind them, all that `finds` has."""

    async def startup(self) -> None:
        """Look what there is, while one reads the list or types."""
        from gdtui.dashboard.finds import finds

        self._finds: Future[tuple[Find, ...]] = in_thread(partial(finds, self._main))

    async def discover(self) -> Hits:
        """All commands, before anything is typed; then what else there is to type."""
        from gdtui.dashboard.finds import KINDS

        for command in self._commands:
            key = f"key: {command.shown}" if command.shown else None
            yield DiscoveryHit(command.help, partial(self._run, command), help=key)
        for kind, what in KINDS.items():
            yield DiscoveryHit(f"{kind}: …", partial(self._type, kind), help=what)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for command in self._commands:
            score = matcher.match(f"{command.help} {command.shown}")
            if score > 0:
                yield Hit(score, matcher.highlight(command.help), partial(self._run, command), help=command.shown)
        for find in await self._finds:
            score, places = matcher.fuzzy_search.match(query, find.text)
            score = score or DESCRIBED * (query.lower() in find.what.lower())
            if score > 0:
                shown = Content(find.text)
                for place in places:
                    shown = shown.stylize(matcher.match_style, place, place + 1)
                yield Hit(score, shown, find.choose, help=find.what.replace("[", "\\["))

    @property
    def _main(self) -> PanesScreen:
        from gdtui.dashboard.screens.panes import PanesScreen

        main = self.app.screen_stack[0]
        assert isinstance(main, PanesScreen)
        return main

    @property
    def _commands(self) -> Sequence[Command]:
        return on_screen(commands_of(self.app), self._main.kind)

    def _type(self, kind: str) -> None:
        self.app.push_screen(Palette(f"{kind}: "))

    async def _run(self, command: Command) -> None:
        # The main screen's, also where the palette was opened over the help.
        await self._main.run_action(command.action)
