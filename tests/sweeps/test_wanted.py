"""Wanted: a sweep in one line, as one types it."""

from __future__ import annotations

import pytest

from gdtui.experiment import Experiment, InputError
from gdtui.sweeps.wanted import parse_wanted


def test_a_line_means_what_the_options_mean() -> None:
    sweep = parse_wanted("lr=log:0.01:1:3  batch-size=1,full seeds=2 halving").of(Experiment())
    assert [axis.to_text() for axis in sweep.axes] == ["lr=log:0.01:1.0:3", "batch-size=1,full"]
    assert (sweep.seeds, sweep.samples, sweep.is_halving) == (2, 0, True)
    assert len(sweep.points()) == 12


def test_random_points() -> None:
    assert len(parse_wanted("lr=log:0.01:1 samples=7").of(Experiment()).points()) == 7


def test_a_sweep_is_extended() -> None:
    sweep = parse_wanted("lr=0.1,0.2").of(Experiment())
    assert len(parse_wanted("lr=0.3 seeds=2").more_of(sweep).points()) == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "say what to sweep over"),
        ("seeds=2", "say what to sweep over"),
        ("lr", "'lr' is not NAME=VALUE"),
        ("lr=0.1 seeds=", "seeds is a whole number"),
        ("lr=0.1 seeds=-1", "seeds is a whole number"),
        ("lr=0.1 samples=1e3", "samples is a whole number"),
        ("lr=0.1 seeds=999999999999999999", "seeds is a whole number from 1"),
        ("lr=0.1 lr=0.2", "given twice"),
        ("lr=nan", "lr"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_wanted(text).of(Experiment()).points()


def test_a_sweep_that_is_there_is_not_halved_from_then_on() -> None:
    with pytest.raises(InputError, match="when a sweep is begun"):
        parse_wanted("halving").more_of(parse_wanted("lr=0.1").of(Experiment()))
