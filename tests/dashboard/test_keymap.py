"""The table of keys: bindings, key bar, help and palette are made from it."""

from __future__ import annotations

from collections import Counter

import pytest
from labs import lab

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.commands import KeymapCommands
from gdtui.dashboard.keymap import COMMANDS, bar, bindings
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.widgets.page import Page


def test_no_two_commands_share_an_id_or_a_key() -> None:
    ids = Counter(command.id for command in COMMANDS)
    keys = Counter(key for command in COMMANDS for key in command.keys.split(","))
    assert [name for name, count in (ids + keys).items() if count > 1] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_every_command_has_something_to_do_and_says_what(command) -> None:
    target, name = LabApp, command.action.partition("(")[0]
    if name.startswith("app."):
        name = name.removeprefix("app.")
    else:
        target = LabScreen
    assert callable(getattr(target, f"action_{name}"))
    assert command.help
    assert command.shown


def test_every_command_is_bound() -> None:
    assert [binding.id for binding in bindings() if binding.id] == [command.id for command in COMMANDS]
    assert all(binding in LabScreen.BINDINGS for binding in bindings())


def test_the_key_bar_joins_keys_with_one_meaning() -> None:
    assert ("+ -", "lr") in bar(is_playing=False)
    assert bar(is_playing=False)[0] == ("space", "run")
    assert bar(is_playing=True)[0] == ("space", "pause")
    assert bar(is_playing=False)[-2:] == [("?", "help"), ("q", "quit")]


async def test_every_command_is_on_the_help_page() -> None:
    async with lab() as driven:
        await driven.press("question_mark")
        page = driven.app.screen.query_one(Page).text
        missing = [c.id for c in COMMANDS if c.help not in page or f" {c.shown}  " not in page]
        assert missing == []


async def test_every_command_is_in_the_palette() -> None:
    async with lab() as driven:
        provider = KeymapCommands(driven.screen)
        found = [str(hit.display) async for hit in provider.discover()]
        assert found[: len(COMMANDS)] == [command.help for command in COMMANDS]
        await provider.startup()
        by_name = [str(hit.match_display) async for hit in provider.search("learning rate")]
        assert by_name[:2] == ["Learning rate × 1.25", "Learning rate ÷ 1.25"]
