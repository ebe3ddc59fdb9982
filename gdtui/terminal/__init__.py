"""How an app reaches a screen far away: a Textual driver that sends only what changed, as fast as the link carries it.

class MyApp(App): ...

MyApp(driver_class=driver_class()).run()
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver


def driver_class(name: str = "paced", fps: float = 60.0) -> type[Driver] | None:
    """The driver for an app's terminal.

    Args:
        name: `paced`, or `plain` for Textual's own.
        fps: redraws a second at most; Textual's own has its own limit.

    Returns:
        None for Textual's own choice: on Windows, in a browser, and where the output is no terminal.
    """
    from textual import constants

    has_terminal = all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stderr__))
    if name == "plain" or sys.platform == "win32" or constants.DRIVER is not None or not has_terminal:
        return None

    from gdtui.terminal.driver import paced

    return paced(fps)
