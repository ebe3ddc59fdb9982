"""Signs: what has become of a sweep's points and runs, a mark and a word each: colour is never the only signal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gdtui.sweeps.board import Sign
from gdtui.sweeps.outcome import FAILED, STOPPED

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKS = {
    Sign.WAITING: "∙",
    Sign.RUNNING: "○",
    Sign.DONE: "✓",
    Sign.STOPPED: "▿",
    Sign.DIVERGED: "×",
    Sign.FAILED: "!",
}

WORDS = {
    Sign.WAITING: "waiting",
    Sign.RUNNING: "running",
    Sign.DONE: "done",
    Sign.STOPPED: "stopped early",
    Sign.DIVERGED: "diverged",
    Sign.FAILED: "failed",
}

LOST = (Sign.DIVERGED, Sign.FAILED)

BEST, LIMIT, LEVEL_LIMIT = "◆", "┃", "━"
"""The best point; where theory sees descent break, on an axis from left to right and on one from bottom to top."""

NEVER = "∞"
"""It is done, and has not come to the target."""

OF_STATES = {
    "finished": Sign.DONE,
    "converged": Sign.DONE,
    STOPPED: Sign.STOPPED,
    "diverged": Sign.DIVERGED,
    FAILED: Sign.FAILED,
    "interrupted": Sign.WAITING,
}
"""Of the states in which nobody makes a run; in any other one it is under way."""


def counted_signs(states: Mapping[str, int], total: int) -> dict[Sign, int]:
    """How many of a sweep's runs are in each condition, of those that have begun by their states; all conditions.

    >>> found = counted_signs({"finished": 2, "converged": 1, "diverged": 1, "running": 1, "interrupted": 1}, 8)
    >>> [(sign.name, count) for sign, count in found.items() if count]
    [('WAITING', 3), ('RUNNING', 1), ('DONE', 3), ('DIVERGED', 1)]
    """
    counts: Counter[Sign] = Counter()
    for state, count in states.items():
        counts[OF_STATES.get(state, Sign.RUNNING)] += count
    counts[Sign.WAITING] += total - counts.total()
    return {sign: counts[sign] for sign in Sign}


def sign_text(sign: Sign, begun: int, lost: int) -> str:
    """What has become of a point, a mark and words; lost are those of its runs that diverged or failed.

    >>> sign_text(Sign.DONE, 5, 0), sign_text(Sign.DONE, 5, 2), sign_text(Sign.DIVERGED, 3, 3)
    ('✓ done', '× 2 of 5 lost', '× diverged')
    """
    if 0 < lost < begun and sign is not Sign.RUNNING:
        return f"{MARKS[Sign.DIVERGED]} {lost} of {begun} lost"
    return f"{MARKS[sign]} {WORDS[sign]}"
