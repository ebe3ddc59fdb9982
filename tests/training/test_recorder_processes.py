"""Recorder and processes: forked, sent elsewhere, killed, ended by an error, several at once."""

from __future__ import annotations

import copy
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from recorded import ROOT, faults, program, ran, seen, store_in, wait_until

import gdtui
from gdtui.experiment import InputError
from gdtui.runs.store import Store
from gdtui.training.curves import Column

if TYPE_CHECKING:
    from pathlib import Path

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

# --- ends ------------------------------------------------------------------------------------------------------------

ENDS = {
    "with": ("with gdtui.Recorder('a') as run:\n    run.log(loss=1)", "finished", ""),
    "close": ("run = gdtui.Recorder('a')\nrun.log(loss=1)\nrun.close()", "finished", ""),
    "neither": ("run = gdtui.Recorder('a')\nrun.log(loss=1)", "finished", ""),
    "forgotten": ("def f():\n    gdtui.Recorder('a').log(loss=1)\nf()", "finished", ""),
    "sys.exit()": ("with gdtui.Recorder('a') as run:\n    run.log(loss=1)\n    sys.exit()", "finished", ""),
    "sys.exit(3)": (
        "with gdtui.Recorder('a') as run:\n    run.log(loss=1)\n    sys.exit(3)",
        "interrupted",
        "SystemExit: 3",
    ),
    "an error within": (
        "with gdtui.Recorder('a') as run:\n    run.log(loss=1)\n    raise ValueError('out of\\nmemory')",
        "interrupted",
        "ValueError: out of",
    ),
    "an error without with": (
        "run = gdtui.Recorder('a')\nrun.log(loss=1)\nraise ValueError('bad \\x1b[31m')",
        "interrupted",
        r"ValueError: bad \x1b[31m",
    ),
    "ctrl-c": (
        "with gdtui.Recorder('a') as run:\n    run.log(loss=1)\n    os.kill(os.getpid(), 2)\n    time.sleep(9)",
        "interrupted",
        "KeyboardInterrupt",
    ),
    "os._exit": ("run = gdtui.Recorder('a')\nrun.log(loss=1)\ntime.sleep(1)\nos._exit(0)", "interrupted", ""),
}


@pytest.mark.parametrize("how", ENDS)
def test_how_a_program_ends_is_how_its_run_does(tmp_path: Path, how: str) -> None:
    text, state, reason = ENDS[how]
    process = program(tmp_path, f"import gdtui, os, sys, time\n{text}")
    _, err = process.communicate(timeout=60)
    training = seen(store_in(tmp_path), "a")
    assert (training.state, training.reason, training.values) == (state, reason, 1)
    assert "gdtui:" not in err


def test_a_recorder_that_nobody_has_any_more_is_finished(home: Path) -> None:
    run = gdtui.Recorder("a")
    run.log(loss=1.0)
    del run
    wait_until(lambda: seen(Store(home / "runs.sqlite"), "a").state == "finished")


def test_what_is_killed_has_all_but_its_last_second(tmp_path: Path) -> None:
    chance, store = random.Random(0), store_in(tmp_path)
    text = """
import gdtui, time
run = gdtui.Recorder("a")
i = 0
while True:
    run.log(step=i, now=time.time())
    i += 1
    time.sleep(0.001)
"""
    for number in range(3):
        process = program(tmp_path, text)
        wait_until(lambda number=number: len(store.runs()) == number + 1)
        time.sleep(chance.uniform(0.5, 1.5))
        process.kill()
        killed = time.time()
        process.communicate()
        training = seen(store, store.runs()[0].id)
        assert (training.state, training.is_controlled) == ("interrupted", False)
        now = training.curves["now"]
        assert now[:, Column.STEP].tolist() == list(range(len(now)))
        assert killed - now[-1, Column.VALUE] < 1.5
        assert faults(store.path) == []


# --- several ---------------------------------------------------------------------------------------------------------


def test_trainings_and_a_run_of_gdtuis_own_at_once_lose_nothing(tmp_path: Path) -> None:
    text = """
import gdtui, sys
with gdtui.Recorder("a") as run:
    for i in range(20_000):
        run.log(step=i, loss=float(i))
print(run.dropped, run.problem)
"""
    store = store_in(tmp_path)
    trainings = [program(tmp_path, text) for _ in range(3)]
    command = [sys.executable, "-m", "gdtui", "run", "--format", "progress", "--epochs", "100000", "--lr", "1e-6"]
    environment = os.environ | {"GDTUI_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    own = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert [process.communicate() for process in trainings] == [("0 \n", "")] * 3
    assert own.communicate()[1] == ""
    assert sorted(run.name for run in store.runs()) == ["", "a", "a-2", "a-3"]
    for run in store.runs():
        assert run.state == "finished"
        if run.is_training:
            assert seen(store, run.id).values == 20_000
        else:
            assert store.record(run.id).epoch == 100_000
    assert faults(store.path) == []


def test_two_recorders_in_a_program_and_threads_that_log_at_once(home: Path) -> None:
    text = """
import gdtui
from threading import Thread
one, two = gdtui.Recorder("one"), gdtui.Recorder("two")
def log(number):
    for i in range(5_000):
        one.log(step=i, **{f"v{number}": float(i)})
        two.log(step=i, **{f"v{number}": float(-i)})
threads = [Thread(target=log, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    assert ran(home, text) == ("", "")
    for name, sign in (("one", 1), ("two", -1)):
        training = seen(store_in(home), name)
        assert training.values == 20_000
        for number in range(4):
            assert training.curves[f"v{number}"][:, Column.VALUE].tolist() == [sign * i for i in range(5_000)]


# --- forks -----------------------------------------------------------------------------------------------------------


@needs_fork
def test_a_child_that_logs_has_a_run_of_its_own_and_one_that_does_not_has_none(tmp_path: Path) -> None:
    text = """
import gdtui, os, sys
with gdtui.Recorder("cnn", {"lr": 0.1}, tags="t") as run:
    run.log(step=1, loss=1.0)
    for is_logging in (True, False):
        child = os.fork()
        if child == 0:
            if is_logging:
                run.log(loss=2.0)
                run.close()
                print(os.getpid(), run.id, run.name)
            sys.exit()
        os.waitpid(child, 0)
    run.log(step=2, loss=3.0)
"""
    out, err = ran(tmp_path, text)
    process, child_id, child_name = out.split()
    store = store_in(tmp_path)
    child, parent = store.runs()
    assert err == ""
    assert (child.id, child.name, child.parent, child.tags) == (child_id, child_name, parent.id, ("t",))
    assert child_name == f"cnn-{process}"
    assert (child.settings, child.state, parent.state) == (parent.settings, "finished", "finished")
    assert seen(store, child.id).curves["loss"][:, :2].tolist()[0][0] == 1
    assert seen(store, "cnn").curves["loss"][:, Column.VALUE].tolist() == [1, 3]
    assert faults(store.path) == []


@needs_fork
def test_forks_in_the_midst_of_logging_and_writing_hang_nobody_and_lose_nothing(tmp_path: Path) -> None:
    text = """
import gdtui, os, sys, time
from threading import Thread
from gdtui.training import writer
writer.WRITE_EVERY_S = 0.001
run, is_over, logged = gdtui.Recorder("cnn"), False, 0
def log():
    global logged
    while not is_over:
        run.log(step=logged, loss=float(logged))
        logged += 1
        time.sleep(0)
thread = Thread(target=log)
thread.start()
for number in range(40):
    child = os.fork()
    if child == 0:
        run.log(child=float(number))
        run.close()
        os._exit(bool(run.problem or run.dropped))
    deadline = time.monotonic() + 20
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, (number, status)
            break
        assert time.monotonic() < deadline, f"child {number} hangs"
        time.sleep(0.001)
is_over = True
thread.join()
run.close()
print(logged, run.dropped)
"""
    out, err = ran(tmp_path, text)
    store = store_in(tmp_path)
    logged, dropped = map(int, out.split())
    assert (err, dropped) == ("", 0)
    *children, parent = store.runs()
    assert seen(store, parent.id).values == logged
    values = [seen(store, child.id).curves["child"][:, Column.VALUE].tolist() for child in reversed(children)]
    assert values == [[float(number)] for number in range(40)]
    assert {child.parent for child in children} == {parent.id}
    assert faults(store.path) == []


@needs_fork
def test_a_child_of_a_writer_that_is_stuck_is_not_recorded_and_does_not_hang(tmp_path: Path) -> None:
    text = """
import gdtui, os, sys
from gdtui.training import writer
writer.FORK_PATIENCE_S = 0.1
run = gdtui.Recorder("cnn")
with run._writer._at_work:
    child = os.fork()
    if child == 0:
        run.log(loss=1.0)
        run.close()
        os._exit(run.dropped)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
run.log(loss=1.0)
"""
    out, err = ran(tmp_path, text)
    assert out == "1\n"
    assert err.endswith("forked while its parent's run was being written\n")
    (run,) = store_in(tmp_path).runs()
    assert seen(store_in(tmp_path), run.id).values == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_record_runs_of_their_own(tmp_path: Path, method: str) -> None:
    if method != "spawn" and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    script = tmp_path / "script.py"
    script.write_text("""
import multiprocessing, sys, gdtui
def work(run, number):
    run.log(worker=float(number))
def idle(run):
    pass
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with gdtui.Recorder("cnn") as run:
        run.log(loss=1.0)
        workers = [context.Process(target=work, args=(run, number)) for number in range(2)]
        workers.append(context.Process(target=idle, args=(run,)))
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
        print(*(worker.exitcode for worker in workers), *(worker.pid for worker in workers[:2]))
""")
    process = subprocess.run(
        [sys.executable, str(script), method],
        env=os.environ | {"GDTUI_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    *exits, one, two = process.stdout.split()
    assert exits == ["0"] * 3
    store = store_in(tmp_path)
    *workers, parent = store.runs()
    assert parent.name == "cnn"
    assert {run.name for run in workers} == {f"cnn-{one}", f"cnn-{two}"}
    assert {run.parent for run in workers} == {parent.id}
    assert {run.state for run in workers} == {"finished"}
    assert sorted(seen(store, run.id).curves["worker"][0, Column.VALUE] for run in workers) == [0, 1]


def test_a_copy_records_a_run_of_its_own_once_it_logs(home: Path) -> None:
    store = Store(home / "runs.sqlite")
    with gdtui.Recorder("a", {"lr": 0.1}) as run:
        copies = [copy.deepcopy(run), pickle.loads(pickle.dumps(run))]
        run.log(loss=1.0)
        assert len(store.runs()) == 1
        for one in copies:
            one.log(loss=2.0)
            one.close()
    assert len({run.id, *(one.id for one in copies)}) == 3
    assert {one.parent for one in store.runs()} == {"", run.id}
    assert seen(store, "a").curves["loss"][:, Column.VALUE].tolist() == [1]


@needs_fork
def test_a_stopped_program_is_still_there_and_goes_on(tmp_path: Path) -> None:
    text = "import gdtui, time\nrun = gdtui.Recorder('a')\nwhile True: run.log(loss=1); time.sleep(0.01)"
    store, process = store_in(tmp_path), program(tmp_path, text)
    try:
        wait_until(lambda: store.runs() and seen(store, "a").values)
        os.kill(process.pid, signal.SIGSTOP)
        assert store.find("a").is_made
        with pytest.raises(InputError, match="is being made by"):
            store.remove(store.find("a"))
        os.kill(process.pid, signal.SIGCONT)
        before = seen(store, "a").values
        wait_until(lambda: seen(store, "a").values > before)
    finally:
        process.kill()
        process.communicate()
