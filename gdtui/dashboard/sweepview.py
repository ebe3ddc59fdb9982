"""Sweep view: over which axes one looks at a sweep, and how one goes to the next."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from gdtui.experiment import printable
from gdtui.sweeps.plane import Measure, View, label

if TYPE_CHECKING:
    from gdtui.sweeps.board import Board

USUAL_X = "lr"
"""The axis that goes from left to right unless one chooses another: theory speaks of it."""

FACTOR = 10.0
"""Between two targets."""


def first_view(board: Board) -> View:
    """The learning rate from left to right, or else the axis with the most values; the longest other one upwards."""
    names = [axis.name for axis in board.axes]
    longest = sorted(range(len(names)), key=lambda axis: -len(board.values[axis]))
    x = names.index(USUAL_X) if USUAL_X in names else longest[0]
    return View(x, next((axis for axis in longest if axis != x), None))


def with_next_x(view: View, board: Board) -> View:
    """Another axis from left to right; the two change places where there is no third."""
    x = (view.x + 1) % len(board.axes)
    return replace(view, x=x, y=view.x if view.y == x else view.y, fixed=())


def with_next_y(view: View, board: Board) -> View:
    """Another axis from bottom to top."""
    others = [axis for axis in range(len(board.axes)) if axis != view.x]
    if view.y is None:
        return view
    return replace(view, y=others[(others.index(view.y) + 1) % len(others)], fixed=())


def others(view: View, board: Board) -> list[int]:
    """The axes that are not drawn, of which there is something to choose."""
    return [axis for axis in range(len(board.axes)) if axis not in (view.x, view.y) and len(board.values[axis]) > 1]


def with_next_others(view: View, board: Board, steps: int) -> View:
    """The next values of the axes that are not drawn, the last one first; before the first, the best of all."""
    axes = others(view, board)
    sizes = [len(board.values[axis]) for axis in axes]
    at = 0
    for axis, place in view.fixed:
        at = at * len(board.values[axis]) + place
    count = prod(sizes) if axes else 0
    at = (at + 1 if view.fixed else 0) + steps
    at %= count + 1
    if not at:
        return replace(view, fixed=())
    rest, places = at - 1, []
    for size in reversed(sizes):
        rest, place = divmod(rest, size)
        places.append(place)
    return replace(view, fixed=tuple(zip(axes, reversed(places), strict=True)))


def with_next_measure(view: View) -> View:
    """The loss at the end, or the epochs to the target."""
    return replace(view, measure=Measure.LOSS if view.measure is Measure.EPOCHS else Measure.EPOCHS)


def names(view: View, board: Board) -> tuple[str, str]:
    """The axes of a map; the second one is empty where there is but one."""
    return board.axes[view.x].option, "" if view.y is None else board.axes[view.y].option


def described(view: View, board: Board) -> str:
    """What a map shows, and where the axes are that it does not: `loss · best optimizer`."""
    what = f"{view.measure} {view.target:.3g}" if view.measure is Measure.EPOCHS else str(view.measure)
    held = dict(view.fixed)
    rest = [
        f"{board.axes[axis].option} {label(board.axes[axis], board.values[axis], held[axis])}"
        if axis in held
        else f"best {board.axes[axis].option}"
        for axis in others(view, board)
    ]
    return printable(" · ".join([what, *rest]))
