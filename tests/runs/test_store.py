"""Store: the list of runs, how one is found, labelled and deleted, and how much is written for it."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from making import Keeper, kept, trainer_of

from gdtui.descent.snapshot import Epoch
from gdtui.experiment import InputError
from gdtui.runs import keeper as keeper_module
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from gdtui.descent.trainer import Trainer


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "deep" / "in it" / "runs.sqlite")


def test_where_nothing_was_kept_there_is_nothing(store: Store) -> None:
    assert store.runs() == []
    with pytest.raises(InputError, match="no run is kept yet in "):
        store.find("last")
    assert not store.path.parent.exists()


def test_the_store_lies_where_gdtui_home_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GDTUI_HOME", str(tmp_path / "100% mine?#"))
    store = Store()
    assert store.path == tmp_path / "100% mine?#" / "runs.sqlite"
    run = kept(store, trainer_of(epochs=5))
    assert [one.id for one in store.runs()] == [run.id]


def test_runs_are_listed_the_newest_first_and_found_by_what_they_are_called(store: Store) -> None:
    runs = [kept(store, trainer_of(f"seed={seed}", epochs=5)) for seed in range(3)]
    assert [run.id for run in store.runs()] == [run.id for run in reversed(runs)]
    assert store.find("last").id == runs[-1].id
    for run in runs:
        assert store.find(run.id).experiment == run.experiment
        assert store.find(run.id[:7]).id == run.id
    with pytest.raises(InputError):
        store.find("nobody's")
    with pytest.raises(InputError):
        store.find("")


def test_a_run_that_is_deleted_is_gone_with_all_that_was_kept_of_it(store: Store) -> None:
    one, other = (kept(store, trainer_of(f"seed={seed}", epochs=5)) for seed in range(2))
    store.remove(one)
    assert [run.id for run in store.runs()] == [other.id]
    with pytest.raises(InputError, match=f"run {one.id} is not kept any more"):
        store.record(one.id)
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT DISTINCT run FROM piece").fetchall() == [(other.id,)]


def test_the_space_of_deleted_runs_is_used_again(store: Store) -> None:
    trainer = trainer_of("lr=1e-6 epochs=30000", epochs=30_000)
    sizes = []
    for _ in range(4):
        run = kept(store, trainer)
        sizes.append(store.path.stat().st_size)
        store.remove(run)
    assert sizes[0] > 1_000_000
    assert sizes[-1] < 1.1 * sizes[0]


def test_a_folder_whose_name_is_not_unicode_is_known(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(folder)  # noqa: PTH102
    except OSError:
        pytest.skip("this file system has Unicode names only")
    monkeypatch.chdir(os.fsdecode(folder))
    assert os.fsencode(kept(store, trainer_of(epochs=5)).folder) == folder


def test_a_folder_that_was_deleted_does_not_keep_a_run_from_being_kept(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert kept(store, trainer_of(epochs=5)).folder == ""


def _written(monkeypatch: pytest.MonkeyPatch, store: Store, trainer: Trainer, epochs: int, every: int) -> int:
    """Bytes of blobs that are written for a run, when it is looked at every so many epochs."""
    counted, insert = 0, keeper_module.write

    def write(connection: sqlite3.Connection, *rest: object) -> object:
        nonlocal counted
        with closing(connection.execute("SELECT coalesce(max(rowid), 0) FROM piece")) as rows:
            newest = rows.fetchone()[0]
        written = insert(connection, *rest)
        query = "SELECT coalesce(sum(length(numbers)), 0) FROM piece WHERE rowid > ?"
        counted += connection.execute(query, (newest,)).fetchone()[0]
        return written

    monkeypatch.setattr(keeper_module, "write", write)
    monkeypatch.setattr(keeper_module, "WRITE_EVERY_S", 0)
    keeper = Keeper(store)
    for epoch in range(every, epochs + 1, every):
        keeper.look_at(trainer.advance(until=Epoch(epoch)) and trainer.record())
        while keeper.epoch != epoch:
            time.sleep(0.001)
    keeper.close()
    return counted


def test_hardly_more_is_written_than_is_kept_though_it_is_looked_at_often(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thinning writes half of the history once more each time that it comes; so do checkpoints."""
    trainer = trainer_of("lr=1e-6 epochs=400000")
    written = _written(monkeypatch, store, trainer, epochs=400_000, every=4_000)
    with closing(sqlite3.connect(store.path)) as connection:
        kept_bytes = connection.execute("SELECT sum(length(numbers)) FROM piece").fetchone()[0]
    assert written < 6 * kept_bytes
    assert store.path.stat().st_size < 4 * kept_bytes
