"""Training status: the line on top of the training screen: what is trained, how far it is, how fast it goes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gdtui.dashboard.figures import figure, shortened
from gdtui.dashboard.tracks import rate
from gdtui.dashboard.widgets.status import StatusLine
from gdtui.experiment import printable

if TYPE_CHECKING:
    from gdtui.terminal.pace import Link
    from gdtui.training.training import Training

LONGEST = 40
"""Cells of a name, at most."""


class TrainingStatus(StatusLine):
    """A training's: its name and config, its loss, epoch, step and steps a second."""

    AHEAD = 4  # the config stands in a pane of its own, too

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._training: Training | None = None

    def show(self, training: Training | None, state: str, link: Link | None = None) -> None:
        """Show a training in this state."""
        self._training = training
        dropped = training.dropped if training else 0
        trouble = f"! {dropped:,} dropped: too fast, or unfit to be kept" if dropped else ""
        self.show_state(state, trouble, link)

    def descriptions(self) -> list[str]:
        """Its name, and as much of its config as there is room for."""
        training = self._training
        if training is None:
            return []
        name = shortened(printable(training.name), LONGEST)
        words = [f"{printable(key)}={printable(text)}" for key, text in training.config]
        return [" · ".join([name, " ".join(words[:count])]) for count in range(len(words), 0, -1)] + [name]

    def figures(self) -> list[list[tuple[str, str]]]:
        """How far it has come, the most important first."""
        from gdtui.training.curves import Column

        training = self._training
        if training is None or not training.loss:
            return []
        newest = training.curves[training.loss][-1]
        epoch, step = float(newest[Column.EPOCH]), float(newest[Column.STEP])
        steps_s = rate(training)
        shown = [
            [(label, f"{figure(float(newest[Column.VALUE])):>9}") for label in (shortened(training.loss, 12), "")],
            [("step", f"{step:>7,.0f}")],
        ]
        shown += [[("epoch", f"{epoch:>6,.6g}")]] if math.isfinite(epoch) else []
        shown += [[("", f"{figure(steps_s):>9} steps/s")]] if steps_s else []
        shown += [[("reading", f"{100 * training.read:3.0f} %")]] if training.read < 1 else []
        return shown
