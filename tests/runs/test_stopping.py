"""Stopping: signals end a run in good order; what was made is kept, and it can be gone on with."""

from __future__ import annotations

import os
import pty
import signal
import sqlite3
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from making import child, differences, gone_on, trainer_of

from gdtui.runs.keeper import LAST_WORDS_S
from gdtui.runs.store import Store

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from gdtui.descent.record import Record

RUN = "-m", "gdtui", "run", "--lr", "1e-6", "--epochs", "400000"


@cache
def undisturbed() -> Record:
    """What is known at the end of that run where nothing stops it."""
    trainer = trainer_of("lr=1e-6 epochs=400000")
    trainer.advance()
    return trainer.record()


def _wait_until(what: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("output", ["progress", "jsonl"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_that_can_be_gone_on_with(tmp_path: Path, name: str, output: str) -> None:
    store, number = Store(tmp_path / "runs.sqlite"), getattr(signal, name)
    with (tmp_path / "out").open("w") as out:
        process = child(tmp_path, *RUN, "--format", output, stdout=out)
        _wait_until(store.runs)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    (run,) = store.runs()
    assert err == f"gdtui: interrupted; gdtui resume {run.id} goes on with it\n"
    assert (run.state, run.is_made) == ("interrupted", False)
    assert differences(gone_on(store, run).record(), undisturbed()) == []


def test_a_terminal_that_has_gone_before_its_signal_comes_ends_it_as_one_that_goes(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.close(ours)
    process = child(tmp_path, *RUN, "--format", "jsonl", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    assert process.wait(timeout=60) == 129


def test_a_terminal_that_goes_away_leaves_the_run_to_be_gone_on_with(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    ours, theirs = pty.openpty()

    def own_terminal() -> None:
        import fcntl
        import termios

        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = child(tmp_path, *RUN, **streams, preexec_fn=own_terminal)
    os.close(theirs)
    _wait_until(store.runs)
    os.close(ours)
    assert process.wait(timeout=60) == 129
    (run,) = store.runs()
    assert (run.state, run.is_made) == ("interrupted", False)


def test_a_run_that_ignores_hang_ups_goes_on(tmp_path: Path) -> None:
    """As nohup has it, and a shell's background jobs with Ctrl-C."""
    store = Store(tmp_path / "runs.sqlite")

    def nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = child(tmp_path, *RUN, "--format", "progress", preexec_fn=nohup)
    _wait_until(store.runs)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert store.runs()[0].state == "finished"


def test_what_waits_for_a_locked_store_is_told_and_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    process = child(tmp_path, *RUN[:-1], "1e9", "--format", "progress")
    _wait_until(store.runs)
    with closing(sqlite3.connect(store.path, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN EXCLUSIVE")
        kept = store.runs()[0]
        time.sleep(0.6)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 143
        assert err.splitlines() == [
            f"gdtui: this run is not kept beyond epoch {kept.epoch:,}: another process has locked the store",
            f"gdtui: interrupted; gdtui resume {kept.id} goes on with it",
        ]
        process = child(tmp_path, *RUN[:-1], "1e9", "--format", "progress")
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert time.monotonic() - began < LAST_WORDS_S  # which is what it would wait for the store
        assert process.returncode == 143


def test_a_closed_pipe_leaves_a_run_that_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    process: subprocess.Popen[str] = child(tmp_path, *RUN, "--format", "jsonl")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 0
    (run,) = store.runs()
    assert run.epoch > 0
    assert not run.is_made
