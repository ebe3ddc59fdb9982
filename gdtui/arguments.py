"""Arguments: what the commands of the command line have in common: experiments, runs, output, errors in one line."""

from __future__ import annotations

import argparse
import codecs
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from gdtui.experiment import ORDERS, SETTINGS, Experiment, InputError, unknown
from gdtui.preferences import DEFAULTS, DRIVERS, SPEEDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import TextIO

    from gdtui.headless import Output
    from gdtui.preferences import Preferences

FORMATS = ("progress", "tutorial", "jsonl")
ON_SCREEN = ("theme", "speed", "driver", "fps", "ascii")
OFFER = "--offer-words"
"""In place of a command's first argument: print what the last word of those that follow can become."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that says what would be right."""

    def __init__(self, command: str, description: str, commands: Collection[str], epilog: str) -> None:
        """For a command; `commands` are all that there are."""
        super().__init__(
            prog=f"gdtui {command}".strip(),
            allow_abbrev=False,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._commands = tuple(commands)

    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's usage."""
        raise InputError("", f"{message[:1].lower()}{message[1:]} (see {self.prog} --help)")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options that are given.

        Raises:
            InputError: if there is no such option or command.
        """
        if arguments and arguments[0] == OFFER:
            from gdtui.completion import offer

            offer(self, arguments[1:])
            self.exit()
        options, rest = self.parse_known_args(_joined(arguments))
        for word in rest:
            name = word.split("=", 1)[0]
            if word in self._commands:
                raise InputError("", f"{word} comes first: gdtui {word} ...")
            known = tuple(self._option_string_actions) if word.startswith("-") else self._commands
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


def add_experiment(parser: argparse.ArgumentParser) -> None:
    """EXPERIMENT: every setting."""
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


def experiment_of(options: argparse.Namespace) -> Experiment:
    """The experiment that the options say.

    Raises:
        InputError: if a value is wrong.
    """
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


def add_output(parser: argparse.ArgumentParser) -> None:
    """What is written to standard output."""
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        default="progress" if is_terminal(sys.stdout) else "jsonl",
        help="progress (default on a terminal), tutorial (the tutorial's own lines), or jsonl (default elsewhere)",
    )
    parser.add_argument("--samples", action="store_true", help="jsonl: a line for each sample's visit, too")
    parser.add_argument(
        "--instruments", action="store_true", help="jsonl: a line for each tracked epoch's gradients, too"
    )


def output_of(options: argparse.Namespace) -> Output:
    """The output that the options say.

    Raises:
        InputError: if there is none such, or nowhere to write.
    """
    if sys.stdout is None:
        raise InputError("", "standard output is closed: there is nowhere to write")
    if options.format not in FORMATS:
        raise InputError("format", unknown("format", options.format, FORMATS))
    for name in ("samples", "instruments"):
        if getattr(options, name) and options.format != "jsonl":
            raise InputError(name, f"--{name} writes JSON lines: use it with --format jsonl")

    from gdtui.headless import Output

    return Output(options.format, options.samples, options.instruments)


def add_preferences(parser: argparse.ArgumentParser) -> None:
    """How the dashboard is shown."""
    group = parser.add_argument_group("screen", "defaults: as gdtui config says")
    group.add_argument("--theme", metavar="NAME", help="colours: gdtui, gdtui-light, nord, ...; ctrl-p finds them all")
    group.add_argument("--speed", metavar="N|max", help=f"epochs a second: {', '.join(map(str, SPEEDS))} (10)")
    group.add_argument(
        "--driver",
        metavar="|".join(DRIVERS),
        help="paced sends only what changed, as fast as the link carries it (default); plain is Textual's own",
    )
    group.add_argument("--fps", metavar="N", type=float, help="redraws a second at most (60)")
    group.add_argument("--ascii", action="store_const", const=True, help="draw with plain ASCII characters only")


def preferences_of(options: argparse.Namespace) -> Preferences:
    """The preferences that the options say; else the file, else how the dashboard was left, else the defaults.

    Raises:
        InputError: if a value is wrong, or the file.
    """
    from gdtui.config import configured
    from gdtui.memory import remembered

    given = {name: value for name, value in vars(options).items() if name in ON_SCREEN and value is not None}
    return DEFAULTS.replace(**remembered()).replace(**configured()).replace(**given)


def add_run(parser: argparse.ArgumentParser, **kwargs: Any) -> None:
    """RUN: which kept run is meant."""
    known = {"metavar": "RUN", "help": "an id, the beginning of one, a name, or last"}
    parser.add_argument("run", **known | kwargs)


def add_json(parser: argparse.ArgumentParser) -> None:
    """For programs."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def add_labels(parser: argparse.ArgumentParser) -> None:
    """What a person calls a run."""
    for name, metavar, what in (
        ("name", "NAME", "a name of its own"),
        ("tags", "A,B", "words to find it by"),
        ("note", "TEXT", "what you have to say of it"),
    ):
        parser.add_argument(f"--{name}", metavar=metavar, help=what)


def labels_of(options: argparse.Namespace) -> dict[str, str]:
    """The labels that were given."""
    return {name: getattr(options, name) for name in ("name", "tags", "note") if getattr(options, name) is not None}


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is there and is a terminal."""
    return stream is not None and stream.isatty()


def is_utf(stream: TextIO | None) -> bool:
    """Whether a stream has every character."""
    return stream is not None and codecs.lookup(stream.encoding).name.startswith("utf")
