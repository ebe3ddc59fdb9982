"""Layer: what the screens have in common that lie one over the other."""

from __future__ import annotations

from textual import on
from textual.await_complete import AwaitComplete
from textual.events import Resize
from textual.screen import Screen, ScreenResultType


class Layer(Screen[ScreenResultType]):
    """A screen that has the terminal's newest size, and is not drawn where another one hides it."""

    @on(Resize)
    def _heed_newest(self, event: Resize) -> None:
        """Whatever size it is told of, the terminal's is the newest.

        Of any size that it is laid out at, Textual tells a screen once more, and of what waits the last is heeded:
        with two sizes under way at once, a screen would keep the older one, or go to and fro between them for ever.
        """
        event.size = self.app.size

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leave, as soon as it is there; whoever is asked to twice, or from beneath another screen, does nothing.

        Textual would take away whichever screen is on top.
        """

        def leave() -> None:
            self.dismiss(result)

        if not self.is_mounted:
            self.call_later(leave)
        elif self.is_active:
            return super().dismiss(result)
        return AwaitComplete()

    @property
    def is_current(self) -> bool:
        """Something of it can be seen; to Textual the screen next to the top always can."""
        return super().is_current and not self.is_covered

    @property
    def is_covered(self) -> bool:
        """A screen above leaves nothing of it to be seen."""
        stack = self.app.screen_stack
        above = stack[stack.index(self) + 1 :] if self in stack else []
        return any(screen.styles.background.a == 1 for screen in above)
