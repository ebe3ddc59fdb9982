"""Keymap: every key, in one table; bindings, key bar, help and the command palette are made from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from textual.binding import Binding
from textual.keys import Keys

from gdtui.dashboard.keynames import key_named, key_shown
from gdtui.experiment import InputError, shown, unknown
from gdtui.preferences import PANES as NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import App


@dataclass(frozen=True, slots=True)
class Command:
    """Something a person can do with a key.

    Attributes:
        id: its stable name.
        keys: Textual's names of its keys, comma-separated; empty where it has none.
        shown: the first of them as people read it.
        action: the action of the lab screen, or of the app.
        label: one or two words, for the key bar.
        help: a sentence, for the help and the command palette.
        group: the heading it stands under in the help.
        in_bar: it has a place in the key bar.
    """

    id: str
    keys: str
    shown: str
    action: str
    label: str
    help: str
    group: str
    in_bar: bool = True


PANES = {str(number): pane for number, pane in enumerate(NAMES, 1)}
"""The panes by their key."""

ALWAYS = ("ctrl+q", "ctrl+c")
"""These leave gdtui whatever else is bound: nobody is to be locked in."""

COMMANDS = (
    Command("run", "space", "space", "run_or_pause", "run", "Run, or pause", "Descent"),
    Command("update", "full_stop", ".", "step('update')", "update", "One update: the next batch, then stop", "Descent"),
    Command("epoch", "e", "e", "step('epoch')", "epoch", "One epoch: to the end of this pass over the data", "Descent"),
    Command("reset", "r", "r", "reset", "reset", "Back to the start, with the settings as they are now", "Descent"),
    Command("lr-up", "plus,equals_sign", "+", "scale_lr(1)", "lr", "Learning rate × 1.25", "Descent"),
    Command("lr-down", "minus", "-", "scale_lr(-1)", "lr", "Learning rate ÷ 1.25", "Descent"),
    Command("slower", "less_than_sign,comma", "<", "change_speed(-1)", "speed", "Slower", "Descent"),
    Command("faster", "greater_than_sign", ">", "change_speed(1)", "speed", "Faster, up to max", "Descent"),
    Command("grain", "g", "g", "change_grain", "grain", "A step is an epoch, or an update", "Descent"),
    Command("back-1", "left_square_bracket", "[", "rewind(-1)", "rewind", "One epoch back", "Time"),
    Command("on-1", "right_square_bracket", "]", "rewind(1)", "rewind", "One epoch forward, as it was run", "Time"),
    Command("back-10", "left_curly_bracket", "{", "rewind(-10)", "", "Ten epochs back", "Time", in_bar=False),
    Command("on-10", "right_curly_bracket", "}", "rewind(10)", "", "Ten epochs forward", "Time", in_bar=False),
    Command("fork", "f", "f", "fork", "fork", "Go another way from here; the run so far is pinned", "Time"),
    Command("pin", "p", "p", "pin", "pin", "Pin this run to compare; again: as it is now, or no longer", "Compare"),
    Command("clear-pins", "P", "P", "clear_pins", "", "Unpin all runs", "Compare", in_bar=False),
    Command("difference", "d", "d", "toggle_difference", "difference", "Pinned runs against this one", "Compare"),
    Command("runs", "R", "R", "runs", "runs", "Kept runs: find, compare, name, delete, open", "Compare"),
    Command("sweep", "S", "S", "sweep", "sweep", "Many runs of it, over ranges of its settings", "Compare"),
    Command("log-y", "y", "y", "toggle_log_y", "log y", "Loss on a log or a linear axis", "View"),
    Command("x-axis", "x", "x", "change_x_axis", "x axis", "Loss over epochs, updates, samples or seconds", "View"),
    Command("overlay", "i", "i", "change_overlay", "instrument", "An instrument over the epochs, below", "View"),
    Command("sort", "o", "o", "sort", "sort", "Sort the samples by the next column", "View"),
    Command("reverse", "O", "O", "reverse_sort", "reverse", "Reverse the samples' order", "View", in_bar=False),
    Command("filter", "slash", "/", "filter", "filter", "Filter the samples: |g|>0.5, cos<0, y>2, clipped", "View"),
    Command("applied", "a", "a", "toggle_applied", "applied", "Samples as applied, or at the θ of now", "View"),
    Command("value-on", "v", "v", "choose_value(1)", "value", "A training: chart its next value", "Trainings"),
    Command("value-back", "V", "V", "choose_value(-1)", "", "A training: chart the value before", "Trainings", False),
    Command("stop", "X", "X", "ask_stop", "", "A training whose loop asks: stop it (twice)", "Trainings", False),
    Command("enlarge", "z", "z", "zoom", "zoom", "A sweep: the focused pane on the whole screen", "Sweeps", False),
    Command("lesson-on", "right_parenthesis", ")", "lesson(1)", "lesson", "The next lesson", "Lessons"),
    Command("lesson-back", "left_parenthesis", "(", "lesson(-1)", "", "The lesson before", "Lessons", in_bar=False),
    Command("lesson", "0", "0", "toggle_lesson", "", "Show or hide the lesson's words", "Lessons", in_bar=False),
    Command("zoom", "enter", "enter", "zoom", "zoom", "The focused pane on the whole screen, or back", "Panes"),
    *(
        Command(f"pane-{key}", key, key, f"toggle_pane('{pane}')", pane, f"Show or hide {pane}", "Panes", key == "1")
        for key, pane in PANES.items()
    ),
    Command("next", "tab", "tab", "app.focus_next", "focus", "Focus the next field or pane", "Panes", in_bar=False),
    Command("back", "shift+tab", "shift-tab", "app.focus_previous", "", "Focus the one before", "Panes", in_bar=False),
    Command("leave", "escape", "esc", "leave", "", "Out: of a field, a zoomed pane, the focus", "Panes", in_bar=False),
    Command("export", "w", "w", "app.export", "write", "Write history, gradients or a picture to a file", "App"),
    Command("suspend", "ctrl+z", "ctrl-z", "app.suspend_process", "", "To the shell; fg returns", "App", in_bar=False),
    Command("redraw", "ctrl+l", "ctrl-l", "app.redraw", "", "Draw the whole screen again", "App", in_bar=False),
    Command("palette", "ctrl+p", "ctrl-p", "app.command_palette", "", "Find whatever has a name", "App", in_bar=False),
    Command("help", "question_mark,f1", "?", "help", "help", "What every key does and every pane shows", "App"),
    Command("quit", "q", "q", "app.quit", "quit", "Leave gdtui", "App"),
)  # fmt: skip


LAB, TRAINING, SWEEP = "lab", "training", "sweep"
"""The main screens."""

OWN = {TRAINING: ("value-on", "value-back", "stop"), SWEEP: ("value-on", "enlarge")}
"""The commands that the lab does not have."""

IN_TRAINING = {
    "run": ("hold", "Hold the picture; where its loop asks, pause the training"),
    "lr-up": ("lr", "Ask for a learning rate × 1.25, where its loop asks"),
    "lr-down": ("lr", "Ask for a learning rate ÷ 1.25, where its loop asks"),
    "back-1": ("probe", "The probe of samples before this one"),
    "on-1": ("probe", "The probe of samples after this one"),
    "back-10": ("", "Ten probes back"),
    "on-10": ("", "Ten probes forward"),
    "overlay": ("second", "Another value over the steps, below"),
    "x-axis": ("x axis", "Values over steps, epochs or seconds"),
    "log-y": ("log y", "This value on a log or a linear axis"),
    "filter": ("filter", "Filter the samples: |g|>0.5, cos<0, label=3"),
    "pane-1": ("training", "Show or hide training"),
    "pane-2": ("values", "Show or hide values"),
    "pane-4": ("gradients", "Show or hide gradients"),
}
"""What else commands are called on the training screen, and what they do there."""

IN_SWEEP = {
    "run": ("go on", "Stop the sweep, or go on with what is missing of it"),
    "zoom": ("open", "Open the best run of the selected point; esc comes back"),
    "x-axis": ("x axis", "Another axis from left to right"),
    "log-y": ("y axis", "Another axis from bottom to top"),
    "on-1": ("others", "The next value of the other axes; after the last, the best of all"),
    "back-1": ("others", "The value of the other axes before"),
    "value-on": ("measure", "The map: the loss at the end, or the epochs to the target"),
    "lr-up": ("target", "A target ten times as high"),
    "lr-down": ("target", "A target of a tenth"),
    "sweep": ("extend", "More values, seeds or samples"),
    "pane-1": ("sweep", "Show or hide sweep"),
    "pane-2": ("curves", "Show or hide curves"),
    "pane-3": ("ranks", "Show or hide leaderboard"),
    "pane-4": ("map", "Show or hide map"),
}
"""The same of the sweep screen."""

ACTIONS = {"zoom": "open_best"}
"""Actions of the sweep screen where they are not the table's."""

EVERYWHERE = (
    *("runs", "next", "back", "leave", "export", "suspend", "redraw", "palette", "help", "quit"),
    *(f"pane-{key}" for key, pane in PANES.items() if pane != "runs"),
)
"""The commands that all main screens have."""

SHARED = {
    TRAINING: (*EVERYWHERE, "pin", "clear-pins", "difference", "sort", "reverse", "zoom", "pane-6"),
    SWEEP: EVERYWHERE,
}
"""The commands that are the same as in the lab."""

NAMED: Mapping[str, Mapping[str, tuple[str, str]]] = {TRAINING: IN_TRAINING, SWEEP: IN_SWEEP}


def on_screen(commands: Sequence[Command], screen: str) -> tuple[Command, ...]:
    """Those of a table that a main screen has, as it calls them."""
    if screen == LAB:
        others = {name for own in OWN.values() for name in own}
        return tuple(command for command in commands if command.id not in others)
    found = []
    for command in commands:
        if command.id in NAMED[screen]:
            label, text = NAMED[screen][command.id]
            action = ACTIONS.get(command.id, command.action) if screen == SWEEP else command.action
            in_bar = command.in_bar and bool(label)
            found.append(replace(command, label=label, help=text, action=action, in_bar=in_bar))
        elif command.id in (*OWN[screen], *SHARED[screen]):
            found.append(command)
    return tuple(found)


def with_keys(keys: Mapping[str, Sequence[str]]) -> tuple[Command, ...]:
    """The table with a person's own keys.

    Args:
        keys: the keys of a command, as people write them, by its id; a command that has none is in the palette only.

    Raises:
        InputError: with the id as its setting, if there is no such command or key, or if two commands have one key.
    """
    ids = [command.id for command in COMMANDS]
    named: dict[str, str] = {}
    for action, texts in keys.items():
        if action not in ids:
            raise InputError(action, unknown("action", action, ids))
        named[action] = ",".join(dict.fromkeys(_key_for(action, text) for text in texts))
    commands = tuple(_with_keys(c, named[c.id]) if c.id in named else c for c in COMMANDS)
    has: dict[str, str] = {}
    for command in sorted(commands, key=lambda command: command.id in named):  # it is the person's that can change
        for key in filter(None, command.keys.split(",")):
            other = has.setdefault(key, command.id)
            if other != command.id:
                text = f"{shown(key_shown(key))} is the key of {other} already: give {other} or {command.id} another"
                raise InputError(command.id, text)
    return commands


def _key_for(action: str, text: str) -> str:
    try:
        key = key_named(text)
    except InputError as error:
        raise InputError(action, f"{action}: {error}") from None
    if key in ALWAYS:
        raise InputError(action, f"{shown(key_shown(key))} always leaves gdtui: give {action} another key")
    return key


def _with_keys(command: Command, keys: str) -> Command:
    return replace(command, keys=keys, shown=key_shown(keys.split(",", 1)[0]) if keys else "")


def commands_of(app: App[Any]) -> Sequence[Command]:
    """The table with the keys that an app's person has."""
    return getattr(app, "commands", COMMANDS)


def key_of(app: App[Any], command: str) -> str:
    """What an app's person presses for a command; its id where they have no key for it."""
    return next(c.shown or c.id for c in commands_of(app) if c.id == command)


def keymap(commands: Sequence[Command]) -> dict[str, str]:
    """What differs from the table, as Textual's keymap: it holds wherever a binding has the id of a command."""
    no_key = Keys.Ignore.value  # an empty one would leave the binding as it is
    return {c.id: c.keys or no_key for c, default in zip(commands, COMMANDS, strict=True) if c != default}


def bindings(screen: str = LAB) -> list[Binding]:
    """The table as Textual's bindings of a main screen."""
    return [
        *(
            Binding(c.keys, c.action, c.label, key_display=c.shown, tooltip=c.help, id=c.id, show=False)
            for c in on_screen(COMMANDS, screen)
        ),
        Binding(",".join(ALWAYS), "app.quit", "quit", show=False),
    ]


OF_LAB = on_screen(COMMANDS, LAB)

FIRST = {
    "ready": "run update epoch lr-up slower lesson-on runs",
    "running": "run lr-up slower grain pin x-axis log-y overlay",
    "paused": "run update epoch lr-up pin fork reset back-1 x-axis",
    "over": "reset lr-up pin back-1 fork runs lesson-on x-axis export",
    "following": "run value-on overlay x-axis log-y back-1 sort runs pin",
    "asking": "run lr-up value-on overlay x-axis log-y back-1 sort runs pin",
    "waiting": "run lr-up value-on overlay x-axis log-y back-1 sort runs pin",
    "sweeping": "zoom x-axis log-y value-on run on-1 runs lr-up",
    "unswept": "run zoom x-axis log-y value-on on-1 runs lr-up",
    "swept": "zoom x-axis log-y value-on on-1 lr-up runs",
    "experiment": "zoom",
    "loss": "zoom log-y x-axis overlay difference pin",
    "overlay": "zoom overlay x-axis",
    "samples": "zoom sort filter applied",
    "landscape": "zoom",
    "insight": "zoom overlay",
    "runs": "zoom pin difference runs",
    "log": "zoom",
}
"""The commands whose keys matter most: those of the focused pane, then those for what the run does."""

RUN_IS = {"running": "pause", "asking": "pause", "waiting": "go on", "sweeping": "stop", "swept": ""}
"""What the key that runs is for, where it is not what the table says; nothing where it is empty."""

TYPING = (("enter", "apply"), ("tab", "next"), ("esc", "leave"), ("f1", "help"), ("ctrl-q", "quit"))
"""The keys that do not type where one types."""


def bar(state: str, pane: str = "", room: int = 10_000, commands: Sequence[Command] = OF_LAB) -> list[tuple[str, str]]:
    """(keys, label) of the key bar, neighbours with one label joined: `+ - lr`.

    Help and quit have their place whatever the room; of the others those that matter most, in the table's order.

    Args:
        state: ready, running, paused or over; on the training screen following, where its loop asks asking, or waiting;
            on the sweep screen sweeping, unswept or swept.
        pane: the focused one, or `field` while one types; empty where nothing is focused.
        room: cells for it, and for two blanks after each.
        commands: those of the main screen, with the keys that its person has chosen.
    """
    if pane == "field":
        return [item for end, item in enumerate(TYPING, 1) if _cells(TYPING[:end]) <= room]
    first = f"help quit {FIRST.get(pane, '')} {FIRST.get(state, '')}".split()
    items: list[tuple[str, str]] = []
    places: list[int] = []
    for place, command in enumerate(commands, len(first)):
        label = RUN_IS.get(state, command.label) if command.id == "run" else command.label
        if not (command.in_bar and command.keys and label):
            continue
        if items and items[-1][1] == label:
            items[-1] = (f"{items[-1][0]} {command.shown}", label)
        else:
            items.append((command.shown, label))
            places.append(first.index(command.id) if command.id in first else place)
    wanted = [item for _, item in sorted(zip(places, items, strict=True))]
    fitting = next((k for k in range(len(wanted), 2, -1) if _cells(wanted[:k]) <= room), 2)
    return [item for item in items if item in wanted[:fitting]]


def _cells(items: Sequence[tuple[str, str]]) -> int:
    return sum(len(keys) + len(label) + 3 for keys, label in items)
