"""A run that remembers all that it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Told:
    """In a recorder's place."""

    logs: list[dict[str, Any]] = field(default_factory=list)
    moments: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    is_closed: bool = False

    def log(self, **values: Any) -> None:
        self.logs.append(values)

    def samples(self, ids: Any, losses: Any, **numbers: Any) -> None:
        self.moments.append({"ids": ids, "losses": losses, **numbers})

    def text(self, line: str) -> None:
        self.lines.append(line)

    def close(self) -> None:
        self.is_closed = True

    @property
    def steps(self) -> list[int]:
        return [moment["step"] for moment in self.moments]
