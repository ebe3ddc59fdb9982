"""Listing: sweeps among the kept runs, each in a line, for lists that people read and search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.experiment import InputError
from gdtui.runs.store import SWEEP, Run
from gdtui.runs.summary import brief

if TYPE_CHECKING:
    from gdtui.sweeps.kept import KeptSweep
    from gdtui.sweeps.ledger import Ledger


def everything(ledger: Ledger) -> list[Run]:
    """All kept runs but those of sweeps, and all sweeps, the newest first.

    Raises:
        InputError: if the store cannot be read.
    """
    sweeps = [line_of(kept) for kept in ledger.sweeps()]
    return sorted([*ledger.store.runs(), *sweeps], key=lambda run: run.created, reverse=True)


def line_of(kept: KeptSweep) -> Run:
    """A sweep as lists have it: of its runs those that are over in place of epochs, all in place of updates."""
    return Run(
        id=kept.id,
        parent="",
        created=kept.created,
        folder=kept.folder,
        experiment=about(kept),
        settings=about(kept),
        state=kept.state,
        reason="",
        epoch=kept.done,
        updates=kept.total,
        seconds=kept.seconds,
        loss=kept.loss,
        samples=0,
        host=kept.host,
        process=kept.process,
        name=kept.name,
        tags=kept.tags,
        note=kept.note,
        kind=SWEEP,
    )


def about(kept: KeptSweep) -> str:
    """What is swept, in a few words."""
    try:
        sweep = kept.sweep
    except InputError:  # of another version
        return "sweep"
    over = " × ".join(axis.option for axis in sweep.axes) + (f" × {sweep.seeds} seeds" if sweep.seeds > 1 else "")
    return f"sweep over {over} · {brief(sweep.experiment.to_line())}"
