"""Preferences: how a person likes the dashboard; not what is run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gdtui.experiment import MAX_NUMBER, InputError, shown, unknown

Speed = int | Literal["max"]

DRIVERS = ("paced", "plain")

SPEEDS: tuple[Speed, ...] = (1, 2, 5, 10, 20, 50, "max")
"""The ladder, in epochs or updates a second; max is as fast as it goes."""

PANES = ("experiment", "loss", "samples", "landscape", "insight", "runs", "log")
"""The panes that can be hidden, in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """How the dashboard looks, which keys it has, and how it reaches the screen.

    Values are checked when they are set, but for themes, actions and keys, which only the dashboard knows.

    Attributes:
        theme: the name of its colours.
        speed: where on the ladder of speeds it starts.
        fps: redraws a second at most.
        driver: `paced` sends only what changed, as fast as the link carries it; `plain` is Textual's own.
        ascii: draw with ASCII characters only.
        hidden: the panes that are hidden when it starts.
        keys: a person's own keys, as they write them, by the id of the command that they are for.

    Raises:
        InputError: with the preference as its setting, if one is wrong.
    """

    theme: str = "gdtui"
    speed: Speed = 10
    fps: float = 60
    driver: str = "paced"
    ascii: bool = False
    hidden: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.theme, str):
            raise InputError("theme", f"theme must be a name, got {shown(self.theme)}")
        if type(self.fps) not in (int, float) or not 0 < self.fps < MAX_NUMBER:
            raise InputError("fps", f"fps must be a positive number, got {shown(self.fps)}")
        if self.driver not in DRIVERS:
            raise InputError("driver", unknown("driver", str(self.driver), DRIVERS))
        if not isinstance(self.ascii, bool):
            raise InputError("ascii", f"ascii must be true or false, got {shown(self.ascii)}")
        object.__setattr__(self, "speed", _speed(self.speed))
        object.__setattr__(self, "hidden", _hidden(self.hidden))
        object.__setattr__(self, "keys", _keys(self.keys))

    def replace(self, **values: Any) -> Preferences:
        """These preferences with some others.

        Raises:
            InputError: if a value is wrong.
        """
        return dataclasses.replace(self, **values)


def _speed(value: Any) -> Speed:
    rungs = {str(speed): speed for speed in SPEEDS}
    if str(value) not in rungs:
        *slower, fastest = rungs
        raise InputError("speed", f"speed must be {', '.join(slower)} or {fastest}, got {shown(value)}")
    return rungs[str(value)]


def _hidden(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(pane, str) for pane in value):
        raise InputError("hidden", f'hidden must be a list of panes, as in ["log"], got {shown(value)}')
    for pane in value:
        if pane not in PANES:
            raise InputError("hidden", unknown("pane", pane, PANES))
    return tuple(pane for pane in PANES if pane in value)


def _keys(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise InputError("keys", f"keys must be a table, [keys], got {shown(value)}")
    keys = {}
    for action, given in value.items():
        texts = (given,) if isinstance(given, str) else given
        if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
            raise InputError(action, f'{action} must be a key or a list of keys, as in ["g", "F8"], got {shown(given)}')
        keys[action] = tuple(texts)
    return keys


DEFAULTS = Preferences()
