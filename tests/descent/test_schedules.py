"""Schedules: against PyTorch's schedulers, epoch by epoch, and what they do beyond the plan."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdtui.descent.schedules import SCHEDULES, schedule_named
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from gdtui.hyperparameters import Hyperparameter

rates = st.floats(1e-6, 10.0)
each_schedule = pytest.mark.parametrize("name", SCHEDULES)


@pytest.fixture(scope="module")
def schedulers() -> Any:
    pytest.importorskip("torch", reason="PyTorch is the oracle, and is not installed")
    from torch.optim import lr_scheduler

    return lr_scheduler


def in_pytorch(scheduler: Any, lr: float, epochs: int, **keywords: Any) -> list[float]:
    """The learning rate of each epoch, the scheduler stepped at each epoch's end."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = scheduler(optimizer, **keywords)
    learning_rates = []
    for _ in range(epochs):
        learning_rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(learning_rates) < epochs:
            schedule.step()
    return learning_rates


def ours(name: str, lr: float, epochs: int, planned: int | None = None, **given: Any) -> list[float]:
    schedule = SCHEDULES[name]
    values = schedule.values(given)
    return [schedule.lr_at(lr, epoch, planned or epochs, values) for epoch in range(epochs)]


class TestAgainstPyTorch:
    @settings(max_examples=30)
    @given(lr=rates, step_size=st.integers(1, 60), gamma=st.floats(0, 1.5))
    def test_step(self, schedulers, lr, step_size, gamma):
        values = {"step_size": step_size, "gamma": gamma}
        assert ours("step", lr, 200, **values) == pytest.approx(
            in_pytorch(schedulers.StepLR, lr, 200, **values), rel=1e-12, abs=1e-300
        )

    @settings(max_examples=30)
    @given(lr=rates, gamma=st.floats(0, 1.5))
    def test_exponential(self, schedulers, lr, gamma):
        assert ours("exponential", lr, 200, gamma=gamma) == pytest.approx(
            in_pytorch(schedulers.ExponentialLR, lr, 200, gamma=gamma), rel=1e-12, abs=1e-300
        )

    @settings(max_examples=30)
    @given(lr=rates, epochs=st.integers(1, 200), eta_min=st.floats(0, 1))
    def test_cosine_on_the_way_down(self, schedulers, lr, epochs, eta_min):
        expected = in_pytorch(schedulers.CosineAnnealingLR, lr, epochs + 1, T_max=epochs, eta_min=eta_min)
        tolerance = 1e-12 * max(lr, eta_min)
        assert ours("cosine", lr, epochs + 1, T_max=epochs, eta_min=eta_min) == pytest.approx(expected, abs=tolerance)
        assert ours("cosine", lr, epochs, eta_min=eta_min) == pytest.approx(expected[:-1], abs=tolerance)

    @settings(max_examples=30)
    @given(lr=rates, t_max=st.integers(1, 50), eta_min=st.floats(0, 1))
    def test_cosine_on_its_way_up_again(self, schedulers, lr, t_max, eta_min):
        # PyTorch's recursion leaves the bottom on what rounding left of the rate: it is off by T_max² places.
        expected = in_pytorch(schedulers.CosineAnnealingLR, lr, 120, T_max=t_max, eta_min=eta_min)
        assert ours("cosine", lr, 120, T_max=t_max, eta_min=eta_min) == pytest.approx(
            expected, abs=1e-9 * max(lr, eta_min)
        )

    @settings(max_examples=30)
    @given(lr=rates, start_factor=st.floats(1e-6, 1), total_iters=st.integers(1, 100))
    def test_warmup(self, schedulers, lr, start_factor, total_iters):
        values = {"start_factor": start_factor, "total_iters": total_iters}
        assert ours("warmup", lr, 120, **values) == pytest.approx(
            in_pytorch(schedulers.LinearLR, lr, 120, **values), rel=1e-12
        )

    @settings(max_examples=40)
    @given(
        lr=rates,
        epochs=st.integers(1, 200),
        pct_start=st.just(0.3) | st.floats(0, 1),
        div_factor=st.floats(1, 100),
        final_div_factor=st.floats(1, 1e6),
    )
    def test_one_cycle(self, schedulers, lr, epochs, pct_start, div_factor, final_div_factor):
        values = {"pct_start": pct_start, "div_factor": div_factor, "final_div_factor": final_div_factor}
        if pct_start * epochs == 1:
            return  # PyTorch divides by zero here; see below
        expected = in_pytorch(
            schedulers.OneCycleLR, lr, epochs, max_lr=lr, total_steps=epochs, cycle_momentum=False, **values
        )
        assert ours("one-cycle", lr, epochs, **values) == pytest.approx(expected, abs=1e-12 * lr)

    @pytest.mark.parametrize(
        ("name", "scheduler"),
        [("step", "StepLR"), ("cosine", "CosineAnnealingLR"), ("warmup", "LinearLR"), ("one-cycle", "OneCycleLR")],
    )
    def test_defaults_are_pytorchs_where_it_has_one(self, schedulers, name, scheduler):
        theirs = inspect.signature(getattr(schedulers, scheduler)).parameters
        for one in SCHEDULES[name].hyperparameters:
            assert theirs[one.name].default in (one.default, inspect.Parameter.empty)


class TestShapes:
    def test_constant_is_the_learning_rate(self):
        assert ours("constant", 0.3, 3) == [0.3, 0.3, 0.3]

    def test_cosine_starts_at_lr_and_is_at_eta_min_when_the_plan_is_done(self):
        rates = ours("cosine", 0.3, 11, planned=10, eta_min=0.1)
        assert (rates[0], rates[10]) == (0.3, 0.1)
        assert rates == sorted(rates, reverse=True)

    def test_warmup_ends_at_lr_exactly(self):
        rates = ours("warmup", 0.3, 9, total_iters=7)
        assert rates[7:] == [0.3, 0.3]
        assert rates == sorted(rates)

    def test_one_cycle_reaches_lr_and_stays_at_its_end(self):
        rates = ours("one-cycle", 0.3, 15, planned=10)
        assert max(rates) == rates[2] == 0.3
        assert rates[0] == pytest.approx(0.3 / 25)
        assert rates[9:] == [0.3 / 25 / 1e4] * 6

    def test_one_cycle_whose_top_is_the_start_begins_there(self):
        assert ours("one-cycle", 0.3, 10, pct_start=0.1)[0] == 0.3

    def test_one_cycle_without_a_way_down_stays_at_the_top(self):
        assert ours("one-cycle", 0.3, 6, planned=4, pct_start=1.0)[3:] == [0.3, 0.3, 0.3]


def right(one: Hyperparameter) -> st.SearchStrategy[Any]:
    most = min(one.most, 1e300)
    return st.integers(int(one.least), 10**15) if isinstance(one.default, int) else st.floats(one.least, most)


class TestAnyNumbers:
    @each_schedule
    @given(data=st.data(), lr=st.floats(5e-324, 1e300), epoch=st.integers(0, 10**15), planned=st.integers(1, 10**15))
    def test_rate_is_finite_and_never_negative(self, name, data, lr, epoch, planned):
        schedule = SCHEDULES[name]
        values = schedule.values({one.name: data.draw(right(one)) for one in schedule.hyperparameters})
        rate = schedule.lr_at(lr, epoch, planned, values)
        assert math.isfinite(rate)
        assert rate >= 0

    @each_schedule
    @given(lr=rates, planned=st.integers(1, 500))
    def test_rate_is_positive_all_through_the_plan_by_default(self, name, lr, planned):
        assert min(ours(name, lr, planned)) > 0

    def test_unknown_schedule_names_the_nearest(self):
        with pytest.raises(InputError, match=r"did you mean cosine\?"):
            schedule_named("cosin")

    def test_value_out_of_range_says_what_is_right(self):
        with pytest.raises(InputError, match="pct_start must be from 0 to 1, got 2"):
            SCHEDULES["one-cycle"].values({"pct_start": 2.0})
