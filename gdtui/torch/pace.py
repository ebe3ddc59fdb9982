"""Pace: how often something can be measured that may take no more than its share of a loop's time."""

from __future__ import annotations


class Pace:
    """An account of seconds: the loop earns them, what is measured spends them.

    Attributes:
        share: of the loop's time that may be spent; None where it does not matter.
        spent: seconds spent so far.
        earned: seconds of the loop's own so far.
    """

    def __init__(self, share: float | None) -> None:
        self.share = share
        self.spent = 0.0
        self.earned = 0.0

    def affords(self, seconds: float = 0.0) -> bool:
        """Whether so many seconds more stay within the share."""
        return self.share is None or self.spent + seconds <= self.share * self.earned
