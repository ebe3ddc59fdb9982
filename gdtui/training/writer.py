"""Writer: writes a training to the store as it goes, in a thread of its own: the loop never waits for a disk."""

from __future__ import annotations

import atexit
import math
import os
import sys
from contextlib import suppress
from threading import Event, Lock, RLock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from gdtui.experiment import printable
from gdtui.runs.holding import HEARTBEAT_S, LAST_WORDS_S, WRITE_EVERY_S, TakenError
from gdtui.training.control import Wanted
from gdtui.training.inbox import Inbox
from gdtui.training.ledger import Ledger
from gdtui.training.page import Page

if TYPE_CHECKING:
    from pathlib import Path

    from gdtui.training.ledger import Title

RETRY_S = 2.0
"""Between two tries at what could not be written: there may be much of it."""

LAST_RETRY_S = 0.1

FORK_PATIENCE_S = 1.0
"""How long a fork may wait for what is being written; a child that did not get it is not recorded."""

CLOSED = "it was closed: nothing more is kept"

_AT_WORK: set[Writer] = set()
"""Those with a thread."""


class Writer:
    """Writes one training.

    Attributes:
        began: when it began, on the monotonic clock.
        wanted: what is wanted of the loop, as it was read last.
        is_controlled: the loop asks what is wanted of it.
        is_held: the loop waits, as it was asked to.
    """

    def __init__(self, path: Path, title: Title, fault: str = "") -> None:
        """A writer that has a fault from its beginning writes nothing."""
        self.began = monotonic()
        self.wanted = Wanted()
        self.is_controlled = self.is_held = False
        self._inbox, self._ledger = Inbox(), Ledger(path, title)
        self._page = Page(self.refuse)
        self._problem = self._cause = ""  # why it cannot be written now, or could not
        self._faults: dict[str, str] = {}  # by their kinds, what was wrong first
        self._told: set[str] = set()
        self._end: tuple[str, str] | None = None
        self._deadline = math.inf
        self._refused = 0
        self._shown: dict[str, Any] = {}
        self._due = self._again = 0.0
        self._starting, self._at_work, self._is_fork_waiting = RLock(), Lock(), False
        self._thread: Thread | None = None
        self._has_begun = Event()
        self._is_taking = self._is_over = False
        if fault:
            self._give_up(fault)

    # --- for the loop --------------------------------------------------------------------------------------------

    @property
    def run(self) -> str:
        """The id of the run."""
        return self._ledger.run

    @property
    def name(self) -> str:
        """What the run is called."""
        return self._ledger.name

    @property
    def problem(self) -> str:
        """Why not all is kept; empty where it is."""
        return self._problem or next(iter(list(self._faults.values())), "")

    @property
    def dropped(self) -> int:
        """Values that were not kept."""
        return self._inbox.dropped + self._page.dropped + self._refused

    @property
    def is_over(self) -> bool:
        """It writes no more."""
        return self._is_over

    def put(self, thing: Any, values: int = 1, size: int = 0) -> None:
        """Hand over something that a page takes; counted as so many values, of so many bytes where it is large."""
        if not self._is_taking:
            self.start()
            if self._is_over:
                self.refuse("closed", self.problem or CLOSED)
        self._inbox.put(thing, values, size)

    def refuse(self, kind: str, text: str, values: int = 0) -> None:
        """Something cannot be kept: so many values. The first of its kind is told."""
        self._refused += values
        if kind not in self._faults:
            self._faults[kind] = text
            if self._is_over:
                self._tell()

    def start(self) -> None:
        """Begin to write; the run is in the store soon afterwards."""
        with self._starting:
            if self._thread is not None or self._is_over:
                return
            self._thread = Thread(target=self._work, daemon=True, name=f"recorder of {self.run}")
            _AT_WORK.add(self)
            try:
                self._thread.start()
                self._is_taking = True
            except RuntimeError as error:  # no more threads
                self._give_up(str(error))
            _close_with_a_child()

    def wait_until_begun(self, seconds: float) -> None:
        """Until the run is in the store, or it is known why it is not; so many seconds at most."""
        if self._thread is not None:
            self._has_begun.wait(seconds)

    def end(self, state: str = "finished", reason: str = "") -> None:
        """Write what is left, soon; nothing follows."""
        if self._end is None:
            self._end, self._deadline = (state, reason), monotonic() + LAST_WORDS_S
            self._inbox.wake()

    def join(self) -> None:
        """Wait until it is done; a few seconds after the end at most."""
        thread = self._thread
        if thread is None or not thread.ident:
            return
        thread.join(max(0.0, self._deadline - monotonic()))
        if thread.is_alive():
            self.refuse("end", "its last moments could not be written in time")
            self._tell()

    # --- around a fork -------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Finish what is under way, and let go of the store: what a child inherits of SQLite is of no use to it."""
        if self._at_work.acquire(timeout=FORK_PATIENCE_S):
            self._is_fork_waiting = True
            self._ledger.line.close()

    def go_on(self) -> None:
        """The fork is done."""
        if self._is_fork_waiting:
            self._is_fork_waiting = False
            with suppress(RuntimeError):
                self._at_work.release()

    @property
    def is_quiet(self) -> bool:
        """Nothing was under way when this process was forked."""
        return self._thread is None or self._is_fork_waiting

    # --- in the thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        is_last = False
        while not (is_last or self._is_over):
            is_last = self._end is not None
            with self._at_work:
                self._turn(is_last)
            if not is_last:
                self._inbox.wait(WRITE_EVERY_S)
        _AT_WORK.discard(self)

    def _turn(self, is_last: bool) -> None:
        if is_last:
            self._inbox.close()
        try:
            self._page.add(self._inbox.take())
            self._write(is_last)
            while is_last and self._problem and monotonic() < self._deadline - LAST_WORDS_S / 2:
                sleep(LAST_RETRY_S)
                self._write(is_last)
            if is_last and self._problem:
                self._page.drop()
                self._write(is_last)  # on a full disk there may be room for how it ended
        except Exception as error:  # the program's owner has no use for a traceback of this thread's
            self._give_up(str(error) if isinstance(error, TakenError) else reason_of(error))
        if is_last and not self._is_over:
            self._finish()
        self._tell()
        self._has_begun.set()

    def _write(self, is_last: bool) -> None:
        """Write what there is, with a heartbeat when it is due; what cannot be written is tried again later."""
        if monotonic() < self._again and not is_last:
            return
        now = self._page.standing | {"state": "paused" if self.is_held else "running", "dropped": self.dropped}
        if self._end and is_last:
            now |= dict(zip(("state", "reason"), self._end, strict=True))
        shown = {**now, "is_controlled": self.is_controlled}
        is_due = is_last or not self._page.is_empty or shown != self._shown or monotonic() >= self._due
        try:
            if is_due:
                self._ledger.write(self._page.news, now, self.is_controlled, is_last)
                self._page.clear()
                self._shown, self._due = shown, monotonic() + HEARTBEAT_S
            if self.is_controlled:
                self.wanted = self._ledger.wanted() or self.wanted
            self._problem = ""
        except TakenError:
            raise
        except Exception as error:  # whatever it is, what comes later may be kept
            self._problem = self._cause = self._ledger.line.failed(error)
            self._again = monotonic() + RETRY_S

    def _give_up(self, why: str) -> None:
        """Nothing more is written."""
        self._inbox.abandon()
        self._page.drop()
        self._ledger.line.close()
        self._problem = ""
        self._faults = {"over": why, **self._faults}
        self._is_taking, self._is_over = False, True
        self.wanted = Wanted()  # nobody could tell it to go on

    def _finish(self) -> None:
        self._page.drop()
        self._ledger.line.close()
        self._is_taking, self._is_over = False, True
        for what, why in (
            (self._inbox.dropped, "came faster than they could be written"),
            (self._page.dropped, f"could not be kept: {self._cause or self.problem}"),
        ):
            if what:
                self._faults[why] = f"{what:,} value{'s' * (what != 1)} {why}"

    def _tell(self) -> None:
        """Say what is new of what is wrong."""
        notice, self._ledger.line.notice = self._ledger.line.notice, ""
        problem = f"not kept for now: {self._problem}" if self._problem else ""
        for text in (notice, problem, *list(self._faults.values())):
            if text and text not in self._told:
                self._told.add(text)
                with suppress(Exception):  # there may be no standard error
                    print(f"gdtui: run {self.name or self.run}: {printable(text)}", file=sys.stderr, flush=True)


def close_all() -> None:
    """Write what is left of all that is recorded, as the program ends."""
    writers = list(_AT_WORK)
    error = None if hasattr(sys, "ps1") else getattr(sys, "last_value", None)  # a prompt's errors end nothing
    for writer in writers:
        writer.end(*("finished", "") if error is None else ("interrupted", reason_of(error)))
    for writer in writers:
        writer.join()


def reason_of(error: BaseException) -> str:
    """What ended a training, in one line."""
    with suppress(Exception):
        text = str(error).strip().partition("\n")[0][:200]
        return printable(f"{type(error).__name__}: {text}" if text else type(error).__name__)
    return type(error).__name__


def _close_with_a_child() -> None:
    """A child process of multiprocessing ends without what `atexit` has."""
    if (processes := sys.modules.get("multiprocessing.process")) and processes.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, close_all, exitpriority=0)


def _hold_all() -> None:
    for writer in list(_AT_WORK):
        writer.hold()


def _let_all_go_on() -> None:
    for writer in list(_AT_WORK):
        writer.go_on()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_all, after_in_parent=_let_all_go_on, after_in_child=_AT_WORK.clear)
