"""Maker: a process of its own that makes what is missing of a sweep, so that whoever watches it is never held up."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from gdtui.sweeps.crew import module_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

NICE = 5
"""Workers let the screen's process go first."""

END_S = 8.0
"""A process that was asked to stop has so long to keep what is under way."""

SIGNALLED = 128
"""The command's exit status, and more, where a signal has had it end in good order."""


class Maker:
    """`gdtui sweep --resume` of one sweep.

    Attributes:
        workers: who does the work, in the command's own options: `--jobs 4`.
    """

    def __init__(self, id: str, workers: Sequence[str] = ()) -> None:
        self.workers = tuple(workers)
        self._id = id
        self._errors = TemporaryFile()  # noqa: SIM115 (as long as there is somebody to ask)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    @property
    def is_alive(self) -> bool:
        """It is at it, or about to end."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin, unless it is at it."""
        if self.is_alive:
            return
        self._errors.seek(0)
        self._errors.truncate()
        self._is_stopped = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gdtui", "sweep", "--resume", self._id, "--format", "jsonl", *self.workers],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env={**os.environ, **module_paths()},
        )
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)

    def stop(self) -> None:
        """Have it keep what is under way, and end."""
        if self._process is not None and self.is_alive:
            self._is_stopped = True
            self._process.terminate()

    def end(self) -> None:
        """The same, and wait for it."""
        if self._process is None:
            return
        self.stop()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def trouble(self) -> str:
        """Why it has ended by itself before the sweep was made, once; empty where it has not."""
        if self._process is None or self.is_alive:
            return ""
        status, self._process = self._process.returncode, None
        if self._is_stopped or status == 0 or status >= SIGNALLED:
            return ""
        if status < 0:
            return f"the process that made it was killed by signal {-status}"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return (lines or [f"the process that made it ended with status {status}"])[-1]
