"""Swept boards: sweeps to show, at any moment of theirs, made by a formula instead of by runs."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from textual.app import App, ComposeResult

from gdtui.dashboard.themes import DARK
from gdtui.dashboard.widgets.inks import NO_SHADES
from gdtui.experiment import Experiment
from gdtui.sweeps.board import Board, Sign
from gdtui.sweeps.curves import POINTS, Curves
from gdtui.sweeps.outcome import Progress, RunOutcome
from gdtui.sweeps.plane import Plane
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from textual.pilot import Pilot
    from textual.widget import Widget

TUTORIAL = ("lr=log:0.001:1:20", "batch-size=1,2,3,full")

STATES = {
    Sign.RUNNING: "running",
    Sign.DONE: "finished",
    Sign.STOPPED: "paused",
    Sign.DIVERGED: "diverged",
    Sign.FAILED: "failed",
}


@dataclass(frozen=True, slots=True, eq=False)
class HandPlane(Plane):
    """A plane that knows where its best cell is, and where each point lies, from its cells alone."""

    @property
    def best(self) -> tuple[int, int] | None:
        if not np.isfinite(self.values).any():
            return None
        at = np.where(np.isfinite(self.values), self.values, np.inf).argmin()
        return divmod(int(at), self.values.shape[1])

    def place_of(self, arm: int) -> tuple[int, int] | None:
        rows, columns = np.nonzero(self.arms == arm)
        return (int(rows[0]), int(columns[0])) if len(rows) else None


def sweep_of(over: Sequence[str] = TUTORIAL, **how: Any) -> Sweep:
    """A sweep of the tutorial's experiment."""
    return Sweep(Experiment(), tuple(map(parse_axis, over)), **how)


def valley(x: float, y: float) -> float:
    """A loss at a part of the way along both axes: a valley, and a wall from 0.8 on beyond which descent diverges."""
    wall = 0.85 - 0.1 * y
    return math.inf if x > wall else 10 ** (-6 * x - 2 * y + 14 * max(0.0, x - 0.6) + 1)


def board_by_hand(sweep: Sweep, begun: int | None = None, seed: int = 0, seconds: float = 42.0) -> Board:
    """The board of a sweep of which so many points have begun, in a shuffled order; all of them, where it is not said.

    Every twentieth has failed, every tenth was stopped early; the last one is under way unless all have begun.
    """
    axes = sweep.axes
    values = tuple(axis.values for axis in axes)
    shape = tuple(map(len, values))
    m = math.prod(shape)
    begun = m if begun is None else begun
    places = np.stack(np.unravel_index(np.arange(m), shape), axis=1).astype(np.int32)
    parts = places / np.maximum(1, np.array(shape) - 1)
    order = np.random.default_rng(seed).permutation(m)
    signs = np.full(m, Sign.WAITING, dtype=np.int8)
    losses = np.full(m, np.nan)
    seeds = sweep.seeds
    outcomes = {}
    for at, arm in enumerate(order[:begun].tolist()):
        loss = valley(float(parts[arm, 0]), float(parts[arm, -1]))
        sign = Sign.DIVERGED if math.isinf(loss) else Sign.DONE
        sign = Sign.FAILED if at % 20 == 7 else Sign.STOPPED if at % 10 == 3 and sign is Sign.DONE else sign
        sign = Sign.RUNNING if at == begun - 1 < m - 1 else sign
        signs[arm], losses[arm] = sign, math.inf if sign is Sign.FAILED else loss
        outcomes[str(arm)] = RunOutcome(str(arm), f"{arm:08x}", STATES[sign], "", 100, 300, 0.1, float(losses[arm]))
    is_begun = signs != Sign.WAITING
    is_lost = np.isin(signs, (Sign.DIVERGED, Sign.FAILED))
    looks = ((0.0, 0), (10.0, begun if begun == m else max(0, begun - 1)))
    progress = Progress(sweep, outcomes, m, turn=begun, is_made=begun < m, seconds=seconds, looks=looks)
    ranked = np.flatnonzero(is_begun)
    ranked = ranked[np.lexsort((ranked, losses[ranked], signs[ranked] == Sign.STOPPED))]
    return Board(
        progress=progress,
        axes=axes,
        values=values,
        arms=tuple(map(str, range(m))),
        places=places,
        signs=signs,
        begun=is_begun * np.int32(seeds),
        lost=is_lost * np.int32(seeds),
        losses=losses,
        least=losses / 2,
        most=losses * 2,
        epochs=np.where(is_begun, 100, 0),
        best=tuple(f"{arm:08x}" if begun else "" for arm, begun in enumerate(is_begun.tolist())),
        order=ranked,
    )


def plane_by_hand(board: Board, columns: int = 10_000, rows: int = 10_000, limits: Any = None) -> HandPlane:
    """The plane over a board's first two axes, cell by cell, in at most so many columns and rows."""
    has_y = len(board.axes) > 1
    x_count, y_count = len(board.values[0]), len(board.values[1]) if has_y else 1
    columns, rows = min(columns, x_count), min(rows, y_count)
    x = board.places[:, 0] * columns // x_count
    y = board.places[:, 1] * rows // y_count if has_y else np.zeros(len(x), dtype=int)
    arms = np.full((rows, columns), -1, dtype=np.intp)
    lost, begun = np.zeros((rows, columns)), np.zeros((rows, columns))
    np.add.at(lost, (y, x), board.lost)
    np.add.at(begun, (y, x), board.begun)
    for arm in np.argsort(np.nan_to_num(board.losses, nan=np.inf), kind="stable")[::-1].tolist():
        arms[y[arm], x[arm]] = arm
    rank = np.full(len(board.arms), -1)
    rank[board.order] = np.arange(len(board.order))
    x_axis = board.axes[0]
    return HandPlane(
        values=board.losses[arms],
        signs=board.signs[arms],
        arms=arms,
        lost=np.divide(lost, begun, out=np.zeros_like(lost), where=begun > 0),
        x_labels=tuple(x_axis.write(board.values[0][-(-k * x_count // columns)]) for k in range(columns)),
        y_labels=tuple(board.axes[1].write(board.values[1][-(-k * y_count // rows)]) for k in range(rows))
        if has_y
        else ("",),
        limits=np.array([(0.85 - 0.1 * row / max(1, rows - 1)) * columns for row in range(rows)])
        if limits is None
        else limits,
        x_limits=np.full(columns, np.nan),
    )


def small_plane(values: Any, signs: Any = None, **others: Any) -> HandPlane:
    """A plane of these values, shape (rows, columns), all done unless it is said."""
    values = np.array(values, dtype=np.float64)
    rows, columns = values.shape
    known: dict[str, Any] = {
        "values": values,
        "signs": np.full(values.shape, Sign.DONE, dtype=np.int8) if signs is None else np.array(signs, dtype=np.int8),
        "arms": np.arange(values.size).reshape(values.shape),
        "lost": np.zeros(values.shape),
        "x_labels": tuple(f"{column + 1}" for column in range(columns)),
        "y_labels": tuple(f"r{row}" for row in range(rows)) if rows > 1 else ("",),
        "limits": np.full(rows, np.nan),
        "x_limits": np.full(columns, np.nan),
    }
    assert {field.name for field in fields(Plane)} >= known.keys() >= others.keys()
    return HandPlane(**known | others)


def curves_by_hand(board: Board, seed: int = 0) -> Curves:
    """Curves that fall to each point's loss, or go up to where it is lost."""
    random = np.random.default_rng(seed)
    m = len(board.arms)
    ranked = board.order
    t = np.linspace(0, 1, POINTS)
    ends = board.losses[ranked]
    rates = np.log10(np.where(np.isfinite(ends), np.maximum(ends, 1e-12), 1e9) / 10)[:, np.newaxis]
    with np.errstate(over="ignore"):
        losses = 10.0 ** (1 + rates * t + 0.1 * random.normal(size=(len(ranked), POINTS)) * (t > 0))
    losses[~np.isfinite(ends), POINTS // 2 :] = np.nan
    reached = np.where(np.isfinite(board.losses), 10.0, np.inf)
    assert len(reached) == m
    return Curves(board.progress.turn, 100 * t, losses.astype(np.float32), ranked, 0.1, reached)


# Screens


class Shown(App[None]):
    """A widget alone on a screen; `told` has the messages that it posts."""

    AUTO_FOCUS = "*"

    def __init__(self, widget: Widget, is_plain: bool) -> None:
        super().__init__()
        self.widget = widget
        self.told: list[Any] = []
        self.register_theme(DARK)
        self.theme = DARK.name
        self.set_class(is_plain, NO_SHADES)

    def compose(self) -> ComposeResult:
        self.widget.styles.width = self.widget.styles.height = "100%"
        yield self.widget

    def on_heat_map_moved(self, event: Any) -> None:
        self.told.append(event.arm)

    def on_leaderboard_moved(self, event: Any) -> None:
        self.told.append(event.arm)


@asynccontextmanager
async def showing(widget: Widget, size: tuple[int, int], is_plain: bool = False) -> AsyncIterator[Pilot[None]]:
    """A widget on a screen of its own; plain: where there are no shades."""
    async with Shown(widget, is_plain).run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


async def resized(pilot: Pilot[None], size: tuple[int, int]) -> None:
    """The widget's screen in another size."""
    await pilot.resize_terminal(*size)
    await pilot.pause()


def lines_of(widget: Widget) -> list[str]:
    """What a person sees of a widget, line by line."""
    return [widget.render_line(y).text for y in range(widget.size.height)]
