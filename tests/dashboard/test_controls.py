"""The experiment's fields: what they accept, when they apply, and what they say is wrong."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from labs import rows_of
from textual.app import App
from textual.events import Paste
from textual.widgets import Input, Select

from gdtui.dashboard.widgets.controls import LABELS, Controls
from gdtui.experiment import Experiment, printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.app import ComposeResult
    from textual.pilot import Pilot

    from gdtui.dashboard.messages import SettingEdited

HOSTILE = ["[red]x[/]", "[/", "[@click=app.quit]x[/]", "\x1b[31m", "a\nb\x00c", "$primary {x} \\[", "数据", "9" * 5_000]


class Form(App[None]):
    CSS = "Controls { width: 40; }"
    AUTO_FOCUS = None

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment
        self.edits: list[tuple[str, Any]] = []

    def compose(self) -> ComposeResult:
        yield Controls(self.experiment)

    def on_setting_edited(self, message: SettingEdited) -> None:
        self.edits.append((message.setting, message.value))


@asynccontextmanager
async def form(**settings: Any) -> AsyncIterator[tuple[Pilot[None], Form]]:
    app = Form(Experiment(**settings))
    async with app.run_test(size=(60, 40)) as pilot:
        await app.query_one(Controls).mount_fields()
        await pilot.pause()
        yield pilot, app


async def write(pilot: Pilot[None], setting: str, text: str) -> Input:
    field = pilot.app.query_one(f"#{setting}", Input)
    field.focus()
    field.value = text
    await pilot.pause()
    return field


def errors(app: App[None]) -> list[str]:
    """Each error on the screen: its first line, with the field's own row before it."""
    rows = [row[:40].strip() for row in rows_of(app)]
    return [f"{above} {row}" for above, row in pairwise(rows) if row.startswith("✗")]


async def test_every_setting_has_its_label_and_its_value() -> None:
    async with form(lr=0.025, batch_size="full") as (_, app):
        page = [row.split() for row in rows_of(app)]
        for label in LABELS.values():
            assert any(row[: len(label.split())] == label.split() for row in page), label
        assert ["lr", "0.025"] in page
        assert ["Batch", "size", "full"] in page


async def test_an_empty_field_says_what_it_stands_for() -> None:
    async with form() as (_, app):
        page = [row.split() for row in rows_of(app)]
        assert ["Features", "all"] in page
        assert ["Target", "last"] in page


async def test_what_is_wrong_is_said_beneath_the_field_as_one_types() -> None:
    wrong = [
        ("lr", "abc", "lr abc ✗ learning rate must be a"),
        ("lr", "-1", "lr -1 ✗ learning rate must be a"),
        ("lr", "nan", "lr nan ✗ learning rate must be a"),
        ("lr", "", "lr ✗ learning rate must be a number"),
        ("batch_size", "0", "Batch size 0 ✗ batch size must be full or a"),
        ("epochs", "2.5", "Epochs 2.5 ✗ number of epochs must be a"),
        ("seed", "-1", "Seed -1 ✗ seed must be a whole number"),
        ("init", "1,x", "Start 1,x ✗ start must be"),
    ]
    async with form() as (pilot, app):
        for setting, typed, said in wrong:
            field = await write(pilot, setting, typed)
            assert len(errors(app)) == 1, (setting, typed)
            assert " ".join(errors(app)[0].split()).startswith(said)
            assert app.edits == []
            app.query_one(Controls).give_up(field)
            await pilot.pause()
            assert errors(app) == []


async def test_the_error_goes_with_what_was_wrong() -> None:
    async with form() as (pilot, app):
        await write(pilot, "lr", "0,1")
        assert len(errors(app)) == 1
        await write(pilot, "lr", "0.1")
        assert errors(app) == []


async def test_enter_applies_a_field() -> None:
    async with form() as (pilot, app):
        await write(pilot, "lr", " 0.02 ")
        assert app.edits == []
        await pilot.press("enter")
        assert app.edits == [("lr", 0.02)]


async def test_leaving_a_field_applies_it() -> None:
    async with form() as (pilot, app):
        await write(pilot, "batch_size", "FULL")
        await pilot.press("tab")
        assert app.edits == [("batch_size", "full")]


async def test_a_wrong_value_is_never_applied() -> None:
    async with form() as (pilot, app):
        for key in ("enter", "tab"):
            await write(pilot, "epochs", "1e999")
            await pilot.press(key)
            assert app.edits == [], key
            assert len(errors(app)) == 1


async def test_giving_up_puts_back_the_value_in_force() -> None:
    async with form(lr=0.02) as (pilot, app):
        field = await write(pilot, "lr", "oops")
        app.query_one(Controls).give_up(field)
        await pilot.press("enter", "tab")
        assert (field.value, errors(app), app.edits) == ("0.02", [], [])


@pytest.mark.parametrize("key", ["enter", "tab"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lr": 1e-300, "init": (1.0, -2.5e10), "batch_size": "full"},
        {"features": ("größe", 'a "b"', "a,b", "a\\b", " c "), "target": " y "},
    ],
)
async def test_going_through_the_fields_changes_nothing(settings: dict[str, Any], key: str) -> None:
    async with form(**settings) as (pilot, app):
        for field in app.query(Input):
            field.focus()
            await pilot.press(key)
        assert (app.edits, errors(app)) == ([], [])


async def test_features_are_typed_as_they_are_shown() -> None:
    names = ("größe", 'a "b"', "a,b", "a\\b", "[red]x[/]")
    async with form(features=names) as (pilot, app):
        field = app.query_one("#features", Input)
        await write(pilot, "features", f"{field.value},z")
        await pilot.press("enter")
        assert app.edits == [("features", (*names, "z"))]


async def test_a_choice_is_applied_as_it_is_made() -> None:
    async with form() as (pilot, app):
        app.query_one("#order", Select).focus()
        await pilot.press("enter", "down", "enter")
        assert app.edits == [("order", "shuffle")]


async def test_a_choice_opens_on_enter_alone() -> None:
    async with form() as (pilot, app):
        choice = app.query_one("#problem", Select)
        choice.focus()
        for key in ("space", "full_stop", "g"):
            await pilot.press(key)
            assert not choice.expanded, key
        await pilot.press("enter")
        assert choice.expanded


async def test_the_arrows_go_from_field_to_field() -> None:
    async with form() as (pilot, app):
        app.query_one("#optimizer").focus()
        seen = []
        for key in ("down", "down", "down", "up", "up"):
            await pilot.press(key)
            assert app.focused is not None
            seen.append(app.focused.id)
        assert seen == ["lr", "schedule", "batch_size", "schedule", "lr"]


async def test_what_changed_elsewhere_is_shown_without_an_edit() -> None:
    async with form() as (pilot, app):
        app.query_one(Controls).show(Experiment(lr=0.5, problem="affine", data="faithful", standardize=True))
        await pilot.pause()
        page = [row.split() for row in rows_of(app)]
        for row in (["lr", "0.5"], ["Problem", "affine", "▼"], ["Data", "faithful", "▼"], ["Standardize", "yes", "▼"]):
            assert row in page
        assert app.edits == []


async def test_what_one_is_typing_is_left_alone() -> None:
    async with form() as (pilot, app):
        field = await write(pilot, "lr", "0.7")
        app.query_one(Controls).show(Experiment(lr=0.0125))
        assert field.value == "0.7"


async def test_a_field_that_one_only_looks_at_follows() -> None:
    async with form() as (pilot, app):
        field = app.query_one("#lr", Input)
        field.focus()
        app.query_one(Controls).show(Experiment(lr=0.0125))
        await pilot.press("tab")
        assert (field.value, app.edits) == ("0.0125", [])


async def test_an_error_from_loading_stands_beneath_its_field_until_one_goes_back() -> None:
    async with form() as (pilot, app):
        choice = app.query_one("#standardize", Select)
        choice.value = True
        await pilot.pause()
        app.query_one(Controls).show_error("standardize", "feature 'x' is too large")
        await pilot.pause()
        assert [" ".join(error.split()) for error in errors(app)] == ["Standardize yes ▼ ✗ feature 'x' is too large"]
        choice.value = False
        await pilot.pause()
        assert errors(app) == []


async def test_any_text_in_any_field_is_only_text() -> None:
    async with form() as (pilot, app):
        for text in HOSTILE:
            for field in app.query(Input):
                await write(pilot, field.id or "", text)
                await pilot.press("enter")
                assert field.value == printable(text)
            assert all(row.isprintable() for row in rows_of(app)), text


async def test_what_is_pasted_is_only_text() -> None:
    async with form() as (pilot, app):
        app.query_one("#target").focus()
        await pilot.pause()
        app.post_message(Paste("\x1b[31mred\x07"))
        await pilot.pause()
        assert app.query_one("#target", Input).value == r"\x1b[31mred\x07"


async def test_an_error_is_shown_as_it_is() -> None:
    async with form() as (pilot, app):
        for text in ("[red]x[/]", "[/", "\x1b[31m", "unknown column 'x' (there is [b]y)"):
            app.query_one(Controls).show_error("target", text)
            await pilot.pause()
            shown = "".join(errors(app)[0].split("✗")[1:]).strip()
            assert shown
            assert shown in repr(text)


@pytest.mark.parametrize("name", ["[red]x.csv", "[b[.csv", "\x1b[31m.csv", "$x [b].csv", "数据.csv"])
async def test_a_files_name_is_no_markup(name: str) -> None:
    async with form(data=f"/data/{name}") as (_, app):
        row = next(row for row in rows_of(app) if row.startswith("Data"))
        shown = row.split("▼")[0].removeprefix("Data").strip()
        assert shown.partition("…")[0] in repr(name)
        assert shown.partition("…")[2] in name
