"""Followed pipes: what is printed is read, its writer never waits, and is not ended when nobody watches any more."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, BinaryIO

import pytest

from gdtui.experiment import InputError
from gdtui.training.curves import Column
from gdtui.training.logs import piped
from gdtui.training.logs.follow import follow
from gdtui.training.logs.piped import FollowedPipe, terminal_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gdtui.training.training import Training

ROOT = str(Path(__file__).parents[2])


class Pipe:
    """A pipe that a test writes into, and its follower."""

    def __init__(self) -> None:
        reading, self.end = os.pipe()
        self.log = FollowedPipe(os.fdopen(reading, "rb", buffering=0))
        self.training: Training | None = None

    def write(self, text: bytes) -> None:
        while text:
            text = text[os.write(self.end, text) :]

    def close(self) -> None:
        with suppress(OSError):
            os.close(self.end)

    def see(self, is_there: Callable[[Training], object]) -> Training:
        """Look until something is there to be seen."""
        until = monotonic() + 20
        while self.training is None or not is_there(self.training):
            assert monotonic() < until, self.training
            self.training = self.log.look() or self.training
            sleep(0.005)
        return self.training


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def losses(training: Training) -> list[float]:
    return training.curves["loss"][:, Column.VALUE].tolist() if "loss" in training.curves else []


def test_what_is_printed_is_read_as_it_comes_and_the_end_is_the_end(pipe: Pipe) -> None:
    pipe.write(b"loading\nEpoch 1/2 loss=3\n")
    training = pipe.see(lambda training: losses(training) == [3])
    assert training.state == "running"
    assert [line for _, line in training.lines] == ["loading", "Epoch 1/2 loss=3"]
    pipe.write(b"Epoch 2/2 loss=2\nloss=1")
    pipe.close()
    training = pipe.see(lambda training: training.state == "finished")
    assert losses(training) == [3, 2, 1]
    assert pipe.log.look() is None
    assert not pipe.log.is_open


def test_before_anything_is_printed_there_is_an_empty_training(pipe: Pipe) -> None:
    training = pipe.log.look()
    assert training is not None
    assert (training.state, dict(training.curves), training.lines) == ("running", {}, ())


def test_seconds_are_when_it_was_read(pipe: Pipe) -> None:
    pipe.write(b"a\nloss=3\n")
    training = pipe.see(losses)
    assert 0 <= training.curves["loss"][0, Column.SECONDS] < 60


def test_a_single_line_is_read_once_nothing_more_comes(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piped, "REST_S", 0.05)
    pipe.write(b"loss=0.5")
    pipe.see(lambda training: losses(training) == [0.5])
    pipe.write(b"3\n")
    pipe.see(lambda training: losses(training) == [0.53])


def test_a_writer_does_not_wait_for_somebody_to_look_and_what_is_dropped_is_said(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piped, "MOST", 1 << 20)
    lines = 400_000
    writer = Thread(target=lambda: pipe.write(b"".join(b"loss=%d\n" % line for line in range(lines))), daemon=True)
    writer.start()
    writer.join(20)
    assert not writer.is_alive()
    pipe.close()
    training = pipe.see(lambda training: training.state == "finished")
    points = training.curves["loss"]
    assert points[-1, Column.VALUE] == lines - 1
    assert training.dropped > 0
    # What is left has neither half a number nor one of the dropped.
    assert points[:, Column.VALUE].tolist() == sorted(points[:, Column.VALUE].tolist())
    assert training.values + training.dropped == pytest.approx(lines, abs=2)


def test_a_follower_that_is_closed_neither_holds_its_writer_up_nor_ends_it(pipe: Pipe) -> None:
    pipe.log.close()
    writer = Thread(target=lambda: pipe.write(b"loss=1\n" * 10**6), daemon=True)
    writer.start()
    writer.join(20)
    assert not writer.is_alive()


def test_what_is_printed_after_the_dashboard_is_passed_on_to_its_end(
    pipe: Pipe, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.BytesIO()
    passing = Thread(target=pipe.log.pass_on, args=(out,), daemon=True)
    passing.start()
    pipe.write(b"loss=1\n" * 1000)
    pipe.close()
    passing.join(20)
    assert out.getvalue() == b"loss=1\n" * 1000
    assert capsys.readouterr().err.count("\n") == 1


def test_what_nobody_reads_any_more_is_passed_on_to_nowhere(pipe: Pipe) -> None:
    class Closed(io.BytesIO):
        def write(self, _: object) -> int:
            raise BrokenPipeError

    out: BinaryIO = Closed()
    passing = Thread(target=pipe.log.pass_on, args=(out,), daemon=True)
    passing.start()
    pipe.write(b"loss=1\n" * 10**6)
    pipe.close()
    passing.join(20)
    assert not passing.is_alive()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_named_pipe_is_followed_before_its_writer_comes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    followed = follow(str(path))
    assert followed.look() is not None
    until = monotonic() + 20
    with path.open("wb", buffering=0) as writer:
        writer.write(b"begin\nloss=3\n")
    training = None
    while training is None or training.state != "finished":
        assert monotonic() < until
        training = followed.look() or training
    assert losses(training) == [3]


AT_A_TERMINAL = """
import os, pty, sys
from gdtui.training.logs.piped import terminal_input
pipe = terminal_input()
print(os.isatty(0), sys.stdin.isatty(), sys.stdin.readline().strip(), pipe.read().decode().strip())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a pty is POSIX's")
def test_keys_come_from_the_terminal_and_the_log_from_the_pipe() -> None:
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv("/bin/sh", ["sh", "-c", 'echo "loss=1" | "$0" -c "$1"', sys.executable, AT_A_TERMINAL])
    os.write(terminal, b"key\n")
    seen = b""
    with suppress(OSError):  # the terminal has gone with its program
        while piece := os.read(terminal, 1000):
            seen += piece
    os.waitpid(child, 0)
    os.close(terminal)
    assert b"True True key loss=1" in seen


@pytest.mark.parametrize(
    ("stdin", "words"), [(subprocess.PIPE, "there is none here"), (None, "standard input is closed")]
)
def test_without_a_terminal_or_a_pipe_one_line_says_so(stdin: int | None, words: str) -> None:
    program = (
        "from gdtui.training.logs.piped import terminal_input\ntry: terminal_input()\nexcept ValueError as e: print(e)"
    )
    command = [sys.executable, "-c", program] if stdin else ["sh", "-c", '"$0" -c "$1" <&-', sys.executable, program]
    done = subprocess.run(
        command, stdin=stdin, capture_output=True, text=True, cwd=ROOT, start_new_session=True, check=True, timeout=60
    )
    assert words in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_terminal_is_no_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: True)
    with pytest.raises(InputError, match=r"python train.py \| gdtui watch -"):
        terminal_input()
