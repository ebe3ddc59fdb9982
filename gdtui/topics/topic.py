"""Topic: a text about one thing, read from `texts/NAME.md`.

A text is a small part of Markdown: a title (`# ...`), headings (`## ...`), paragraphs, entries of a list (`- name:
meaning`), and lines indented by four blanks, which stay as they are. A line `{table}` stands for entries that the code
itself gives, so that they cannot differ from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gdtui.experiment import InputError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Tables = Mapping[str, Callable[[], Iterable["Block"]]]

NAMES = (
    *("keys", "experiment", "loss", "samples", "landscape", "insight", "instruments", "limits", "runs", "log"),
    *("sweeps", "training", "recorder"),
    *("kept", "status", "words", "lessons", "problems", "datasets", "optimizers", "schedules"),
    *("line", "files", "models", "store", "config", "link", "exit"),
)
"""Every topic, in the order in which one may read them."""

_TABLE = re.compile(r"\{([a-z-]+)\}")


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that is said.

    Attributes:
        kind: a heading, a paragraph, an entry of a list, a line as it stands, or the place of a table.
        text: what is said; the table's name.
        name: an entry's.
    """

    kind: Literal["heading", "text", "entry", "code", "table"]
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """A text about one thing.

    Attributes:
        name: as in `gdtui help NAME`.
        title: what it is about, in a few words.
        blocks: what is said.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]

    def filled(self, tables: Tables) -> Topic:
        """The same with the entries of its tables, as far as they are among these."""
        blocks = (
            block
            for one in self.blocks
            for block in (tables[one.text]() if one.kind == "table" and one.text in tables else (one,))
        )
        return Topic(self.name, self.title, tuple(blocks))


def topic_named(name: str) -> Topic:
    """The topic of that name, with tables still to be filled in.

    Raises:
        InputError: if there is none; it names the nearest.
    """
    if name not in NAMES:
        raise InputError("topic", unknown("topic", name, NAMES))
    from importlib.resources import files

    return parse(name, files("gdtui.topics").joinpath("texts", f"{name}.md").read_text(encoding="utf-8"))


def entry(name: str, text: str) -> Block:
    """An entry of a list."""
    return Block("entry", text, name)


def parse(name: str, text: str) -> Topic:
    """The topic that a text holds; lines that follow each other are one paragraph, or one entry."""
    title, *lines = text.strip().split("\n")
    return Topic(name, title.removeprefix("# "), tuple(_blocks(lines)))


def _blocks(lines: list[str]) -> Iterator[Block]:
    said: list[str] = []
    for line in [*lines, ""]:
        table = _TABLE.fullmatch(line)
        if said and (not line or table or line.startswith(("- ", "## ", "    "))):
            yield _said(" ".join(said))
            said = []
        if table:
            yield Block("table", table[1])
        elif line.startswith("## "):
            yield Block("heading", line.removeprefix("## "))
        elif line.startswith("    "):
            yield Block("code", line[4:])
        elif line:
            said.append(line.strip())


def _said(text: str) -> Block:
    if not text.startswith("- "):
        return Block("text", text)
    name, _, meaning = text.removeprefix("- ").partition(": ")
    return entry(name, meaning)
