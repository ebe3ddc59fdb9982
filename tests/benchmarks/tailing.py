"""Tailing: a long log's first look and all of it, against Python's json; and a program that prints into a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, sleep

from gdtui.training.logs.followed import FollowedLog
from gdtui.training.logs.piped import FollowedPipe
from tests.benchmarks.ratio import Ratio

PAIRS = 5
FEW, MANY = 10_000, 1_000_000
LOOK_EVERY_S = 0.25
LINES = 300_000

PRINTING = f"""
import sys, time
began = time.perf_counter()
for step in range({LINES}):
    print(f"step={{step}} loss={{3 / (1 + step):.6f}} lr=1e-3")
sys.stdout.flush()
print(time.perf_counter() - began, file=sys.stderr)
"""


def written(path: Path, rows: int) -> Path:
    """A log of so many rows, 100 bytes each."""
    with path.open("w") as file:
        for step in range(rows):
            loss = 3 / (1 + step / 1e5)
            row = {"step": step, "epoch": step / 1e4, "loss": loss, "lr": 0.001, "grad_norm": 2 * loss}
            file.write(json.dumps(row) + "\n")
    return path


def first_look_s(path: Path) -> float:
    began = perf_counter()
    log = FollowedLog(path)
    log.look()
    seconds = perf_counter() - began
    log.close()
    return seconds


def all_of_it_s(path: Path) -> float:
    """CPU seconds until the curves are exact."""
    began, log, read = process_time(), FollowedLog(path), 0.0
    while read < 1:
        training = log.look()
        read = training.read if training else read
    log.close()
    return process_time() - began


def json_s(path: Path) -> float:
    """CPU seconds in which Python's json reads each line, and nothing is done with it."""
    began = process_time()
    with path.open() as file:
        for line in file:
            json.loads(line)
    return process_time() - began


def printing_s(is_followed: bool) -> float:
    """Seconds that a program takes to print its lines into a pipe, followed or to `cat`."""
    command = [sys.executable, "-c", PRINTING]
    if not is_followed:
        piped = ["sh", "-c", '"$0" -c "$1" | cat > /dev/null', sys.executable, PRINTING]
        done = subprocess.run(piped, stderr=subprocess.PIPE, check=True)
        return float(done.stderr)
    reading, end = os.pipe()
    with subprocess.Popen(command, stdout=end, stderr=subprocess.PIPE) as program:
        os.close(end)
        log = FollowedPipe(os.fdopen(reading, "rb", buffering=0))
        while log.is_open:
            log.look()
            sleep(LOOK_EVERY_S)
        assert program.stderr is not None
        return float(program.stderr.read())


def measure() -> list[Ratio]:
    """Ratios of seconds."""
    with TemporaryDirectory() as folder:
        few, many = written(Path(folder, "few.jsonl"), FEW), written(Path(folder, "many.jsonl"), MANY)
        looks = [(first_look_s(many), first_look_s(few)) for _ in range(PAIRS)]
        reads = [(all_of_it_s(many), json_s(many)) for _ in range(PAIRS)]
    prints = [(printing_s(is_followed=True), printing_s(is_followed=False)) for _ in range(PAIRS)]
    cases = (
        (f"first look at {MANY:,} JSON lines, s", f"at {FEW:,}", looks, "≤ 10"),
        (f"{MANY:,} JSON lines to exact curves, CPU s", "json.loads of each", reads, "≤ 2"),
        (f"{LINES:,} lines printed into a followed pipe, s", "| cat > /dev/null", prints, "≤ 1.2"),
    )
    return [
        Ratio(what, against, [ours for ours, _ in pairs], [theirs for _, theirs in pairs], budget)
        for what, against, pairs, budget in cases
    ]
