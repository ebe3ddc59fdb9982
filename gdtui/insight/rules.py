"""Rules: all that a verdict can say, one function each; each is silent where it is not certain of it.

A rule takes the facts of a moment and whether it held at the one before: what has been said stays until it is clearly
over, so its second threshold is a wider one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.insight import pace, standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.insight.facts import Facts
    from gdtui.insight.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a verdict can say.

    Attributes:
        name: as in `Sentence.rule`.
        says: (facts, whether it held before) -> the sentence, or None.
        unless: the rules beside which it has nothing to add.
    """

    name: str
    says: Callable[[Facts, bool], Sentence | None]
    unless: frozenset[str] = frozenset()


_AT_REST = frozenset({"converged", "local minimum", "saddle", "noise floor"})

RULES = (
    Rule("local minimum", standing.local_minimum),
    Rule("saddle", standing.saddle),
    Rule("converged", standing.converged, frozenset({"local minimum", "saddle"})),
    Rule("edge", pace.edge, _AT_REST),
    Rule("unstable", pace.unstable, frozenset({"edge"})),
    Rule("noise floor", standing.noise_floor, frozenset({"converged", "saddle", "unstable"})),
    Rule("oscillating", pace.oscillating, frozenset({"converged", "edge", "unstable"})),
    Rule("valley", pace.valley, _AT_REST),
    Rule("slow", pace.slow, _AT_REST),
    Rule("plateau", standing.plateau, _AT_REST | {"valley", "slow"}),
    Rule("outlier", standing.outlier),
    Rule("conflicts", standing.conflicts, _AT_REST | {"outlier"}),
    Rule("stable", pace.stable, frozenset({"edge", "unstable"})),
)
"""Every rule, the most important first."""
