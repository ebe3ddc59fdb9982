"""Atomic: files are written whole or not at all; what is there already is only replaced where that is asked for."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from gdtui.experiment import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator


class FileThereError(InputError):
    """A file is there already, and nobody asked to replace it."""


def destination(file: str, replace: bool = False) -> Path:
    """The file that a name stands for; a symbolic link stands for what it points to, as it does for cp.

    Nothing in the name is interpreted: no `~`, no `$`, no pattern.

    Args:
        file: its name, as a person gave it.
        replace: it may be there already.

    Raises:
        FileThereError: if it is there and is not to be replaced.
        InputError: if there is no such folder, or something else than a file has that name.
    """
    try:
        target = Path(os.path.realpath(file))
        if not file or file.endswith(("/", os.sep)) or target.is_dir():
            what = f"{shown(file)} is a folder" if file else "give the file a name"
            raise InputError("file", f"{what}: a file's name ends in its format, as in history.csv")
        if target.is_symlink():  # to itself, or it would have been followed
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if not target.parent.is_dir():
            raise InputError("file", f"there is no folder {shown(str(target.parent))}")
        if target.exists() and not target.is_file():
            raise InputError("file", f"cannot write {shown(file)}: it is not a regular file")
        if target.exists() and not replace:
            raise FileThereError("file", f"{shown(file)} is there already: give --force to replace it")
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        words = error.strerror if isinstance(error, OSError) else None
        raise InputError("file", f"cannot write {shown(file)}: {words or 'no usable file name'}") from None
    return target


@contextmanager
def writing(file: str, replace: bool = False) -> Iterator[Path]:
    """A file to write into, beside the one that it becomes once the block has ended; nothing stays if that raises.

    Yields:
        The path of an empty file in the same folder.

    Raises:
        InputError: as `destination` does; or if the file cannot be written.
    """
    target = destination(file, replace)
    part = target.with_name(f".gdtui-{token_hex(8)}.part")
    try:
        before = stat.S_IMODE(target.stat().st_mode) if replace and target.exists() else None
        # What replaces a file that few may read is not for others to read while it is written either.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if before is None else 0o600)
        try:
            yield part
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if before is not None:
            part.chmod(before)
        _take_name(part, target, file, replace)
        _sync_folder(target.parent)
    except OSError as error:
        raise InputError("file", f"cannot write {shown(file)}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            part.unlink()


def _take_name(part: Path, target: Path, file: str, replace: bool) -> None:
    """Give a file its name; without `replace` one that has it already keeps it, however late it came."""
    if replace:
        part.replace(target)
        return
    try:
        try:
            target.hardlink_to(part)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links: whoever makes the file has its name
            target.open("x").close()
            try:
                part.replace(target)
            except BaseException:
                target.unlink()
                raise
    except FileExistsError:
        raise FileThereError("file", f"{shown(file)} is there already: give --force to replace it") from None


def _sync_folder(folder: Path) -> None:
    """Have the name on the disk too, where a folder can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
