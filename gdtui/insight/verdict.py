"""Verdict: sentences with numbers that say how a descent is doing and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gdtui.descent.snapshot import Snapshot, State

if TYPE_CHECKING:
    from gdtui.insight.facts import Averages
    from gdtui.insight.reading import Reading
    from gdtui.insight.sentences import Sentence

MOST = 3
"""Sentences at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What can be said of a moment.

    Attributes:
        sentences: the most important first, at most three; none where nothing is certain.
        holding: the rules that held, said or not: at the next moment they are given up later than they were begun.
        averages: of what swings from update to update.
        snapshot: the moment.
    """

    sentences: tuple[Sentence, ...]
    holding: frozenset[str]
    averages: Averages
    snapshot: Snapshot = field(repr=False)


def judge(reading: Reading, before: Judgement | None = None) -> Judgement:
    """Say of a reading what is certain; the same readings in the same order always give the same sentences.

    Costs little beside the reading itself, but not on an event loop: a run that diverged is measured at its start.

    Args:
        reading: the moment.
        before: the judgement before it; one of another run or of other settings does not count.
    """
    from gdtui.insight.facts import Averages, Facts
    from gdtui.insight.pace import diverged
    from gdtui.insight.rules import RULES

    snapshot = reading.snapshot
    if snapshot.state is State.DIVERGED:
        return Judgement((diverged(snapshot),), frozenset(), Averages(), snapshot)
    if before is not None and not _goes_on(before.snapshot, snapshot):
        before = None
    held = before.holding if before else frozenset()
    facts = Facts(reading, before.averages if before else Averages())
    with np.errstate(all="ignore"):
        found = [(rule, rule.says(facts, rule.name in held)) for rule in RULES]
        averages = facts.averages
    holding = frozenset(rule.name for rule, sentence in found if sentence)
    sentences = [sentence for rule, sentence in found if sentence and not holding & rule.unless]
    return Judgement(tuple(sentences[:MOST]), holding, averages, snapshot)


def _goes_on(before: Snapshot, now: Snapshot) -> bool:
    """Whether a moment follows from another with the same settings."""
    return (
        before.problem is now.problem
        and before.experiment == now.experiment
        and before.updates <= now.updates
        and before.state is not State.DIVERGED
    )


def verdict(snapshot: Snapshot, with_why: bool = True) -> str:
    """What became of a descent, in a sentence or two.

    Args:
        snapshot: the moment.
        with_why: of one that diverged also why: that measures the curvature at its start, so not on an event loop.
    """
    loss = f"loss {snapshot.history.first_loss:.4g} → {snapshot.loss:.4g}"
    done = f"{counted(snapshot.epoch, 'epoch')}, {counted(snapshot.updates, 'update')}"
    if snapshot.state is State.DIVERGED:
        kept = f"Diverged {snapshot.reason}. The last finite θ is kept: {_theta(snapshot)}."
        return f"{kept} {_why(snapshot)}".rstrip() if with_why else kept
    if snapshot.state is State.CONVERGED:
        return f"Converged after {done}: {loss}; the last epoch did not move θ."
    if snapshot.state is State.FINISHED:
        return f"Finished {done}: {loss}."
    return f"{snapshot.state.capitalize()} at {done}: {loss}."


def _why(snapshot: Snapshot) -> str:
    from gdtui.insight.pace import why_diverged

    return why_diverged(snapshot)


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 epoch`, `1,000 epochs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _theta(snapshot: Snapshot, most: int = 4) -> str:
    names = snapshot.problem.parameters
    values = [f"{name} = {value:.6g}" for name, value in zip(names[:most], snapshot.theta[:most], strict=True)]
    return ", ".join(values) + (f" and {len(names) - most} more" if len(names) > most else "")
