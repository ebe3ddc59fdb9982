"""Sample source: what the samples table shows, whether a descent's or those of another program's training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gdtui.dashboard.columns import Column
    from gdtui.dashboard.rows import Row


class Source(Protocol):
    """The samples of one moment, as a frozen value.

    Each has a place, from 0 to n − 1, and the number that it is known by, which may be any whole number.
    """

    @property
    def n(self) -> int:
        """How many they are."""

    @property
    def is_in_order(self) -> bool:
        """Their numbers rise with their places."""

    @property
    def names(self) -> Mapping[str, str]:
        """What each column can be called in a filter, the usual name first -> its key."""

    @property
    def words(self) -> Mapping[str, str]:
        """The conditions that are a word in a filter -> the key of their column of true and false."""

    @property
    def example(self) -> str:
        """Conditions that one could type."""

    @property
    def meant(self) -> str:
        """Of when or of what the values are."""

    @property
    def behind(self) -> str:
        """Which of the values are of an earlier moment, and of which; empty where none are."""

    def columns(self, width: int) -> list[Column]:
        """The columns that fit into so many cells, with a blank after each."""

    def values(self, key: str) -> NDArray[Any]:
        """A column's values, shape (n,).

        Numbers, nan where undefined; whether something is true; or texts without capitals, empty where there is none.
        """

    def rows(self, places: Sequence[int]) -> list[Row]:
        """What is said of the samples at some places; costs these rows only."""

    def place(self, sample: int) -> int | None:
        """Where the sample of a number stands; None where it is not among them."""

    def exact(self, row: Row) -> list[str]:
        """A sample's values to the last digit, the fullest text first."""

    def is_like(self, other: Source) -> bool:
        """They are of the same problem: what a person chose for the other is meant for this one, too."""

    def has_places_of(self, other: Source) -> bool:
        """The same samples stand at the same places as in the other."""
