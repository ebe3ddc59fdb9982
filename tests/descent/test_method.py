"""Method: what an experiment's settings come to, and which of them can change in mid-run."""

from __future__ import annotations

from typing import Any

import pytest
from descents import trainer_of

from gdtui.descent.method import Method, changes_run, hyperparameters, only_known
from gdtui.descent.optimizers import RULES
from gdtui.descent.schedules import SCHEDULES
from gdtui.descent.snapshot import Epoch
from gdtui.experiment import Experiment, InputError


@pytest.mark.parametrize("optimizer", RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_optimizer_runs_on_every_schedule(optimizer: str, schedule: str) -> None:
    lr = {"sgd": 0.01}.get(optimizer, RULES[optimizer].lr)
    snapshot = trainer_of(optimizer=optimizer, schedule=schedule, lr=lr, epochs=6).advance()
    assert snapshot.state == "finished"
    assert snapshot.loss < snapshot.history.first_loss


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_many_learning_rates_at_once_are_those_one_by_one(schedule: str) -> None:
    method = Method.of(Experiment(schedule=schedule, epochs=40))
    assert method.lrs(7, 40).tolist() == [method.lr_at(epoch) for epoch in range(7, 47)]


@pytest.mark.parametrize(
    ("settings", "setting", "words"),
    [
        ({"set": (("beta1", 0.5),)}, "beta1", "unknown hyperparameter 'beta1'"),
        ({"set": (("momntum", 0.5),)}, "momntum", "did you mean momentum?"),
        ({"set": (("momentum", "abc"),)}, "momentum", "momentum must be a number, got 'abc'"),
        ({"set": (("momentum", -0.1),)}, "momentum", "momentum must be at least 0"),
        ({"set": (("nesterov", 1),)}, "nesterov", "nesterov needs momentum above 0"),
        ({"set": (("nesterov", 2),)}, "nesterov", "nesterov must be from 0 to 1"),
        ({"optimizer": "adam", "set": (("beta1", 1),)}, "beta1", "beta1 must be below 1"),
        ({"set": (("clip", -1.0),)}, "clip", "clip must be at least 0"),
        ({"schedule": "step", "set": (("step_size", 0),)}, "step_size", "step_size must be at least 1"),
        ({"optimizer": "adm"}, "optimizer", "did you mean adam?"),
        ({"schedule": "cosin"}, "schedule", "did you mean cosine?"),
    ],
)
def test_what_is_wrong_is_told_with_its_setting(settings: dict[str, Any], setting: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        trainer_of(**settings)
    assert refused.value.setting == setting
    assert words in str(refused.value)


def test_the_methods_hyperparameters_change_a_run_and_the_problems_make_another() -> None:
    experiment = Experiment(problem="mlp", data="moons", optimizer="adam", schedule="step")
    changing = {one.name for one in hyperparameters(experiment) if changes_run(experiment, one.name)}
    own = {"beta1", "beta2", "eps", "weight_decay", "amsgrad", "step_size", "gamma", "clip"}
    assert changing == own
    assert not changes_run(experiment, "hidden")
    assert not changes_run(experiment, "noise")


def test_what_belongs_to_nothing_any_more_is_left_out() -> None:
    experiment = Experiment(set=(("momentum", 0.9), ("clip", 1.0), ("gamma", 0.5)), schedule="step")
    assert dict(only_known(experiment.replace(optimizer="adam")).set) == {"clip": 1.0, "gamma": 0.5}
    assert dict(only_known(experiment.replace(schedule="constant")).set) == {"momentum": 0.9, "clip": 1.0}


def test_momentum_in_mid_run_is_an_event_from_the_next_update_on() -> None:
    trainer = trainer_of(epochs=5)
    trainer.advance(until=Epoch(2))
    (event,) = trainer.change(momentum=0.9)
    assert (event.update, event.before, event.after) == (6, None, 0.9)
    assert trainer.advance().theta != pytest.approx(trainer_of(epochs=5).advance().theta)


def test_a_wrong_change_leaves_the_run_as_it_was() -> None:
    trainer = trainer_of(epochs=5)
    trainer.advance(until=Epoch(2))
    for wrong in ({"nesterov": 1}, {"momentum": -1.0}, {"hidden": 3}, {"seed": 7}):
        with pytest.raises(InputError):
            trainer.change(**wrong)
    assert trainer.advance().theta.tobytes() == trainer_of(epochs=5).advance().theta.tobytes()


def test_more_epochs_asked_for_at_the_end_are_there_after_a_rewind() -> None:
    trainer = trainer_of(epochs=2)
    trainer.advance()
    trainer.change(epochs=4)
    end = trainer.advance()
    trainer.rewind(1)
    assert trainer.rewind(3).epoch == 3
    assert trainer.rewind(4).theta.tobytes() == end.theta.tobytes()
    trainer.rewind(1)
    assert trainer.advance().epoch == 4
