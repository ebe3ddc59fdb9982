"""Controls: the experiment's settings as fields, checked as one types."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Label, Select, Static

from gdtui.dashboard.figures import printable, shortened
from gdtui.dashboard.messages import SettingEdited
from gdtui.descent.optimizers import OPTIMIZERS
from gdtui.experiment import ORDERS, SETTINGS, Experiment, InputError
from gdtui.problems.datasets import DATASETS
from gdtui.problems.models import MODELS

LABELS = {
    "problem": "Problem",
    "data": "Data",
    "features": "Features",
    "target": "Target",
    "standardize": "Standardize",
    "optimizer": "Method",
    "lr": "lr",
    "batch_size": "Batch size",
    "order": "Order",
    "epochs": "Epochs",
    "init": "Start",
    "seed": "Seed",
}
"""The fields, in their order."""

CHOICES: dict[str, tuple[Any, ...]] = {
    "problem": tuple(MODELS),
    "data": tuple(DATASETS),
    "standardize": (False, True),
    "optimizer": tuple(OPTIMIZERS),
    "order": ORDERS,
}
"""The settings with a fixed set of values; the others are typed."""

PLACEHOLDERS = {"features": "all", "target": "last", "init": "1"}
"""What an empty field stands for."""

FIRST_OF_GROUP = ("optimizer", "epochs")


class Choice(Select[Any], inherit_bindings=False):
    """A select that opens on Enter only, so that space and the arrows keep their meaning in the lab."""

    BINDINGS: ClassVar = [Binding("enter", "show_overlay", "Choose", show=False)]


class Field(Input):
    """An input of printable text; whatever is pasted, or comes from the command line, a terminal obeys none of it."""

    def validate_value(self, value: str) -> str:
        """Write control characters as escapes."""
        return printable(value)


class Controls(VerticalScroll, can_focus=False):
    """The experiment: choose and type; Enter or leaving a field applies it, Escape gives it up."""

    DEFAULT_CSS = """
    Controls {
        scrollbar-size-vertical: 1;
        & Horizontal { height: 1; }
        & Horizontal.-group { margin-top: 1; }
        & Label { width: 12; color: $text-muted; }
        & Input { width: 1fr; padding: 0; background: transparent; }
        & Input:focus { background: $surface; }
        & Input.-wrong { color: $text-error; }
        & Select { width: 1fr; }
        & Select > SelectCurrent { background: transparent; padding: 0; }
        & Select:focus > SelectCurrent { background: $surface; border: none; }
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

    async def mount_fields(self) -> None:
        """A line a setting. They are many widgets, and the first frame need not wait for them."""
        await self.mount_all(
            Horizontal(Label(label), self._field(setting), classes="-group" if setting in FIRST_OF_GROUP else None)
            for setting, label in LABELS.items()
        )

    def _field(self, setting: str) -> Choice | Field:
        value = getattr(self._experiment, setting)
        if setting in CHOICES:
            return Choice(self._options(setting), value=value, allow_blank=False, compact=True, id=setting)
        return Field(_text(setting, value), placeholder=PLACEHOLDERS.get(setting, ""), compact=True, id=setting)

    def _options(self, setting: str) -> list[tuple[Content | str, Any]]:
        value = getattr(self._experiment, setting)
        values = [*CHOICES[setting], *([] if value in CHOICES[setting] else [value])]
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
        setting = event.input.id or ""
        in_force = getattr(self._experiment, setting)
        value = self._parse(event.input)
        if value not in (None, in_force) and event.input.value != _text(setting, in_force):
            self.post_message(SettingEdited(setting, value))

    @on(Select.Changed)
    def _choose(self, event: Select.Changed) -> None:
        event.stop()
        setting = event.select.id or ""
        self.show_error(setting, "")
        if event.value != getattr(self._experiment, setting):
            self.post_message(SettingEdited(setting, event.value))

    def give_up(self, field: Input) -> None:
        """Put a field back to the value that is in force."""
        field.value = _text(field.id or "", getattr(self._experiment, field.id or ""))

    def _parse(self, field: Input) -> Any:
        """The field's value, or None where it is wrong, with the error beneath it."""
        setting = field.id or ""
        try:
            value = SETTINGS[setting].parse(field.value.strip())
            SETTINGS[setting].check(value)
        except InputError as error:
            self.show_error(setting, str(error))
            return None
        self.show_error(setting, "")
        return value

    # --- what the lab says ---------------------------------------------------------------------------------------

    def show(self, experiment: Experiment) -> None:
        """Show the settings that are in force; what somebody is typing is left alone."""
        before, self._experiment = self._experiment, experiment
        with self.prevent(Input.Changed, Select.Changed):
            for setting in LABELS:
                value = getattr(experiment, setting)
                if value == getattr(before, setting):
                    continue
                field = self.query_one(f"#{setting}")
                if isinstance(field, Choice):
                    field.set_options(self._options(setting))
                    field.value = value
                elif isinstance(field, Input):
                    is_untouched = field.value == _text(setting, getattr(before, setting))
                    if is_untouched or not field.has_focus:
                        field.value = _text(setting, value)
                self.show_error(setting, "")

    def show_error(self, setting: str, message: str) -> None:
        """Say what is wrong beneath a field; an empty message takes it away."""
        if setting not in LABELS:
            setting = "data"
        field = self.query_one(f"#{setting}")
        field.set_class(bool(message), "-wrong")
        lines = self.query(f"#{setting}-error").results(Static)
        line = next(lines, None)
        if line is None and message:
            line = Static(id=f"{setting}-error", classes="error", markup=False)
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
