"""A person's own keys and panes: what they press works, and everything that speaks of keys speaks of theirs."""

from __future__ import annotations

from typing import Any

import pytest
from labs import lab
from textual.widgets import Input

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.commands import KeymapCommands
from gdtui.dashboard.keymap import COMMANDS, bar, key_of, with_keys
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.widgets.page import Page
from gdtui.dashboard.widgets.runs import EMPTY
from gdtui.dashboard.widgets.status import KeyBar
from gdtui.experiment import InputError
from gdtui.preferences import DEFAULTS, PANES, Preferences


def having(**keys: Any) -> Preferences:
    """The defaults with other keys; `lr_up` stands for lr-up."""
    return DEFAULTS.replace(keys={action.replace("_", "-"): given for action, given in keys.items()})


# The table


def test_only_the_commands_that_are_named_have_other_keys() -> None:
    commands = with_keys({"faster": ["F8", "u"]})
    changed = [(c.id, c.keys, c.shown) for c, default in zip(commands, COMMANDS, strict=True) if c != default]
    assert changed == [("faster", "f8,u", "F8")]


def test_two_commands_can_change_places() -> None:
    commands = {command.id: command.shown for command in with_keys({"slower": [">"], "faster": ["<", ","]})}
    assert (commands["slower"], commands["faster"]) == (">", "<")


@pytest.mark.parametrize(
    ("keys", "setting", "words"),
    [
        ({"rnu": ["h"]}, "rnu", "unknown action 'rnu' (did you mean run?)"),
        ({"run": ["hm"]}, "run", "run: unknown key 'hm'"),
        ({"run": ["p"]}, "run", "'p' is the key of pin already: give pin or run another"),
        ({"pin": ["t"], "run": ["h", "t"]}, "run", "'t' is the key of run already"),
        ({"run": ["ctrl-i"]}, "run", "'tab' is the key of next already"),
        ({"run": ["ctrl-c"]}, "run", "'ctrl-c' always leaves gdtui: give run another key"),
        ({"quit": ["ctrl+q"]}, "quit", "'ctrl-q' always leaves gdtui"),
    ],
)
def test_keys_that_cannot_be_are_refused(keys: dict[str, list[str]], setting: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        with_keys(keys)
    assert words in str(caught.value)
    assert caught.value.setting in (setting, *keys)


def test_the_bar_leaves_out_what_has_no_key() -> None:
    assert "fork" not in [label for _, label in bar("paused", commands=with_keys({"fork": []}))]
    assert ("h -", "lr") in bar("ready", commands=with_keys({"lr-up": ["h"]}))


# What one presses


async def test_the_new_key_works_and_the_old_one_does_not() -> None:
    async with lab(preferences=having(epoch="h")) as driven:
        await driven.press("e")
        await driven.press("h")
        await driven.until(lambda: driven.is_at(1))
        await driven.pilot.pause()
        assert driven.trainer.snapshot().epoch == 1


async def test_keys_that_changed_places_do_what_the_other_did() -> None:
    async with lab(preferences=having(epoch=".", update=["e", "F8"])) as driven:
        await driven.press("full_stop")
        await driven.until(lambda: driven.trainer.snapshot().updates == 3)
        await driven.press("e")
        await driven.until(lambda: driven.trainer.snapshot().updates == 4)
        await driven.press("f8")
        await driven.until(lambda: driven.trainer.snapshot().updates == 5)


async def test_a_key_that_a_focused_pane_has_is_the_panes() -> None:
    async with lab(preferences=having(epoch="down")) as driven:
        await driven.press("down")
        await driven.until(lambda: driven.is_at(1))
        pane = driven.screen.query_one("#samples")
        pane.focus()
        await driven.press("down")
        assert pane.cursor == 1
        assert driven.trainer.snapshot().epoch == 1


async def test_in_a_field_a_key_types() -> None:
    async with lab(preferences=having(palette="k", quit="j")) as driven:
        field = driven.screen.query_one("#lr", Input)
        field.focus()
        await driven.press("end", "j", "k")
        assert field.value == "0.01jk"
        assert driven.app.screen is driven.screen


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
@pytest.mark.parametrize("given", ["Q", []])
async def test_nobody_is_locked_in(key: str, given: Any) -> None:
    async with lab(preferences=having(quit=given)) as driven:
        await driven.press("q")
        assert driven.app.is_running
        await driven.press(key)
        await driven.until(lambda: not driven.app.is_running)


async def test_the_key_that_opens_the_help_closes_it() -> None:
    async with lab(preferences=having(help="h", quit="Q", leave="F4")) as driven:
        for key in ("h", "Q", "f4"):
            await driven.press("h")
            assert isinstance(driven.app.screen, HelpScreen)
            await driven.press("question_mark", "q", "escape")
            assert isinstance(driven.app.screen, HelpScreen)
            await driven.press(key)
            assert driven.app.screen is driven.screen


@pytest.mark.parametrize(("given", "key", "other"), [("colon", "colon", "ctrl+p"), ("ctrl-p", "ctrl+p", "colon")])
async def test_the_palette_opens_with_its_key_only(given: str, key: str, other: str) -> None:
    async with lab(preferences=having(palette=given)) as driven:
        for _ in ("the lab", "the help"):
            before = driven.app.screen
            await driven.press(other)
            assert driven.app.screen is before
            await driven.press(key)
            assert driven.app.screen.id == "--command-palette"
            await driven.press("escape", "question_mark")


async def test_the_key_that_pins_unpins_in_the_pane() -> None:
    async with lab(preferences=having(pin="h")) as driven:
        await driven.press("h")
        await driven.until(lambda: len(driven.runs) > 1)
        driven.screen.query_one("#runs").focus()
        await driven.press("down", "h")
        await driven.until(lambda: driven.runs == [["h", *EMPTY.split()]])


# What one reads


async def test_bar_help_palette_and_log_say_the_new_key() -> None:
    async with lab(preferences=having(run="F5", reset="ctrl-r")) as driven:
        assert driven.screen.query_one(KeyBar).render().plain.startswith("F5 run")
        assert driven.log[0].startswith("F5 runs · . makes one update")
        provider = KeymapCommands(driven.screen)
        keys = {str(hit.display): hit.help async for hit in provider.discover()}
        assert (keys["Run, or pause"], keys["One epoch back"]) == ("key: F5", "key: [")
        await provider.startup()
        assert [hit.help async for hit in provider.search("pause F5")] == ["F5"]
        await driven.press("question_mark")
        rows = [row.split() for row in driven.app.screen.query_one(Page).text.splitlines()]
        assert ["F5", "Run,", "or", "pause"] in rows
        assert [
            "ctrl-r",
            *["Back", "to", "the", "start,", "with", "the", "settings", "as", "they", "are", "now"],
        ] in rows
        assert ["space", "Run,", "or", "pause"] not in rows


async def test_a_command_without_a_key_is_in_the_palette() -> None:
    async with lab(preferences=having(epoch=[])) as driven:
        assert key_of(driven.app, "epoch") == "epoch"
        await driven.press("e", "ctrl+p", *"one epoch to", "enter", "enter")
        await driven.until(lambda: driven.is_at(1))


# Panes and speed


@pytest.mark.parametrize("pane", PANES)
async def test_a_pane_can_be_hidden_from_the_start(pane: str) -> None:
    number = str(PANES.index(pane) + 1)
    async with lab(preferences=Preferences(hidden=(pane,))) as driven:
        assert [name for name in PANES if not driven.is_seen(name)] == [pane]
        assert driven.app.left == Preferences(hidden=(pane,))
        await driven.press(number)
        await driven.until(lambda: driven.is_seen(pane))
        assert driven.app.left == DEFAULTS


async def test_columns_without_panes_leave_no_gap() -> None:
    async with lab(preferences=Preferences(hidden=("experiment", "landscape", "insight", "runs"))) as driven:
        assert driven.screen.query_one("#loss").size.width > 110


async def test_a_pane_that_has_the_screen_for_a_while_is_not_left_so() -> None:
    async with lab(size=(80, 24)) as driven:
        await driven.press("4", "1")
        assert driven.app.left == DEFAULTS


@pytest.mark.parametrize(("speed", "rate"), [(1, 1), (50, 50), ("max", None)])
async def test_it_starts_with_the_speed_that_one_prefers(speed: Any, rate: float | None) -> None:
    async with lab(preferences=Preferences(speed=speed)) as driven:
        assert driven.player.rate == rate


def test_keys_that_cannot_be_are_refused_before_there_is_a_screen() -> None:
    with pytest.raises(InputError, match="unknown key"):
        LabApp(Opening(), preferences=having(run="hm"))
