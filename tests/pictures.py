"""The README's pictures, drawn from real runs: `python -m tests.pictures [NAME ...]` makes `.pictures/` anew."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent / "dashboard"))

from labs import Lab

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.player import SPEEDS
from gdtui.dashboard.widgets.lines import Lines
from gdtui.experiment import Experiment
from gdtui.lessons.catalog import lesson_named

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Scene = Callable[[Lab], Awaitable[None]]

FOLDER = Path(__file__).parents[1] / ".pictures"
FONT = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)
"""Where to fetch a font from: a picture shall not fetch anything."""


@dataclass(frozen=True)
class Picture:
    """What is shown, and how one gets there.

    Attributes:
        opening: what the lab opens with.
        scene: what is done then.
        size: columns and rows.
    """

    opening: Opening
    scene: Scene
    size: tuple[int, int] = (120, 36)


def steps(epoch: int, *keys: str, speed: float | None = 20) -> Scene:
    """Play to the end of an epoch, then press keys."""

    async def scene(driven: Lab) -> None:
        driven.player.speed = SPEEDS.index(speed)
        await driven.press("space")
        await driven.until(lambda: driven.trainer.snapshot().epoch >= epoch)
        if driven.player.is_playing:
            await driven.press("space")
        await driven.until(lambda: not driven.player.is_playing and not driven.player.has_jobs)
        await driven.press(*keys)
        await driven.until(lambda: driven.player.snapshot is not None)

    return scene


async def compared(driven: Lab) -> None:
    """Four learning rates, one after the other, each pinned; then one that is just too large."""
    for lr in ("0.01", "0.05", "0.15", "0.19"):
        await driven.write("lr", lr)
        await driven.press("enter", "escape")
        await driven.until(lambda lr=lr: driven.experiment.lr == float(lr))
        await steps(30, "p", "r")(driven)
        await driven.until(lambda: driven.is_at(0))
    await driven.write("lr", "0.22")
    await driven.press("enter", "escape")
    await driven.until(lambda: driven.experiment.lr == 0.22)
    await steps(30)(driven)


def opened(**settings: object) -> Opening:
    """A new run that is not kept."""
    return Opening(Experiment(**settings), is_kept=False)  # type: ignore[arg-type]


SADDLE = {"problem": "saddle", "data": "noise", "order": "shuffle", "set": (("rms", 0.1),), "lr": 0.1, "epochs": 40}
MOONS = {"problem": "mlp", "data": "moons", "optimizer": "adam", "lr": 0.02, "batch_size": 8, "order": "shuffle"}
LESSON = "gd-vs-sgd"

PICTURES = {
    "tutorial": Picture(opened(), steps(42)),
    "saddle": Picture(opened(**SADDLE), steps(3)),
    "moons": Picture(opened(**MOONS, epochs=60), steps(30, "i", "i", "o", "o", "o")),
    "compared": Picture(opened(batch_size="full", epochs=30), compared),
    "lesson": Picture(Opening(lesson_named(LESSON).shown, lesson=LESSON, is_kept=False), steps(100, "x")),
    "small": Picture(opened(lr=0.21), steps(60), size=(80, 24)),
}


def watched() -> str:
    """A CNN on scikit-learn's digits, a tenth of whose labels are wrong, recorded in a store of its own; as SVG."""
    sys.path.insert(0, str(Path(__file__).parent / "torch_watch"))
    import digits

    import gdtui
    from gdtui.runs.store import Store
    from gdtui.training.kept import KeptTraining

    config = {"batch_size": digits.BATCH, "model": "cnn", "labels": "10 % wrong"}
    with gdtui.Recorder("digits", config) as run:
        digits.train(digits.digits(0.1), epochs=12, every=25, run=run)
    store = Store()
    app = LabApp(Opening(following=KeptTraining(store, store.run(run.id))))
    return shown(app, lambda main: main.training is not None, "ooo")


def swept() -> str:
    """The tutorial's learning rates and batch sizes, made; as SVG."""
    from gdtui.sweeps.conduct import Conductor
    from gdtui.sweeps.crew import Processes
    from gdtui.sweeps.ledger import Ledger
    from gdtui.sweeps.wanted import parse_wanted

    sweep = parse_wanted("lr=log:0.001:0.3:20 batch-size=1,2,3,full seeds=5").of(Experiment(epochs=400))
    ledger = Ledger()
    kept = ledger.begin(sweep, {"name": "tutorial"})
    for _ in Conductor(ledger, kept, str(Path.cwd()), Processes(2)).run():
        pass
    app = LabApp(Opening(sweep=ledger.named(kept)))
    return shown(app, lambda main: main.seen is not None and main.seen.is_whole)


def shown(app: LabApp, is_ready: Callable[[Any], bool], keys: str = "") -> str:
    """A main screen that is no lab, as SVG: once it is ready, after some keys."""
    done: list[str] = []

    async def draw(pilot: Any) -> None:
        while not is_ready(app.screen_stack[0]):
            await pilot.pause(0.05)
        await pilot.press(*keys)
        while any(pane.is_behind for pane in app.screen.query(Lines)):
            await pilot.pause(0.05)
        await pilot.pause(0.2)
        done.append(FONT.sub("", app.export_screenshot(title="gdtui")))
        app.exit()

    app.run(headless=True, size=(120, 36), auto_pilot=draw)
    app.end()
    return done[0]


def drawn(picture: Picture) -> str:
    """The picture as SVG."""
    app = LabApp(picture.opening)
    done: list[str] = []

    async def draw(pilot: object) -> None:
        driven = Lab(pilot, app)  # type: ignore[arg-type]
        await driven.until(lambda: driven.player.trainer is not None)
        await picture.scene(driven)
        await driven.measured()
        await driven.drawn()
        await asyncio.sleep(0.2)
        done.append(FONT.sub("", app.export_screenshot(title="gdtui")))
        app.exit()

    app.run(headless=True, size=picture.size, auto_pilot=draw)
    return done[0]


OTHERS = {"watched": watched, "swept": swept}
"""The pictures that are not of the lab."""


def main(names: list[str]) -> None:
    """Draw these, or all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["GDTUI_HOME"] = home
        for name in names or [*PICTURES, *OTHERS]:
            (FOLDER / f"{name}.svg").write_text(drawn(PICTURES[name]) if name in PICTURES else OTHERS[name]())
            print(f".pictures/{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
