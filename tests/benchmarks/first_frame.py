"""First frame and memory: the installed command in a real terminal against an empty Textual app."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
from pathlib import Path
from time import perf_counter

from tests.benchmarks.ratio import Ratio

PAIRS = 9
EMPTY = """
from textual.app import App
from textual.widgets import Static

class Empty(App):
    def compose(self):
        yield Static("hello")

Empty().run()
"""


def start(command: list[str], shown: bytes) -> tuple[float, float]:
    """Seconds until a program has shown a text, and its memory in MB a second later."""
    began = perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    output = b""
    while shown not in output:
        output += os.read(terminal, 65536)
    seconds = perf_counter() - began
    settled = perf_counter() + 1.0
    while perf_counter() < settled:
        if select.select([terminal], [], [], 0.05)[0]:
            os.read(terminal, 65536)
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return seconds, memory / 1024


def measure() -> list[Ratio]:
    """Ratios of the time to the first frame, and of memory."""
    ours, theirs = [], []
    for _ in range(PAIRS):
        ours.append(start([sys.executable, "-m", "gdtui"], b"Experiment"))
        theirs.append(start([sys.executable, "-c", EMPTY], b"hello"))
    budgets = (("time to the first frame, s", "≤ 1.5, aim 1.25"), ("memory on the tutorial, MB", "≤ 90 MB"))
    return [
        Ratio(what, "an empty Textual app", [row[j] for row in ours], [row[j] for row in theirs], budget)
        for j, (what, budget) in enumerate(budgets)
    ]
