"""Listing: what there is to choose from, and what a check of a model found, as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gdtui.descent.optimizers import RULES
from gdtui.descent.schedules import SCHEDULES
from gdtui.experiment import InputError
from gdtui.hyperparameters import written
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.loading import SOURCES, is_own_model, load_problem
from gdtui.problems.own import own_checks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gdtui.experiment import Experiment

LISTED: dict[str, Mapping[str, Any]] = {
    "problems": FAMILIES,
    "datasets": SOURCES,
    "optimizers": RULES,
    "schedules": SCHEDULES,
}


def show(what: str) -> None:
    """Print the table of problems, datasets, optimizers or schedules."""
    table = Table(box=box.SIMPLE)
    table.add_column("name", no_wrap=True)
    table.add_column("what it is")
    table.add_column("--set NAME=VALUE")
    for name, one in LISTED[what].items():
        table.add_row(Text(name, "bold"), Text(one.summary), Text(written(one.hyperparameters)))
    Console().print(table)


def show_check(experiment: Experiment) -> None:
    """Check a model of one's own as it is loaded, and print its gradient beside finite differences.

    Raises:
        InputError: if it cannot be loaded, fails, or its gradient is wrong.
    """
    if not is_own_model(experiment.problem):
        raise InputError("problem", f"a model of your own is FILE.py:NAME, got {experiment.problem!r}")
    problem = load_problem(experiment)
    checks = own_checks(problem, problem.start(experiment.init))
    table = Table("sample", "parameter", "gradient", "finite differences", "error", box=box.SIMPLE)
    for sample, check in enumerate(checks):
        rows = zip(problem.parameters, check.analytic, check.numeric, check.errors, strict=True)
        for name, analytic, numeric, error in list(rows)[:20]:
            table.add_row(str(sample), Text(name), f"{analytic:.9g}", f"{numeric:.9g}", f"{error:.1e}")
    Console().print(table)
    print(f"the gradient of {experiment.problem} is right, to {max(check.error for check in checks):.1e}")
