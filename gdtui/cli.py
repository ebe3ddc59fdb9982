"""The command line: arguments in, exit status out."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, NamedTuple

from gdtui.arguments import (
    OFFER,
    Parser,
    add_experiment,
    add_json,
    add_labels,
    add_output,
    add_preferences,
    add_run,
    experiment_of,
    is_terminal,
    labels_of,
    output_of,
    preferences_of,
)
from gdtui.experiment import Experiment, InputError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from gdtui.dashboard.begin import Opening
    from gdtui.preferences import Preferences

FAULT, USAGE_ERROR, INTERRUPTED = 1, 2, 130
MOST_COMPARED = 8
LISTS = ("problems", "datasets", "optimizers", "schedules")
SHELLS = ("bash", "zsh", "fish")


class Command(NamedTuple):
    """One word that can come first.

    Attributes:
        run: arguments -> exit status.
        usage: what follows the word.
        help: a few words.
    """

    run: Callable[[Sequence[str]], int]
    usage: str
    help: str


def _parser(command: str, description: str, epilog: str = "") -> Parser:
    return Parser(command, description, COMMANDS, epilog)


# --- experiments -----------------------------------------------------------------------------------------------------


def _dashboard(arguments: Sequence[str]) -> int:
    usage = {f"gdtui {name} {command.usage}": command.help for name, command in COMMANDS.items()}
    usage = {"gdtui [EXPERIMENT] [--play]": "the dashboard: space runs, ? helps"} | usage
    lines = [f"  {words:<{max(map(len, usage))}}  {what}" for words, what in usage.items()]
    status = "exit status: 0 finished or converged, 2 bad input, 3 diverged, 130 interrupted, 1 a fault of gdtui's own"
    epilog = "\n".join(["commands:", *lines, "", status])
    parser = _parser("", "A gradient-descent laboratory for the terminal.", epilog)
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

    return _show_lab(Opening(experiment, options.play, not options.no_keep), preferences)


def _show_lab(opening: Opening, preferences: Preferences) -> int:
    is_dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    if is_dumb or not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise InputError("", "the dashboard needs a terminal that can move its cursor; without one, use gdtui run")

    from gdtui.dashboard.app import LabApp
    from gdtui.terminal import driver_class
    from gdtui.terminal.colors import Colors

    if not _is_utf(sys.__stderr__):  # which Textual writes to
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


def _is_utf(stream: TextIO | None) -> bool:
    return stream is not None and codecs.lookup(stream.encoding).name.startswith("utf")


def _spelled() -> str:
    from gdtui.ascii import SPELLED

    return SPELLED


def _run(arguments: Sequence[str]) -> int:
    parser = _parser("run", "Run an experiment without a screen and write what happens to standard output.")
    add_output(parser)
    parser.add_argument("--no-keep", action="store_true", help="do not keep the run")
    add_labels(parser)
    add_experiment(parser)
    options = parser.parse(arguments)
    experiment, output, labels = experiment_of(options), output_of(options), labels_of(options)

    from gdtui.headless import run

    return run(experiment, output, is_kept=not options.no_keep, labels=labels)


def _resume(arguments: Sequence[str]) -> int:
    parser = _parser("resume", "Go on with a kept run that was interrupted, without a screen.")
    add_run(parser)
    add_output(parser)
    options = parser.parse(arguments)
    output = output_of(options)

    from gdtui.headless import resume

    return resume(options.run, output)


def _lesson(arguments: Sequence[str]) -> int:
    parser = _parser("lesson", "Open a lesson in the dashboard; without NAME, list them.")
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
    return _show_lab(Opening(lesson.shown, lesson=lesson.name), preferences)


def _list(arguments: Sequence[str]) -> int:
    parser = _parser("list", "What there is, with its hyperparameters.")
    parser.add_argument("what", metavar="|".join(LISTS))
    what = parser.parse(arguments).what
    if what not in LISTS:
        raise InputError("", unknown("list", what, LISTS))

    from gdtui.listing import show

    show(what)
    return 0


def _check(arguments: Sequence[str]) -> int:
    parser = _parser("check", "Check the gradient of a model of your own, FILE.py:NAME.")
    parser.add_argument("model", metavar="FILE.py:NAME")
    add_experiment(parser)
    options = parser.parse(arguments)
    experiment = experiment_of(options).replace(problem=options.model)

    from gdtui.listing import show_check

    show_check(experiment)
    return 0


def _config(arguments: Sequence[str]) -> int:
    about = "The file that says how you like the dashboard, with what holds where it says nothing."
    parser = _parser("config", about, 'begin one: gdtui config > "$(gdtui config --path)"')
    parser.add_argument("--path", action="store_true", help="only where it is; makes its folder")
    options = parser.parse(arguments)

    from gdtui.config import config_path, configured, defaults

    if options.path:
        path = config_path()
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        print(path)
        return 0
    print(defaults())
    configured()  # what is wrong with the one that is there
    return 0


def _help(arguments: Sequence[str]) -> int:
    parser = _parser("help", "Explain something; without TOPIC, list what can be explained.")
    parser.add_argument("topic", metavar="TOPIC", nargs="?", help="one of the topics, or a command")
    topic = parser.parse(arguments).topic

    from gdtui.config import configured
    from gdtui.topics.topic import NAMES

    if topic in COMMANDS and topic not in NAMES:
        return COMMANDS[topic].run(["--help"])

    from gdtui.dashboard.manual import explain

    keys = {}
    with suppress(InputError):  # help is there for one whose file is wrong, too
        keys = configured().get("keys", {})
    explain(topic, keys)
    return 0


def _completion(arguments: Sequence[str]) -> int:
    if len(arguments) > 1 and arguments[0] == "next":  # so the scripts ask
        from gdtui.completion import offer_command

        first, *rest = arguments[1:]
        if first.startswith("-"):
            return _dashboard([OFFER, first, *rest])
        if rest:
            return COMMANDS[first].run([OFFER, *rest]) if first in COMMANDS else 0
        offer_command(first, {name: command.help for name, command in COMMANDS.items()})
        return 0
    parser = _parser("completion", "Print the script with which a shell completes gdtui's words when Tab is pressed.")
    parser.add_argument("shell", metavar="|".join(SHELLS), help="its first lines say where to put it")
    shell = parser.parse(arguments).shell
    if shell not in SHELLS:
        raise InputError("", unknown("shell", shell, SHELLS))

    from gdtui.completion import SCRIPTS

    print(SCRIPTS[shell], end="")
    return 0


# --- kept runs -------------------------------------------------------------------------------------------------------


def _runs(arguments: Sequence[str]) -> int:
    parser = _parser("runs", "The kept runs, the newest first.")
    parser.add_argument("words", metavar="WORD", nargs="*", help="only the runs in which each of these words stands")
    add_json(parser)
    options = parser.parse(arguments)

    from gdtui.reports import show_runs

    show_runs(options.words, as_json=options.json)
    return 0


def _show(arguments: Sequence[str]) -> int:
    parser = _parser("show", "All that is known of a kept run, without its curves.")
    add_run(parser)
    add_json(parser)
    options = parser.parse(arguments)

    from gdtui.reports import show_run

    show_run(options.run, as_json=options.json)
    return 0


def _open(arguments: Sequence[str]) -> int:
    parser = _parser("open", "Show a kept run in the dashboard, and go on with it if it is not over.")
    add_run(parser)
    parser.add_argument("--play", action="store_true", help="go on at once")
    add_preferences(parser)
    options = parser.parse(arguments)
    preferences = preferences_of(options)

    from gdtui.dashboard.begin import Opening
    from gdtui.runs.store import Store

    run = Store().find(options.run)
    return _show_lab(Opening(Experiment.from_line(run.settings), options.play, run=run), preferences)


def _watch(arguments: Sequence[str]) -> int:
    parser = _parser("watch", "Follow a run that another process makes; without RUN, the newest that is being made.")
    add_run(parser, nargs="?")
    add_preferences(parser)
    options = parser.parse(arguments)
    preferences = preferences_of(options)

    from gdtui.dashboard.begin import Opening
    from gdtui.runs.store import Store

    run = Store().find_made(options.run)
    return _show_lab(Opening(Experiment.from_line(run.settings), run=run, is_watched=True), preferences)


def _export(arguments: Sequence[str]) -> int:
    parser = _parser("export", "Write something of a kept run to a file.")
    add_run(parser)
    parser.add_argument("file", metavar="FILE", help="its suffix says how: .csv, .parquet, .json, .txt or .svg")
    parser.add_argument("--what", metavar="WHAT", help="history, samples, experiment, chart or lab")
    parser.add_argument("--epoch", metavar="N", type=int, help="at the end of this epoch (default: the last one)")
    parser.add_argument("--force", action="store_true", help="replace a file that is there already")
    options = parser.parse(arguments)

    from gdtui.runs.export import check, export, what_fits
    from gdtui.runs.reopen import reopen
    from gdtui.runs.store import Store

    what = options.what or what_fits(options.file)
    check(what, options.file)
    store = Store()
    trainer, _ = reopen(store, store.find(options.run))
    snapshot = trainer.snapshot() if options.epoch is None else trainer.rewind(options.epoch)

    def draw() -> str:
        from gdtui.dashboard.picture import lab_svg, loss_svg

        return (loss_svg if what == "chart" else lab_svg)(snapshot)

    print(export(snapshot, what, options.file, options.force, draw))
    return 0


def _compare(arguments: Sequence[str]) -> int:
    parser = _parser("compare", "What differs between two to eight kept runs, and what came of it.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="an id, the beginning of one, a name, or last")
    add_json(parser)
    options = parser.parse(arguments)
    if not 2 <= len(options.runs) <= MOST_COMPARED:
        raise InputError("", f"compare takes two to {MOST_COMPARED} runs, got {len(options.runs)}")

    from gdtui.reports import compare

    compare(options.runs, as_json=options.json)
    return 0


def _label(arguments: Sequence[str]) -> int:
    parser = _parser("label", "Give a kept run a name, tags or a note; an empty text takes one away.")
    add_run(parser)
    add_labels(parser)
    options = parser.parse(arguments)
    labels = labels_of(options)
    if not labels:
        raise InputError("", "say what to call it: --name NAME, --tags A,B or --note TEXT")

    from gdtui.runs.store import Store

    store = Store()
    store.label(store.find(options.run).id, labels)
    return 0


def _rm(arguments: Sequence[str]) -> int:
    parser = _parser("rm", "Delete kept runs for good.")
    add_run(parser, nargs="+")
    options = parser.parse(arguments)

    from gdtui.runs.store import Store

    store = Store()
    for run in [store.find(name) for name in options.run]:  # none is deleted unless all are there
        store.remove(run)
        print(f"deleted run {run.id}")
    return 0


COMMANDS = {
    "run": Command(_run, "[EXPERIMENT] [--format FORMAT]", "the same experiment without a screen"),
    "resume": Command(_resume, "RUN [--format FORMAT]", "go on with one that was interrupted"),
    "lesson": Command(_lesson, "[NAME]", "what there is to see, one claim at a time"),
    "runs": Command(_runs, "[WORD ...] [--json]", "the kept runs"),
    "show": Command(_show, "RUN [--json]", "all that is known of one"),
    "open": Command(_open, "RUN [--play]", "one in the dashboard"),
    "watch": Command(_watch, "[RUN]", "follow one that another process makes"),
    "compare": Command(_compare, "RUN RUN ... [--json]", "what differs, and what came of it"),
    "export": Command(_export, "RUN FILE [--what WHAT]", "history, gradients, experiment or picture, to a file"),
    "label": Command(_label, "RUN --name|--tags|--note TEXT", "what you call it"),
    "rm": Command(_rm, "RUN ...", "delete kept runs"),
    "list": Command(_list, "|".join(LISTS), "what there is to choose from"),
    "check": Command(_check, "FILE.py:NAME", "the gradient of your own model"),
    "config": Command(_config, "[--path]", "how you like the dashboard: theme, keys, panes, speed"),
    "help": Command(_help, "[TOPIC]", "keys, panes, formulas, files and more, explained"),
    "completion": Command(_completion, "|".join(SHELLS), "let your shell complete gdtui's words"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run gdtui; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, TextIOWrapper):
        # What the terminal's encoding does not have is written as an escape, as on standard error; a θ by its name.
        sys.stdout.reconfigure(errors="backslashreplace" if _is_utf(sys.stdout) else _spelled())
    try:
        try:
            if arguments and arguments[0] in COMMANDS:
                return COMMANDS[arguments[0]].run(arguments[1:])
            return _dashboard(arguments)
        finally:
            # What is still to be written fails here, if it does, rather than in Python's own words at exit.
            print(end="", flush=True)
    except InputError as error:
        print(f"gdtui: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # Most likely standard output. Python would complain once more as it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 0  # whoever read it has gone
        print(f"gdtui: {error}", file=sys.stderr)
        return FAULT
