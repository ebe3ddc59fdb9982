"""Moment samples: the probe's samples at one step of another program's training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from gdtui.dashboard.columns import BAR, COSINE, MEASURED, Column, fitted
from gdtui.dashboard.figures import WIDTH
from gdtui.dashboard.filters import WORDS
from gdtui.dashboard.rows import Row, exact
from gdtui.experiment import printable
from gdtui.training.moment import Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gdtui.dashboard.samplesource import Source
    from gdtui.training.moment import Moment

NUMBERS = {
    "loss": Number.LOSS,
    "norm": Number.NORM,
    "cos": Number.COSINE,
    "share": Number.SHARE,
    "along": Number.ALONG,
    "across": Number.ACROSS,
}
"""Where each column's values stand in a moment's numbers."""

NAMES = {"#": "sample", "label": "label", "loss": "loss", "|g|": "norm", "share": "share", "cos": "cos"}
NAMES |= {"along": "along", "across": "across", "g": "norm", "norm": "norm", "sample": "sample"}
"""What a column can be called in a filter, the usual name first -> its key."""

LABEL = 12
"""Cells of a label, at most."""


@dataclass(frozen=True, eq=False)
class MomentSamples:
    """A probe's samples: a `Source`; of what is unknown for all of them, there is no column.

    Attributes:
        moment: the step, with its samples.
    """

    moment: Moment

    example = "|g|>0.5  cos<0  label=cat or loss>1"
    behind = ""

    @property
    def n(self) -> int:
        """How many they are."""
        return len(self.moment.samples)

    @cached_property
    def is_in_order(self) -> bool:
        """Their numbers rise with their places."""
        samples = self.moment.samples
        return bool((samples[1:] > samples[:-1]).all())

    @cached_property
    def known(self) -> frozenset[str]:
        """The columns of which something is known."""
        import numpy as np

        keys = {key for key, number in NUMBERS.items() if not np.isnan(self.moment.column(number)).all()}
        return frozenset({"sample", *keys, *(["label"] if any(self.moment.labels) else [])})

    @cached_property
    def largest(self) -> int | None:
        """The place of the share that is largest in size; None where none is known."""
        import numpy as np

        return int(np.nanargmax(np.abs(self.moment.column(Number.SHARE)))) if "share" in self.known else None

    @property
    def largest_sample(self) -> int | None:
        """The number of the sample of that share."""
        return None if self.largest is None else int(self.moment.samples[self.largest])

    @property
    def names(self) -> Mapping[str, str]:
        """What each column can be called in a filter -> its key."""
        return {name: key for name, key in NAMES.items() if key in self.known}

    @property
    def words(self) -> Mapping[str, str]:
        """The conditions that are a word -> their column's key."""
        return {word: key for word, key in WORDS.items() if key == "conflict" and "cos" in self.known}

    @property
    def meant(self) -> str:
        """The step that the values are of."""
        return f"step {self.moment.step:,}"

    def columns(self, width: int) -> list[Column]:
        """The columns that fit into so many cells, the more telling first."""
        sample = Column("sample", "#", max(2, *map(len, self._ends)))
        label = Column("label", "label", self._label_width, is_text=True)
        loss, norm, bar = Column("loss", "loss"), Column("norm", "|g|"), Column("norm", "", BAR[0], is_bar=True)
        share, cos = Column("share", "share", WIDTH + 1), Column("cos", "cos", COSINE + 1)
        along, across = Column("along", "along"), Column("across", "across")
        order = [[sample], [norm], [loss], [label], [cos], [bar], [share], [along, across]]
        groups = [group for group in order if self.known.issuperset(column.key for column in group)]
        return fitted(width, groups, [sample, label, loss, norm, bar, share, cos, along, across])

    @cached_property
    def _ends(self) -> tuple[str, ...]:
        """The smallest and the largest number of a sample, as texts."""
        samples = self.moment.samples
        return (str(samples.min()), str(samples.max())) if len(samples) else ("", "")

    @cached_property
    def _label_width(self) -> int:
        widest = max((cell_len(printable(label)) for label in {*self.moment.labels[:MEASURED]}), default=0)
        return min(max(widest, len("↓label")), LABEL)

    def values(self, key: str) -> NDArray[Any]:
        """A column's values, shape (n,)."""
        import numpy as np

        if key == "sample":
            return self.moment.samples
        if key == "conflict":
            return self.moment.column(Number.COSINE) < 0
        if key == "label":
            known = {label: printable(label).casefold() for label in {*self.moment.labels}}
            labels = [known[label] for label in self.moment.labels] or [""] * self.n
            return np.array(labels, dtype=object)
        return self.moment.column(NUMBERS[key])

    def rows(self, places: Sequence[int]) -> list[Row]:
        """What is said of some samples."""
        return [self._row(place) for place in places]

    def _row(self, place: int) -> Row:
        numbers = [None if math.isnan(value) else value for value in self.moment.numbers[place].tolist()]
        return Row(
            sample=int(self.moment.samples[place]),
            x=(),
            y=None,
            y_hat=None,
            loss=numbers[Number.LOSS],
            gradient=None,
            norm=numbers[Number.NORM],
            share=numbers[Number.SHARE],
            cos=numbers[Number.COSINE],
            is_largest=place == self.largest,
            label=self.moment.labels[place] if self.moment.labels else "",
            along=numbers[Number.ALONG],
            across=numbers[Number.ACROSS],
        )

    def place(self, sample: int) -> int | None:
        """Where the sample of a number stands; None where it is not among them."""
        found = (self.moment.samples == sample).nonzero()[0]
        return int(found[0]) if len(found) else None

    def exact(self, row: Row) -> list[str]:
        """A sample's values to the last digit."""
        shown = {"loss": ("loss", row.loss), "norm": ("|g|", row.norm), "cos": ("cos", row.cos)}
        texts = [f"{name} {exact(value)}" for key, (name, value) in shown.items() if key in self.known]
        named = [printable(row.label), *texts] if row.label else texts
        return [" ".join(part) for part in (named, texts, texts[:2])]

    def is_like(self, other: Source) -> bool:
        """Every step of a training is of the same problem."""
        return isinstance(other, MomentSamples)

    def has_places_of(self, other: Source) -> bool:
        """They are the same samples."""
        import numpy as np

        return isinstance(other, MomentSamples) and np.array_equal(self.moment.samples, other.moment.samples)
