"""Compiled and interpreted: the same bits, whichever runs and wherever it changes over."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from descents import trace

from gdtui.descent import engine as engine_module
from gdtui.descent.compiler import compiled, interpreted
from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.loading import load_problem

pytest.importorskip("numba", reason="without numba nothing is compiled")

EXPERIMENTS: list[dict[str, Any]] = [
    {"problem": "linear"},
    {"problem": "affine", "data": "faithful", "standardize": True, "batch_size": 16, "order": "shuffle"},
    {"problem": "mlp", "data": "moons", "optimizer": "adam", "lr": 0.05, "set": (("clip", 0.5),)},
    {"problem": "saddle", "data": "noise", "order": "shuffle", "lr": 0.1},
    {"problem": "quadratic", "data": "noise", "optimizer": "nadam", "schedule": "one-cycle"},
]


def begin(**settings: Any) -> Trainer:
    experiment = Experiment(**settings)
    return Trainer(experiment, load_problem(experiment))


def compiled_trainer(**settings: Any) -> Trainer:
    trainer = begin(**settings)
    kernel = compiled(trainer.problem.model.loss, trainer._method.rule.update, trainer._engine.sizes)
    assert kernel is not None
    trainer._engine.use(kernel)
    return trainer


@pytest.mark.parametrize("settings", EXPERIMENTS, ids=lambda settings: settings["problem"])
def test_compiled_and_interpreted_give_the_same_bits(settings: dict[str, Any]) -> None:
    ours = begin(**settings, epochs=30)
    theirs = compiled_trainer(**settings, epochs=30)
    assert trace(ours.advance()) == trace(theirs.advance())


def test_a_changeover_in_the_middle_leaves_no_trace() -> None:
    settings = EXPERIMENTS[1] | {"epochs": 20}
    ours, changing = begin(**settings), begin(**settings)
    changing.advance(until=Epoch(7))
    changing._engine.use(compiled(changing.problem.model.loss, changing._method.rule.update, changing._engine.sizes))
    assert trace(ours.advance()) == trace(changing.advance())


@pytest.mark.parametrize("problem", list(FAMILIES))
def test_every_problem_compiles(problem: str) -> None:
    experiment = Experiment(problem=problem, data=FAMILIES[problem].data or "noise")
    loaded = load_problem(experiment)
    trainer = Trainer(experiment, loaded)
    kernel = compiled(loaded.model.loss, trainer._method.rule.update, trainer._engine.sizes)
    assert kernel is not None
    here = trainer.snapshot().now
    trainer._engine.use(kernel)
    there = trainer._engine.evaluate(trainer.snapshot().theta)
    assert here.losses.tobytes() == there.losses.tobytes()
    assert here.gradients.tobytes() == there.gradients.tobytes()


def test_long_work_is_changed_over_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "WORTH_COMPILING_S", 0.0)
    trainer = begin(epochs=10**9)
    for _ in range(600):
        trainer.advance(budget_s=0.05)
        if trainer._engine.kernel.is_compiled:
            break
    assert trainer._engine.kernel.is_compiled


def test_without_a_compiler_everything_works() -> None:
    code = "import sys; sys.modules['numba'] = None; from gdtui.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["run", "--data", "faithful", "--standardize", "--epochs", "3"]
    without = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True)
    with_numba = subprocess.run([sys.executable, "-m", "gdtui", *arguments], capture_output=True, check=True)
    assert without.stdout == with_numba.stdout


def test_a_second_process_compiles_nothing() -> None:
    code = """
import numpy as np
from gdtui.descent.compiler import compiled
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem
experiment = Experiment()
trainer = Trainer(experiment, load_problem(experiment))
kernel = compiled(trainer.problem.model.loss, trainer._method.rule.update, trainer._engine.sizes)
trainer._engine.warm_up(kernel)
functions = kernel.descend, kernel.evaluate, kernel.descend_epochs
print(sum(sum(function.stats.cache_misses.values()) for function in functions))
"""
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True) for _ in range(2)]
    assert runs[1].stdout.strip() == "0"


def test_a_kernel_for_other_sizes_is_another_one() -> None:
    trainer = begin(problem="affine", data="faithful")
    loss, update, sizes = trainer.problem.model.loss, trainer._method.rule.update, trainer._engine.sizes
    others = [sizes, replace(sizes, p=3, d=2), replace(sizes, p=9), replace(sizes, p=10), replace(sizes, p=11, d=10)]
    names = [compiled(loss, update, other).descend.__qualname__ for other in others]
    assert len(set(names[:3])) == 3
    assert len(set(names[2:])) == 1  # many are not compiled for each number of them


def test_an_interpreted_kernel_takes_memoryviews() -> None:
    trainer = begin()
    kernel = interpreted(trainer.problem.model.loss, trainer._method.rule.update)
    assert isinstance(kernel.flat(np.zeros((2, 2))), memoryview)
