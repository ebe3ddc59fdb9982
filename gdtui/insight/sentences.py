"""Sentences: what a verdict says, and how numbers are put in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Tone = Literal["good", "bad", "note"]
"""Whether what is said is good, bad, or neither."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a rule says.

    Attributes:
        text: for people.
        kind: whether that is good, bad, or neither.
        rule: the rule's name.
    """

    text: str
    kind: Tone
    rule: str


def number(value: float) -> str:
    """A number with four significant digits.

    >>> number(0.29913), number(1004.2), number(3e-9), number(-1.0), number(math.inf)
    ('0.2991', '1,004', '3e-9', '−1', '∞')
    """
    size = abs(value)
    text = "∞" if math.isinf(size) else f"{size:,.0f}" if 1000 <= size < 1e6 else f"{size:.4g}"
    mantissa, mark, exponent = text.partition("e")
    return ("−" if value < 0 else "") + mantissa + (f"e{int(exponent)}" if mark else "")


def rough(value: float) -> str:
    """A number of which only the size matters, with two significant digits."""
    return number(float(f"{value:.2g}"))


def exactly(lr: float) -> str:
    """A limit with all four digits, 0.2040, so that it is not taken for a round number."""
    return f"{lr:#.4g}" if 1e-4 <= lr < 999.95 else number(lr)


def part(ratio: float) -> str:
    """A part in per cent."""
    return f"{rough(100 * ratio)} %"
