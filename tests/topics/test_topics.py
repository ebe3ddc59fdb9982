"""Topics: texts that are read, and laid out for any width."""

from __future__ import annotations

from importlib.resources import files

import pytest

from gdtui.descent.optimizers import RULES
from gdtui.experiment import InputError
from gdtui.lessons.catalog import LESSONS
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.loading import SOURCES
from gdtui.topics.page import as_text, laid_out
from gdtui.topics.tables import TABLES
from gdtui.topics.topic import NAMES, Block, Topic, entry, parse, topic_named

TEXT = """# Cats: what they do

They sleep,
mostly.

## Food

- fish: is eaten
  with care
- mice: are not

    cat --feed  fish

{table}
"""


def test_a_text_is_read_as_it_is_written() -> None:
    assert parse("cats", TEXT) == Topic(
        "cats",
        "Cats: what they do",
        (
            Block("text", "They sleep, mostly."),
            Block("heading", "Food"),
            entry("fish", "is eaten with care"),
            entry("mice", "are not"),
            Block("code", "cat --feed  fish"),
            Block("table", "table"),
        ),
    )


def test_a_table_is_filled_in_where_it_stands() -> None:
    filled = parse("cats", TEXT).filled({"table": lambda: [entry("Tom", "a cat")]})
    assert filled.blocks[-2:] == (Block("code", "cat --feed  fish"), entry("Tom", "a cat"))


def test_names_stand_beside_what_they_mean() -> None:
    assert as_text(parse("cats", TEXT).filled({"table": list}), 40).split("\n") == [
        "Cats: what they do",
        "",
        "They sleep, mostly.",
        "",
        "Food",
        "",
        "  fish    is eaten with care",
        "  mice    are not",
        "",
        "  cat --feed  fish",
    ]


def test_a_long_name_has_a_line_of_its_own() -> None:
    topic = Topic("", "T", (entry("a name that is far too long", "what it means"), entry("b", "c")))
    assert as_text(topic, 40).split("\n")[2:] == [
        "  a name that is far too long",
        "          what it means",
        "  b       c",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("name", NAMES)
def test_every_topic_fits_any_width_and_loses_no_word(name: str, width: int) -> None:
    found = topic_named(name).filled(TABLES)
    topic = Topic(name, found.title, tuple(block for block in found.blocks if block.kind != "table"))
    lines = [line.text for line in laid_out(topic, width)]
    assert max(map(len, lines)) <= width
    said = [topic.title, *(f"{block.name}{block.text}" for block in topic.blocks)]
    assert sorted("".join("".join(lines).split())) == sorted("".join("".join(said).split()))


def test_every_text_is_a_topic_and_every_topic_has_a_title() -> None:
    texts = {path.name.removesuffix(".md") for path in files("gdtui.topics").joinpath("texts").iterdir()}
    assert texts == set(NAMES)
    titles = [topic_named(name).title for name in NAMES]
    assert len(set(titles)) == len(titles)
    assert all(titles)


def test_an_unknown_topic_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown topic 'limts' \(did you mean limits\?\)"):
        topic_named("limts")


@pytest.mark.parametrize(
    ("name", "known"), [("optimizers", RULES), ("datasets", SOURCES), ("lessons", LESSONS), ("problems", FAMILIES)]
)
def test_what_there_is_to_choose_is_all_explained(name: str, known: dict[str, object]) -> None:
    entries = {block.name for block in topic_named(name).filled(TABLES).blocks if block.kind == "entry"}
    assert set(known) <= entries


def test_formulas_are_the_code_s_own() -> None:
    text = as_text(topic_named("problems").filled(TABLES), 1000)
    for family in FAMILIES.values():
        assert family.summary in text
    text = as_text(topic_named("optimizers").filled(TABLES), 1000)
    for rule in RULES.values():
        assert rule.summary in text
