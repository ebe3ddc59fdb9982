"""Lines: a widget that draws itself as whole lines, and has only those sent that changed."""

from __future__ import annotations

import math
from itertools import zip_longest
from time import monotonic
from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.timer import Timer


REPAINT_S = 0.55
"""Seconds from one repaint to the next of a pane whose news need not be seen one by one."""

GRACE_S = 0.1
"""A repaint that is due waits so long for other news to go along with."""


class Lines(Widget):
    """What is common to the panes that draw themselves: `draw` gives the lines, `redraw` sends the news of them."""

    _strips: tuple[Strip, ...] = ()
    _drawn_size: Size | None = None
    _redrawn_at = -math.inf
    _repaint: Timer | None = None

    def draw(self) -> list[Strip]:
        """The lines of the content as it is now, at the widget's size; fewer lines than its height are filled up."""
        raise NotImplementedError

    @property
    def is_behind(self) -> bool:
        """There is news that is not drawn yet."""
        return self._repaint is not None

    def redraw_in_turn(self) -> None:
        """Draw anew: at once after a silence, or else together with what else there is to draw by then."""
        wait = self._redrawn_at + REPAINT_S - monotonic()
        if wait <= 0:
            self.redraw()
        elif self._repaint is None:
            self._repaint = self.set_timer(wait + GRACE_S, self.redraw)

    def redraw(self) -> None:
        """Draw anew; lines that look the same stay untouched."""
        if self._repaint is not None:
            self._repaint.stop()
            self._repaint = None
        self._redrawn_at = monotonic()
        if not self.is_seen:
            self.forget()  # the next render draws
            return
        is_same_size = self._drawn_size == self.size
        shown = self._strips
        self._draw()
        if is_same_size:
            rows = enumerate(zip_longest(shown, self._strips))
            changed = [Region(0, y, self.size.width, 1) for y, (old, new) in rows if old != new]
            if changed:
                self.refresh(*changed)
        else:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line, drawn anew where the size or the theme has changed."""
        if self._drawn_size != self.size:
            self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Forget what was drawn in the colours of before."""
        super().notify_style_update()
        self.forget()

    @property
    def is_seen(self) -> bool:
        """It is on the screen, and that is not hidden by another one."""
        return self.is_attached and bool(self.size) and self.screen.is_current and self.is_on_screen

    def forget(self) -> None:
        """Draw anew when it is seen the next time."""
        if self._drawn_size is not None:
            self._drawn_size = None
            self.refresh()

    def _draw(self) -> None:
        self._strips, self._drawn_size = tuple(self.draw()), self.size
