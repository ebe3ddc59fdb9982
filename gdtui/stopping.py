"""Stopping: signals end a run without a screen in good order, and no update is ever cut in two."""

from __future__ import annotations

import os
import signal
from _thread import interrupt_main
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

INTERRUPTED = 130
"""The exit status of Ctrl-C."""

HUNG_UP = 129
"""That of a terminal that has gone."""

PATIENCE_S = 1.0
"""Seconds from Ctrl-C after which a slice that does not end is given up."""

ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stops:
    """Signals that end a run; asked about between slices, so that none ever cuts an update in two.

    Attributes:
        status: the exit status of the signal that came; 0 while none has.
        has_obeyed: the run has stopped, and has only to be kept; nobody need lose patience with it.
        is_stuck: no slice has come to its end for so long that it was broken off.
    """

    def __init__(self) -> None:
        self.status = 0
        self.has_obeyed = Event()
        self.is_stuck = False


@contextmanager
def interruptible() -> Iterator[Stops]:
    """Ctrl-C, a hang-up or a kill end the run in good order.

    A second one ends at once; so does the first where no slice ends any more, as in a model that loops for ever.
    """
    stops = Stops()

    def note(number: int, _: object) -> None:
        stops.status = INTERRUPTED if number == signal.SIGINT else 128 + number
        for each in before:
            signal.signal(each, signal.default_int_handler)
        Thread(target=lose_patience, daemon=True).start()

    def lose_patience() -> None:
        if not stops.has_obeyed.wait(PATIENCE_S):
            stops.is_stuck = True
            interrupt_main()
            if not stops.has_obeyed.wait(PATIENCE_S):  # compiled code hears no signal
                os._exit(stops.status)

    is_nohup = hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = [number for number in ENDINGS if not (is_nohup and number == signal.SIGHUP)]
    before = {number: signal.signal(number, note) for number in heard}
    try:
        yield stops
    finally:
        stops.has_obeyed.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def silence(stream: TextIO) -> None:
    """Write to nowhere from now on.

    What could not be written would fail once more as Python ends, with an exit status of its own, 120.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
