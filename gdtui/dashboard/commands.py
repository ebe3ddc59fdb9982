"""Commands: the keymap in the command palette."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Provider

from gdtui.dashboard.keymap import commands_of

if TYPE_CHECKING:
    from textual.command import Hits

    from gdtui.dashboard.keymap import Command


class Palette(CommandPalette):
    """Textual's command palette; its list fails where it is paged before it has lines to page through."""

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).size.height:
            super()._action_command_list(action)


class KeymapCommands(Provider):
    """Every command of the keymap, found by its help or its key."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command in commands_of(self.app):
            key = f"key: {command.shown}" if command.shown else None
            yield DiscoveryHit(command.help, partial(self._run, command), help=key)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for command in commands_of(self.app):
            score = matcher.match(f"{command.help} {command.shown}")
            if score > 0:
                yield Hit(score, matcher.highlight(command.help), partial(self._run, command), help=command.shown)

    async def _run(self, command: Command) -> None:
        # The lab's, also where the palette was opened over the help.
        await self.app.screen_stack[0].run_action(command.action)
