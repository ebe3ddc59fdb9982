"""The command line: arguments in, exit status out."""

from __future__ import annotations

import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, NamedTuple

from gdtui.arguments import OFFER, Parser, is_utf
from gdtui.commands import experiments, kept, lab, sweeps
from gdtui.experiment import InputError, unknown
from gdtui.stopping import silence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FAULT, USAGE_ERROR, INTERRUPTED = 1, 2, 130
SHELLS = ("bash", "zsh", "fish")


class Command(NamedTuple):
    """One word that can come first.

    Attributes:
        run: its parser, with nothing in it yet, and arguments -> exit status; its docstring is for --help.
        usage: what follows the word.
        help: a few words.
    """

    run: Callable[[Parser, Sequence[str]], int]
    usage: str
    help: str


# --- about the command line itself -----------------------------------------------------------------------------------


def _config(parser: Parser, arguments: Sequence[str]) -> int:
    """The file that says how you like the dashboard, with what holds where it says nothing."""
    parser.epilog = 'begin one: gdtui config > "$(gdtui config --path)"'
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


def _help(parser: Parser, arguments: Sequence[str]) -> int:
    """Explain something; without TOPIC, list what can be explained."""
    parser.add_argument("topic", metavar="TOPIC", nargs="?", help="one of the topics, or a command")
    topic = parser.parse(arguments).topic

    from gdtui.config import configured
    from gdtui.topics.topic import NAMES

    if topic in COMMANDS and topic not in NAMES:
        return _call(topic, ["--help"])

    from gdtui.dashboard.manual import explain

    keys = {}
    with suppress(InputError):  # help is there for one whose file is wrong, too
        keys = configured().get("keys", {})
    explain(topic, keys)
    return 0


def _completion(parser: Parser, arguments: Sequence[str]) -> int:
    """Print the script with which a shell completes gdtui's words when Tab is pressed."""
    if len(arguments) > 1 and arguments[0] == "next":  # so the scripts ask
        from gdtui.completion import offer_command

        first, *rest = arguments[1:]
        if first.startswith("-"):
            return _call("", [OFFER, first, *rest])
        if rest:
            return _call(first, [OFFER, *rest]) if first in COMMANDS else 0
        offer_command(first, {name: command.help for name, command in COMMANDS.items()})
        return 0
    parser.add_argument("shell", metavar="|".join(SHELLS), help="its first lines say where to put it")
    shell = parser.parse(arguments).shell
    if shell not in SHELLS:
        raise InputError("", unknown("shell", shell, SHELLS))

    from gdtui.completion import SCRIPTS

    print(SCRIPTS[shell], end="")
    return 0


# --- all of them ----------------------------------------------------------------------------------------------------

COMMANDS = {
    "run": Command(experiments.run, "[EXPERIMENT] [--format FORMAT]", "the same experiment without a screen"),
    "resume": Command(experiments.resume, "RUN [--format FORMAT]", "go on with one that was interrupted"),
    "sweep": Command(sweeps.sweep, "[EXPERIMENT] --over NAME=VALUES", "many experiments, here or on a Dask cluster"),
    "lesson": Command(lab.open_lesson, "[NAME]", "what there is to see, one claim at a time"),
    "runs": Command(kept.list_runs, "[WORD ...] [--json]", "the kept runs"),
    "show": Command(kept.show_run, "RUN [--json]", "all that is known of one"),
    "open": Command(lab.open_run, "RUN [--play]", "one in the dashboard"),
    "watch": Command(lab.watch_run, "[RUN|FILE|-]", "follow one that another process makes, or a log"),
    "compare": Command(kept.compare_runs, "RUN RUN ... [--json]", "what differs, and what came of it"),
    "export": Command(
        kept.export_run, "RUN FILE [--what WHAT]", "history, gradients, experiment or picture, to a file"
    ),
    "label": Command(kept.label_run, "RUN --name|--tags|--note TEXT", "what you call it"),
    "rm": Command(kept.remove_runs, "RUN ...", "delete kept runs"),
    "list": Command(experiments.list_names, "|".join(experiments.LISTS), "what there is to choose from"),
    "check": Command(experiments.check, "FILE.py:NAME", "the gradient of your own model"),
    "config": Command(_config, "[--path]", "how you like the dashboard: theme, keys, panes, speed"),
    "help": Command(_help, "[TOPIC]", "keys, panes, formulas, files and more, explained"),
    "completion": Command(_completion, "|".join(SHELLS), "let your shell complete gdtui's words"),
}


def _call(name: str, arguments: Sequence[str]) -> int:
    """Run a command; the one without a name is the dashboard on an experiment."""
    run = COMMANDS[name].run if name else lab.open_experiment
    return run(Parser(name, run.__doc__ or "", COMMANDS, "" if name else _overview()), arguments)


def _overview() -> str:
    usage = {f"gdtui {name} {command.usage}": command.help for name, command in COMMANDS.items()}
    usage = {"gdtui [EXPERIMENT] [--play]": "the dashboard: space runs, ? helps"} | usage
    lines = [f"  {words:<{max(map(len, usage))}}  {what}" for words, what in usage.items()]
    status = "exit status: 0 finished or converged, 2 bad input, 3 diverged, 130 interrupted, 1 a fault of gdtui's own"
    return "\n".join(["commands:", *lines, "", status])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run gdtui; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, TextIOWrapper):
        # What the terminal's encoding does not have is written as an escape, as on standard error; a θ by its name.
        sys.stdout.reconfigure(errors="backslashreplace" if is_utf(sys.stdout) else _spelled())
    try:
        try:
            if arguments and arguments[0] in COMMANDS:
                return _call(arguments[0], arguments[1:])
            return _call("", arguments)
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
        silence(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return 0  # whoever read it has gone
        try:
            print(f"gdtui: {error}", file=sys.stderr)
        except OSError:  # so has the terminal
            silence(sys.stderr)
        return FAULT


def _spelled() -> str:
    from gdtui.ascii import SPELLED

    return SPELLED
