"""Runs: all that is kept, to be found, sorted, named, compared, deleted and opened."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import on
from textual.content import Content
from textual.widgets import Input, Static

from gdtui.dashboard.keymap import key_of
from gdtui.dashboard.runkeys import COMMANDS, bindings
from gdtui.dashboard.screens.help import HelpScreen
from gdtui.dashboard.screens.layer import Layer
from gdtui.dashboard.threads import in_thread
from gdtui.dashboard.widgets.runlines import BY_KEY, Listing, Order, listing
from gdtui.dashboard.widgets.runlist import RunDetails, RunList
from gdtui.dashboard.widgets.runprompts import Prompt, Question, RunKeys
from gdtui.experiment import InputError, printable
from gdtui.runs import processes
from gdtui.runs.store import SWEEP
from gdtui.sweeps.listing import everything

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from gdtui.runs.store import Run
    from gdtui.sweeps.ledger import Ledger

READ_EVERY_S = 1.0
READ_SHARE = 0.05
"""At most this part of the time is spent on reading: ten thousand runs are read less often."""

NONE_KEPT = (
    "No run is kept yet. Every run is kept as it goes, from its first update on, so that it can be opened, compared "
    "and gone on with, whatever becomes of this terminal: q and then {run} runs one here, gdtui run does so without "
    "a screen; --no-keep keeps nothing."
)
NONE_FOUND = "No run is like this: a word may stand anywhere in its settings, state, id, name, tags or note."

WHILE_SEARCHING = ("move", "move_page", "leave")
"""Actions that have their meaning also while one types what to search for."""


class RunsScreen(Layer["Run | None"]):
    """The kept runs, as they are in the store from moment to moment; ends with the run to open, if any."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    DEFAULT_CSS = """
    RunsScreen {
        overflow: hidden;
        & #kept { height: 1fr; }
        & #said { height: auto; max-height: 4; padding: 0 2; color: $warning; overflow: hidden; }
        &.-mid RunDetails, &.-low RunDetails { height: 5; }
        &.-flat RunDetails { height: 2; padding: 0; }
        &.-flat #kept, &.-flat #said { padding: 0; }
    }
    """

    def __init__(
        self,
        ledger: Ledger,
        pinned: Callable[[], Mapping[str, tuple[str, str]]],
        pin: Callable[[Run], Awaitable[None]],
    ) -> None:
        """A screen over a store.

        Args:
            ledger: the runs and sweeps.
            pinned: the pinned runs now, by id: each one's mark, of one cell, and its colour.
            pin: pins a run, or unpins it; raises InputError where that cannot be.
        """
        super().__init__()
        self._ledger, self._store = ledger, ledger.store
        self._pinned = pinned
        self._pin = pin
        self._runs: list[Run] = []
        self._problem = ""
        self._is_read = False
        self._words: list[str] = []
        self._found = Listing()
        self._order = Order()
        self._is_due = asyncio.Event()
        self._message = ""
        self._list = RunList(id="kept", classes="pane")
        self._details = RunDetails(id="details")
        self._said = Static(id="said", markup=False)
        self._prompt = Prompt(id="prompt")
        self._question = Question(id="question")
        self._keys = RunKeys(COMMANDS, id="run-keys")

    def compose(self) -> ComposeResult:
        """The runs, the selected one, what there is to say, what is asked, the keys."""
        self._list.border_title = "Runs"
        self._said.display = False
        yield from (self._list, self._details, self._said, self._prompt, self._question, self._keys)

    def on_mount(self) -> None:
        """Nothing is asked yet."""
        self._close()
        self.run_worker(self._follow(), group="follow")

    # --- from the store to the list ----------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Read the store again and again; what is shown changes where it has changed."""
        while True:
            began = monotonic()
            self._is_due.clear()
            await self._read()
            pause_s = max(READ_EVERY_S, (monotonic() - began) / READ_SHARE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), pause_s)

    async def _read(self) -> None:
        before = self._is_read, self._runs, self._problem
        try:
            self._runs = await in_thread(partial(everything, self._ledger))
            # One that was damaged has been set aside: that stays said until there is another.
            self._problem = "" if self._store.path.exists() else self._problem
        except InputError as error:
            self._runs, self._problem = [], str(error)
        self._is_read = True
        if (self._is_read, self._runs, self._problem) != before:
            self._arrange()
        elif self._list.is_attached:
            self._list.show_pins(self._pinned())  # and redraw: they have grown older

    def _arrange(self) -> None:
        """Search and sort, and show what was found; only the last of several in a row."""
        self.run_worker(self._arrange_in_thread(), group="arrange", exclusive=True)

    async def _arrange_in_thread(self) -> None:
        self._found = await in_thread(partial(listing, self._runs, self._words, self._order))
        if self._list.is_attached:  # not while the screen ends
            self._list.show_pins(self._pinned())
            self._list.show(self._found, self._why_none())
            self._show_selected()
            self._show_subtitle()

    def on_resize(self) -> None:
        """Say in the border what there is room for by now."""
        self.call_after_refresh(self._show_subtitle)

    def _why_none(self) -> str:
        if not self._is_read:
            return ""
        return self._problem or (NONE_FOUND if self._runs else NONE_KEPT.format(run=key_of(self.app, "run")))

    def _show_subtitle(self) -> None:
        found = self._found
        total = f"{found.total:,} {'run' if found.total == 1 else 'runs'}"
        count = f"{len(found.runs):,} of {total}" if self._words else total
        words = f"/{printable(' '.join(self._words))}"
        sort = f"sort {BY_KEY[found.order.key].title} {found.order.arrow}"
        texts = [[count, words, sort], [count, words], [count]] if self._words else [[count, sort], [count]]
        lines = [" · ".join(parts) for parts in texts] if found.total else []
        room = self._list.outer_size.width - 4  # for the corners and a blank beside each
        content = Content(next((line for line in lines if cell_len(line) <= room), ""))
        if self._list.border_subtitle != content.markup:
            self._list.border_subtitle = content

    def _show_selected(self) -> None:
        run = self._list.selected
        self._details.show(run, maker(run) if run else "")

    def _say(self, text: str) -> None:
        if text != self._message:
            self._message = text
            self._said.update(text)
            self._said.display = bool(text)

    # --- what is asked -----------------------------------------------------------------------------------------------

    def _close(self) -> None:
        """Ask nothing more: the keys are the list's again."""
        self._prompt.display = self._question.display = False
        self._keys.display = True
        self.set_focus(None)

    @property
    def _is_asking(self) -> bool:
        return not self._keys.display

    @property
    def _is_searching(self) -> bool:
        return self._prompt.display and self._prompt.run is None

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """While something is asked, the keys are for the answer."""
        if not self._is_asking:
            return True
        return action in WHILE_SEARCHING if self._is_searching else action == "leave"

    def on_key(self) -> None:
        """What was said has been read."""
        self._say("")

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        """Search as one types."""
        event.stop()
        if self._is_searching:
            self._search_for(event.value)
        self._say("")

    def _search_for(self, text: str) -> None:
        if text.split() != self._words:
            self._words = text.split()
            self._arrange()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        """Keep the search; or give the run its label."""
        event.stop()
        prompt = self._prompt
        if prompt.run is None:
            self._close()
        else:
            text = event.value.replace("#", " ") if prompt.setting == "tags" else event.value
            labels = {prompt.setting: text.strip()}
            self.run_worker(self._label(prompt.run, labels), group="label", exclusive=True)

    async def _label(self, run: Run, labels: Mapping[str, str]) -> None:
        def label() -> None:
            if run.kind == SWEEP:
                self._ledger.label(self._ledger.named(run.id), labels)
            else:
                self._store.label(self._store.run(run.id).id, labels)

        try:
            await in_thread(label)
        except InputError as error:
            self._say(f"✗ {error}")
        else:
            self._is_due.set()
            if self._prompt.run is run:  # nothing else is asked by now
                self._close()

    @on(Question.Confirmed)
    def _delete(self, event: Question.Confirmed) -> None:
        self._close()
        self.run_worker(self._remove(event.run), group="delete")

    @on(Question.Declined)
    def _spare(self) -> None:
        self._close()

    async def _remove(self, run: Run) -> None:
        def remove() -> str:
            if run.kind == SWEEP:
                return f"sweep {run.id} and its {self._ledger.remove(self._ledger.named(run.id)):,} runs are deleted"
            self._store.remove(self._store.run(run.id))
            return f"run {run.id} is deleted"

        try:
            self._say(await in_thread(remove))
        except InputError as error:
            self._say(f"✗ {error}")
        self._is_due.set()

    # --- keys --------------------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Leave, with the selected run."""
        run = self._list.selected
        if run is not None:
            self.dismiss(run)

    def action_pin(self) -> None:
        """Pin the selected run, or no longer."""
        run = self._list.selected
        if run is not None:
            self.run_worker(self._toggle_pin(run), group="pin")

    async def _toggle_pin(self, run: Run) -> None:
        try:
            if run.kind == SWEEP:
                raise InputError("run", f"{run.id} is a sweep: open it, and one of its runs can be pinned")
            await self._pin(run)
        except InputError as error:
            self._say(f"✗ {error}")
        self._list.show_pins(self._pinned())

    def action_label(self, setting: str) -> None:
        """Let a person type the selected run's name, tags or note."""
        run = self._list.selected
        if run is not None:
            text = " ".join(run.tags) if setting == "tags" else getattr(run, setting)
            self._keys.display = False
            self._prompt.ask(run, setting, f"{setting} of {called(run)}", text)

    def action_search(self) -> None:
        """Let a person type words."""
        self._keys.display = False
        self._prompt.ask(None, "", "/", " ".join(self._words))

    def action_delete(self) -> None:
        """Ask whether the selected run is to be deleted."""
        run = self._list.selected
        if run is not None and run.is_made:
            self._say(f"✗ {called(run)} is being made by {maker(run)}: it cannot be deleted")
        elif run is not None:
            self._keys.display = False
            self._question.ask(run)

    def action_sort(self) -> None:
        """Sort by the column after the one that it is sorted by."""
        keys = [key for key in self._list.shown_columns if BY_KEY[key].order]
        if keys:
            at = keys.index(self._order.key) if self._order.key in keys else -1
            self._order = Order(keys[(at + 1) % len(keys)])
            self._arrange()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._order = Order(self._order.key, not self._order.is_reversed)
        self._arrange()

    def action_move(self, rows: int) -> None:
        """Select a line further down or up."""
        self._list.move(rows)
        self._show_selected()

    def action_move_page(self, pages: int) -> None:
        """Select a line a page further down or up."""
        self._list.move_page(pages)
        self._show_selected()

    def action_move_to(self, row: int) -> None:
        """Select the first (0) or last (-1) line."""
        self._list.move_to(row)
        self._show_selected()

    def action_leave(self) -> None:
        """One layer out: of what is asked, the search, the screen."""
        if self._is_searching or (self._words and not self._is_asking):
            self._close()
            self._search_for("")
        elif self._is_asking:
            self._close()
        else:
            self.dismiss(None)

    def action_back(self) -> None:
        """Back to the lab."""
        self.dismiss(None)

    def action_help(self) -> None:
        """What every key does."""
        self.app.push_screen(HelpScreen("kept"))


def called(run: Run) -> str:
    """A run or sweep by its id."""
    return f"{'sweep' if run.kind == SWEEP else 'run'} {run.id}"


def maker(run: Run) -> str:
    """Who makes a run; empty where nobody does."""
    if not run.is_made:
        return ""
    if (run.host, run.process) == (processes.host(), processes.this_process()):
        return "this gdtui"
    return printable(run.maker)
