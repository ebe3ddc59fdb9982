"""`gdtui run`: what it writes."""

from __future__ import annotations

import math
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Finished

    Command = Callable[..., Finished]

GOLDEN = Path(__file__).parent / "golden"
OLD_FAITHFUL = (
    *("--problem", "affine", "--features", "eruptions", "--target", "waiting", "--standardize"),
    *("--lr", "0.1", "--epochs", "500"),
)


# --- the tutorial's lines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "golden"),
    [
        (("--batch-size", "full"), "gradient-descent.txt"),
        ((), "stochastic-gradient-descent.txt"),
    ],
)
def test_the_tutorial_s_output_comes_out_byte_for_byte(gdtui: Command, options: tuple[str], golden: str) -> None:
    finished = gdtui("run", *options, "--format", "tutorial")
    assert finished.out.encode() == (GOLDEN / golden).read_bytes()
    assert (finished.status, finished.err) == (0, "")


def test_a_subprocess_writes_the_same_bytes() -> None:
    command = [sys.executable, "-m", "gdtui", "run", "--format", "tutorial"]
    finished = subprocess.run(command, capture_output=True, check=True)
    assert finished.stdout == (GOLDEN / "stochastic-gradient-descent.txt").read_bytes()


def test_with_several_features_nothing_is_predicted_at_one_x(gdtui: Command, tmp_path: Path) -> None:
    path = tmp_path / "plane.csv"
    path.write_text("a,b,y\n1,2,3\n2,1,4\n")
    lines = gdtui("run", "--data", str(path), "--epochs", "1", "--format", "tutorial").out.splitlines()
    assert lines[0] == "\tgrad 1.0 2.0 3.0 0.0 0.0"
    assert lines[-1].startswith("Epoch 0 w= ")


# --- JSON lines ------------------------------------------------------------------------------------------------------


def test_json_lines_are_what_is_written_without_a_terminal(gdtui: Command) -> None:
    assert gdtui("run").out == gdtui("run", "--format", "jsonl").out


def test_json_lines_start_with_the_experiment(gdtui: Command) -> None:
    start, *_ = gdtui("run", "--epochs", "2", "--init", "0.5").records()
    assert start == {
        "type": "start",
        "experiment": {
            "problem": "linear",
            "data": "tutorial",
            "features": [],
            "target": "",
            "standardize": False,
            "drop-missing": False,
            "optimizer": "sgd",
            "lr": 0.01,
            "schedule": "constant",
            "batch-size": 1,
            "order": "sequential",
            "epochs": 2,
            "seed": 0,
            "init": [0.5],
            "set": {},
        },
        "samples": 3,
        "parameters": 1,
    }


def test_json_lines_have_a_line_for_each_epoch_in_order(gdtui: Command) -> None:
    finished = gdtui("run", "--epochs", "5", "--batch-size", "2")
    epochs = finished.records("epoch")
    assert [list(epoch) for epoch in epochs] == [["type", "epoch", "updates", "loss", "lr", "theta"]] * 5
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3, 4, 5]
    assert [epoch["updates"] for epoch in epochs] == [2, 4, 6, 8, 10]
    assert {epoch["lr"] for epoch in epochs} == {0.01}
    assert [record["type"] for record in finished.records()] == ["start", *["epoch"] * 5, "end"]


def test_numbers_are_written_in_full(gdtui: Command) -> None:
    experiment = Experiment(batch_size="full", epochs=1)
    snapshot = Trainer(experiment, load_problem(experiment)).advance()
    (epoch,) = gdtui("run", "--batch-size", "full", "--epochs", "1").records("epoch")
    assert (epoch["loss"], epoch["theta"]) == (snapshot.loss, snapshot.theta.tolist())


def test_json_lines_end_with_what_became_of_it(gdtui: Command) -> None:
    finished = gdtui("run", "--epochs", "2")
    *_, last, end = finished.records()
    assert end == {
        "type": "end",
        "state": "finished",
        "epoch": 2,
        "updates": 6,
        "loss": last["loss"],
        "theta": last["theta"],
        "verdict": "Finished 2 epochs, 6 updates: loss 4.667 → 1.394.",
    }
    assert finished.status == 0


def test_samples_have_a_line_for_each_visit_before_their_epoch_s(gdtui: Command) -> None:
    finished = gdtui("run", "--epochs", "2", "--batch-size", "2", "--samples")
    kinds = [record["type"] for record in finished.records()]
    assert kinds == ["start", *["sample"] * 3, "epoch", *["sample"] * 3, "epoch", "end"]
    samples = finished.records("sample")
    assert {tuple(sample) for sample in samples} == {("type", "epoch", "update", "sample", "loss", "gradient")}
    assert [(s["epoch"], s["update"], s["sample"]) for s in samples] == [
        *[(1, 1, 0), (1, 1, 1), (1, 2, 2)],
        *[(2, 3, 0), (2, 3, 1), (2, 4, 2)],
    ]
    assert (samples[0]["loss"], samples[0]["gradient"]) == (1.0, [-2.0])


def test_samples_that_are_drawn_again_have_a_line_for_each_draw(gdtui: Command) -> None:
    options = ("--order", "replacement", "--epochs", "4", "--batch-size", "full", "--samples", "--seed", "1")
    samples = gdtui("run", *options).records("sample")
    per_epoch = Counter(sample["epoch"] for sample in samples)
    assert per_epoch == {1: 3, 2: 3, 3: 3, 4: 3}
    seen = Counter((sample["epoch"], sample["sample"]) for sample in samples)
    assert max(seen.values()) > 1
    for (epoch, i), count in seen.items():  # within a full batch θ stands still
        losses = {s["loss"] for s in samples if (s["epoch"], s["sample"]) == (epoch, i)}
        assert len(losses) == 1, (epoch, i, count)


INSTRUMENT_KEYS = [
    *("type", "epoch", "updates", "grad_norm", "noise_scale", "alignment", "conflicts", "largest_share", "diversity"),
    *("alpha", "update_size", "distance", "sharpness"),
]


def test_instruments_have_a_line_for_each_tracked_epoch_after_its_own(gdtui: Command) -> None:
    finished = gdtui("run", "--epochs", "3", "--batch-size", "full", "--format", "jsonl", "--instruments")
    assert [record["type"] for record in finished.records()] == ["start", *["epoch", "instruments"] * 3, "end"]
    lines = finished.records("instruments")
    assert [list(line) for line in lines] == [INSTRUMENT_KEYS] * 3
    assert [(line["epoch"], line["updates"]) for line in lines] == [(1, 1), (2, 2), (3, 3)]
    thetas = [epoch["theta"][0] for epoch in finished.records("epoch")]
    for line, theta in zip(lines, thetas, strict=True):
        assert line["grad_norm"] == pytest.approx(28 / 3 * (2 - theta), rel=1e-12)
        assert line["sharpness"] == pytest.approx(28 / 3, rel=1e-12)
        assert line["noise_scale"] == pytest.approx(0.75, rel=1e-12)
        assert line["distance"] == pytest.approx(theta - 1, rel=1e-12)
        assert line["alpha"] == pytest.approx(28 / 3 * 0.01 - 1, rel=1e-9)
        assert line["conflicts"] == 0
        assert type(line["conflicts"]) is int


def test_instruments_that_are_undefined_are_null(gdtui: Command) -> None:
    options = ("--format", "jsonl", "--instruments", "--init", "2", "--epochs", "1")
    (line,) = gdtui("run", *options).records("instruments")  # at the minimum there is no direction
    assert (line["grad_norm"], line["noise_scale"], line["alignment"]) == (0.0, None, None)


def test_a_long_run_s_instruments_are_a_thousand_lines_or_so(gdtui: Command) -> None:
    options = ("--format", "jsonl", "--instruments", "--epochs", "5000", "--lr", "1e-5", "--batch-size", "full")
    epochs = [line["epoch"] for line in gdtui("run", *options).records("instruments")]
    assert epochs == sorted({*range(1, 101), *range(105, 5001, 5)})


def test_instruments_are_not_tracked_unless_they_are_asked_for(gdtui: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("tracked")

    monkeypatch.setattr("gdtui.insight.tracked.Tracker.__call__", refuse)
    assert gdtui("run", "--no-keep", "--format", "jsonl", "--epochs", "2").records("instruments") == []


@pytest.mark.parametrize("options", [("--format", "progress"), ("--format", "tutorial")])
def test_instruments_are_lines_of_json_and_of_no_other_format(gdtui: Command, options: tuple[str, ...]) -> None:
    finished = gdtui("run", *options, "--instruments")
    assert (finished.status, finished.out) == (2, "")
    assert finished.err == "gdtui: --instruments writes JSON lines: use it with --format jsonl\n"


@pytest.mark.parametrize("options", [(), ("--problem", "mlp", "--set", "hidden=2", "--order", "shuffle")])
def test_instruments_are_the_same_bits_compiled_and_interpreted(
    gdtui: Command, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    command = ("run", *options, "--format", "jsonl", "--instruments", "--epochs", "6")
    interpreted = gdtui(*command)
    begin = Trainer.__init__

    def compiled(self: Trainer, *arguments: object) -> None:
        from gdtui.descent.compiler import compiled

        begin(self, *arguments)
        kernel = compiled(self.problem.model.loss, self._method.rule.update, self._engine.sizes)
        assert kernel is not None
        self._engine.use(kernel)

    monkeypatch.setattr(Trainer, "__init__", compiled)
    assert gdtui(*command).out == interpreted.out
    assert interpreted.records("instruments")


def test_what_is_not_finite_is_null(gdtui: Command) -> None:
    finished = gdtui("run", "--batch-size", "full", "--lr", "1e200", "--samples")
    (epoch,) = finished.records("epoch")
    (end,) = finished.records("end")
    assert epoch["loss"] is end["loss"] is None
    assert math.isfinite(epoch["theta"][0])


def test_the_same_command_writes_the_same_bytes(gdtui: Command) -> None:
    command = ("run", "--data", "faithful", *OLD_FAITHFUL, "--batch-size", "16", "--order", "shuffle", "--seed", "7")
    first, again, other = gdtui(*command), gdtui(*command), gdtui(*command[:-1], "8")
    assert first.out == again.out
    assert first.out != other.out


def test_old_faithful_comes_to_its_least_squares_solution_from_a_file_of_one_s_own_too(
    gdtui: Command, tmp_path: Path
) -> None:
    dataset = load_problem(Experiment(data="faithful")).dataset
    path = tmp_path / "geyser.csv"
    rows = zip(dataset.y.tolist(), dataset.x[:, 0].tolist(), strict=True)
    path.write_text("waiting,eruptions\n" + "".join(f"{waiting!r},{eruption!r}\n" for waiting, eruption in rows))
    x = (dataset.x[:, 0] - dataset.x[:, 0].mean()) / dataset.x[:, 0].std()
    slope, intercept = np.polyfit(x, dataset.y, 1)
    for data in ("faithful", str(path)):
        (end,) = gdtui("run", "--data", data, *OLD_FAITHFUL, "--batch-size", "full").records("end")
        assert end["theta"] == pytest.approx([slope, intercept], abs=1e-6)


# --- a progress bar, then a summary ----------------------------------------------------------------------------------


def test_progress_without_a_terminal_is_the_summary_alone(gdtui: Command) -> None:
    finished = gdtui("run", "--format", "progress", "--epochs", "20", "--batch-size", "2")
    rows = dict(line.split(maxsplit=1) for line in finished.out.splitlines() if len(line.split()) > 1)
    assert rows["problem"].strip() == "linear on tutorial, n = 3"
    assert rows["method"].strip() == "sgd, batch size 2, lr 0.01"
    assert rows["state"].strip() == "finished"
    assert rows["epochs"].strip() == "20 of 20"
    assert rows["updates"].strip() == "40"
    assert float(rows["w"]) == pytest.approx(2.0, abs=0.2)
    assert "Finished 20 epochs, 40 updates" in " ".join(finished.out.split())
    assert "\x1b" not in finished.out
    assert finished.err == ""


def test_progress_on_a_terminal_shows_the_epochs_go_by() -> None:
    command = [sys.executable, "-m", "gdtui", "run", "--epochs", "30"]
    screen = shown_in_a_terminal(command, TERM="xterm-256color").decode()
    assert "30/30" in screen
    assert "Finished 30 epochs, 90 updates" in " ".join(screen.split())
    assert screen.endswith("\n")


def test_progress_says_how_many_rows_were_left_out(gdtui: Command, tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text("x,y\n1,2\n2,\n,3\n4,5\n")
    finished = gdtui("run", "--data", str(path), "--drop-missing", "--format", "progress", "--lr", "0.001")
    assert "2 rows with missing values" in finished.out


@pytest.mark.parametrize("name", ["[red]x.csv", "[link=y].csv", "a\x1b[31mb.csv", "x'; drop table t; --.csv"])
def test_names_are_shown_as_they_are_and_obeyed_by_nobody(
    gdtui: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("x,y\n1,2\n2,4\n")
    finished = gdtui("run", "--data", name, "--format", "progress")
    assert finished.status == 0
    assert f"linear on {name}, n = 2".replace("\x1b", "\\x1b") in finished.out
    assert "\x1b" not in finished.out


def shown_in_a_terminal(command: list[str], **environment: str) -> bytes:
    """All that a command writes to a terminal that is its input and output."""
    leader, follower = pty.openpty()
    env = os.environ | environment
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=env):
        os.close(follower)
        screen = b""
        try:
            while chunk := os.read(leader, 65536):
                screen += chunk
        except OSError:
            pass  # how Linux says that the other side has closed
    os.close(leader)
    return screen
