"""Control: what is asked at the dashboard is what the loop is told, and what is asked of no loop is refused."""

from __future__ import annotations

import math
import time
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from recorded import program, seen, store_in, wait_until

import gdtui
from gdtui.descent.snapshot import Event
from gdtui.experiment import InputError
from gdtui.runs.store import Store
from gdtui.training import writer as writer_module
from gdtui.training.control import Control, Wanted
from gdtui.training.kept import KeptTraining

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / "runs.sqlite")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "WRITE_EVERY_S", 0.02)


@pytest.fixture
def run() -> Iterator[gdtui.Recorder]:
    with gdtui.Recorder("a") as run:
        yield run


@pytest.fixture
def kept(store: Store, run: gdtui.Recorder) -> KeptTraining:
    return KeptTraining(store, store.find("a"))


def _is_controlled(store: Store) -> bool:
    return seen(store, "a").is_controlled


def test_a_loop_that_does_not_ask_cannot_be_asked(kept: KeptTraining, store: Store, run: gdtui.Recorder) -> None:
    run.log(loss=1.0)
    assert not _is_controlled(store)
    with pytest.raises(InputError, match=r"does not ask what is wanted: run\.control\(\) in it would"):
        kept.ask("pause")


def test_pause_go_on_and_stop_reach_the_loop(kept: KeptTraining, store: Store, run: gdtui.Recorder) -> None:
    assert run.control() == Control(pause=False, stop=False, lr=None)
    wait_until(lambda: _is_controlled(store))
    kept.ask("pause")
    wait_until(lambda: run.control().pause)
    wait_until(lambda: store.find("a").state == "paused")
    kept.ask("go-on")
    wait_until(lambda: not run.control().pause)
    wait_until(lambda: store.find("a").state == "running")
    kept.ask("stop")
    wait_until(lambda: run.control().stop)
    run.close()
    training = seen(store, "a")
    assert (training.state, training.reason, training.is_controlled) == ("finished", "stopped as asked", False)
    with pytest.raises(InputError, match=r"run \w+ is finished: there is no loop to ask"):
        kept.ask("pause")


def test_a_learning_rate_is_given_once_each_time_it_is_asked_for(
    kept: KeptTraining, store: Store, run: gdtui.Recorder
) -> None:
    run.log(step=5, epoch=0.5, loss=1.0, lr=0.1)
    run.control()
    wait_until(lambda: _is_controlled(store))
    given = []

    def takes_one_more() -> bool:
        told = run.control()
        given.extend([told.lr] if told.lr is not None else [])
        return told.lr is not None

    for lr in (0.05, 0.05, 0.2):
        kept.ask("lr", lr)
        wait_until(takes_one_more)
    assert [run.control().lr for _ in range(3)] == [None] * 3
    assert given == [0.05, 0.05, 0.2]
    run.close()
    assert seen(store, "a").events == tuple(Event(5, 0.5, "lr", 0.1, lr) for lr in given)


def test_where_epoch_and_learning_rate_are_not_known_the_event_says_so(
    kept: KeptTraining, store: Store, run: gdtui.Recorder
) -> None:
    run.control()
    wait_until(lambda: _is_controlled(store))
    kept.ask("lr", 0.5)
    wait_until(lambda: run.control().lr == 0.5)
    run.close()
    (event,) = seen(store, "a").events
    assert (event.update, event.setting, event.before, event.after) == (0, "lr", None, 0.5)
    assert math.isnan(event.epoch)


def test_waiting_lasts_as_long_as_the_pause(kept: KeptTraining, store: Store, run: gdtui.Recorder) -> None:
    run.control(wait=True)
    wait_until(lambda: _is_controlled(store))
    kept.ask("pause")
    wait_until(lambda: run._writer.wanted.pause)
    told: list[Control] = []
    loop = Thread(target=lambda: told.append(run.control(wait=True)))
    loop.start()
    wait_until(lambda: store.find("a").state == "paused")
    time.sleep(0.1)
    assert loop.is_alive()
    kept.ask("go-on")
    loop.join(10)
    assert told == [Control()]
    wait_until(lambda: store.find("a").state == "running")


@pytest.mark.parametrize("end", ["stop", "deleted", "closed"])
def test_a_pause_ends_where_nobody_could_end_it_otherwise(
    kept: KeptTraining, store: Store, run: gdtui.Recorder, end: str
) -> None:
    run.control()
    wait_until(lambda: _is_controlled(store))
    kept.ask("pause")
    wait_until(lambda: run._writer.wanted.pause)
    told: list[Control] = []
    loop = Thread(target=lambda: told.append(run.control(wait=True)))
    loop.start()
    match end:
        case "stop":
            kept.ask("stop")
        case "deleted":
            with store.writing() as connection:
                connection.execute("DELETE FROM run")
        case "closed":
            run.close()
    loop.join(15)
    assert not loop.is_alive()
    assert told[0].stop == (end == "stop")


def test_a_paused_program_that_is_killed_is_interrupted(tmp_path: Path) -> None:
    text = "import gdtui, time\nrun = gdtui.Recorder('a')\nwhile True: run.control(wait=True); time.sleep(0.01)"
    store, process = store_in(tmp_path), program(tmp_path, text)
    try:
        wait_until(lambda: store.runs() and _is_controlled(store))
        KeptTraining(store, store.find("a")).ask("pause")
        wait_until(lambda: store.find("a").state == "paused")
    finally:
        process.kill()
        process.communicate()
    assert store.find("a").state == "interrupted"


@pytest.mark.parametrize(
    ("what", "value", "message"),
    [
        ("lr", None, "learning rate must be a positive number, got None"),
        ("lr", 0.0, "learning rate must be a positive number, got 0.0"),
        ("lr", math.nan, "learning rate must be a positive number, got nan"),
        ("lr", math.inf, "learning rate must be a positive number, got inf"),
        ("puase", None, r"unknown request 'puase' \(did you mean pause\?\)"),
    ],
)
def test_what_nobody_can_ask_for_is_refused(what: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Wanted().after(what, value)


def test_what_is_wanted_is_read_as_it_was_written() -> None:
    wanted = Wanted().after("pause").after("lr", 0.1).after("lr", 0.3).after("stop")
    assert Wanted.from_text(wanted.to_text()) == wanted == Wanted(pause=True, stop=True, lr=0.3, asked=2)
