"""Lessons as they are taught: run once for all tests of a process, and the numbers in what they say."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from gdtui.lessons.catalog import LESSONS
from gdtui.lessons.lesson import run

if TYPE_CHECKING:
    from gdtui.lessons.lesson import Outcome

NUMBER = re.compile(r"−?\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?", re.ASCII)
FORMULAS = ("1 − lr·λ", "1/λ", "2/λ")


@cache
def outcomes(name: str) -> tuple[Outcome, ...]:
    return run(LESSONS[name])


@cache
def caption(name: str) -> str:
    return LESSONS[name].caption(outcomes(name))


def texts_of_numbers(text: str) -> list[str]:
    """Every number in a text as it stands there, but for those of formulas."""
    for formula in FORMULAS:
        text = text.replace(formula, "")
    return NUMBER.findall(text)


def numbers(text: str) -> list[float]:
    return [float(number.replace("−", "-").replace(",", "")) for number in texts_of_numbers(text)]


X, Y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])


def tutorial_gd(w: float, lr: float, updates: int) -> list[float]:
    """The tutorial's gradient descent: w after each update, the start first."""
    ws = [w]
    for _ in range(updates):
        ws.append(ws[-1] - lr * float(np.mean(2 * X * (X * ws[-1] - Y))))
    return ws


def tutorial_sgd(w: float, lr: float, epochs: int) -> list[float]:
    """The tutorial's stochastic gradient descent: w after each epoch, the start first."""
    ws = [w]
    for _ in range(epochs):
        for x, y in zip(X, Y, strict=True):
            w -= lr * float(2 * x * (x * w - y))
        ws.append(w)
    return ws


def tutorial_cost(w: float) -> float:
    return float(np.mean((X * w - Y) ** 2))
