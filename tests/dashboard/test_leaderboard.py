"""The leaderboard: its order, the selection that stays, columns that are whole or not there."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len
from swept_boards import board_by_hand, lines_of, resized, showing, sweep_of

from gdtui.dashboard.widgets import leaderboard
from gdtui.dashboard.widgets.leaderboard import EMPTY, Leaderboard
from gdtui.experiment import Experiment
from gdtui.sweeps.board import Sign
from gdtui.sweeps.space import Axis
from gdtui.sweeps.sweep import Sweep

WIDE = (130, 12)


def words(line: str) -> list[str]:
    """A line's cells."""
    return [word for word in re.split(r"\s{2,}", line.removeprefix("›").strip()) if word]


def ranks(lines: list[str]) -> list[int]:
    """The ranks in sight."""
    return [int(line.split()[0 if line[0] == " " else 1].replace(",", "")) for line in lines[1:] if line.strip()]


async def test_the_best_is_first_and_what_waits_is_not_there() -> None:
    board = board_by_hand(sweep_of(), begun=6)
    board = replace(board, losses=np.where(np.isnan(board.losses), np.nan, np.arange(80.0)))
    board = replace(board, order=board.order[np.argsort(board.losses[board.order])])
    table = Leaderboard()
    async with showing(table, WIDE):
        table.show(board)
        lines = lines_of(table)
    head = words(lines[0])
    assert head == ["#", "lr", "batch-size", "loss", "epochs", "state", "best run"]
    shown = [words(line) for line in lines[1:] if line.strip()]
    assert [row[0] for row in shown] == ["1", "2", "3", "4", "5", "6"]
    losses = [float(row[head.index("loss")]) for row in shown]
    assert losses == sorted(board.losses[board.signs != Sign.WAITING].tolist())
    first = int(board.order[0])
    assert shown[0][-1] == board.best[first]


async def test_a_value_of_an_axis_stands_as_one_types_it() -> None:
    board = board_by_hand(Sweep(Experiment(), (Axis("lr", (0.1, 0.25)), Axis("optimizer", ("sgd", "adam")))))
    table = Leaderboard()
    async with showing(table, WIDE):
        table.show(board)
        shown = {tuple(words(line)[1:3]) for line in lines_of(table)[1:] if line.strip()}
    assert shown == {("0.1", "sgd"), ("0.1", "adam"), ("0.25", "sgd"), ("0.25", "adam")}


async def test_with_seeds_it_says_how_far_apart_they_are_and_how_many_are_lost() -> None:
    board = board_by_hand(sweep_of(("lr=0.1,0.2,0.3",), seeds=5))
    board = replace(
        board,
        signs=np.array([Sign.DONE, Sign.DONE, Sign.DIVERGED], dtype=np.int8),
        lost=np.array([0, 2, 5], dtype=np.int32),
        losses=np.array([0.5, 0.75, np.inf]),
        least=np.array([0.25, 0.125, 123.0]),
        most=np.array([1.5, np.inf, np.inf]),
        order=np.array([0, 1, 2]),
    )
    table = Leaderboard()
    async with showing(table, WIDE):
        table.show(board)
        lines = [words(line) for line in lines_of(table)[:4]]
    assert lines[0][2:5] == ["loss", "least", "most"]
    assert [line[2:5] for line in lines[1:]] == [
        ["0.50000", "0.25000", "1.5000"],
        ["0.75000", "0.12500", "–"],
        ["–", "123.0", "–"],
    ]
    assert [line[6] for line in lines[1:]] == ["✓ done", "× 2 of 5 lost", "× diverged"]


async def test_the_selection_stays_on_its_point_wherever_its_line_goes() -> None:
    board = board_by_hand(sweep_of(), begun=60)
    arm = int(board.order[2])
    later = replace(board, order=np.concatenate([board.order[board.order != arm], [arm]]))
    table = Leaderboard()
    async with showing(table, WIDE) as pilot:
        table.show(board, arm)
        before = next(line for line in lines_of(table) if line.startswith("›"))
        table.show(later, arm)
        await pilot.pause()
        after = next(line for line in lines_of(table) if line.startswith("›"))
    assert words(before)[1:] == words(after)[1:]
    assert words(before)[0] == "3"
    assert words(after)[0] == "60"


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("down", 0),
        ("down down", 1),
        ("end", 59),
        ("end down", 59),
        ("end up", 58),
        ("end home", 0),
        ("home pagedown", 10),
        ("end pageup", 49),
    ],
)
async def test_keys_select_a_point_and_tell_which(keys: str, place: int) -> None:
    board = board_by_hand(sweep_of(), begun=60)
    table = Leaderboard()
    async with showing(table, WIDE) as pilot:
        table.show(board)
        await pilot.press(*keys.split())
        await pilot.pause()
        assert pilot.app.told[-1] == board.order[place]  # type: ignore[attr-defined]
        (line,) = [line for line in lines_of(table) if line.startswith("›")]
    assert int(words(line)[0]) == place + 1


async def test_ten_thousand_points_cost_the_lines_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    board = board_by_hand(sweep_of(("lr=log:0.001:1:100", "momentum=lin:0:0.99:100")))
    table = Leaderboard()
    drawn = set()
    cell = leaderboard.cell
    monkeypatch.setattr(
        leaderboard, "cell", lambda board, place, column: drawn.add(place) or cell(board, place, column)
    )
    async with showing(table, WIDE) as pilot:
        table.show(board)
        await pilot.press("end")
        await pilot.pause()
        assert ranks(lines_of(table)) == list(range(9_990, 10_001))
    assert len(drawn) <= 2 * WIDE[1]


async def test_no_number_is_cut_at_any_width() -> None:
    board = board_by_hand(sweep_of(("lr=log:0.001:1:9", "batch-size=1,full", "momentum=0,0.9"), seeds=3))
    table, shown = Leaderboard(), dict[int, set[str]]()
    async with showing(table, (300, 40)) as pilot:
        table.show(board, int(board.order[1]))
        for width in (300, *range(1, 130, 4)):
            await resized(pilot, (width, 40))
            lines = lines_of(table)
            assert all(cell_len(line) == width for line in lines)
            shown[width] = {word for line in lines[1:] for word in line.split() if re.search(r"\d", word)}
    for width, numbers in shown.items():
        assert numbers <= shown[300], width
        assert numbers or width < 20, width


async def test_words_from_outside_are_text() -> None:
    sweep = Sweep(Experiment(), (Axis("data", ("[red]a.csv", "b\x1b[31m.csv")),))
    table = Leaderboard()
    async with showing(table, WIDE):
        table.show(board_by_hand(sweep))
        text = "\n".join(lines_of(table))
    assert "[red]a.csv" in text
    assert "[31m.csv" in text
    assert all(line.isprintable() for line in text.splitlines())


async def test_before_there_is_anything_it_says_what_is_coming_and_keys_do_nothing() -> None:
    table = Leaderboard()
    async with showing(table, (80, 8)) as pilot:
        assert lines_of(table)[0].strip() == EMPTY
        table.show(board_by_hand(sweep_of(), begun=0))
        assert lines_of(table)[0].strip() == EMPTY
        await pilot.press("down", "end", "pageup")
        assert pilot.app.told == []  # type: ignore[attr-defined]
