"""Edits: the experiment that an edited setting makes, with whatever else it brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gdtui.descent.method import only_known
from gdtui.descent.optimizers import RULES
from gdtui.problems.catalog import FAMILIES

if TYPE_CHECKING:
    from gdtui.experiment import Experiment


def edited(experiment: Experiment, setting: str, value: Any) -> Experiment:
    """The experiment with another value; a problem brings data that suit it, it and an optimizer a sensible lr."""
    changes: dict[str, Any] = {setting: value}
    if setting in ("data", "problem", "features"):
        changes["init"] = ()
    if setting == "data":
        changes |= {"features": (), "target": ""}
    elif setting == "problem":
        family = FAMILIES.get(value)
        if family and experiment.optimizer == "sgd":
            changes["lr"] = family.lr
        if _kind(value) not in (_kind(experiment.problem), "classes" if _kind(experiment.problem) == "two" else ""):
            changes |= {"data": (family.data or "noise") if family else "tutorial", "features": (), "target": ""}
        if family and not family.data:
            changes["standardize"] = False
    elif setting == "optimizer":
        family = FAMILIES.get(experiment.problem)
        changes["lr"] = family.lr if family and value == "sgd" else RULES[value].lr
    return only_known(experiment.replace(**changes))


def _kind(problem: str) -> str:
    """What data a problem needs: numbers, classes, two classes, or none of its own."""
    family = FAMILIES.get(problem)
    if family is None:
        return "own"
    return {"moons": "two", "iris": "classes", "": "none"}.get(family.data, "numbers")
