"""Run keys: every key of the runs' screen, in one table; bindings, key bar and help are made from it."""

from __future__ import annotations

from textual.binding import Binding

from gdtui.dashboard.keymap import Command

COMMANDS = (
    Command("open", "enter", "enter", "open", "open", "Open the run; one that is being made is followed", "Run"),
    Command("pin", "p", "p", "pin", "pin", "Compare the lab's run with it, or no longer", "Run"),
    Command("name", "n", "n", "label('name')", "name", "Give it a name; no other run has it", "Run"),
    Command("tags", "t", "t", "label('tags')", "tags", "Give it tags, parted by blanks", "Run"),
    Command("note", "N", "N", "label('note')", "note", "Say something of it", "Run"),
    Command("delete", "d,delete", "d", "delete", "delete", "Delete it for good; asks first", "Run"),
    Command("search", "slash", "/", "search", "search", "Only runs in which all words stand; esc shows all", "List"),
    Command("sort", "o", "o", "sort", "sort", "Sort by the next column", "List"),
    Command("reverse", "O", "O", "reverse", "reverse", "The other way round", "List"),
    Command("up", "up", "↑", "move(-1)", "", "Line up", "List", in_bar=False),
    Command("down", "down", "↓", "move(1)", "", "Line down", "List", in_bar=False),
    Command("page-up", "pageup", "pgup", "move_page(-1)", "", "Page up", "List", in_bar=False),
    Command("page-down", "pagedown", "pgdn", "move_page(1)", "", "Page down", "List", in_bar=False),
    Command("first", "home", "home", "move_to(0)", "", "First line", "List", in_bar=False),
    Command("last", "end", "end", "move_to(-1)", "", "Last line", "List", in_bar=False),
    Command("out", "escape", "esc", "leave", "", "Out: of a question, the search, this screen", "Screen", in_bar=False),
    Command("help", "question_mark,f1", "?", "help", "help", "What every key does", "Screen"),
    Command("back", "q", "q", "back", "lab", "Back to the lab", "Screen"),
    Command("quit", "ctrl+q,ctrl+c", "ctrl-q", "app.quit", "", "Leave gdtui", "Screen", in_bar=False),
)  # fmt: skip


def bindings() -> list[Binding]:
    """The table as Textual's bindings."""
    return [
        Binding(c.keys, c.action, c.label, key_display=c.shown, tooltip=c.help, id=f"runs-{c.id}", show=False)
        for c in COMMANDS
    ]
