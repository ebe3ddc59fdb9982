"""What the lab opens with: a kept run, one that another process makes, a lesson; and that what it plays is kept."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from labs import Lab, lab, until

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.widgets.caption import Caption
from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment
from gdtui.insight.tracked import Tracker
from gdtui.lessons.catalog import LESSONS
from gdtui.problems.loading import load_problem
from gdtui.runs.keeper import Keeper
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gdtui.descent.snapshot import Snapshot
    from gdtui.runs.store import Run


@asynccontextmanager
async def opened(opening: Opening, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Lab]:
    app = LabApp(opening)
    async with app.run_test(size=size) as pilot:
        driven = Lab(pilot, app)
        await until(pilot, lambda: app.failure or driven.player.snapshot is not None)
        await pilot.pause()
        yield driven
    app.end()


def trainer_of(**settings: Any) -> Trainer:
    experiment = Experiment(**settings)
    return Trainer(experiment, load_problem(experiment), Tracker())


def kept(trainer: Trainer) -> Run:
    """What a trainer has come to, as a process that has ended left it."""
    keeper = Keeper(Store())
    keeper.look_at(trainer.record())
    keeper.close()
    assert not keeper.problem
    return Store().run(keeper.run)


async def step(driven: Lab) -> None:
    """One epoch more, seen."""
    epoch = driven.player.snapshot.epoch + 1
    await driven.press("e")
    await driven.until(lambda: driven.is_at(epoch))


def bits(snapshot: Snapshot) -> tuple[Any, ...]:
    return snapshot.theta.tobytes(), snapshot.epoch, snapshot.updates, snapshot.state


# What is played is kept


async def test_what_is_played_is_kept_when_the_app_has_ended() -> None:
    async with opened(Opening(Experiment(epochs=20))) as driven:
        driven.player.change_speed(9)
        await driven.tap("space")
        await driven.until(lambda: "finished" in driven.status)
        end = driven.player.snapshot
    (run,) = Store().runs()
    assert (run.state, run.epoch, run.is_made) == ("finished", 20, False)
    record = Store().record(run.id)
    assert record.theta.tobytes() == end.theta.tobytes()
    assert record.history.rows.tobytes() == end.history.rows.tobytes()


async def test_a_run_that_was_never_begun_is_not_kept() -> None:
    async with opened(Opening()) as driven:
        await driven.press("plus", "r")
    assert Store().runs() == []


async def test_no_keep_keeps_nothing(home: Path) -> None:
    async with opened(Opening(is_kept=False)) as driven:
        await driven.press("e", "e", "f", "e")
    assert not home.exists()


async def test_changes_and_resets_and_forks_lose_nothing() -> None:
    async with opened(Opening(Experiment(epochs=50))) as driven:
        for _ in range(3):
            await step(driven)
        await driven.press("plus")
        await step(driven)
        await driven.press("f")
        await step(driven)
        await driven.press("r")
        await step(driven)
    reset, fork, first = Store().runs()
    assert [run.epoch for run in (first, fork, reset)] == [4, 5, 1]
    assert (first.parent, fork.parent, reset.parent) == ("", first.id, "")
    assert [event.setting for event in Store().record(first.id).events] == ["lr"]
    assert [run.state for run in (first, fork, reset)] == ["paused"] * 3


async def test_what_is_changed_after_a_rewind_is_another_run() -> None:
    async with opened(Opening(Experiment(epochs=50))) as driven:
        for _ in range(6):
            await step(driven)
        await driven.press("left_square_bracket", "left_square_bracket", "minus")
        await step(driven)
    other, first = Store().runs()
    assert (first.epoch, first.parent) == (6, "")
    assert (other.epoch, other.parent) == (5, first.id)
    assert Store().record(other.id).settings.lr == 0.008


async def test_a_store_that_cannot_be_used_is_told_and_the_run_goes_on(home: Path) -> None:
    home.write_text("a file where the folder should be")
    async with opened(Opening(Experiment(epochs=50))) as driven:
        await step(driven)
        await driven.until(lambda: "! not kept" in driven.status)
        await step(driven)
        assert driven.is_at(2)
        assert any(entry.startswith("this run is not being kept: ") for entry in driven.log)
        home.unlink()
        await driven.until(lambda: "not kept" not in driven.status)
        assert "this run is kept again" in driven.log
    assert Store().runs()[0].epoch == 2


# A kept run


@pytest.mark.parametrize("epochs", [7, 30])
async def test_a_kept_run_is_shown_where_it_was_left_and_goes_on_to_the_same_bits(epochs: int) -> None:
    settings: dict[str, Any] = {"problem": "saddle", "order": "shuffle", "lr": 0.1, "epochs": 30}
    left, whole = trainer_of(**settings), trainer_of(**settings)
    left.advance(until=Epoch(epochs))
    run = kept(left)
    async with opened(Opening(run=run)) as driven:
        assert bits(driven.player.snapshot) == bits(left.snapshot())
        driven.player.change_speed(9)
        await driven.tap("space")
        await driven.until(lambda: "finished" in driven.status)
        assert bits(driven.player.snapshot) == bits(whole.advance())
    (again,) = Store().runs()
    assert (again.id, again.epoch, again.state, again.is_made) == (run.id, 30, "finished", False)


async def test_looking_at_a_kept_run_changes_nothing_of_it() -> None:
    trainer = trainer_of(epochs=30)
    trainer.advance()
    run = kept(trainer)
    async with opened(Opening(run=run)) as driven:
        await driven.press("left_curly_bracket", "left_square_bracket")
        assert driven.is_at(19)
        await driven.press("right_curly_bracket", "right_curly_bracket")
        assert driven.is_at(30)
    assert Store().runs() == [run]


async def test_a_run_that_is_gone_is_told_in_one_line() -> None:
    trainer = trainer_of(epochs=3)
    trainer.advance()
    run = kept(trainer)
    Store().remove(run)
    app = LabApp(Opening(run=run))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.failure)
    assert app.failure == f"run {run.id} is not kept any more"


async def test_data_that_has_changed_is_told_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "d.csv"
    data.write_text("x,y\n1,2\n2,4\n")
    trainer = trainer_of(data=str(data), epochs=3)
    trainer.advance()
    run = kept(trainer)
    data.write_text("x,y\n1,2\n2,5\n")
    app = LabApp(Opening(run=run))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.failure)
    assert app.failure.startswith("the data or the model has changed since: f at the start was ")


# A run that another process makes


class Elsewhere:
    """A run that is made outside the app."""

    def __init__(self, **settings: Any) -> None:
        self.trainer = trainer_of(**settings)
        self._keeper = Keeper(Store())
        self.go(1)
        while not Store().runs():
            pass
        (self.run,) = Store().runs()

    def go(self, epochs: int) -> None:
        self.trainer.advance(until=Epoch(self.trainer.snapshot().epoch + epochs))
        self._keeper.look_at(self.trainer.record())

    def change(self, **settings: Any) -> None:
        self.trainer.change(**settings)
        self._keeper.look_at(self.trainer.record())

    def end(self) -> None:
        self._keeper.close()


async def test_a_run_that_is_made_elsewhere_is_followed_and_never_written() -> None:
    elsewhere = Elsewhere(epochs=50, order="shuffle")
    async with opened(Opening(run=elsewhere.run)) as driven:
        assert "watching" in driven.status
        elsewhere.go(4)
        await driven.until(lambda: driven.is_at(5))
        elsewhere.change(lr=0.02)
        elsewhere.go(1)
        await driven.until(lambda: driven.is_at(6))
        assert bits(driven.player.snapshot) == bits(elsewhere.trainer.snapshot())
        assert driven.experiment.lr == 0.02
        for key in ("full_stop", "e", "plus"):
            await driven.tap(key)
        await driven.until(lambda: any("makes this run: f goes another way" in entry for entry in driven.log))
        assert driven.player.snapshot.epoch == 6
        elsewhere.go(44)
        await driven.until(lambda: "finished" in driven.status)
        elsewhere.end()
    (run,) = Store().runs()
    assert (run.epoch, run.state) == (50, "finished")


async def test_space_holds_the_picture_and_lets_it_go_again() -> None:
    elsewhere = Elsewhere(epochs=50)
    async with opened(Opening(run=elsewhere.run)) as driven:
        await driven.press("space")
        assert "held" in driven.status
        elsewhere.go(9)
        await driven.pilot.pause(1.0)
        assert driven.is_at(1)
        await driven.press("space")
        await driven.until(lambda: driven.is_at(10))
        await driven.press("left_square_bracket")
        assert driven.is_at(9)
        assert "held" in driven.status
    elsewhere.end()


async def test_a_fork_of_a_watched_run_goes_its_own_way() -> None:
    elsewhere = Elsewhere(epochs=50)
    async with opened(Opening(run=elsewhere.run)) as driven:
        await driven.press("f")
        await step(driven)
        assert driven.is_at(2)
    elsewhere.end()
    fork, run = Store().runs()
    assert (fork.parent, fork.epoch, run.epoch) == (run.id, 2, 1)


async def test_a_run_whose_process_has_ended_is_gone_on_with_here() -> None:
    elsewhere = Elsewhere(epochs=50)
    async with opened(Opening(run=elsewhere.run, is_watched=True)) as driven:
        elsewhere.go(2)
        elsewhere.end()
        await driven.until(lambda: "interrupted" in driven.status)
        driven.player.change_speed(9)
        await driven.tap("space")
        await driven.until(lambda: "finished" in driven.status)
    (run,) = Store().runs()
    assert (run.id, run.epoch, run.state) == (elsewhere.run.id, 50, "finished")


async def test_a_watched_run_that_goes_another_way_is_followed_there() -> None:
    elsewhere = Elsewhere(epochs=50)
    elsewhere.go(9)
    async with opened(Opening(run=elsewhere.run)) as driven:
        await driven.until(lambda: driven.is_at(10))
        elsewhere.trainer.rewind(4)
        elsewhere.change(lr=0.05)
        elsewhere.go(1)
        await driven.until(lambda: driven.is_at(5))
        assert driven.experiment.lr == 0.05
    elsewhere.end()
    other, run = Store().runs()
    assert (other.parent, run.epoch) == (run.id, 10)


async def test_a_watched_run_that_is_deleted_is_told() -> None:
    elsewhere = Elsewhere(epochs=50)
    async with opened(Opening(run=elsewhere.run)) as driven:
        elsewhere.end()
        with sqlite3.connect(Store().path) as connection:
            connection.execute("DELETE FROM run")
        await driven.until(lambda: f"run {elsewhere.run.id} is not kept any more" in driven.log)


# Lessons


@pytest.mark.parametrize("name", LESSONS)
async def test_every_lesson_opens_with_its_runs_pinned_and_its_words_in_whole(name: str) -> None:
    lesson = LESSONS[name]
    async with opened(Opening(lesson.shown, lesson=name, is_kept=False), size=(80, 24)) as driven:
        caption = driven.screen.query_one(Caption)
        await driven.until(lambda: caption.text not in ("", "…"))
        assert driven.experiment == lesson.shown
        assert [pin.name for _, pin in driven.screen._pins] == [trial.label for trial in lesson.pins]
        words = {*caption.text.split(), *lesson.hint.split()}
        await driven.until(lambda: all(map(driven.text.__contains__, words)))


async def test_from_one_lesson_to_the_next_and_back() -> None:
    async with opened(Opening(is_kept=False)) as driven:
        caption = driven.screen.query_one(Caption)
        await driven.press("0")
        assert "no lesson is open: ) opens the first" in driven.log
        names = list(LESSONS)
        for key, name in (
            ("right_parenthesis", names[0]),
            ("right_parenthesis", names[1]),
            ("left_parenthesis", names[0]),
            ("left_parenthesis", names[-1]),
        ):
            await driven.tap(key)
            await driven.until(lambda name=name: driven.screen.lesson == name and caption.text not in ("", "…"))
        assert caption.region.height > 0
        await driven.press("0")
        assert caption.region.height == 0


async def test_a_kept_run_is_the_experiment_pane_s_business_too() -> None:
    async with lab(epochs=20) as driven:
        await step(driven)
        keeper = driven.player.keeping.keeper
        await driven.until(lambda: f"run {keeper.run}" in driven.text)
