"""Commands: the keymap in the command palette."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Provider

from gdtui.dashboard.keymap import COMMANDS
from gdtui.dashboard.screens.layer import Layer

if TYPE_CHECKING:
    from textual.command import Hits

    from gdtui.dashboard.keymap import Command


class Palette(CommandPalette, Layer[None]):
    """Textual's command palette; its list fails where it is paged before it has lines to page through."""

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).size.height:
            super()._action_command_list(action)


class KeymapCommands(Provider):
    """Every command of the keymap, found by its help or its key."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command in COMMANDS:
            yield DiscoveryHit(command.help, partial(self._run, command), help=f"key: {command.shown}")

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for command in COMMANDS:
            score = matcher.match(f"{command.help} {command.shown}")
            if score > 0:
                yield Hit(score, matcher.highlight(command.help), partial(self._run, command), help=command.shown)

    async def _run(self, command: Command) -> None:
        # The lab's, also where the palette was opened over the help.
        await self.app.screen_stack[0].run_action(command.action)
