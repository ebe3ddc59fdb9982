"""How `gdtui run` ends: its exit status, and what it leaves behind when it is cut short."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gdtui import headless
from gdtui.descent import engine as engine_module
from gdtui.descent.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Finished

    from gdtui.descent.snapshot import Snapshot

    Command = Callable[..., Finished]


@pytest.mark.parametrize("output", ["jsonl", "tutorial", "progress"])
def test_divergence_is_exit_status_3_and_says_when(gdtui: Command, output: str) -> None:
    finished = gdtui("run", "--lr", "0.25", "--batch-size", "full", "--epochs", "10000", "--format", output)
    told = " ".join((finished.out if output == "progress" else finished.err).split())
    assert finished.status == 3
    assert "Diverged in epoch 49: the loss is 8.18e+12, over 4.67e+12." in told
    assert "The last finite θ is kept: w = 1.32434e+06." in told
    assert finished.err.count("\n") == (0 if output == "progress" else 1)


def test_convergence_is_exit_status_0(gdtui: Command) -> None:
    finished = gdtui("run", "--lr", "0.05", "--epochs", "1000")
    assert (finished.status, finished.records()[-1]["state"]) == (0, "converged")


def test_ctrl_c_ends_a_run_with_status_130_and_an_end_record() -> None:
    command = [sys.executable, "-m", "gdtui", "run", "--epochs", "1e9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    end = json.loads(out.splitlines()[-1])
    assert process.returncode == 130
    assert json.loads(first)["experiment"]["epochs"] == 1_000_000_000
    assert (end["type"], end["state"]) == ("end", "interrupted")
    assert end["verdict"].startswith("Interrupted at ")
    assert re.fullmatch(GOES_ON if end["updates"] else "", err)  # of what had not begun nothing is kept


GOES_ON = r"gdtui: interrupted; gdtui resume [0-9a-f]{8} goes on with it\n"


class Interrupting(io.StringIO):
    """An output during whose writing of some text somebody presses Ctrl-C, so many times."""

    def __init__(self, text: str, times: int = 1) -> None:
        super().__init__()
        self._text, self._times = text, times

    def write(self, text: str) -> int:
        if self._text in text and self._times > 0:
            self._times -= 1
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


@pytest.mark.parametrize(("when", "epochs"), [('"type": "start"', 0), ('"epoch": 1,', 1), ('"epoch": 7,', 7)])
def test_an_interrupted_run_ends_with_the_epoch_that_was_written(
    monkeypatch: pytest.MonkeyPatch, when: str, epochs: int
) -> None:
    from gdtui.cli import main

    out = Interrupting(when)
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        assert main(["run", "--format", "jsonl"]) == 130
    written = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [r["epoch"] for r in written if r["type"] == "epoch"] == list(range(1, epochs + 1))
    assert (written[-1]["state"], written[-1]["epoch"]) == ("interrupted", epochs)
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("output", ["jsonl", "tutorial", "progress"])
@pytest.mark.parametrize("slices", [1, 4, 8, 9, 10])
def test_an_interrupt_at_any_slice_writes_whole_epochs_once(
    gdtui: Command, monkeypatch: pytest.MonkeyPatch, slices: int, output: str
) -> None:
    calls = 0

    def advance(trainer: Trainer, *arguments: Any, **options: Any) -> Snapshot:
        nonlocal calls
        calls += 1
        if calls == slices:
            signal.raise_signal(signal.SIGINT)
        return original(trainer, *arguments, **options)

    original = Trainer.advance
    monkeypatch.setattr(engine_module, "SLICE", 1)
    monkeypatch.setattr(headless, "SLICE_S", 0)
    monkeypatch.setattr(Trainer, "advance", advance)
    finished = gdtui("run", "--format", output)
    assert finished.status == 130
    assert re.fullmatch(GOES_ON, finished.err)
    if output == "jsonl":
        epochs = [record["epoch"] for record in finished.records("epoch")]
        assert epochs == list(range(1, slices // 5 + 1))  # an epoch is three visits and, after each third, two more
        assert finished.records()[-1]["epoch"] == len(epochs)
    if output == "progress":
        assert "interrupted" in finished.out


def test_an_interrupted_epoch_s_visits_are_written_too(gdtui: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def advance(trainer: Trainer, *arguments: Any, **options: Any) -> Snapshot:
        signal.raise_signal(signal.SIGINT)
        return original(trainer, *arguments, **options)

    original = Trainer.advance
    monkeypatch.setattr(engine_module, "SLICE", 2)
    monkeypatch.setattr(headless, "SLICE_S", 0)
    monkeypatch.setattr(Trainer, "advance", advance)
    finished = gdtui("run", "--samples")
    assert [record["type"] for record in finished.records()] == ["start", "sample", "sample", "end"]
    assert [(s["epoch"], s["update"]) for s in finished.records("sample")] == [(1, 1), (1, 2)]


def test_a_second_ctrl_c_ends_it_at_once_and_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    from gdtui.cli import main

    out = Interrupting("epoch", times=2)  # at the start record and at the end record
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        assert main(["run", "--format", "jsonl"]) == 130
    assert '"end"' not in out.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_ends_a_model_that_loops_for_ever(tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text(
        "def line(theta, x, y, g):\n"
        "    while theta[0] > 1.5: pass\n"
        "    g[0] = 2 * (theta[0] * x[0] - y) * x[0]\n"
        "    return (theta[0] * x[0] - y) ** 2\n"
    )
    command = [sys.executable, "-m", "gdtui", "run", "--problem", f"{model}:line", "--format", "jsonl", "--init", "0.0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.startswith("gdtui: interrupted; gdtui resume ")
    assert err.count("\n") == 1
    assert all(json.loads(line) for line in out.splitlines())


def buffered() -> dict[str, str]:
    """The environment, with what is written kept back until there is enough."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("reader", ["head -1", "true"])
@pytest.mark.parametrize(
    "options",
    ["run", "run --epochs 1", "run --epochs 5000", "run --format progress", "run --format tutorial", "--help"],
)
def test_a_closed_pipe_ends_it_quietly(options: str, reader: str) -> None:
    script = f'"{sys.executable}" -m gdtui {options} | {reader} >/dev/null; exit "${{PIPESTATUS[0]}}"'
    finished = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=buffered(), check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full, the disk that is always full")
@pytest.mark.parametrize("options", ["--epochs 1", "--epochs 1000", "--format progress"])
def test_a_full_disk_is_one_line(options: str) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "gdtui", "run", *options.split()]
        finished = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=buffered(), check=False)
    assert (finished.returncode, finished.stderr) == (1, "gdtui: [Errno 28] No space left on device\n")


def test_an_encoding_without_arrows_gets_what_looks_like_one() -> None:
    command = [sys.executable, "-m", "gdtui", "run", "--format", "progress"]
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    finished = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "4.667 -> 2.723e-26." in finished.stdout


WRITING = """
import time
from threading import Thread
from gdtui import __main__

def write():
    time.sleep(0.5)
    print("written", flush=True)

def main():
    Thread(target=time.sleep, args=(600,), daemon=True).start()
    Thread(target=write).start()
    return 3

__main__.main = main
__main__.run()
"""


def test_what_must_be_finished_is_waited_for_and_nothing_else() -> None:
    finished = subprocess.run([sys.executable, "-c", WRITING], capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (3, "written\n", "")
