"""The table of keys: bindings, key bar, help and palette are made from it."""

from __future__ import annotations

from collections import Counter

import pytest
from labs import lab

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.commands import KeymapCommands
from gdtui.dashboard.keymap import COMMANDS, FIRST, LAB, OF_LAB, SWEEP, TRAINING, bar, bindings, on_screen
from gdtui.dashboard.screens.lab import LabScreen
from gdtui.dashboard.screens.sweep import SweepScreen
from gdtui.dashboard.screens.training import TrainingScreen
from gdtui.dashboard.widgets.page import Page


def test_no_two_commands_share_an_id_or_a_key() -> None:
    ids = Counter(command.id for command in COMMANDS)
    keys = Counter(key for command in COMMANDS for key in command.keys.split(","))
    assert [name for name, count in (ids + keys).items() if count > 1] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_every_command_has_something_to_do_and_says_what(command) -> None:
    name = command.action.partition("(")[0]
    for screen, kind in ((LAB, LabScreen), (TRAINING, TrainingScreen)):
        if any(one.id == command.id for one in on_screen(COMMANDS, screen)):
            target = LabApp if name.startswith("app.") else kind
            assert callable(getattr(target, f"action_{name.removeprefix('app.')}"))
    assert command.help
    assert command.shown


def test_every_command_is_bound() -> None:
    bound = [binding.id for screen in (LAB, TRAINING, SWEEP) for binding in bindings(screen) if binding.id]
    assert sorted(set(bound)) == sorted(command.id for command in COMMANDS)
    assert all(binding in LabScreen.BINDINGS for binding in bindings(LAB))
    assert all(binding in TrainingScreen.BINDINGS for binding in bindings(TRAINING))
    assert all(binding in SweepScreen.BINDINGS for binding in bindings(SWEEP))


def test_the_key_bar_joins_keys_with_one_meaning() -> None:
    assert ("+ -", "lr") in bar("ready")
    assert bar("ready")[0] == ("space", "run")
    assert bar("running")[0] == ("space", "pause")
    assert bar("ready")[-2:] == [("?", "help"), ("q", "quit")]


SMALL = 80
"""Cells of the key bar on 80 columns: a blank at both ends, but none behind the last key."""


@pytest.mark.parametrize(
    ("state", "pane", "keys"),
    [
        ("ready", "", "space . e ) ?"),
        ("running", "", "space + < p x q"),
        ("paused", "", "space . e f p r q"),
        ("over", "", "r p [ f R ) q"),
        ("paused", "samples", "o / a enter q"),
        ("over", "loss", "y x i d enter q"),
    ],
)
def test_with_little_room_the_key_bar_has_the_keys_that_matter_now(state: str, pane: str, keys: str) -> None:
    shown = bar(state, pane, SMALL)
    assert sum(len(key) + len(label) + 3 for key, label in shown) <= SMALL
    assert set(keys.split()) <= {key for item, _ in shown for key in item.split()}
    everything = bar(state)
    assert shown == [item for item in everything if item in shown], "a key has its place whatever else is shown"


@pytest.mark.parametrize("state", ["ready", "running", "paused", "over"])
def test_whatever_the_room_help_and_quit_are_in_the_key_bar(state: str) -> None:
    for room in range(200):
        assert bar(state, "", room)[-2:] == [("?", "help"), ("q", "quit")]


def test_what_the_key_bar_names_first_are_commands_of_the_bar() -> None:
    in_bar = {command.id for command in COMMANDS if command.in_bar}
    assert {name for names in FIRST.values() for name in names.split()} <= in_bar


async def test_the_key_bar_has_the_focused_panes_keys_and_in_a_field_those_that_do_not_type() -> None:
    async with lab((80, 24)) as driven:
        assert "/ filter" not in driven.text
        driven.screen.query_one("#samples").focus()
        await driven.pilot.pause()
        assert "/ filter" in driven.text
        await driven.press("escape", "1")
        await driven.write("lr", "1")
        assert "enter apply" in driven.text
        assert "ctrl-q quit" in driven.text
        assert "p pin" not in driven.text
        await driven.press("escape")
        assert ") lesson" in driven.text


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
        assert found[: len(OF_LAB)] == [command.help for command in OF_LAB]
        await provider.startup()
        by_name = [str(hit.match_display) async for hit in provider.search("learning rate")]
        assert by_name[:2] == ["Learning rate × 1.25", "Learning rate ÷ 1.25"]


def test_the_sweep_screen_opens_a_run_where_the_lab_zooms() -> None:
    lab, sweep = ({binding.id: binding.action for binding in bindings(screen)} for screen in (LAB, SWEEP))
    assert (lab["zoom"], sweep["zoom"], sweep["enlarge"]) == ("zoom", "open_best", "zoom")
    assert "enlarge" not in lab
    assert dict(bar("sweeping", commands=on_screen(COMMANDS, SWEEP)))["space"] == "stop"
    assert dict(bar("unswept", commands=on_screen(COMMANDS, SWEEP)))["space"] == "go on"
    assert "space" not in dict(bar("swept", commands=on_screen(COMMANDS, SWEEP)))
