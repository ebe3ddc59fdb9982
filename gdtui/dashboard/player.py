"""Player: plays a trainer at a speed, off the event loop; yields the snapshots to show."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gdtui.descent.snapshot import Epoch, Event, Snapshot, Update
    from gdtui.descent.trainer import Trainer

    T = TypeVar("T")

SPEEDS: tuple[float | None, ...] = (1, 2, 5, 10, 20, 50, None)
"""The ladder, in grains (epochs or updates) a second; None is max: as fast as it goes."""

SLICE_S = 0.1
"""Seconds of descent between two snapshots at max, and the longest that a change waits for its turn."""


class Grain(StrEnum):
    """What one step of the player is."""

    EPOCH = "epoch"
    UPDATE = "update"


class Player:
    """Steps a trainer in a thread, one call at a time.

    Attributes:
        trainer: what is played.
        grain: what one step is.
        is_playing: it is to go on, until paused.
        is_stepping: one long epoch is under way.
    """

    def __init__(self, trainer: Trainer, grain: Grain = Grain.EPOCH, speed: int = SPEEDS.index(10)) -> None:
        self.trainer = trainer
        self.grain = grain
        self.is_playing = False
        self.speed = speed
        self.is_stepping = False
        self._stops = 0
        self._wake = asyncio.Event()
        self._driving = asyncio.Lock()
        self._in_thread = Lock()

    @property
    def rate(self) -> float | None:
        """Grains a second; None is max."""
        return SPEEDS[self.speed]

    def change_speed(self, rungs: int) -> None:
        """Go up or down the ladder of speeds, as far as it reaches."""
        self.speed = min(max(self.speed + rungs, 0), len(SPEEDS) - 1)
        self._wake.set()

    def pause(self) -> None:
        """Let `play` end after the slice under way."""
        self.is_playing = False
        self._wake.set()

    def stop(self) -> None:
        """Let `play` and every `step` that was asked for end after the slice under way."""
        self.pause()
        self._stops += 1

    async def change(self, **settings: Any) -> tuple[Event, ...]:
        """Change the trainer's settings, between two slices.

        Raises:
            InputError: if a value is wrong.
        """
        return await self._call(lambda: self.trainer.change(**settings))

    async def snapshot(self) -> Snapshot:
        """The trainer's moment, between two slices."""
        return await self._call(self.trainer.snapshot)

    async def rewind(self, epochs: int) -> Snapshot:
        """Go so many epochs forward, or back where it is negative, in what was run before."""

        def go() -> Snapshot:
            now = self.trainer.snapshot()
            is_farthest = epochs > 0 and now.farthest == now.epoch  # also in the midst of an epoch
            return now if is_farthest else self.trainer.rewind(now.epoch + epochs)

        async with self._driving:
            return await self._call(go)

    async def fork(self) -> Player:
        """A player of a run that has come to this moment and can now go its own way."""
        async with self._driving:
            return Player(await self._call(self.trainer.fork), self.grain, self.speed)

    async def step(self, grain: Grain) -> AsyncIterator[Snapshot]:
        """Advance by one epoch or update; a long one yields what there is of it now and then, until stopped."""
        stops = self._stops
        async with self._driving:
            try:
                if self._stops == stops:
                    async for snapshot in self._step(grain):
                        self.is_stepping = not snapshot.is_between_epochs and grain is Grain.EPOCH
                        yield snapshot
                        if self._stops != stops:
                            break
            finally:
                self.is_stepping = False

    async def play(self) -> AsyncIterator[Snapshot]:
        """Step at the speed's rate until paused or over; a speed or grain that changes is followed at once."""
        clock = asyncio.get_running_loop().time
        async with self._driving:
            due = clock()
            while self.is_playing:
                rate = self.rate
                frames = self._slices(None) if rate is None else self._step(self.grain)
                async for snapshot in frames:
                    yield snapshot
                    if snapshot.state.is_over:
                        self.is_playing = False
                    if not self.is_playing or self.rate != rate:
                        break
                # A speed or pause key ends a wait early: what was left of it must not add up.
                due = min(max(due + 1 / rate, clock()), clock() + 1 / rate) if rate else clock()
                if self.is_playing:
                    await self._sleep_until(due)

    async def _step(self, grain: Grain) -> AsyncIterator[Snapshot]:
        from gdtui.descent.snapshot import Epoch, Update

        now = await self.snapshot()
        until = Epoch(now.epoch + 1) if grain is Grain.EPOCH else Update(now.updates + 1)
        async for snapshot in self._slices(until):
            yield snapshot

    async def _slices(self, until: Epoch | Update | None) -> AsyncIterator[Snapshot]:
        def advance() -> Snapshot:
            snapshot = self.trainer.advance(until, budget_s=SLICE_S)
            _ = snapshot.visits.last_visit  # a pass over the samples: here, not on the event loop
            return snapshot

        while True:
            snapshot = await self._call(advance)
            yield snapshot
            if snapshot.state.is_over or snapshot.has_reached(until):
                return

    async def _call(self, function: Callable[[], T]) -> T:
        """Call in a thread; one call at a time, even where the waiting task was cancelled and its call goes on."""

        def locked() -> T:
            with self._in_thread:
                return function()

        return await asyncio.to_thread(locked)

    async def _sleep_until(self, due: float) -> None:
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._wake.wait()
