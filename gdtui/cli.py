"""The command line: arguments in, exit status out."""

from __future__ import annotations

import argparse
import os
import re
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from gdtui.experiment import ORDERS, SETTINGS, Experiment, InputError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from gdtui.headless import Output

FAULT, USAGE_ERROR, INTERRUPTED = 1, 2, 130
LISTS = ("problems", "datasets", "optimizers", "schedules")
FORMATS = ("progress", "tutorial", "jsonl")

EPILOG = """\
commands:
  gdtui [EXPERIMENT] [--play]               the dashboard: press space to run, ? for help
  gdtui run [EXPERIMENT] [--format FORMAT]  the same experiment without a screen
  gdtui list problems|datasets|optimizers|schedules
  gdtui check FILE.py:NAME                  the gradient of your own model

exit status: 0 finished or converged, 2 bad input, 3 diverged, 130 interrupted, 1 a fault of gdtui's own
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that says what would be right."""

    def error(self, message: str) -> NoReturn:
        raise InputError("", f"{message[:1].lower()}{message[1:]} (see {self.prog} --help)")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        options, rest = self.parse_known_args(_joined(arguments))
        for word in rest:
            name = word.split("=", 1)[0]
            if word in COMMANDS:
                raise InputError("", f"{word} comes first: gdtui {word} ...")
            known = tuple(self._option_string_actions) if word.startswith("-") else tuple(COMMANDS)
            raise InputError("", unknown("option" if word.startswith("-") else "command", name, known))
        return options


def _joined(arguments: Sequence[str]) -> list[str]:
    """The arguments with `--init -1,2` as `--init=-1,2`: argparse would take -1,2 for an option."""
    joined: list[str] = []
    for word in arguments:
        if joined and re.fullmatch(r"--[a-z-]+", joined[-1]) and re.match(r"-[\d.]", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _add_experiment(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("experiment", "defaults: the tutorial's stochastic gradient descent")

    def option(name: str, metavar: str, what: str) -> None:
        group.add_argument(f"--{name}", metavar=metavar, help=what, default=argparse.SUPPRESS)

    def flag(name: str, what: str) -> None:
        group.add_argument(f"--{name}", action="store_const", const="on", help=what, default=argparse.SUPPRESS)

    option("problem", "NAME", "what is minimised: see gdtui list problems; or your own model, FILE.py:NAME")
    option("data", "NAME|FILE", "see gdtui list datasets; or a CSV, TSV, Parquet or JSON-lines file")
    option("features", "A,B", "columns to learn from (default: all numeric ones but the target)")
    option("target", "C", "the column to predict (default: the last numeric one)")
    flag("standardize", "bring each feature to mean 0, variance 1")
    flag("drop-missing", "leave out rows with missing values")
    option("optimizer", "NAME", "the update rule: see gdtui list optimizers (sgd)")
    option("lr", "X", "the learning rate (0.01)")
    option("schedule", "NAME", "the learning rate over time: constant, step, cosine, ... (constant)")
    option("batch-size", "full|N", "samples in an update: full is gradient descent, 1 is SGD (1)")
    option("order", "NAME", f"{', '.join(ORDERS)} (sequential)")
    option("epochs", "N", "passes over the data (100)")
    option("seed", "N", "of the random order (0)")
    option("init", "A,B,...", "where θ starts: one number for all parameters, or one each (1)")
    group.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        help="a hyperparameter: momentum=0.9, hidden=16, rms=0.1; repeatable",
        default=argparse.SUPPRESS,
    )
    option("experiment", "LINE", "a whole experiment in one line; the other options go on top of it")


def _experiment(options: argparse.Namespace) -> Experiment:
    given = {name: text for name, text in vars(options).items() if name in SETTINGS or name == "experiment"}
    line = given.pop("experiment", None)
    base = Experiment() if line is None else Experiment.from_line(line)
    if "set" in given:
        given["set"] = ",".join([*(f"{name}={value}" for name, value in base.set), *given["set"]])
    if "problem" in given and "data" not in given and line is None:
        from gdtui.problems.catalog import FAMILIES

        family = FAMILIES.get(given["problem"])
        given["data"] = family.data or "noise" if family else base.data
    return Experiment.from_options(given, base)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        default="progress" if _is_terminal(sys.stdout) else "jsonl",
        help="progress (default on a terminal), tutorial (the tutorial's own lines), or jsonl (default elsewhere)",
    )
    parser.add_argument("--samples", action="store_true", help="jsonl: a line for each sample's visit, too")
    parser.add_argument(
        "--instruments", action="store_true", help="jsonl: a line for each tracked epoch's gradients, too"
    )


def _output(options: argparse.Namespace) -> Output:
    if sys.stdout is None:
        raise InputError("", "standard output is closed: there is nowhere to write")
    if options.format not in FORMATS:
        raise InputError("format", unknown("format", options.format, FORMATS))
    for name in ("samples", "instruments"):
        if getattr(options, name) and options.format != "jsonl":
            raise InputError(name, f"--{name} writes JSON lines: use it with --format jsonl")

    from gdtui.headless import Output

    return Output(options.format, options.samples, options.instruments)


def _run(arguments: Sequence[str]) -> int:
    parser = _Parser(
        prog="gdtui run",
        allow_abbrev=False,
        description="Run an experiment without a screen and write what happens to standard output.",
    )
    _add_output(parser)
    parser.add_argument("--no-keep", action="store_true", help="do not keep the run")
    _add_experiment(parser)
    options = parser.parse(arguments)
    experiment, output = _experiment(options), _output(options)

    from gdtui.headless import run

    return run(experiment, output, is_kept=not options.no_keep)


def _resume(arguments: Sequence[str]) -> int:
    parser = _Parser(prog="gdtui resume", allow_abbrev=False, description="Go on with a kept run that was interrupted.")
    _add_run(parser)
    _add_output(parser)
    options = parser.parse(arguments)
    output = _output(options)

    from gdtui.headless import resume

    return resume(options.run, output)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="an id, the beginning of one, a name, or last")


def _list(arguments: Sequence[str]) -> int:
    parser = _Parser(prog="gdtui list", allow_abbrev=False, description="What there is, with its hyperparameters.")
    parser.add_argument("what", metavar="|".join(LISTS))
    what = parser.parse(arguments).what
    if what not in LISTS:
        raise InputError("", unknown("list", what, LISTS))

    from gdtui.listing import show

    show(what)
    return 0


def _check(arguments: Sequence[str]) -> int:
    parser = _Parser(
        prog="gdtui check", allow_abbrev=False, description="Check the gradient of a model of your own, FILE.py:NAME."
    )
    parser.add_argument("model", metavar="FILE.py:NAME")
    _add_experiment(parser)
    options = parser.parse(arguments)
    experiment = _experiment(options).replace(problem=options.model)

    from gdtui.listing import show_check

    show_check(experiment)
    return 0


def _dashboard(arguments: Sequence[str]) -> int:
    parser = _Parser(
        prog="gdtui",
        allow_abbrev=False,
        description="A gradient-descent laboratory for the terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--play", action="store_true", help="start to run at once")
    _add_experiment(parser)
    options = parser.parse(arguments)
    if options.version:
        from importlib.metadata import version

        print(f"gdtui {version('gdtui')}")
        return 0
    experiment = _experiment(options)
    is_dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    if is_dumb or not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        raise InputError("", "the dashboard needs a terminal that can move its cursor; without one, use gdtui run")

    from gdtui.dashboard.app import LabApp

    app = LabApp(experiment, play=options.play)
    app.run(mouse=False)  # there is nothing to click; the terminal's own selection goes on working
    if app.failure:
        raise InputError("", app.failure)
    return app.return_code or 0


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


COMMANDS = {"run": _run, "resume": _resume, "list": _list, "check": _check}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run gdtui; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, TextIOWrapper):
        # A θ that the terminal's encoding does not have is written as an escape, as on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            if arguments and arguments[0] in COMMANDS:
                return COMMANDS[arguments[0]](arguments[1:])
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
