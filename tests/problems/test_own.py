"""Own models: what a person's file may hold, and what is said of one that cannot be used."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from gdtui.descent import trainer as trainers
from gdtui.descent.compiler import compiled, interpreted
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment, InputError
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SQUARED = """
def model(theta, x, y, g):
    '''Squared loss of a line through 0.'''
    residual = theta[0] * x[0] - y
    g[0] = 2 * residual * x[0]
    return residual * residual
"""
BOWL = """
def model(theta, x, y, g):
    value = 0.0
    for j in range(len(theta)):
        value += theta[j] * theta[j]
        g[j] = 2 * theta[j]
    return value
"""

Write = Callable[[str], str] if TYPE_CHECKING else Any


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of Python; returns its function `model` as one gives it to --problem."""

    def written(source: str) -> str:
        path = tmp_path / "own.py"
        path.write_text(source, encoding="utf-8")
        return f"{path}:model"

    return written


def load(name: str, **settings: Any):
    return load_problem(Experiment(problem=name, **settings))


def test_a_right_model_is_minimised_like_any_other(write: Write) -> None:
    name = write(SQUARED)
    own = Trainer(Experiment(problem=name), load(name)).advance()
    assert own.theta.tobytes() == Trainer(Experiment(), load("linear")).advance().theta.tobytes()
    assert own.problem.model.summary == "Squared loss of a line through 0."


def test_compiled_and_interpreted_it_has_the_same_bits(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="numba, which compiles, is not installed")
    name, ends = write(SQUARED), []
    for make in (interpreted, compiled):
        monkeypatch.setattr(
            trainers.Trainer,
            "_first_kernel",
            lambda self, make=make: make(self.problem.model.loss, self._method.rule.update),
            raising=False,
        )
        end = Trainer(Experiment(problem=name, epochs=20, order="shuffle"), load(name)).advance()
        ends.append((end.theta.tobytes(), end.loss, end.visits.gradients.tobytes()))
    assert ends[0] == ends[1]


def test_a_wrong_gradient_is_named_by_its_coordinate_with_both_values(write: Write) -> None:
    name = write(SQUARED.replace("2 * residual", "residual"))
    with pytest.raises(InputError, match=r"∂ℓ/∂w is -0\.9, but finite differences give -1\.8"):
        load(name)


def test_a_gradient_that_vanishes_at_the_start_is_checked_beside_it(write: Write) -> None:
    with pytest.raises(InputError, match="the gradient is wrong"):
        load(write(BOWL.replace("2 * theta[j]", "3 * theta[j]")), init=(0.0,))


def test_an_entry_that_is_never_written_is_wrong(write: Write) -> None:
    with pytest.raises(InputError, match="∂ℓ/∂w2 is nan"):
        load(write(SQUARED + "model.parameters = 2\n"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def model(theta, x, y, g):\n    return 1 / 0", "fails: ZeroDivisionError: division by zero"),
        ("def model(theta, x, y, g):\n    raise SystemExit", "fails: SystemExit"),
        ("def model(theta, x, y, g):\n    return float('nan')", "the loss of sample 0 is nan, not finite"),
        ("def model(theta, x, y, g):\n    return float('inf')", "the loss of sample 0 is inf, not finite"),
        ("def model(theta, x, y, g):\n    g[0] = 0.0", "fails: TypeError"),
        ("def model(theta, x, y, g):\n    return 'much'", "fails: TypeError"),
        ("def model(theta):\n    return 1.0", "fails: TypeError"),
        ("def model(:", "does not import: SyntaxError"),
        ("import nosuchmodule", "does not import: ModuleNotFoundError"),
        ("raise SystemExit(7)", "does not import: SystemExit"),
        ("model = 3", "unknown function 'model'"),
        ("def modell(theta, x, y, g):\n    return 0.0", "(did you mean modell?)"),
        ("class model:\n    pass", "is not a plain function: write def model(theta, x, y, g)"),
        ("import functools\nmodel = functools.partial(max)", "is not a plain function"),
        (SQUARED + "model.parameters = 0", "model.parameters must be names or a number from 1 to 1,000,000, got 0"),
        (SQUARED + "model.parameters = -2", "must be names or a number from 1"),
        (SQUARED + "model.parameters = ()", "must be names or a number from 1"),
        (SQUARED + "model.parameters = True", "must be names or a number from 1"),
        (SQUARED + "model.parameters = 10**9", "must be names or a number from 1"),
        (SQUARED + "model.parameters = 'w'", "must be names or a number from 1"),
        (SQUARED + "model.predict = 3", "fails: TypeError"),
        (SQUARED + "model.predict = lambda theta, x: 1 / 0", "fails: ZeroDivisionError"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(write: Write, source: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        load(write(source))
    assert refused.value.setting == "problem"
    assert words in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file '.*nowhere\.py'"):
        load(f"{tmp_path}/nowhere.py:model")


@pytest.mark.parametrize(
    ("ending", "init", "names"),
    [
        ("", (), ("w",)),
        ("", (1.0, 2.0, 3.0), ("w1", "w2", "w3")),
        ("model.parameters = 4", (), ("w1", "w2", "w3", "w4")),
        ("model.parameters = ['a', 'b']", (), ("a", "b")),
    ],
)
def test_its_parameters_are_as_many_as_it_says(
    write: Write, ending: str, init: tuple[float, ...], names: tuple[str, ...]
) -> None:
    assert load(write(BOWL + ending), init=init).parameters == names


def test_its_prediction_is_used(write: Write) -> None:
    problem = load(write(SQUARED + "model.predict = lambda theta, x: theta[0] * x[0]"))
    assert problem.model.predict is not None
    assert problem.model.predict([3.0], [2.0]) == 6.0


def test_what_numba_was_asked_to_compile_is_taken_as_it_was_written(write: Write) -> None:
    pytest.importorskip("numba", reason="numba, which compiles, is not installed")
    source = "from numba import njit\n@njit" + SQUARED
    assert Trainer(Experiment(epochs=3), load(write(source))).advance().loss < 1.0


def test_a_changed_file_is_read_anew(write: Write) -> None:
    assert load(write(SQUARED)).model.loss([1.0], [1.0], 2.0, [0.0]) == 1.0
    doubled = SQUARED.replace("2 *", "4 *").replace("residual * residual", "2 * residual * residual")
    assert math.isclose(load(write(doubled)).model.loss([1.0], [1.0], 2.0, [0.0]), 2.0)


def test_a_changed_constant_is_compiled_anew(write: Write) -> None:
    pytest.importorskip("numba", reason="numba, which compiles, is not installed")
    source = "SCALE = 1.0\n" + SQUARED.replace("2 *", "SCALE * 2 *").replace("residual * r", "SCALE * residual * r")
    losses = []
    for scale in ("1.0", "3.0"):
        name = write(source.replace("SCALE = 1.0", f"SCALE = {scale}"))
        experiment = Experiment(problem=name, data="noisy-line", lr=1e-9, epochs=1, set=(("n", 60_000),))
        losses.append(Trainer(experiment, load_problem(experiment)).snapshot().loss)
    assert losses[1] == pytest.approx(3 * losses[0])


@pytest.mark.parametrize(
    "line",
    [
        "memory = {'name': 'x', 3: 4.0}",
        "SEEN[0] = theta[0]",
        "again(3)",
        "open",
    ],
)
def test_what_cannot_be_compiled_runs_all_the_same(write: Write, line: str) -> None:
    model = SQUARED.replace("    residual", f"    {line}\n    residual", 1)
    again = "def again(k):\n    return 0.0 if k <= 0 else again(k - 1)\n"
    name = write("SEEN = {}\n" + again + model)
    experiment = Experiment(problem=name, data="noisy-line", lr=1e-6, epochs=1, set=(("n", 50_000),))
    assert Trainer(experiment, load_problem(experiment)).advance().state == "finished"


def test_a_gradient_that_is_written_as_a_list_is_refused_before_the_run(write: Write) -> None:
    with pytest.raises(InputError, match="fails: TypeError"):
        load(write(SQUARED.replace("g[0] = 2 * residual * x[0]", "g[:] = [2 * residual * x[0]]")))


def test_a_file_that_is_changed_at_once_to_the_same_length_is_read_anew(write: Write) -> None:
    losses = []
    for scale in ("1.0", "3.0", "5.0"):
        name = write(
            f"SCALE = {scale}\n" + SQUARED.replace("residual * r", "SCALE * residual * r").replace("2 *", "SCALE * 2 *")
        )
        losses.append(Trainer(Experiment(problem=name), load(name)).snapshot().loss)
    assert losses == pytest.approx([losses[0], 3 * losses[0], 5 * losses[0]])
