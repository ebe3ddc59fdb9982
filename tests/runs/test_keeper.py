"""Keeper: who keeps a run, what becomes of it after a rewind, and what it says."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from making import child, differences, gone_on, kept, trainer_of

from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import InputError
from gdtui.runs import keeper as keeper_module
from gdtui.runs import processes
from gdtui.runs.keeper import Keeper
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINE = "epochs=1000"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs.sqlite")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "WRITE_EVERY_S", 0.02)
    monkeypatch.setattr(keeper_module, "HEARTBEAT_S", 0.05)


def _wait_until(what: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _looks(keeper: Keeper, trainer: Trainer, epoch: int) -> None:
    trainer.advance(until=Epoch(epoch))
    keeper.look_at(trainer.record())
    _wait_until(lambda: keeper.epoch == epoch or keeper.problem)


def test_a_run_that_never_began_leaves_nothing(store: Store) -> None:
    keeper = Keeper(store)
    keeper.look_at(trainer_of().record())
    keeper.close()
    assert (keeper.problem, keeper.epoch) == ("", None)
    assert not store.path.exists()


def test_a_run_is_as_far_as_it_was_looked_at(store: Store) -> None:
    keeper, trainer = Keeper(store, labels={"name": "mine", "tags": "a b", "note": "why"}), trainer_of(LINE)
    for epoch in (1, 2, 500):
        _looks(keeper, trainer, epoch)
        assert differences(store.record(keeper.run), trainer.record()) == []
    (run,) = store.runs()
    assert (run.state, run.epoch, run.name, run.tags, run.note) == ("running", 500, "mine", ("a", "b"), "why")
    assert run.is_made
    assert run.folder == str(Path.cwd())
    keeper.close()
    (run,) = store.runs()
    assert (run.state, run.is_made) == ("interrupted", False)


def test_a_paused_run_stays_paused(store: Store) -> None:
    keeper = Keeper(store)
    keeper.look_at(trainer_of(LINE, epochs=5).record(), is_paused=True)
    keeper.close()
    assert store.runs()[0].state == "paused"


def test_a_name_that_another_run_was_given_meanwhile_is_not_taken_from_it(store: Store) -> None:
    first = kept(store, trainer_of(epochs=5))
    second = Keeper(store, labels={"name": "mine"})
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE run SET name = 'mine'")
    _looks(second, trainer_of(LINE), 3)
    second.close()
    assert (second.problem, second.notice) == (
        "",
        f"another run is called mine by now: run {second.run} has no name",
    )
    assert {run.id: run.name for run in store.runs()} == {second.run: "", first.id: "mine"}


# --- another way after a rewind --------------------------------------------------------------------------------------


def test_a_rewind_alone_changes_nothing(store: Store) -> None:
    keeper, trainer = Keeper(store), trainer_of(LINE)
    _looks(keeper, trainer, 100)
    before = trainer.record()
    trainer.rewind(40)
    keeper.look_at(trainer.record())
    keeper.close()
    assert len(store.runs()) == 1
    assert differences(store.record(keeper.run), before) == []


def test_a_run_that_is_rewound_and_changed_becomes_another_run_and_the_first_stays_whole(store: Store) -> None:
    keeper, trainer = Keeper(store, labels={"name": "mine", "tags": "a"}), trainer_of(LINE)
    _looks(keeper, trainer, 100)
    first, before = keeper.run, trainer.record()
    trainer.rewind(40)
    trainer.change(lr=0.02)
    _looks(keeper, trainer, 41)
    second = keeper.run
    trainer.rewind(20)
    trainer.change(lr=0.03)
    _looks(keeper, trainer, 50)
    keeper.close()
    assert keeper.problem == ""
    runs = store.runs()
    assert [(run.id, run.parent, run.name, run.tags) for run in runs] == [
        (keeper.run, second, "", ("a",)),
        (second, first, "", ("a",)),
        (first, "", "mine", ("a",)),
    ]
    assert [run.process for run in runs] == [""] * 3
    assert differences(store.record(first), before) == []
    assert differences(store.record(keeper.run), trainer.record()) == []
    replayed = trainer_of(LINE, epochs=20)
    replayed.change(lr=0.03)
    replayed.advance()
    assert differences(gone_on(store, runs[0]).record(), replayed.record()) == []


def test_ways_that_wait_for_a_fault_to_go_are_each_kept_once(store: Store) -> None:
    kept(store, trainer_of(epochs=3))
    keeper, trainer = Keeper(store), trainer_of(LINE, epochs=30)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        keeper.look_at(trainer.record())
        trainer.rewind(10)
        trainer.change(lr=0.02)
        trainer.advance(until=Epoch(12))
        keeper.look_at(trainer.record())
        _wait_until(lambda: keeper.problem)
    keeper.close()
    assert keeper.problem == ""
    assert [run.epoch for run in store.runs()] == [12, 30, 3]
    assert store.runs()[0].parent == store.runs()[1].id


# --- taken over, deleted ---------------------------------------------------------------------------------------------


def test_a_run_that_is_being_made_is_not_taken_over_or_deleted(store: Store) -> None:
    keeper, trainer = Keeper(store), trainer_of(LINE)
    _looks(keeper, trainer, 5)
    before = store.runs()[0]
    other = Keeper(store, keeper.run, store.record(keeper.run))
    _looks(other, trainer_of(LINE), 7)
    assert other.problem == f"another process goes on with run {keeper.run}"
    with pytest.raises(InputError, match=rf"^run {keeper.run} is being made by process {os.getpid()} on "):
        store.remove(before)
    _looks(keeper, trainer, 9)
    assert (keeper.problem, store.runs()[0].epoch) == ("", 9)
    keeper.close()
    time.sleep(0.2)
    _looks(other, trainer_of(LINE), 8)  # nobody makes it now, but it is not what it was
    _wait_until(lambda: other.problem == f"run {keeper.run} has gone on since it was read")
    other.close()
    assert differences(store.record(keeper.run), trainer.record()) == []


def test_a_run_taken_over_is_left_to_who_took_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a machine slept for so long that another one thought it gone."""
    keeper, trainer = Keeper(store), trainer_of(LINE)
    _looks(keeper, trainer, 5)
    with monkeypatch.context() as patch:
        patch.setattr(processes, "is_alive", lambda *_: False)
        other, again = Keeper(store, keeper.run, store.record(keeper.run)), trainer_of(LINE)
        _looks(other, again, 6)
    assert other.problem == ""
    keeper.look_at(trainer.advance(until=Epoch(50)) and trainer.record())
    _wait_until(lambda: keeper.problem)
    assert keeper.problem == f"another process goes on with run {keeper.run}, or it was deleted"
    _looks(other, again, 8)
    time.sleep(0.2)
    assert keeper.problem  # it is still so
    keeper.close()
    other.close()
    assert other.problem == ""
    assert differences(store.record(other.run), again.record()) == []


def test_a_run_that_was_deleted_does_not_come_back(store: Store) -> None:
    keeper, trainer = Keeper(store), trainer_of(LINE)
    _looks(keeper, trainer, 5)
    with store.writing() as connection:
        connection.execute("DELETE FROM run")
    _wait_until(lambda: keeper.problem)
    keeper.look_at(trainer.advance(until=Epoch(50)) and trainer.record())
    time.sleep(0.1)
    keeper.close()
    assert keeper.problem == f"another process goes on with run {keeper.run}, or it was deleted"
    assert store.runs() == []


def test_what_cannot_be_written_is_said_and_does_not_end_the_keeping(store: Store) -> None:
    keeper, trainer = Keeper(store, labels={"note": "\udcff"}), trainer_of(LINE, epochs=3)
    keeper.look_at(trainer.record())
    _wait_until(lambda: keeper.problem)
    keeper._origin["note"] = ""
    _wait_until(lambda: keeper.epoch == 3)
    keeper.close()
    assert keeper.problem == ""


def test_closing_takes_no_longer_than_a_few_seconds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    usual_s = keeper_module.LAST_WORDS_S
    monkeypatch.setattr(keeper_module, "LAST_WORDS_S", 0.3)
    kept(store, trainer_of(epochs=3))
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        keeper = Keeper(store)
        keeper.look_at(trainer_of(LINE, epochs=3).record())
        began = time.monotonic()
        keeper.close()
        assert time.monotonic() - began < usual_s
        assert keeper.problem == "its last moments could not be written in time"
        other.execute("ROLLBACK")
        keeper._thread.join()


# --- who is alive ----------------------------------------------------------------------------------------------------


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[str]]:
    text = "import time; from gdtui.runs import processes; print(processes.this_process(), flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a heartbeat tells")
LONG_AGO = 0.0


@LINUX
def test_a_suspended_process_is_alive_and_one_that_ended_is_not(sleeper: subprocess.Popen[str]) -> None:
    assert sleeper.stdout is not None
    name = sleeper.stdout.readline().strip()
    sleeper.send_signal(signal.SIGSTOP)
    assert processes.is_alive(processes.host(), name, LONG_AGO)
    sleeper.kill()
    _wait_until(lambda: not processes.is_alive(processes.host(), name, time.time()))  # even before anybody waits for it
    sleeper.wait()
    assert not processes.is_alive(processes.host(), name, time.time())


@LINUX
def test_a_forked_process_is_another_one_and_a_number_used_again_is_not_the_same() -> None:
    mine = processes.this_process()
    read, write = os.pipe()
    if (number := os.fork()) == 0:
        os.write(write, processes.this_process().encode())
        time.sleep(60)
    forked = os.read(read, 100).decode()
    assert forked != mine
    assert processes.is_alive(processes.host(), forked, LONG_AGO)
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)
    assert not processes.is_alive(processes.host(), forked, time.time())
    number_of, began = mine.split("@")
    assert not processes.is_alive(processes.host(), f"{number_of}@1{began}", time.time())


@pytest.mark.parametrize("name", ["7@77.elsewhere-1", "7@77.oldboot", "7"])
def test_a_process_that_cannot_be_seen_is_alive_as_long_as_its_heart_beats(name: str) -> None:
    now = time.time()
    assert processes.is_alive("another-host", name, now - 10)
    assert not processes.is_alive("another-host", name, now - 60)
    assert not processes.is_alive("another-host", name, now + 1e6)  # its clock was wrong


@pytest.mark.parametrize(("name", "heartbeat"), [(None, 1.0), ("7", None), ("", 1.0), ("x@y", 1.0)])
def test_nobody_is_not_alive(name: str | None, heartbeat: float | None) -> None:
    assert not processes.is_alive(processes.host(), name, heartbeat)


def test_a_suspended_run_is_not_taken_from_its_process(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    process = child(tmp_path, "-m", "gdtui", "run", "--format", "progress", "--epochs", "1e9", "--lr", "1e-9")
    _wait_until(store.runs)
    process.send_signal(signal.SIGSTOP)
    run = store.runs()[0].id
    second = child(tmp_path, "-m", "gdtui", "resume", run)
    assert f"run {run} is being made by process" in second.communicate(timeout=60)[1]
    assert second.returncode == 2
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[1] == f"gdtui: interrupted; gdtui resume {run} goes on with it\n"
    assert process.returncode == 143
