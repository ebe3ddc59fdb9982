"""Sweeps as values: which experiments they are, and what they become when they are extended."""

from __future__ import annotations

from itertools import product

import pytest
from swept import sweep_of

from gdtui.experiment import Experiment, InputError
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep


def test_a_grid_is_every_value_with_every_other_and_with_every_seed() -> None:
    sweep = sweep_of("lr=0.1,0.2", "batch-size=1,full", "momentum=0,0.9", seeds=3)
    expected = {
        Experiment(lr=lr, batch_size=size, seed=seed, set=(("momentum", momentum),))
        for lr, size, momentum, seed in product((0.1, 0.2), (1, "full"), (0, 0.9), range(3))
    }
    points = sweep.points()
    assert len(points) == 24
    assert set(points.values()) == expected
    assert all(Experiment.from_line(key) == experiment for key, experiment in points.items())


def test_random_points_are_each_run_with_every_seed() -> None:
    points = list(sweep_of("lr=log:0.01:0.1", seeds=2, samples=4).points().values())
    assert [point.seed for point in points] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [point.lr for point in points[:4]] == [point.lr for point in points[4:]]


def test_seeds_of_one_point_have_one_arm() -> None:
    sweep = sweep_of("lr=0.1,0.2", line="seed=7", seeds=3)
    arms = [sweep.arm(key) for key in sweep.points()]
    assert [arms.count(arm) for arm in dict.fromkeys(arms)] == [3, 3]
    assert {experiment.seed for experiment in sweep.points().values()} == {7, 8, 9}


@pytest.mark.parametrize(
    "sweep",
    [
        sweep_of("lr=log:0.001:0.3:20", "batch-size=1,full", seeds=5, is_halving=True),
        sweep_of("lr=log:0.001:0.3", "momentum=0,0.9", samples=9),
        sweep_of("lr=0.1", line="problem=mlp data=moons set=hidden:3").extended([parse_axis("lr=0.2")], seeds=2),
    ],
)
def test_a_sweep_is_read_back_from_its_text(sweep: Sweep) -> None:
    again = Sweep.from_text(sweep.to_text())
    assert again == sweep
    assert list(again.points()) == list(sweep.points())


# --- extended --------------------------------------------------------------------------------------------------------


def test_an_extended_sweep_begins_with_what_was_there() -> None:
    sweep = sweep_of("lr=0.1,0.3", seeds=2)
    wider = sweep.extended([parse_axis("lr=0.2,0.3"), parse_axis("batch-size=full")], seeds=3)
    assert list(wider.points())[:4] == list(sweep.points())
    grid = product((0.1, 0.3, 0.2), (1, "full"), range(3))
    assert set(wider.points().values()) == {Experiment(lr=lr, batch_size=size, seed=seed) for lr, size, seed in grid}


def test_an_extended_range_is_a_list_of_all_its_values() -> None:
    wider = sweep_of("lr=log:0.1:0.4:3").extended([parse_axis("lr=0.8")])
    assert [point.lr for point in wider.points().values()] == [0.1, 0.2, 0.4, 0.8]


def test_more_values_of_a_hyperparameter_come_after_those_that_were_there() -> None:
    wider = sweep_of("momentum=0,0.5").extended([parse_axis("momentum=0.9")])
    assert [point.value("momentum") for point in wider.points().values()] == [0, 0.5, 0.9]


def test_more_samples_come_after_those_that_were_there() -> None:
    sweep = sweep_of("lr=log:0.01:0.1", samples=4)
    assert list(sweep.extended(samples=6).points())[:4] == list(sweep.points())
    assert len(sweep.extended(samples=6).points()) == 6


@pytest.mark.parametrize(
    ("axes", "counts", "says"),
    [
        (["lr=0.1"], {}, "all of that is in the sweep already: gdtui sweep --resume goes on with it"),
        ([], {"seeds": 1}, "all of that is in the sweep already: gdtui sweep --resume goes on with it"),
        ([], {"samples": 3}, "this sweep is a grid: extend it by --over and --seeds"),
        (
            ["momentum=0.9"],
            {},
            "--over momentum: the runs that are there have no momentum of their own; begin a new sweep",
        ),
    ],
)
def test_what_cannot_be_extended_says_why(axes: list[str], counts: dict[str, int], says: str) -> None:
    with pytest.raises(InputError) as error:
        sweep_of("lr=0.1,0.2").extended(list(map(parse_axis, axes)), **counts)
    assert str(error.value) == says


@pytest.mark.parametrize(
    ("over", "more", "says"),
    [
        ([], {}, "say what to sweep over: --over lr=0.001,0.01,0.1 or --over lr=log:0.001:0.3:20"),
        (["lr=0.1", "lr=0.2"], {}, "--over lr is given twice: give all its values at once"),
        (["seed=1,2"], {"seeds": 2}, "--seeds and --over seed are two ways to say the same: leave one out"),
        (["lr=0.1"], {"seeds": 0}, "--seeds is a whole number from 1 to 100,000, got 0"),
        (["lr=0.1"], {"samples": -1}, "--samples is a whole number from 0 to 100,000, got -1"),
        (
            ["lr=log:0.1:1:1000", "seed=lin:0:999:1000"],
            {},
            "1,000,000 runs are too many for a sweep, it takes 100,000: try --samples",
        ),
        (
            ["lr=log:0.1:1"],
            {},
            "--over lr=log:0.1:1.0: say how many values, lr=log:0.1:1.0:10, or draw some: --samples 100",
        ),
    ],
)
def test_axes_that_do_not_go_together_say_so(over: list[str], more: dict[str, int], says: str) -> None:
    with pytest.raises(InputError) as error:
        sweep_of(*over, **more)
    assert str(error.value) == says


def test_a_value_that_no_experiment_can_have_names_the_axis() -> None:
    with pytest.raises(InputError, match=r"^--over lr: learning rate must be a positive number, got -1.0$"):
        sweep_of("lr=-1,0.1").points()
