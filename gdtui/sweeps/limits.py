"""Limits: the learning rate at which theory sees each of a sweep's experiments break, each kind worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdtui.experiment import Experiment


class Limits:
    """What the theory of stability says of a sweep's experiments, remembered."""

    def __init__(self, folder: str) -> None:
        """Of experiments whose relative file names begin in that folder."""
        raise NotImplementedError

    def __call__(self, experiment: Experiment) -> float:
        """The learning rate that `Stability.applies` names at its start; nan where there is none, or it is not exact."""
        raise NotImplementedError
