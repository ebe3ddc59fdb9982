"""Export: a line at the bottom that asks what to write, and where; then it is written."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from gdtui.dashboard.picture import chart_svg, loss_svg, title
from gdtui.dashboard.screens.asking import AskingScreen
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.chart import Chart
from gdtui.dashboard.widgets.controls import Field
from gdtui.dashboard.widgets.log import Log
from gdtui.experiment import InputError, printable, shown
from gdtui.runs.atomic import FileThereError, destination
from gdtui.runs.export import FORMATS, Written, check, export

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from gdtui.dashboard.screens.panes import PanesScreen
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment

LONGEST = 60
"""Characters of a name that is made up, at most; a file system takes 255 bytes."""

LONG_S = 0.2
"""A file that takes longer is said to be on its way."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person wants written.

    Attributes:
        what: one of `WHAT`.
        file: where.
        replace: also where a file is there already.
    """

    what: str
    file: str
    replace: bool


@dataclass(frozen=True, slots=True)
class Source:
    """What can be written of the moment that a main screen shows.

    Attributes:
        words: what names of files are made of.
        title: stands above pictures.
        write: what, file, whether it may be replaced, and a picture's SVG -> what was written.
        chart: draws the chart where it is not on the screen.
        contents: what there is to write, of `WHAT`, and what each is.
        charted: what the chart shows; empty where its border says so.
    """

    words: tuple[str, ...]
    title: str
    write: Callable[[str, str, bool, Callable[[], str]], Written]
    chart: Callable[[], str]
    contents: Mapping[str, str]
    charted: str = ""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Source:
        """A descent's."""
        return cls(
            words=words_of(snapshot.experiment),
            title=title(snapshot),
            write=partial(export, snapshot),
            chart=partial(loss_svg, snapshot),
            contents=CONTENTS,
            charted="loss",
        )


class ExportScreen(AskingScreen["Request | None"]):
    """One line over the lab: Tab chooses what, the file's suffix says how, Enter writes, Escape leaves.

    It only asks; who opened it gets the request, or None.
    """

    DEFAULT_CSS = """
    ExportScreen {
        & Horizontal { height: 1; }
        & #what { width: auto; color: $primary; text-style: bold; padding-right: 1; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Leave", show=False),
        Binding("tab,down", "choose(1)", "What", show=False),
        Binding("shift+tab,up", "choose(-1)", "What", show=False),
    ]

    AUTO_FOCUS = ""

    def __init__(self, words: Sequence[str], contents: Mapping[str, str]) -> None:
        """A prompt that makes up names of files from these words, and says what each thing to write is."""
        super().__init__()
        self._words, self._contents = words, contents
        self._what = next(iter(contents))
        self._asked_for = ""  # the file that is there already, and that Enter replaces the next time

    def compose(self) -> ComposeResult:
        """What and where, and beneath, what is wrong with it."""
        with Vertical() as box:
            box.border_title = "Write"
            box.border_subtitle = "tab what · enter write · esc leave"
            with Horizontal():
                yield Label(self._what, id="what")
                yield Field(file_name(self._words, self._what), compact=True, select_on_focus=False)
            yield Static(markup=False, id="told")

    def on_mount(self) -> None:
        """The keys that follow are for the field."""
        field = self.query_one(Field)
        self.set_focus(field)
        field.action_select_all()  # what is typed takes its place
        self._judge(field.value)

    def action_choose(self, step: int) -> None:
        """The next thing to write; a name that was not typed changes with it, of one that was, only the suffix."""
        field, before = self.query_one(Field), self._what
        is_typed = field.value != file_name(self._words, before)
        what = list(self._contents)
        self._what = what[(what.index(before) + step) % len(what)]
        self.query_one("#what", Label).update(self._what)
        if not is_typed:
            field.value = file_name(self._words, self._what)
        elif (suffix := Path(field.value).suffix).lower() not in FORMATS[self._what]:
            field.value = field.value.removesuffix(suffix) + FORMATS[self._what][0]
        if is_typed:
            field.cursor_position = len(field.value.removesuffix(Path(field.value).suffix))
        else:
            field.action_select_all()
        self._judge(field.value)

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        self._judge(event.value)

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        file = self._judge(event.value)  # more may have been typed behind it
        if file is None:
            return
        replace = file == self._asked_for
        try:
            destination(file, replace)
        except FileThereError:
            self._asked_for = file
            self.say(f"{shown(file)} is there already: enter again replaces it", "asks")
        except InputError as error:
            self.say(f"✗ {error}", "wrong")
        else:
            self.dismiss(Request(self._what, file, replace))

    def _judge(self, typed: str) -> str | None:
        """Say what is wrong with what is typed; returns the file where nothing is."""
        file = os.path.expanduser(typed)  # noqa: PTH111 (there is no shell to do it; a Path would tidy up the rest)
        if file != self._asked_for:
            self._asked_for = ""
        try:
            check(self._what, file)
            destination(file, replace=True)
        except InputError as error:
            self.say(f"✗ {error}", "wrong")
            return None
        if not self._asked_for:
            self.say(self._contents[self._what])
        return file


CONTENTS = {
    "history": "loss and instruments, an epoch a row · .csv .parquet .json",
    "samples": "this epoch's per-sample gradients, as applied · .csv .parquet .json",
    "experiment": "what gdtui run --experiment takes · .txt, with its changes .json",
    "chart": "the loss as it is shown · .svg",
    "lab": "the whole screen · .svg",
}
"""What each of `WHAT` is, of a descent."""

OF_TRAININGS = CONTENTS | {
    "history": "every value, a step a row · .csv .parquet .json",
    "samples": "the newest probe, a sample a row · .csv .parquet .json",
    "experiment": "what the training was begun with, its config · .txt .json",
    "chart": "the value that is charted, as it is shown · .svg",
}
"""The same of another program's training."""


OF_SWEEPS = {
    "history": "every run, its settings, state and loss · .csv .parquet .json",
    "lab": "the whole screen · .svg",
    "experiment": "what is swept · .json",
}
"""The same of a sweep."""


def words_of(experiment: Experiment) -> tuple[str, ...]:
    """What tells an experiment's files from others."""
    return Path(experiment.problem).name, Path(experiment.data).stem, experiment.optimizer


def file_name(words: Sequence[str], what: str) -> str:
    """A name for what is written, such as `linear-tutorial-sgd.csv`, that needs no quotes in a shell."""
    plain = [re.sub(r"[^\w.]+", "-", word).strip("-.") for word in (*words, *([what] * (what != "history")))]
    name = "-".join(filter(None, plain))[-LONGEST:].strip("-.")
    return f"{name or what}{FORMATS[what][0]}"


async def ask(main: PanesScreen) -> None:
    """Ask what to write and where, then write it of the moment that is the newest by then."""

    def answered(request: Request | None) -> None:
        newest = main.source()
        if request is not None and newest is not None:
            write(main, newest, request)

    source = main.source()
    if source is None:
        main.query_one(Log).say("there is nothing to write yet", "note")
    else:
        await main.app.push_screen(ExportScreen(source.words, source.contents), answered)


def write(main: PanesScreen, source: Source, request: Request) -> None:
    """Write what was asked for of a moment, off the event loop, and have the log say so, or why not.

    The app may end meanwhile: what was begun is written all the same.
    """
    log = main.query_one(Log)
    picture = _picture(main, source, request.what)  # of what is shown now
    job = partial(source.write, request.what, request.file, request.replace, lambda: picture)
    writing = in_thread(job, must_finish=True)

    def say(text: str, kind: str) -> None:
        log.say(text, kind)
        if not log.region.area or main.is_moving:  # nobody would read it there
            main.notify(printable(text), severity="error" if kind == "bad" else "information", markup=False)

    async def tell() -> None:
        await asyncio.wait({writing}, timeout=LONG_S)
        if not writing.done():
            log.say(f"writing {request.what} to {shown(request.file)} …", "note")
        with main.unless_leaving():
            try:
                say(str(await writing), "event")
            except FileThereError:
                say(f"{shown(request.file)} is there already: it was not replaced", "bad")
            except InputError as error:
                say(str(error), "bad")

    main.run_worker(tell(), group="export")


def _picture(main: PanesScreen, source: Source, what: str) -> str:
    """What is shown, as SVG; nothing for what is no picture."""
    if what == "lab":
        return main.app.export_screenshot(title=source.title)
    if what != "chart":
        return ""
    chart = main.query_one("#loss", Chart)
    if chart.plot is None or not chart.display:
        return source.chart()
    caption = Content.from_markup(str(chart.border_subtitle)).plain
    return chart_svg(chart.plot, source.title, f"{source.charted} · {caption}" if source.charted else caption)
