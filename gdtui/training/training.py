"""Training: what is known of another program's training at one moment, and whoever follows it as it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gdtui.descent.history import HistoryView
    from gdtui.descent.snapshot import Event
    from gdtui.problems.datasets import Array
    from gdtui.runs.store import Run
    from gdtui.training.moment import Moment

LINES = 1_000
"""Lines of its text that are kept, the newest."""

LOSSES = ("loss", "train_loss", "train/loss", "training_loss", "loss/train")
"""What the loss is called, the likeliest first."""


def loss_among(names: Collection[str]) -> str:
    """Which of these names is the loss's; empty where none sounds like one."""
    likely = [name for name in LOSSES if name in names]
    likely += [name for name in names if "loss" in name.lower()]
    return next(iter(likely), "")


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A training as it stands at one moment; nothing in it changes afterwards.

    Attributes:
        name: what it is called; a file's name, where it is read from one.
        config: what it was begun with, as name and text.
        state: running, paused, finished or interrupted.
        reason: why it ended so; empty where there is nothing to say.
        curves: every value by its name, in the order in which they came, each of shape (m, 4) with columns as in
            `curves.Column`, m at least 1.
        moment: the newest probe of samples; None where there is none.
        moments: the steps of all probes that can be looked at, rising.
        events: the changes made during it, as of the learning rate.
        lines: the newest lines of its text, each with its number, rising.
        values: values it has told so far.
        dropped: those that could not be kept: they came faster than they could be written, or were unfit.
        bad_lines: lines of its log that could not be read.
        is_controlled: its loop asks what is wanted of it: it can be paused, stopped, and given another lr.
        read: how much of its log has been read so far, from 0 to 1.
        notice: what a person should know; empty where there is nothing.
    """

    name: str
    config: tuple[tuple[str, str], ...] = ()
    state: str = "running"
    reason: str = ""
    curves: Mapping[str, Array] = field(default_factory=dict)
    moment: Moment | None = None
    moments: tuple[int, ...] = ()
    events: tuple[Event, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    values: int = 0
    dropped: int = 0
    bad_lines: int = 0
    is_controlled: bool = False
    read: float = 1.0
    notice: str = ""

    @property
    def loss(self) -> str:
        """The name of the curve that one looks at first; empty where there is none."""
        return loss_among(self.curves) or next(iter(self.curves), "")

    def history(self, value: str = "") -> HistoryView:
        """One of its values, its loss where none is named, as the history of a run; what is not known is nan."""
        import numpy as np

        from gdtui.descent.history import Column, HistoryView

        points = self.curves.get(value or self.loss, np.empty((0, 4)))
        rows = np.full((len(points), len(Column)), np.nan)
        rows[:, [Column.UPDATES, Column.EPOCH, Column.SECONDS, Column.LOSS]] = points
        return HistoryView(rows, (), 0, 1)


class Following(Protocol):
    """Follows a training. All of it is called off the event loop, one call at a time.

    Attributes:
        run: the kept run that is followed, as it was seen last; None where it is a log.
    """

    run: Run | None

    def look(self) -> Training | None:
        """What has become of it; None where nothing has happened since the last look.

        Takes a tenth of a second or so at most: of a long log that is read for the first time, each look reads more.

        Raises:
            InputError: if it is not there any more, or cannot be read.
        """

    def moment(self, step: int) -> Moment | None:
        """The probe of that step; None where it is not there any more."""

    def ask(self, what: str, value: float | None = None) -> None:
        """Ask its loop for something: pause, go-on, stop, or lr with its value.

        Raises:
            InputError: if its loop does not ask, or it cannot be told.
        """

    def close(self) -> None:
        """Follow it no longer."""
