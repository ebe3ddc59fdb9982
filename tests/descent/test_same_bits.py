"""Few parameters are held in registers, many are not: compiled or interpreted, every number is the same to the bit."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from descents import noisy_plane, trace, trainer_of

from gdtui.descent.compiler import MOST_HELD, compiled
from gdtui.descent.optimizers import RULES
from gdtui.descent.snapshot import Update
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from pathlib import Path

    from gdtui.problems.problem import Problem

pytest.importorskip("numba", reason="without numba nothing is compiled")

SIZES = [1, 2, 3, MOST_HELD - 1, MOST_HELD, MOST_HELD + 3]


def pair(problem: Problem, **settings: Any) -> tuple[Trainer, Trainer]:
    """The same run, interpreted and compiled."""
    ours, theirs = trainer_of(problem, **settings), trainer_of(problem, **settings)
    kernel = compiled(problem.model.loss, theirs._method.rule.update, theirs._engine.sizes)
    assert kernel is not None
    theirs._engine.use(kernel)
    return ours, theirs


def moment(trainer: Trainer) -> dict[str, Any]:
    snapshot = trainer.snapshot()
    visits = snapshot.visits
    assert [visits.update_at(visit) for visit in range(len(visits))] == visits.update_of.tolist()
    assert visits.newest_batch.tolist() == visits.samples[visits.update_of == visits.update_of.max(initial=0)].tolist()
    return trace(snapshot) | {"clipped": visits.clipped.tobytes(), "batch": visits.newest_batch.tobytes()}


@pytest.mark.parametrize(("optimizer", "d"), [(rule, SIZES[k % len(SIZES)]) for k, rule in enumerate(RULES)])
def test_every_rule_gives_the_same_bits_for_any_batches_and_clipping(optimizer: str, d: int) -> None:
    generator = random.Random(d)
    problem = noisy_plane(11, d)
    for clip in (0.0, 0.7):
        for batch_size in (1, 3, "full"):
            order = generator.choice(["sequential", "shuffle", "replacement"])
            settings = {"optimizer": optimizer, "lr": 0.03, "batch_size": batch_size, "order": order, "epochs": 9}
            runs = pair(problem, **settings, set=(("clip", clip),))
            steps, size = [generator.randrange(1, 8) for _ in range(3)], generator.choice([1, 2, 4, "full"])
            for made in np.cumsum(steps).tolist():
                for run in runs:
                    run.advance(until=Update(made))
                assert moment(runs[0]) == moment(runs[1])
            for run in runs:
                if not run.state.is_over:
                    run.change(batch_size=size, clip=0.5)
                run.advance()
            assert moment(runs[0]) == moment(runs[1])


@pytest.mark.parametrize("lr", [1e10, 1e200, 1e308])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_both_diverge_at_the_same_place(lr: float, batch_size: int) -> None:
    ours, theirs = pair(noisy_plane(11, 2), lr=lr, batch_size=batch_size, epochs=50)
    assert trace(ours.advance()) == trace(theirs.advance())


def test_a_model_of_ones_own_may_allocate_and_slice(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text("""
import numpy as np
def line(theta, x, y, g):
    room = [0.0 for _ in range(len(theta))]
    w = theta[1:3]
    residual = theta[0] + w[0] * x[0] - y
    room[0], room[1] = 2 * residual, 2 * residual * x[0]
    for j in range(len(theta)):
        g[j] = room[j]
    return residual * residual
line.parameters = 2
""")
    experiment = Experiment(problem=f"{file}:line", data="faithful", standardize=True, epochs=5, order="shuffle")
    problem = load_problem(experiment)
    ours, theirs = pair(problem, epochs=5, order="shuffle")
    assert trace(ours.advance()) == trace(theirs.advance())
