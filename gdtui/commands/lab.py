"""Commands that open the dashboard: on an experiment, a lesson, a kept run, a run that is being made."""

from __future__ import annotations

import gc
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from gdtui.arguments import (
    add_experiment,
    add_preferences,
    add_run,
    experiment_of,
    is_terminal,
    is_utf,
    preferences_of,
)
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gdtui.arguments import Parser
    from gdtui.dashboard.begin import Opening
    from gdtui.preferences import Preferences


def open_experiment(parser: Parser, arguments: Sequence[str]) -> int:
    """A gradient-descent laboratory for the terminal."""
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--play", action="store_true", help="start to run at once")
    parser.add_argument("--no-keep", action="store_true", help="do not keep what is run")
    add_preferences(parser)
    add_experiment(parser)
    options = parser.parse(arguments)
    if options.version:
        from importlib.metadata import version

        print(f"gdtui {version('gdtui')}")
        return 0
    experiment, preferences = experiment_of(options), preferences_of(options)

    from gdtui.dashboard.begin import Opening

    return show(Opening(experiment, options.play, not options.no_keep), preferences)


def open_lesson(parser: Parser, arguments: Sequence[str]) -> int:
    """Open a lesson in the dashboard; without NAME, list them."""
    parser.add_argument("name", metavar="NAME", nargs="?")
    add_preferences(parser)
    options = parser.parse(arguments)

    from gdtui.lessons.catalog import LESSONS, lesson_named

    if options.name is None:
        width = max(map(len, LESSONS))
        for lesson in LESSONS.values():
            print(f"{lesson.name:<{width}}  {lesson.title}")
        return 0

    from gdtui.dashboard.begin import Opening

    lesson = lesson_named(options.name)
    preferences = preferences_of(options).replace(hidden=())  # it speaks of what the panes show
    return show(Opening(lesson.shown, lesson=lesson.name), preferences)


def open_run(parser: Parser, arguments: Sequence[str]) -> int:
    """Show a kept run or sweep in the dashboard, and go on with it if it is not over."""
    add_run(parser)
    parser.add_argument("--play", action="store_true", help="go on at once")
    add_preferences(parser)
    options = parser.parse(arguments)
    preferences = preferences_of(options)

    from gdtui.dashboard.begin import opening_of
    from gdtui.sweeps.ledger import Ledger

    ledger = Ledger()
    return show(opening_of(ledger.find(options.run) or ledger.store.find(options.run), options.play), preferences)


def watch_run(parser: Parser, arguments: Sequence[str]) -> int:
    """Follow a run or sweep that another process makes, or a log that grows; without RUN, the newest that is made.

    A log is JSON lines, CSV, TensorBoard's events, or text with values in it such as loss=0.1; - is what is piped in.
    """
    what = "an id, the beginning of one, a name, or last; a log, or a folder with one; - for what is piped in"
    add_run(parser, nargs="?", metavar="RUN|FILE|-", help=what)
    add_preferences(parser)
    options = parser.parse(arguments)
    preferences = preferences_of(options)

    from gdtui.dashboard.begin import Opening, opening_of
    from gdtui.runs.store import Store
    from gdtui.sweeps.ledger import Ledger

    store, what = Store(), options.run or ""
    is_file = what == "-" or os.path.lexists(what) or "/" in what or "." in what
    if is_file and not any(what in (run.id, run.name) for run in store.runs()):
        from gdtui.training.logs.follow import follow
        from gdtui.training.logs.piped import FollowedPipe

        followed = follow(what)
        # Were its pipe closed, the program that prints would end.
        leave = partial(followed.pass_on, sys.stdout.buffer) if isinstance(followed, FollowedPipe) else None
        return show(Opening(following=followed), preferences, leave)
    made = Ledger(store).find_made(options.run) or store.find_made(options.run)
    return show(opening_of(made, is_watched=True), preferences)


def check_terminal() -> None:
    """Whether the dashboard can be shown here.

    Raises:
        InputError: if it cannot.
    """
    is_dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    if is_dumb or not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise InputError("", "the dashboard needs a terminal that can move its cursor; without one, use gdtui run")


def show(opening: Opening, preferences: Preferences, leave: Callable[[], None] | None = None) -> int:
    """Run the dashboard; what is to be done at the end comes once the terminal is as it was."""
    check_terminal()
    gc.set_threshold(10_000, 10, 10)  # a screen's many small objects stay: to search them for cycles holds up its keys
    from gdtui.dashboard.app import LabApp
    from gdtui.terminal import driver_class
    from gdtui.terminal.colors import Colors

    if not is_utf(sys.__stderr__):  # which Textual writes to
        preferences = preferences.replace(ascii=True)
    driver = driver_class(preferences.driver, preferences.fps)
    app = LabApp(opening, driver, preferences, Colors.of(os.environ))
    app.run(mouse=False)  # there is nothing to click; the terminal's own selection goes on working
    if leave is not None:
        leave()
    app.end()
    if not opening.lesson:
        from gdtui.memory import remember

        remember(preferences, app.left)
    if app.failure:
        raise InputError("", app.failure)
    return app.return_code or 0
