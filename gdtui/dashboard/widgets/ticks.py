"""Ticks: where an axis has labels, and what they say."""

from __future__ import annotations

import math

Range = tuple[float, float]
Tick = tuple[float, str]

DECADES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Decades from one label of a log axis to the next."""


def y_ticks(y_range: Range, rows: int) -> list[Tick]:
    """Labels of a linear axis, one in about three rows."""
    return labelled(y_range, step_from((y_range[1] - y_range[0]) / max(2, rows // 3)))


def log_ticks(y_range: Range, rows: int) -> list[Tick]:
    """Labels of a log axis whose ends are powers of ten, at whole decades."""
    low, high = int(y_range[0]), int(y_range[1])
    most = min(max(1, rows // 2), 8)
    step = next(step for step in DECADES if high - low <= most * step)
    powers = range(-(-low // step) * step, high + 1, step) or (low, high)
    return [(power, f"1e{power:+d}") for power in powers]


def x_ticks(x_range: Range, columns: int) -> list[Tick]:
    """As many as fit without touching, at most one in twelve columns."""
    span = x_range[1] - x_range[0]
    step = step_from(span / max(1, columns // 12))
    while True:
        ticks = labelled(x_range, step)
        widest = max((len(label) for _, label in ticks), default=0)
        if len(ticks) < 2 or widest + 2 <= (columns - 1) * step / span:
            return [tick for tick in ticks if len(tick[1]) <= columns]
        step = step_from(1.01 * step)


def step_from(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((step * power for step in (1, 2, 5) if step * power >= least * (1 - 1e-9)), 10 * power)


def labelled(span: Range, step: float) -> list[Tick]:
    """The multiples of step within the range, written alike and as short as tells them apart."""
    numbers = range(math.ceil(span[0] / step - 1e-9), math.floor(span[1] / step + 1e-9) + 1)
    values = [number * step for number in numbers]
    largest = max((abs(value) for value in values), default=0.0)
    last_digit = math.floor(math.log10(step) + 1e-9)
    digits = math.floor(math.log10(max(largest, step)) + 1e-9) - last_digit
    short = step >= 1e-3 and largest < 1e5
    many = digits > 2 and step >= 1e-9 and largest < 1e9
    if short or many:
        return [(value, f"{value:.{max(0, -last_digit)}f}") for value in values]
    return [(value, _scientific(value, digits)) for value in values]


def _scientific(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
