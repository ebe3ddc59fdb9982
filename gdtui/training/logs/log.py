"""Log: all that a log has told so far, in bounded memory."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from gdtui.experiment import printable
from gdtui.training.curves import Column, Curve
from gdtui.training.logs import own
from gdtui.training.logs.rows import CLOCK, MILLISECONDS, Axis, Rows
from gdtui.training.logs.text import plain
from gdtui.training.training import LINES, Training

if TYPE_CHECKING:
    from gdtui.problems.datasets import Array
    from gdtui.training.logs.formats import Told
    from gdtui.training.moment import Moment

NAMES = 200
"""Curves that are kept; the first that come."""

WIDEST = 1_000
"""Characters of a line that are kept."""

RUNNING = own.End("running", "")

LONGEST_NAME = 80
MOST_LEFT_OUT = 10_000
MOST_WORDS = 200


class Log:
    """What a log has told so far.

    A value stands over the newest step and epoch that were told; over its row's number where no step is told. A step
    that begins again with a new epoch counts on.

    Attributes:
        values: values told.
        bad: lines that could not be read.
        rows: rows told; set it where some are left out.
        numbered: lines told; as `rows`.
        moment: the newest epoch's samples, where they are told.
    """

    def __init__(self) -> None:
        self.values, self.bad, self.rows, self.numbered = 0, 0, 0, 0
        self.moment: Moment | None = None
        self._curves: dict[str, Curve] = {}
        self._left_out: set[str] = set()
        self._names: dict[str, str] = {}
        self._config: dict[str, str] = {}
        self._lines: deque[tuple[int, str]] = deque(maxlen=LINES)
        self._is_written_over = False
        self._end = RUNNING
        self._step = self._step_epoch = self._epoch = self._seconds = self._began = math.nan
        self._base = 0.0
        self._visits: dict[int, tuple[int, float, float, Array]] = {}
        self._next_config: dict[str, str] = {}
        self._is_doubtful, self._is_new_in_doubt = False, False

    def add(self, told: Told, read_at: float = math.nan) -> Log:
        """Add what some bytes tell; the log that goes on: another one where another run begins in it.

        Args:
            read_at: seconds, for rows that do not say when they were written; nan where that is not known.
        """
        log = self
        for piece in told.pieces:
            if isinstance(piece, own.Start):
                log.begin_again(is_new_in_doubt=True)
                log._next_config = dict(piece.config)
            elif isinstance(piece, own.Visits):
                log._visit(piece)
            else:
                log._look_at_samples()
                if isinstance(piece, own.End):
                    log._end = piece
                else:
                    log = log._rightful(piece)
                    log._add(piece, read_at)
        log.bad += told.bad
        log._print(told.lines)
        return log

    def begin_again(self, is_new_in_doubt: bool) -> None:
        """What follows may be another run's: it is if its steps, or its epochs, are no higher than those so far.

        Args:
            is_new_in_doubt: it is, where neither is told.
        """
        self._is_doubtful, self._is_new_in_doubt = True, is_new_in_doubt

    def _rightful(self, rows: Rows) -> Log:
        """The log that rows belong to, this one or a new one."""
        if not self._is_doubtful:
            return self
        log = self
        if self.rows and not self._goes_on_with(rows):
            log = Log()
            log._lines, log.numbered, log._is_written_over = self._lines, self.numbered, self._is_written_over
        log._config |= self._next_config
        log._next_config, log._is_doubtful = {}, False
        return log

    def _goes_on_with(self, rows: Rows) -> bool:
        for axis, newest in ((Axis.STEP, self._step), (Axis.EPOCH, self._epoch)):
            told = rows.axes[:, axis]
            told = told[~np.isnan(told)]
            if len(told) and not math.isnan(newest):
                return float(told[0]) > newest
        return not self._is_new_in_doubt

    # --- rows --------------------------------------------------------------------------------------------------------

    def _add(self, rows: Rows, read_at: float) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # a step may be any number
            points = np.column_stack([*self._over(rows, read_at), np.empty(rows.count)])
        for told, (where, values) in rows.columns.items():
            self.values += len(values)
            curve = self._curve(told)
            if curve is not None:
                told_points = points[where]
                told_points[:, Column.VALUE] = values
                curve.append(told_points)
        for name, word in rows.words.items():
            self._word(name, word)
        self.rows += rows.count
        self._end = RUNNING

    def _over(self, rows: Rows, read_at: float) -> tuple[Array, Array, Array]:
        """Step, epoch and seconds of each row, each of shape (m,)."""
        epoch = _filled(rows.axes[:, Axis.EPOCH], self._epoch)
        step = self._steps(rows.axes[:, Axis.STEP], epoch)
        self._epoch = float(epoch[-1])
        step = np.where(np.isnan(step), self.rows + np.arange(1.0, rows.count + 1), step)
        return step, epoch, self._times(rows.axes[:, Axis.SECONDS], read_at)

    def _steps(self, told: Array, epochs: Array) -> Array:
        """Told steps, counted on where they begin again with a new epoch; nan before the first.

        Args:
            told: shape (m,), nan where a row tells none.
            epochs: of each row, shape (m,).
        """
        known = np.flatnonzero(np.isfinite(told))
        before = np.concatenate([[self._step], told[known]])
        epoch_before = np.concatenate([[self._step_epoch], epochs[known]])
        is_begun = (np.diff(before) < 0) & (np.diff(epoch_before) > 0)
        added = np.where(is_begun, before[:-1] + (before[1:] < 1), 0.0)
        bases = np.cumsum(np.concatenate([[self._base], added]))[1:]
        steps = np.full(len(told), np.nan)
        steps[known] = told[known] + bases
        steps = _filled(steps, self._step + self._base)
        if len(known):
            self._step, self._base, self._step_epoch = float(before[-1]), float(bases[-1]), float(epoch_before[-1])
        return steps

    def _times(self, told: Array, read_at: float) -> Array:
        told = np.where(np.abs(told) > MILLISECONDS, told / 1e3, told)
        is_clock = told > CLOCK
        if is_clock.any() and math.isnan(self._began):
            self._began = float(told[is_clock][0])
        seconds = np.where(is_clock, told - self._began, told)
        known = np.flatnonzero(np.isfinite(seconds))
        if len(known):
            # What falls is no time, but how long something took: none is known from there on.
            falls = np.diff(np.concatenate([[self._seconds], seconds[known]])) < 0
            seconds[known[np.logical_or.accumulate(falls)]] = np.nan
            self._seconds = math.inf if falls.any() else float(seconds[known[-1]])
        return np.where(np.isfinite(seconds), seconds, read_at)

    def _curve(self, told: str) -> Curve | None:
        """The curve of that name; None where there are too many."""
        name = self._names.get(told) or short(told)
        curve = self._curves.get(name)
        if curve is None and len(self._curves) < NAMES:
            self._names[told] = name
            curve = self._curves[name] = Curve()
        elif curve is None and len(self._left_out) < MOST_LEFT_OUT:
            self._left_out.add(name)
        return curve

    def _word(self, name: str, word: str) -> None:
        name = short(name)
        if name != "type" and (name in self._config or len(self._config) < MOST_WORDS):
            self._config[name] = short(word, LONGEST_NAME * 3)

    # --- samples and text --------------------------------------------------------------------------------------------

    def _visit(self, visits: own.Visits) -> None:
        for row in visits.rows:
            if (visit := own.visit(row)) is not None and (visit[0] in self._visits or len(self._visits) < own.MOST):
                self._visits[visit[0]] = visit[1]

    def _look_at_samples(self) -> None:
        """Their epoch is over."""
        if self._visits:
            self.moment = own.moment(self._visits) or self.moment
            self._visits = {}

    def _print(self, lines: tuple[str, ...]) -> None:
        if not lines:
            return
        if self._is_written_over and self._lines:
            self._lines.pop()
            self.numbered -= 1
        stay = [line for line in lines[:-1] if not line.endswith("\r")]
        stay.append(lines[-1])
        self.numbered += len(stay)
        shown = stay[-LINES:]
        self._lines.extend(enumerate(map(_shown, shown), start=self.numbered - len(shown) + 1))
        self._is_written_over = lines[-1].endswith("\r")

    # --- all of it ---------------------------------------------------------------------------------------------------

    @property
    def notice(self) -> str:
        """What a person should know; empty where there is nothing."""
        count = len(self._left_out)
        more = "or more " if count == MOST_LEFT_OUT else ""
        return f"{count:,} {more}names are left out, {NAMES} are shown" if count else ""

    def training(self, name: str) -> Training:
        """What it tells, as a frozen value."""
        return Training(
            name=name,
            config=tuple(self._config.items()),
            state=self._end.state,
            reason=printable(self._end.reason),
            curves={name: curve.points for name, curve in self._curves.items()},
            moment=self.moment,
            moments=(self.moment.step,) if self.moment else (),
            lines=tuple(self._lines),
            values=self.values,
            bad_lines=self.bad,
            notice=self.notice,
        )


def _shown(line: str) -> str:
    """A line as it would look on a terminal, in one colour."""
    if not line.isprintable():
        line = printable(plain(line[: 2 * WIDEST]).replace("\b", "").rstrip("\r").expandtabs())
    return line[:WIDEST]


def short(text: str, longest: int = LONGEST_NAME) -> str:
    """A text from a log that can be shown in a line."""
    text = printable(plain(text[: 2 * longest]).strip()) or "–"
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _filled(values: Array, before: float) -> Array:
    """Each value, or the newest before it where it is nan."""
    newest = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(newest < 0, before, values[newest])
