"""The words of a sweep: the pane with what is swept, the line on top, and what the sweep says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from swept_boards import board_by_hand, lines_of, resized, showing, sweep_of

from gdtui.dashboard.widgets.signs import counted_signs, sign_text
from gdtui.dashboard.widgets.sweeppane import EMPTY, NO_FINDINGS, SweepInsight, SweepPane
from gdtui.dashboard.widgets.sweepstatus import SweepStatus, clock, rate_text
from gdtui.experiment import Experiment
from gdtui.insight.sentences import Sentence
from gdtui.sweeps.board import Board, Sign
from gdtui.sweeps.outcome import counted
from gdtui.sweeps.space import Axis
from gdtui.sweeps.sweep import Sweep


def states_of(board: Board) -> dict[str, int]:
    return counted(board.progress.outcomes.values())


async def page(board: Board, size: tuple[int, int] = (40, 24), workers: str = "2 processes") -> list[str]:
    """The pane's lines, stripped."""
    pane = SweepPane()
    async with showing(pane, size):
        pane.show(board, states_of(board), workers)
        return [line.strip() for line in lines_of(pane)]


# The pane


async def test_the_counts_of_all_conditions_make_up_all_runs() -> None:
    board = board_by_hand(sweep_of(), begun=47)
    lines = await page(board)
    counts = {match[1]: int(match[2]) for line in lines if (match := re.fullmatch(r"[✓○∙▿×!] ([a-z ]+?) +(\d+)", line))}
    assert counts["waiting"] == 80 - 47
    assert counts["done"] == int((board.signs == Sign.DONE).sum())
    assert counts["diverged"] == int((board.signs == Sign.DIVERGED).sum())
    assert sum(counts.values()) == 80


@pytest.mark.parametrize("done", [0, 1, 40, 79, 80])
async def test_the_bar_says_how_much_is_done_and_all_of_it_only_at_the_end(done: int) -> None:
    board = board_by_hand(sweep_of(), begun=80)
    board = replace(board, progress=replace(board.progress, looks=((0.0, 0), (9.0, done)), is_made=True))
    first = (await page(board))[0]
    filled, part = first.count("━"), int(first.split()[-2])
    assert part == min(round(100 * done / 80), 99 if done < 80 else 100)
    assert (filled == 0) == (done == 0)
    assert ("─" not in first) == (done == 80)


async def test_nearly_all_of_many_is_not_all() -> None:
    board = board_by_hand(sweep_of(), begun=80)
    board = replace(board, progress=replace(board.progress, total=10_000, looks=((0.0, 0), (9.0, 9_999))))
    assert (await page(board))[0].endswith("99 %")


async def test_it_says_what_is_swept_over_what_and_by_whom() -> None:
    lines = await page(board_by_hand(sweep_of(seeds=3, is_halving=True), 47), (60, 24))
    facts = [re.split(r"\s{2,}| (?=1, 2)", line, maxsplit=1) for line in lines]
    assert ["lr", "0.001 … 1  20 log"] in facts
    assert ["batch-size", "1, 2, 3, full"] in facts
    assert ["seeds", "3"] in facts
    assert ["halving", "on: what is far behind is stopped"] in facts
    assert ["workers", "2 processes"] in facts
    assert ["left", "0:07 at 4.6 runs/s"] in [[fact[0], fact[-1]] for fact in facts]
    assert any(line.startswith("on linear · tutorial · sgd") for line in lines)


async def test_a_sweep_that_nobody_makes_has_no_time_left() -> None:
    lines = await page(board_by_hand(sweep_of(), 80), workers="")
    assert not any(line.startswith(("left", "workers")) for line in lines)
    assert any(line.split() == ["elapsed", "0:42"] for line in lines)


@pytest.mark.parametrize("height", [1, 3, 8, 20, 40])
async def test_facts_are_whole_or_not_there(height: int) -> None:
    board = board_by_hand(sweep_of(("lr=log:0.001:1:20", "batch-size=1,2,3,full", "momentum=0,0.9"), seeds=3), 47)
    pane = SweepPane()
    async with showing(pane, (100, 60)) as pilot:
        pane.show(board, states_of(board), "2 processes")
        known = {*" ".join(lines_of(pane)).split(), "20", "4", "2"}
        for width in range(1, 60, 3):
            await resized(pilot, (width, height))
            lines = [line.strip() for line in lines_of(pane)]
            assert len(lines) == height, width
            numbers = {word for line in lines[1:] for word in line.split() if re.search(r"\d", word)}
            if width >= 10:
                assert {number.rstrip(",") for number in numbers} <= {word.rstrip(",") for word in known}, width
            assert all(cell_len(line) <= width for line in lines), width


async def test_words_from_outside_are_text() -> None:
    sweep = Sweep(Experiment(data="[red]x\x1b.csv"), (Axis("optimizer", ("[bold]", "a\x07b")),))
    text = "\n".join(await page(board_by_hand(sweep), (80, 24), workers="[link]host\x1b[31m"))
    assert "[bold]" in text
    assert "[link]host\\x1b[31m" in text
    assert "[red]x" in text
    assert all(line.isprintable() for line in text.splitlines())


async def test_before_it_is_read_it_says_so() -> None:
    pane = SweepPane()
    async with showing(pane, (60, 5)):
        assert lines_of(pane)[0].strip() == EMPTY


def test_what_becomes_of_a_point_is_said_in_a_mark_and_words() -> None:
    assert sign_text(Sign.STOPPED, 1, 0) == "▿ stopped early"
    assert sign_text(Sign.FAILED, 2, 2) == "! failed"
    assert sign_text(Sign.DIVERGED, 5, 3) == "× 3 of 5 lost"
    assert sign_text(Sign.RUNNING, 3, 1) == "○ running"


def test_states_of_runs_are_counted_as_what_they_are_seen_as() -> None:
    over = {"finished": 3, "converged": 1, "diverged": 4, "failed": 1}
    found = counted_signs({**over, "paused": 2, "running": 1, "interrupted": 3}, 20)
    assert found == dict(zip(Sign, (8, 1, 4, 2, 4, 1), strict=True))


# The line on top


async def status(size: int, board: Board, name: str = "linear · tutorial · sgd", trouble: str = "") -> str:
    """The line."""
    line = SweepStatus()
    async with showing(line, (size, 1)):
        line.show(board.progress, name, board.progress.state, None, trouble)
        return str(line.render()).rstrip()


async def test_the_line_on_top_says_what_runs_how_fast_and_how_long_yet() -> None:
    text = await status(120, board_by_hand(sweep_of(), 47))
    assert "linear · tutorial · sgd · over lr × batch-size" in text
    assert "● running" in text
    assert "runs 46/80" in text
    assert "4.6 runs/s" in text
    assert re.search(r"left +0:07", text)


async def test_what_is_not_known_yet_is_a_dash() -> None:
    board = board_by_hand(sweep_of(), 1)
    board = replace(board, progress=replace(board.progress, looks=()))
    assert re.search(r"left +–.*– runs/s", await status(120, board))


async def test_when_it_is_over_it_says_what_it_took() -> None:
    text = await status(120, board_by_hand(sweep_of(), 80))
    assert "■ finished" in text
    assert "took 0:42" in text
    assert "left" not in text


async def test_a_sweep_that_was_stopped_says_so_with_what_is_left() -> None:
    board = board_by_hand(sweep_of(), 47)
    board = replace(board, progress=replace(board.progress, is_made=False))
    text = await status(120, board, trouble="! 3 failed: no such file")
    assert "╳ interrupted" in text
    assert "! 3 failed: no such file" in text


@pytest.mark.parametrize("width", range(1, 130, 6))
async def test_at_any_width_the_state_and_whole_figures_remain(width: int) -> None:
    board = board_by_hand(sweep_of(), 47)
    text = await status(width, board, name="[red]a long name of a sweep that somebody has given\x1b")
    assert "\x1b" not in text
    if width >= 30:
        assert "running" in text
    for figures in re.findall(r"\d+/\d*", text):
        assert figures == "46/80"


def test_times_and_rates_are_written_as_people_read_them() -> None:
    times = (0, 12.4, 59.6, 61, 3_599.7, 3_600, 86_400, 1e9, float("inf"), float("nan"), -1)
    assert [clock(seconds) for seconds in times] == [
        *("0:00", "0:12", "1:00", "1:01", "1:00:00", "1:00:00", "1 d 0 h", "> 99 d", "–", "–", "–")
    ]
    rates = (0.0, 0.04, 0.996, 1.0, 9.96, 99.96, 1_520.4, float("inf"))
    assert [rate_text(rate) for rate in rates] == ["–", "0.04", "1", "1.0", "10.0", "100.0", "1,520", "–"]


# What the sweep says


async def test_sentences_stand_with_their_marks_the_most_important_first() -> None:
    said = [
        Sentence("the best is lr 0.1", "good", "best"),
        Sentence("from lr 0.2 on it diverges", "bad", "limit"),
        Sentence("try --over [lr]=0.12\x1b", "note", "next"),
    ]
    pane = SweepInsight()
    async with showing(pane, (30, 8)):
        assert lines_of(pane)[0].strip() == NO_FINDINGS[:30].rpartition(" ")[0]
        pane.show(said)
        assert [line.strip() for line in lines_of(pane)][:3] == [
            "✓ the best is lr 0.1",
            "✗ from lr 0.2 on it diverges",
            "· try --over [lr]=0.12\\x1b",
        ]
