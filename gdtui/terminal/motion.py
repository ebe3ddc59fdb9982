"""Motion: the shortest sequence that brings the cursor from one place to another."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=16_384)
def motion(x: int, y: int, to_x: int, to_y: int) -> str:
    """The shortest way for the cursor.

    Args:
        x, y: where it is, from 0 at the top left; x is -1 where only the row is known, y is -1 where neither is.
        to_x, to_y: where it shall be.
    """
    if (x, y) == (to_x, to_y):
        return ""
    ways = [_absolute(to_x, to_y)]
    if y >= 0:
        # CHA, cursor horizontal absolute, and CR, carriage return, need no known column.
        across = ["\r" + _right(to_x), f"\x1b[{to_x + 1}G"]
        if x >= 0:
            across.append(_right(to_x - x) if to_x >= x else _left(x - to_x))
        if to_y == y:
            ways += across
        elif x >= 0:
            ways += [_vertical(to_y - y) + one for one in across]
            ways.append(f"\x1b[{to_y + 1}d" if x == to_x else ways[0])  # VPA, vertical position absolute
        if to_y > y:
            # LF, line feed: CR goes first, since the line discipline may or may not add one of its own.
            ways.append("\r" + "\n" * (to_y - y) + _right(to_x))
    return min(ways, key=_cost)


def _cost(way: str) -> int:
    return len(way) + way.count("\n")  # the line discipline makes CR LF of LF


def _absolute(x: int, y: int) -> str:
    """CUP, cursor position: what is 1 may be left out."""
    column = f";{x + 1}" if x else ""
    return f"\x1b[{y + 1 if y else ''}{column}H"


def _right(n: int) -> str:
    """CUF, cursor forward."""
    return "" if not n else f"\x1b[{n if n > 1 else ''}C"


def _left(n: int) -> str:
    """BS, backspace, or CUB, cursor backward."""
    return min("\b" * n, f"\x1b[{n if n > 1 else ''}D", key=len)


def _vertical(n: int) -> str:
    """CUD or CUU, cursor down or up."""
    return f"\x1b[{abs(n) if abs(n) > 1 else ''}{'B' if n > 0 else 'A'}"
