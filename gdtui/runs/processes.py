"""Processes: who makes a run, and whether they still do."""

from __future__ import annotations

import os
import socket
import sys
from functools import cache
from pathlib import Path
from time import time

STALE_S = 30.0
"""Where nothing else can be known of a process, a heartbeat this old means that it is gone."""


def host() -> str:
    """This machine's name."""
    return socket.gethostname()


def this_process() -> str:
    """This process, by a name that no other one has or had: its number and, if known, when it began, and where."""
    return _named(os.getpid())


def is_alive(on_host: str | None, process: str | None, heartbeat: float | None) -> bool:
    """Whether the process of that name still runs; suspended counts as running, wherever processes can be seen."""
    number, _, begun = (process or "").partition("@")
    if not number.isdecimal() or heartbeat is None:
        return False
    if begun and begun.partition(".")[2] == _place():
        return _named(int(number)) == process
    is_gone = not begun and on_host == host() and not _exists(int(number))
    return not is_gone and abs(time() - heartbeat) < STALE_S


def _named(number: int) -> str:
    """A process's number and, on Linux, the clock tick of its beginning and the place: numbers are used again."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return str(number)
    is_zombie = fields[0] in "ZX"
    return f"{number}@{'gone' if is_zombie else fields[19]}.{_place()}"


@cache
def _place() -> str:
    """Within which numbers tell processes apart, on Linux: since this boot, in this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot[:8]}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return "?"


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
