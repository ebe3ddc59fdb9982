"""Anatomy: every optimizer's step, made again from the numbers that are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gdtui.descent.optimizers import RULES
from gdtui.descent.snapshot import Epoch, State, Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.anatomy import anatomy
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from gdtui.descent.snapshot import Snapshot
    from gdtui.insight.anatomy import Anatomy

WAYS: tuple[dict[str, Any], ...] = (
    {"optimizer": "sgd"},
    {"optimizer": "sgd", "weight_decay": 0.1},
    {"optimizer": "sgd", "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": 1},
    {"optimizer": "adagrad", "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5},
    {"optimizer": "rmsprop"},
    {"optimizer": "rmsprop", "momentum": 0.9, "weight_decay": 0.1},
    {"optimizer": "rmsprop", "momentum": 0.9, "centered": 1},
    {"optimizer": "adadelta", "weight_decay": 0.1},
    {"optimizer": "adadelta", "rho": 0},
    {"optimizer": "adam", "weight_decay": 0.1},
    {"optimizer": "adam", "amsgrad": 1},
    {"optimizer": "adamw"},
    {"optimizer": "adamw", "weight_decay": 0},
    {"optimizer": "nadam", "weight_decay": 0.1},
    {"optimizer": "lion", "weight_decay": 0.1},
    {"optimizer": "lion"},
)


def trainer(**settings: Any) -> Trainer:
    experiment = Experiment().replace(**{"lr": 0.01, **settings})
    return Trainer(experiment, load_problem(experiment))


def taken_apart(snapshot: Snapshot) -> Anatomy:
    apart = anatomy(snapshot)
    assert apart is not None
    return apart


def values(apart: Anatomy) -> dict[str, list[float]]:
    return {stage.name: stage.values.tolist() for stage in apart.stages[:-1]}


@pytest.mark.parametrize("batch_size", ["full", 3])
@pytest.mark.parametrize("settings", WAYS, ids=lambda way: " ".join(f"{k}={v}" for k, v in way.items()))
def test_the_step_is_made_again_from_its_parts(settings: dict[str, Any], batch_size: Any) -> None:
    run = trainer(problem="affine", data="noisy-line", batch_size=batch_size, order="shuffle", **settings)
    for update in range(1, 16):
        before = run.snapshot().theta
        after = run.advance(Update(update))
        apart = taken_apart(after)
        assert apart.step.values.tolist() == (after.theta - before).tolist()
        assert apart.made == pytest.approx(apart.step.values, rel=1e-9, abs=1e-9 * np.abs(after.theta).max())
        assert apart.update == update
        assert next(stage.name for stage in apart.stages) == "g"


def test_every_optimizer_can_be_taken_apart() -> None:
    assert {way["optimizer"] for way in WAYS} == set(RULES)


def test_the_tutorials_first_update() -> None:
    """x = 1, y = 2, w = 1: the gradient is 2x(xw − y) = −2, the step −lr times it."""
    apart = taken_apart(trainer().advance(Update(1)))
    assert values(apart) == {"g": [-2.0]}
    assert apart.step.values.tolist() == pytest.approx([0.02])
    assert (apart.batch, apart.step.formula, apart.parameters) == (1, "−lr·g", ("w",))


def test_momentum_remembers() -> None:
    run = trainer(batch_size="full", momentum=0.5)
    first, second = (values(taken_apart(run.advance(Update(update)))) for update in (1, 2))
    assert second["b"][0] == pytest.approx(0.5 * first["b"][0] + second["g"][0])


def test_adams_first_step_is_lr_whatever_the_gradient() -> None:
    apart = taken_apart(trainer(optimizer="adam", lr=0.125).advance(Update(1)))
    shown = values(apart)
    assert shown["m̂"] == pytest.approx(shown["g"])
    assert shown["√v̂"] == pytest.approx([abs(shown["g"][0])])
    assert apart.step.values == pytest.approx([0.125], rel=1e-6)


def test_clipped_samples_count_as_they_were_applied() -> None:
    apart = taken_apart(trainer(batch_size="full", clip=1.0).advance(Update(1)))
    assert (apart.clipped, apart.batch) == (3, 3)
    assert values(apart)["g"] == pytest.approx([-1.0])


def test_at_an_epochs_end_it_is_the_epochs_last_update() -> None:
    run = trainer(schedule="step", step_size=1, gamma=0.5)
    end = run.advance(Epoch(2))
    apart = taken_apart(end)
    assert (apart.update, apart.lr) == (6, 0.005)
    assert apart.step.values == pytest.approx(end.theta - end.visits.thetas[-1])


def test_what_was_changed_since_does_not_count_yet() -> None:
    run = trainer(momentum=0.9)
    made = taken_apart(run.advance(Update(4)))
    run.change(lr=0.5, momentum=0.1, nesterov=1)
    still = taken_apart(run.snapshot())
    assert (still.lr, still.step.formula, values(still)) == (made.lr, made.step.formula, values(made))
    after = taken_apart(run.advance(Update(5)))
    assert (after.lr, after.step.formula) == (0.5, "−lr·(g + μ·b)")


def test_there_is_none_before_the_first_update() -> None:
    assert anatomy(trainer().snapshot()) is None


def test_a_batch_under_way_leaves_the_update_before_it() -> None:
    """A batch of many numbers is visited in slices; between two of them there is no new step yet."""
    run = trainer(problem="affine", data="noisy-line", n=10_000, batch_size=5_000)
    snapshot = run.advance(Update(1))
    seen = {snapshot.updates}
    while snapshot.updates < 2:
        snapshot = run.advance(Update(2), budget_s=0.0)
        apart = anatomy(snapshot)
        assert apart is None or apart.update == snapshot.updates
        assert apart is not None or snapshot.updates == 0
        seen.add(len(snapshot.visits))
    assert len(seen) > 2


def test_after_divergence_there_is_no_wrong_one() -> None:
    run = trainer(lr=1e200, epochs=50)
    end = run.advance()
    assert end.state is State.DIVERGED
    apart = anatomy(end)
    assert apart is None or np.isfinite(apart.made).all()


def test_without_any_gradient_nothing_moves() -> None:
    for optimizer in RULES:
        snapshot = trainer(optimizer=optimizer, init=(2.0,), weight_decay=0).advance(Update(1))
        apart = taken_apart(snapshot)
        assert apart.step.values.tolist() == apart.made.tolist() == [0.0]
