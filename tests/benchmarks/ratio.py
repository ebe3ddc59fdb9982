"""Ratio: what a benchmark says, a figure of ours over a peer's of the same run."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Ratio:
    """Figures measured in turn, ours and the peer's.

    Attributes:
        what: what is measured, with its unit.
        against: the peer.
        ours: our figures.
        theirs: the peer's, pair by pair.
        budget: what the ratio should be.
    """

    what: str
    against: str
    ours: list[float]
    theirs: list[float]
    budget: str

    @property
    def text(self) -> str:
        """The median of the pairs' ratios, their range, and the two medians."""
        ratios = [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]
        spread = f"{min(ratios):.2f}–{max(ratios):.2f}"
        return f"{median(ratios):.2f} ({spread}; {median(self.ours):.4g} / {median(self.theirs):.4g})"
