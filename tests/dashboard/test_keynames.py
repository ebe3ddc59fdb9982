"""The names of keys: written as people read them, or as Textual calls them."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key

from gdtui.dashboard.keymap import COMMANDS
from gdtui.dashboard.keynames import MODIFIERS, NAMED, key_named, key_shown
from gdtui.experiment import InputError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (">", "greater_than_sign"),
        ("greater_than_sign", "greater_than_sign"),
        ("?", "question_mark"),
        ("/", "slash"),
        ("+", "plus"),
        ("-", "minus"),
        (",", "comma"),
        (" ", "space"),
        ("space", "space"),
        ("esc", "escape"),
        ("Escape", "escape"),
        ("return", "enter"),
        ("pgdn", "pagedown"),
        ("↑", "up"),
        ("F8", "f8"),
        ("g", "g"),
        ("G", "G"),
        ("é", "é"),
        ("ctrl-z", "ctrl+z"),
        ("Ctrl+Z", "ctrl+z"),
        ("ctrl--", "ctrl+minus"),
        ("ctrl-\\", "ctrl+backslash"),
        ("shift-tab", "shift+tab"),
        ("shift-ctrl-up", "ctrl+shift+up"),
        ("shift-g", "G"),
        ("ctrl-i", "tab"),
        ("ctrl-[", "escape"),
        ("ctrl-space", "ctrl+@"),
    ],
)
def test_a_key_is_written_in_more_than_one_way(text: str, name: str) -> None:
    assert key_named(text) == name


@pytest.mark.parametrize("text", ["", "gg", "ctrl", "ctrl-", "f99", "\t", "\x1b", "tabulator", "strg-c", "full stop "])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="unknown key") as caught:
        key_named(text)
    assert str(caught.value).isprintable()


@given(st.sampled_from(string.printable.strip() + "éßçθ×£"))
def test_every_character_has_the_name_that_textual_gives_to_its_key(character: str) -> None:
    from textual._xterm_parser import XTermParser

    events = [event for event in XTermParser().feed(character) if isinstance(event, Key)]
    assert [event.key for event in events] == [key_named(character)]


@given(
    st.sets(st.sampled_from(MODIFIERS)),
    st.one_of(st.sampled_from(sorted(NAMED)), st.sampled_from(string.printable.strip() + "éθ")),
)
def test_what_is_shown_can_be_written(modifiers: set[str], word: str) -> None:
    name = key_named("-".join([*modifiers, word]))
    assert key_named(key_shown(name)) == name
    assert key_named(name) == name


def test_every_key_of_the_table_is_shown_as_it_says() -> None:
    assert [key_shown(command.keys.split(",")[0]) for command in COMMANDS] == [command.shown for command in COMMANDS]
