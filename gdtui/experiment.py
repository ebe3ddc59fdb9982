"""Experiment: the full description of one run, as a frozen value; to and from one line of text."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BatchSize = int | Literal["full"]
Value = int | float | str
"""What a hyperparameter's value can be."""

ORDERS = ("sequential", "shuffle", "replacement")
MAX_NUMBER = 1e300
"""Hyperparameters stay within this, so that arithmetic on them is finite."""

MAX_COUNT = 10**15
"""Epochs, batch sizes and seeds stay below this, so that every count is exact in float64 and int64."""


class InputError(ValueError):
    """Something a person gave that gdtui cannot use; the message says what, and what would be right.

    Attributes:
        setting: the name of the setting that is wrong, as on the command line, without dashes.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that fixes a run, with the tutorial's defaults: same experiment and events, same bits.

    Values are checked when the experiment is made; whether a problem or a file exists is found out when it is loaded.

    Raises:
        InputError: if a value is of the wrong type or out of its range.
    """

    problem: str = "linear"
    data: str = "tutorial"
    features: tuple[str, ...] = ()
    target: str = ""
    standardize: bool = False
    drop_missing: bool = False
    optimizer: str = "sgd"
    lr: float = 0.01
    schedule: str = "constant"
    batch_size: BatchSize = 1
    order: str = "sequential"
    epochs: int = 100
    seed: int = 0
    init: tuple[float, ...] = ()
    set: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "lr", _as_float(self.lr))
        if isinstance(self.init, tuple):
            object.__setattr__(self, "init", tuple(map(_as_float, self.init)))
        for setting in SETTINGS.values():
            setting.check(getattr(self, setting.name))
        object.__setattr__(self, "set", tuple(sorted(dict(self.set).items())))

    def replace(self, **changes: Any) -> Experiment:
        """The same experiment with other values for the named settings; a hyperparameter that is None is taken out."""
        values = dict(self.set) | {name: changes.pop(name) for name in list(changes) if name not in SETTINGS}
        if "set" not in changes:
            changes["set"] = tuple((name, value) for name, value in values.items() if value is not None)
        return dataclasses.replace(self, **changes)

    def value(self, name: str) -> Any:
        """A setting's value, or that of a hyperparameter; None for one that is not set."""
        return getattr(self, name) if name in SETTINGS else dict(self.set).get(name)

    def to_line(self) -> str:
        """One line of text that `from_line` reads back to an equal experiment."""
        words = []
        for setting in SETTINGS.values():
            value = getattr(self, setting.name)
            if value or not isinstance(value, str | tuple | bool):
                words.append(f"{setting.option}={setting.write(value)}")
        return " ".join(words)

    @classmethod
    def from_line(cls, line: str) -> Experiment:
        """Read what `to_line` wrote; settings that are not named have their defaults.

        Raises:
            InputError: if the line does not parse or a value is wrong.
        """
        values: dict[str, Any] = {}
        for option, text in _words(line):
            setting = setting_named(option)
            if setting.name in values:
                raise InputError(option, f"{option} is given twice in the experiment")
            values[setting.name] = setting.read(text)
        return cls(**values)

    @classmethod
    def from_options(cls, options: Mapping[str, str | bool], base: Experiment | None = None) -> Experiment:
        """An experiment from texts by setting name, on top of `base` (the defaults where none is given).

        Raises:
            InputError: if a value is wrong.
        """
        values = {setting_named(name).name: setting_named(name).parse(text) for name, text in options.items()}
        return (base or cls()).replace(**values)

    def as_dict(self) -> dict[str, Any]:
        """Its settings by command-line name, as plain values for JSON."""
        values = {s.option: getattr(self, s.name) for s in SETTINGS.values()}
        values = {option: list(v) if isinstance(v, tuple) else v for option, v in values.items()}
        return values | {"set": dict(self.set)}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an experiment: its name, how its text is read, and which values are right.

    Attributes:
        name: the field of `Experiment`.
        parse: what a person typed -> value; raises InputError.
        check: raises InputError if a value is not right.
        changes_run: it can change in mid-run, as an event; any other change makes a new run.
    """

    name: str
    parse: Callable[[str | bool], Any]
    check: Callable[[Any], None]
    changes_run: bool = False

    @property
    def option(self) -> str:
        """Its name on the command line, without the dashes."""
        return self.name.replace("_", "-")

    def write(self, value: Any) -> str:
        """A value as text without blanks or line ends."""
        items = value if isinstance(value, tuple) else (value,)
        return ",".join(_quote(f"{item[0]}:{item[1]}" if isinstance(item, tuple) else item) for item in items)

    def read(self, text: str) -> Any:
        """A value from the text of `write`."""
        try:
            items = [json.loads(item) if item[0] == '"' else item for item in _ITEM.findall(text)]
        except json.JSONDecodeError:
            message = f"{_label(self.name)} is not quoted as in JSON: {shown(text)}"
            raise InputError(self.name, message) from None
        if self.name == "features":
            return tuple(items)
        return self.parse(",".join(items))


def setting_named(name: str) -> Setting:
    """The setting of that name, as a field or as an option.

    Raises:
        InputError: if there is none; it names the nearest.
    """
    setting = SETTINGS.get(name.replace("-", "_"))
    if setting is None:
        raise InputError(name, unknown("setting", name, [s.option for s in SETTINGS.values()]))
    return setting


def unknown(what: str, name: str, known: list[str] | tuple[str, ...]) -> str:
    """The message for a name that is not known, with the nearest one that is."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    some = [shown(one, 30)[1:-1] for one in near or known[:8]]
    more = ", …" if len(known) > 8 else ""
    hint = f"did you mean {some[0]}?" if near else f"there is {', '.join(some)}{more}"
    return f"unknown {what} {shown(name)} ({hint})"


def shown(value: object, width: int = 60) -> str:
    """A value in a message: on one line, without control characters, its middle left out where it is long."""
    text = repr(value)
    half = width // 2
    return text if len(text) <= width else f"{text[:half]}…{text[1 - half :]}"


def printable(text: str) -> str:
    """A text with what a terminal cannot show, or would obey, written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


# --- text to values --------------------------------------------------------------------------------------------------

_BARE = re.compile(r"[\w.+/~:@%-]+", re.ASCII)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ITEM = re.compile(rf"{_QUOTED}|{_BARE.pattern}")
_WORD = re.compile(rf"\s*([a-zA-Z_-]+)=((?:{_QUOTED}|{_BARE.pattern})(?:,(?:{_QUOTED}|{_BARE.pattern}))*)(?=\s|$)")


def _quote(value: object) -> str:
    # float's own repr: numpy's floats have another.
    text = float.__repr__(value) if isinstance(value, float) else str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text)


def _words(line: str) -> list[tuple[str, str]]:
    words, at = [], 0
    line = line.strip()
    while at < len(line):
        match = _WORD.match(line, at)
        if match is None:
            rest = shown(line[at:].strip())
            raise InputError("experiment", f"an experiment is name=value words, got {rest}")
        words.append((match[1], match[2]))
        at = match.end()
    return words


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        comma = re.fullmatch(r"\s*([+-]?\d*),(\d+)\s*", text)
        hint = f" (did you mean {comma[1] or '0'}.{comma[2]}?)" if comma else ""
        raise InputError(name, f"{_label(name)} must be a number, got {text!r}{hint}") from None


def _label(name: str) -> str:
    return {"lr": "learning rate", "init": "start", "epochs": "number of epochs"}.get(name, name.replace("_", " "))


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        value = _number(name, text)
        if not value.is_integer():
            raise InputError(name, f"{_label(name)} must be a whole number, got {text!r}") from None
        return int(value)


def _parse_batch_size(text: str | bool) -> BatchSize:
    word = str(text).strip().lower()
    if word == "full":
        return "full"
    try:
        return _whole("batch_size", word)
    except InputError:
        raise InputError("batch_size", f"batch size must be full or a whole number, got {text!r}") from None


def _parse_floats(text: str | bool) -> tuple[float, ...]:
    items = str(text).split(",")
    return tuple(_number("init", item) for item in items) if str(text).strip() else ()


def _parse_set(text: str | bool) -> tuple[tuple[str, Value], ...]:
    pairs = []
    for item in filter(None, str(text).split(",")):
        name, equals, value = item.strip().replace(":", "=", 1).partition("=")
        if not (name and equals and value):
            raise InputError("set", f"a hyperparameter is NAME=VALUE, got {shown(item)}")
        pairs.append((name, _value(value)))
    return tuple(pairs)


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _parse_names(text: str | bool) -> tuple[str, ...]:
    import csv

    try:
        rows = list(csv.reader([str(text)], skipinitialspace=True))
    except csv.Error:
        raise InputError("features", f"features must be column names, A,B,..., got {shown(text)}") from None
    return tuple(rows[0]) if rows else ()


def _parse_flag(name: str) -> Callable[[str | bool], bool]:
    def parse(text: str | bool) -> bool:
        word = str(text).strip().lower()
        if word not in ("true", "false", "yes", "no", "on", "off", ""):
            raise InputError(name, f"{_label(name)} must be on or off, got {shown(text)}")
        return word in ("true", "yes", "on")

    return parse


# --- which values are right ------------------------------------------------------------------------------------------


def _is_text(value: Any) -> bool:
    # A file's name may hold low surrogates, for bytes that are not UTF-8; JSON would join high ones to them.
    return isinstance(value, str) and not re.search("[\ud800-\udbff]", value)


def _check_text(name: str, required: bool = False) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not _is_text(value) or (required and not value):
            raise InputError(name, f"{_label(name)} must be a name, got {value!r}")

    return check


def _check_names(value: Any) -> None:
    if not isinstance(value, tuple) or not all(v and _is_text(v) for v in value):
        raise InputError("features", f"features must be column names, A,B,..., got {value!r}")
    if len(set(value)) < len(value):
        raise InputError("features", f"features must differ from each other, got {shown(value)}")


def _check_flag(name: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not isinstance(value, bool):
            raise InputError(name, f"{_label(name)} must be on or off, got {value!r}")

    return check


def _as_float(value: Any) -> Any:
    """A whole number as a float, so that `Experiment(lr=1)` is what it looks like; anything else as it is."""
    return float(value) if type(value) is int and abs(value) <= MAX_COUNT else value


def _check_lr(value: Any) -> None:
    if not isinstance(value, float) or not (math.isfinite(value) and value > 0):
        raise InputError("lr", f"learning rate must be a positive number, got {value}")


def _check_batch_size(value: Any) -> None:
    if value != "full" and not (type(value) is int and 1 <= value <= MAX_COUNT):
        raise InputError("batch_size", f"batch size must be full or a whole number from 1, got {value!r}")


def _check_order(value: Any) -> None:
    if value not in ORDERS:
        raise InputError("order", unknown("order", str(value), ORDERS))


def _check_count(name: str, least: int) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if type(value) is not int or not least <= value <= MAX_COUNT:
            raise InputError(name, f"{_label(name)} must be a whole number from {least}, got {value!r}")

    return check


def _check_init(value: Any) -> None:
    if not isinstance(value, tuple) or not all(isinstance(v, float) and math.isfinite(v) for v in value):
        raise InputError("init", f"start must be finite numbers, A,B,..., got {value!r}")


def _check_set(pairs: Any) -> None:
    is_right = isinstance(pairs, tuple) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs)
    if not is_right or not all(re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) for name, _ in pairs):
        raise InputError("set", f"hyperparameters are NAME=VALUE, got {shown(pairs)}")
    for name, value in pairs:
        is_word = isinstance(value, str) and re.fullmatch(r"[a-z][a-z-]*", value) and value not in ("inf", "nan")
        is_number = type(value) in (int, float) and math.isfinite(value) and abs(value) <= MAX_NUMBER
        if not (is_word or is_number):
            raise InputError(name, f"{name} must be a finite number or a word, got {shown(value)}")


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("problem", str, _check_text("problem", required=True)),
        Setting("data", str, _check_text("data", required=True)),
        Setting("features", _parse_names, _check_names),
        Setting("target", str, _check_text("target")),
        Setting("standardize", _parse_flag("standardize"), _check_flag("standardize")),
        Setting("drop_missing", _parse_flag("drop_missing"), _check_flag("drop_missing")),
        Setting("optimizer", str, _check_text("optimizer", required=True)),
        Setting("lr", lambda text: _number("lr", str(text)), _check_lr, changes_run=True),
        Setting("schedule", str, _check_text("schedule", required=True), changes_run=True),
        Setting("batch_size", _parse_batch_size, _check_batch_size, changes_run=True),
        Setting("order", str, _check_order, changes_run=True),
        Setting("epochs", lambda text: _whole("epochs", str(text)), _check_count("epochs", 1), changes_run=True),
        Setting("seed", lambda text: _whole("seed", str(text)), _check_count("seed", 0)),
        Setting("init", _parse_floats, _check_init),
        Setting("set", _parse_set, _check_set),
    )
}
"""Every setting by its field's name, in the order in which people think of them."""
