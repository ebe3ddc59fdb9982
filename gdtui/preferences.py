"""Preferences: how a person likes the dashboard; not what is run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from math import inf
from typing import Any

from gdtui.experiment import InputError, unknown

DRIVERS = ("paced", "plain")


@dataclass(frozen=True, slots=True)
class Preferences:
    """How the dashboard looks, and how it reaches the screen.

    Attributes:
        driver: `paced` sends only what changed, as fast as the link carries it; `plain` is Textual's own.
        fps: redraws a second at most.
        theme: the colours; which themes there are, the dashboard knows.
        ascii: nothing is drawn but plain ASCII characters.
    """

    driver: str = "paced"
    fps: float = 60.0
    theme: str = "gdtui"
    ascii: bool = False

    def __post_init__(self) -> None:
        """Check each value.

        Raises:
            InputError: with the preference as its field, if one is wrong.
        """
        if self.driver not in DRIVERS:
            raise InputError("driver", unknown("driver", self.driver, DRIVERS))
        if not 0 < self.fps < inf:
            raise InputError("fps", f"fps must be a positive number, got {self.fps:g}")

    def replace(self, **values: Any) -> Preferences:
        """These preferences with some others.

        Raises:
            InputError: if a value is wrong.
        """
        return dataclasses.replace(self, **values)
