"""Words: how captions put numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.insight.sentences import exactly, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gdtui.insight.stability import Limit


def percent(part: float) -> str:
    """A part in per cent, with three significant digits.

    >>> percent(0.5465822), percent(0.000115)
    ('54.7 %', '0.0115 %')
    """
    return f"{number(float(f'{100 * part:.3g}'))} %"


def learning_rate(limit: Limit | None) -> str:
    """Where a limit is; – where there is none."""
    return "–" if limit is None or limit.lr is None else exactly(limit.lr)


def listed(texts: Iterable[str]) -> str:
    """Texts one after the other.

    >>> listed(["0", "1", "19"])
    '0, 1 and 19'
    """
    *some, last = texts
    return f"{', '.join(some)} and {last}" if some else last


def reached(count: int | None, most: int) -> str:
    """After how many it was reached; of None: that it was not, in as many as there were.

    >>> reached(1284, 2000), reached(None, 100)
    ('1,284', 'over 100')
    """
    return f"over {most:,}" if count is None else f"{count:,}"
