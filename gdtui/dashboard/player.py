"""Player: plays a trainer at a speed; does what it is asked for one thing after another, off the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gdtui.dashboard.keeping import Keeping
from gdtui.dashboard.threads import in_thread
from gdtui.experiment import InputError
from gdtui.preferences import SPEEDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gdtui.dashboard.begin import Begun
    from gdtui.descent.snapshot import Epoch, Snapshot, Update
    from gdtui.descent.trainer import Trainer

    Job = Callable[[], Awaitable[None]]

T = TypeVar("T")

SLICE_S = 0.1
"""Seconds of descent between two snapshots at max, and the longest that a job waits for its turn while it plays."""


class Grain(StrEnum):
    """What one step of the player is."""

    EPOCH = "epoch"
    UPDATE = "update"


def prepared(snapshot: Snapshot) -> Snapshot:
    """A moment, ready to be shown: what costs a pass over its samples is computed here, not on the event loop."""
    _ = snapshot.visits.last_visit
    return snapshot


class Player:
    """Steps a trainer in a thread.

    Only `work` touches the trainer, so that keys pressed in one burst take effect in their order: steps and other jobs
    wait in a queue, and while there is none it plays. Pausing, speed and grain need no turn: they are heeded at once.

    Attributes:
        trainer: what is played; None until the first has begun.
        keeping: keeps it as it goes.
        snapshot: its newest moment.
        grain: what one step is.
        speed: where on the ladder of speeds.
        is_playing: it is to go on, until paused.
        is_stepping: a long step is under way.
    """

    def __init__(self, show: Callable[[Snapshot], None], fail: Callable[[InputError], None]) -> None:
        self.trainer: Trainer | None = None
        self.keeping = Keeping()
        self.snapshot: Snapshot | None = None
        self.grain = Grain.EPOCH
        self.speed = SPEEDS.index(10)
        self.is_playing = False
        self.is_stepping = False
        self._show, self._fail = show, fail
        self._jobs: deque[Job] = deque()
        self._wake = asyncio.Event()
        self._stops = 0
        self._due = 0.0

    @property
    def rate(self) -> float | None:
        """Grains a second; None is max."""
        speed = SPEEDS[self.speed]
        return None if speed == "max" else speed

    @property
    def has_jobs(self) -> bool:
        """Something is still to be done."""
        return bool(self._jobs)

    # --- what a person asks for ----------------------------------------------------------------------------------

    def ask(self, job: Job) -> None:
        """Have a job done once those before it are."""
        self._jobs.append(job)
        self._wake.set()

    def play(self) -> None:
        """Go on until paused or over."""
        self.is_playing = True
        self._due = 0.0
        self._wake.set()

    def stop(self) -> None:
        """End the play and every step that was asked for, after the slice under way."""
        self.is_playing = False
        self._stops += 1

    def step(self, grain: Grain) -> None:
        """Pause, and advance by one epoch or update."""
        self.is_playing = False
        self.ask(partial(self._step, grain, self._stops))

    def change_speed(self, rungs: int) -> None:
        """Go up or down the ladder of speeds, as far as it reaches."""
        self.speed = min(max(self.speed + rungs, 0), len(SPEEDS) - 1)
        self._due = 0.0
        self._wake.set()

    def begin(self, begun: Begun) -> None:
        """Play this run from now on; for the job under way."""
        self.trainer = begun.trainer
        self.keeping.begin(begun.keeper)
        self.show(begun.snapshot)

    async def with_trainer(self, work: Callable[[Trainer], T]) -> T:
        """Do something with the trainer, off the event loop; for the job under way."""
        trainer = self.trainer
        assert trainer is not None

        def in_turn() -> T:
            with self.keeping.turn:
                return work(trainer)

        return await in_thread(in_turn)

    def end(self) -> None:
        """Keep the last of it; after the app has ended."""
        self.keeping.close(self.trainer, self.is_playing)

    def show(self, snapshot: Snapshot) -> None:
        """Show a moment of the trainer; for the job under way."""
        self.snapshot = snapshot
        self._show(snapshot)

    # --- what it does --------------------------------------------------------------------------------------------

    async def work(self) -> None:
        """Do the jobs in their order, and play while there is none; for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            self._wake.clear()
            try:
                if self._jobs:
                    await self._jobs.popleft()()
                elif not self.is_playing or self.trainer is None:
                    await self._wake.wait()
                elif clock() < self._due:
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(self._due):
                            await self._wake.wait()
                elif self.rate is None:
                    await self._play_at_max()
                else:
                    await self._play(self.rate)
            except InputError as error:  # a person's own model may fail at any moment
                self.is_playing = self.is_stepping = False
                self._fail(error)

    async def _play_at_max(self) -> None:
        """Slice after slice while there is nothing else to do; each is shown while the next one is computed."""
        under_way: asyncio.Future[Snapshot] | None = self._advance(None)
        while under_way is not None:
            snapshot = await under_way
            if snapshot.state.is_over:
                self.is_playing = False
            goes_on = self.is_playing and self.rate is None and not self._jobs
            under_way = self._advance(None) if goes_on else None
            self.show(snapshot)

    async def _play(self, rate: float) -> None:
        """Some of the way to the end of an epoch or update."""
        now, until = asyncio.get_running_loop().time(), self._next(self.grain)
        snapshot = await self._advance(until)
        if snapshot.state.is_over:
            self.is_playing = False
        elif snapshot.has_reached(until):
            on_time = now - self._due < 1 / rate
            self._due = (self._due if on_time else now) + 1 / rate
        self.show(snapshot)

    async def _step(self, grain: Grain, stops: int) -> None:
        """Advance by one epoch or update; a long one shows what there is of it now and then, until stopped."""
        if self.snapshot is None:
            return  # there is nothing to run, and never will be
        until = self._next(grain)
        is_under_way = self._stops == stops
        while is_under_way:
            snapshot = await self._advance(until)
            is_under_way = self._stops == stops and not (snapshot.state.is_over or snapshot.has_reached(until))
            self.is_stepping = is_under_way
            self.show(snapshot)

    def _next(self, grain: Grain) -> Epoch | Update:
        from gdtui.descent.snapshot import Epoch, Update

        assert self.snapshot is not None
        return Epoch(self.snapshot.epoch + 1) if grain is Grain.EPOCH else Update(self.snapshot.updates + 1)

    def _advance(self, until: Epoch | Update | None) -> asyncio.Future[Snapshot]:
        trainer = self.trainer
        assert trainer is not None

        def advance() -> Snapshot:
            with self.keeping.turn:
                snapshot = trainer.advance(until, budget_s=SLICE_S)
                self.keeping.look_at(trainer, self.is_playing and not snapshot.state.is_over)
            return prepared(snapshot)

        return in_thread(advance)
