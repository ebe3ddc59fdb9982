"""Memory: how the dashboard was left, so that it looks the same the next time; to lose it is no harm."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gdtui.config import checked
from gdtui.experiment import InputError
from gdtui.folders import folder, read_small

if TYPE_CHECKING:
    from pathlib import Path

    from gdtui.preferences import Preferences

REMEMBERED = ("hidden", "theme")
"""The preferences that the dashboard itself can change."""


def memory_path() -> Path:
    """Where it is kept."""
    return folder("state") / "layout.json"


def remembered() -> dict[str, Any]:
    """What is remembered, by the preferences' names; without what cannot be read or is not right."""
    values: dict[str, Any] = {}
    with suppress(InputError, ValueError, RecursionError):
        said = json.loads(read_small(memory_path()) or "{}")
        for name in REMEMBERED if isinstance(said, dict) else ():
            if name in said:
                values[name] = checked(name, said[name])
    return values


def remember(before: Preferences, after: Preferences) -> None:
    """Remember what has changed since the dashboard began; the rest is as whoever came last has left it."""
    names = [name for name in REMEMBERED if getattr(after, name) != getattr(before, name)]
    if not names:
        return
    from gdtui.runs.atomic import writing

    path = memory_path()
    values = remembered() | {name: getattr(after, name) for name in names}
    with suppress(InputError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(str(path), replace=True) as part:
            part.write_text(json.dumps(values) + "\n", encoding="utf-8")
