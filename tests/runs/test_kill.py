"""Kill: whatever the moment at which a process is killed, its run goes on to the bits of one that never was.

GDTUI_KILLS says how often each case is killed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from making import CASES, beginning, check, differences, resuming, undisturbed

from gdtui.runs import files
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from gdtui.descent.record import Record

KILLS = int(os.environ.get("GDTUI_KILLS", "2"))
FIRST = Path(__file__).parent / "stores" / "version-1.sqlite"

expected: Callable[[str], Record] = cache(lambda name: undisturbed(CASES[name]))


@pytest.mark.parametrize("name", os.environ.get("GDTUI_KILL_CASES", "long moons large").split())
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path, name: str) -> None:
    chance, store = random.Random(f"{name} {os.environ.get('GDTUI_KILL_SEED', '0')}"), Store(tmp_path / "runs.sqlite")
    began = time.monotonic()
    assert beginning(tmp_path, name).communicate()[1] == ""
    lasts_s = time.monotonic() - began
    assert differences(store.record(store.find("last").id), expected(name)) == []
    store.remove(store.find("last"))
    killed = in_midst = 0
    while killed < KILLS:
        process = beginning(tmp_path, name)
        for _ in range(chance.randint(1, 3)):  # a run that went on is killed as well
            time.sleep(chance.uniform(0.2, lasts_s))
            process.kill()
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            assert check(store.path) == []
            left = store.runs()
            if not left or left[0].state == "finished":  # killed before there was anything to keep, or too late
                break
            assert (left[0].state, left[0].process) == ("interrupted", "")
            in_midst += 1
            process = resuming(tmp_path, name, left[0].id)
        _, err = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), err
        for run in store.runs():
            assert differences(store.record(run.id), expected(name)) == []
            store.remove(run)
    print(f"{name}: killed {killed} times, {in_midst} times in the midst of a run that was kept")


def _forked(work: Callable[[], object], after_s: float) -> None:
    """Work in a process that is killed some time after it began, if it is not done by then."""
    process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(after_s)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_killed_while_it_begins_the_store_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    chance, were_there = random.Random(0), set()
    for number in range(1000):
        path = tmp_path / str(number % 5) / "runs.sqlite"
        path.unlink(missing_ok=True)
        _forked(lambda path=path: files.prepare(path), chance.uniform(0, 0.02 + number / 500))
        were_there.add(path.exists())
        assert Store(path).runs() == []
        assert files.prepare(path) == ""
        assert check(path) == []
        if number >= 10 * KILLS and were_there == {True, False}:
            break
    assert were_there == {True, False}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_killed_while_it_migrates_the_store_leaves_the_first_version_or_the_next(tmp_path: Path) -> None:
    chance, path = random.Random(0), tmp_path / "runs.sqlite"
    for _ in range(10 * KILLS):
        for beside in files.BESIDE:
            path.with_name(path.name + beside).unlink(missing_ok=True)
        shutil.copyfile(FIRST, path)
        _forked(lambda: files.prepare(path), chance.uniform(0, 0.02))
        assert check(path) == []
        assert [run.state for run in Store(path).runs()] == ["diverged", "interrupted", "finished"]
        for run in Store(path).runs():
            assert Store(path).record(run.id).epoch == run.epoch
