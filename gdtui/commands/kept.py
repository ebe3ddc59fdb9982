"""Commands about kept runs: list, show, compare, export, label, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.arguments import add_json, add_labels, add_run, labels_of
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.arguments import Parser

MOST_COMPARED = 8


def list_runs(parser: Parser, arguments: Sequence[str]) -> int:
    """The kept runs and sweeps, the newest first; of one sweep, its runs."""
    text = "only the runs in which each of these words stands; or a sweep, for its runs"
    parser.add_argument("words", metavar="WORD", nargs="*", help=text)
    add_json(parser)
    options = parser.parse(arguments)

    from gdtui.reports import show_runs

    show_runs(options.words, as_json=options.json)
    return 0


def show_run(parser: Parser, arguments: Sequence[str]) -> int:
    """All that is known of a kept run, without its curves; of a sweep, its best points."""
    add_run(parser, metavar="RUN|SWEEP")
    add_json(parser)
    options = parser.parse(arguments)

    from gdtui.reports import show_run as show

    show(options.run, as_json=options.json)
    return 0


def export_run(parser: Parser, arguments: Sequence[str]) -> int:
    """Write something of a kept run to a file, or of a sweep: a table of its runs."""
    add_run(parser, metavar="RUN|SWEEP")
    parser.add_argument("file", metavar="FILE", help="its suffix says how: .csv, .parquet, .json, .txt or .svg")
    parser.add_argument("--what", metavar="WHAT", help="history, samples, experiment, chart or lab")
    parser.add_argument("--epoch", metavar="N", type=int, help="at the end of this epoch (default: the last one)")
    parser.add_argument("--force", action="store_true", help="replace a file that is there already")
    options = parser.parse(arguments)

    from gdtui.runs.export import check, export, what_fits
    from gdtui.runs.reopen import reopen
    from gdtui.runs.store import Store
    from gdtui.sweeps.ledger import Ledger

    what = options.what or what_fits(options.file)
    check(what, options.file)
    store = Store()
    ledger = Ledger(store)
    if sweep := ledger.find(options.run):
        from gdtui.sweeps.export import export as export_sweep

        if options.epoch is not None:
            raise InputError("epoch", "of a sweep all runs are written as they are: leave --epoch out")
        print(export_sweep(ledger.look(sweep.id), what, options.file, options.force))
        return 0
    run = store.find(options.run)
    if run.is_training:
        from gdtui.training.export import export as export_training
        from gdtui.training.kept import training_of

        if options.epoch is not None:
            raise InputError("epoch", "of a training all epochs are written: leave --epoch out")
        print(export_training(training_of(store, run), what, options.file, options.force))
        return 0
    trainer, _ = reopen(store, run)
    snapshot = trainer.snapshot() if options.epoch is None else trainer.rewind(options.epoch)

    def draw() -> str:
        from gdtui.dashboard.picture import lab_svg, loss_svg

        return (loss_svg if what == "chart" else lab_svg)(snapshot)

    print(export(snapshot, what, options.file, options.force, draw))
    return 0


def compare_runs(parser: Parser, arguments: Sequence[str]) -> int:
    """What differs between two to eight kept runs, and what came of it."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="an id, the beginning of one, a name, or last")
    add_json(parser)
    options = parser.parse(arguments)
    if not 2 <= len(options.runs) <= MOST_COMPARED:
        raise InputError("", f"compare takes two to {MOST_COMPARED} runs, got {len(options.runs)}")

    from gdtui.reports import compare

    compare(options.runs, as_json=options.json)
    return 0


def label_run(parser: Parser, arguments: Sequence[str]) -> int:
    """Give a kept run a name, tags or a note; an empty text takes one away."""
    add_run(parser, metavar="RUN|SWEEP")
    add_labels(parser)
    options = parser.parse(arguments)
    labels = labels_of(options)
    if not labels:
        raise InputError("", "say what to call it: --name NAME, --tags A,B or --note TEXT")

    from gdtui.runs.store import Store
    from gdtui.sweeps.ledger import Ledger

    store = Store()
    if sweep := Ledger(store).find(options.run):
        Ledger(store).label(sweep, labels)
    else:
        store.label(store.find(options.run).id, labels)
    return 0


def remove_runs(parser: Parser, arguments: Sequence[str]) -> int:
    """Delete kept runs for good, and sweeps with all their runs."""
    add_run(parser, nargs="+", metavar="RUN|SWEEP")
    options = parser.parse(arguments)

    from gdtui.runs.store import Store
    from gdtui.sweeps.kept import KeptSweep
    from gdtui.sweeps.ledger import Ledger

    store = Store()
    ledger = Ledger(store)
    for one in [ledger.find(name) or store.find(name) for name in options.run]:  # none is deleted unless all are there
        if isinstance(one, KeptSweep):
            print(f"deleted sweep {one.id} and its {ledger.remove(one):,} runs")
        else:
            store.remove(one)
            print(f"deleted run {one.id}")
    return 0
