"""Export: a moment's history, per-sample gradients or experiment as a file; pictures are drawn by the dashboard."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.descent.history import Column
from gdtui.experiment import SETTINGS, InputError, shown, unknown
from gdtui.insight.tracked import INSTRUMENTS
from gdtui.runs.atomic import destination, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment

    Table = dict[str, NDArray[Any]]
    """Columns by name, shape (m,) each; a number that is not there is nan, or masked."""

TABLE = (".csv", ".parquet", ".json")

FORMATS = {
    "history": TABLE,
    "samples": TABLE,
    "experiment": (".txt", ".json"),
    "chart": (".svg",),
    "lab": (".svg",),
}
"""What can be written, and the suffixes that say how."""

WHAT = tuple(FORMATS)
PICTURES = ("chart", "lab")

BLOCK = 10_000
"""Numbers that are turned to JSON at once: a screen need not wait longer for the interpreter."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        what: one of `WHAT`.
        file: where, as a person gave it.
        rows: of a table; None for anything else.
        size: in bytes.
        note: what the file does not hold; empty where it holds all.
    """

    what: str
    file: str
    rows: int | None
    size: int
    note: str = ""

    def __str__(self) -> str:
        rows = "" if self.rows is None else f"{self.rows:,} {'row' if self.rows == 1 else 'rows'}, "
        note = f"; {self.note}" if self.note else ""
        return f"wrote {self.what} to {shown(self.file)}: {rows}{_size(self.size)}{note}"


def what_fits(file: str) -> str:
    """What is written to a file of that name where nothing else is asked for.

    Raises:
        InputError: if its suffix is not known.
    """
    suffix = _suffix(file)
    return next(what for what, suffixes in FORMATS.items() if suffix in suffixes)


def check(what: str, file: str) -> None:
    """Whether that can be written to a file of that name; what is in the folder is not looked at.

    Raises:
        InputError: if there is no such thing to write, or the suffix is not known or not one for it.
    """
    if what not in FORMATS:
        raise InputError("what", unknown("thing to export", what, WHAT))
    suffix = _suffix(file)
    if suffix not in FORMATS[what]:
        fitting = _either(one for one, suffixes in FORMATS.items() if suffix in suffixes)
        message = f"{suffix} holds {fitting}; {what} is written as {_either(FORMATS[what])}"
        raise InputError("file", message)


def export(
    snapshot: Snapshot, what: str, file: str, replace: bool = False, draw: Callable[[], str] | None = None
) -> Written:
    """Write something of a run at this moment to a file, whole or not at all.

    Numbers are written in full: what is read back has the same bits. What is not a number, or not there, is empty in
    CSV and NULL in Parquet and JSON; an infinite number is `inf` in CSV, and NULL in JSON, which has none.

    Args:
        snapshot: the moment.
        what: history: an epoch a row, up to this moment. samples: a visit of its newest epoch a row, as applied.
            experiment: what was begun. chart, lab: a picture.
        file: its name; the suffix says how it is written.
        replace: a file that is there already may be replaced.
        draw: gives a picture's SVG.

    Raises:
        InputError: if that cannot be written so, or the file cannot be written, or is there already.
    """
    check(what, file)
    destination(file, replace)  # before the work, not after it
    if what in PICTURES:
        assert draw is not None
        return write_text([draw()], what, file, replace)
    if what == "experiment":
        is_line = _suffix(file) == ".txt"
        text = begun(snapshot).to_line() if is_line else json.dumps(_described(snapshot), allow_nan=False)
        changes = len(snapshot.events)
        note = f"it leaves out {changes} change{'s' * (changes > 1)} in mid-run, .json does not" if changes else ""
        return write_text([f"{text}\n"], what, file, replace, note=note if is_line else "")
    table = history_table(snapshot) if what == "history" else samples_table(snapshot)
    return write_table(table, _described(snapshot), what, file, replace)


def write_table(
    table: Table, described: dict[str, Any], what: str, file: str, replace: bool, note: str = ""
) -> Written:
    """Write columns to a file, whole or not at all; in JSON with what describes them.

    Raises:
        InputError: if the file cannot be written, or is there already.
    """
    rows = len(next(iter(table.values())))
    if _suffix(file) == ".json":
        return write_text(_json(described, table), what, file, replace, rows, note)
    with writing(file, replace) as part:
        _copy(table, _suffix(file), part)
        size = part.stat().st_size
    return Written(what, file, rows, size, note)


# --- tables ----------------------------------------------------------------------------------------------------------


def history_table(snapshot: Snapshot) -> Table:
    """An epoch a row, from 0 to the last one that is complete, with the instruments of those that are tracked.

    A very long run keeps the extremes of its losses: of an epoch that is tracked but not kept, the loss is not there.
    """
    kept = snapshot.history.until(snapshot.epoch).rows
    tracked = np.empty((0, 2 + len(INSTRUMENTS)))
    if snapshot.tracked.size:
        tracked = snapshot.tracked[snapshot.tracked[:, 0] <= snapshot.epoch]
    epochs = np.union1d(kept[:, Column.EPOCH], tracked[:, 0])
    rows, instruments = (np.full((len(epochs), width), np.nan) for width in (len(Column), len(INSTRUMENTS)))
    at = epochs.searchsorted(tracked[:, 0])
    instruments[at] = tracked[:, 2:]
    rows[at, Column.UPDATES] = tracked[:, 1]
    rows[epochs.searchsorted(kept[:, Column.EPOCH])] = kept
    columns: Table = {
        "epoch": epochs.astype(np.int64),
        "updates": rows[:, Column.UPDATES].astype(np.int64),
        "samples_seen": epochs.astype(np.int64) * snapshot.problem.n,
        "seconds": rows[:, Column.SECONDS],
        "lr": rows[:, Column.LR],
        "loss": rows[:, Column.LOSS],
        "visit_loss": rows[:, Column.VISIT_LOSS],
    }
    columns |= dict(zip(INSTRUMENTS, instruments.T, strict=True))
    is_missing = np.isnan(columns["conflicts"])
    counts = np.where(is_missing, 0.0, columns["conflicts"]).astype(np.int64)
    columns["conflicts"] = np.ma.masked_array(counts, is_missing)
    return columns


def samples_table(snapshot: Snapshot) -> Table:
    """A visit a row, in their order, of the epoch under way or else of the last one: each gradient as applied.

    A visit and an update are counted from 1, a sample from 0. A column of the data, or a parameter, whose name
    another column has already gets a number: `loss_2`.
    """
    visits, dataset = snapshot.visits, snapshot.problem.dataset
    samples = visits.samples
    data = [(name, dataset.x[samples, j]) for j, name in enumerate(dataset.features)]
    data += [(dataset.target, dataset.y[samples])] if dataset.target else []
    gradients = [(f"g_{name}", visits.gradients[:, j]) for j, name in enumerate(snapshot.problem.parameters)]
    names = iter(unique_names(("visit", "update", "sample", "loss", "clipped"), [name for name, _ in data + gradients]))
    before: Table = {
        "visit": np.arange(1, len(visits) + 1),
        "update": visits.update_of + visits.first_update + 1,
        "sample": samples,
    }
    before |= {next(names): column for _, column in data}
    after = {next(names): column for _, column in gradients}
    return before | {"loss": visits.losses} | after | {"clipped": visits.clipped}


def unique_names(taken: Iterable[str], names: Iterable[str]) -> list[str]:
    """The names, each different from all others also where case does not count, as in DuckDB."""
    known, unique = set(taken), []
    for name in names:
        one, number = name or "_", 1
        while one.casefold() in known:
            number += 1
            one = f"{name or '_'}_{number}"
        known.add(one.casefold())
        unique.append(one)
    return unique


# --- the experiment --------------------------------------------------------------------------------------------------


def begun(snapshot: Snapshot) -> Experiment:
    """The experiment as it was begun, before the changes in mid-run."""
    experiment = snapshot.experiment
    for event in reversed(snapshot.events):
        experiment = experiment.replace(**{event.setting: event.before})
    return experiment


def _described(snapshot: Snapshot) -> dict[str, Any]:
    """All that gives the run again: what was begun, as settings and as one line, and the changes in mid-run."""
    experiment = begun(snapshot)
    events = [
        {
            "update": event.update,
            "epoch": event.epoch,
            "setting": SETTINGS[event.setting].option if event.setting in SETTINGS else event.setting,
            "before": event.before,
            "after": event.after,
        }
        for event in snapshot.events
    ]
    return {"experiment": experiment.as_dict(), "line": experiment.to_line(), "events": events}


# --- formats ---------------------------------------------------------------------------------------------------------


def write_text(
    texts: Iterable[str], what: str, file: str, replace: bool, rows: int | None = None, note: str = ""
) -> Written:
    """Write text to a file, whole or not at all.

    Raises:
        InputError: if the file cannot be written, or is there already.
    """
    with writing(file, replace) as part:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(texts)
        size = part.stat().st_size
    return Written(what, file, rows, size, note)


def _json(described: dict[str, Any], table: Table) -> Iterator[str]:
    """One object: what describes the run, and the columns by name, each a list."""
    yield f'{json.dumps(described, allow_nan=False)[:-1]}, "columns": {{'
    for number, (name, column) in enumerate(table.items()):
        yield f"{', ' if number else ''}\n{json.dumps(name)}: ["
        for begin in range(0, len(column), BLOCK):
            block = column[begin : begin + BLOCK]
            known = block if block.dtype.kind == "U" else np.ma.masked_invalid(block)
            yield f"{', ' if begin else ''}{json.dumps(known.tolist(), allow_nan=False)[1:-1]}"
        yield "]"
    yield "}}\n"


def _copy(table: Table, suffix: str, part: Path) -> None:
    """Have DuckDB write a table. It gets columns and path as values: no name is ever read as SQL."""
    import duckdb

    try:
        str(part).encode()
    except UnicodeEncodeError:
        raise InputError("file", f"cannot write {suffix} there: the folder's name is not UTF-8; .json can") from None
    try:
        with duckdb.connect(":memory:", config={"temp_directory": ""}) as connection:
            connection.execute("SET enable_progress_bar = false")
            connection.register("columns", table)
            view = connection.view("columns")
            if suffix == ".csv":
                view.write_csv(str(part), header=True, use_tmp_file=False)
            else:
                view.write_parquet(str(part), use_tmp_file=False)
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None  # Ctrl-C, in DuckDB's words
    except duckdb.Error as error:
        raise InputError("file", f"cannot write {suffix}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """What the system says, at the end of DuckDB's words."""
    words = str(error).splitlines()[0].split('","errno"')[0]
    return words.rpartition(": ")[2].strip(' "{}') or "it failed"


def _suffix(file: str) -> str:
    suffix = Path(file).suffix.lower()
    known = dict.fromkeys(suffix for suffixes in FORMATS.values() for suffix in suffixes)
    if suffix not in known:
        raise InputError("file", f"a file's name ends in {_either(known)}, got {shown(Path(file).name)}")
    return suffix


def _either(words: Iterable[str]) -> str:
    """`a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
