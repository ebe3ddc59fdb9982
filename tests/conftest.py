"""What holds for all tests."""

from __future__ import annotations

import gc
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# On matrices as small as those of the tests, more threads only wait for each other, at full speed.
for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# The first example of a test may import much, and a busy machine is no failure.
settings.register_profile("gdtui", deadline=None)
settings.load_profile("gdtui")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test keeps its runs in a folder of its own, and so do the commands that it starts."""
    home = tmp_path / "home"
    monkeypatch.setenv("GDTUI_HOME", str(home))
    return home


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    status: int
    out: str
    err: str

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The JSON lines that were written, all or those of one type; no NaN and no Infinity, which are not JSON."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        records = [json.loads(line, parse_constant=refuse) for line in self.out.splitlines()]
        return [record for record in records if kind in (None, record["type"])]


@pytest.fixture
def gdtui(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """The command line, called in this process; no terminal is attached."""

    def call(*arguments: str) -> Finished:
        from gdtui.cli import main

        try:
            status = main(arguments)
        except SystemExit as end:  # argparse's own, after --help
            status = int(end.code or 0)
        return Finished(status, *capsys.readouterr())

    return call


def pytest_collection_finish() -> None:
    """Look for cycles seldom, and not in what stays: it takes half the time of a test of the dashboard."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def pytest_xdist_auto_num_workers() -> int:
    """Of what the dashboard's and the terminal's tests take, a third is waiting: more workers than cores."""
    return max(1, (os.cpu_count() or 1) * 3 // 2)
