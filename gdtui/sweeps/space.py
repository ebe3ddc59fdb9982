"""Space: the axes of a sweep, each a setting or hyperparameter with its values or its range; read from `--over`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from gdtui.experiment import SETTINGS, InputError, Value, shown, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gdtui.experiment import Experiment

MOST_VALUES = 10_000
SCALES = ("lin", "log")
DIGITS = range(6, 18)
"""Of a range's values, as few as tell them apart: a key made of them must not hang on the last place of a power."""

WHOLE = ("batch_size", "epochs", "seed")
"""Settings whose values in a range are rounded; hyperparameters that are whole numbers are, too."""


@dataclass(frozen=True, slots=True)
class Range:
    """From low to high, both included.

    Attributes:
        scale: lin or log: in which the values are evenly spaced, or evenly likely.
        low: the smallest value.
        high: the largest.
        count: of a grid's values; 0: only random values can be drawn.
    """

    scale: str
    low: float
    high: float
    count: int = 0

    def at(self, part: float) -> float:
        """The value at a part of the way, from 0 to 1."""
        if self.scale == "log":
            return self.low * math.exp(part * math.log(self.high / self.low))
        return self.low + part * (self.high - self.low)

    def values(self) -> tuple[float, ...]:
        """The values of a grid, both ends exact; none without a count."""
        if not self.count:
            return ()
        steps = self.count - 1
        between = [self.at(step / steps) for step in range(1, steps)]
        rounded: list[float] = []
        for digits in DIGITS:
            rounded = [self.low, *(float(f"{value:.{digits}g}") for value in between), self.high]
            if len(set(rounded)) == self.count:
                break
        return tuple(rounded)

    def rounded(self, part: float) -> float:
        """The value at a random part of the way, with some six digits more than both ends share; not beyond them."""
        shared = math.floor(-math.log10((self.high - self.low) / max(abs(self.low), abs(self.high))))
        value = float(f"{self.at(part):.{min(6 + max(0, shared), 17)}g}")
        return min(max(value, self.low), self.high)

    def to_text(self) -> str:
        """As it is written behind the name."""
        ends = f"{self.scale}:{self.low!r}:{self.high!r}"
        return f"{ends}:{self.count}" if self.count else ends


@dataclass(frozen=True, slots=True)
class Axis:
    """What is varied, and over what.

    Attributes:
        name: a setting's field, or a hyperparameter.
        values: those of a grid, in their order, none twice; empty for a range without a count.
        span: the range, where one was given: random values are drawn from all of it.
    """

    name: str
    values: tuple[Any, ...]
    span: Range | None = None

    @property
    def option(self) -> str:
        """Its name as it is typed."""
        return self.name.replace("_", "-") if self.name in SETTINGS else self.name

    def to_text(self) -> str:
        """The text that `parse_axis` reads back."""
        return f"{self.option}={self.text()}"

    def text(self) -> str:
        """The same without the name."""
        return self.span.to_text() if self.span else ",".join(map(self.write, self.values))

    def write(self, value: Any) -> str:
        """A value as it is typed."""
        return SETTINGS[self.name].write(value) if self.name in SETTINGS else str(value)

    def at(self, part: float) -> Any:
        """The value at a random part of the way, from 0 to just below 1."""
        if self.span is None:
            return self.values[int(part * len(self.values))]
        return _of_range(self.name, self.span.rounded(part))

    def joined(self, values: Sequence[Any]) -> Axis:
        """The same axis with more values after its own."""
        return replace(self, values=tuple(dict.fromkeys([*self.values, *values])), span=None)


def parse_axis(text: str) -> Axis:
    """An axis from NAME=A,B,... or NAME=lin:LOW:HIGH:COUNT or NAME=log:LOW:HIGH:COUNT, of random ones without COUNT.

    Raises:
        InputError: if it is none, or one of its values is wrong.
    """
    option, equals, rest = text.partition("=")
    name = option.strip().replace("-", "_")
    if not (equals and name and rest.strip()):
        raise _wrong(f"{shown(text)} is not NAME=VALUE,VALUE,... or NAME=log:LOW:HIGH:COUNT")
    if not (name.isascii() and name.isidentifier() and name[0].isalpha()):
        raise _wrong(f"{shown(option)} is not the name of a setting or hyperparameter")
    if name == "set":
        raise _wrong("name the hyperparameter itself: --over momentum=0,0.9")
    scale, colon, _ = rest.partition(":")
    if colon and scale in SCALES:
        span = _range(option, rest)
        return Axis(name, tuple(dict.fromkeys(_of_range(name, value) for value in span.values())), span)
    if colon and scale.isalpha() and name in ("lr", *WHOLE):
        raise _wrong(f"{option}: {unknown('range', scale, SCALES)}")
    return Axis(name, tuple(dict.fromkeys(_value(name, word.strip()) for word in rest.split(","))))


def grid(experiment: Experiment, axes: Sequence[Axis]) -> Iterator[Experiment]:
    """The experiments at all points of a grid; the last axis varies fastest."""
    for values in product(*(axis.values for axis in axes)):
        yield _placed(experiment, axes, values)


def random_points(experiment: Experiment, axes: Sequence[Axis], samples: int) -> Iterator[Experiment]:
    """So many experiments at random points, drawn by the experiment's seed; of more samples, the first are the same."""
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(experiment.seed))
    for _ in range(samples):
        parts = generator.random(len(axes)).tolist()
        yield _placed(experiment, axes, [axis.at(part) for axis, part in zip(axes, parts, strict=True)])


def _placed(experiment: Experiment, axes: Sequence[Axis], values: Sequence[Any]) -> Experiment:
    return experiment.replace(**{axis.name: value for axis, value in zip(axes, values, strict=True)})


# --- text to values --------------------------------------------------------------------------------------------------


def _wrong(what: str) -> InputError:
    return InputError("over", f"--over {what}")


def _range(option: str, text: str) -> Range:
    scale, *numbers = text.split(":")
    try:
        low, high, *counts = (float(number) for number in numbers)
    except ValueError:
        raise _wrong(f"{option}: a range is {scale}:LOW:HIGH:COUNT, got {shown(text)}") from None
    if len(counts) > 1 or not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise _wrong(f"{option}: a range is {scale}:LOW:HIGH:COUNT with LOW below HIGH, got {shown(text)}")
    if scale == "log" and low <= 0:
        raise _wrong(f"{option}: a log range begins above 0, got {low:g}")
    if counts and not (counts[0].is_integer() and 2 <= counts[0] <= MOST_VALUES):
        raise _wrong(f"{option}: a range has from 2 to {MOST_VALUES:,} values, got {numbers[-1]}")
    return Range(scale, low, high, *map(int, counts))


def _of_range(name: str, value: float) -> Any:
    """A value of a range, as its setting has it; a hyperparameter's stays whole where it is."""
    if name in WHOLE:
        return round(value)
    if name in SETTINGS:
        return _value(name, repr(value))

    from gdtui.descent.method import whole_hyperparameters

    return round(value) if value.is_integer() or name in whole_hyperparameters() else value


def _value(name: str, word: str) -> Any:
    if not word:
        raise _wrong(f"{name.replace('_', '-')}: a value is missing between two commas")
    try:
        return SETTINGS[name].parse(word) if name in SETTINGS else _number_or_word(word)
    except InputError as error:
        raise _wrong(f"{name.replace('_', '-')}: {error}") from None


def _number_or_word(word: str) -> Value:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
