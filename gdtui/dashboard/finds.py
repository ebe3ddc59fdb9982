"""Finds: what the command palette finds beside the keys' commands: problems, lessons, kept runs, themes, topics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gdtui.dashboard.messages import SettingEdited
from gdtui.experiment import ORDERS, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gdtui.dashboard.screens.lab import LabScreen
    from gdtui.dashboard.screens.panes import PanesScreen

RUNS = 300
"""So many kept runs can be found, the newest."""

KINDS = {
    "problem": "what is minimised",
    "data": "the samples",
    "optimizer": "how a gradient becomes a step",
    "schedule": "the learning rate over time",
    "order": "which samples come when",
    "lesson": "what there is to see, one claim at a time",
    "run": "a kept run, to open",
    "sweep": "many runs at once, to open",
    "theme": "the colours",
    "help": "what something means, and where its formulas come from",
}
"""What there is to find, as it stands before a colon."""


@dataclass(frozen=True, slots=True)
class Find:
    """Something that can be chosen.

    Attributes:
        text: its kind and its name: `problem: saddle`.
        what: what it is, in a few words; it is looked through as well.
        choose: what happens then.
    """

    text: str
    what: str
    choose: Callable[[], object]


def finds(main: PanesScreen) -> tuple[Find, ...]:
    """All that there is for a main screen; reads files, so not on an event loop."""
    from gdtui.dashboard.screens.lab import LabScreen

    own = (*_settings(main), *_lessons(main)) if isinstance(main, LabScreen) else ()
    return (*own, *_runs(main), *_sweeps(main), *_themes(main), *_topics(main))


def _settings(lab: LabScreen) -> Iterator[Find]:
    """Other values for a setting; they go the way of the experiment's fields."""
    from gdtui.descent.optimizers import RULES
    from gdtui.descent.schedules import SCHEDULES
    from gdtui.problems.catalog import FAMILIES
    from gdtui.problems.loading import SOURCES

    known = {
        ("problem", "problem"): {name: one.summary for name, one in FAMILIES.items()},
        ("data", "data"): {name: one.summary for name, one in SOURCES.items()},
        ("optimizer", "optimizer"): {name: one.summary for name, one in RULES.items()},
        ("schedule", "schedule"): {name: one.summary for name, one in SCHEDULES.items()},
        ("order", "order"): dict.fromkeys(ORDERS, KINDS["order"]),
    }
    for (kind, setting), values in known.items():
        for value, what in values.items():
            yield Find(f"{kind}: {value}", what, partial(lab.post_message, SettingEdited(setting, value)))


def _lessons(lab: LabScreen) -> Iterator[Find]:
    from gdtui.lessons.catalog import LESSONS

    for lesson in LESSONS.values():
        yield Find(f"lesson: {lesson.name}", lesson.title, partial(lab.open_lesson, lesson.name))


def _runs(main: PanesScreen) -> Iterator[Find]:
    from gdtui.runs.names import newest

    for run in newest(RUNS):
        called = " ".join(filter(None, (run.id, run.name, run.tags)))
        what = f"epoch {run.epoch:,}: {run.settings}"
        yield Find(printable(f"run: {called}"), printable(what), partial(main.open_run, run.id))


def _sweeps(main: PanesScreen) -> Iterator[Find]:
    from gdtui.runs.names import newest_sweeps

    for sweep in newest_sweeps(RUNS):
        called = " ".join(filter(None, (sweep.id, sweep.name)))
        yield Find(printable(f"sweep: {called}"), f"{sweep.total:,} runs", partial(main.open_run, sweep.id))


def _themes(main: PanesScreen) -> Iterator[Find]:
    for name in main.app.available_themes:
        yield Find(f"theme: {name}", KINDS["theme"], partial(main.run_action, f"app.wear('{name}')"))


def _topics(main: PanesScreen) -> Iterator[Find]:
    from gdtui.topics.topic import NAMES, topic_named

    for name in NAMES:
        yield Find(f"help: {name}", topic_named(name).title, partial(main.explain, name))
