"""Recorder's faults: the loop goes on whatever happens to the store; what is lost is counted and said."""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from recorded import faults, ran, seen, store_in, wait_until

import gdtui
from gdtui.runs import files
from gdtui.runs.store import Store
from gdtui.training import inbox as inbox_module
from gdtui.training import page as page_module
from gdtui.training import recorder as recorder_module
from gdtui.training import writer as writer_module
from gdtui.training.curves import Column

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / "runs.sqlite")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "WRITE_EVERY_S", 0.02)
    monkeypatch.setattr(writer_module, "RETRY_S", 0.02)


class Hostile:
    """Whatever is asked of it fails."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __float__ = __iter__ = __len__ = __array__ = __str__  # type: ignore[assignment]


def test_nothing_that_it_is_given_raises(store: Store) -> None:
    wrong = [Hostile(), object(), [], {}, b"x", 1j, "x", float("nan"), float("inf"), 10**400, np.zeros(3)]
    with gdtui.Recorder("a") as run:
        for one in wrong:
            run.log(one)
            run.log(loss=one)
            run.log({one.__class__: 1.0})
            run.log(loss=1.0, step=one)
            run.log(loss=1.0, epoch=one)
            run.log({"loss": 1.0, "step": one})
            run.text(one)
            run.samples(one)
            for name in ("losses", "gradients", "norms", "labels", "step", "epoch", "instruments"):
                run.samples([0, 1], **{name: one})
        run.log(loss=42.0)
    assert seen(store, "a").curves["loss"][-1, Column.VALUE] == 42
    assert run.dropped > 0


@pytest.mark.parametrize("arguments", [(Hostile(),), ("a", 3), ("a", {"x": Hostile()})], ids=range(3))
def test_a_recorder_that_cannot_begin_lets_the_loop_go_on(
    arguments: tuple[Any, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with gdtui.Recorder(*arguments) as run:
        run.log(loss=1.0)
        run.text("x")
        run.control(wait=True)
    assert run.dropped == 2
    assert run.problem.startswith("it is not kept: ")
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_logged_after_the_end_is_counted_and_said_once(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run = gdtui.Recorder("a")
    run.log(loss=1.0)
    run.close()
    run.close()
    for _ in range(3):
        run.log(loss=2.0, lr=0.1)
    run.samples([1], [1.0])
    run.text("x")
    assert run.dropped == 8
    assert run.problem == "it was closed: nothing more is kept"
    assert capsys.readouterr().err == f"gdtui: run a: {run.problem}\n"
    assert seen(store, "a").values == 1


def test_a_fault_of_the_thread_itself_is_said_in_a_line_and_the_loop_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = gdtui.Recorder("a")

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(page_module.Page, "add", fail)
    run.log(loss=1.0)
    wait_until(lambda: run.problem)
    monkeypatch.undo()
    run.log(loss=1.0)
    run.close()
    assert run.problem == "RuntimeError: broken"
    assert "Traceback" not in capsys.readouterr().err
    assert run.control(wait=True) == (False, False, None)


# --- too fast --------------------------------------------------------------------------------------------------------


def test_what_comes_too_fast_is_dropped_counted_and_said_at_the_end(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inbox_module, "MOST", 100)
    run = gdtui.Recorder("a")
    with run._writer._at_work:  # the thread is held up
        for i in range(1_000):
            run.log(step=i, loss=float(i), lr=0.1)
    run.close()
    training = seen(store, "a")
    kept = training.curves["loss"][:, Column.STEP].tolist()
    assert kept == list(range(len(kept)))
    assert 100 <= len(kept) <= 200
    assert run.dropped == training.dropped == 2 * (1_000 - len(kept))
    said = f"gdtui: run a: {run.dropped:,} values came faster than they could be written\n"
    assert capsys.readouterr().err == said


def test_samples_that_are_too_many_to_wait_are_dropped(store: Store) -> None:
    large = np.ones((1_000, 9_000))
    with gdtui.Recorder("a") as run:
        run.samples(range(1_000), gradients=large)
        run.samples([1], [1.0])
    assert run.dropped == 1
    assert seen(store, "a").moment.samples.tolist() == [1]  # type: ignore[union-attr]


def test_names_are_not_without_end(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page_module, "MOST_NAMES", 5)
    with gdtui.Recorder("a") as run:
        for i in range(8):
            run.log({f"value {i}": float(i), "loss": 1.0})
    training = seen(store, "a")
    assert list(training.curves) == ["value 0", "loss", "value 1", "value 2", "value 3"]
    assert len(training.curves["loss"]) == 8
    assert run.dropped == 4
    assert "more than 5 names of values: value 4 is left out" in capsys.readouterr().err


# --- the store -------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_once_there_is_room_nothing_is_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect, is_full = files.connect, True

    def connect_where_it_is_full(path: Path, is_to_write: bool) -> sqlite3.Connection:
        connection = connect(path, is_to_write)
        if is_full:
            connection.execute("PRAGMA max_page_count = 1")  # no less than there are already
        return connection

    with gdtui.Recorder("before"):
        pass
    monkeypatch.setattr(files, "connect", connect_where_it_is_full)
    with gdtui.Recorder("a") as run:
        for i in range(5_000):
            run.log(step=i, loss=float(i))
        wait_until(lambda: run.problem)
        assert run.problem == "the disk is full"
        is_full = False
        wait_until(lambda: not run.problem)
    assert seen(store, "a").curves["loss"][-1].tolist()[Column.VALUE] == 4_999
    assert (seen(store, "a").values, run.dropped) == (5_000, 0)
    assert capsys.readouterr().err == f"gdtui: run {run.name}: not kept for now: the disk is full\n"
    assert faults(store.path) == []


def test_of_what_cannot_be_written_no_more_is_held_than_there_is_room_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page_module, "MOST_BYTES", 40 * 100)
    monkeypatch.setattr(writer_module, "LAST_WORDS_S", 0.1)
    monkeypatch.setattr(files, "PATIENCE_S", 0.1)
    with gdtui.Recorder("a"):
        pass
    run = gdtui.Recorder("b")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for i in range(1_000):
            run.log(step=i, loss=float(i))
        wait_until(lambda: run.dropped and run.problem)
        dropped = run.dropped
        other.execute("ROLLBACK")
    wait_until(lambda: not run.problem)
    run.log(step=1_000, loss=0.0)
    run.close()
    training = seen(store, "b")
    assert 890 <= dropped <= 1_000
    assert (training.values + run.dropped, training.dropped) == (1_001, run.dropped)
    assert training.curves["loss"][-1, Column.STEP] == 1_000
    assert "another process has locked the store" in capsys.readouterr().err


def test_a_store_that_stays_locked_does_not_keep_the_end_waiting(tmp_path: Path) -> None:
    files.prepare(tmp_path / "runs.sqlite")
    with closing(sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        out, err = ran(tmp_path, "import gdtui; run = gdtui.Recorder('a'); run.log(loss=1); run.close(); print('over')")
        assert time.monotonic() - began < 12
    assert out == "over\n"
    assert "gdtui: run a: not kept for now: another process has locked the store\n" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("damage", ["deleted", "random", "cut"])
def test_a_store_that_is_lost_meanwhile_is_followed_by_another_with_the_rest(
    store: Store, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = gdtui.Recorder("a", {"lr": 0.1}, tags="t")
    run.log(step=1, loss=1.0)
    wait_until(lambda: seen(store, "a").values)
    with run._writer._at_work:
        match damage:
            case "deleted":
                for ending in files.BESIDE:
                    store.path.with_name(store.path.name + ending).unlink(missing_ok=True)
            case "random":
                run._writer._ledger.line.close()
                store.path.write_bytes(random.Random(0).randbytes(50_000))
            case "cut":
                run._writer._ledger.line.close()
                store.path.write_bytes(store.path.read_bytes()[:50])
    run.log(step=2, loss=2.0)
    run.samples([1, 2], [1.0, 2.0])
    run.close()
    training, line = seen(store, "a"), store.find("a")
    assert (line.id, line.tags, training.state, training.config) == (run.id, ("t",), "finished", (("lr", "0.1"),))
    assert training.curves["loss"][:, Column.STEP].tolist() == [2]
    assert training.moments == (2,)
    assert ("set aside" in capsys.readouterr().err) == (damage != "deleted")
    assert faults(store.path) == []


def test_a_run_that_is_deleted_meanwhile_is_not_begun_again(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run = gdtui.Recorder("a")
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("DELETE FROM run")
    run.log(loss=1.0)
    wait_until(lambda: run.problem)
    run.log(loss=1.0)
    run.close()
    assert run.problem == f"run {run.id} was deleted"
    assert run.dropped == 2
    assert store.runs() == []
    assert capsys.readouterr().err == f"gdtui: run a: run {run.id} was deleted\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX's limits")
def test_a_file_that_may_not_grow_ends_no_loop_and_what_fits_is_whole(tmp_path: Path) -> None:
    text = """
import resource, gdtui
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
with gdtui.Recorder("a") as run:
    for i in range(50_000):
        run.log(step=i, loss=float(i))
print(run.dropped)
"""
    out, err = ran(tmp_path, text)
    store = store_in(tmp_path)
    training = seen(store, "a")
    assert "Traceback" not in err
    assert f"gdtui: run a: {int(out):,} values could not be kept: the disk " in err
    assert int(out) == 50_000 - training.values > 0
    assert faults(store.path) == []


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    with gdtui.Recorder("a", store=tmp_path / "file" / "runs.sqlite") as run:
        for _ in range(3):
            run.log(loss=1.0)
            time.sleep(0.05)
    assert run.dropped == 3
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith("gdtui: run a: not kept for now: ")
    assert rest[0].startswith("gdtui: run a: 3 values could not be kept: ")
    assert len(rest) == 1


def test_a_beginning_waits_no_longer_than_it_may(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "BEGIN_S", 0.2)
    with gdtui.Recorder("before"):
        pass
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        run = gdtui.Recorder("a")
        run.log(loss=1.0)
        assert time.monotonic() - began < 1.5
    run.close()
    assert seen(store, "a").values == 1
