"""Tables: the entries of the topics that the code itself gives: problems, optimizers, lessons and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gdtui.topics.topic import entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gdtui.topics.topic import Block


def problems() -> Iterator[Block]:
    """The models."""
    from gdtui.problems.catalog import FAMILIES

    return _choices({name: family for name, family in FAMILIES.items() if family.data})


def landscapes() -> Iterator[Block]:
    """The landscapes, with their minima."""
    from gdtui.problems.catalog import FAMILIES
    from gdtui.problems.landscapes import LANDSCAPES

    for name, landscape in LANDSCAPES.items():
        least = landscape.minima[0][1]
        places = [place for place, value in landscape.minima if value == least]
        # Blanks at which no line is broken.
        where = ", ".join("(" + ",\u00a0".join(f"{x:.5g}" for x in place) + ")" for place in places)
        yield entry(name, f"{FAMILIES[name].summary}; least value {least:.5g} at {where}")


def datasets() -> Iterator[Block]:
    """The data that ships or is generated."""
    from gdtui.problems.loading import SOURCES

    return _choices(SOURCES)


def optimizers() -> Iterator[Block]:
    """The update rules."""
    from gdtui.descent.optimizers import RULES

    return _choices(RULES)


def schedules() -> Iterator[Block]:
    """The learning rate over time."""
    from gdtui.descent.schedules import SCHEDULES

    return _choices(SCHEDULES)


def lessons() -> Iterable[Block]:
    """The lessons."""
    from gdtui.lessons.catalog import LESSONS

    return (entry(lesson.name, lesson.title) for lesson in LESSONS.values())


TABLES = {
    "problems": problems,
    "landscapes": landscapes,
    "datasets": datasets,
    "optimizers": optimizers,
    "schedules": schedules,
    "lessons": lessons,
}
"""The tables that stand below the dashboard, by their names in the texts."""


def _choices(known: Mapping[str, Any]) -> Iterator[Block]:
    from gdtui.hyperparameters import written

    for name, one in known.items():
        settings = written(one.hyperparameters)
        yield entry(name, f"{one.summary}; {settings}" if settings else one.summary)
