"""Control: what a person at the dashboard asks of a loop, and what the loop is told."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from gdtui.experiment import InputError, unknown

ASKED = ("pause", "go-on", "stop", "lr")
"""What can be asked for."""


class Control(NamedTuple):
    """What is asked of a loop now.

    Attributes:
        pause: to wait, until it is asked to go on.
        stop: to end.
        lr: the learning rate to go on with; given once for each time that it is asked for, None otherwise.
    """

    pause: bool = False
    stop: bool = False
    lr: float | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a loop, as the store has it.

    Attributes:
        pause: to wait.
        stop: to end.
        lr: the learning rate that was asked for last; None where none was.
        asked: how many times one was.
    """

    pause: bool = False
    stop: bool = False
    lr: float | None = None
    asked: int = 0

    def to_text(self) -> str:
        """JSON that `from_text` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Wanted:
        """Read what `to_text` wrote.

        Raises:
            ValueError: if it is something else.
        """
        values = json.loads(text)
        lr = values["lr"]
        return cls(bool(values["pause"]), bool(values["stop"]), None if lr is None else float(lr), int(values["asked"]))

    def after(self, what: str, value: float | None = None) -> Wanted:
        """What is wanted once this has been asked for: pause, go-on, stop, or lr with its value.

        Raises:
            InputError: if nobody can ask for that.
        """
        if what not in ASKED:
            raise InputError("ask", unknown("request", what, ASKED))
        if what == "stop":
            return replace(self, stop=True)
        if what != "lr":
            return replace(self, pause=what == "pause")
        if value is None or not (math.isfinite(value) and value > 0):
            raise InputError("lr", f"learning rate must be a positive number, got {value}")
        return replace(self, lr=float(value), asked=self.asked + 1)
