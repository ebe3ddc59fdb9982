"""Hyperparameters: the named numbers and choices that a problem, an optimizer or a schedule brings with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdtui.experiment import InputError, Value, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One of them.

    Attributes:
        name: PyTorch's name where it has one.
        default: its value where none is given; its type is the hyperparameter's.
        what: what it is, in a few words.
        least: the smallest value that is right.
        most: the largest.
        choices: the words that are right, where it is a word.
    """

    name: str
    default: Value
    what: str
    least: float = -math.inf
    most: float = math.inf
    choices: tuple[str, ...] = ()

    def parse(self, text: str) -> Value:
        """A value from what a person typed.

        Raises:
            InputError: if it is not a right value.
        """
        return self.checked(self._read(text.strip()))

    def checked(self, value: Value) -> Value:
        """The value as the hyperparameter's type, if it is right.

        Raises:
            InputError: if it is not.
        """
        if isinstance(self.default, str):
            if value not in self.choices:
                raise InputError(self.name, unknown(self.name, str(value), self.choices))
            return value
        if isinstance(value, str):
            raise InputError(self.name, f"{self.name} must be a number, got {value!r}")
        if isinstance(self.default, int) and not float(value).is_integer():
            raise InputError(self.name, f"{self.name} must be a whole number, got {value:g}")
        value = type(self.default)(value)
        if not (math.isfinite(value) and self.least <= value <= self.most):
            raise InputError(self.name, f"{self.name} must be {self._range()}, got {value:g}")
        return value

    def _read(self, text: str) -> Value:
        if isinstance(self.default, str):
            return text
        try:
            number = float(text)
        except ValueError:
            raise InputError(self.name, f"{self.name} must be a number, got {text!r}") from None
        if isinstance(self.default, float):
            return number
        if not number.is_integer():
            raise InputError(self.name, f"{self.name} must be a whole number, got {text!r}")
        return int(number)

    def _range(self) -> str:
        if math.isinf(self.least) and math.isinf(self.most):
            return "finite"
        if math.isinf(self.most):
            return f"at least {self._shown(self.least)}"
        return f"from {self._shown(self.least)} to {self._shown(self.most)}"

    def _shown(self, bound: float) -> str:
        return f"{int(bound):,}" if isinstance(self.default, int) else f"{bound:g}"


def with_defaults(owner: str, known: Sequence[Hyperparameter], given: Mapping[str, Value]) -> dict[str, Value]:
    """Every known hyperparameter's value: as given, or its default.

    Raises:
        InputError: if one is given that the owner does not have, or its value is wrong.
    """
    names = tuple(h.name for h in known)
    for name in given:
        if name not in names:
            hint = unknown("hyperparameter", name, names) if names else f"unknown hyperparameter {name!r} (it has none)"
            raise InputError(name, f"{owner}: {hint}")
    return {h.name: h.checked(given.get(h.name, h.default)) for h in known}


def written(hyperparameters: Iterable[Hyperparameter]) -> str:
    """Their defaults and choices as `--set` takes them: `degree=3, activation=tanh|relu`."""
    return ", ".join(f"{one.name}={'|'.join(one.choices) or f'{one.default:g}'}" for one in hyperparameters)
