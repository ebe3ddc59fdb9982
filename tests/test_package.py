"""The package by its public names, and what it costs to import it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gdtui


def test_every_public_name_is_there() -> None:
    assert all(getattr(gdtui, name).__name__ == name for name in gdtui.__all__)


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="nosuch"):
        _ = gdtui.nosuch  # type: ignore[attr-defined]


def test_its_own_example_works() -> None:
    experiment = gdtui.Experiment(batch_size="full", lr=0.05)
    trainer = gdtui.Trainer(experiment, gdtui.load_problem(experiment))
    assert trainer.advance(until=gdtui.Epoch(10)).loss < 0.01


@pytest.mark.parametrize("module", ["gdtui.cli", "gdtui.dashboard.app"])
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{'numpy', 'numba', 'duckdb', 'plotext'}} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
