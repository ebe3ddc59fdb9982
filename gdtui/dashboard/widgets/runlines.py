"""Run lines: what the list of kept runs writes: its columns, their order, and all that is known of one run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from gdtui.dashboard.figures import WIDTH, figure
from gdtui.dashboard.widgets.status import SYMBOLS
from gdtui.experiment import printable
from gdtui.runs.store import SWEEP
from gdtui.runs.summary import ago, brief, changes, epochs_planned, matching

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gdtui.runs.store import Run

STATES = {"running": SYMBOLS["running"], "paused": SYMBOLS["paused"], "interrupted": "◐"} | SYMBOLS
"""A mark for each state, in the order in which runs are sorted by it: what may go on, then what is over."""

GAP = 2
"""Blanks between two columns."""

LEAD = 3
"""Cells before the first column: which line is selected, how the run is pinned, a blank."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list.

    Attributes:
        key: its stable name.
        title: its head.
        text: a run's cell, of any length.
        order: what runs are sorted by; None where it is undefined: those come last.
        is_descending: the greatest first, unless reversed.
        is_number: it stands at the right, and is never cut.
        cells: how wide it is; 0 where that depends on the runs.
    """

    key: str
    title: str
    text: Callable[[Run], str]
    order: Callable[[Run], Any] | None = None
    is_descending: bool = False
    is_number: bool = False
    cells: int = 0


def state(run: Run) -> str:
    """A run's state, a mark and a word."""
    return printable(f"{STATES.get(run.state, '?')} {run.state}")


def called(run: Run) -> str:
    """A run's name and tags."""
    return printable(" ".join([run.name, *(f"#{tag}" for tag in run.tags)]).strip())


def _place(run: Run) -> int:
    return list(STATES).index(run.state) if run.state in STATES else len(STATES)


def _loss(run: Run) -> float | None:
    return None if math.isnan(run.loss) else run.loss


def _what(run: Run) -> str:
    return printable(brief(run.settings))


COLUMNS = (
    Column("id", "id", lambda run: run.id),
    Column("age", "age", lambda run: ago(run.created), lambda run: -run.created, is_number=True, cells=6),
    Column("state", "state", state, _place, cells=13),
    Column("epoch", "epoch", lambda run: f"{run.epoch:,}", lambda run: run.epoch, True, is_number=True),
    Column("updates", "updates", lambda run: f"{run.updates:,}", lambda run: run.updates, True, is_number=True),
    Column("loss", "loss", lambda run: figure(run.loss), _loss, is_number=True, cells=WIDTH),
    Column("name", "name", called, lambda run: called(run).lower() or None),
    Column("what", "experiment", _what, _what),
)
"""From the left to the right."""

BY_KEY = {column.key: column for column in COLUMNS}

ANY = 10_000
CLAIMS = (
    *(("id", ANY), ("state", ANY), ("loss", ANY), ("age", ANY), ("name", 10), ("what", 14), ("epoch", ANY)),
    *(("name", 20), ("what", 40), ("updates", ANY), ("name", 32), ("what", ANY)),
)
"""The columns and how wide they would be, the most important first; texts are content with less and grow later."""


# --- which runs, in which order --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """How runs are sorted.

    Attributes:
        key: the column.
        is_reversed: the other way round than one wants it first.
    """

    key: str = "age"
    is_reversed: bool = False

    @property
    def is_descending(self) -> bool:
        """The greatest comes first."""
        return BY_KEY[self.key].is_descending != self.is_reversed

    @property
    def arrow(self) -> str:
        """Which way the values go."""
        return "↓" if self.is_descending else "↑"


@dataclass(frozen=True, slots=True)
class Listing:
    """What the list shows.

    Attributes:
        runs: those that are shown, in their order.
        total: how many are kept.
        order: how they are sorted.
        widths: cells that the longest text takes, by column; of all runs, so that a search moves no column.
    """

    runs: Sequence[Run] = ()
    total: int = 0
    order: Order = Order()
    widths: Mapping[str, int] | None = None


def listing(runs: Sequence[Run], words: Sequence[str], order: Order) -> Listing:
    """The runs in which all words stand, sorted; of equals the newest is first."""
    found = matching(runs, words) if words else runs
    value = BY_KEY[order.key].order
    assert value is not None
    values = [(value(run), run) for run in found]
    known = sorted((one for one in values if one[0] is not None), key=lambda one: one[0], reverse=order.is_descending)
    ordered = [run for _, run in known] + [run for one, run in values if one is None]
    return Listing(ordered, len(runs), order, _widths(runs))


def _widths(runs: Sequence[Run]) -> dict[str, int]:
    most = {
        "what": ANY,
        "id": max((cell_len(run.id) for run in runs), default=0),
        "epoch": len(f"{max((run.epoch for run in runs), default=0):,}"),
        "updates": len(f"{max((run.updates for run in runs), default=0):,}"),
        "name": max((cell_len(called(run)) for run in runs if run.name or run.tags), default=0),
    }
    widths = {column.key: max(most.get(column.key, column.cells), len(column.title) + 1) for column in COLUMNS}
    return widths if most["name"] else widths | {"name": 0}  # it has no place where nothing has a name


def columns_in(width: int, widths: Mapping[str, int]) -> dict[str, int]:
    """The columns for which there is room, with their cells, from the left to the right."""
    room = width - LEAD + GAP
    cells = {column.key: 0 for column in COLUMNS}
    for key, wanted in CLAIMS:
        more = min(wanted, widths[key]) - cells[key]
        if cells[key]:
            more = min(more, room)
        elif more > 0:
            more = more if more + GAP <= room else 0
            room -= GAP * (more > 0)
        cells[key] += more
        room -= more
    return {key: width for key, width in cells.items() if width}


# --- text ------------------------------------------------------------------------------------------------------------


def head(columns: Mapping[str, int], order: Order) -> str:
    """The titles, an arrow before that of the column that is sorted by."""
    cells = []
    for key, width in columns.items():
        title = (order.arrow if key == order.key else "") + BY_KEY[key].title
        cells.append(_placed(title, width, BY_KEY[key].is_number))
    return " " * LEAD + (" " * GAP).join(cells)


def cell(run: Run, key: str, width: int) -> str:
    """A run's cell in a column, so many cells wide."""
    column = BY_KEY[key]
    return _placed(column.text(run), width, column.is_number)


def _placed(text: str, width: int, is_number: bool) -> str:
    return text.rjust(width) if is_number else fitted(folded(text, width, 1)[0], width)


def fitted(text: str, width: int) -> str:
    """A text in exactly so many cells, also where its letters are wide."""
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"


def folded(text: str, width: int, lines: int) -> list[str]:
    """A text in so many lines at most, one at least, parted at blanks; … where not all of it fits.

    A number is not cut, unless it alone is wider than a line.
    """
    found, words = [""], text.split()
    for at, word in enumerate(words):
        line = f"{found[-1]} {word}" if found[-1] else word
        is_last_line, has_more = len(found) >= lines, at < len(words) - 1
        if not found[-1] or cell_len(line) <= width - 2 * (is_last_line and has_more):
            found[-1] = line
        elif not is_last_line:
            found.append(word)
        else:
            is_number = any(letter.isdigit() for letter in word)
            found[-1] = f"{found[-1]} …" if is_number else f"{set_cell_size(line, width - 1).rstrip()}…"
            break
    return [line if cell_len(line) <= width else fitted(line, width) for line in found]


def joined(parts: Sequence[str], width: int) -> str:
    """Those of these that fit in whole, the first before the others."""
    line = fitted(parts[0], width).rstrip() if parts else ""
    for part in parts[1:]:
        if cell_len(line) + 3 + cell_len(part) <= width:
            line += f" · {part}"
    return line


def details(run: Run, maker: str, width: int, lines: int) -> list[str]:
    """All that is known of a run, in so many lines at most, the most important first.

    Args:
        run: the run.
        maker: who makes it; empty where nobody does.
        width: cells in a line.
        lines: how many there are.
    """
    loss = "–" if math.isnan(run.loss) else repr(run.loss)
    facts = [" ".join(part for part in (run.id, called(run)) if part), state(run)]
    if run.kind == SWEEP:
        facts += [f"{run.epoch:,} of {run.updates:,} runs", f"best loss {loss}", f"{run.seconds:.3g} s"]
    else:
        epochs = epochs_planned(run.settings)
        facts += [
            f"loss {loss}",
            f"epoch {run.epoch:,}" + (f" of {epochs:,}" if epochs is not None else ""),
            f"{run.updates:,} updates",
            f"{run.samples:,} samples",
            f"{run.seconds:.3g} s of descent",
        ]
    origin = [
        *([f"made by {printable(maker)}"] if maker else []),
        *([f"another way of {run.parent}"] if run.parent else []),
        f"begun {datetime.fromtimestamp(run.created):%Y-%m-%d %H:%M:%S}",
        f"in {printable(run.folder)}",
    ]
    changed = ", ".join(changes(run))
    rest = [
        *folded(f"{run.state} {printable(run.reason)}", width, 1) * bool(run.reason),
        *folded(f"changed since: {printable(changed)}", width, 1) * bool(changed),
        *folded(f"note: {printable(run.note)}", width, 1) * bool(run.note),
        joined(origin, width),
    ]
    experiment = folded(printable(run.experiment), width, max(1, lines - 1 - len(rest)))
    return [joined(facts, width), *experiment, *rest][:lines]
