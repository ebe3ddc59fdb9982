"""Commands about sweeps: begin one, go on with one, make one larger."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gdtui.arguments import add_experiment, add_labels, experiment_of, is_terminal, labels_of, preferences_of
from gdtui.experiment import SETTINGS, InputError, unknown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from gdtui.arguments import Parser
    from gdtui.headless_sweep import Workers
    from gdtui.sweeps.space import Axis
    from gdtui.sweeps.sweep import Sweep

FORMATS = ("progress", "jsonl")


def sweep(parser: Parser, arguments: Sequence[str]) -> int:
    """Run an experiment at many settings, on this machine's processors or on a Dask cluster, and keep every run."""
    parser.epilog = "gdtui runs SWEEP lists its runs, gdtui show SWEEP ranks them, gdtui rm SWEEP deletes them"
    _add_points(parser)
    _add_workers(parser)
    add_labels(parser)
    add_experiment(parser)
    options = parser.parse(arguments)
    if options.format not in FORMATS:
        raise InputError("format", unknown("format", options.format, FORMATS))
    if sys.stdout is None:
        raise InputError("", "standard output is closed: there is nowhere to write")
    _check_again(options)

    from gdtui import headless_sweep as headless

    workers = headless.Workers(options.jobs, options.scheduler)
    if options.open:
        return _open(options, workers)
    if options.resume is not None:
        return headless.resume(options.resume, workers, options.format)
    if options.extend is not None:
        return headless.extend(
            options.extend, _axes(options), options.seeds or 0, options.samples, workers, options.format
        )
    return headless.begin(_sweep_of(options), labels_of(options), workers, options.format)


def _open(options: argparse.Namespace, workers: Workers) -> int:
    """Make it, and show it as it is made."""
    from gdtui.commands.lab import check_terminal, show
    from gdtui.dashboard.begin import Opening
    from gdtui.sweeps import preparing
    from gdtui.sweeps.ledger import Ledger

    check_terminal()
    preferences, is_here = preferences_of(options), workers.scheduler is None
    if options.resume is not None:
        kept = Ledger().named(options.resume)
    elif options.extend is not None:
        before = Ledger().named(options.extend)
        wider = before.sweep.extended(_axes(options), options.seeds or 0, options.samples)
        kept = preparing.extend(before.id, wider, is_here)
    else:
        kept = preparing.kept(_sweep_of(options), labels_of(options), is_here)
    status = show(Opening(play=True, sweep=kept, workers=workers.options), preferences)
    now = Ledger().named(kept.id)
    if now.state != "finished":
        left = f"{now.total - now.done:,} of {now.total:,} runs left"
        print(f"gdtui: interrupted, {left}; gdtui sweep --resume {now.id} goes on with it", file=sys.stderr)
    return status


def _add_points(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sweep")
    group.add_argument(
        "--over",
        metavar="NAME=VALUES",
        action="append",
        default=[],
        help="a setting and its values, A,B,... or log:LOW:HIGH:COUNT or lin:LOW:HIGH:COUNT; repeatable",
    )
    group.add_argument("--seeds", metavar="N", type=int, help="each point with so many seeds (1)")
    group.add_argument("--samples", metavar="N", type=int, default=0, help="so many random points instead of a grid")
    group.add_argument("--halving", action="store_true", help="stop early what is too far behind")
    group.add_argument("--resume", metavar="SWEEP", help="go on with a sweep: what is missing, and what failed")
    group.add_argument("--open", action="store_true", help="show it in the dashboard as it is made")
    group.add_argument("--extend", metavar="SWEEP", help="more values, seeds or samples for a sweep that is there")


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", metavar="N", type=int, help="processes at once (default: one a processor)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that does the work, host:port")
    parser.add_argument(
        "--format",
        metavar="progress|jsonl",
        default="progress" if is_terminal(sys.stdout) else "jsonl",
        help="progress, then a table (default on a terminal), or jsonl, a line a run (default elsewhere)",
    )


def _sweep_of(options: argparse.Namespace) -> Sweep:
    from gdtui.sweeps.sweep import Sweep

    experiment = experiment_of(options)
    return Sweep(
        experiment,
        tuple(_axes(options)),
        1 if options.seeds is None else options.seeds,
        options.samples,
        options.halving,
    )


def _axes(options: argparse.Namespace) -> list[Axis]:
    from gdtui.sweeps.space import parse_axis

    return [parse_axis(text) for text in options.over]


def _check_again(options: argparse.Namespace) -> None:
    """A sweep that is there has its settings."""
    again = "resume" if options.resume is not None else "extend" if options.extend is not None else ""
    if not again:
        return
    if options.resume is not None and options.extend is not None:
        raise InputError("extend", "--extend goes on with the sweep as well: leave out --resume")
    given = [name for name in vars(options) if name in SETTINGS or name == "experiment"]
    given += [name for name in ("halving", "name", "tags", "note") if getattr(options, name)]
    if again == "resume":
        given += [name for name in ("over", "seeds", "samples") if getattr(options, name)]
    if given:
        what = "goes on with it as it is" if again == "resume" else "takes --over, --seeds or --samples"
        raise InputError(given[0], f"--{again} {what}: leave out --{given[0].replace('_', '-')}")
