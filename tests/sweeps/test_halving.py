"""Halving against brute force: all runs to their ends, and then what would have been stopped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from swept import made, sweep_of

from gdtui.descent.history import Column
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem
from gdtui.sweeps import halving
from gdtui.sweeps.conduct import Conductor
from gdtui.sweeps.crew import Processes
from gdtui.sweeps.halving import hoped_for, rung, stopped

if TYPE_CHECKING:
    from gdtui.sweeps.outcome import Progress

SETS = {
    "tutorial": ("", ("lr=log:0.001:0.3:12", "batch-size=1,2,full")),
    "momentum": (
        "problem=affine data=two-feature epochs=96 batch-size=full",
        ("lr=log:0.003:0.3:5", "momentum=0,0.5,0.9"),
    ),
    "faithful": ("problem=affine data=faithful standardize=on epochs=48", ("lr=log:0.0001:1:8", "batch-size=16,full")),
    "himmelblau": (
        "problem=himmelblau batch-size=full epochs=96 set=n:2",
        ("lr=log:0.0003:0.3:8", "optimizer=sgd,adam"),
    ),
    "rosenbrock": (
        "problem=rosenbrock batch-size=full epochs=640 set=n:2",
        ("lr=log:0.0001:0.1:6", "optimizer=sgd,adam"),
    ),
    "saddle": ("problem=saddle order=shuffle set=rms:0.1", ("lr=log:0.001:0.3:10",)),
    "moons": (
        "problem=mlp data=moons order=shuffle epochs=32 batch-size=8 set=n:32",
        ("lr=log:0.003:1:6", "optimizer=sgd,adam"),
    ),
}


@dataclass(frozen=True)
class Whole:
    """A run to its end."""

    losses: dict[int, float]
    planned: int
    is_lost: bool

    @property
    def loss(self) -> float:
        return math.inf if self.is_lost else self.losses[max(self.losses)]

    def at(self, epoch: int) -> float:
        return math.inf if self.is_lost and epoch > max(self.losses) else self.losses[min(epoch, max(self.losses))]


def whole(experiment: Experiment) -> Whole:
    trainer = Trainer(experiment, load_problem(experiment))
    rows = trainer.advance().history.rows
    losses = dict(zip(rows[:, Column.EPOCH].astype(int).tolist(), rows[:, Column.LOSS].tolist(), strict=True))
    return Whole(losses, experiment.epochs, trainer.state == "diverged")


@pytest.mark.parametrize("name", SETS)
def test_what_wins_is_never_stopped_and_epochs_are_saved(name: str) -> None:
    line, over = SETS[name]
    runs = {key: whole(experiment) for key, experiment in sweep_of(*over, line=line).points().items()}
    planned = {key: run.planned for key, run in runs.items()}
    alive, spent = set(runs), 0
    for number, part in enumerate(halving.PARTS, 1):
        at = {key: [0, *(rung(planned[key], one) for one in halving.PARTS[:number])] for key in alive}
        losses = {key: [(epoch, runs[key].at(epoch)) for epoch in at[key]] for key in alive}
        behind = stopped(losses, planned)
        spent += sum(rung(planned[key], part) for key in behind)
        alive -= behind
    spent += sum(planned[key] for key in alive)
    assert min(runs[key].loss for key in alive) == min(run.loss for run in runs.values())
    assert spent < 0.9 * sum(planned.values())


def test_the_better_half_stays_however_slow_it_is() -> None:
    losses = {str(loss): [(0, 10.0), (10, loss)] for loss in (1.0, 9.9, 9.99, 9.999)}
    assert stopped(losses, dict.fromkeys(losses, 20)) == {"9.99", "9.999"}


def test_a_run_that_would_overtake_the_leader_s_loss_of_now_stays() -> None:
    losses = {"leader": [(0, 1.0), (10, 0.1)], "same": [(0, 1.0), (10, 0.1)], "late": [(0, 1.0), (10, 0.5)]}
    assert stopped(losses, dict.fromkeys(losses, 100)) == frozenset()
    assert stopped(losses, dict.fromkeys(losses, 20)) == {"late"}


def test_one_that_is_lost_is_stopped_and_where_all_are_none_is_left_to_compare() -> None:
    fine, lost = [(0, 1.0), (10, 0.1)], [(0, 1.0), (10, math.nan)]
    assert stopped({"a": fine, "b": fine, "c": lost}, dict.fromkeys("abc", 1000)) == {"c"}
    assert stopped({"a": lost, "b": lost}, dict.fromkeys("ab", 20)) == frozenset()
    assert stopped({}, {}) == frozenset()


def test_the_hope_of_a_geometric_loss_is_its_own_future() -> None:
    curve = [(epoch, 3 * 0.9**epoch) for epoch in (0, 5, 10, 20)]
    assert hoped_for(curve, 50, leader=0.0) == pytest.approx(3 * 0.9**50, rel=1e-12)


def test_a_halved_sweep_has_the_winner_of_the_whole_one_and_says_of_each_run_why_it_stopped() -> None:
    over = ("lr=log:0.001:0.3:12", "batch-size=1,full")
    progress = {is_halving: made(sweep_of(*over, is_halving=is_halving))[2] for is_halving in (True, False)}
    best = {is_halving: min(one.rank for one in moment.outcomes.values()) for is_halving, moment in progress.items()}
    assert best[True] == best[False]
    early = [one for one in progress[True].outcomes.values() if one.state == "paused"]
    assert 5 < len(early) < 24
    assert {one.reason for one in early} <= {f"stopped early at epoch {n}, too far behind" for n in (6, 12, 25, 50)}
    assert progress[True].state == "finished"
    for one in early:  # the rest is as it would have been
        assert one.epoch < progress[False].outcomes[one.key].epoch


def test_a_halved_sweep_that_is_interrupted_again_and_again_stops_the_same_runs() -> None:
    sweep = sweep_of("lr=log:0.01:0.3:12", "batch-size=1,full", line="epochs=200", is_halving=True)
    ledger, _, progress = made(sweep)
    whole = ends(progress)
    assert len({epoch for state, _, epoch, _ in whole.values() if state == "paused"}) > 1
    again, times = ledger.begin(sweep), 0
    while ledger.look(again).done < len(whole):
        times += 1
        for moment in Conductor(ledger, again, ".", Processes(1)).run():
            if moment.turn >= 2 * times:
                break
        ledger.take(ledger.named(again))
    assert times > 3
    assert ends(ledger.look(again)) == whole


def ends(progress: Progress) -> dict[str, tuple[object, ...]]:
    """What has become of the runs; the seconds apart."""
    return {key: (one.state, one.reason, one.epoch, one.loss) for key, one in progress.outcomes.items()}


def test_a_halved_sweep_stops_the_same_runs_with_any_number_of_workers() -> None:
    sweep = sweep_of("lr=log:0.001:0.3:8", line="order=shuffle", seeds=3, is_halving=True)
    one, three = (ends(made(sweep, Processes(jobs))[2]) for jobs in (1, 3))
    assert one == three
    states = {sweep.arm(key): set[bool]() for key in one}
    for key, end in one.items():
        states[sweep.arm(key)].add(end[0] == "paused")
    assert {frozenset(found) for found in states.values()} == {
        frozenset([True]),
        frozenset([False]),
    }  # all seeds together
