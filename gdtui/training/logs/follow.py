"""Follow: what a name on the command line stands for: a log, the newest one in a folder, or a pipe."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gdtui.experiment import InputError, printable
from gdtui.training.logs.followed import FollowedLog
from gdtui.training.logs.piped import FollowedPipe, terminal_input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gdtui.training.logs.followed import Followed

MOST = 20_000
"""Files of a folder that are looked at."""


def follow(text: str) -> Followed:
    """Follow a log file, the newest event file or metrics.csv in a folder, or standard input.

    A file that is not there yet is waited for, if its folder is there.

    Args:
        text: a path, or `-`: then standard input is the terminal from now on.

    Raises:
        InputError: if it is nothing that can be followed.
    """
    if text == "-":
        return FollowedPipe(terminal_input())
    path = Path(text).expanduser()
    name = printable(str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISFIFO(mode):
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            os.set_blocking(descriptor, True)
            return FollowedPipe(os.fdopen(descriptor, "rb", buffering=0), name)
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise InputError("watch", f"there is no folder {printable(str(path.parent))}") from None
    except (OSError, ValueError) as error:
        raise InputError("watch", f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error
    else:
        if stat.S_ISDIR(mode):
            newest = _newest(path)
            return FollowedLog(newest, str(newest.relative_to(path.parent)))
        if not stat.S_ISREG(mode):
            raise InputError("watch", f"{name} is no file")
    return FollowedLog(path)


def _newest(folder: Path) -> Path:
    """The log in a folder that was written last.

    Raises:
        InputError: if there is none.
    """
    logs = [path for path in islice(_files(folder), MOST) if _is_log(path.name)]
    if not logs:
        text = f"there is no log in {printable(str(folder))}: no event file, no metrics.csv, no .jsonl"
        raise InputError("watch", text)
    return max(logs, key=_written)


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in names)


def _is_log(name: str) -> bool:
    return "tfevents" in name or name == "metrics.csv" or name.endswith(".jsonl")


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
