"""Small apps to be run in a terminal: python -m tests.terminal.apps APP DRIVER."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding
from textual.widgets import DataTable, Input, Log, ProgressBar, Static

from gdtui.terminal import driver_class
from gdtui.terminal.delta import Shown

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Busy(App[int]):
    """Counts fast, writes a log, and has a key that is seen; anything else goes in its field.

    `b` rings, `c` copies, `t` sets a title, `x` raises, `f` breaks the driver, `z` suspends, ctrl+l redraws.
    """

    CSS = "Log { height: 1fr; } #count { height: 1; }"
    BINDINGS: ClassVar = [
        *(Binding(key, f"do('{key}')") for key in ("space", "b", "c", "t", "x", "f", "q")),
        Binding("z", "suspend_process"),
        Binding("ctrl+l", "do('redraw')"),
        Binding("w", "do('wide')"),
    ]
    rate = 30.0

    def __init__(self) -> None:
        super().__init__()
        self._n = self._presses = 0

    def compose(self) -> ComposeResult:
        yield Static("ready", id="count")
        yield Static("pressed 0", id="pressed")
        yield Log()

    def on_mount(self) -> None:
        if self.rate:
            self.set_interval(1 / self.rate, self._count)

    def _count(self) -> None:
        self._n += 1
        self.query_one("#count", Static).update(f"count {self._n}")
        self.query_one(Log).write_line(f"line {self._n} of {'x' * (self._n % 40)}")

    def action_do(self, key: str) -> None:
        if key == "space":
            self._presses += 1
        elif key == "b":
            self.bell()
        elif key == "c":
            self.copy_to_clipboard("copied")
        elif key == "t" and self._driver is not None:
            self._driver.write("\x1b]0;a title\x07")
        elif key == "x":
            raise RuntimeError("on purpose")
        elif key == "f":
            Shown.approach = None  # a fault of the driver's own
        elif key == "redraw":
            self._driver.redraw()
            return
        elif key == "wide":
            self.query_one(Log).write_lines(["漢字かな交じり", "🚀 ☕ é e\u0301", "한국어"])
        elif key == "q":
            self.exit(0)
        self.query_one("#pressed", Static).update(f"pressed {self._presses} n {self._n}")


class Still(Busy):
    """The same at rest."""

    rate = 0.0


class Widgets(App[int]):
    """Some of Textual's own."""

    BINDINGS: ClassVar = [Binding("ctrl+q", "quit")]

    def compose(self) -> ComposeResult:
        yield Input(placeholder="type: 漢字, é, 🚀")
        yield ProgressBar(total=10)
        yield DataTable()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("n", "square", "wide")
        table.add_rows((n, n * n, "漢" * (n % 5)) for n in range(100))

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one(ProgressBar).update(progress=len(event.value))
        self.query_one(DataTable).move_cursor(row=len(event.value) * 3)


def _app(name: str) -> App[int]:
    if name == "demo":
        from textual.demo.demo_app import DemoApp

        return DemoApp()
    if name in ("lab", "long", "max"):
        from gdtui.dashboard.app import LabApp
        from gdtui.dashboard.begin import Opening
        from gdtui.experiment import Experiment

        experiments = {
            "lab": Experiment(),
            "long": Experiment(epochs=100_000, lr=0.0001),
            "max": Experiment(epochs=10**9, lr=0.0001),
        }
        return LabApp(Opening(experiments[name], is_kept=False))
    return {"busy": Busy, "still": Still, "widgets": Widgets}[name]()


def main(name: str, driver: str) -> int:
    app = _app(name)
    app.driver_class = driver_class(driver) or app.get_driver_class()
    app.run(mouse=False)
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
