"""Faults of the store: damaged, of another version, read-only, full, locked: one clear line, and no run is lost."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import time
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from making import check, child, differences, gone_on, kept, trainer_of

from gdtui.descent.snapshot import Epoch
from gdtui.experiment import InputError
from gdtui.runs import files, schema
from gdtui.runs.keeper import Keeper
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Finished

FIRST = Path(__file__).parent / "stores" / "version-1.sqlite"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs.sqlite")


def _wait_until(what: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _aside(store: Store) -> list[Path]:
    return sorted(path for path in store.path.parent.iterdir() if ".damaged-" in path.name and path.name[-4] != "-")


def _truncate(length: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, length if length >= 0 else path.stat().st_size + length)


def _overwrite(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(path.stat().st_size))


def _overwrite_the_beginning(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(random.Random(0).randbytes(64))


DAMAGES = {
    **{f"cut to {length}": _truncate(length) for length in (0, 1, 15, 16, 50, 100, 512, 4095, 4096, 20_000, -4096)},
    "random": _overwrite,
    "random at its beginning": _overwrite_the_beginning,
    "text": lambda path: path.write_text("runs\n"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_set_aside_and_a_new_one_begun(store: Store, damage: str) -> None:
    kept(store, trainer_of(epochs=50))
    DAMAGES[damage](store.path)
    bytes_before = store.path.read_bytes()
    with pytest.raises(InputError, match=r"^the store of runs was damaged: it is set aside as .*, a new one is begun$"):
        store.runs()
    assert [path.read_bytes() for path in _aside(store)] == [bytes_before]
    assert store.runs() == []
    run = kept(store, trainer_of(epochs=50))
    assert store.record(run.id).epoch == 50


@pytest.mark.parametrize("damage", ["cut to 0", "cut to 4096", "random"])
def test_a_run_that_meets_a_damaged_store_is_kept_in_a_new_one(store: Store, damage: str) -> None:
    kept(store, trainer_of(epochs=50))
    DAMAGES[damage](store.path)
    keeper, trainer = Keeper(store), trainer_of(epochs=20)
    keeper.look_at(trainer.record())
    keeper.close()
    assert (keeper.problem, len(_aside(store))) == ("", 1)
    assert keeper.notice.startswith("the store of runs was damaged: it is set aside as ")
    assert differences(store.record(keeper.run), trainer.record()) == []


def test_a_store_that_is_damaged_in_its_middle_never_shows_a_wrong_number(store: Store) -> None:
    """Whatever page is hit: an error that says so, or what was written."""
    chance, told = random.Random(1), 0
    trainer = trainer_of("epochs=400 problem=mlp data=moons set=hidden:3,n:64", epochs=400)
    run = kept(store, trainer)
    whole = store.path.read_bytes()
    for _ in range(60):
        for path in store.path.parent.iterdir():
            path.unlink()
        place = chance.randrange(100, len(whole))
        store.path.write_bytes((whole[:place] + chance.randbytes(64) + whole[place + 64 :])[: len(whole)])
        try:
            record = store.record(run.id)
        except InputError:
            told += 1
        else:
            wrong = differences(record, trainer.record())
            assert set(wrong) <= {"parameters", "samples"}  # of which nothing is computed
    assert told > 30


def test_a_run_under_way_survives_damage_to_the_middle_of_its_store(store: Store) -> None:
    old, trainer = kept(store, trainer_of(epochs=90)), trainer_of("epochs=1000", epochs=10)
    keeper = Keeper(store)
    keeper.look_at(trainer.record())
    _wait_until(lambda: keeper.epoch == 10)
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'piece'").fetchone()[0]
    descriptor = os.open(store.path, os.O_WRONLY)
    os.pwrite(descriptor, random.Random(0).randbytes(4096), (root - 1) * 4096)  # closing it would drop SQLite's locks
    with pytest.raises(InputError, match="damaged"):
        store.record(old.id)
    keeper.look_at(trainer.advance(until=Epoch(500)) and trainer.record())
    keeper.close()
    os.close(descriptor)
    assert keeper.problem == ""
    assert len(_aside(store)) == 1
    assert differences(store.record(keeper.run), trainer.record()) == []


@pytest.mark.parametrize("do", ["remove", "move"])
def test_a_run_under_way_survives_its_store(store: Store, do: str) -> None:
    keeper, trainer = Keeper(store), trainer_of("epochs=1000", epochs=10)
    keeper.look_at(trainer.record())
    _wait_until(lambda: keeper.epoch == 10)
    for ending in files.BESIDE:
        path = store.path.with_name(store.path.name + ending)
        path.unlink() if do == "remove" else path.rename(path.with_name("old" + path.name))
    trainer.advance(until=Epoch(20))
    keeper.look_at(trainer.record())
    keeper.close()
    assert differences(store.record(keeper.run), trainer.record()) == []
    assert store.runs()[0].process == ""


def test_a_store_removed_without_its_log_does_not_haunt_the_next_one(store: Store) -> None:
    with store.path.with_name("runs.sqlite-wal").open("wb") as log, closing(sqlite3.connect(":memory:")):
        log.write(random.Random(0).randbytes(100_000))
    run = kept(store, trainer_of(epochs=5))
    assert [one.id for one in store.runs()] == [run.id]
    assert check(store.path) == []


@pytest.mark.parametrize("log", ["missing", "random"])
def test_what_reached_the_store_itself_is_there_without_its_log(store: Store, log: str) -> None:
    run = kept(store, trainer_of(epochs=50))
    left = store.path.with_name("runs.sqlite-wal")
    left.unlink(missing_ok=True) if log == "missing" else left.write_bytes(random.Random(0).randbytes(50_000))
    assert [one.id for one in store.runs()] == [run.id]
    assert store.record(run.id).epoch == 50
    kept(store, trainer_of(epochs=5))
    assert len(store.runs()) == 2


def test_a_folder_in_the_stores_place_is_left_alone(store: Store) -> None:
    store.path.mkdir()
    with pytest.raises(InputError, match=r"^Is a directory: .*runs\.sqlite"):
        store.runs()
    keeper = Keeper(store)
    keeper.look_at(trainer_of(epochs=5).record())
    keeper.close()
    assert keeper.problem == f"Is a directory: {store.path}"
    assert list(store.path.iterdir()) == []


def test_processes_that_meet_a_damaged_store_at_once_share_the_new_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    store.path.write_bytes(random.Random(0).randbytes(50_000))
    makers = [child(tmp_path, "-m", "gdtui", "run", "--format", "progress", "--seed", str(seed)) for seed in range(4)]
    errors = [process.communicate()[1] for process in makers]
    assert [process.returncode for process in makers] == [0] * 4
    assert sum("set aside" in error for error in errors) == 1
    assert (len(_aside(store)), len(store.runs())) == (1, 4)


# --- versions --------------------------------------------------------------------------------------------------------


def test_a_store_of_the_first_version_goes_on_to_the_same_bits(store: Store) -> None:
    shutil.copyfile(FIRST, store.path)
    diverged, interrupted, finished = store.runs()
    assert [run.state for run in (diverged, interrupted, finished)] == ["diverged", "interrupted", "finished"]
    assert store.record(diverged.id).reason.startswith("in epoch 49")
    for run, line in ((finished, ""), (diverged, "lr=0.25 batch-size=full epochs=400")):
        fresh = trainer_of(line)
        fresh.advance()
        assert differences(store.record(run.id), fresh.record()) == []

    fresh = trainer_of(store.record(interrupted.id).experiment.to_line(), epochs=25)
    fresh.change(batch_size=8, beta1=0.8)
    fresh.advance()
    record = store.record(interrupted.id)
    trainer, keeper = gone_on(store, interrupted), Keeper(store, interrupted.id, record)
    keeper.look_at(trainer.record())
    keeper.close()
    assert keeper.problem == ""
    assert differences(store.record(interrupted.id), fresh.record()) == []
    with closing(sqlite3.connect(store.path)) as connection:
        assert schema.version(connection) == schema.VERSION


def test_a_store_of_a_later_version_is_left_alone(store: Store, gdtui: Callable[..., Finished]) -> None:
    kept(store, trainer_of(epochs=5))
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    bytes_before = store.path.read_bytes()
    told = r"^a later gdtui keeps runs there, in version 1000 of its store"
    with pytest.raises(InputError, match=told):
        store.runs()
    keeper = Keeper(store)
    keeper.look_at(trainer_of(epochs=5).record())
    keeper.close()
    assert keeper.problem == "a later gdtui keeps runs there, in version 1000 of its store"
    assert store.path.read_bytes() == bytes_before


# --- full, read-only, locked -----------------------------------------------------------------------------------------


def _catches_up(store: Store, keeper: Keeper) -> None:
    """Keeping goes on after a fault, with nothing missing."""
    trainer = trainer_of("epochs=1000000", epochs=2000)
    keeper.look_at(trainer.record())
    keeper.close()
    assert keeper.problem == ""
    assert differences(store.record(keeper.run), trainer.record()) == []
    assert check(store.path) == []


@pytest.mark.parametrize("is_begun", [True, False])
def test_a_full_disk_is_said_and_once_there_is_room_nothing_is_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch, is_begun: bool
) -> None:
    connect, is_full = files.connect, True

    def connect_where_it_is_full(path: Path, is_to_write: bool) -> sqlite3.Connection:
        connection = connect(path, is_to_write)
        if is_full:
            connection.execute("PRAGMA max_page_count = 1")  # no less than there are already
        return connection

    kept(store, trainer_of(epochs=3))
    monkeypatch.setattr(files, "connect", connect_where_it_is_full)
    keeper, trainer = Keeper(store), trainer_of("epochs=1000000", epochs=1 if is_begun else 500)
    keeper.look_at(trainer.record())
    if is_begun:
        _wait_until(lambda: keeper.epoch == 1)
        trainer.advance(until=Epoch(500))
        keeper.look_at(trainer.record())
    _wait_until(lambda: keeper.problem)
    assert (keeper.problem, keeper.epoch) == ("the disk is full", 1 if is_begun else None)
    is_full = False
    _catches_up(store, keeper)


def test_a_locked_store_is_said_and_once_it_is_free_nothing_is_missing(store: Store) -> None:
    kept(store, trainer_of(epochs=3))
    keeper, trainer = Keeper(store), trainer_of("epochs=1000000", epochs=1)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        keeper.look_at(trainer.record())
        _wait_until(lambda: keeper.problem)
        assert keeper.problem == "another process has locked the store"
        assert len(store.runs()) == 1  # it can still be read
    _catches_up(store, keeper)


def test_a_store_that_stays_locked_does_not_keep_anybody_waiting(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.sqlite")
    kept(store, trainer_of(epochs=3))
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        process = child(tmp_path, "-m", "gdtui", "run", "--format", "progress", "--epochs", "10")
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert time.monotonic() - began < 15
        assert err == "gdtui: this run is not kept: another process has locked the store\n"


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Nothing in a folder can be written; to root, who may write anything, by an attribute of the files."""
    paths = [*folder.iterdir(), folder]
    modes = [path.stat().st_mode for path in paths]

    def attribute(sign: str) -> None:
        try:
            subprocess.run(["chattr", f"{sign}i", *map(str, paths)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("nothing is read-only for root here")

    is_root = os.geteuid() == 0
    if is_root:
        attribute("+")
    else:
        for path in paths:
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    try:
        yield
    finally:
        if is_root:
            attribute("-")
        for path, mode in zip(reversed(paths), reversed(modes), strict=True):
            path.chmod(mode)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX's permissions")
def test_a_read_only_store_can_be_read_and_once_it_can_be_written_nothing_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store = Store(folder / "runs.sqlite")
    run = kept(store, trainer_of(epochs=3))
    keeper = Keeper(store)
    with _read_only(folder):
        keeper.look_at(trainer_of("epochs=1000000", epochs=1).record())
        _wait_until(lambda: keeper.problem)
        assert keeper.problem.startswith(
            ("Permission denied: ", "Operation not permitted: ", "Read-only file system: ")
        )
        assert [one.id for one in store.runs()] == [run.id]
        assert store.record(run.id).epoch == 3
        with pytest.raises(InputError, match=r"^(Permission denied|Operation not permitted|Read-only file system): "):
            store.remove(run)
    _catches_up(store, keeper)


def test_another_process_that_opens_the_store_leaves_the_log_to_those_that_write_to_it(tmp_path: Path) -> None:
    """It would delete the log if this process, by looking at the store's file, had lost its locks on it."""
    store, trainer = Store(tmp_path / "runs.sqlite"), trainer_of("epochs=1000", epochs=10)
    keeper = Keeper(store)
    keeper.look_at(trainer.record())
    _wait_until(lambda: keeper.epoch == 10)
    log = store.path.with_name("runs.sqlite-wal")
    before = log.stat().st_ino
    store.find("last")
    text = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM event'); c.commit(); c.close()"
    )
    assert child(tmp_path, "-c", text, str(store.path)).wait() == 0
    assert log.stat().st_ino == before
    trainer.advance(until=Epoch(20))
    keeper.look_at(trainer.record())
    keeper.close()
    assert differences(store.record(keeper.run), trainer.record()) == []


def test_readers_and_writers_in_many_threads_and_processes_lose_nothing(tmp_path: Path) -> None:
    store, is_over, seen, faults = Store(tmp_path / "runs.sqlite"), False, set(), []

    def poll() -> None:
        while not is_over:
            try:
                for run in store.runs():
                    seen.add(run.id)
                    record = store.record(run.id)
                    assert record.history.newest_epoch == record.epoch
            except Exception as error:
                faults.append(error)
            time.sleep(0.01)

    reader = Thread(target=poll)
    reader.start()
    line = "lr=1e-6 epochs=100000 seed="
    makers = [
        child(tmp_path, "-m", "gdtui", "run", "--format", "progress", "--experiment", f"{line}{seed}")
        for seed in range(4)
    ]
    errors = [process.communicate()[1] for process in makers]
    is_over = True
    reader.join()
    assert (errors, faults) == ([""] * 4, [])
    runs = store.runs()
    assert seen == {run.id for run in runs}
    assert len(runs) == 4
    for run in runs:
        expected = trainer_of(run.experiment)
        expected.advance()
        assert differences(store.record(run.id), expected.record()) == []
    assert check(store.path) == []
