"""The palette: whatever has a name is found by it, and chosen."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from labs import Lab, lab
from textual.command import CommandList

from gdtui.cli import main
from gdtui.dashboard.commands import KeymapCommands
from gdtui.dashboard.finds import KINDS
from gdtui.dashboard.keymap import OF_LAB
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.widgets.page import Page
from gdtui.descent.optimizers import RULES
from gdtui.experiment import Experiment
from gdtui.lessons.catalog import LESSONS
from gdtui.problems.catalog import FAMILIES
from gdtui.problems.loading import SOURCES
from gdtui.runs.store import Store
from gdtui.sweeps.ledger import Ledger
from gdtui.sweeps.wanted import parse_wanted
from gdtui.topics.topic import NAMES

if TYPE_CHECKING:
    from pathlib import Path


async def found(driven: Lab, query: str) -> list[str]:
    """What is found, the best first."""
    provider = KeymapCommands(driven.screen)
    await provider.startup()
    hits = [hit async for hit in provider.search(query)]
    return [str(hit.match_display) for hit in sorted(hits, key=lambda hit: -hit.score)]


async def choose(driven: Lab, text: str) -> None:
    """Type in the palette, and take the first that is found."""
    await driven.press("ctrl+p", *text)
    listed = driven.app.screen.query_one(CommandList)
    await driven.until(lambda: listed.option_count and text in str(listed.get_option_at_index(0).prompt))
    await driven.press("enter")


def keep(name: str, tags: str = "") -> None:
    main(["run", "--epochs", "3", "--name", name, "--tags", tags, "--format", "jsonl"])


async def test_everything_of_a_kind_is_found_by_a_few_letters_and_by_words_of_a_description_too() -> None:
    kinds = {"problem": FAMILIES, "data": SOURCES, "optimizer": RULES, "lesson": LESSONS, "help": NAMES}
    async with lab() as driven:
        for kind, names in kinds.items():
            assert set(await found(driven, f"{kind}: ")) >= {f"{kind}: {name}" for name in names}
        assert (await found(driven, "rsnbrck"))[0] == "problem: rosenbrock"
        assert "data: faithful" in await found(driven, "Old Faithful")
        assert await found(driven, "zzzz") == []


async def test_actions_come_first_then_what_else_there_is_to_type_and_a_kind_that_is_chosen_is_typed() -> None:
    async with lab() as driven:
        hits = [(str(hit.display), hit.command) async for hit in KeymapCommands(driven.screen).discover()]
        assert [shown for shown, _ in hits] == [
            *(command.help for command in OF_LAB),
            *(f"{kind}: …" for kind in KINDS),
        ]
        dict(hits)["optimizer: …"]()
        await driven.until(lambda: "optimizer: adagrad" in driven.text)


async def test_a_problem_is_set_as_by_its_field() -> None:
    async with lab() as driven:
        await choose(driven, "problem: rosenbrock")
        await driven.until(lambda: driven.experiment.problem == "rosenbrock")
        assert driven.experiment.lr == FAMILIES["rosenbrock"].lr  # one that gets somewhere there


async def test_what_does_not_fit_is_said_beside_the_field() -> None:
    async with lab(problem="saddle", data="noise") as driven:
        await choose(driven, "data: iris")
        await driven.until(lambda: "brings its own" in driven.text)
        assert driven.experiment.problem == "saddle"


async def test_a_schedule_changes_the_run_under_way_and_a_theme_is_put_on() -> None:
    async with lab() as driven:
        await driven.step_to(2)
        await choose(driven, "schedule: cosine")
        await driven.until(lambda: driven.experiment.schedule == "cosine")
        assert driven.is_at(2)
        await choose(driven, "theme: nord")
        await driven.until(lambda: driven.app.theme == "nord")
        assert driven.app.left.theme == "nord"


async def test_a_lesson_opens() -> None:
    async with lab() as driven:
        await choose(driven, "lesson: divergence")
        await driven.until(lambda: LESSONS["divergence"].title in driven.text)


async def test_a_topic_is_explained_also_from_the_help() -> None:
    async with lab() as driven:
        for topic, title in (("limits", "Limits: "), ("link", "Link: ")):
            await choose(driven, f"help: {topic}")
            await driven.until(lambda: isinstance(driven.app.screen, HelpScreen))
            await driven.pilot.pause()
            assert driven.app.screen.query_one(Page).text.startswith(title)
        await driven.press("escape")
        assert driven.app.screen is driven.screen


async def test_a_kept_run_is_found_by_name_tag_and_id_and_opened() -> None:
    keep("mine", "blue [bold]x")
    keep("other")
    run = Store().find("mine")
    async with lab() as driven:
        for query in ("mine", "blue", "[bold]x", run.id):
            assert f"run: {run.id} mine blue [bold]x" in await found(driven, query)
        await choose(driven, f"run: {run.id} mine blue [bold]x")
        await driven.until(lambda: driven.is_at(3))


async def test_a_run_that_is_gone_by_now_is_no_fault() -> None:
    keep("mine")
    async with lab() as driven:
        run = Store().find("mine")
        await driven.press("ctrl+p", *"run: ")
        await driven.until(lambda: run.id in driven.text)
        Store().remove(run)
        await driven.press("enter")
        await driven.until(lambda: f"run {run.id} is not kept any more" in driven.log)


async def test_a_damaged_store_gives_no_runs_and_all_the_rest(home: Path) -> None:
    home.mkdir()
    (home / "runs.sqlite").write_bytes(b"no store at all " * 100)
    async with lab() as driven:
        assert not [text for text in await found(driven, "run: ") if text.startswith("run: ")]
        assert "problem: saddle" in await found(driven, "saddle")
    assert (home / "runs.sqlite").read_bytes().startswith(b"no store")


async def test_a_locked_store_gives_no_runs(home: Path) -> None:
    keep("mine")
    with closing(sqlite3.connect(home / "runs.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("UPDATE run SET name = 'x'")
        async with lab() as driven:
            assert not [text for text in await found(driven, "run: ") if text.startswith("run: ")]
            assert "problem: saddle" in await found(driven, "saddle")


async def test_a_kept_sweep_is_found() -> None:
    ledger = Ledger()
    sweep = ledger.begin(parse_wanted("lr=0.1,0.2").of(Experiment()), {"name": "rates"})
    async with lab() as driven:
        assert f"sweep: {sweep} rates" in await found(driven, "sweep: rates")
