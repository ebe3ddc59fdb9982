"""Reports: kept runs as text for people, and as JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from datetime import datetime
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from gdtui.experiment import Experiment, printable
from gdtui.runs.store import SWEEP, Run, Store
from gdtui.runs.summary import ago, brief, matching
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.listing import everything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdtui.descent.history import HistoryView
    from gdtui.problems.datasets import Array
    from gdtui.sweeps.kept import KeptSweep

HEAD = ("id", "age", "state", "epoch", "loss", "name", "experiment")
NUMBERS = ("epoch", "loss")
WIDE = 4096
"""Columns where nobody looks at a terminal."""


def show_runs(words: Sequence[str], as_json: bool) -> None:
    """Print the kept runs and sweeps in which each of these words stands, the newest first; or one sweep's runs."""
    store = Store()
    ledger = Ledger(store)
    sweep = ledger.find(words[0]) if len(words) == 1 else None
    found = store.runs_of(sweep.id) if sweep else matching(everything(ledger), words)
    if as_json:
        sweeps = {kept.id: kept for kept in ledger.sweeps()}
        plain = [_plain_sweep(sweeps[one.id]) if one.kind == SWEEP else _plain(one) for one in found]
        print(json.dumps(plain, allow_nan=False, indent=2))
        return
    if not found:
        print(f"no run is kept{' that matches' if words else ' yet: gdtui run keeps one'} in {store.path}")
        return
    # rich would take seconds to lay out a thousand rows.
    rows = [HEAD, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = get_terminal_size().columns if sys.stdout.isatty() else WIDE
    for row in rows:
        cells = zip(HEAD, row, widths, strict=True)
        line = "  ".join(f"{cell:>{width}}" if name in NUMBERS else f"{cell:<{width}}" for name, cell, width in cells)
        line = line.rstrip()
        print(line if len(line) <= room else f"{line[: room - 1]}…")


def _plain_sweep(kept: KeptSweep) -> dict[str, Any]:
    plain = asdict(kept) | {"kind": "sweep", "state": kept.state, "done": kept.done, "loss": _finite(kept.loss)}
    return plain | {"text": json.loads(kept.text)}


def _row(run: Run) -> tuple[str, ...]:
    loss = "–" if math.isnan(run.loss) else f"{run.loss:.5g}"
    called = printable(" ".join([run.name, *(f"#{tag}" for tag in run.tags)]).strip())
    epoch = f"{run.epoch:,}/{run.updates:,}" if run.kind == SWEEP else f"{run.epoch:,}"
    return run.id, ago(run.created), run.state, epoch, loss, called, printable(brief(run.settings))


def show_run(name: str, as_json: bool) -> None:
    """Print all that is known of a run but its curves."""
    store = Store()
    if sweep := Ledger(store).find(name):
        _show_sweep(store, sweep, as_json)
        return
    run = store.find(name)
    if run.is_training:
        _show_training(store, run, as_json)
        return
    record = store.record(run.id)
    theta = dict(zip(record.parameters, record.theta.tolist(), strict=True))
    events = [
        {"update": event.update, "setting": event.setting, "before": event.before, "after": event.after}
        for event in record.events
    ]
    if as_json:
        more = {"theta": {key: _finite(value) for key, value in theta.items()}, "events": events}
        print(json.dumps(_plain(run) | more, allow_nan=False, indent=2))
        return

    _print_facts(_facts(run, theta, events))
    print(_next_step(run))


def _show_sweep(store: Store, kept: KeptSweep, as_json: bool) -> None:
    """The same of a sweep: its points, the best first."""
    from gdtui import headless_sweep
    from gdtui.sweeps.outcome import standings

    progress = Ledger(store).look(kept.id)
    if not as_json:
        headless_sweep.show(progress, kept)
        return
    points = [headless_sweep.standing_fields(standing) for standing in standings(progress)]
    print(json.dumps(_plain_sweep(kept) | {"points": points}, allow_nan=False, indent=2))


def _show_training(store: Store, run: Run, as_json: bool) -> None:
    """The same of another program's training, with the newest of its values."""
    from gdtui.training.kept import training_of

    training = training_of(store, run)
    newest = {name: float(points[-1, -1]) for name, points in training.curves.items()}
    moment = training.moment
    if as_json:
        more = {
            "config": dict(training.config),
            "values": {name: _finite(value) for name, value in newest.items()},
            "instruments": {name: _finite(value) for name, value in moment.instruments.items()} if moment else {},
            "dropped": training.dropped,
        }
        print(json.dumps(_plain(run) | more, allow_nan=False, indent=2))
        return
    facts = _identity(run) | {"config": ", ".join(f"{name}={text}" for name, text in training.config)}
    facts |= _outcome(run) | {
        "steps": f"{run.updates:,}",
        **{name: str(value) for name, value in newest.items()},
        "probes": f"{len(training.moments):,}, the newest of {len(moment.samples):,} samples" if moment else "",
        "dropped": f"{training.dropped:,} values, which came too fast or were unfit" if training.dropped else "",
    }
    _print_facts(facts)
    print(f"gdtui watch {run.id} shows it")


def _print_facts(facts: dict[str, str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for label, text in facts.items():
        if text:
            table.add_row(Text(printable(label)), Text(printable(text)))
    Console().print(table)


def _identity(run: Run) -> dict[str, str]:
    return {"run": run.id, "sweep": run.sweep, "name": run.name, "tags": " ".join(run.tags), "note": run.note}


def _outcome(run: Run) -> dict[str, str]:
    return {
        "state": f"{run.state} {run.reason}".strip(),
        "made by": run.maker if run.is_made else "",
        "begun": f"{datetime.fromtimestamp(run.created):%Y-%m-%d %H:%M:%S}, {ago(run.created)} ago, in {run.folder}",
        "another way of": run.parent,
        "seconds": f"{run.seconds:.3g}",
    }


def _facts(run: Run, theta: dict[str, float], events: list[dict[str, Any]]) -> dict[str, str]:
    shown = list(theta.items())[:8]
    left = f", … {len(theta) - len(shown)} more" if len(theta) > len(shown) else ""
    return _identity(run) | {
        "experiment": run.experiment,
        "changes": "; ".join(
            f"from update {event['update'] + 1}: {event['setting']} {event['before']} → {event['after']}"
            for event in events
        ),
        **_outcome(run),
        "samples": f"{run.samples:,}",
        "epoch": f"{run.epoch:,} of {Experiment.from_line(run.settings).epochs:,}",
        "updates": f"{run.updates:,}",
        "loss": "–" if math.isnan(run.loss) else str(run.loss),
        "θ": ", ".join(f"{name} = {value}" for name, value in shown) + left,
    }


def compare(names: Sequence[str], as_json: bool) -> None:
    """Print in what kept runs differ and what came of it: at their ends, and where all of them have been.

    By epochs, updates and samples seen, since SGD makes more updates an epoch: what is a fair comparison depends.
    """
    from gdtui.descent.history import Column

    store = Store()
    runs = [store.find(name) for name in names]
    settings, histories = _compared(store, runs)
    results: dict[str, Sequence[Any]] = {
        "state": [run.state for run in runs],
        "epochs": [run.epoch for run in runs],
        "updates": [run.updates for run in runs],
        "seconds": [run.seconds for run in runs],
        "loss": [run.loss for run in runs],
        "least loss": [_least(one.column(Column.LOSS)) for one in histories],
    }
    axes = {"epoch": Column.EPOCH, "update": Column.UPDATES}
    if len({run.samples for run in runs}) > 1:
        axes["sample"] = Column.VISITED
    for what, column in axes.items():
        ends = [_end(one.column(column)) for one in histories]
        if all(map(math.isfinite, ends)):
            common = int(min(ends))
            results[f"loss at {what} {common:,}"] = [_loss_at(one.rows, column, common) for one in histories]
    if as_json:
        plain = {name: [_json(value) for value in values] for name, values in {**settings, **results}.items()}
        rows = [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]
        print(json.dumps([{"run": run.id} | row for run, row in zip(runs, rows, strict=True)], indent=2))
        return

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE)
    table.add_column("")
    for run in runs:
        table.add_column(Text(printable(run.name or run.id)), justify="right", overflow="fold")
    for name, values in {**settings, **results}.items():
        table.add_row(name, *(Text(_cell(value)) for value in values), end_section=[name] == list(settings)[-1:])
    Console().print(table)
    if not settings:
        print("their settings do not differ")


def _compared(store: Store, runs: Sequence[Run]) -> tuple[dict[str, tuple[Any, ...]], list[HistoryView]]:
    """In which settings runs differ, and their histories; of trainings the config is what there is."""
    from gdtui.runs.compare import differing

    if not any(run.is_training for run in runs):
        records = [store.record(run.id) for run in runs]
        found = differing([one.settings for one in records])
        return {name.replace("_", "-"): values for name, values in found.items()}, [one.history for one in records]
    from gdtui.training.kept import training_of

    configs: list[dict[str, Any]] = []
    histories = []
    for run in runs:
        if run.is_training:
            training = training_of(store, run)
            configs.append(dict(training.config))
            histories.append(training.history())
        else:
            record = store.record(run.id)
            configs.append({"experiment": record.settings.to_line()})
            histories.append(record.history)
    names = dict.fromkeys(name for config in configs for name in config)
    values = {name: tuple(config.get(name) for config in configs) for name in names}
    return {name: each for name, each in values.items() if any(value != each[0] for value in each)}, histories


def _least(losses: Array) -> float:
    """The least of them that is a number."""
    return min((loss for loss in losses.tolist() if not math.isnan(loss)), default=math.nan)


def _end(positions: Array) -> float:
    """The farthest that is known; nan where none is."""
    return max((at for at in positions.tolist() if not math.isnan(at)), default=math.nan)


def _loss_at(rows: Array, column: int, at: int) -> float:
    """f after the last kept epoch that ends no later."""
    from gdtui.descent.history import Column

    return float(rows[rows[:, column].searchsorted(at, side="right") - 1, Column.LOSS])  # nan is beyond all


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}" if math.isfinite(value) else "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return printable(",".join(map(str, value)) if isinstance(value, tuple) else "–" if value is None else str(value))


def _json(value: Any) -> Any:
    return _finite(value) if isinstance(value, float) else value


def _next_step(run: Run) -> str:
    if run.is_made:
        return f"gdtui watch {run.id} follows it"
    if run.state in ("interrupted", "paused"):
        return f"gdtui resume {run.id} goes on with it, gdtui open {run.id} shows it"
    return f"gdtui open {run.id} shows it"


def _plain(run: Run) -> dict[str, Any]:
    return asdict(run) | {"loss": _finite(run.loss)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
