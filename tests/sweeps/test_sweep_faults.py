"""Faults: workers that die, a process that is killed or stopped, models that fail: the sweep goes on, or is resumed."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest
from swept import all_bits, command, kill, made, sweep_of, wait_until, workers_of

from gdtui.runs.store import Store
from gdtui.sweeps.crew import Processes
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.sweep import Sweep

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Finished

LINE = "order=shuffle epochs=20000 lr=1e-7"
OVER = "batch-size=1,2,3,full"
SEEDS = 8

needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")


def beginning(home: Path) -> subprocess.Popen[str]:
    """A sweep of some seconds, in a process of its own."""
    return command(home, "sweep", "--experiment", LINE, "--over", OVER, "--seeds", str(SEEDS), "--jobs", "2")


def some_runs(ledger: Ledger) -> str:
    """Waits until some of its runs are kept; its id."""
    sweep = wait_until(ledger.sweeps)[0].id
    wait_until(lambda: ledger.look(sweep).done >= 3)
    return str(sweep)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[object, ...]]:
    """The bits of a sweep that nothing happened to."""
    ledger = Ledger(Store(tmp_path_factory.mktemp("undisturbed") / "runs.sqlite"))
    return all_bits(*made(sweep_of(OVER, line=LINE, seeds=SEEDS), Processes(1), ledger)[:2])


@needs_proc
def test_a_worker_killed_in_the_midst_costs_nothing(home: Path, undisturbed: dict[str, tuple[object, ...]]) -> None:
    process, ledger = beginning(home), Ledger()
    sweep = some_runs(ledger)
    kill(wait_until(lambda: workers_of(process.pid))[0])
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert '"state": "finished", "runs": 32' in out.splitlines()[-1]
    assert all_bits(ledger, sweep) == undisturbed


@needs_proc
def test_a_sweep_killed_in_the_midst_is_resumed_to_the_same_bits_and_leaves_no_workers(
    home: Path, undisturbed: dict[str, tuple[object, ...]], gdtui: Callable[..., Finished]
) -> None:
    process, ledger = beginning(home), Ledger()
    sweep = some_runs(ledger)
    workers = workers_of(process.pid)
    kill(process.pid)
    process.communicate()
    wait_until(lambda: not any(is_there(worker) for worker in workers))
    assert ledger.named(sweep).state == "interrupted"
    kept = {run.id: run.created for run in Store().runs_of(sweep) if run.state == "finished"}
    assert 3 <= len(kept) < 32
    assert gdtui("sweep", "--resume", sweep, "--jobs", "1").status == 0
    assert all_bits(ledger, sweep) == undisturbed
    after = {run.id: run.created for run in Store().runs_of(sweep)}
    assert {name: after[name] for name in kept} == kept


def is_there(process: int) -> bool:
    from pathlib import Path

    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_that_is_stopped_ends_in_good_order_and_says_how_to_go_on(home: Path, number: signal.Signals) -> None:
    process, ledger = beginning(home), Ledger()
    sweep = some_runs(ledger)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    done = ledger.look(sweep).done
    assert err == f"gdtui: interrupted, {32 - done} of 32 runs left; gdtui sweep --resume {sweep} goes on with it\n"
    assert sum('"type": "run"' in line for line in out.splitlines()) == done
    assert ledger.named(sweep).state == "interrupted"
    assert not any(run.process for run in Store().runs_of(sweep))


MODELS = """
import os

def line(theta, x, y, g):
    if theta[0] == 7.0:
        os._exit(9)
    if theta[0] == 8.0:
        raise OverflowError("too much")
    if theta[0] == 9.0:
        raise SystemExit("enough")
    residual = theta[0] * x[0] - y
    g[0] = 2 * residual * x[0]
    return residual * residual
"""


def test_runs_that_kill_their_workers_or_raise_fail_and_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(MODELS)
    ledger, kept, progress = made(sweep_of("init=1,7,2,8,3,9", line="problem=own.py:line lr=0.01"), Processes(2))
    states = {key.split("init=")[1][0]: one for key, one in progress.outcomes.items()}
    assert {name: one.state for name, one in states.items()} == {
        "1": "finished",
        "2": "converged",
        "3": "finished",
        "7": "failed",
        "8": "failed",
        "9": "failed",
    }
    assert states["7"].reason == "4 workers died at it"
    assert states["8"].reason.startswith("the loss at the start is not finite")
    assert states["9"].reason == "SystemExit: enough"
    assert len(ledger.store.runs_of(kept)) == 3


def test_where_every_run_failed_the_exit_status_says_so(
    gdtui: Callable[..., Finished], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(MODELS)
    for over, status in (("init=8", 2), ("init=1,8", 0)):
        finished = gdtui("sweep", "--problem", "own.py:line", "--over", over, "--jobs", "1")
        assert finished.status == status
        assert "runs failed: the loss at the start is not finite" in finished.err


SCRIPT = """
import os, sys
from gdtui.cli import main

if __name__ == "__main__":
    os.chdir(sys.argv.pop(1))
    sys.exit(main())
"""


def test_a_folder_s_own_modules_are_not_taken_for_python_s(home: Path, tmp_path: Path) -> None:
    for name in ("random", "numpy", "selectors", "gdtui"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')\n")
    script = tmp_path / "bin" / "gdtui-script"  # as the installed command is one
    script.parent.mkdir()
    script.write_text(SCRIPT)
    process = command(home, str(tmp_path), "sweep", "--over", "lr=0.01,0.1", "--jobs", "1", program=(str(script),))
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert '"state": "finished", "runs": 2' in out.splitlines()[-1]


def test_a_store_that_cannot_be_written_ends_the_sweep_in_one_line_and_it_is_resumed(
    gdtui: Callable[..., Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gdtui.experiment import InputError

    write, calls = Ledger.write, []

    def fail_later(self: Ledger, *arguments: object) -> None:
        calls.append(arguments)
        if len(calls) > 1:
            raise InputError("store", "the disk is full (runs.sqlite)")
        write(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "write", fail_later)
    monkeypatch.setattr("gdtui.sweeps.conduct.WRITE_EVERY_S", 0.02)
    finished = gdtui("sweep", "--over", "lr=log:0.001:0.1:30", "--epochs", "1000", "--jobs", "1")
    kept = f"what came of the sweep until then is kept: gdtui sweep --resume {Ledger().named('last').id} goes on"
    assert (finished.status, finished.err) == (2, f"gdtui: the disk is full (runs.sqlite); {kept}\n")
    monkeypatch.setattr(Ledger, "write", write)
    assert gdtui("sweep", "--resume", "last", "--jobs", "1").status == 0
    assert Ledger().named("last").done == 30


def test_the_sweep_of_a_later_version_says_so() -> None:
    from gdtui.experiment import InputError

    with pytest.raises(InputError, match=r"^the sweep cannot be read"):
        Sweep.from_text('{"what": "else"}')
