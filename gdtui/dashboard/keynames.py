"""Key names: keys as people write and read them, and as Textual calls them."""

from __future__ import annotations

import re
import unicodedata

from textual.keys import KEY_NAME_REPLACEMENTS, REPLACED_KEYS, Keys, key_to_character

from gdtui.experiment import InputError, unknown

MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")

NAMED = {key.value for key in Keys if re.fullmatch(r"[a-z]+\d*", key.value)} - {"return"}
"""Textual's names of the keys that have one of their own, without modifiers."""

READ_AS = {
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "delete": "del",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}
"""How people read the keys that they do not read by Textual's name."""

WRITTEN_AS = {read: name for name, read in READ_AS.items()} | {"return": "enter", "ins": "insert"}

SENT_AS = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
    "ctrl+space": "ctrl+@",
    "ctrl+at": "ctrl+@",
}
"""What terminals send for keys that they cannot tell from others, or that Textual calls otherwise."""


def key_named(text: str) -> str:
    """Textual's name of a key: of `>`, `greater_than_sign`, `ctrl-z`, `F8`, `esc`, `shift+tab`.

    Raises:
        InputError: if there is no such key.
    """
    modifiers, word = set(), text
    while match := re.match(rf"({'|'.join(MODIFIERS)})[+-](?=.)", word, re.IGNORECASE):
        modifiers.add(match[1].lower())
        word = word[match.end() :]
    key = _named(word)
    if key is None:
        some = sorted({READ_AS.get(name, name) for name in NAMED}, key=lambda name: (name[0] == "f", name))
        raise InputError("key", unknown("key", text, some))
    if modifiers == {"shift"} and len(key) == 1:
        return key.upper()  # as terminals send it
    if modifiers and len(key) == 1:
        key = key.lower()
    name = "+".join([*sorted(modifiers), key])
    return SENT_AS.get(name, name)


def key_shown(name: str) -> str:
    """A key as people read it, by Textual's name."""
    *modifiers, key = name.split("+")
    if re.fullmatch(r"f\d+", key):
        word = key.upper()
    elif key in NAMED:
        word = READ_AS.get(key, key)
    else:
        word = key_to_character(REPLACED_KEYS.get(key, key)) or key
    return "-".join([*modifiers, word])


def _named(word: str) -> str | None:
    """Textual's name of a key without modifiers; None where there is none."""
    if len(word) != 1 or word in WRITTEN_AS:
        word = word.lower()
        word = WRITTEN_AS.get(word, word)
        if word in NAMED:
            return word
        character = key_to_character(REPLACED_KEYS.get(word, word))
        if character is None:
            return None
        word = character
    if word.isalnum():
        return word
    name = unicodedata.name(word, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name) or None
