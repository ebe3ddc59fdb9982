"""Controls: the experiment's settings as fields, checked as one types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Input, Label, Select, Static

from gdtui.dashboard.figures import shortened
from gdtui.dashboard.messages import SettingEdited
from gdtui.experiment import ORDERS, SETTINGS, Experiment, InputError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gdtui.hyperparameters import Hyperparameter
    from gdtui.problems.problem import Problem

LABELS = {
    "problem": "Problem",
    "data": "Data",
    "features": "Features",
    "target": "Target",
    "standardize": "Standardize",
    "optimizer": "Method",
    "lr": "lr",
    "schedule": "Schedule",
    "batch_size": "Batch size",
    "order": "Order",
    "epochs": "Epochs",
    "init": "Start",
    "seed": "Seed",
}
"""The fields that every experiment has, in their order."""


@cache
def choices() -> dict[str, tuple[Any, ...]]:
    """The settings with a fixed set of values; the others are typed."""
    from gdtui.descent.optimizers import RULES
    from gdtui.descent.schedules import SCHEDULES
    from gdtui.problems.catalog import FAMILIES
    from gdtui.problems.loading import SOURCES

    return {
        "problem": tuple(FAMILIES),
        "data": tuple(SOURCES),
        "standardize": (False, True),
        "optimizer": tuple(RULES),
        "schedule": tuple(SCHEDULES),
        "order": ORDERS,
    }


PLACEHOLDERS = {"features": "all", "target": "last", "init": "1"}
"""What an empty field stands for."""

FIRST_OF_GROUP = ("optimizer", "epochs")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a field is for: a setting, or a hyperparameter of the problem or the method.

    Attributes:
        name: the setting's or hyperparameter's.
        label: what stands before the field.
        read: what a person typed -> value; raises InputError.
        choices: the values to choose from; empty where one types.
        default: a hyperparameter's value where it is not set.
        is_hyperparameter: it is one.
    """

    name: str
    label: str
    read: Callable[[str], Any]
    choices: tuple[Any, ...] = ()
    default: Any = None
    is_hyperparameter: bool = False

    @property
    def id(self) -> str:
        """The field's id on the screen; a hyperparameter may have a setting's or a pane's name."""
        return f"h-{self.name}" if self.is_hyperparameter else self.name

    def value(self, experiment: Experiment) -> Any:
        """Its value in an experiment."""
        value = experiment.value(self.name) if not self.is_hyperparameter else dict(experiment.set).get(self.name)
        return self.default if value is None else value


def _setting_entry(name: str, label: str) -> Entry:
    def read(text: str) -> Any:
        value = SETTINGS[name].parse(text)
        SETTINGS[name].check(value)
        return value

    return Entry(name, label, read, choices().get(name, ()))


def _hyperparameter_entry(one: Hyperparameter) -> Entry:
    return Entry(one.name, shortened(one.name, 12), one.parse, one.choices, one.default, is_hyperparameter=True)


class Choice(Select[Any], inherit_bindings=False):
    """A select that opens on Enter only, so that space and the arrows keep their meaning in the lab."""

    BINDINGS: ClassVar = [Binding("enter", "show_overlay", "Choose", show=False)]


class Field(Input):
    """An input of printable text; whatever is pasted, or comes from the command line, a terminal obeys none of it."""

    def validate_value(self, value: str) -> str:
        """Write control characters as escapes."""
        return printable(value)

    def render_line(self, y: int) -> Strip:
        """The text; with an … where some of it has no room, unless one types: then it can be scrolled."""
        strip, width = super().render_line(y), self.size.width
        if self.has_focus or cell_len(self.value) <= width:
            return strip
        return Strip.join([strip.crop(0, width - 1), Strip([Segment("…", self.rich_style)], 1)])


class Controls(VerticalScroll, can_focus=False):
    """The experiment: choose and type; Enter or leaving a field applies it, Escape gives it up."""

    DEFAULT_CSS = """
    Controls {
        scrollbar-size-vertical: 1;
        & Horizontal { height: 1; }
        & Horizontal.-group { margin-top: 1; }
        & Label { width: 13; color: $text-muted; }
        & Input { width: 1fr; padding: 0; background: transparent; }
        & Input:focus { background: $primary 25%; }
        & Input.-wrong { color: $text-error; }
        & Select { width: 1fr; }
        & Select > SelectCurrent { background: transparent; padding: 0; }
        & Select:focus > SelectCurrent { background: $primary 25%; border: none; }
        & Select > SelectOverlay { border: round $primary; background: $background; }
        & .error { color: $text-error; height: auto; }
    }
    """

    BINDINGS: ClassVar = [
        Binding("up", "app.focus_previous", "Field above", show=False),
        Binding("down", "app.focus_next", "Field below", show=False),
    ]

    def __init__(
        self, experiment: Experiment, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._experiment = experiment
        self._entries: dict[str, Entry] = {}
        self._brought: dict[str, list[Any]] = {}  # a file of one's own stays among the choices

    async def mount_fields(self) -> None:
        """A line a setting. They are many widgets, and the first frame need not wait for them."""
        entries = [_setting_entry(name, label) for name, label in LABELS.items()]
        self._entries = {entry.id: entry for entry in entries}
        await self.mount_all(self._row(entry, is_first=entry.name in FIRST_OF_GROUP) for entry in entries)

    async def mount_hyperparameters(self, hyperparameters: Sequence[Hyperparameter]) -> None:
        """A line for each hyperparameter of the problem and the method, in place of those of before."""
        entries = [_hyperparameter_entry(one) for one in hyperparameters]
        if entries == [entry for entry in self._entries.values() if entry.is_hyperparameter]:
            return
        # An entry is there only while its field is.
        self._entries = {id_: entry for id_, entry in self._entries.items() if not entry.is_hyperparameter}
        await self.query(".-hyperparameter").remove()
        await self.mount_all(self._row(entry, is_first=k == 0) for k, entry in enumerate(entries))
        self._entries |= {entry.id: entry for entry in entries}

    def _row(self, entry: Entry, is_first: bool) -> Horizontal:
        value = entry.value(self._experiment)
        field: Choice | Field
        if entry.choices:
            options = self._options(entry)
            field = Choice(options, value=value, allow_blank=False, compact=True, id=entry.id)
        else:
            field = Field(
                _text(entry.name, value), placeholder=PLACEHOLDERS.get(entry.name, ""), compact=True, id=entry.id
            )
        classes = ("-group " if is_first else "") + ("-hyperparameter" if entry.is_hyperparameter else "")
        return Horizontal(Label(entry.label, markup=False), field, classes=classes)

    def _options(self, entry: Entry) -> list[tuple[Content | str, Any]]:
        value, brought = entry.value(self._experiment), self._brought.setdefault(entry.id, [])
        if value not in (*entry.choices, *brought):
            brought.append(value)
        values = [*entry.choices, *brought]
        labels = [shortened(_choice(value), 11) for value in values]
        # A name with brackets is no markup; a plain one stays text, which one can find by its first letters.
        return [(Content(label) if "[" in label else label, value) for label, value in zip(labels, values, strict=True)]

    # --- what a person does --------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _check(self, event: Input.Changed) -> None:
        event.stop()
        self._parse(event.input)

    @on(Input.Submitted)
    @on(Input.Blurred)
    def _apply(self, event: Input.Submitted | Input.Blurred) -> None:
        event.stop()
        entry = self._entries.get(event.input.id or "")
        if entry is None:
            return  # its hyperparameter has just gone
        in_force = entry.value(self._experiment)
        value = self._parse(event.input)
        if value not in (None, in_force) and event.input.value != _text(entry.name, in_force):
            self.post_message(SettingEdited(entry.name, value))

    @on(Select.Changed)
    def _choose(self, event: Select.Changed) -> None:
        event.stop()
        entry = self._entries.get(event.select.id or "")
        if entry is None:
            return
        self.show_error(entry.name, "")
        if event.value != entry.value(self._experiment):
            self.post_message(SettingEdited(entry.name, event.value))

    def give_up(self, field: Input) -> None:
        """Put a field back to the value that is in force."""
        entry = self._entries[field.id or ""]
        field.value = _text(entry.name, entry.value(self._experiment))

    def _parse(self, field: Input) -> Any:
        """The field's value, or None where it is wrong, with the error beneath it."""
        entry = self._entries.get(field.id or "")
        if entry is None:
            return None
        try:
            value = entry.read(field.value.strip())
        except InputError as error:
            self.show_error(entry.name, str(error))
            return None
        self.show_error(entry.name, "")
        return value

    # --- what the lab says ---------------------------------------------------------------------------------------

    def show(self, experiment: Experiment) -> None:
        """Show the settings that are in force; what somebody is typing is left alone."""
        before, self._experiment = self._experiment, experiment
        with self.prevent(Input.Changed, Select.Changed):
            for entry in self._entries.values():
                value, old = entry.value(experiment), entry.value(before)
                if value == old:
                    continue
                field = self.query_one(f"#{entry.id}")
                if isinstance(field, Choice):
                    field.set_options(self._options(entry))
                    field.value = value
                elif isinstance(field, Input):
                    is_untouched = field.value == _text(entry.name, old)
                    if is_untouched or not field.has_focus:
                        field.value = _text(entry.name, value)
                self.show_error(entry.name, "")

    def show_problem(self, problem: Problem) -> None:
        """Show in the fields that are empty what they stand for."""
        start = "1" if problem.default_start is None else ", ".join(f"{v:.4g}" for v in problem.default_start[:8])
        texts = {"features": ", ".join(problem.dataset.features), "target": problem.dataset.target, "init": start}
        for name, text in texts.items():
            self.query_one(f"#{name}", Input).placeholder = shortened(printable(text), 13)

    def show_error(self, name: str, message: str) -> None:
        """Say what is wrong beneath a setting's or hyperparameter's field; an empty message takes it away."""
        id_ = name if name in self._entries else f"h-{name}"
        if id_ not in self._entries:
            id_ = "data"
        field = self.query_one(f"#{id_}")
        field.set_class(bool(message), "-wrong")
        lines = self.query(f"#{id_}-error").results(Static)
        line = next(lines, None)
        if line is None and message:
            kind = " -hyperparameter" if self._entries[id_].is_hyperparameter else ""
            line = Static(id=f"{id_}-error", classes="error" + kind, markup=False)
            row = field.parent
            self.mount(line, after=row if isinstance(row, Horizontal) else None)
        if line is not None:
            line.update(printable(f"✗ {message}") if message else "")
            line.display = bool(message)


def _text(setting: str, value: Any) -> str:
    """A value as one types it."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple):
        items = (_quoted(item) if isinstance(item, str) else SETTINGS[setting].write((item,)) for item in value)
        return printable(",".join(items))
    return printable(str(value))


def _quoted(name: str) -> str:
    """A column's name as one types it among others: in quotes where it could be read otherwise."""
    is_plain = name == name.strip() and not set(name) & set(',"\r\n')
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def _choice(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value).rsplit("/", 1)[-1])
