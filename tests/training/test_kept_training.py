"""Kept trainings: a follower sees what was recorded, reading only what is new; what is damaged is said."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from recorded import seen, wait_until

import gdtui
from gdtui.cli import main
from gdtui.dashboard.pins import Pin
from gdtui.experiment import InputError
from gdtui.runs.store import Store
from gdtui.training import kept as kept_module
from gdtui.training import ledger as ledger_module
from gdtui.training import writer as writer_module
from gdtui.training.curves import Column
from gdtui.training.kept import KeptTraining
from gdtui.training.ledger import kept_moments
from gdtui.training.page import Taken
from gdtui.training.training import LINES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / "runs.sqlite")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "WRITE_EVERY_S", 0.005)


def _written(store: Store, run: gdtui.Recorder, values: int) -> None:
    query = "SELECT visited FROM run WHERE id = ?"
    with closing(sqlite3.connect(store.path)) as connection:
        wait_until(lambda: connection.execute(query, (run.id,)).fetchone()[0] == values)


def test_each_look_shows_what_has_come_and_none_where_nothing_has(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        kept = KeptTraining(store, store.find("a"))
        training = kept.look()
        assert training is not None
        assert (training.state, training.curves, training.moment, training.read) == ("running", {}, None, 1.0)
        assert kept.look() is None
        run.log(step=1, loss=1.0)
        _written(store, run, 1)
        training = kept.look()
        assert training is not None
        assert training.curves["loss"][:, Column.STEP].tolist() == [1]
        run.text("hello")
        wait_until(lambda: (training := kept.look()) and training.lines == ((0, "hello"),))
        run.samples([1], [1.0])
        wait_until(lambda: (training := kept.look()) and training.moments == (1,))
        wait_until(lambda: kept.look() is None)
    training = kept.look()
    assert training is not None
    assert training.state == "finished"
    assert kept.run == store.find("a")


def test_looking_often_and_looking_once_show_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "SHORT_PIECE", 7)
    monkeypatch.setattr(ledger_module, "LONGEST_PIECE", 50)
    monkeypatch.setattr(kept_module, "LOOK_ROWS", 30)
    chance, count, often = np.random.default_rng(0), 0, None
    with gdtui.Recorder("a") as run:
        kept = KeptTraining(store, store.find("a"))
        for _ in range(60):
            for _ in range(chance.choice([1, 2, 5, 100])):
                run.log(loss=float(chance.normal()), lr=float(count))
                count += 2
            _written(store, run, count)
            often = kept.look() or often
    while newer := kept.look():
        often = newer
    once = seen(store, "a")
    assert often is not None
    assert list(often.curves) == list(once.curves) == ["loss", "lr"]
    for name in once.curves:
        assert often.curves[name].tobytes() == once.curves[name].tobytes()
    assert once.curves["lr"][:, Column.VALUE].tolist() == list(range(0, count, 2))
    with closing(sqlite3.connect(store.path)) as connection:
        rows = connection.execute("SELECT first, length(numbers) / 40 FROM piece ORDER BY first").fetchall()
    assert [first for first, _ in rows] == np.cumsum([0, *(length for _, length in rows[:-1])]).tolist()
    assert max(length for _, length in rows) <= 57
    assert sum(length < 7 for _, length in rows) <= 1  # short pieces grew


def test_a_long_training_is_read_bit_by_bit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "SHORT_PIECE", 7)
    monkeypatch.setattr(ledger_module, "LONGEST_PIECE", 100)
    with gdtui.Recorder("a") as run:
        for i in range(1_000):
            run.log(step=i, loss=float(i))
    monkeypatch.setattr(kept_module, "LOOK_ROWS", 300)
    kept = KeptTraining(store, store.find("a"))
    looks = [training for _ in range(6) if (training := kept.look())]
    reads = [look.read for look in looks]
    assert reads == sorted(reads)
    assert (reads[-1], looks[-1].curves["loss"][-1, Column.STEP]) == (1.0, 999)
    assert 0.25 < reads[0] < 0.5


def test_what_is_said_of_a_long_training_is_said_of_all_of_it(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ledger_module, "SHORT_PIECE", 7)
    monkeypatch.setattr(ledger_module, "LONGEST_PIECE", 100)
    with gdtui.Recorder("a") as run:
        for i in range(1_000):
            run.log(step=i, loss=float(i))
    monkeypatch.setattr(kept_module, "LOOK_ROWS", 300)
    assert main(["show", "a", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["values"] == {"loss": 999.0}
    assert main(["export", "a", str(home / "a.csv")]) == 0
    assert (home / "a.csv").read_text().splitlines()[-1].startswith("999,")
    assert Pin.found(store, store.find("a")).loss == 999.0
    assert main(["export", "a", str(home / "b.csv"), "--epoch", "3"]) == 2


def test_a_follower_goes_on_after_the_store_was_connected_anew(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        kept = KeptTraining(store, store.find("a"))
        for i in range(20):
            run.log(step=i, loss=float(i))
            _written(store, run, i + 1)
            kept.look()
            if i % 4 == 0:
                with run._writer._at_work:
                    run._writer._ledger.line.close()
        training = seen(store, "a")
    assert training.curves["loss"][:, Column.STEP].tolist() == list(range(20))


def test_the_newest_lines_are_shown_by_their_numbers(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        for i in range(LINES + 50):
            run.text(f"line {i}")
    lines = seen(store, "a").lines
    assert len(lines) == LINES
    assert lines[0] == (50, "line 50")
    assert lines[-1] == (LINES + 49, f"line {LINES + 49}")


# --- moments ---------------------------------------------------------------------------------------------------------


def test_moments_can_be_looked_at_by_their_steps(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        for step in (0, 10, 20, 20):
            run.samples([step, 1], [float(step), run.dropped], step=step, labels=["x", "y"])
    kept = KeptTraining(store, store.find("a"))
    training = kept.look()
    assert training is not None
    assert training.moments == (0, 10, 20)
    moment = kept.moment(10)
    assert moment is not None
    assert (moment.step, moment.samples.tolist(), moment.labels) == (10, [10, 1], ("x", "y"))
    assert kept.moment(15) is None


@pytest.mark.parametrize("count", [7, 8, 9, 10, 11, 40, 100])
def test_of_many_moments_every_other_one_goes_and_first_and_newest_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(ledger_module, "MOST_MOMENTS", 8)
    with gdtui.Recorder("a") as run:
        for step in range(count):
            run.samples([step], [1.0], step=step)
            if step % 13 == 5:  # what is kept depends on no connection
                with run._writer._at_work:
                    run._writer._ledger.line.close()
    steps = seen(store, "a").moments
    assert len(steps) <= 8
    assert len(steps) > 4 or count < 9
    assert (steps[0], steps[-1]) == (0, count - 1)
    *regular, _ = steps
    assert set(np.diff(regular)) == {regular[1]}
    assert bin(regular[1]).count("1") == 1  # by a power of two
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT count(*) FROM moment").fetchone() == (len(steps),)


def test_moments_that_are_large_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MOST_MOMENT_BYTES", 100)
    sizes: dict[int, int] = {}
    stride = 1
    for number in range(50):
        sizes, stride = kept_moments({**sizes, number: 30}, stride)
        assert {0, number} <= set(sizes)
        assert sum(sizes.values()) <= 100
    assert kept_moments({0: 1_000, 1: 1_000}, 1) == ({0: 1_000, 1: 1_000}, 1)


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "column", "message"),
    [("piece", "numbers", "the values of run .* are damaged"), ("moment", "numbers", "the samples of .* are damaged")],
)
def test_damaged_numbers_are_not_shown(store: Store, table: str, column: str, message: str) -> None:
    with gdtui.Recorder("a") as run:
        run.log(loss=1.0)
        run.samples([1], [1.0])
    with closing(sqlite3.connect(store.path)) as connection, connection:
        blob = bytearray(connection.execute(f"SELECT {column} FROM {table}").fetchone()[0])
        blob[3] ^= 1
        connection.execute(f"UPDATE {table} SET {column} = ?", (bytes(blob),))
    with pytest.raises(InputError, match=message):
        KeptTraining(store, store.find("a")).look()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE run SET config = '{'",
        "UPDATE moment SET labels = 'x'",
        "DELETE FROM value_name",
        "UPDATE event SET after = ''",
    ],
)
def test_what_is_damaged_otherwise_is_said_in_a_line(store: Store, damage: str) -> None:
    with gdtui.Recorder("a") as run:
        run.log(loss=1.0, phase="x")
        run.samples([1], [1.0])
        run._writer.put(Taken(1, 1, 0.1))
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute(damage)
    with pytest.raises(InputError, match=rf"^run {run.id} cannot be read from .*runs\.sqlite: "):
        KeptTraining(store, store.find("a")).look()


def test_a_run_that_was_deleted_cannot_be_followed(store: Store) -> None:
    with gdtui.Recorder("a"):
        pass
    run = store.find("a")
    kept = KeptTraining(store, run)
    kept.look()
    store.remove(run)
    for call in (kept.look, lambda: kept.ask("pause")):
        with pytest.raises(InputError, match=f"run {run.id} is not kept any more"):
            call()


def test_deleting_a_training_leaves_nothing_of_it(store: Store) -> None:
    with gdtui.Recorder("a") as run:
        run.log(loss=1.0, phase="x")
        run.samples([1], [1.0])
    store.remove(store.find("a"))
    with closing(sqlite3.connect(store.path)) as connection:
        tables: list[Any] = [connection.execute(f"SELECT * FROM {name}").fetchall() for name in _TABLES]
    assert tables == [[]] * len(_TABLES)


_TABLES = ("run", "piece", "value_name", "moment", "line", "event")
