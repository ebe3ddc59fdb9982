"""Pictures of the whole screen; snapshot_report.html shows what changed, `pytest --snapshot-update` accepts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from labs import Lab

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.player import prepared
from gdtui.dashboard.widgets.caption import Caption
from gdtui.experiment import Experiment
from gdtui.lessons.catalog import LESSONS
from gdtui.preferences import Preferences

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    Scene = Callable[[Lab], Awaitable[None]]

SMALL, MIDDLE, LARGE = (80, 24), (120, 36), (200, 60)


async def ready(driven: Lab) -> None:
    """Before the run."""


async def at_epoch_20(driven: Lab) -> None:
    for epoch in range(1, 21):  # what is seen of the way depends on the moments that were measured
        await driven.step_to(epoch)
        await driven.measured()


async def with_an_instrument(driven: Lab) -> None:
    await at_epoch_20(driven)
    await driven.press("i", "i")


async def one_update(driven: Lab) -> None:
    await driven.step_to(3)
    await driven.press("g", "full_stop")
    await driven.until(lambda: "update 10" in driven.text)


async def filtered(driven: Lab) -> None:
    await at_epoch_20(driven)
    await driven.press("slash", *"cos<0", "enter")


async def insight_alone(driven: Lab) -> None:
    await at_epoch_20(driven)
    await driven.press("5")


async def landscape_alone(driven: Lab) -> None:
    await at_epoch_20(driven)
    await driven.press("4")


async def changed_at_epoch_20(driven: Lab) -> None:
    await driven.step_to(10)
    await driven.press("plus")
    await driven.step_to(20)


async def compared(driven: Lab) -> None:
    await at_its_end(driven)
    await driven.press("p", "r")
    await driven.until(lambda: driven.is_at(0))
    await driven.write("batch_size", "1")
    await driven.press("enter", "escape")
    await driven.until(lambda: driven.experiment.batch_size == 1)
    await at_its_end(driven)


async def compared_by_updates(driven: Lab) -> None:
    await compared(driven)
    await driven.press("x")


async def compared_as_ratios(driven: Lab) -> None:
    await compared(driven)
    await driven.press("d")


async def at_its_end(driven: Lab) -> None:
    """At once: how many moments are seen on the way, and are lines of the log, is up to the machine."""
    player = driven.player

    async def advance() -> None:
        player.show(await player.with_trainer(lambda trainer: prepared(trainer.advance())))

    player.ask(advance)
    await driven.until(lambda: player.snapshot.state.is_over)


async def diverged(driven: Lab) -> None:
    await at_its_end(driven)
    assert "diverged" in driven.status


async def wrong(driven: Lab) -> None:
    await driven.step_to(3)
    if not driven.is_seen("experiment"):
        await driven.press("1")
    await driven.write("lr", "0,01")


async def helped(driven: Lab) -> None:
    await driven.press("question_mark")


async def insight_helped(driven: Lab) -> None:
    driven.screen.query_one("#insight").focus()
    await driven.press("question_mark", "slash", *"noise")


FAITHFUL = {"problem": "affine", "data": "faithful", "standardize": True, "batch_size": 16}
SCENES: list[tuple[tuple[int, int], Any, dict[str, Any]]] = [
    (SMALL, ready, {}),
    (MIDDLE, ready, {}),
    (SMALL, at_epoch_20, {}),
    (MIDDLE, changed_at_epoch_20, {}),
    (LARGE, at_epoch_20, FAITHFUL),
    (MIDDLE, at_its_end, {"epochs": 30}),
    (MIDDLE, compared, {"batch_size": "full", "epochs": 30}),
    (MIDDLE, compared_by_updates, {"batch_size": "full", "epochs": 30}),
    (SMALL, compared_as_ratios, {"batch_size": "full", "epochs": 30}),
    (MIDDLE, with_an_instrument, {"lr": 0.21}),
    (MIDDLE, one_update, {"optimizer": "adam", "lr": 0.1}),
    (MIDDLE, filtered, {"problem": "saddle", "data": "noise", "lr": 0.1}),
    (SMALL, insight_alone, {"problem": "rosenbrock", "data": "noise", "lr": 0.0005, "batch_size": "full"}),
    (SMALL, landscape_alone, {"problem": "himmelblau", "data": "noise", "batch_size": "full"}),
    (SMALL, diverged, {"lr": 0.3}),
    (MIDDLE, diverged, {"lr": 0.3}),
    (SMALL, wrong, {}),
    (MIDDLE, wrong, {}),
    (SMALL, helped, {}),
    (MIDDLE, helped, {}),
    (MIDDLE, insight_helped, {}),
]


@pytest.mark.parametrize(
    ("size", "scene", "settings"),
    [pytest.param(*picture, id=f"{picture[0][0]}x{picture[0][1]}-{picture[1].__name__}") for picture in SCENES],
)
def test_picture(
    snap_compare: Callable[..., bool],
    size: tuple[int, int],
    scene: Scene,
    settings: dict[str, Any],
) -> None:
    assert is_as_before(snap_compare, Opening(Experiment(**settings), is_kept=False), scene, size)


async def welcomed(driven: Lab) -> None:
    await driven.until(lambda: driven.screen.query("Welcome"))


@pytest.mark.parametrize("size", [SMALL, MIDDLE])
def test_picture_of_the_first_start(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert is_as_before(snap_compare, Opening(Experiment()), welcomed, size)


async def taught(driven: Lab) -> None:
    """What is said once all runs of the lesson are there."""
    caption = driven.screen.query_one(Caption)
    await driven.until(lambda: caption.text not in ("", "…"))


async def taught_and_run(driven: Lab) -> None:
    await taught(driven)
    await at_its_end(driven)


async def taught_and_run_by_updates(driven: Lab) -> None:
    await taught_and_run(driven)
    await driven.press("x")


@pytest.mark.parametrize("name", ["gd-vs-sgd", "saddle-point", "divergence"])
def test_picture_of_a_lesson(snap_compare: Callable[..., bool], name: str) -> None:
    opening = Opening(LESSONS[name].shown, lesson=name, is_kept=False)
    assert is_as_before(snap_compare, opening, taught, MIDDLE)


@pytest.mark.parametrize("scene", [taught_and_run, taught_and_run_by_updates])
def test_picture_of_the_tutorials_claim(snap_compare: Callable[..., bool], scene: Scene) -> None:
    opening = Opening(LESSONS["gd-vs-sgd"].shown, lesson="gd-vs-sgd", is_kept=False)
    assert is_as_before(snap_compare, opening, scene, MIDDLE)


@pytest.mark.parametrize(
    ("size", "scene", "settings", "preferences"),
    [
        pytest.param(MIDDLE, compared, {"batch_size": "full", "epochs": 30}, {"theme": "gdtui-light"}, id="light"),
        pytest.param(MIDDLE, compared, {"batch_size": "full", "epochs": 30}, {"ascii": True}, id="ascii"),
        pytest.param(SMALL, at_epoch_20, {}, {"ascii": True}, id="ascii-80x24"),
    ],
)
def test_picture_as_a_person_prefers(
    snap_compare: Callable[..., bool],
    size: tuple[int, int],
    scene: Scene,
    settings: dict[str, Any],
    preferences: dict[str, Any],
) -> None:
    opening = Opening(Experiment(**settings), is_kept=False)
    assert is_as_before(snap_compare, opening, scene, size, **preferences)


def is_as_before(
    snap_compare: Callable[..., bool], opening: Opening, scene: Scene, size: tuple[int, int], **preferences: Any
) -> bool:
    """Whether a picture of this scene is the one that was accepted."""
    app = LabApp(opening, preferences=Preferences(**preferences))

    async def play_scene(pilot: Pilot[int]) -> None:
        driven = Lab(pilot, app)
        await driven.until(lambda: driven.player.trainer is not None)
        await pilot.pause()
        await scene(driven)
        await driven.measured()
        for field in app.screen.query("Input"):
            field.cursor_blink = False  # type: ignore[attr-defined]
        await driven.drawn()

    return snap_compare(app, terminal_size=size, run_before=play_scene)
