"""Commands that open the dashboard: on an experiment, a lesson, a kept run, a run that is being made."""

from __future__ import annotations

import gc
import os
import sys
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
from gdtui.experiment import Experiment, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    return _show(Opening(experiment, options.play, not options.no_keep), preferences)


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
    return _show(Opening(lesson.shown, lesson=lesson.name), preferences)


def open_run(parser: Parser, arguments: Sequence[str]) -> int:
    """Show a kept run in the dashboard, and go on with it if it is not over."""
    add_run(parser)
    parser.add_argument("--play", action="store_true", help="go on at once")
    add_preferences(parser)
    options = parser.parse(arguments)
    preferences = preferences_of(options)

    from gdtui.dashboard.begin import Opening
    from gdtui.runs.store import Store

    run = Store().find(options.run)
    return _show(Opening(Experiment.from_line(run.settings), options.play, run=run), preferences)


def watch_run(parser: Parser, arguments: Sequence[str]) -> int:
    """Follow a run that another process makes; without RUN, the newest that is being made."""
    add_run(parser, nargs="?")
    add_preferences(parser)
    options = parser.parse(arguments)
    preferences = preferences_of(options)

    from gdtui.dashboard.begin import Opening
    from gdtui.runs.store import Store

    run = Store().find_made(options.run)
    return _show(Opening(Experiment.from_line(run.settings), run=run, is_watched=True), preferences)


def _show(opening: Opening, preferences: Preferences) -> int:
    is_dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    if is_dumb or not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise InputError("", "the dashboard needs a terminal that can move its cursor; without one, use gdtui run")

    gc.set_threshold(10_000, 10, 10)  # a screen's many small objects stay: to search them for cycles holds up its keys
    from gdtui.dashboard.app import LabApp
    from gdtui.terminal import driver_class
    from gdtui.terminal.colors import Colors

    if not is_utf(sys.__stderr__):  # which Textual writes to
        preferences = preferences.replace(ascii=True)
    driver = driver_class(preferences.driver, preferences.fps)
    app = LabApp(opening, driver, preferences, Colors.of(os.environ))
    app.run(mouse=False)  # there is nothing to click; the terminal's own selection goes on working
    app.end()
    if not opening.lesson:
        from gdtui.memory import remember

        remember(preferences, app.left)
    if app.failure:
        raise InputError("", app.failure)
    return app.return_code or 0
