"""Resume: a run goes on with the problem that it was of, wherever it is called from, or says why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from making import differences, kept, trainer_of

from gdtui.descent.snapshot import Epoch
from gdtui.runs.keeper import Keeper
from gdtui.runs.reopen import reopen
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Finished

    Command = Callable[..., Finished]

MODEL = """\
def line(theta, x, y, g):
    r = theta[0] * x[0] - y
    g[0] = {gradient} * r * x[0]
    return {loss}
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("GDTUI_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    Path("data.csv").write_text("x,y\n1,2\n2,4\n3,7\n")
    Path("mine.py").write_text(MODEL.format(gradient=2, loss="r * r"))
    return Store()


LINES = ["data=data.csv epochs=100", "problem=mine.py:line epochs=100", "problem=mine.py:line data=data.csv epochs=100"]


@pytest.mark.parametrize("line", LINES)
def test_relative_files_are_found_from_another_folder(
    store: Store, gdtui: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    run, expected = kept(store, trainer_of(line, epochs=40)), trainer_of(line)
    expected.advance()
    monkeypatch.chdir(tmp_path)
    finished = gdtui("resume", run.id)
    assert (finished.err, finished.status) == ("", 0)
    assert store.find(run.id).folder == str(tmp_path / "work")
    record = store.record(run.id)
    assert (record.theta.tobytes(), record.epoch) == (expected.record().theta.tobytes(), 100)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: Path("data.csv").unlink(), "data.csv"),
        (lambda: Path("data.csv").write_text("x,y\n1,2\n2,4\n3,8\n"), "the data or the model has changed since"),
        (lambda: Path("data.csv").write_text("x,y\n1,2\n3,7\n2,4\n"), "the data or the model has changed since"),
        (lambda: Path("mine.py").unlink(), "mine.py"),
        (lambda: Path("mine.py").write_text(MODEL.format(gradient=1, loss="0.5 * r * r")), "changed since"),
        (lambda: Path("mine.py").write_text("def line(:\n"), "mine.py"),
    ],
)
def test_files_that_are_not_what_they_were_are_told(
    store: Store, gdtui: Command, change: Callable[[], object], told: str
) -> None:
    trainer = trainer_of(LINES[2], epochs=40)
    run = kept(store, trainer)
    change()
    finished = gdtui("resume", run.id)
    assert finished.status == 2
    assert told in finished.err
    assert finished.err.count("\n") == 1
    assert finished.out == ""
    assert differences(store.record(run.id), trainer.record()) == []


def test_another_way_from_elsewhere_finds_its_files_too(
    store: Store, gdtui: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = kept(store, trainer_of(LINES[2], epochs=40))
    monkeypatch.chdir(tmp_path)
    trainer, record = reopen(store, run)
    keeper = Keeper(store, run.id, record)
    trainer.rewind(10)
    trainer.change(lr=0.02)
    trainer.advance(until=Epoch(30))
    keeper.look_at(trainer.record())
    keeper.close()
    other = store.find(keeper.run)
    assert (keeper.problem, other.parent, other.folder) == ("", run.id, str(tmp_path / "work"))
    assert gdtui("resume", other.id).err == ""


def test_a_resumed_run_is_named_as_it_was(store: Store, gdtui: Command) -> None:
    run = kept(store, trainer_of(epochs=40))
    assert gdtui("resume", "last").records("end")[0]["epoch"] == 100
    (again,) = store.runs()
    assert (again.id, again.created, again.state, again.is_made) == (run.id, run.created, "finished", False)
    finished = gdtui("resume", run.id)
    assert finished.status == 2
    assert finished.err == f"gdtui: run {run.id} is finished, there is nothing left to do: gdtui open {run.id}\n"
