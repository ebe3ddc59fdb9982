"""A dashboard that is hung up on, killed or suspended loses nothing of its run; the terminal is as it was."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from functools import cache
from typing import TYPE_CHECKING

import pytest

from gdtui.descent.history import Column
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.problems.loading import load_problem
from gdtui.runs.store import Store
from tests.terminal.conftest import SHELL

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Terminal

    from gdtui.descent.snapshot import Snapshot

    Start = Callable[..., Terminal]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys")

LEAVING = {
    "hung up": lambda terminal: terminal.hang_up(),
    "SIGHUP": lambda terminal: terminal.kill(signal.SIGHUP),
    "SIGTERM": lambda terminal: terminal.kill(signal.SIGTERM),
    "q": lambda terminal: terminal.press("q"),
}


RUN = Experiment(problem="saddle", order="shuffle", epochs=1500, lr=0.01)


@cache
def whole() -> Snapshot:
    """The end of that run where nobody leaves it."""
    return Trainer(RUN, load_problem(RUN)).advance()


@pytest.mark.parametrize("how", LEAVING)
def test_a_run_that_is_left_in_mid_run_can_be_gone_on_with_to_the_same_bits(
    terminal: Start, gdtui: Callable[..., object], how: str
) -> None:
    started = terminal("--experiment", RUN.to_line(), "--play")
    started.shows(r"epoch +[1-9]\d*/1,500")
    started.press(">>")
    started.shows(r"50 epochs/s")
    LEAVING[how](started)
    started.ends()
    (run,) = Store().runs()
    assert run.state == "interrupted"
    assert 0 < run.epoch < RUN.epochs
    assert gdtui("resume", run.id).status == 0
    (again,) = Store().runs()
    kept = Store().record(run.id)
    assert (again.id, again.state) == (run.id, "finished")
    assert kept.theta.tobytes() == whole().theta.tobytes()
    columns = [column for column in Column if column is not Column.SECONDS]
    assert kept.history.rows[:, columns].tobytes() == whole().history.rows[:, columns].tobytes()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no shell with job control")
def test_ctrl_z_goes_back_to_the_shell_and_fg_returns(terminal: Start) -> None:
    shell = terminal(*SHELL, PS1="ready$ ")
    shell.shows(r"ready\$")
    shell.press(f"{sys.executable} -m gdtui --epochs 100000 --play\n")
    shell.shows(r"running +epoch +[1-9]")
    shell.press("\x1a")
    shell.shows(r"Stopped")
    shell.press("echo it is $((40 + 2))\n")  # it echoes, and a line is a line again
    shell.shows(r"it is 42")
    assert shell.output.count(b"\x1b[?1049l") == 1  # the shell's own screen is back
    (run,) = Store().runs()
    assert run.is_made  # by a process that waits
    shell.press("fg\n")
    shell.shows(r"1 Experiment")
    before = shell.text
    shell.until(lambda: shell.text != before)
    shell.press("q")
    shell.until(lambda: shell.output.rstrip().endswith(b"ready$"))
    deadline = time.monotonic() + 30
    while Store().runs()[0].is_made:
        assert time.monotonic() < deadline
    assert Store().runs()[0].epoch >= run.epoch
    shell.press("exit\n")
    assert shell.ends() == 0
