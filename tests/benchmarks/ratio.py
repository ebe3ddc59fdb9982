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
        theirs: the peer's, pair by pair; none where the peer is not installed.
        budget: what the ratio should be.
    """

    what: str
    against: str
    ours: list[float]
    theirs: list[float]
    budget: str

    @property
    def ratios(self) -> list[float]:
        """Ours over theirs, pair by pair."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def text(self) -> str:
        """The median of the pairs' ratios, their range, and the two medians."""
        if not self.theirs:
            return "not installed, left out"
        ratios = self.ratios
        spread = f"{_short(min(ratios))}–{_short(max(ratios))}"
        return f"{_short(median(ratios))} ({spread}; {_short(median(self.ours))} / {_short(median(self.theirs))})"


@dataclass(frozen=True)
class TimesFaster(Ratio):
    """Times that ours and the peer take: the ratio is how many times faster ours is."""

    @property
    def ratios(self) -> list[float]:
        """Theirs over ours, pair by pair."""
        return [theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True)]


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}" if value < 1e7 else f"{value:.3g}"
