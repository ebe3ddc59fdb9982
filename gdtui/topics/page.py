"""Page: a topic as lines of a given width, for a terminal, a file or the dashboard."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gdtui.topics.topic import Block, Topic

LEAST_NAME, MOST_NAME = 6, 18
"""Cells of the column of names in a list; a longer name has a line of its own."""

LEAST, MOST = 20, 100
"""No line is asked to be narrower; a wider one is tiring to read."""


class Line(NamedTuple):
    """A line of text.

    Attributes:
        text: what stands in it.
        part: what it is; a title and a heading are whole lines.
        name: how many of its first characters are the name of an entry.
    """

    text: str
    part: Literal["title", "heading", "text"] = "text"
    name: int = 0


def laid_out(topic: Topic, width: int) -> list[Line]:
    """The topic's lines, none wider than `width`, with an empty one between things that differ."""
    width = max(LEAST, width)
    lines = [Line(text, "title") for text in _wrapped(topic.title, width)]
    for kind, blocks in groupby(topic.blocks, key=lambda block: block.kind):
        if kind == "entry":
            lines += [Line(""), *_list(list(blocks), width)]
            continue
        lines += [Line("")] if kind == "code" else []
        for block in blocks:
            lines += [] if kind == "code" else [Line("")]
            lines += _lines(block, width)
    return lines


def as_text(topic: Topic, width: int) -> str:
    """The topic as plain text."""
    return "\n".join(line.text for line in laid_out(topic, width))


def _lines(block: Block, width: int) -> list[Line]:
    if block.kind == "heading":
        return [Line(text, "heading") for text in _wrapped(block.text, width)]
    if block.kind == "code":
        return [Line(text) for text in _wrapped(block.text, width, first="  ", rest="      ")]
    return [Line(text) for text in _wrapped(block.text, width)]


def _list(entries: list[Block], width: int) -> Iterator[Line]:
    """Names at the left, what they mean beside them."""
    most = min(MOST_NAME, width // 3)
    column = max([LEAST_NAME, *(len(one.name) for one in entries if len(one.name) <= most)])
    rest = " " * (column + 4)
    for one in entries:
        head = f"  {one.name:<{column}}  "
        if len(one.name) > column:
            yield from (Line(name, name=len(name)) for name in _wrapped(one.name, width, "  ", "    "))
            head = rest
        for row, text in enumerate(_wrapped(one.text, width, head, rest) or [head.rstrip()]):
            yield Line(text, name=len(head) if row == 0 and head.strip() else 0)


def _wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Broken between words only, as long as a word fits a line: a number or a formula's term stays whole."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, drop_whitespace=True
    )
