"""The screen of kept runs: what it lists, finds, sorts, names, pins, deletes and opens."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import rows_of, until
from rich.cells import cell_len
from textual.app import App

from gdtui.dashboard import app as app_module
from gdtui.dashboard.app import LabApp
from gdtui.dashboard.figures import figure
from gdtui.dashboard.runkeys import COMMANDS
from gdtui.dashboard.screens import runs as runs_module
from gdtui.dashboard.screens.runs import RunsScreen
from gdtui.dashboard.themes import DARK
from gdtui.dashboard.widgets import runlist
from gdtui.dashboard.widgets.runlines import LEAD, Order, cell, columns_in, details, fitted, folded, head, listing
from gdtui.dashboard.widgets.runlist import RunList
from gdtui.descent.snapshot import Epoch
from gdtui.descent.trainer import Trainer
from gdtui.experiment import Experiment, InputError
from gdtui.problems.loading import load_problem
from gdtui.runs import files, processes, summary
from gdtui.runs.keeper import Keeper
from gdtui.runs.store import Run, Store
from gdtui.runs.summary import ago, brief, changes
from gdtui.sweeps.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

NOW = 1_700_000_000.0
A_DAY = 86_400.0


# --- runs ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(home: Path) -> Store:
    """Of this test alone."""
    return Store()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes in the store is seen soon."""
    monkeypatch.setattr(runs_module, "READ_EVERY_S", 0.05)


def keep(store: Store, epochs: int = 5, lr_then: float | None = None, **settings: Any) -> tuple[str, float]:
    """Run and keep an experiment; its id, and f at the end."""
    experiment = Experiment(epochs=epochs, **settings)
    trainer = Trainer(experiment, load_problem(experiment))
    if lr_then is not None:
        trainer.advance(Epoch(2))
        trainer.change(lr=lr_then)
    snapshot = trainer.advance()
    keeper = Keeper(store)
    keeper.look_at(trainer.record())
    keeper.close()
    assert not keeper.problem
    return keeper.run, snapshot.loss


def change(store: Store, run: str, **values: Any) -> None:
    """Another process writes this of a run."""
    with store.writing() as connection:
        sets = ", ".join(f"{name} = ?" for name in values)
        connection.execute(f"UPDATE run SET {sets} WHERE id = ?", (*values.values(), run))


def copies(store: Store, run: str, rows: list[dict[str, Any]]) -> None:
    """Runs like this one, but for some values."""
    with store.writing() as connection:
        found = connection.execute("SELECT * FROM run WHERE id = ?", (run,))
        names = [column[0] for column in found.description]
        like = dict(zip(names, found.fetchone(), strict=True))
        marks = ", ".join("?" * len(names))
        values = [tuple((like | row).values()) for row in rows]
        connection.executemany(f"INSERT INTO run ({', '.join(names)}) VALUES ({marks})", values)


def being_made(store: Store, run: str) -> None:
    """As if this process was making it."""
    values = {"host": processes.host(), "process": processes.this_process(), "heartbeat": time.time()}
    change(store, run, state="running", **values)


@pytest.fixture
def three(store: Store) -> list[str]:
    """Three runs, the oldest first: they differ in problem, data, loss and what became of them."""
    runs = [
        keep(store)[0],
        keep(store, problem="mlp", data="moons", optimizer="adam", lr=0.02)[0],
        keep(store, epochs=100, lr=0.3)[0],
    ]
    for at, run in enumerate(runs):
        change(store, run, created=time.time() - (3 - at) * A_DAY)
    return runs


# --- the screen ------------------------------------------------------------------------------------------------------


class Host(App[None]):
    """An app with the lab's looks, and nothing but the runs."""

    CSS_PATH = Path(app_module.__file__).with_name("app.tcss")
    HORIZONTAL_BREAKPOINTS = LabApp.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = LabApp.VERTICAL_BREAKPOINTS
    on_key = LabApp.on_key

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.pins: dict[str, tuple[str, str]] = {}
        self.left_with: list[Run | None] = []
        self.register_theme(DARK)
        self.theme = DARK.name

    def on_mount(self) -> None:
        self.push_screen(RunsScreen(Ledger(self.store), lambda: self.pins, self.pin), self.left_with.append)

    async def pin(self, run: Run) -> None:
        if run.id in self.pins:
            del self.pins[run.id]
        elif len(self.pins) == 2:
            raise InputError("run", "2 runs are pinned already")
        else:
            self.pins[run.id] = ("▲", "#2aa198")


@dataclass
class Runs:
    """The screen under test."""

    pilot: Pilot[None]
    app: Host

    @property
    def kept(self) -> RunList:
        return self.app.screen.query_one(RunList)

    @property
    def text(self) -> str:
        return "\n".join(rows_of(self.app))

    @property
    def lines(self) -> list[str]:
        """The list's lines with a run."""
        lines = (line[1:-1] for line in rows_of(self.app) if line.startswith("│"))
        return [line for line in lines if line.strip()][1:]

    @property
    def ids(self) -> list[str]:
        """The runs' ids, from the top; whatever marks stand before."""
        return [line[3:].split()[0] if self.app.size.width < 60 else line[4:].split()[0] for line in self.lines]

    @property
    def selected(self) -> str:
        """The id in the line with the mark."""
        [line] = [line for line in self.lines if "›" in line[:2]]
        return self.ids[self.lines.index(line)]

    @property
    def subtitle(self) -> str:
        return str(self.kept.border_subtitle)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    async def type(self, text: str) -> None:
        await self.press(*("space" if letter == " " else letter for letter in text))


@asynccontextmanager
async def runs_screen(store: Store, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Runs]:
    app = Host(store)
    async with app.run_test(size=size) as pilot:
        driven = Runs(pilot, app)
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen._is_read)
        await pilot.pause(0.1)
        yield driven


# --- what is listed --------------------------------------------------------------------------------------------------


async def test_each_run_has_a_line_the_newest_first(store: Store) -> None:
    first, first_loss = keep(store)
    second, second_loss = keep(store, epochs=3, lr=0.02)
    async with runs_screen(store) as driven:
        assert driven.ids == [second, first]
        newest, oldest = driven.lines
        assert "■ finished" in newest
        assert newest.split()[6:9] == ["3", "9", figure(second_loss)]
        assert "linear · tutorial · sgd b=1 lr 0.02" in newest
        assert figure(first_loss) in oldest
        assert "2 runs" in driven.subtitle
        assert "↑age" in driven.text


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 16), (40, 10)])
async def test_id_state_and_loss_are_whole_at_every_size(store: Store, three: list[str], size: tuple[int, int]) -> None:
    async with runs_screen(store, size) as driven:
        assert driven.ids == three[::-1]
        for run, line in zip(store.runs(), driven.lines, strict=True):
            assert f"{run.id}  " in line
            assert f" {run.state} " in line
            assert figure(run.loss) in line.split()
        assert rows_of(driven.app)[-1].rstrip().endswith("? help  q lab")


async def test_the_selected_run_is_told_in_full(store: Store) -> None:
    run, loss = keep(store, epochs=5, lr_then=0.02)
    change(store, run, note="slower than I thought", parent="0a1b2c3d", folder="/home/me")
    async with runs_screen(store) as driven:
        for text in (
            f"loss {loss!r}",
            "epoch 5 of 5",
            "15 updates",
            "lr=0.01 schedule=constant batch-size=1",
            "changed since: lr 0.01 → 0.02",
            "note: slower than I thought",
            "another way of 0a1b2c3d",
            "in /home/me",
        ):
            assert text in driven.text


async def test_another_size_shows_what_there_is_room_for(store: Store, three: list[str]) -> None:
    async with runs_screen(store, (120, 36)) as driven:
        await driven.press("end")
        for size in ((12, 4), (1, 1), (40, 8), (200, 60), (40, 8)):
            await driven.pilot.resize_terminal(*size)
            await driven.pilot.pause(0.1)
        assert driven.selected == three[0]  # in sight
        assert "age" not in driven.text.replace("sort age", "")
        await driven.pilot.resize_terminal(120, 36)
        await driven.until(lambda: "↑age" in driven.text)
        assert "3 runs · sort age ↑" in driven.text
        assert driven.ids == three[::-1]


async def test_an_empty_store_says_what_makes_a_run_be_kept(store: Store) -> None:
    async with runs_screen(store, (80, 24)) as driven:
        assert "No run is kept yet" in driven.text
        assert "gdtui run" in driven.text
        await driven.press("enter", "p", "n", "d", "o", "O", "down", "end")
        assert driven.app.left_with == []


async def test_runs_that_come_are_shown_and_the_selection_stays(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.press("down")
        assert driven.selected == three[1]
        newest = keep(store)[0]
        await driven.until(lambda: newest in driven.text)
        assert driven.ids[0] == newest
        assert driven.selected == three[1]


async def test_a_run_that_is_being_made_moves(store: Store, three: list[str]) -> None:
    being_made(store, three[0])
    async with runs_screen(store) as driven:
        assert "● running" in driven.lines[-1]
        await driven.press("end")
        assert "made by this gdtui" in driven.text
        change(store, three[0], epoch=77_777)
        await driven.until(lambda: "77,777" in driven.lines[-1])


async def test_nothing_is_sent_while_nothing_changes(
    store: Store, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with runs_screen(store) as driven:
        reads, sent = [0], []
        read = Store.runs

        def counted(self: Store) -> list[Run]:
            reads[0] += 1
            return read(self)

        def refresh(self: RunList, *regions: Any, **how: Any) -> RunList:
            sent.append(regions)
            return self

        monkeypatch.setattr(Store, "runs", counted)
        monkeypatch.setattr(RunList, "refresh", refresh)
        await driven.until(lambda: reads[0] >= 4)
        assert sent == []
        change(store, three[0], epoch=77_777)
        await driven.until(lambda: sent)


async def test_a_thousand_runs_cost_the_lines_in_sight(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run = keep(store)[0]
    copies(store, run, [{"id": f"{at:08x}", "created": NOW - at, "updates": at} for at in range(1, 1_000)])
    drawn = [0]

    def counted(*arguments: Any) -> str:
        drawn[0] += 1
        return cell(*arguments)

    async with runs_screen(store, (80, 24)) as driven:
        await until(driven.pilot, lambda: "1,000 runs" in driven.subtitle)
        monkeypatch.setattr(runlist, "cell", counted)
        await driven.press("end")
        assert driven.selected == f"{999:08x}"
        assert len(driven.lines) < 24
        assert drawn[0] <= 3 * 24 * 8
        await driven.press("home")
        assert driven.selected == run
        await driven.press("pagedown", "down")
        assert driven.selected == f"{driven.kept.size.height - 1:08x}"


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 10)])
async def test_any_text_is_shown_as_text_and_breaks_no_column(
    store: Store, three: list[str], size: tuple[int, int]
) -> None:
    store.label(three[0], {"name": "[red]x[/red]", "tags": "漢字漢字 😀😀😀 é", "note": "a\x1b[2Jb\nc\td\u202e"})
    store.label(three[1], {"name": "漢" * 40})
    store.label(three[2], {"tags": "[/] [bold" + " x" * 300})
    async with runs_screen(store, size) as driven:
        for _ in three:
            await driven.press("down")
            rows = rows_of(driven.app)
            assert {cell_len(row) for row in rows} == {size[0]}
            assert {row[-1] for row in rows[1 : 2 + len(three)]} == {"│"}
            assert "\x1b" not in driven.text
        assert "[red]x[/red]" in driven.text or size[0] < 60
        assert "a\\x1b[2Jb\\nc\\td\\u202e" in driven.text or size[1] < 16


# --- search and sort -------------------------------------------------------------------------------------------------


async def test_search_finds_runs_as_one_types(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.type("/moo")
        await driven.until(lambda: driven.ids == [three[1]])
        assert "1 of 3 runs" in driven.subtitle
        await driven.type("ns mlp")
        await driven.until(lambda: "/moons mlp" in driven.subtitle)
        assert driven.ids == [three[1]]
        await driven.type("x")
        await driven.until(lambda: "No run is like this" in driven.text)
        await driven.press("backspace", "enter", "O")
        await driven.until(lambda: driven.ids == [three[1]])
        await driven.press("escape")
        await driven.until(lambda: len(driven.ids) == 3)
        assert driven.app.left_with == []


async def test_escape_while_searching_shows_all(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.type("/diverged")
        await driven.until(lambda: driven.ids == [three[2]])
        await driven.press("escape")
        await driven.until(lambda: len(driven.ids) == 3)
        assert driven.app.left_with == []


async def test_arrows_select_while_one_searches(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.type("/n")  # in linear, moons
        await driven.press("down")
        assert driven.selected == three[1]


async def test_runs_are_sorted_by_the_column_with_the_arrow(store: Store, three: list[str]) -> None:
    nowhere = "ffffffff"
    copies(store, three[0], [{"id": nowhere, "loss": None}])
    losses = {run.id: run.loss for run in store.runs() if not math.isnan(run.loss)}
    by_loss = sorted(losses, key=lambda run: losses[run])
    async with runs_screen(store) as driven:
        while "↑loss" not in driven.text:
            before = driven.subtitle
            await driven.press("o")
            await driven.until(lambda before=before: driven.subtitle != before)
        assert driven.ids == [*by_loss, nowhere]
        assert "sort loss ↑" in driven.subtitle
        await driven.press("O")
        await driven.until(lambda: "↓loss" in driven.text)
        assert driven.ids == [*by_loss[::-1], nowhere]


@pytest.mark.parametrize("key", ["age", "state", "epoch", "updates", "loss", "name", "what"])
def test_of_equals_the_newest_is_first(store: Store, three: list[str], key: str) -> None:
    run = replace(store.runs()[0], name="", tags=())
    runs = [replace(run, id=str(at)) for at in range(5)]
    for is_reversed in (False, True):
        assert [one.id for one in listing(runs, [], Order(key, is_reversed)).runs] == ["0", "1", "2", "3", "4"]


# --- names, tags, notes ----------------------------------------------------------------------------------------------


async def test_a_run_is_given_a_name_tags_and_a_note(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.press("down", "n")
        await driven.type("quick dq?")
        await driven.press("enter")
        await driven.until(lambda: "quick dq?" in driven.lines[1])
        await driven.press("t")
        await driven.type("#a,b")
        await driven.press("enter")
        await driven.until(lambda: "#a #b" in driven.lines[1])
        await driven.press("N")
        await driven.type("not bad")
        await driven.press("enter")
        await driven.until(lambda: "note: not bad" in driven.text)
        run = store.find(three[1])
        assert (run.name, run.tags, run.note) == ("quick dq?", ("a", "b"), "not bad")
        assert driven.selected == three[1]


async def test_a_name_that_is_taken_is_refused_beside_the_field(store: Store, three: list[str]) -> None:
    store.label(three[0], {"name": "best"})
    async with runs_screen(store) as driven:
        await driven.press("n")
        await driven.type("best")
        await driven.press("enter")
        await driven.until(lambda: "✗ another run is called 'best' already" in driven.text)
        await driven.type("2")
        await driven.until(lambda: "already" not in driven.text)
        await driven.press("enter")
        await driven.until(lambda: "best2" in driven.lines[0])
        assert store.find(three[2]).name == "best2"


async def test_escape_leaves_a_label_as_it_was(store: Store, three: list[str]) -> None:
    store.label(three[2], {"note": "as it was"})
    async with runs_screen(store) as driven:
        await driven.press("N")
        assert "as it was" in rows_of(driven.app)[-1]
        await driven.type(" not")
        await driven.press("escape")
        assert "q lab" in rows_of(driven.app)[-1]
        assert store.find(three[2]).note == "as it was"
        assert driven.app.left_with == []


async def test_what_is_typed_is_for_the_run_that_was_selected(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.press("n", "down")
        await driven.type("mine")
        await driven.press("enter")
        await driven.until(lambda: "mine" in driven.lines[0])
        assert driven.selected == three[2]


# --- deleting --------------------------------------------------------------------------------------------------------


async def test_a_run_is_deleted_after_y(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.press("down", "d")
        assert f"delete run {three[1]} for good? y/n" in driven.text
        await driven.press("y")
        await driven.until(lambda: len(driven.ids) == 2)
        assert [run.id for run in store.runs()] == [three[2], three[0]]
        assert driven.selected == three[0]  # which has come up to its line


@pytest.mark.parametrize("key", ["n", "Y", "q", "enter", "escape", "d", "delete", "down", "space"])
async def test_any_other_key_deletes_nothing_and_does_nothing(store: Store, three: list[str], key: str) -> None:
    async with runs_screen(store) as driven:
        await driven.press("delete", key)
        assert "for good" not in driven.text
        await driven.press("y")
        await driven.pilot.pause(0.2)
        assert len(store.runs()) == 3
        assert driven.selected == three[2]
        assert driven.app.left_with == []


async def test_a_run_that_is_being_made_is_not_deleted(store: Store, three: list[str]) -> None:
    being_made(store, three[2])
    async with runs_screen(store) as driven:
        await driven.press("d")
        assert f"run {three[2]} is being made by this gdtui: it cannot be deleted" in driven.text
        await driven.press("y")
        await driven.pilot.pause(0.2)
        assert len(store.runs()) == 3


async def test_a_run_that_is_gone_on_with_after_the_question_is_not_deleted(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.press("d")
        being_made(store, three[2])
        await driven.press("y")
        await driven.until(lambda: f"run {three[2]} is being made" in driven.text)
        assert len(store.runs()) == 3


async def test_a_run_that_another_process_deletes_goes(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.press("end", "d")
        subprocess.run([sys.executable, "-m", "gdtui", "rm", three[0], three[2]], check=True)
        await driven.until(lambda: driven.ids == [three[1]])
        await driven.press("y")
        await driven.until(lambda: f"run {three[0]} is not kept any more" in driven.text)
        assert driven.selected == three[1]


# --- pinning, opening, leaving ---------------------------------------------------------------------------------------


async def test_several_runs_are_pinned_before_one_leaves(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.press("p", "down", "p")
        await driven.until(lambda: len(driven.app.pins) == 2)
        assert set(driven.app.pins) == {three[2], three[1]}
        assert [line[:4].count("▲") for line in driven.lines] == [1, 1, 0]
        await driven.press("down", "p")
        await driven.until(lambda: "✗ 2 runs are pinned already" in driven.text)
        await driven.press("up", "p")
        await driven.until(lambda: [line[:4].count("▲") for line in driven.lines] == [1, 0, 0])
        assert "pinned already" not in driven.text


async def test_enter_leaves_with_the_run(store: Store, three: list[str]) -> None:
    async with runs_screen(store) as driven:
        await driven.press("down", "enter")
        assert driven.app.left_with == [store.find(three[1])]


@pytest.mark.parametrize("key", ["q", "escape"])
async def test_the_way_back_opens_nothing(store: Store, three: list[str], key: str) -> None:
    async with runs_screen(store) as driven:
        await driven.press(key)
        assert driven.app.left_with == [None]


# --- stores that cannot be used --------------------------------------------------------------------------------------


async def test_a_damaged_store_is_said_to_be_set_aside(store: Store) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(b"no store at all")
    async with runs_screen(store) as driven:
        await driven.pilot.pause(0.3)  # it is read again meanwhile
        assert "the store of runs was damaged: it is set aside as" in driven.text
        run = keep(store)[0]
        await driven.until(lambda: driven.ids == [run])


async def test_a_locked_store_is_said_to_be_locked(
    store: Store, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE_S", 0.1)
    async with runs_screen(store) as driven:
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await driven.press("n", "x", "enter")
        await driven.until(lambda: "✗ another process has locked the store" in driven.text)
        other.execute("ROLLBACK")
        other.close()
        await driven.press("enter")
        await driven.until(lambda: "x" in store.runs()[0].name)


async def test_a_store_that_cannot_be_read_says_why_until_it_can(
    store: Store, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Store) -> list[Run]:
        raise InputError("store", "another process has locked the store (/here/runs.sqlite)")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "runs", fail)
        async with runs_screen(store) as driven:
            assert "another process has locked the store" in driven.text
            await driven.press("enter", "d", "n", "p")
            patched.undo()
            await driven.until(lambda: driven.ids == three[::-1])
            assert "locked" not in driven.text


# --- keys ------------------------------------------------------------------------------------------------------------


def test_every_key_is_there_once_and_does_something() -> None:
    keys = [key for command in COMMANDS for key in command.keys.split(",")]
    assert len(keys) == len(set(keys))
    for command in COMMANDS:
        name = command.action.split("(")[0]
        assert name.startswith("app.") or callable(getattr(RunsScreen, f"action_{name}", None)), command.id


async def test_help_explains_every_key(store: Store) -> None:
    async with runs_screen(store, (100, 40)) as driven:
        await driven.press("question_mark")
        for command in COMMANDS:
            assert command.help in driven.text
        await driven.press("escape")
        assert isinstance(driven.app.screen, RunsScreen)
        assert driven.app.left_with == []


# --- text ------------------------------------------------------------------------------------------------------------


def a_run(**values: Any) -> Run:
    """A run like any other."""
    line = Experiment().to_line()
    run = Run(
        id="1a2b3c4d",
        parent="",
        created=NOW,
        folder="/home/me",
        experiment=line,
        settings=line,
        state="finished",
        reason="",
        epoch=100,
        updates=300,
        seconds=0.1,
        loss=0.5,
        samples=3,
        host="",
        process="",
        name="",
        tags=(),
        note="",
    )
    return replace(run, **values)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


@given(
    st.integers(1, 250),
    st.lists(st.tuples(TEXTS, st.integers(0, 10**12), st.floats(allow_nan=True)), min_size=1, max_size=4),
)
def test_no_line_is_wider_than_the_list_and_no_number_is_cut(width: int, facts: list[tuple[str, int, float]]) -> None:
    runs = [a_run(name=name, epoch=count, updates=3 * count, loss=loss, note=name) for name, count, loss in facts]
    widths = listing(runs, [], Order()).widths
    assert widths is not None
    columns = columns_in(width, widths)
    assert not columns or cell_len(head(columns, Order())) <= width
    for run in runs:
        cells = {key: cell(run, key, cells) for key, cells in columns.items()}
        assert [cell_len(text) for text in cells.values()] == list(columns.values())
        assert sum(columns.values()) + 2 * len(columns) - 2 + LEAD <= width or not columns
        numbers = {"epoch": f"{run.epoch:,}", "updates": f"{run.updates:,}", "loss": figure(run.loss)}
        for key in numbers.keys() & cells.keys():
            assert cells[key].strip() == numbers[key]
        for lines in (1, 2, 6):
            told = details(run, "", width, lines)
            assert len(told) <= lines
            assert all(cell_len(line) <= width for line in told)


def test_the_wider_the_list_the_more_columns() -> None:
    widths = listing([a_run(name="baseline")], [], Order()).widths
    assert widths is not None
    shown = [set(columns_in(width, widths)) for width in (38, 60, 80, 100, 150)]
    assert shown[0] == {"id", "state", "loss"}
    assert all(fewer <= more for fewer, more in pairwise(shown))
    assert shown[-1] == {"id", "age", "state", "epoch", "updates", "loss", "name", "what"}


@given(TEXTS, st.integers(1, 40), st.integers(1, 4))
def test_folded_text_is_all_there_or_ends_in_dots(text: str, width: int, lines: int) -> None:
    found = folded(text, width, lines)
    assert 1 <= len(found) <= lines
    assert all(cell_len(line) <= width for line in found)
    assert " ".join(found).split() == text.split() or "…" in "".join(found)


def test_folded_text_cuts_no_number() -> None:
    text = "mlp · moons · adam b=16 lr 0.00123"
    assert folded(text, 34, 1) == [text]
    assert folded(text, 33, 1) == ["mlp · moons · adam b=16 lr …"]
    assert folded(text, 22, 1) == ["mlp · moons · adam …"]
    assert folded(text, 12, 1) == ["mlp · moons…"]
    assert folded(text, 10, 1) == ["mlp · moo…"]
    assert folded(text, 20, 2) == ["mlp · moons · adam", "b=16 lr 0.00123"]


@given(TEXTS, st.integers(1, 40))
def test_fitted_text_has_that_many_cells(text: str, width: int) -> None:
    assert cell_len(fitted(text, width)) == width


def test_what_has_changed_since_the_start_is_told_setting_by_setting() -> None:
    after = Experiment(lr=0.02, batch_size=8, set=(("momentum", 0.9),)).to_line()
    run = a_run(settings=after)
    assert changes(run) == ["lr 0.01 → 0.02", "batch-size 1 → 8", "momentum default → 0.9"]
    assert changes(a_run()) == []


def test_a_line_of_another_version_stays_as_it_is() -> None:
    run = a_run(settings="warp=9 problem=linear")
    assert brief(run.settings) == "warp=9 problem=linear"
    assert changes(run) == []
    assert "epoch 100 ·" in details(run, "", 200, 6)[0]


def test_years_are_told_in_years(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "time", lambda: NOW)
    assert [ago(NOW - days * A_DAY) for days in (0, 2, 364, 366, 800)] == ["0 s", "2 d", "364 d", "1 y", "2 y"]


# --- pictures --------------------------------------------------------------------------------------------------------


async def listed(driven: Runs) -> None:
    await driven.press("down", "p")
    await driven.until(lambda: driven.app.pins)


async def searched(driven: Runs) -> None:
    await driven.type("/moons")
    await driven.until(lambda: "1 of 3" in driven.subtitle)


async def refused(driven: Runs) -> None:
    await driven.press("n")
    await driven.type("best")
    await driven.press("enter")
    await driven.until(lambda: "already" in driven.text)


async def asked(driven: Runs) -> None:
    await driven.press("d")


@pytest.mark.parametrize(
    ("size", "scene"),
    [((120, 36), listed), ((80, 24), listed), ((80, 24), searched), ((80, 24), refused), ((40, 10), asked)],
    ids=lambda value: value.__name__ if callable(value) else f"{value[0]}x{value[1]}",
)
def test_picture(
    store: Store,
    three: list[str],
    size: tuple[int, int],
    scene: Callable[[Runs], Any],
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(summary, "time", lambda: NOW)
    labels = [{"name": "best", "tags": "tutorial"}, {"note": "a hidden layer of 8 is enough"}, {}]
    for at, (run, label) in enumerate(zip(three, labels, strict=True)):
        row = {"id": f"{at}a2b3c4d", "created": NOW - (3 - at) * 500, "folder": "/home/me", "seconds": 0.25}
        copies(store, run, [row | label])
        store.remove(store.find(run))
    app = Host(store)

    async def play_scene(pilot: Pilot[None]) -> None:
        driven = Runs(pilot, app)
        await driven.until(lambda: "3 runs" in driven.subtitle)
        await scene(driven)
        for one in app.screen.query("Input"):
            one.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause(0.1)

    assert snap_compare(app, terminal_size=size, run_before=play_scene)
