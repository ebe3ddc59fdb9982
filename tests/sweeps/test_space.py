"""Axes: what `--over` says."""

from __future__ import annotations

import math

import pytest

from gdtui.experiment import Experiment, InputError
from gdtui.sweeps.space import parse_axis, random_points


def test_a_list_is_read_as_the_setting_reads_it() -> None:
    assert parse_axis("batch-size=1,4,full").values == (1, 4, "full")
    assert parse_axis("lr=1,0.5").values == (1.0, 0.5)
    assert parse_axis("optimizer=sgd, adam").values == ("sgd", "adam")
    assert parse_axis("momentum=0,0.9").values == (0, 0.9)


def test_a_value_given_twice_counts_once() -> None:
    assert parse_axis("lr=0.1,0.2,0.1").values == (0.1, 0.2)


def test_a_log_range_has_equal_ratios_and_exact_ends() -> None:
    values = parse_axis("lr=log:0.001:0.3:20").values
    assert (len(values), values[0], values[-1]) == (20, 0.001, 0.3)
    for step, value in enumerate(values):
        assert math.isclose(value, 0.001 * 300 ** (step / 19), rel_tol=1e-5)


def test_a_lin_range_has_equal_steps() -> None:
    assert parse_axis("lr=lin:0.1:0.5:5").values == (0.1, 0.2, 0.3, 0.4, 0.5)


def test_a_narrow_range_keeps_its_values_apart() -> None:
    assert len(set(parse_axis("lr=lin:0.2040816:0.2040817:11").values)) == 11


def test_whole_numbers_stay_whole_in_a_range() -> None:
    assert parse_axis("batch-size=log:1:64:7").values == (1, 2, 4, 8, 16, 32, 64)
    assert parse_axis("batch-size=log:1:4:9").values == (1, 2, 3, 4)
    hidden = parse_axis("hidden=lin:2:8:4").values
    assert (hidden, {type(value) for value in hidden}) == ((2, 4, 6, 8), {int})
    assert parse_axis("hidden=lin:2:9:4").values == (2, 4, 7, 9)
    assert parse_axis("kappa=lin:2:9:3").values == (2, 5.5, 9)


def test_random_whole_numbers_are_whole() -> None:
    experiment = Experiment.from_line("problem=mlp data=moons")
    points = list(random_points(experiment, [parse_axis("hidden=log:2:64"), parse_axis("batch-size=lin:1:9")], 50))
    for point in points:
        assert {type(point.value("hidden")), type(point.batch_size)} == {int}
    assert len({point.value("hidden") for point in points}) > 15


def test_random_values_of_a_narrow_range_lie_within_it_and_apart() -> None:
    lrs = {point.lr for point in random_points(Experiment(), [parse_axis("lr=log:0.2040816:0.2040817")], 100)}
    assert len(lrs) == 100
    assert all(0.2040816 <= lr <= 0.2040817 for lr in lrs)


@pytest.mark.parametrize(
    "text", ["lr=0.1,0.2", "batch-size=1,full", "lr=log:0.001:0.3:20", "lr=log:0.001:0.3", "hidden=2,4"]
)
def test_an_axis_is_read_back_from_its_text(text: str) -> None:
    axis = parse_axis(text)
    assert parse_axis(axis.to_text()) == axis


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lr", "--over 'lr' is not NAME=VALUE,VALUE,... or NAME=log:LOW:HIGH:COUNT"),
        ("lr=", "--over 'lr=' is not NAME=VALUE,VALUE,... or NAME=log:LOW:HIGH:COUNT"),
        ("lr=0.1,,0.2", "--over lr: a value is missing between two commas"),
        ("lr=0.1,fast", "--over lr: learning rate must be a number, got 'fast'"),
        ("batch-size=half", "--over batch-size: batch size must be full or a whole number, got 'half'"),
        ("lr=log:0:1:5", "--over lr: a log range begins above 0, got 0"),
        ("lr=log:1:0.1:5", "--over lr: a range is log:LOW:HIGH:COUNT with LOW below HIGH, got 'log:1:0.1:5'"),
        ("lr=log:a:b:5", "--over lr: a range is log:LOW:HIGH:COUNT, got 'log:a:b:5'"),
        ("lr=log:1", "--over lr: a range is log:LOW:HIGH:COUNT, got 'log:1'"),
        ("lr=lin:0.1:1:1", "--over lr: a range has from 2 to 10,000 values, got 1"),
        ("lr=lin:0.1:1:nan", "--over lr: a range has from 2 to 10,000 values, got nan"),
        ("lr=lin:0.1:inf:3", "--over lr: a range is lin:LOW:HIGH:COUNT with LOW below HIGH, got 'lin:0.1:inf:3'"),
        ("lr=logg:0.1:1:5", "--over lr: unknown range 'logg' (did you mean log?)"),
        ("[bold]x[/]=1", "--over '[bold]x[/]' is not the name of a setting or hyperparameter"),
        ("_rms=1", "--over '_rms' is not the name of a setting or hyperparameter"),
        ("set=momentum", "--over name the hyperparameter itself: --over momentum=0,0.9"),
    ],
)
def test_a_wrong_axis_is_one_line_that_names_the_option(text: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        parse_axis(text)
    assert str(error.value) == says


def test_random_points_lie_in_the_range_and_fall_evenly_on_its_scale() -> None:
    axes = [parse_axis("lr=log:0.001:0.1"), parse_axis("batch-size=1,4,full")]
    points = list(random_points(Experiment(), axes, 2000))
    lrs, sizes = [point.lr for point in points], [point.batch_size for point in points]
    assert 0.001 <= min(lrs) < 0.0011
    assert 0.09 < max(lrs) <= 0.1
    below = sum(lr < 0.01 for lr in lrs)  # half of them, by the logarithm: 1000 ± 22
    assert 880 < below < 1120
    assert all(560 < sizes.count(size) < 770 for size in (1, 4, "full"))


def test_of_more_random_points_the_first_are_the_same() -> None:
    axes = [parse_axis("lr=log:0.001:0.1"), parse_axis("momentum=lin:0:0.9")]
    few, many = (list(random_points(Experiment(seed=3), axes, samples)) for samples in (5, 50))
    assert few == many[:5]
    assert few != list(random_points(Experiment(seed=4), axes, 5))
