"""Recorder: what a loop logs is what whoever follows the run sees."""

from __future__ import annotations

import math
import sys
from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from recorded import ran, seen, store_in, wait_until

import gdtui
from gdtui.experiment import InputError
from gdtui.insight.instruments import alignments, measure
from gdtui.runs.store import Store
from gdtui.training import writer as writer_module
from gdtui.training.curves import Column
from gdtui.training.moment import Number

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / "runs.sqlite")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "WRITE_EVERY_S", 0.02)


def test_what_is_logged_is_what_is_seen(store: Store) -> None:
    with gdtui.Recorder("cnn") as run:
        for i in range(100):
            run.log(step=10 * i, epoch=i / 50, loss=1 / (i + 1), lr=0.1)
    training = seen(store, "cnn")
    loss = training.curves["loss"]
    assert loss[:, Column.STEP].tolist() == [10 * i for i in range(100)]
    assert loss[:, Column.EPOCH].tolist() == [i / 50 for i in range(100)]
    assert loss[:, Column.VALUE].tolist() == [1 / (i + 1) for i in range(100)]
    assert (np.diff(loss[:, Column.SECONDS]) >= 0).all()
    assert list(training.curves) == ["loss", "lr"]
    assert (training.name, training.state, training.reason) == ("cnn", "finished", "")
    assert (training.values, training.dropped, training.read) == (200, 0, 1.0)
    assert (run.dropped, run.problem) == (0, "")


def test_the_list_of_runs_shows_where_it_stands(store: Store) -> None:
    config = {"lr": 0.1, "batch_size": 64, "model": "cnn"}
    with gdtui.Recorder("cnn", config, tags="mnist,first", note="why") as run:
        run.log(step=7, epoch=2.5, loss=0.5, accuracy=0.9)
        run.samples([3, 4], [0.1, 0.2])
        wait_until(lambda: store.find("cnn").updates)
        line = store.find("cnn")
        assert (line.state, line.epoch, line.updates, line.loss, line.samples) == ("running", 2, 7, 0.5, 2)
        assert line.is_made
    line = store.find("cnn")
    assert (line.id, line.name, line.tags, line.note) == (run.id, "cnn", ("mnist", "first"), "why")
    assert line.settings == line.experiment == "training lr=0.1 batch_size=64 model=cnn"
    assert line.is_training
    assert not line.is_made


def test_it_is_there_before_anything_is_logged(store: Store) -> None:
    run = gdtui.Recorder("early")
    assert store.find("early").id == run.id
    run.close()


def test_the_loss_of_the_list_is_a_loss(store: Store) -> None:
    with gdtui.Recorder("one") as run:
        run.log(accuracy=0.5)
    assert math.isnan(store.find("one").loss)
    with gdtui.Recorder("two") as run:
        run.log(val_loss=2.0)
        run.log({"train/loss": 3.0, "accuracy": 0.5})
    assert store.find("two").loss == 3.0


# --- steps and epochs ------------------------------------------------------------------------------------------------


def _places(store: Store, run: str) -> list[list[float]]:
    return seen(store, run).curves["loss"][:, [Column.STEP, Column.EPOCH]].tolist()


def test_without_a_step_calls_are_counted(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        run.log(loss=1.0, epoch=0)
        run.log(loss=1.0)
        run.log({"loss": 1.0}, epoch=1)
        run.log(loss=1.0, step=10)
        run.log(loss=1.0)
    assert _places(store, "a") == [[1, 0], [2, 0], [3, 1], [10, 1], [11, 1]]


def test_a_step_has_several_names_and_may_be_among_the_values(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        run.log({"loss": 1.0}, 4)
        run.log(5, loss=1.0)
        run.log(loss=1.0, global_step=6)
        run.log({"loss": 1.0, "global_step": np.int64(7), "epoch": 3})
        run.log({"loss": 1.0, "step": 8})
    training = seen(store, "a")
    assert training.curves["loss"][:, Column.STEP].tolist() == [4, 5, 6, 7, 8]
    assert training.curves["loss"][:, Column.EPOCH].tolist()[3:] == [3, 3]
    assert list(training.curves) == ["loss"]


def test_samples_are_of_the_step_that_was_logged_last(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        run.log(step=30, epoch=2, loss=1.0)
        run.samples([0], [1.0])
        run.samples([0], [2.0], step=40, epoch=3)
    training = seen(store, "a")
    assert training.moments == (30, 40)
    assert training.moment is not None
    assert (training.moment.step, training.moment.epoch) == (40, 3)


# --- values ----------------------------------------------------------------------------------------------------------


def test_whatever_is_a_number_is_a_point(store: Store) -> None:
    torch = pytest.importorskip("torch", reason="tensors need torch")
    numbers: dict[str, Any] = {
        "int": 2,
        "bool": True,
        "float16": np.float16(2.5),
        "float32": np.float32(2.5),
        "int8": np.int8(3),
        "bool_": np.bool_(True),
        "array": np.array(2.5),
        "array of one": np.array([2.5]),
        "tensor": torch.tensor(2.5),
        "bfloat16": torch.tensor(2.5, dtype=torch.bfloat16),
        "of a graph": torch.tensor(2.5, requires_grad=True) * 1,
        "10**400": 10**400,
        "-10**400": -(10**400),
        "inf": math.inf,
    }
    with gdtui.Recorder("a") as run:
        run.log(numbers)
        run.log(nan=math.nan)
    curves = seen(store, "a").curves
    values = {name: curve[0, Column.VALUE] for name, curve in curves.items() if name != "nan"}
    expected = {"int": 2, "bool": 1, "int8": 3, "bool_": 1, "10**400": math.inf, "-10**400": -math.inf, "inf": math.inf}
    assert values == dict.fromkeys(numbers, 2.5) | expected
    assert math.isnan(curves["nan"][0, Column.VALUE])
    assert run.dropped == 0


def test_a_number_is_what_it_was_when_it_was_logged(store: Store) -> None:
    total = np.zeros(())
    with gdtui.Recorder("a") as run:
        for _ in range(3):
            total += 1
            run.log(total=total)
        total += 100
    assert seen(store, "a").curves["total"][:, Column.VALUE].tolist() == [1, 2, 3]


def test_text_becomes_lines_and_none_is_nothing(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        run.log(loss=1.0, phase="warm-up", val_loss=None)
        run.text("one\ntwo\tcolumns\n\x1b[31mred")
    training = seen(store, "a")
    assert [text for _, text in training.lines] == ["phase: warm-up", "one", "two     columns", r"\x1b[31mred"]
    assert [number for number, _ in training.lines] == [0, 1, 2, 3]
    assert list(training.curves) == ["loss"]
    assert (run.dropped, run.problem) == (0, "")


def test_what_is_neither_number_nor_text_is_counted_and_said_once(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with gdtui.Recorder("a") as run:
        for _ in range(3):
            run.log(loss=1.0, weights=np.zeros((2, 3)), config={"a": 1}, z=1j)
    assert run.dropped == 9
    assert run.problem == "weights must be a number or text, got ndarray of shape (2, 3)"
    assert capsys.readouterr().err.splitlines() == [f"gdtui: run a: {run.problem}"]
    training = seen(store, "a")
    assert len(training.curves["loss"]) == 3
    assert training.dropped == 9


@pytest.mark.parametrize("name", ["self", "values", "name", "a\x1b[31mb", "a\nb", "\udc80", "x" * 5000, "", " ", "λ/θ"])
def test_a_value_may_have_any_name(store: Store, name: str) -> None:
    with gdtui.Recorder("a") as run:
        run.log(**{name: 1.0})
        run.log({name: 2.0})
    (shown,) = seen(store, "a").curves
    assert shown.isprintable()
    assert shown.strip()  # it can be seen, and chosen
    assert len(shown) <= 200
    assert seen(store, "a").curves[shown][:, Column.VALUE].tolist() == [1, 2]
    assert run.problem == ""


# --- the name and the config -----------------------------------------------------------------------------------------


def test_a_name_that_another_run_has_gets_a_number(store: Store) -> None:
    names = []
    for name in ("cnn", "cnn", "cnn", "c" * 60, "c" * 60, "last", "-x", " ", ""):
        with gdtui.Recorder(name) as run:
            names.append(run.name)
    assert names == ["cnn", "cnn-2", "cnn-3", "c" * 40, "c" * 38 + "-2", "last-2", "x", "", ""]
    assert [run.name for run in reversed(store.runs())] == names


@dataclass
class Settings:
    lr: float
    betas: tuple[float, float]


@pytest.mark.parametrize(
    ("config", "line", "pairs"),
    [
        (None, "training", ()),
        ({"lr": 0.1}, "training lr=0.1", (("lr", "0.1"),)),
        ({"lr": np.float32(0.5), "n": np.int64(3)}, "training lr=0.5 n=3", (("lr", "0.5"), ("n", "3"))),
        (Settings(0.1, (0.9, 0.99)), 'training lr=0.1 betas="[0.9, 0.99]"', (("lr", "0.1"), ("betas", "[0.9, 0.99]"))),
        (Namespace(lr=0.1), "training lr=0.1", (("lr", "0.1"),)),
        ({"optimizer": {"name": "Adam W"}}, 'training optimizer/name="Adam W"', (("optimizer/name", "Adam W"),)),
        ({"on": True, "no": None}, "training on=true no=null", (("on", "true"), ("no", "null"))),
        ({"a\nb": "\x1b"}, "training a\\nb=\\x1b", (("a\\nb", "\\x1b"),)),
        ({1: math.inf}, "training 1=inf", (("1", "inf"),)),
    ],
)
def test_the_config_is_kept_as_a_line_and_as_pairs(store: Store, config: object, line: str, pairs: object) -> None:
    with gdtui.Recorder("a", config):
        pass
    assert store.find("a").settings == line
    assert seen(store, "a").config == pairs


def test_a_training_is_not_taken_for_an_experiment_of_gdtuis_own(store: Store, gdtui: Any) -> None:
    from gdtui import Recorder

    with Recorder("a", {"lr": 0.5}) as run:
        run.log(loss=1.0)
    assert "training lr=0.5" in gdtui("runs").out
    assert gdtui("resume", "a").status == 2
    with pytest.raises(InputError, match=f"run {run.id} is another program's training: gdtui watch {run.id} shows it"):
        store.record(run.id)


# --- samples ---------------------------------------------------------------------------------------------------------


def test_gradients_become_numbers_of_each_sample_and_curves_of_all(store: Store) -> None:
    gradients = np.random.default_rng(0).normal(size=(6, 3)) + 0.5
    with gdtui.Recorder("a") as run:
        run.log(step=5, loss=1.0)
        run.samples([10, 11, 12, 13, 14, 15], range(6), gradients=gradients, labels=np.array([7, 7, 8, 8, 9, 9]))
        gradients += 1e6  # they are somebody else's
    gradients -= 1e6
    moment, expected, scalars = seen(store, "a").moment, alignments(gradients), measure(gradients)
    assert moment is not None
    assert moment.samples.tolist() == [10, 11, 12, 13, 14, 15]
    assert moment.labels == ("7", "7", "8", "8", "9", "9")
    assert moment.column(Number.LOSS).tolist() == [0, 1, 2, 3, 4, 5]
    assert moment.column(Number.NORM) == pytest.approx(expected.norms, rel=1e-9)
    assert moment.column(Number.COSINE) == pytest.approx(expected.cosines, abs=1e-9)
    assert moment.column(Number.SHARE) == pytest.approx(expected.shares, abs=1e-9)
    for name in ("grad_norm", "noise_scale", "alignment", "conflicts", "largest_share", "diversity"):
        ((step, _, _, value),) = seen(store, "a").curves[name].tolist()
        assert (step, value) == (5, pytest.approx(getattr(scalars, name), rel=1e-6))
        assert moment.instruments[name] == value
    assert scalars.largest_share_sample is not None
    assert moment.instruments["largest_share_sample"] == 10 + scalars.largest_share_sample
    assert "largest_share_sample" not in seen(store, "a").curves


def test_numbers_of_samples_that_are_known_are_kept_as_they_are(store: Store) -> None:
    torch = pytest.importorskip("torch", reason="tensors need torch")
    with gdtui.Recorder("a") as run:
        run.samples(
            torch.arange(2),
            torch.tensor([1.0, 2.0], dtype=torch.bfloat16, requires_grad=True),
            norms=[3.0, 4.0],
            cosines=np.array([0.5, -0.5]),
            shares=(1.5, -0.5),
            along=[5.0, 6.0],
            across=[7.0, 8.0],
            instruments={"noise_scale": 12.0, "sharpness": torch.tensor(2.0), "alpha": None, "diversity": math.nan},
        )
    moment = seen(store, "a").moment
    assert moment is not None
    assert moment.numbers.tolist() == [[1, 3, 0.5, 1.5, 5, 7], [2, 4, -0.5, -0.5, 6, 8]]
    assert moment.instruments == {"noise_scale": 12, "sharpness": 2}
    assert list(seen(store, "a").curves) == ["noise_scale", "sharpness"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ids": [1, 2], "losses": [1.0]},
        {"ids": [1, 2], "gradients": np.zeros((3, 2))},
        {"ids": [1, 2], "gradients": np.zeros((2, 0))},
        {"ids": [1, 2], "gradients": 3.0},
        {"ids": ["a", "b"], "losses": [1.0, 2.0]},
        {"ids": [1, 2], "losses": [[1.0], [2.0, 3.0]]},
        {"ids": [1, 2], "labels": ["a"]},
        {"ids": [1, 2], "labels": 3},
        {"ids": None},
        {"ids": 1j},
        {"ids": [0.5, 1.5]},
        {"ids": [math.nan]},
        {"ids": [1], "losses": [1j]},
        {"ids": [1], "losses": [None]},
        {"ids": [1], "instruments": 3},
    ],
    ids=str,
)
def test_samples_of_wrong_shapes_are_counted_said_once_and_left_out(
    store: Store, capsys: pytest.CaptureFixture[str], wrong: dict[str, Any]
) -> None:
    with gdtui.Recorder("a") as run:
        run.samples(**wrong)
        run.samples(**wrong)
        run.samples([1], [1.0])
    assert run.dropped == 2
    assert run.problem.startswith("samples are left out: ")
    assert len(capsys.readouterr().err.splitlines()) <= 2
    training = seen(store, "a")
    assert training.moment is not None
    assert training.moment.samples.tolist() == [1]


# --- what it costs to have -------------------------------------------------------------------------------------------


def test_it_needs_numpy_and_nothing_else(home: Path) -> None:
    text = """
import sys, gdtui
with gdtui.Recorder("a") as run:
    run.log(loss=1.0)
    run.samples([1, 2], gradients=[[1.0, 2.0], [2.0, 1.0]])
    run.control()
print(*sorted({"textual", "rich", "numba", "llvmlite", "duckdb", "plotext", "torch"} & set(sys.modules)))
"""
    out, err = ran(home, text)
    assert (out.split(), err) == ([], "")
    assert "grad_norm" in seen(store_in(home), "a").curves
    assert "numpy" in sys.modules
