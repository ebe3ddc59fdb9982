"""Catalog: every lesson by its name; listing them imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.experiment import InputError, unknown
from gdtui.lessons import experts, tutorial

if TYPE_CHECKING:
    from gdtui.lessons.lesson import Lesson

LESSONS: dict[str, Lesson] = {lesson.name: lesson for lesson in (*tutorial.LESSONS, *experts.LESSONS)}
"""By the name of `gdtui lesson NAME`: the tutorial's claims first, then what experts add."""


def lesson_named(name: str) -> Lesson:
    """The lesson of that name.

    Raises:
        InputError: if there is none; it names the nearest.
    """
    if name not in LESSONS:
        raise InputError("lesson", unknown("lesson", name, tuple(LESSONS)))
    return LESSONS[name]
