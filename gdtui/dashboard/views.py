"""Views: which samples the table shows, and in which order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gdtui.dashboard.filters import Filter
    from gdtui.dashboard.samplesource import Source


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Which samples are to be shown, and how.

    Attributes:
        source: the samples of a moment.
        filter: those that are shown.
        key: the column that they are sorted by.
        descending: the largest first.
    """

    source: Source
    filter: Filter
    key: str
    descending: bool

    @property
    def is_all(self) -> bool:
        """All samples as they stand: there is nothing to compute."""
        return self.key == "sample" and not self.filter and self.source.is_in_order

    def is_like(self, other: Choice) -> bool:
        """The same is wanted of the same problem, perhaps at another moment."""
        is_wanted = all(getattr(self, name) == getattr(other, name) for name in ("filter", "key", "descending"))
        return is_wanted and self.source.is_like(other.source)

    def is_same(self, other: Choice) -> bool:
        """The same is wanted of the same samples with the same values."""
        return self.is_like(other) and self.source is other.source


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The samples that are shown, in their order.

    Attributes:
        choice: what they were chosen by.
        order: their places, shape (k,); None for all n as they stand, or in that reversed.
    """

    choice: Choice
    order: NDArray[np.intp] | None

    def __len__(self) -> int:
        """How many they are, k."""
        return self.choice.source.n if self.order is None else len(self.order)

    def places(self, first: int, count: int) -> list[int]:
        """The places among all n of those in some rows."""
        rows = range(first, min(first + count, len(self)))
        if self.order is not None:
            return [int(self.order[row]) for row in rows]
        return [len(self) - 1 - row if self.choice.descending else row for row in rows]

    def row(self, sample: int) -> int | None:
        """The row of the sample of a number; costs a pass over the order."""
        place = self.choice.source.place(sample)
        if place is None or self.order is None:
            return place if place is None or not self.choice.descending else len(self) - 1 - place
        found = (self.order == place).nonzero()[0]
        return int(found[0]) if len(found) else None


def view(choice: Choice) -> View:
    """The samples that a choice shows, in their order; costs some passes over the values it asks for.

    Those without a value stand last, equal ones in the data's order.
    """
    if choice.is_all:
        return View(choice, None)

    @cache
    def column(key: str) -> NDArray[Any]:
        return choice.source.values(key)

    places: NDArray[np.intp] = choice.filter.mask(column).nonzero()[0]
    values = _ranks(column(choice.key)[places])
    return View(choice, places[(-values if choice.descending else values).argsort(kind="stable")])


def _ranks(values: NDArray[Any]) -> NDArray[Any]:
    """Numbers that sort as the values do, shape (k,): themselves, or texts' places in their order; nan for no text."""
    import numpy as np

    if values.dtype != object:
        return values
    texts = values.tolist()
    ranks: dict[str, float] = {text: rank for rank, text in enumerate(sorted(set(texts)))}
    ranks[""] = math.nan
    return np.array([ranks[text] for text in texts], dtype=np.float64)
