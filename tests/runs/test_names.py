"""Names of the newest kept runs, for lists to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from making import kept, trainer_of

from gdtui.runs.names import newest
from gdtui.runs.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_the_newest_come_first_and_no_more_than_asked_for() -> None:
    store = Store()
    runs = [kept(store, trainer_of(epochs=epochs)) for epochs in (1, 2, 3)]
    store.label(runs[1].id, {"name": "mine", "tags": "a, b"})
    names = [(run.id, run.name, run.tags, run.epoch) for run in newest(2)]
    assert names == [(runs[2].id, "", "", 3), (runs[1].id, "mine", "a b", 2)]
    assert len(newest(10)) == 3


def test_where_there_is_no_store_there_are_no_names(home: Path) -> None:
    assert newest(10) == ()
    assert not home.exists()
