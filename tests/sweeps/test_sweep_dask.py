"""A Dask cluster of two workers on this machine: the same bits, whatever becomes of a worker or the scheduler."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from swept import ROOT, all_bits, command, kill, made, sweep_of, wait_until

from gdtui.experiment import InputError
from gdtui.sweeps.crew import Cluster, Processes
from gdtui.sweeps.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'gdtui[dask]'")

LINE = "order=shuffle epochs=20000 lr=1e-7"
OVER = "batch-size=1,2,3,full"
SEEDS = 6

SHORT_OF_PATIENCE = """
import sys
from gdtui.cli import main
from gdtui.sweeps import crew

crew.CONNECT_S = 1
sys.exit(main())
"""


def started(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", f"distributed.cli.dask_{module}", *arguments, "--no-dashboard"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(program, env=environment, stdout=quiet, stderr=quiet)


@dataclass
class Local:
    """A scheduler and its workers on the loopback address."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_workers(self, count: int) -> None:
        self.workers += [started("worker", self.address, "--nthreads", "1", "--no-nanny") for _ in range(count)]

    def size(self) -> int:
        try:
            crew = Cluster(self.address)
        except InputError:
            return 0
        try:
            return crew.size
        finally:
            crew.close()


@pytest.fixture
def cluster() -> Iterator[Local]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scheduler = started("scheduler", "--host", "127.0.0.1", "--port", str(port))
    local = Local(f"tcp://127.0.0.1:{port}", scheduler)
    local.add_workers(2)
    try:
        wait_until(lambda: local.size() == 2)
        yield local
    finally:
        for process in (scheduler, *local.workers):
            process.kill()
            process.wait()


def beginning(cluster: Local, home: Path) -> subprocess.Popen[str]:
    """A sweep of some seconds, in a process of its own."""
    arguments = ("--experiment", LINE, "--over", OVER, "--seeds", str(SEEDS), "--scheduler", cluster.address)
    return command(home, "sweep", *arguments, program=("-c", SHORT_OF_PATIENCE))


def test_a_cluster_makes_the_same_bits_as_one_process(cluster: Local) -> None:
    sweep = sweep_of("lr=log:0.001:0.3:10", "batch-size=1,full", line="order=shuffle", seeds=2)
    there, here = (all_bits(*made(sweep, crew)[:2]) for crew in (Cluster(cluster.address), Processes(1)))
    assert len(here) == 40
    assert there == here


def test_a_worker_of_the_cluster_killed_in_the_midst_costs_nothing(cluster: Local, home: Path) -> None:
    process = beginning(cluster, home)
    ledger = Ledger()
    sweep = wait_until(ledger.sweeps)[0].id
    wait_until(lambda: ledger.look(sweep).done >= 3)
    kill(cluster.workers[0].pid)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert '"state": "finished", "runs": 24' in out.splitlines()[-1]
    ledger_here, here, _ = made(sweep_of(OVER, line=LINE, seeds=SEEDS), Processes(2))
    assert all_bits(ledger, sweep) == all_bits(ledger_here, here)


def test_a_scheduler_that_goes_away_ends_the_sweep_in_one_line_and_it_is_resumed_here(
    cluster: Local, home: Path
) -> None:
    process = beginning(cluster, home)
    ledger = Ledger()
    sweep = wait_until(ledger.sweeps)[0].id
    wait_until(lambda: ledger.look(sweep).done >= 3)
    kill(cluster.scheduler.pid)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert err == (
        f"gdtui: the Dask scheduler at {cluster.address} is gone; what came of the sweep until then is kept: "
        f"gdtui sweep --resume {sweep} goes on\n"
    )
    assert 3 <= ledger.look(sweep).done < 24
    again = command(home, "sweep", "--resume", sweep, "--jobs", "2")
    again.communicate(timeout=120)
    assert (again.returncode, ledger.look(sweep).done) == (0, 24)


def test_a_scheduler_that_does_not_answer_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gdtui.sweeps.crew.CONNECT_S", 1)
    with pytest.raises(InputError, match=r"^no Dask scheduler answers at 'tcp://127\.0\.0\.1:9': "):
        Cluster("tcp://127.0.0.1:9")
    with pytest.raises(InputError, match=r"^no Dask scheduler answers at 'nonsense': "):
        Cluster("nonsense")


def test_a_cluster_has_the_workers_that_it_has(home: Path) -> None:
    process = command(home, "sweep", "--over", "lr=0.1", "--scheduler", "x", "--jobs", "2")
    _, err = process.communicate()
    assert err == "gdtui: --jobs is for this machine: a cluster has the workers that it has\n"
    assert process.returncode == 2
