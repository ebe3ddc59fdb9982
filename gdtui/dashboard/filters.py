"""Filters: which samples to show, as one types it: `|g|>0.5`, `cos<0 and not clipped`, `y>2 or loss>=1e-3`.

A filter is conditions that must all hold, joined by a space, a comma or `and`; alternatives are joined by `or`, which
binds less. A condition is a column compared with a number, or one of a few words; `not` or `!` before it turns it
round. A name is written as it stands at its column's head, in either case. Labels are compared with a text, in either
case: `label=cat`, `label!="golden retriever"`.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gdtui.experiment import shown, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

WORDS = {
    "clipped": "clipped",
    "conflict": "conflict",
    "conflicts": "conflict",
    "visited": "visited",
    "newest": "newest",
}
"""The conditions that are a word, and the columns of true and false that they stand for."""

TEXTS = ("label",)
"""The columns of texts."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
    "≤": operator.le,
    "≥": operator.ge,
    "≠": operator.ne,
}
_OPERATOR = re.compile(rf"\s*({'|'.join(map(re.escape, _COMPARE))})\s*")
_EQUALITY = ("=", "==", "!=", "≠")
_NUMBER = re.compile(r"[^\s,]*")
_TEXT = re.compile(r"""\"[^"]*\"|'[^']*'|[^\s,]*""")
_WORD = re.compile(rf"({'|'.join(sorted(WORDS, key=len, reverse=True))})(?=[\s,]|$)", re.IGNORECASE)
_NOT = re.compile(r"(?:!(?!=)|not(?=[\s!]|$))\s*", re.IGNORECASE)
_JOINT = re.compile(r"\s*(,?\s*(?:(?:and|or)(?=[\s!]|$))?)\s*", re.IGNORECASE)
_CHUNK = re.compile(r"[^\s,<>=!≤≥≠]+|.", re.DOTALL)

NEAREST_OF = 500
"""The names among which the nearest is looked for."""


class FilterError(ValueError):
    """The text is no filter; the message says in one line what was not understood, and what there is."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A column compared with a value, or the contrary; a word is its column of true and false, compared with 0.

    Attributes:
        key: the column's.
        operator: as one types it.
        value: what its values are compared with: a number, or a text without capitals.
        is_negated: it is to hold where the comparison does not.
    """

    key: str
    operator: str
    value: float | str
    is_negated: bool = False

    def mask(self, values: NDArray[Any]) -> Mask:
        """Where it holds, of values of shape (n,); what is undefined, nan or no text, compares false, also with !=."""
        import numpy as np

        is_known = values != "" if isinstance(self.value, str) else ~np.isnan(values)
        holds: Mask = _COMPARE[self.operator](values, self.value) & is_known
        return ~holds if self.is_negated else holds


@dataclass(frozen=True, slots=True)
class Filter:
    """Which samples are shown; the empty one shows all.

    Attributes:
        text: as it was typed.
        alternatives: of one of these at least, all conditions must hold.
    """

    text: str = ""
    alternatives: tuple[tuple[Condition, ...], ...] = ()

    def __bool__(self) -> bool:
        """It leaves something out."""
        return bool(self.alternatives)

    def mask(self, column: Callable[[str], NDArray[Any]]) -> Mask:
        """Which of n samples are shown, shape (n,).

        Args:
            column: a column's key -> its values, shape (n,), as of `samplesource.Source`.
        """
        import numpy as np

        if not self.alternatives:
            return np.ones(len(column("sample")), dtype=np.bool_)
        masks = [
            np.logical_and.reduce([condition.mask(column(condition.key)) for condition in conditions])
            for conditions in self.alternatives
        ]
        shown: Mask = np.logical_or.reduce(masks)
        return shown


def parse(text: str, names: Mapping[str, str], words: Mapping[str, str] = WORDS) -> Filter:
    """The filter that a text describes; the empty text shows all.

    Args:
        text: as it was typed.
        names: what a column can be called, the first name of each the usual one -> its key.
        words: the conditions that are a word -> their column's key.

    Raises:
        FilterError: if it is not understood.
    """
    text = text.strip()
    if not text:
        return Filter()
    alternatives: list[list[Condition]] = [[]]
    at, joint = 0, ""
    while True:
        is_negated = False
        while match := _NOT.match(text, at):
            at, is_negated, joint = match.end(), not is_negated, match[0].strip()
        if at == len(text):
            raise FilterError(f"a condition is missing after {joint}")
        condition, at = _condition(text, at, names, words, is_negated)
        alternatives[-1].append(condition)
        if at == len(text):
            return Filter(text, tuple(map(tuple, alternatives)))
        match = _JOINT.match(text, at)
        assert match is not None  # it matches nothing, too
        at, joint = match.end(), match[1].strip()
        if joint.lower().endswith("or"):
            alternatives.append([])


def _condition(
    text: str, at: int, names: Mapping[str, str], words: Mapping[str, str], is_negated: bool
) -> tuple[Condition, int]:
    """The condition that begins at a place, and the place where it ends."""
    name = _name(text, at, names)
    if name is None:
        word = _WORD.match(text, at)
        if word is None or word[1].lower() not in words:
            raise FilterError(_fault(text, at, names, words))
        return Condition(words[word[1].lower()], "!=", 0.0, is_negated), word.end()
    compare = _OPERATOR.match(text, at + len(name))
    assert compare is not None  # or else it is not that name
    key, is_text = names[name], names[name] in TEXTS
    value = (_TEXT if is_text else _NUMBER).match(text, compare.end())
    assert value is not None
    if is_text and compare[1] not in _EQUALITY:
        raise FilterError(f"{name} is a text, which compares with = or != only")
    if not value[0]:
        raise FilterError(f"a {'text' if is_text else 'number'} is missing after {shown(name, 30)[1:-1]}{compare[1]}")
    read = _unquoted(value[0]).casefold() if is_text else _read(value[0])
    return Condition(key, compare[1], read, is_negated), value.end()


def _name(text: str, at: int, names: Mapping[str, str]) -> str | None:
    """The longest name that stands at a place with an operator after it: names may hold spaces, commas, brackets."""
    found = (
        name
        for name in names
        if text[at : at + len(name)].lower() == name.lower() and _OPERATOR.match(text, at + len(name))
    )
    return max(found, key=len, default=None)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _read(text: str) -> float:
    try:
        number = float(text.replace("−", "-").replace("∞", "inf"))
    except ValueError:
        raise FilterError(f"{shown(text, 30)} is not a number") from None
    if math.isnan(number):
        raise FilterError("nothing compares with nan; – is what no comparison finds")
    return number


def _fault(text: str, at: int, names: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Why no condition begins at a place."""
    match = _CHUNK.match(text, at)
    assert match is not None  # the text goes on
    chunk, compare = match[0], _OPERATOR.match(text, at)
    if compare is not None:
        return f"a column is missing before {compare[1]}"
    if chunk == "," or chunk.lower() in ("and", "or"):
        return f"a condition is missing before {chunk}"
    name, hint = shown(chunk, 30)[1:-1], ""
    key = next((key for known, key in names.items() if known.lower() == chunk.lower()), None)
    if chunk.lower() in words:
        hint = f"{name} stands alone, without a comparison"
    elif key is not None:
        hint = f"{name} needs a comparison, such as {name}{'=cat' if key in TEXTS else '<0'}"
    elif chunk[0] in "()":
        hint = "there are no brackets: and binds closer than or"
    elif re.fullmatch(r"-?[\d.]+", chunk):
        hint = f"{name} stands where a column should: the column comes first, as in loss>1"
    return hint or unknown("column", chunk.lower()[:60], [*list(names)[:NEAREST_OF], *words])
