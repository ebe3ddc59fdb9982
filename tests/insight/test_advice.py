"""Advice on a training: what is said at which numbers, and that nothing is said without them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gdtui.insight.advice import advise, stable_lr


def said(*, losses: Any = None, **known: Any) -> list[str]:
    """The sentences about these instruments and arguments; the losses at every tenth step."""
    names = ("samples", "largest", "batch", "lr")
    arguments = {name: known.pop(name) for name in names if name in known}
    curve = None if losses is None else np.column_stack([10.0 * np.arange(len(losses)), losses])
    return [sentence.text for sentence in advise(known, losses=curve, **arguments)]


def test_without_numbers_nothing_is_said() -> None:
    assert said() == []
    assert said(batch=64, lr=0.1, samples=256, largest=3) == []
    assert said(losses=[]) == []


# The batch


def test_a_batch_well_below_the_noise_scale_could_be_larger() -> None:
    text = "Batch 64 is well below the noise scale 1,200: a larger batch would still pay."
    assert said(batch=64, noise_scale=1203.4) == [text]
    assert said(noise_scale=1203.4) == []


def test_a_batch_near_the_noise_scale_is_not_mentioned() -> None:
    for scale in (17.0, 64.0, 255.0):
        assert said(batch=64, noise_scale=scale, noise_scale_debiased=scale) == []
    assert said(batch=64, noise_scale=256.0) != []


def test_a_batch_is_too_large_only_by_the_estimate_that_does_not_make_b_too_small() -> None:
    text = "Batch 512 is well above the noise scale 40: a smaller one would learn as much from fewer samples."
    assert said(batch=512, noise_scale=20.0, noise_scale_debiased=40.0) == [text]
    assert said(batch=512, noise_scale=20.0) == []
    assert said(batch=512, noise_scale=20.0, noise_scale_debiased=200.0) == []
    assert said(batch=1, noise_scale=0.0, noise_scale_debiased=0.0) == []


# The samples


def test_who_pulls_against_the_step_is_counted_from_a_tenth_on() -> None:
    assert said(conflicts=31.0, samples=256) == ["31 of 256 samples pull against the step."]
    assert said(conflicts=25.0, samples=256) == []
    assert said(conflicts=31.0) == []


def test_one_sample_that_makes_most_of_the_step_is_named() -> None:
    assert said(largest_share=0.62, samples=256, largest=1017) == ["Sample 1,017 makes 62 % of the step, one of 256."]
    assert said(largest_share=0.49, samples=256, largest=1017) == []
    assert said(largest_share=0.62, samples=3, largest=1) == []
    assert said(largest_share=-0.62, samples=256, largest=1) == []


# The learning rate


def test_beyond_two_over_the_sharpness_it_is_the_edge() -> None:
    text = "Edge of stability: lr 0.5 is beyond 2/λmax = 0.2326, plain descent's limit here."
    assert said(lr=0.5, sharpness=8.6) == [text]
    assert said(lr=0.2, sharpness=8.6) == []
    assert said(lr=0.5) == said(sharpness=8.6) == []


@pytest.mark.parametrize("sharpness", [0.0, -3.0, math.nan, math.inf])
def test_without_a_valley_there_is_no_limit(sharpness: float) -> None:
    assert stable_lr({"sharpness": sharpness}) is None
    assert said(lr=1e9, sharpness=sharpness) == []


# The loss


def test_a_loss_that_is_not_finite_any_more_diverges_since_its_first_such_step() -> None:
    assert said(losses=[1, 2, math.inf, math.nan]) == ["Diverging: the loss is not finite since step 20."]
    assert said(losses=[math.nan]) == ["Diverging: the loss is not finite since step 0."]
    assert said(losses=[1, math.nan, 3]) == []


def test_a_loss_that_stands_still_says_since_when() -> None:
    falling, still = np.linspace(5, 2, 60), np.full(40, 2.0)
    assert said(losses=[*falling, *still]) == ["The loss has not moved for the last 40 % of the run: it stays at 2."]
    assert said(losses=np.full(100, 2.302)) == ["The loss has not moved since the start: it stays at 2.302."]


def test_noise_around_a_level_is_standing_still_and_around_a_slope_is_not() -> None:
    noise = np.random.default_rng(0).normal(size=4000) * 0.1
    assert "has not moved since the start" in said(losses=2 + noise)[0]
    assert said(losses=np.linspace(3, 2, 4000) + noise) == []


def test_a_loss_that_goes_on_falling_or_is_too_short_is_not_standing_still() -> None:
    assert said(losses=np.exp(-np.arange(200) / 50)) == []
    assert said(losses=1 / (1 + np.arange(1000.0))) == []
    assert said(losses=np.full(15, 2.0)) == []
    assert said(losses=np.sin(np.arange(400) / 30)) == []


# All of it


def test_the_most_important_comes_first_and_there_are_three_at_most() -> None:
    everything = {"noise_scale": 1e4, "conflicts": 90.0, "largest_share": 0.9, "sharpness": 100.0}
    everything |= {"samples": 256, "largest": 3, "batch": 8, "lr": 0.1}
    starts = [text.split()[0] for text in said(losses=[*np.full(99, 1.0), math.nan], **everything)]
    assert starts == ["Diverging:", "Edge", "Sample"]
    assert [text.split()[0] for text in said(**everything)] == ["Edge", "Sample", "Batch"]


numbers = st.floats() | st.integers(min_value=-10, max_value=10**15)


@given(
    st.dictionaries(
        st.sampled_from(["noise_scale", "noise_scale_debiased", "conflicts", "largest_share", "sharpness"]), st.floats()
    ),
    st.floats(),
    st.lists(st.floats(), max_size=40),
    st.integers(min_value=1, max_value=10**9),
)
@example({"noise_scale": 1.75e308}, 0.0, [], 1)
@example({"largest_share": 1.75e308}, 0.0, [], 1)
def test_any_numbers_give_sentences_without_nan(known: Any, lr: float, losses: list[float], batch: int) -> None:
    for text in said(losses=losses, lr=lr, batch=batch, samples=50, largest=1, **known):
        assert "nan" not in text.lower().replace("finite", "")
        assert "inf" not in text.lower().replace("finite", "")
