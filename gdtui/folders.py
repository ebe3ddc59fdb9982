"""Folders: where gdtui keeps what outlasts a session, and how its small files are read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal

from gdtui.experiment import InputError

LARGEST = 2**20
"""Bytes of the largest file that is read whole; nobody writes more than that by hand."""


def folder(kind: Literal["config", "data", "state"]) -> Path:
    """Where things of a kind are kept: in GDTUI_HOME, or in the user's folder for that kind."""
    home = os.environ.get("GDTUI_HOME")
    if home:
        return Path(home).expanduser()
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_path")("gdtui", appauthor=False))


def read_small(path: Path) -> str | None:
    """The text of a small file; None where there is none.

    Raises:
        InputError: why it cannot be read, in a few words.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe would be waited for
            raise InputError("file", "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError("file", error.strerror or "it cannot be read") from None
    if len(data) > LARGEST:
        raise InputError("file", f"it is larger than {LARGEST:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("file", f"it is not UTF-8 at byte {error.start + 1}") from None
