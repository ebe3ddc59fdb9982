"""Processes: who makes a run, and whether they still do."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from time import time

STALE_S = 30.0
"""Where nothing else can be known of a process, a heartbeat this old means that it is gone."""


def host() -> str:
    """This machine's name."""
    return socket.gethostname()


def this_process() -> str:
    """This process, by a name that no other one on this machine has or had: its number and, if known, when it began."""
    return _named(os.getpid())


def is_alive(on_host: str | None, process: str | None, heartbeat: float | None) -> bool:
    """Whether the process of that name, on that machine, still runs; suspended counts as running."""
    if process is None or heartbeat is None:
        return False
    if on_host != host():
        return time() - heartbeat < STALE_S
    number, _, begun = process.partition("@")
    if begun:
        return _named(int(number)) == process
    return _exists(int(number)) and time() - heartbeat < STALE_S


def _named(number: int) -> str:
    """A process's number and, on Linux, the clock tick of its beginning and the boot: numbers are used again."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    except OSError:
        return str(number)
    is_zombie = fields[0] in "ZX"
    return f"{number}@{'gone' if is_zombie else fields[19]}.{boot}"


def _exists(number: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
