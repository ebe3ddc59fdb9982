"""Loading: the problem that an experiment names, from the catalog or a person's own file, on data from either."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gdtui.experiment import InputError
from gdtui.hyperparameters import Hyperparameter, with_defaults
from gdtui.problems.catalog import family_named
from gdtui.problems.datasets import Dataset, faithful, tutorial
from gdtui.problems.generated import GENERATED, Source
from gdtui.problems.shipped import SHIPPED

if TYPE_CHECKING:
    from gdtui.experiment import Experiment
    from gdtui.problems.problem import Problem

SOURCES: dict[str, Source] = {
    "tutorial": Source("tutorial", "the tutorial's three samples, y = 2x", (), lambda _values, _seed: tutorial()),
    "faithful": Source("faithful", "272 eruptions of Old Faithful", (), lambda _values, _seed: faithful()),
    **SHIPPED,
    **GENERATED,
}
"""The data that gdtui brings, by the name of `--data`."""


def load_problem(experiment: Experiment) -> Problem:
    """Find the model and read the data that an experiment names.

    Raises:
        InputError: if there is no such model or data, or the data cannot be used.
    """
    if is_own_model(experiment.problem):
        from gdtui.problems.own import load_own

        return load_own(experiment.problem, _load_data(experiment), experiment.init)
    family = family_named(experiment.problem)
    given = {h.name: value for name, value in experiment.set for h in family.hyperparameters if h.name == name}
    values = with_defaults(family.name, family.hyperparameters, given)
    if not family.data:
        _check_data_is_left_out(experiment)
    dataset = _load_data(experiment) if family.data else tutorial()
    return family.make(dataset, values, experiment.seed)


def located(experiment: Experiment, folder: str) -> Experiment:
    """The same experiment, its files found from here though their names begin in another folder."""
    data, problem = experiment.data, experiment.problem
    if data not in SOURCES and (is_own_model(problem) or family_named(problem).data):
        data = str(Path(folder, data))
    if is_own_model(problem):
        problem = str(Path(folder, problem))
    return experiment.replace(data=data, problem=problem)


def _check_data_is_left_out(experiment: Experiment) -> None:
    is_data_given = experiment.data not in ("tutorial", "noise")
    settings = ("features", "target", "standardize")
    given = (["data"] if is_data_given else []) + [name for name in settings if getattr(experiment, name)]
    if given:
        what = "the data" if is_data_given else given[0]
        text = f"{experiment.problem} is a landscape and brings its own samples: leave out {what}"
        raise InputError(given[0], text)


def problem_hyperparameters(experiment: Experiment) -> tuple[Hyperparameter, ...]:
    """The hyperparameters of an experiment's problem, and of its data where it takes them from a source."""
    if is_own_model(experiment.problem):
        return _source_hyperparameters(experiment)
    family = family_named(experiment.problem)
    return family.hyperparameters + (_source_hyperparameters(experiment) if family.data else ())


def is_own_model(problem: str) -> bool:
    """Whether a problem's name is FILE.py:NAME."""
    return ".py:" in problem


def _source_hyperparameters(experiment: Experiment) -> tuple[Hyperparameter, ...]:
    source = SOURCES.get(experiment.data)
    return source.hyperparameters if source else ()


def _load_data(experiment: Experiment) -> Dataset:
    source = SOURCES.get(experiment.data)
    if source:
        given = {h.name: value for name, value in experiment.set for h in source.hyperparameters if h.name == name}
        dataset = source.make(with_defaults(source.name, source.hyperparameters, given), experiment.seed)
        dataset = dataset.select(experiment.features, experiment.target)
    else:
        from gdtui.problems.tables import read_table

        dataset = read_table(experiment.data, experiment.features, experiment.target, experiment.drop_missing)
    return dataset.standardized() if experiment.standardize else dataset
