"""Verdict: sentences with numbers that say what became of a descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.descent.snapshot import State

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot


def verdict(snapshot: Snapshot) -> str:
    """What became of a descent, in a sentence or two."""
    loss = f"loss {snapshot.history.first_loss:.4g} → {snapshot.loss:.4g}"
    done = f"{counted(snapshot.epoch, 'epoch')}, {counted(snapshot.updates, 'update')}"
    if snapshot.state is State.DIVERGED:
        return f"Diverged {snapshot.reason}. The last finite θ is kept: {_theta(snapshot)}."
    if snapshot.state is State.CONVERGED:
        return f"Converged after {done}: {loss}; the last epoch did not move θ."
    if snapshot.state is State.FINISHED:
        return f"Finished {done}: {loss}."
    return f"{snapshot.state.capitalize()} at {done}: {loss}."


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 epoch`, `1,000 epochs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _theta(snapshot: Snapshot, most: int = 4) -> str:
    names = snapshot.problem.parameters
    values = [f"{name} = {value:.6g}" for name, value in zip(names[:most], snapshot.theta[:most], strict=True)]
    return ", ".join(values) + (f" and {len(names) - most} more" if len(names) > most else "")
