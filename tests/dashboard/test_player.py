"""The player: which snapshots come, in which order, one job after another, and never two slices at once."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from labs import problem_of, trainer_of

from gdtui.dashboard import player as module
from gdtui.dashboard.begin import Begun
from gdtui.dashboard.player import Grain, Player
from gdtui.dashboard.threads import in_thread
from gdtui.descent.snapshot import State
from gdtui.experiment import InputError
from gdtui.preferences import SPEEDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer

FASTEST_DRAWN, MAX = len(SPEEDS) - 2, len(SPEEDS) - 1
FOREVER = 10**9


class Seen(list["Snapshot"]):
    """What a player has shown, and what it has failed with."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[InputError] = []
        self.react: Callable[[int], None] = lambda _count: None

    def show(self, snapshot: Snapshot) -> None:
        self.append(snapshot)
        self.react(len(self))


@asynccontextmanager
async def working(trainer: Trainer, speed: int = FASTEST_DRAWN) -> AsyncIterator[tuple[Player, Seen]]:
    """A player at work on a trainer, and what it shows from now on."""
    seen = Seen()
    player = Player(seen.show, seen.failures.append)
    player.change_speed(speed - player.speed)
    player.begin(Begun(trainer, trainer.snapshot(), keeper=None))
    seen.clear()
    task = asyncio.create_task(player.work())
    try:
        yield player, seen
    finally:
        task.cancel()


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


async def done(player: Player) -> None:
    """All that was asked for so far."""
    finished = asyncio.Event()

    async def finish() -> None:
        finished.set()

    player.ask(finish)
    async with asyncio.timeout(30):
        await finished.wait()


async def played(trainer: Trainer, speed: int = FASTEST_DRAWN, grain: Grain = Grain.EPOCH) -> list[Snapshot]:
    """All that is shown while a trainer is played to its end."""
    async with working(trainer, speed) as (player, seen):
        player.grain = grain
        player.play()
        await until(lambda: seen and seen[-1].state.is_over)
        assert not player.is_playing
        return seen


async def stepped(trainer: Trainer, *grains: Grain) -> list[Snapshot]:
    async with working(trainer) as (player, seen):
        for grain in grains:
            player.step(grain)
        await done(player)
        return seen


async def test_every_epoch_is_shown_once_and_in_order() -> None:
    frames = await played(trainer_of(epochs=12))
    assert [frame.epoch for frame in frames] == list(range(1, 13))
    assert frames[-1].state is State.FINISHED


async def test_at_grain_update_every_update_is_shown() -> None:
    frames = await played(trainer_of(epochs=3, batch_size=2), grain=Grain.UPDATE)
    assert [(frame.epoch, frame.updates) for frame in frames] == [(0, 1), (1, 2), (1, 3), (2, 4), (2, 5), (3, 6)]


@pytest.mark.parametrize("speed", [FASTEST_DRAWN, MAX])
async def test_what_is_played_has_the_bits_of_what_runs_headless(speed: int) -> None:
    settings: dict[str, Any] = {"epochs": 15, "batch_size": 2, "order": "shuffle", "seed": 3}
    frames = await played(trainer_of(**settings), speed)
    alone = trainer_of(**settings).advance()
    assert frames[-1].theta.tobytes() == alone.theta.tobytes()
    assert frames[-1].loss == alone.loss


async def test_max_shows_moments_of_a_long_run_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_S", 0.005)
    async with working(trainer_of(epochs=FOREVER), MAX) as (player, seen):
        player.play()
        await until(lambda: len(seen) >= 5)
        updates = [frame.updates for frame in seen]
    assert updates == sorted(set(updates))
    assert updates[-1] > 100


async def test_a_step_stops_after_one_epoch_or_update() -> None:
    frames = await stepped(trainer_of(), Grain.UPDATE, Grain.EPOCH, Grain.EPOCH, Grain.UPDATE)
    assert [(frame.epoch, frame.updates) for frame in frames] == [(0, 1), (1, 3), (2, 6), (2, 7)]


async def test_a_long_step_shows_what_there_is_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_S", 0.0)
    frames = await stepped(trainer_of(problem_of(range(20_000), range(20_000)), lr=1e-12), Grain.EPOCH)
    assert len(frames) > 2
    assert [frame.visited for frame in frames] == sorted(frame.visited for frame in frames)
    assert (frames[-2].epoch, frames[-1].epoch) == (0, 1)


async def test_a_stop_ends_a_long_step_and_those_that_wait_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_S", 0.0)
    async with working(trainer_of(problem_of(range(20_000), range(20_000)), lr=1e-12)) as (player, seen):
        seen.react = lambda count: player.stop() if count == 2 else None
        for _ in range(3):
            player.step(Grain.EPOCH)
        await done(player)
        assert [frame.epoch for frame in seen] == [0] * len(seen)
        assert len(seen) <= 3
        assert not player.is_stepping
        player.step(Grain.EPOCH)
        await done(player)
        assert seen[-1].epoch == 1


async def test_pausing_ends_the_play_and_it_can_go_on() -> None:
    async with working(trainer_of(epochs=6)) as (player, seen):
        seen.react = lambda count: player.stop() if count == 2 else None
        player.play()
        await until(lambda: len(seen) == 2)
        await done(player)
        assert [frame.epoch for frame in seen] == [1, 2]
        player.play()
        await until(lambda: seen[-1].state.is_over)
        assert [frame.epoch for frame in seen] == [1, 2, 3, 4, 5, 6]


async def test_a_job_does_not_wait_for_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPEEDS", (0.001, *SPEEDS[1:]))
    async with working(trainer_of(), speed=0) as (player, seen):
        player.play()
        await until(lambda: len(seen) == 1)
        await done(player)
        assert len(seen) == 1
        player.step(Grain.EPOCH)
        await done(player)
        assert [frame.epoch for frame in seen] == [1, 2]


async def test_many_changes_of_speed_do_not_add_up_to_a_long_wait() -> None:
    async with working(trainer_of(epochs=FOREVER), speed=0) as (player, seen):
        player.play()
        for turn in range(20):
            count = len(seen)
            await until(lambda count=count: len(seen) > count)
            player.change_speed(-1 if turn % 2 else 1)
        count = len(seen)
        async with asyncio.timeout(9):
            while len(seen) <= count + 1:
                await asyncio.sleep(0.01)


async def test_the_ladder_ends_at_its_ends() -> None:
    async with working(trainer_of()) as (player, _):
        player.change_speed(-99)
        assert player.rate == 1
        player.change_speed(99)
        assert player.rate is None


async def test_speed_and_grain_can_change_while_it_plays() -> None:
    async with working(trainer_of(epochs=FOREVER)) as (player, seen):

        def react(count: int) -> None:
            if count == 2:
                player.grain = Grain.UPDATE
            elif count == 4:
                player.change_speed(99)
            elif count == 6:
                player.change_speed(-1)
                player.grain = Grain.EPOCH
            elif count == 8:
                player.stop()

        seen.react = react
        player.play()
        await until(lambda: len(seen) == 8)
    assert [frame.updates for frame in seen[:4]] == [3, 6, 7, 8]
    assert seen[7].epoch == seen[6].epoch + 1


@pytest.mark.parametrize("speed", [FASTEST_DRAWN, MAX])
async def test_a_job_has_its_turn_while_it_plays(speed: int) -> None:
    trainer = trainer_of(epochs=FOREVER)
    async with working(trainer, speed) as (player, seen):

        async def change() -> None:
            trainer.change(lr=0.02)

        seen.react = lambda count: player.ask(change) if count == 2 else None
        player.play()
        await until(lambda: len(seen) >= 4)
    (event,) = seen[3].events
    assert event.after == 0.02
    assert seen[1].updates <= event.update <= seen[2].updates


async def test_jobs_and_steps_keep_their_order() -> None:
    trainer = trainer_of()
    async with working(trainer) as (player, seen):

        async def change() -> None:
            trainer.change(lr=trainer.experiment.lr * 2)

        for _ in range(2):
            player.step(Grain.EPOCH)
            player.ask(change)
        player.step(Grain.UPDATE)
        await done(player)
    assert [event.update for event in seen[-1].events] == [3, 6]
    assert seen[-1].updates == 7


async def test_a_model_that_fails_in_mid_run_is_told_of_and_the_player_lives_on() -> None:
    async with working(trainer_of()) as (player, seen):

        async def fail() -> None:
            raise InputError("problem", "not today")

        player.play()
        player.ask(fail)
        await until(lambda: seen.failures)
        assert not player.is_playing
        count = len(seen)
        player.step(Grain.EPOCH)
        await done(player)
        assert len(seen) == count + 1
    assert str(seen.failures[0]) == "not today"


async def test_what_is_over_stays_over() -> None:
    async with working(trainer_of(epochs=2)) as (player, seen):
        player.play()
        await until(lambda: not player.is_playing)
        player.step(Grain.EPOCH)
        await done(player)
        assert seen[-1].epoch == 2


async def test_a_diverging_run_stops_itself() -> None:
    assert (await played(trainer_of(lr=0.3, epochs=FOREVER), MAX))[-1].state is State.DIVERGED


async def test_a_step_while_it_plays_pauses_and_then_steps() -> None:
    async with working(trainer_of(epochs=FOREVER)) as (player, seen):
        player.play()
        await until(lambda: len(seen) >= 3)
        player.step(Grain.EPOCH)
        await done(player)
        assert not player.is_playing
        assert [frame.epoch for frame in seen] == list(range(1, len(seen) + 1))


async def test_a_thread_gives_back_what_it_computed_or_raised() -> None:
    def fail() -> None:
        raise ValueError("here")

    assert await in_thread(lambda: 6 * 7) == 42
    with pytest.raises(ValueError, match="here"):
        await in_thread(fail)


def test_a_thread_that_still_computes_does_not_hold_up_the_end() -> None:
    go = threading.Event()

    async def leave_behind() -> None:
        task = in_thread(go.wait)
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(leave_behind())
    assert not go.is_set()
    go.set()
