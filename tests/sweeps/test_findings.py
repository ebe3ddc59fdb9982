"""What a sweep says: sentences whose numbers are those of its runs, and nothing that they do not carry."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from swept import made, outcome_of, progress_of, sweep_of

from gdtui.sweeps.board import board_of
from gdtui.sweeps.curves import curves_of
from gdtui.sweeps.findings import findings
from gdtui.sweeps.limits import Limits
from gdtui.sweeps.space import parse_axis
from gdtui.sweeps.sweep import Sweep

SEQUENTIAL, FULL = 0.2040, 3 / 14


def said(sweep: Sweep, losses: list[float | str], limit: Any = None, **more: Any) -> dict[str, str]:
    """What is said, by rule, where the runs have these losses; or states, in which they have lost."""
    outcomes = {
        key: outcome_of(sweep, key, "finished", one, **more)
        if isinstance(one, float)
        else outcome_of(sweep, key, one, 1.0, reason="why it did")
        for key, one in zip(sweep.points(), losses, strict=False)
    }
    return {one.rule: one.text for one in findings(board_of(progress_of(sweep, outcomes)), "ab12", limit)}


# --- the best --------------------------------------------------------------------------------------------------------


def test_the_best_point_is_named_with_its_loss() -> None:
    assert said(sweep_of("lr=0.1,0.2", "batch-size=1,full"), [0.5, 3e-9, 0.25, 1.0]) == {
        "best": "Best: lr 0.1, batch-size full: loss 3e-9."
    }


def test_the_best_of_several_seeds_is_that_with_the_best_median() -> None:
    found = said(sweep_of("lr=0.1,0.2", seeds=3), [0.5, 1e-9, 0.4, 0.3, 0.6, 0.5])
    assert found["best"] == "Best: lr 0.2: loss 0.3, median of 3 seeds (1e-9 to 0.5)."


def test_what_is_best_before_all_is_over_is_best_so_far() -> None:
    assert said(sweep_of("lr=0.1,0.2,0.3"), [0.5, 0.25]) == {"best": "Best so far: lr 0.2: loss 0.25."}


def test_nothing_is_said_before_anything_is_over() -> None:
    assert said(sweep_of("lr=0.1,0.2"), []) == {}
    assert said(sweep_of("lr=0.1,0.2"), ["running"]) == {}


@pytest.mark.parametrize(
    ("losses", "text"),
    [
        ([0.0, 0.0, 0.5], "2 points reach 0."),
        ([4e-31, 0.0, 1e-33], "3 points reach 0, but for rounding: 4e-31 at most."),
        ([0.25, 0.25, 0.5], "2 points reach 0.25, one like the other."),
        ([0.0, 0.0], "So far 2 points reach 0."),
        ([-0.25, -0.25 + 1e-15, 0.5], "2 points reach −0.25, one like the other."),
    ],
)
def test_points_that_are_equally_good_are_counted_and_none_is_called_the_best(losses: list[Any], text: str) -> None:
    assert said(sweep_of("momentum=0,0.5,0.9"), losses)["best"] == text


def test_of_equally_good_points_the_soonest_is_named() -> None:
    sweep = sweep_of("momentum=0,0.5,0.9")
    epochs = (30, 9, 12)
    outcomes = {
        key: outcome_of(sweep, key, "converged", 0.0, epoch) for key, epoch in zip(sweep.points(), epochs, strict=True)
    }
    best, *_ = findings(board_of(progress_of(sweep, outcomes)), "")
    assert best.text == "3 points reach 0; the soonest after 9 epochs: momentum 0.5."


def test_where_all_is_lost_that_is_said() -> None:
    sweep = sweep_of("momentum=0,0.5,0.9")
    assert said(sweep, ["diverged", "diverged", "diverged"])["best"] == "All 3 points diverged."
    assert said(sweep, ["diverged", "failed"])["best"] == "All 2 points so far 1 diverged and 1 failed."


# --- the border of divergence ----------------------------------------------------------------------------------------


def tutorial_border(*over: str, line: str = "") -> str:
    ledger, kept, progress = made(sweep_of(*over, line=line))
    board = board_of(progress)
    found = findings(board, kept, Limits(str(Path.cwd())), curves_of(ledger, kept, board, 0.0))
    return next(one.text for one in found if one.rule == "border")


GRID = "lr=log:0.001:0.3:20"
LRS = parse_axis(GRID).values


@pytest.mark.parametrize(("batch_size", "limit"), [("1", SEQUENTIAL), ("full", FULL)])
@pytest.mark.parametrize("epochs", [100, 400])
def test_the_tutorials_border_is_within_a_grid_step_of_the_limit(batch_size: str, limit: float, epochs: int) -> None:
    text = tutorial_border(GRID, line=f"batch-size={batch_size} epochs={epochs}")
    match = re.search(r"from lr ([\d.]+) on, not at ([\d.]+); theory says ([\d.]+)\.$", text)
    assert match
    broken, stable, theory = map(float, match.groups())
    assert theory == pytest.approx(limit, abs=5e-5)
    assert stable < limit < broken
    assert broken / stable == pytest.approx(LRS[1] / LRS[0], rel=5e-3)


def test_the_tutorials_borders_all_agree_with_theory() -> None:
    text = tutorial_border(GRID, "batch-size=1,2,3,full")
    assert text == (
        "All 4 borders of divergence lie within a grid step of theory: "
        "batch-size full: the loss grows from lr 0.222 on, not at 0.165; theory says 0.2143."
    )


def test_a_border_that_lies_elsewhere_is_named() -> None:
    sweep = sweep_of("lr=0.1,0.2,0.3,0.4,0.5", "batch-size=1,full")
    row_1, row_full = [0.1, 0.1, 0.1, "diverged", "diverged"], [0.1, *["diverged"] * 4]
    losses: list[Any] = [one for both in zip(row_1, row_full, strict=True) for one in both]
    found = said(sweep, losses, lambda one: 0.35 if one.batch_size == 1 else 0.45)
    assert found["border"] == (
        "1 of 2 borders of divergence lies within a grid step of theory; "
        "batch-size full diverges from lr 0.2 on, not at 0.1; theory says 0.4500."
    )


def test_without_theory_the_learning_rates_that_hold_and_break_everywhere_are_said() -> None:
    sweep = sweep_of("lr=0.1,0.2,0.3", "momentum=0,0.9")
    losses = [0.5, 0.6, 0.25, "diverged", "diverged", "diverged"]
    assert said(sweep, losses)["border"] == "Every point from lr 0.3 on diverged, none up to 0.1."


def test_of_many_rows_some_are_compared_with_theory_and_that_is_said() -> None:
    sweep = sweep_of("batch-size=lin:1:300:300", "lr=0.1,0.2")
    found = said(sweep, [0.1, "diverged"] * 300, lambda _: 0.15)
    assert found["border"].startswith("All 50 borders of divergence looked at lie within a grid step of theory: ")


def test_a_run_that_stays_where_it_started_has_not_grown() -> None:
    text = tutorial_border("lr=1e-300,0.2,0.3", line="batch-size=full init=1.1")
    assert text.endswith(" from lr 0.3 on, not at 0.2; theory says 0.2143.")


@pytest.mark.parametrize("losses", [["diverged", "failed"], [0.1, "diverged"], [0.1, "diverged", "failed"]])
def test_of_points_that_are_not_over_or_failed_nothing_is_claimed(losses: list[Any]) -> None:
    assert "border" not in said(sweep_of("lr=0.1,0.2,0.3"), losses)


def test_a_border_is_between_neighbours() -> None:
    found = said(sweep_of("lr=0.1,0.2,0.3"), [0.1, "failed", "diverged"], lambda _: 0.25)
    assert found["border"] == "Every point from lr 0.3 on diverged, none up to 0.1."


@pytest.mark.parametrize("losses", [[0.1, "diverged", 0.2], ["diverged", 0.1, 0.2], [0.1, 0.2, 0.3]])
def test_no_border_is_seen_where_there_is_none(losses: list[Any]) -> None:
    assert "border" not in said(sweep_of("lr=0.1,0.2,0.3"), losses, lambda _: 0.25)


# --- what to try next ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "losses", "next_over"),
    [
        ("lr=log:0.001:0.1:3", [3.0, 2.0, 1.0], "lr=1.0,10.0,100.0"),
        ("lr=log:0.001:0.1:3", [1.0, 2.0, 3.0], "lr=0.0001,1e-05,1e-06"),
        ("lr=0.1,0.2,0.3", [3.0, 2.0, 1.0], "lr=0.4,0.5,0.6"),
        ("momentum=0,0.3,0.6", [3.0, 2.0, 1.0], "momentum=0.9"),
        ("lr=0.2,0.3,0.5", [1.0, 2.0, 3.0], "lr=0.1"),
        ("lr=log:0.2999:0.3004:3", [3.0, 2.0, 1.0], "lr=0.301"),
    ],
)
def test_a_best_at_the_edge_proposes_the_next_values_as_a_command(
    over: str, losses: list[float], next_over: str
) -> None:
    sweep = sweep_of(over)
    text = said(sweep, losses)["edge"]
    which = "largest" if losses[-1] == 1.0 else "smallest"
    option = next_over.partition("=")[0]
    assert text == f"The best {option} is the {which} tried: gdtui sweep --extend ab12 --over {next_over}"
    assert len(sweep.extended([parse_axis(next_over)]).points()) == 3 + len(next_over.split(","))


def test_no_learning_rate_is_proposed_that_theory_sees_break() -> None:
    sweep = sweep_of("lr=0.1,0.2,0.3")
    assert said(sweep, [3.0, 2.0, 1.0], lambda _: 0.55)["edge"].endswith("lr=0.4,0.5")
    assert "edge" not in said(sweep, [3.0, 2.0, 1.0], lambda _: 0.35)


@pytest.mark.parametrize(
    ("over", "losses"),
    [
        ("lr=0.1,0.2,0.3", [3.0, 1.0, 2.0]),
        ("lr=0.1,0.2,0.3", [3.0, 1.0, "diverged"]),
        ("lr=0.1,0.2,0.3", [3.0, 2.0]),
        ("momentum=0,0.5,0.9", [3.0, 2.0, 1.0]),
        ("epochs=10,20,30", [3.0, 2.0, 1.0]),
        ("batch-size=2,1,full", [2.0, 1.0, 3.0]),
        ("optimizer=sgd,adam", [2.0, 1.0]),
        ("lr=0.1,0.2,0.3", [0.0, 2.0, 0.0]),
    ],
)
def test_nothing_is_proposed_where_the_edge_says_nothing(over: str, losses: list[Any]) -> None:
    assert "edge" not in said(sweep_of(over), losses)


# --- chance, and what matters ----------------------------------------------------------------------------------------


def test_differences_smaller_than_those_of_the_seeds_are_no_differences() -> None:
    sweep = sweep_of("momentum=0,0.3,0.6,0.9", seeds=3)
    losses = [1.0, 1.1, 1.2, 5.0, 0.5, 0.6, 0.9, 4.9, 1.5, 1.6, 1.9, 5.1]
    found = said(sweep, losses)
    assert found["seeds"] == "The first 3 points differ by less than their seeds do."
    assert "edge" not in found
    losses = [1.0, 1.1, 1.2, 5.0, 0.99, 1.09, 1.19, 4.9, 1.01, 1.11, 1.21, 5.1]
    assert "seeds" not in said(sweep, losses)


def test_the_axis_along_which_the_best_loss_moves_most_is_named() -> None:
    found = said(sweep_of("lr=0.1,0.2", "batch-size=1,2"), [1e-2, 2e-2, 1e-8, 2e-8])
    assert found["axis"] == (
        "lr matters most: along it the best loss moves by 6 orders of magnitude, along batch-size by 0.3."
    )
    assert "axis" not in said(sweep_of("lr=0.1,0.2", "batch-size=1,2"), [1e-2, 1e-5, 1e-5, 1e-8])


# --- what went wrong -------------------------------------------------------------------------------------------------


def test_what_failed_says_why_and_what_was_stopped_how_often() -> None:
    found = said(sweep_of("momentum=0,0.3,0.6,0.9"), [0.5, "failed", "paused", "paused"])
    assert found["failed"] == "1 of 4 runs failed: why it did"
    assert found["stopped"] == "2 of 4 runs were stopped early, too far behind."


@given(st.data())
@settings(deadline=None)
def test_there_are_at_most_four_sentences_each_a_line_whatever_came(data: st.DataObject) -> None:
    sweep = data.draw(
        st.sampled_from(
            [
                sweep_of("lr=0.1,0.2,0.3", "momentum=0,0.9", seeds=2),
                sweep_of("batch-size=1,2,full", "lr=log:0.01:0.1:3").extended([parse_axis("lr=0.2")]),
                sweep_of("lr=log:0.01:0.1", "momentum=lin:0:1", samples=6),
                sweep_of("lr=1e-300,1e300", "rms=-1e300,0.1,1e300", line="problem=saddle"),
                sweep_of("hidden=1,1000000000000", "lr=5e-324,1.7e308", line="problem=mlp data=moons"),
            ]
        )
    )
    loss = st.floats() | st.sampled_from([0.0, 1e-31, 1.0])
    came = st.tuples(st.sampled_from(["running", "finished", "converged", "paused", "diverged", "failed"]), loss)
    outcomes = {
        key: outcome_of(sweep, key, *one, reason="a\nb")
        for key in sweep.points()
        if (one := data.draw(st.none() | came)) is not None
    }
    limit = data.draw(st.sampled_from([math.nan, 0.15, 1e9]))
    found = findings(board_of(progress_of(sweep, outcomes)), "ab12", lambda _: limit)
    assert len(found) <= 4
    assert all(one.text.isprintable() and "nan" not in one.text for one in found)
    is_over = any(one.is_over for one in outcomes.values())
    assert is_over or not found
