"""Titles: what a training is called and was begun with, from whatever its program has for a config."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass, replace
from typing import Any

from gdtui.experiment import printable
from gdtui.runs.store import LONGEST_NAME, TRAINING
from gdtui.training.ledger import Title

LONGEST_LINE = 1_000
LONGEST_VALUE = 200

Plain = bool | int | float | str | list[Any] | dict[str, Any] | None


def title_of(name: str, config: object, tags: str | Iterable[str], note: str) -> Title:
    """A training's title; what cannot be kept as it is, is made so.

    Args:
        name: what it is to be called.
        config: a mapping, a dataclass, or an object with attributes, as argparse has; None for none.
        tags: words, as one text or several.
        note: any text.
    """
    values = _plain(_mapping(config))
    # The word before them tells the line from an experiment of gdtui's own.
    words = [TRAINING, *(f"{key}={_word(value)}" for key, value in flat(values))]
    words_of_tags = tags.replace(",", " ") if isinstance(tags, str) else " ".join(map(str, tags))
    return Title(
        name=printable(str(name)).strip().lstrip("-")[:LONGEST_NAME].strip(),
        line=" ".join(words)[:LONGEST_LINE],
        config=json.dumps(values),
        tags=printable(" ".join(words_of_tags.split())),
        note=printable(str(note)),
    )


def child_of(title: Title, run: str, name: str, process: int) -> Title:
    """The title of a training in a process that was forked from that of a run, called `name`."""
    ending = f"-{process}"
    return replace(title, name=name and name[: LONGEST_NAME - len(ending)] + ending, parent=run)


def flat(config: Any, path: str = "") -> list[tuple[str, str]]:
    """The values of nested mappings, each as its path and its text."""
    if not isinstance(config, dict):
        return [(path, config if isinstance(config, str) else json.dumps(config))]
    pairs = ((f"{path}/{key}" if path else key, value) for key, value in config.items())
    return [pair for below, value in pairs for pair in flat(value, below)]


def _mapping(config: object) -> Mapping[Any, Any]:
    if config is None:
        return {}
    if isinstance(config, Mapping):
        return config
    if is_dataclass(config) and not isinstance(config, type):
        return asdict(config)
    return vars(config)


def _plain(value: Any) -> Plain:
    """As JSON has it: what that does not have becomes its text."""
    if isinstance(value, Mapping):
        return {printable(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:  # NumPy's numbers
        value = value.item()
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return printable(str(value))[:LONGEST_VALUE]


def _word(text: str) -> str:
    return text if text and not any(map(str.isspace, text)) else json.dumps(text, ensure_ascii=False)
