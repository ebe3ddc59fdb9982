"""Commands without a screen: run an experiment, go on with one, say what there is, check a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.arguments import add_experiment, add_labels, add_output, add_run, experiment_of, labels_of, output_of
from gdtui.experiment import InputError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.arguments import Parser

LISTS = ("problems", "datasets", "optimizers", "schedules")


def run(parser: Parser, arguments: Sequence[str]) -> int:
    """Run an experiment without a screen and write what happens to standard output."""
    add_output(parser)
    parser.add_argument("--no-keep", action="store_true", help="do not keep the run")
    add_labels(parser)
    add_experiment(parser)
    options = parser.parse(arguments)
    experiment, output, labels = experiment_of(options), output_of(options), labels_of(options)

    from gdtui import headless

    return headless.run(experiment, output, is_kept=not options.no_keep, labels=labels)


def resume(parser: Parser, arguments: Sequence[str]) -> int:
    """Go on with a kept run that was interrupted, without a screen."""
    add_run(parser)
    add_output(parser)
    options = parser.parse(arguments)
    output = output_of(options)

    from gdtui import headless

    return headless.resume(options.run, output)


def list_names(parser: Parser, arguments: Sequence[str]) -> int:
    """What there is, with its hyperparameters."""
    parser.add_argument("what", metavar="|".join(LISTS))
    what = parser.parse(arguments).what
    if what not in LISTS:
        raise InputError("", unknown("list", what, LISTS))

    from gdtui.listing import show

    show(what)
    return 0


def check(parser: Parser, arguments: Sequence[str]) -> int:
    """Check the gradient of a model of your own, FILE.py:NAME."""
    parser.add_argument("model", metavar="FILE.py:NAME")
    add_experiment(parser)
    options = parser.parse(arguments)
    experiment = experiment_of(options).replace(problem=options.model)

    from gdtui.listing import show_check

    show_check(experiment)
    return 0
