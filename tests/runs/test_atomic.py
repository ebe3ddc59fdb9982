"""Files: whole or not at all; what is there already stays unless it is to be replaced."""

from __future__ import annotations

import os
import resource
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gdtui.experiment import InputError
from gdtui.runs.atomic import FileThereError, destination, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def put(file: Path | str, text: str, replace: bool = False) -> None:
    with writing(str(file), replace) as part:
        part.write_text(text)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_written_and_nothing_else(tmp_path: Path) -> None:
    put(tmp_path / "new.txt", "whole")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("new.txt", "whole")]


def test_a_new_file_has_the_mode_that_every_program_gives_it(tmp_path: Path) -> None:
    put(tmp_path / "ours.txt", "")
    (tmp_path / "theirs.txt").write_text("")
    assert (tmp_path / "ours.txt").stat().st_mode == (tmp_path / "theirs.txt").stat().st_mode


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("old")
    with pytest.raises(FileThereError, match=r"'.*old.txt' is there already: give --force to replace it"):
        put(tmp_path / "old.txt", "new")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("old.txt", "old")]


def test_a_file_that_is_there_is_replaced_on_request_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / "old.txt").chmod(0o440)
    put(tmp_path / "old.txt", "new", replace=True)
    assert (tmp_path / "old.txt").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "old.txt").stat().st_mode) == 0o440


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_comes_meanwhile_is_not_replaced_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:
        monkeypatch.setattr(os, "link", no_links)

    def write() -> None:
        with writing(str(tmp_path / "mine.txt")) as part:
            part.write_text("ours")
            (tmp_path / "mine.txt").write_text("theirs")

    with pytest.raises(FileThereError):
        write()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("mine.txt", "theirs")]


def no_links(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    put(tmp_path / "new.txt", "whole")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("new.txt", "whole")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), InputError("x", "wrong")])
@pytest.mark.parametrize("replace", [True, False])
def test_what_fails_half_way_leaves_everything_as_it_was(tmp_path: Path, error: BaseException, replace: bool) -> None:
    if replace:
        (tmp_path / "file.txt").write_text("old")
    before = [(file.name, file.read_text()) for file in tmp_path.iterdir()]

    def write() -> None:
        with writing(str(tmp_path / "file.txt"), replace) as part:
            part.write_text("half")
            raise error

    with pytest.raises((KeyboardInterrupt, InputError)):
        write()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == before


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("old")
    with room_for(1000), pytest.raises(InputError, match=r"cannot write '.*file.txt': File too large"):
        put(tmp_path / "file.txt", "x" * 2000, replace=True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file.txt", "old")]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("there/real.txt")
    with pytest.raises(FileThereError):
        put(tmp_path / "link.txt", "new")
    put(tmp_path / "link.txt", "new", replace=True)
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "there" / "real.txt").read_text() == "new"


def test_a_link_to_what_is_not_there_yet_makes_it(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("real.txt")
    put(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


@pytest.mark.parametrize(
    "name", ["~/x.csv", "$HOME.csv", "*.csv", "a b.csv", "it's.csv", 'a"b.csv', "[x].csv", "é.csv"]
)
def test_nothing_in_a_name_is_interpreted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~").mkdir()
    put(name, "here")
    assert (tmp_path / name).read_text() == "here"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "give the file a name"),
        ("folder", "'folder' is a folder"),
        ("new/", "'new/' is a folder"),
        ("nowhere/x.csv", "there is no folder '.*nowhere'"),
        ("file.txt/x.csv", "there is no folder '.*file.txt'"),
        ("pipe.csv", "cannot write 'pipe.csv': it is not a regular file"),
        ("nul\0.csv", "no usable file name"),
        (f"{'x' * 300}.csv", "File name too long"),
        ("loop.csv", "cannot write 'loop.csv': (Too many levels|.*symbolic link)"),
    ],
)
def test_what_cannot_be_a_file_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.txt").write_text("")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=message) as error:
        put(name, "", replace=True)
    assert "\n" not in str(error.value)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_ours_is_said_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="Permission denied"):
            put(tmp_path / "x.csv", "")
    finally:
        tmp_path.chmod(0o700)


def test_a_destination_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert destination("x.csv") == tmp_path.resolve() / "x.csv"
