"""Keeping: each run that is played goes to the store as it goes on; the descent never waits for that."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdtui.descent.trainer import Trainer
    from gdtui.runs.keeper import Keeper

TURN_S = 1.0
"""How long the end of the app waits for the slice under way: a model that loops for ever never ends one."""


class Keeping:
    """The keeper of the run that is played, and those of earlier ones that may still have something to write.

    Attributes:
        keeper: of the run that is played; None where it is not kept.
        turn: held while the trainer is at work, so that no record is made of half an update.
    """

    def __init__(self) -> None:
        self.keeper: Keeper | None = None
        self.turn = Lock()
        self._earlier: list[Keeper] = []
        self._has_news = False

    def begin(self, keeper: Keeper | None) -> None:
        """Another run is played from now on."""
        if self.keeper is not None:
            self.keeper.finish()
            self._earlier = [one for one in (*self._earlier, self.keeper) if one.is_busy]
        self.keeper, self._has_news = keeper, False

    def look_at(self, trainer: Trainer, is_playing: bool) -> None:
        """Keep what the trainer has come to, where it is time for that or where it pauses; in a thread, in its turn."""
        self._has_news = True
        if self.keeper is not None and (self.keeper.is_due or not is_playing):
            self.keeper.look_at(trainer.record(), is_paused=not is_playing)
            self._has_news = is_playing

    def close(self, trainer: Trainer | None, is_playing: bool) -> None:
        """Write the last of everything; for the end of the app."""
        if self.keeper and trainer and self._has_news and self.turn.acquire(timeout=TURN_S):
            self.keeper.look_at(trainer.record(), is_paused=not is_playing)
        self.begin(None)
        for keeper in self._earlier:
            keeper.close()

    @property
    def problem(self) -> str:
        """Why the run is not being kept; empty while it is, or is not meant to be."""
        return self.keeper.problem if self.keeper is not None else ""
