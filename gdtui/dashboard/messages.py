"""Messages: what a widget tells the lab."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class SettingEdited(Message):
    """A person gave a setting another value.

    Attributes:
        setting: its name.
        value: the new value, of the setting's type.
    """

    setting: str
    value: object
