"""Loading: which data a problem is given, and what is said where there are none."""

from __future__ import annotations

import pytest

from gdtui.experiment import Experiment, InputError
from gdtui.problems.loading import SOURCES, load_problem, problem_hyperparameters


def names(**settings: object) -> list[str]:
    return [one.name for one in problem_hyperparameters(Experiment(**settings))]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_gives_data_that_a_line_can_be_fitted_to(name: str) -> None:
    problem = load_problem(Experiment(problem="affine", data=name))
    assert problem.dataset.name == name
    assert problem.n >= 3


def test_the_hyperparameters_are_the_problems_and_its_datas() -> None:
    assert names() == []
    assert names(problem="mlp", data="moons") == ["hidden", "activation", "loss", "n", "noise"]
    assert names(problem="mlp", data="iris") == ["hidden", "activation", "loss"]
    assert names(problem="saddle", data="noise") == ["n", "rms"]
    assert names(problem="saddle", data="moons") == ["n", "rms"]
    assert names(problem="own.py:f", data="spiral") == ["n", "noise", "turns"]


def test_the_seed_and_the_hyperparameters_make_the_data() -> None:
    def data(**settings: object) -> bytes:
        return load_problem(Experiment(problem="logistic", data="moons", **settings)).dataset.x.tobytes()  # type: ignore[arg-type]

    assert data() == data(set=(("n", 100), ("noise", 0.1)))
    assert len({data(), data(seed=1), data(set=(("noise", 0.2),)), data(set=(("n", 20),))}) == 4


def test_generated_data_can_be_narrowed_and_standardized() -> None:
    problem = load_problem(Experiment(problem="affine", data="two-feature", features=("x2",), standardize=True))
    assert problem.dataset.features == ("x2",)
    assert problem.dataset.x.std() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("data", "words"), [("mons", "did you mean moons"), ("noisey-line", "did you mean noisy-line"), ("noise", "spiral")]
)
def test_unknown_data_are_told_with_the_nearest_that_there_are(data: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        load_problem(Experiment(data=data))
    assert refused.value.setting == "data"
    assert "unknown dataset or file" in str(refused.value)
    assert words in str(refused.value) or data == "noise"


def test_a_million_generated_samples_are_made() -> None:
    assert load_problem(Experiment(problem="affine", data="noisy-line", set=(("n", 10**6),))).n == 10**6
