"""The player: which snapshots come, in which order, and never two slices at once."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from labs import problem_of, trainer_of

from gdtui.dashboard import player as module
from gdtui.dashboard.player import SPEEDS, Grain, Player
from gdtui.descent.snapshot import Epoch, State
from gdtui.experiment import InputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gdtui.descent.snapshot import Snapshot
    from gdtui.descent.trainer import Trainer

FASTEST_DRAWN, MAX = len(SPEEDS) - 2, len(SPEEDS) - 1
FOREVER = 10**9


async def collect(frames: AsyncIterator[Snapshot], into: list[Snapshot]) -> None:
    async for frame in frames:
        into.append(frame)


async def all_of(frames: AsyncIterator[Snapshot]) -> list[Snapshot]:
    return [frame async for frame in frames]


def playing(trainer: Trainer, speed: int = FASTEST_DRAWN, grain: Grain = Grain.EPOCH) -> Player:
    player = Player(trainer, grain, speed)
    player.is_playing = True
    return player


async def some(player: Player, count: int) -> list[Snapshot]:
    """The next moments of what plays; then it is paused."""
    seen = []
    async for frame in player.play():
        seen.append(frame)
        if len(seen) == count:
            player.pause()
    return seen


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


class Watched:
    """A trainer that knows how many calls are in it at once, and holds them until told to go on."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.experiment = trainer.experiment
        self.go = threading.Event()
        self.begun = self.inside = self.most = 0

    def advance(self, *arguments: Any, **options: Any) -> Snapshot:
        self.begun += 1
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.go.wait(30)
        self.inside -= 1
        return self.trainer.advance(*arguments, **options)

    def snapshot(self) -> Snapshot:
        return self.trainer.snapshot()


async def test_every_epoch_is_shown_once_and_in_order() -> None:
    frames = await all_of(playing(trainer_of(epochs=12)).play())
    assert [frame.epoch for frame in frames] == list(range(1, 13))
    assert frames[-1].state is State.FINISHED


async def test_at_grain_update_every_update_is_shown() -> None:
    frames = await all_of(playing(trainer_of(epochs=3, batch_size=2), grain=Grain.UPDATE).play())
    assert [(frame.epoch, frame.updates) for frame in frames] == [(0, 1), (1, 2), (1, 3), (2, 4), (2, 5), (3, 6)]


@pytest.mark.parametrize("speed", [FASTEST_DRAWN, MAX])
async def test_what_is_played_has_the_bits_of_what_runs_headless(speed: int) -> None:
    settings: dict[str, Any] = {"epochs": 15, "batch_size": 2, "order": "shuffle", "seed": 3}
    frames = await all_of(playing(trainer_of(**settings), speed).play())
    alone = trainer_of(**settings).advance()
    assert frames[-1].theta.tobytes() == alone.theta.tobytes()
    assert frames[-1].loss == alone.loss


async def test_max_shows_moments_of_a_long_run_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_S", 0.005)
    frames = await some(playing(trainer_of(epochs=FOREVER), MAX), 5)
    updates = [frame.updates for frame in frames]
    assert updates == sorted(set(updates))
    assert updates[-1] > 100


async def test_a_step_stops_after_one_epoch_or_update() -> None:
    player = Player(trainer_of())
    counts = []
    for grain in (Grain.UPDATE, Grain.EPOCH, Grain.EPOCH, Grain.UPDATE):
        frames = await all_of(player.step(grain))
        counts.append((len(frames), frames[-1].epoch, frames[-1].updates))
    assert counts == [(1, 0, 1), (1, 1, 3), (1, 2, 6), (1, 2, 7)]


async def test_a_long_step_shows_what_there_is_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_S", 0.0)
    problem = problem_of(range(20_000), range(20_000))
    frames = await all_of(Player(trainer_of(problem, lr=1e-12)).step(Grain.EPOCH))
    assert len(frames) > 2
    assert [frame.visited for frame in frames] == sorted(frame.visited for frame in frames)
    assert (frames[-2].epoch, frames[-1].epoch) == (0, 1)


async def test_pausing_ends_the_play_and_it_can_go_on() -> None:
    player = playing(trainer_of(epochs=6))
    assert [frame.epoch for frame in await some(player, 2)] == [1, 2]
    player.is_playing = True
    assert [frame.epoch for frame in await all_of(player.play())] == [3, 4, 5, 6]


async def test_a_pause_does_not_wait_for_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPEEDS", (0.001, None))
    player = playing(trainer_of(), speed=0)
    frames = player.play()
    await anext(frames)
    rest = asyncio.create_task(all_of(frames))
    await asyncio.sleep(0)
    player.pause()
    async with asyncio.timeout(60):
        assert await rest == []


async def test_many_changes_of_speed_do_not_add_up_to_a_long_wait() -> None:
    player = playing(trainer_of(epochs=FOREVER), speed=0)
    seen: list[Snapshot] = []

    watching = asyncio.create_task(collect(player.play(), seen))
    for turn in range(20):
        count = len(seen)
        await until(lambda count=count: len(seen) > count)
        player.change_speed(-1 if turn % 2 else 1)
    count = len(seen)
    async with asyncio.timeout(9):
        while len(seen) <= count + 1:
            await asyncio.sleep(0.01)
    player.pause()
    await watching


async def test_the_ladder_ends_at_its_ends() -> None:
    player = Player(trainer_of())
    player.change_speed(-99)
    assert player.rate == 1
    player.change_speed(99)
    assert player.rate is None


async def test_speed_and_grain_can_change_while_it_plays() -> None:
    player = playing(trainer_of(epochs=FOREVER))
    seen = []
    async for frame in player.play():
        seen.append(frame)
        if len(seen) == 2:
            player.grain = Grain.UPDATE
        elif len(seen) == 4:
            player.change_speed(99)
        elif len(seen) == 6:
            player.change_speed(-1)
            player.grain = Grain.EPOCH
        elif len(seen) == 8:
            player.pause()
    assert [frame.updates for frame in seen[:4]] == [3, 6, 7, 8]
    assert seen[7].epoch == seen[6].epoch + 1


@pytest.mark.parametrize("speed", [FASTEST_DRAWN, MAX])
async def test_a_change_takes_effect_at_the_next_update_without_a_stop(speed: int) -> None:
    player = playing(trainer_of(epochs=FOREVER), speed)
    seen = []
    async for frame in player.play():
        seen.append(frame)
        if len(seen) == 2:
            (event,) = await player.change(lr=0.02)
        elif len(seen) == 4:
            player.pause()
    assert event.after == 0.02
    assert seen[-1].events == (event,)
    assert seen[1].updates <= event.update <= seen[2].updates


async def test_a_wrong_change_is_refused_and_the_run_is_as_it_was() -> None:
    player = Player(trainer_of())
    with pytest.raises(InputError, match="positive"):
        await player.change(lr=-1.0)
    assert player.trainer.experiment.lr == 0.01
    assert (await all_of(player.step(Grain.EPOCH)))[-1].events == ()


async def test_what_is_over_stays_over() -> None:
    player = playing(trainer_of(epochs=2))
    await all_of(player.play())
    assert not player.is_playing
    assert [frame.epoch for frame in await all_of(player.step(Grain.EPOCH))] == [2]


async def test_a_diverging_run_stops_itself() -> None:
    player = playing(trainer_of(lr=0.3, epochs=FOREVER), MAX)
    assert (await all_of(player.play()))[-1].state is State.DIVERGED
    assert not player.is_playing


async def test_a_step_while_it_plays_waits_until_it_has_paused() -> None:
    player = playing(trainer_of(epochs=FOREVER))
    seen: list[Snapshot] = []
    play = asyncio.create_task(collect(player.play(), seen))
    await until(lambda: len(seen) >= 3)
    player.pause()
    await asyncio.gather(play, collect(player.step(Grain.EPOCH), seen))
    assert [frame.epoch for frame in seen] == list(range(1, len(seen) + 1))


async def test_a_cancelled_play_never_leaves_two_slices_at_once() -> None:
    watched = Watched(trainer_of(epochs=FOREVER))
    player = playing(watched)  # type: ignore[arg-type]
    for begun in range(1, 4):
        task = asyncio.create_task(all_of(player.play()))
        if begun == 1:
            await until(lambda: watched.begun == 1)
        else:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert watched.inside == 1
    watched.go.set()
    frames = await all_of(player.step(Grain.EPOCH))
    assert watched.most == 1
    assert frames[-1].has_reached(Epoch(1))
