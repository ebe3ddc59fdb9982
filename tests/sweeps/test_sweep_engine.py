"""The engine with workers of the test's own: what it sends, and what it does when they die."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gdtui.experiment import Experiment
from gdtui.sweeps.crew import LostError
from gdtui.sweeps.engine import BATCH_S, MOST_EPOCHS, Engine
from gdtui.sweeps.work import Job, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.sweeps.crew import Batch, Work


class Hands:
    """Workers that are as quick as they are told, and whose work can be looked at.

    The first of what is under way is done when the engine waits; all of it is lost with a worker.
    """

    def __init__(self, size: int = 2, deadly: frozenset[str] = frozenset(), mends: bool = True) -> None:
        self.size = size
        self.batches: list[Batch] = []
        self.most_under_way = 0
        self.deaths = 0
        self._deadly, self._mends = deadly, mends
        self._under_way: list[tuple[Future[list[Outcome]], Work, Batch]] = []

    def submit(self, work: Work, batch: Batch) -> Future[list[Outcome]]:
        future: Future[list[Outcome]] = Future()
        self._under_way.append((future, work, batch))
        self.batches.append(batch)
        self.most_under_way = max(self.most_under_way, len(self._under_way))
        return future

    def finish_one(self) -> None:
        future, work, batch = self._under_way.pop(0)
        if not self._deadly & {job.key for job in batch}:
            future.set_result(work(batch))
            return
        self.deaths += 1
        for lost in (future, *(other for other, *_ in self._under_way)):
            lost.set_exception(BrokenProcessPool())
        self._under_way.clear()

    def is_death(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)

    def loses_all(self, error: BaseException) -> bool:
        return True

    def mend(self, error: BaseException) -> None:
        if not self._mends:
            raise LostError("they are gone")

    def close(self) -> None:
        pass


def taking(seconds: Callable[[str], float], most: int = 10**9) -> Work:
    """Work that says to have taken so long for each job, and does no more than so many of a batch."""
    return lambda batch: [Outcome(job.key, None, "done", seconds(job.key)) for job in batch[:most]]


def jobs(count: int, optimizer: str = "sgd") -> list[Job]:
    return [Job(f"{optimizer} {number}", Experiment(optimizer=optimizer), ".", 1) for number in range(count)]


def all_outcomes(engine: Engine, hands: Hands) -> list[Outcome]:
    outcomes = []
    while engine.has_work:
        engine._send()
        if hands._under_way:
            hands.finish_one()
        outcomes += engine.take()
    return outcomes


def test_every_job_is_done_once_with_few_under_way() -> None:
    hands = Hands(size=3)
    engine = Engine(hands, do=taking(lambda _: 0.01))
    engine.add(jobs(1000))
    assert Counter(one.key for one in all_outcomes(engine, hands)) == {job.key: 1 for job in jobs(1000)}
    assert hands.most_under_way == 6


def test_batches_are_as_long_as_the_measured_time_says() -> None:
    hands = Hands()
    engine = Engine(hands, do=taking(lambda key: 0.1 if key.startswith("sgd") else 10.0))
    engine.add([*jobs(100), *jobs(6, "adam")])
    all_outcomes(engine, hands)
    sizes = {name: [len(batch) for batch in hands.batches if batch[0].key.startswith(name)] for name in ("sgd", "adam")}
    assert sizes["sgd"][0] == 1  # nothing is known yet
    assert max(sizes["sgd"]) == BATCH_S / 0.1
    assert set(sizes["adam"]) == {1}


def test_the_last_batches_are_shared_out() -> None:
    hands = Hands(size=2)
    engine = Engine(hands, do=taking(lambda _: 1e-4))
    engine.add(jobs(101))
    all_outcomes(engine, hands)
    assert [len(batch) for batch in hands.batches][:3] == [1, 25, 19]


def test_of_long_runs_there_are_few_in_a_batch_however_quick_they_are() -> None:
    hands = Hands(size=2)
    engine = Engine(hands, do=taking(lambda _: 1e-4))
    long = [replace(job, epoch=30_000) for job in jobs(100)]
    longer = [replace(job, epoch=10**9) for job in jobs(3, "adam")]
    engine.add([*long, *longer])
    assert len(all_outcomes(engine, hands)) == 103
    assert max(len(batch) for batch in hands.batches) == MOST_EPOCHS // 30_000


def test_where_much_is_left_one_job_compiles_alone_and_then_all_do() -> None:
    hands = Hands(size=2)
    engine = Engine(hands, do=taking(lambda _: 0.25))
    engine.add(jobs(100))
    outcomes = []
    for _ in range(2):
        engine._send()
        assert len(hands._under_way) == 1  # the others wait
        hands.finish_one()
        outcomes += engine.take()
    outcomes += all_outcomes(engine, hands)
    assert [batch[0].is_compiled for batch in hands.batches[:3]] == [False, True, True]
    assert len(outcomes) == 100
    assert all(job.is_compiled for batch in hands.batches[1:] for job in batch)


def test_little_work_is_not_compiled() -> None:
    hands = Hands(size=2)
    engine = Engine(hands, do=taking(lambda _: 0.001))
    engine.add(jobs(100))
    all_outcomes(engine, hands)
    assert not any(job.is_compiled for batch in hands.batches for job in batch)


def test_what_a_batch_had_no_time_for_is_done_in_another() -> None:
    hands = Hands()
    engine = Engine(hands, do=taking(lambda _: 0.01, most=3))
    engine.add(jobs(100))
    assert Counter(one.key for one in all_outcomes(engine, hands)) == {job.key: 1 for job in jobs(100)}


def test_a_job_that_kills_its_workers_fails_and_the_others_are_done() -> None:
    hands = Hands(deadly=frozenset({"sgd 17"}))
    engine = Engine(hands, do=taking(lambda _: 0.01))
    engine.add(jobs(200))
    outcomes = {one.key: one.failure for one in all_outcomes(engine, hands)}
    assert outcomes.pop("sgd 17") == "4 workers died at it"
    assert outcomes == {job.key: "done" for job in jobs(200) if job.key != "sgd 17"}
    assert hands.deaths == 4


def test_two_such_jobs_are_both_found() -> None:
    deadly = frozenset({"sgd 3", "sgd 90"})
    hands = Hands(deadly=deadly)
    engine = Engine(hands, do=taking(lambda _: 0.01))
    engine.add(jobs(100))
    failed = {one.key for one in all_outcomes(engine, hands) if one.failure != "done"}
    assert failed == deadly


def test_workers_that_cannot_be_had_again_end_it() -> None:
    hands = Hands(deadly=frozenset({"sgd 5"}), mends=False)
    engine = Engine(hands, do=taking(lambda _: 0.01))
    engine.add(jobs(20))
    with pytest.raises(LostError, match="they are gone"):
        all_outcomes(engine, hands)


def test_workers_that_are_lost_again_and_again_end_it_in_one_line() -> None:
    class Deaf(Hands):
        def submit(self, work: Work, batch: Batch) -> Future[list[Outcome]]:
            raise RuntimeError("They have not understood.\nSee the manual.")

    engine = Engine(Deaf(), do=taking(lambda _: 0.01))
    engine.add(jobs(3))
    with pytest.raises(LostError) as error:
        all(engine.take() == [] for _ in range(20))
    assert str(error.value) == "the workers are lost again and again: They have not understood. See the manual."


def test_workers_that_are_lost_while_they_have_nothing_to_do_are_begun_anew() -> None:
    class Gone(Hands):
        is_there = False

        def submit(self, work: Work, batch: Batch) -> Future[list[Outcome]]:
            if not self.is_there:
                raise BrokenProcessPool
            return super().submit(work, batch)

        def mend(self, error: BaseException) -> None:
            self.is_there = True

    hands = Gone()
    engine = Engine(hands, do=taking(lambda _: 0.01))
    engine.add(jobs(5))
    engine.take()
    engine.take()
    assert hands.is_there
    assert {one.key for one in all_outcomes(engine, hands)} == {job.key for job in jobs(5)}


def test_after_a_stop_only_what_is_under_way_comes_back() -> None:
    hands = Hands(size=1)
    engine = Engine(hands, do=taking(lambda _: 0.5))
    engine.add(jobs(4))
    engine._send()
    engine.stop()
    assert [one.key for one in all_outcomes(engine, hands)] == ["sgd 0"]
    assert not engine.has_work
