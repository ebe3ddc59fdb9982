"""Moments: each snapshot and what was measured of it go to the panes, the status line and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdtui.dashboard.keymap import key_of
from gdtui.dashboard.player import Grain, Player
from gdtui.dashboard.reader import Reader
from gdtui.dashboard.screens.charts import ChartsScreen
from gdtui.dashboard.widgets.log import Log
from gdtui.dashboard.widgets.samples import Samples
from gdtui.dashboard.widgets.status import KeyBar, Status

if TYPE_CHECKING:
    from gdtui.dashboard.reader import Findings
    from gdtui.dashboard.screens.export import Source
    from gdtui.descent.snapshot import Snapshot
    from gdtui.experiment import Experiment, InputError


class MomentsScreen(ChartsScreen):
    """The lab's panes, showing whatever moment they are given.

    Attributes:
        player: plays the run that is shown.
        reader: measures its moments.
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        self.player = Player(self.show_snapshot, self._show_failure)
        self.reader = Reader(self._show_findings, lambda: self.is_moving)
        self._is_loading = True
        self._not_kept = ""

    def source(self) -> Source | None:
        """What can be written of this moment."""
        from gdtui.dashboard.screens.export import Source

        return Source.of(self.player.snapshot) if self.player.snapshot is not None else None

    def end(self) -> None:
        """Keep the last of the run."""
        self.player.end()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Give every pane a moment to show."""
        with self.unless_leaving(), self.app.batch_update():
            self._log_progress(snapshot)
            self._snapshot = snapshot
            self._forecast = self.reader.forecast(snapshot)
            self._show_charts()
            self.query_one(Samples).show(snapshot)
            self._show_status()
        self.reader.look_at(snapshot, with_anatomy=self.player.grain is Grain.UPDATE)

    def _show_findings(self, findings: Findings) -> None:
        """Show what was measured, unless another run is shown by now."""
        from gdtui.dashboard.widgets.insight import Insight
        from gdtui.dashboard.widgets.landscape import Landscape

        read, shown = findings.reading, self._snapshot
        if shown is None or shown.problem is not read.snapshot.problem:
            return
        sentences = [(sentence.text, sentence.kind) for sentence in findings.judgement.sentences]
        with self.unless_leaving(), self.app.batch_update():
            self.query_one(Insight).show(read, sentences)
            self.query_one(Samples).show_reading(read)
            if read.forecast is not None and not shown.visited:
                self._forecast = self.reader.forecast(shown)
                self._show_charts()
            self.query_one(Landscape).show(findings.terrain, findings.anatomy)
            log = self.query_one(Log)
            if read.snapshot.state == "diverged" and sentences[0][0] not in log.entries:
                log.say(*sentences[0])

    def _show_failure(self, error: InputError) -> None:
        """Say why the descent could not go on."""
        with self.unless_leaving():
            self.query_one(Log).say(str(error), "bad")
            self._show_status()

    def _show_status(self) -> None:
        player, snapshot = self.player, self._snapshot
        if snapshot is None:
            self.query_one(Status).show(self._experiment, None, "loading", "")
            return
        speed = "max" if player.rate is None else f"{player.rate:g} {player.grain}s/s"
        state, link = self._state(snapshot), getattr(self.app, "slow_link", None)
        self.query_one(Status).show(snapshot.experiment, snapshot, state, speed, self._not_kept, link)
        self.query_one(KeyBar).show(state if state in ("ready", "running", "paused") else "over")

    @property
    def is_moving(self) -> bool:
        """Moment follows moment."""
        return self.player.is_playing or self.player.is_stepping

    def _state(self, snapshot: Snapshot) -> str:
        """What is done with the run that is shown."""
        if self._is_loading:
            return "loading"
        if self.player.is_playing:
            return "running"
        if not snapshot.state.is_over and snapshot.visited:
            return "running" if self.player.is_stepping else "paused"
        return str(snapshot.state)

    def _log_progress(self, snapshot: Snapshot) -> None:
        """Say what has happened since the moment that is shown."""
        from gdtui.insight.verdict import verdict

        log, before = self.query_one(Log), self._snapshot
        if before is None or before.visited == snapshot.visited:
            return
        if self.player.grain is Grain.UPDATE and self.player.rate and len(snapshot.visits):
            log.say_update(snapshot)
        if snapshot.epoch != before.epoch:
            log.say_epoch(snapshot)
        if snapshot.state.is_over:
            is_bad = snapshot.state == "diverged"
            again = f"{key_of(self.app, 'reset')} starts again"
            log.say(f"{key_of(self.app, 'lr-down')} lowers the learning rate, {again}" if is_bad else again, "note")
            log.say(verdict(snapshot, with_why=False), "bad" if is_bad else "good")

    # --- the samples ---------------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """The next column."""
        self.query_one(Samples).sort_by_next_column()

    def action_reverse_sort(self) -> None:
        """The other way round."""
        self.query_one(Samples).reverse()

    async def action_filter(self) -> None:
        """Type which samples to show."""
        await self.query_one(Samples).open_filter()

    def action_toggle_applied(self) -> None:
        """As applied, or now."""
        samples = self.query_one(Samples)
        samples.applied = not samples.applied
