"""Driver: Textual's own for Linux and macOS, whose output goes out as deltas no faster than the terminal answers."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.messages import TerminalSupportsSynchronizedOutput

from gdtui.terminal.grid import Grid
from gdtui.terminal.pace import Link, Question
from gdtui.terminal.sender import Sender
from gdtui.terminal.traits import Traits

if TYPE_CHECKING:
    from textual.app import App
    from textual.message import Message

NO_LINK = Link(0.0, None, False)


class PacedDriver(LinuxDriver):
    """Sends what changed on the screen; frames that the link cannot carry are left out.

    Attributes:
        fps: redraws a second at most.
    """

    fps: ClassVar[float] = 60.0

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._sender: Sender | None = None

    @property
    def link(self) -> Link:
        """How the terminal is reached: bytes a second, round trip, whether the link is the limit."""
        return NO_LINK if self._sender is None else self._sender.link

    def redraw(self) -> None:
        """Send the whole screen again: something else has written to the terminal."""
        if self._sender is not None:
            self._sender.redraw()

    def write(self, data: str) -> None:
        """Take what the app writes to its terminal; it never waits."""
        assert self._sender is not None, "the driver is not in application mode"
        self._sender.write(data)

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        assert self._file is not None, "there is no standard error"
        if self._sender is None or self._sender.is_alive():
            self._grid = Grid(*super()._get_terminal_size())
        self._sender = Sender(
            self._file.fileno(),
            self._grid,  # after a suspension Textual does not draw all of it again
            self.fps,
            Traits.of(os.environ),
            self._file.encoding,
            self._fail,
        )
        self._sender.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # Textual's own handler can be interrupted by itself, and then tells of the older size last.
        self._loop.add_signal_handler(signal.SIGWINCH, self._tell_size)
        if self._writer_thread is not None:  # Textual's; it has nothing to write
            self._writer_thread.stop()
            self._writer_thread = None
            self._sender.begin()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        if self._sender is not None:
            self._sender.rest()
        super().stop_application_mode()

    def close(self) -> None:
        """Write the last of it, and end."""
        super().close()
        if self._sender is not None:
            self._sender.finish()

    def process_message(self, message: Message) -> None:
        """Take what the terminal sends; its answers to our questions are for us alone."""
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            self._answered(Question.MODE)
        elif isinstance(message, events.CursorPosition):
            self._answered(Question.CURSOR)
        else:
            if isinstance(message, events.Resize) and self._sender is not None:  # in-band, not by a signal
                self._sender.resize(*message.size)
                self._loop.call_soon_threadsafe(self._app.refresh)
            super().process_message(message)

    def _answered(self, question: Question) -> None:
        if self._sender is not None:
            self._sender.answer(question)

    def _tell_size(self) -> None:
        """Tell the app of the terminal's size, unless the terminal itself does.

        Of a size that was another for a moment Textual sees no change, and would draw nothing.
        """
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))
            self._app.refresh()

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's size; Textual asks at the start and whenever a signal tells of another."""
        size = super()._get_terminal_size()
        if self._sender is not None:
            self._sender.resize(*size)
        return size

    def _request_terminal_sync_mode_support(self) -> None:
        super()._request_terminal_sync_mode_support()
        if self.input_tty:
            self.write(Question.CURSOR.value)  # for a terminal that does not know the other one

    def _fail(self, error: BaseException) -> None:
        from rich.traceback import Traceback

        trace = Traceback.from_exception(type(error), error, error.__traceback__)
        self._loop.call_soon_threadsafe(self._app.panic, trace)


def paced(fps: float = 60.0) -> type[PacedDriver]:
    """The driver with a limit of redraws a second."""
    return type("PacedDriver", (PacedDriver,), {"fps": fps})
