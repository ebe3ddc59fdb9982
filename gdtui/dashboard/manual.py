"""Manual: the topics with the keys in them, as they are bound: no text of keys can go stale."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from gdtui.dashboard import keymap, runkeys
from gdtui.dashboard.keynames import key_shown
from gdtui.experiment import InputError
from gdtui.topics.page import MOST, as_text
from gdtui.topics.tables import TABLES
from gdtui.topics.topic import NAMES, Block, Topic, entry, topic_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from textual.widget import Widget

OF_PANES: dict[str, tuple[str, ...]] = {
    "experiment": ("lr-up", "lr-down", "next", "back", "leave", "pane-1"),
    "loss": ("x-axis", "log-y", "overlay", "difference", "zoom", "pane-2"),
    "samples": ("filter", "sort", "reverse", "applied", "zoom", "pane-3"),
    "landscape": ("grain", "zoom", "pane-4"),
    "insight": ("overlay", "zoom", "pane-5"),
    "runs": ("pin", "clear-pins", "difference", "fork", "runs", "zoom", "pane-6"),
    "log": ("grain", "zoom", "pane-7"),
}
"""The lab's commands that do something with a pane, by their ids."""


def manual(name: str, commands: Sequence[keymap.Command] = keymap.COMMANDS) -> Topic:
    """The topic of that name, whole.

    Args:
        name: of the topic.
        commands: the lab's, with the keys that they have.

    Raises:
        InputError: if there is none; it names the nearest.
    """
    panes = {f"keys-of-{pane}": partial(pane_keys, pane, commands) for pane in OF_PANES}
    return topic_named(name).filled(
        {
            **TABLES,
            **panes,
            "keys": partial(keys, commands),
            "run-keys": run_keys,
            "training-keys": partial(screen_keys, keymap.TRAINING, commands),
            "sweep-keys": partial(screen_keys, keymap.SWEEP, commands),
        }
    )


def explain(name: str | None, keys: Mapping[str, Sequence[str]]) -> None:
    """Print a topic, or what topics there are.

    Args:
        name: of the topic.
        keys: a person's own keys, by the id of the command that they are for.

    Raises:
        InputError: if there is no such topic.
    """
    from shutil import get_terminal_size

    commands: Sequence[keymap.Command] = keymap.COMMANDS
    with suppress(InputError):  # a key that there is not: the dashboard will say so
        commands = keymap.with_keys(keys)
    topic = contents() if name is None else manual(name, commands)
    print(as_text(topic, min(get_terminal_size().columns, MOST)))


def contents() -> Topic:
    """What topics there are."""
    topics = tuple(entry(name, topic_named(name).title) for name in NAMES)
    return Topic("", "gdtui help TOPIC explains:", (*topics, Block("text", "gdtui COMMAND --help lists its options.")))


def keys(commands: Sequence[keymap.Command]) -> Iterator[Block]:
    """Every key of the lab, under the headings of the table of keys."""
    for group, some in groupby(commands, key=lambda command: command.group):
        yield Block("heading", group)
        yield from _entries(some)


def run_keys() -> Iterator[Block]:
    """Every key of the screen of kept runs."""
    return _entries(runkeys.COMMANDS)


def screen_keys(screen: str, commands: Sequence[keymap.Command]) -> Iterator[Block]:
    """Every key of a main screen."""
    return _entries(keymap.on_screen(commands, screen))


def pane_keys(pane: str, commands: Sequence[keymap.Command]) -> Iterator[Block]:
    """A pane's own keys, which it has while it is focused, then the lab's that have to do with it."""
    for widget in _widgets(pane):
        for binding in widget.BINDINGS:
            if not isinstance(binding, tuple):
                shown = (key_shown(key) for key in binding.key.split(","))
                yield entry(" ".join(shown), binding.description)
    named = {command.id: command for command in commands}
    yield from _entries(named[name] for name in OF_PANES[pane])


def keys_in_markdown() -> str:
    """The keys of the lab as Markdown tables, for the README."""
    return "\n\n".join(
        f"| {group} | |\n|---|---|\n" + "\n".join(f"| `{one.shown}` | {_cell(one.help)} |" for one in commands)
        for group, commands in groupby(keymap.COMMANDS, key=lambda command: command.group)
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _entries(commands: Iterable[keymap.Command]) -> Iterator[Block]:
    return (entry(command.shown or "–", command.help) for command in commands)


def _widgets(pane: str) -> Sequence[type[Widget]]:
    from gdtui.dashboard.widgets.chart import Chart
    from gdtui.dashboard.widgets.controls import Choice, Controls
    from gdtui.dashboard.widgets.log import Log
    from gdtui.dashboard.widgets.runs import Runs
    from gdtui.dashboard.widgets.samples import Samples

    own = {"experiment": (Controls, Choice), "loss": (Chart,), "samples": (Samples,), "runs": (Runs,), "log": (Log,)}
    return own.get(pane, ())
