"""The line that asks what to write and where."""

from __future__ import annotations

import csv
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from labs import Lab, lab, table
from textual.widgets import Input

from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.screens.export import ExportScreen, file_name, words_of
from gdtui.descent.history import Column
from gdtui.experiment import Experiment
from gdtui.runs import export

if TYPE_CHECKING:
    from pathlib import Path

SIZES = pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 36)])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tests write."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def open_prompt(driven: Lab) -> None:
    await driven.app.run_action("app.export")
    await driven.pilot.pause()


async def fill(driven: Lab, name: str) -> None:
    """Type a name in place of the one that is there."""
    await driven.press("home", "shift+end", "delete", *name)


def is_open(driven: Lab) -> bool:
    return isinstance(driven.app.screen, ExportScreen)


def typed(driven: Lab) -> str:
    return driven.app.screen.query_one(Input).value


async def written(driven: Lab, what: str) -> str:
    """What the log says of it."""
    await driven.until(lambda: any(f"wrote {what} " in entry for entry in driven.log))
    return next(entry for entry in driven.log if f"wrote {what} " in entry)


@SIZES
async def test_enter_writes_the_history_of_the_moment(folder: Path, size: tuple[int, int]) -> None:
    async with lab(size) as driven:
        await driven.press("e", "e", "e")
        await driven.until(lambda: driven.is_at(3))
        await open_prompt(driven)
        await driven.press("enter")
        said = await written(driven, "history")
        assert said.startswith("wrote history to 'linear-tutorial-sgd.csv': 4 rows, ")
        with (folder / "linear-tutorial-sgd.csv").open() as file:
            losses = [float(row["loss"]) for row in csv.DictReader(file)]
        assert losses == driven.trainer.snapshot().history.column(Column.LOSS).tolist()
        assert not is_open(driven)


async def test_tab_chooses_what_and_the_name_follows() -> None:
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        names = [typed(driven)]
        for _ in range(4):
            await driven.press("tab")
            names.append(typed(driven))
        stem = "linear-tutorial-sgd"
        assert names == [
            f"{stem}.csv",
            f"{stem}-samples.csv",
            f"{stem}-experiment.txt",
            f"{stem}-chart.svg",
            f"{stem}-lab.svg",
        ]
        await driven.press("tab", "shift+tab")
        assert typed(driven) == f"{stem}-lab.svg"


async def test_of_a_name_that_was_typed_tab_changes_the_suffix_only_where_it_must() -> None:
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        await driven.press(*"mine.json")
        assert typed(driven) == "mine.json", "in place of the name that was made up"
        await driven.press("tab", "shift+tab", "2")
        assert typed(driven) == "mine2.json"
        await fill(driven, "mine.json")
        names = []
        for _ in range(5):
            await driven.press("tab")
            names.append(typed(driven))
        assert names == ["mine.json", "mine.json", "mine.svg", "mine.svg", "mine.csv"]
        await driven.press("2")
        assert typed(driven) == "mine2.csv"


async def test_each_kind_is_written(folder: Path) -> None:
    kinds = [
        (1, "s.parquet", b"PAR1"),
        (1, "s.json", b'{"experiment": '),
        (2, "e.txt", b"problem=linear "),
        (3, "c.svg", b"<svg "),
        (4, "l.svg", b"<svg "),
    ]
    async with lab() as driven:
        await driven.press("e")
        await driven.until(lambda: driven.is_at(1))
        await driven.measured()
        for what, name, start in kinds:
            await open_prompt(driven)
            await driven.press(*what * ["tab"])
            await fill(driven, name)
            await driven.press("enter")
            await driven.until(lambda name=name: any("wrote" in entry and f"'{name}'" in entry for entry in driven.log))
            assert (folder / name).read_bytes().startswith(start), name
        picture = (folder / "l.svg").read_bytes()
        assert b"3&#160;Samples" in picture
        assert b"Write" not in picture, "not of the prompt"


async def test_the_chart_is_written_as_it_is_shown(folder: Path) -> None:
    async with lab() as driven:
        await driven.press("y", "x")
        await open_prompt(driven)
        await driven.press("tab", "tab", "tab", "enter")
        await written(driven, "chart")
        text = (folder / "linear-tutorial-sgd-chart.svg").read_text().replace("&#160;", " ")
        assert "loss · linear y · updates" in text


WRONG = [
    ("", "a file's name ends in .csv, .parquet, .json, .txt or .svg, got ''"),
    ("x.svg", ".svg holds chart or lab"),
    ("x.xls", "a file's name ends in"),
    ("nowhere/x.csv", "there is no folder"),
    ("[red]x.csv[/red]", "a file's name ends in"),
    ("folder.csv", "'folder.csv' is a folder"),
]


@SIZES
async def test_the_whole_prompt_is_seen_and_says_what_is_wrong_as_one_types(
    folder: Path, size: tuple[int, int]
) -> None:
    (folder / "folder.csv").mkdir()
    async with lab(size) as driven:
        await open_prompt(driven)
        for text in ("Write", "history linear-tutorial-sgd.csv", "esc leave", ".csv", ".parquet", ".json"):
            assert text in driven.text
        assert "2 Loss" in driven.text, "the lab is still seen"
        for name, message in WRONG:
            driven.app.screen.query_one(Input).value = name
            await driven.until(lambda message=message: "✗" in driven.text and message in flat(driven))
            await driven.press("enter")
            assert is_open(driven)
            assert [file.name for file in folder.iterdir()] == ["folder.csv"]


def flat(driven: Lab) -> str:
    """The prompt's message on one line."""
    lines = [line.strip("│ ") for line in driven.text.splitlines() if line.startswith("│")]
    return re.sub(" +", " ", " ".join(lines))


async def test_a_file_that_is_there_is_replaced_by_the_second_enter(folder: Path) -> None:
    (folder / "linear-tutorial-sgd.csv").write_text("precious")
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        await driven.press("enter")
        assert "is there already: enter again replaces it" in driven.text
        assert (folder / "linear-tutorial-sgd.csv").read_text() == "precious"
        await driven.press("enter")
        await written(driven, "history")
        assert (folder / "linear-tutorial-sgd.csv").read_text().startswith("epoch,")


async def test_the_question_is_for_that_name_only(folder: Path) -> None:
    (folder / "a.csv").write_text("precious")
    (folder / "ab.csv").write_text("precious")
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        await driven.press(*"a.csv", "enter", "left", "left", "left", "left", "b", "enter")
        assert "'ab.csv' is there already" in driven.text
        await driven.press("backspace", "enter")
        assert "'a.csv' is there already" in driven.text
        assert {file.read_text() for file in folder.iterdir()} == {"precious"}


async def test_a_file_that_comes_meanwhile_is_not_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = export.history_table

    def slowly(snapshot: Any) -> Any:
        (folder / "linear-tutorial-sgd.csv").write_text("precious")
        return before(snapshot)

    monkeypatch.setattr(export, "history_table", slowly)
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        await driven.press("enter")
        await driven.until(lambda: any("it was not replaced" in entry for entry in driven.log))
        assert [file.read_text() for file in folder.iterdir()] == ["precious"]


async def test_escape_leaves_and_nothing_is_written(folder: Path) -> None:
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        await driven.press("x", "escape")
        assert not is_open(driven)
        assert not list(folder.iterdir())
        await driven.press("e")
        await driven.until(lambda: driven.is_at(1))


async def test_keys_are_for_the_field_from_the_first_on() -> None:
    async with lab((80, 24)) as driven:
        await driven.app.run_action("app.export")
        await driven.tap("e", "q", "space")
        await driven.until(lambda: typed(driven) == "eq ")
        assert driven.is_at(0)


async def test_a_home_is_expanded_as_a_shell_would(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "home").mkdir()
    monkeypatch.setenv("HOME", str(folder / "home"))
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        await fill(driven, "~/x.csv")
        await driven.press("enter")
        await written(driven, "history")
    assert [file.name for file in folder.rglob("*.csv")] == ["x.csv"]


async def test_the_screen_lives_while_a_file_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, before = threading.Event(), export.history_table

    def slowly(snapshot: Any) -> Any:
        assert let_go.wait(30)
        return before(snapshot)

    monkeypatch.setattr(export, "history_table", slowly)
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        await driven.press("enter", "e")
        await driven.until(lambda: driven.is_at(1))
        await driven.until(lambda: any("writing history" in entry for entry in driven.log))
        let_go.set()
        assert "1 row," in await written(driven, "history"), "of the moment at which it was asked for"


async def test_what_was_begun_is_written_though_the_app_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, before = threading.Event(), export.history_table

    def slowly(snapshot: Any) -> Any:
        assert let_go.wait(30)
        return before(snapshot)

    monkeypatch.setattr(export, "history_table", slowly)
    async with lab((80, 24)) as driven:
        await open_prompt(driven)
        await driven.press("enter", "q")
    assert not list(folder.glob("*.csv"))
    let_go.set()
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join(30)
    assert [file.name for file in folder.iterdir()] == ["linear-tutorial-sgd.csv"]


async def test_where_the_log_is_not_seen_a_note_pops_up() -> None:
    app = LabApp(Opening())
    async with app.run_test(size=(40, 10), notifications=True) as pilot:
        driven = Lab(pilot, app)
        await driven.until(lambda: driven.player.snapshot)
        await open_prompt(driven)
        await driven.press("enter")
        await driven.until(lambda: "wrote history" in driven.text)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "linear-tutorial-sgd.csv"),
        (
            {"problem": "dir/my.py:f", "data": "/a/b c/My data (2).csv", "optimizer": "adam"},
            "my.py-f-My-data-2-adam.csv",
        ),
        ({"data": "../.hidden.csv"}, "linear-hidden-sgd.csv"),
        ({"data": "-rf.csv"}, "linear-rf-sgd.csv"),
        ({"data": "données.parquet"}, "linear-données-sgd.csv"),
    ],
)
def test_a_name_is_made_up_that_needs_no_quotes(settings: dict[str, Any], name: str) -> None:
    assert file_name(words_of(Experiment(**settings)), "history") == name


def test_a_name_that_is_made_up_is_never_too_long() -> None:
    assert len(file_name(words_of(Experiment(data="é" * 500)), "experiment").encode()) < 255
    assert file_name(("🎉",), "history") == "history.csv"


async def test_data_of_any_name_can_be_written(folder: Path) -> None:
    (folder / "data").mkdir()
    async with lab((80, 24), data=table(folder / "data" / "[b]it's\n.csv")) as driven:
        await open_prompt(driven)
        await driven.press("enter")
        await written(driven, "history")
