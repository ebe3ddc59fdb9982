"""History: bounded, yet no extreme of the loss is lost."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdtui.descent.history import Column, History, Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("falling", "rising", "noisy", "constant", "zigzag", "spike", "steps")


def row(epoch: int, loss: float) -> Row:
    return (float(epoch), 3.0 * epoch, 4.0 * epoch, 0.5 * epoch, loss, 2 * loss, 0.01)


def losses_of(kind: str, count: int, seed: int = 0) -> NDArray[np.float64]:
    t = np.arange(count)
    generator = np.random.default_rng(seed)
    curves = {
        "falling": 1 / (1 + t),
        "rising": 1.0 * t,
        "noisy": generator.random(count),
        "constant": np.ones(count),
        "zigzag": t % 3 + 1 / (1 + t),
        "spike": np.where(t == count // 3, 1e9, np.where(t == count // 2, -1e9, 1.0)),
        "steps": t // 50 + 0.0,
    }
    return curves[kind]


def history_of(losses: NDArray[np.float64], kept: int) -> History:
    history = History(kept)
    for epoch, loss in enumerate(losses.tolist()):
        history.append(row(epoch, loss))
    return history


def test_up_to_its_size_nothing_is_lost() -> None:
    losses = losses_of("noisy", 65)
    rows = history_of(losses, kept=64).view().rows
    assert rows.tolist() == [list(row(epoch, loss)) for epoch, loss in enumerate(losses.tolist())]


@pytest.mark.parametrize("kind", KINDS)
def test_its_memory_is_bounded(kind: str) -> None:
    rows = history_of(losses_of(kind, 100_000), kept=64).view().rows
    assert 32 <= len(rows) <= 64 + 1 + 3


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_and_the_newest_epoch_are_always_there(kind: str) -> None:
    history = History(kept=16)
    for epoch, loss in enumerate(losses_of(kind, 1000).tolist()):
        history.append(row(epoch, loss))
        rows = history.view().rows
        assert rows[0, Column.EPOCH] == 0
        assert rows[-1].tolist() == list(row(epoch, loss))


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_and_the_largest_loss_are_always_there(kind: str) -> None:
    losses = losses_of(kind, 1000)
    history = History(kept=16)
    for epoch, loss in enumerate(losses.tolist()):
        history.append(row(epoch, loss))
        kept = history.view().column(Column.LOSS)
        assert kept.min() == losses[: epoch + 1].min()
        assert kept.max() == losses[: epoch + 1].max()


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=400), st.sampled_from([4, 8, 16, 64]))
def test_its_rows_are_rows_that_were_added_in_rising_epochs(losses: list[float], kept: int) -> None:
    rows = history_of(np.array(losses), kept).view().rows
    epochs = rows[:, Column.EPOCH].astype(int)
    assert (np.diff(epochs) > 0).all()
    assert rows.tolist() == [list(row(epoch, losses[epoch])) for epoch in epochs]
    assert rows[-1, Column.EPOCH] == len(losses) - 1
    assert (rows[:, Column.LOSS].min(), rows[:, Column.LOSS].max()) == (min(losses), max(losses))


def test_no_stretch_of_the_run_is_left_out() -> None:
    epochs = history_of(losses_of("noisy", 100_000), kept=64).view().column(Column.EPOCH)
    assert np.diff(epochs).max() <= 2 * 100_000 / 16


@given(st.integers(1, 500), st.sets(st.integers(0, 500)))
def test_its_rows_do_not_depend_on_when_anybody_looked(count: int, looks: set[int]) -> None:
    losses = losses_of("noisy", count)
    looked = History(kept=16)
    for epoch, loss in enumerate(losses.tolist()):
        looked.append(row(epoch, loss))
        if epoch in looks:
            _ = looked.view().rows
    assert looked.view().rows.tobytes() == history_of(losses, kept=16).view().rows.tobytes()


@pytest.mark.parametrize("is_read_at_once", [True, False])
@pytest.mark.parametrize(("kept", "count"), [(16, 400), (256, 300)])
def test_a_view_stays_as_it_was(kept: int, count: int, is_read_at_once: bool) -> None:
    losses = losses_of("noisy", count).tolist()
    history, views = History(kept), []
    for epoch, loss in enumerate(losses):
        history.append(row(epoch, loss))
        views.append(history.view())
        if is_read_at_once:
            _ = views[-1].rows
    for epochs, view in enumerate(views, start=1):
        fresh = history_of(np.array(losses[:epochs]), kept).view()
        assert view.rows.tobytes() == fresh.rows.tobytes()


def test_a_view_knows_the_loss_at_the_start() -> None:
    assert history_of(losses_of("rising", 1000) + 5.0, kept=16).view().first_loss == 5.0


@pytest.mark.parametrize("kept", [0, 3, 6, -4])
def test_a_size_that_does_not_split_in_fours_is_refused(kept: int) -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        History(kept)


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=400),
    st.lists(st.integers(1, 90), min_size=1),
    st.sampled_from([4, 8, 64]),
)
def test_rows_added_together_are_kept_as_rows_added_one_by_one(losses: list[int], cuts: list[int], kept: int) -> None:
    rows = np.ones((len(losses), len(Column)))
    rows[:, Column.EPOCH], rows[:, Column.LOSS] = np.arange(len(losses)), losses
    alone, together = History(kept), History(kept)
    for row in rows.tolist():
        alone.append(tuple(row))
    at = 0
    for cut in itertools.cycle(cuts):
        together.extend(rows[at : at + cut])
        at += cut
        if at >= len(rows):
            break
    assert alone.view().rows.tobytes() == together.view().rows.tobytes()
    assert alone.newest_epoch == together.newest_epoch
