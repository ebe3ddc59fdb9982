"""python -m gdtui, and the installed command: the command line, then the end of the process."""

import os
import sys
import threading
from contextlib import suppress

from gdtui.cli import main


def run() -> None:
    """Run gdtui and end the process with its exit status."""
    status = main()
    with suppress(KeyboardInterrupt):
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.current_thread():
                thread.join()  # a file is being written
    if threading.active_count() > 1:
        # One still reads a file or computes, and nobody waits for it. Libraries abort when the interpreter is taken
        # down beneath them; everything of ours is written by now.
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run()
