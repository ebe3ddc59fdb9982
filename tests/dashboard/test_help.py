"""?: the pane that one is in explained, then the keys, then everything else."""

from __future__ import annotations

from labs import Lab, lab

from gdtui.dashboard import keymap
from gdtui.dashboard.app import LabApp
from gdtui.dashboard.begin import Opening
from gdtui.dashboard.manual import OF_PANES
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.widgets.page import Page
from gdtui.experiment import Experiment
from gdtui.preferences import DEFAULTS
from gdtui.topics.topic import NAMES, topic_named

FIRST = {
    "experiment": "1 Experiment",
    "loss": "2 Loss",
    "samples": "3 Samples",
    "landscape": "4 Landscape",
    "insight": "5 Insight",
    "runs": "6 Runs",
    "log": "7 Log",
}


def page(driven: Lab) -> Page:
    return driven.app.screen.query_one(Page)


def top(driven: Lab) -> str:
    """The line at the top of the page."""
    return page(driven).render_line(0).text.strip()


async def explained(driven: Lab, pane: str) -> None:
    widget = driven.screen.query_one(f"#{pane}")
    (widget if widget.can_focus else driven.screen.query_one("#lr")).focus()
    await driven.press("f1")


async def test_the_focused_pane_comes_first_then_the_keys() -> None:
    async with lab() as driven:
        for pane in OF_PANES:
            await explained(driven, pane)
            assert top(driven).startswith(FIRST[pane])
            text = page(driven).text
            assert text.index("Keys here") < text.index("\nKeys\n"), pane
            others = [text.index(f"\n{title}") for name, title in FIRST.items() if name != pane]
            assert text.index("\nKeys\n") < min(others), pane
            await driven.press("escape")


async def test_without_a_focus_the_keys_come_first_then_every_pane_and_the_words() -> None:
    async with lab() as driven:
        await driven.press("question_mark")
        text = page(driven).text
        places = [text.index(title) for title in ("Keys\n", *FIRST.values(), "Words\n")]
        assert places[0] == 0
        assert places == sorted(places)
        assert all(command.help in text for command in keymap.COMMANDS)


async def test_insight_brings_its_formulas_and_their_sources_and_every_topic_is_there_once() -> None:
    async with lab() as driven:
        await explained(driven, "insight")
        lines = page(driven).text.split("\n")
        for name in NAMES:
            assert lines.count(topic_named(name).title) == 1
        before_the_keys = page(driven).text.partition("\nKeys\n")[0]
        for words in ("trΣ/‖g‖²", "McCandlish, Kaplan, Amodei", "2/λmax", "Polyak 1964", "Cockpit"):
            assert words in before_the_keys


async def test_a_pane_that_fills_a_narrow_terminal_is_the_one_explained() -> None:
    async with lab((80, 24)) as driven:
        await driven.press("4", "question_mark")
        assert top(driven).startswith("4 Landscape")


async def test_a_field_s_keys_are_for_the_field_but_f1_explains() -> None:
    async with lab() as driven:
        driven.screen.query_one("#lr").focus()
        await driven.press("f1")
        assert top(driven).startswith("1 Experiment")


async def test_a_number_goes_to_its_pane_and_tab_from_topic_to_topic() -> None:
    async with lab() as driven:
        await driven.press("question_mark", "5")
        assert top(driven).startswith("5 Insight")
        await driven.press("tab")
        assert top(driven) == topic_named("instruments").title
        await driven.press("down", "shift+tab")
        assert top(driven) == topic_named("instruments").title
        await driven.press("shift+tab")
        assert top(driven).startswith("5 Insight")


async def test_what_is_typed_after_a_slash_is_found() -> None:
    async with lab() as driven:
        await driven.press("question_mark", "slash", *"Kingma")
        assert "Kingma, Ba 2015" in top(driven)
        await driven.press("enter", "n")
        assert "Kingma, Ba 2015" in top(driven)  # it is the only place
        await driven.press("slash", *"ﬂﬂ")
        assert "Kingma, Ba 2015" in top(driven)
        await driven.press("escape")
        assert isinstance(driven.app.screen, HelpScreen)
        await driven.press("escape")
        assert not isinstance(driven.app.screen, HelpScreen)


async def test_n_goes_on_to_the_next_place_and_back() -> None:
    async with lab() as driven:
        await driven.press("question_mark", "slash", *"polyak", "enter")
        first = page(driven).scroll_offset.y
        await driven.press("n")
        assert "Polyak" in top(driven)
        assert page(driven).scroll_offset.y > first
        await driven.press("N")
        assert page(driven).scroll_offset.y == first


async def test_the_page_fits_the_terminal_and_keeps_its_place_when_that_changes() -> None:
    async with lab((120, 36)) as driven:
        await driven.press("question_mark", "6")
        for size in ((40, 12), (80, 24), (200, 60)):
            await driven.resize(*size)
            await driven.until(lambda size=size: driven.app.screen.size == size and top(driven).startswith("6 Runs"))
            await driven.pilot.pause()
            assert top(driven).startswith("6 Runs")
            widget = page(driven)
            assert max(len(line) for line in widget.text.split("\n")) <= widget.scrollable_size.width, size


async def test_a_person_s_own_keys_are_shown_and_work_here_too() -> None:
    preferences = DEFAULTS.replace(keys={"reset": ("F8",), "help": ("h",), "pane-6": ("F6",)})
    app = LabApp(Opening(Experiment()), preferences=preferences)
    async with app.run_test(size=(120, 36)) as pilot:
        driven = Lab(pilot, app)
        await driven.until(lambda: driven.player.trainer is not None)
        await driven.press("h")
        assert "  F8 " in page(driven).text
        await driven.press("f6")
        assert top(driven).startswith("6 Runs")
        await driven.press("h")
        assert app.screen is driven.screen
    app.end()
