"""Config: the file in which a person says how they like the dashboard."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gdtui.experiment import InputError, printable, unknown
from gdtui.folders import folder, read_small
from gdtui.preferences import DEFAULTS, DRIVERS, PANES, SPEEDS

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = {
    "theme": "Its colours: gdtui, gdtui-light, or another that ctrl-p finds.",
    "speed": f'Epochs, or updates, a second at the start: {", ".join(map(str, SPEEDS[:-1]))}; or "max".',
    "fps": "Redraws a second at most.",
    "driver": f"{' or '.join(DRIVERS).capitalize()}: paced sends only what changed, plain is Textual's own driver.",
    "ascii": "Draw with ASCII characters only.",
    "hidden": f"Panes that are hidden at the start, of {', '.join(PANES)}.\n"
    "Where this is not said, it is those that were hidden the last time; [] hides none.",
    "keys": 'Keys as the help shows them: one, or a list as in ["g", "F8", "ctrl-g"], or [] for none.\n'
    "A focused pane's own keys, such as its arrows, go before these. ctrl-q and ctrl-c always leave gdtui.",
}
"""Every preference, and what is said of it in the file."""

WIDTH = 24
"""Columns of a key before what it does."""


def config_path() -> Path:
    """Where the file is, or would be."""
    return folder("config") / "config.toml"


def configured() -> dict[str, Any]:
    """The preferences that the file says, by their names; none where there is no file.

    Raises:
        InputError: if it cannot be read or says something wrong; with its name, and the line where that is known.
    """
    path = config_path()
    try:
        text = read_small(path)
    except InputError as error:
        raise InputError("config", f"cannot read {printable(str(path))}: {error}") from None
    if text is None:
        return {}
    values = {}
    for name, value in _parsed(path, text).items():
        try:
            values[name] = checked(name, value)
        except InputError as error:
            line = _line(text, name, error.setting) or _line(text, name, name)
            raise _wrong(path, str(error), line) from None
    return values


def _parsed(path: Path, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _wrong(path, "lists within lists, too deep to read") from None
    except tomllib.TOMLDecodeError as error:
        words, _, place = str(error).partition(" (at line ")
        line = re.match(r"\d+", place)
        text = f"not TOML: {printable(words[:1].lower() + words[1:])}"
        raise _wrong(path, text, int(line[0]) if line else None) from None
    except ValueError:
        raise _wrong(path, "a number with more digits than can be read") from None


def checked(name: str, value: Any) -> Any:
    """A preference's value as it is meant; of keys only those that differ.

    Raises:
        InputError: if there is no such preference, or the value is wrong.
    """
    if name == "theme" and isinstance(value, str):
        from gdtui.dashboard import themes

        return themes.checked(value)
    if name in SETTINGS and name != "keys":
        return getattr(DEFAULTS.replace(**{name: value}), name)
    from gdtui.dashboard.keymap import COMMANDS, keymap, with_keys

    if name != "keys":
        is_action = name in [command.id for command in COMMANDS]
        hint = f"{name} stands under [keys]"
        raise InputError(name, hint if is_action else unknown("preference", name, tuple(SETTINGS)))
    for setting in SETTINGS:
        if isinstance(value, dict) and setting in value:
            raise InputError(setting, f"{setting} stands above [keys]")
    keys = DEFAULTS.replace(keys=value).keys
    differing = keymap(with_keys(keys))
    return {action: keys[action] for action in keys if action in differing}


def _wrong(path: Path, message: str, line: int | None = None) -> InputError:
    return InputError("config", f"{printable(str(path))}{f':{line}' if line else ''}: {message}")


def _line(text: str, name: str, setting: str) -> int | None:
    """The number of the line in which something is set, as far as a look at the lines tells."""
    lines = text.split("\n")
    table, start = re.escape(name), 0
    if setting != name:
        start = next((at for at, line in enumerate(lines) if re.match(rf"\s*\[\s*{table}\s*\]", line)), 0)
    sets = re.compile(rf"""\s*(\[\s*|{table}\s*\.\s*)?["']?{re.escape(setting)}["']?\s*[]=.]""")
    return next((at for at, line in enumerate(lines[start:], start + 1) if sets.match(line)), None)


# --- what it says by default -----------------------------------------------------------------------------------------


def defaults() -> str:
    """A file that changes nothing: every preference as it is by default, behind a #."""
    from gdtui.dashboard.keymap import COMMANDS
    from gdtui.dashboard.keynames import key_shown

    path = config_path()
    lines = [
        "# How you like gdtui's dashboard: take the # off a line and change it.",
        f"# This file is read: {printable(str(path))}{'' if path.exists() else ' (it is not there)'}",
    ]
    for name, what in SETTINGS.items():
        lines += ["", *(f"# {line}" for line in what.split("\n"))]
        if name != "keys":
            lines.append(f"#{name} = {_toml(getattr(DEFAULTS, name))}")
    lines.append("#[keys]")
    for command in COMMANDS:
        keys = [key_shown(key) for key in command.keys.split(",")]
        set_to = f"#{command.id} = {_toml(keys if len(keys) > 1 else keys[0])}"
        lines.append(f"{set_to:<{WIDTH}} # {command.help}")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    """A value in TOML, whose texts, numbers and lists are written as JSON's here."""
    return json.dumps(value, ensure_ascii=False)
