"""What the tests of the training screen share: trainings to show, and one that is followed without a program."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.screens.training import TrainingScreen
from gdtui.experiment import InputError
from gdtui.training.moment import Moment
from gdtui.training.training import Training

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

    from gdtui.runs.store import Run


def points(values: Any, first_step: int = 1, a_epoch: float = 10.0) -> Any:
    """A curve of these values, a step each, so many steps an epoch, a hundredth of a second each."""
    values = np.asarray(values, dtype=np.float64)
    steps = np.arange(first_step, first_step + len(values), dtype=np.float64)
    return np.stack([steps, steps / a_epoch, steps / 100, values], axis=1)


def training(steps: int = 60, **changes: Any) -> Training:
    """A training that has told loss, val_loss and lr for so many steps."""
    x = np.arange(1, steps + 1)
    curves = {
        "loss": points(2 / x),
        "val_loss": points(2.5 / x),
        "lr": points(np.full(steps, 0.1)),
        "accuracy": points(1 - 1 / (1 + x)),
    }
    told = Training("cnn", (("batch_size", "64"), ("model", "small cnn")), curves=curves, values=4 * steps)
    return replace(told, **changes)


def probe(step: int = 50, n: int = 12, seed: int = 0) -> Moment:
    """A probe of n samples, whose gradients point here and there; classes a, b, c in turn."""
    random = np.random.default_rng(seed)
    losses, along, across = random.exponential(1.0, n), random.normal(0.5, 1.0, n), random.normal(0, 1, n)
    norms = np.hypot(along, across)
    numbers = np.stack([losses, norms, along / norms, along / along.sum(), along, across], axis=1)
    instruments = {
        "grad_norm": 0.5,
        "noise_scale": 640.0,
        "conflicts": float((along < 0).sum()),
        "alignment": float((along / norms).mean()),
        "largest_share": float((along / along.sum()).max()),
        "largest_share_sample": float(np.abs(along / along.sum()).argmax()),
    }
    return Moment(
        step,
        step / 10,
        step / 100,
        np.arange(100, 100 + n),
        numbers,
        tuple("abc"[k % 3] for k in range(n)),
        instruments,
    )


@dataclass
class Followed:
    """A training that goes on as the test says."""

    now: Training
    run: Run | None = None
    asked: list[tuple[str, float | None]] = field(default_factory=list)
    probes: dict[int, Moment] = field(default_factory=dict)
    is_closed: bool = False
    looks: int = 0
    error: str = ""
    _shown: Training | None = None

    def look(self) -> Training | None:
        self.looks += 1
        if self.error:
            raise InputError("run", self.error)
        news = self.now if self.now is not self._shown else None
        self._shown = self.now
        return news

    def moment(self, step: int) -> Moment | None:
        return self.probes.get(step)

    def ask(self, what: str, value: float | None = None) -> None:
        if not self.now.is_controlled:
            raise InputError("run", "its loop does not ask")
        self.asked.append((what, value))

    def close(self) -> None:
        self.is_closed = True


@dataclass
class Watched:
    """The training screen on a screen."""

    app: LabApp
    pilot: Pilot[Any]
    followed: Followed

    @property
    def screen(self) -> TrainingScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, TrainingScreen)
        return found

    async def until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(400):
            if is_so():
                return
            await self.pilot.pause(0.02)
        raise AssertionError("it did not come to be so")

    async def tell(self, **changes: Any) -> None:
        """Let the training go on, and wait until that is shown."""
        self.followed.now = replace(self.followed.now, **changes)
        await self.until(lambda: self.followed._shown is self.followed.now)
        await self.pilot.pause(0.05)


@asynccontextmanager
async def watched(now: Training, size: tuple[int, int] = (120, 36), **given: Any) -> AsyncIterator[Watched]:
    """A training followed in the dashboard."""
    followed = Followed(now, **given)
    app = LabApp(Opening(following=followed))
    async with app.run_test(size=size) as pilot:
        here = Watched(app, pilot, followed)
        await here.until(lambda: here.screen.training is not None)
        await pilot.pause(0.05)
        yield here
    app.end()
