"""python -m gdtui, and the installed command: the command line, then the end of the process."""

import os
import sys
import threading

from gdtui.cli import main


def run() -> None:
    """Run gdtui and end the process with its exit status."""
    status = main()
    if any(thread.daemon for thread in threading.enumerate()):
        # One still reads a file or computes, and nobody waits for it. Libraries abort when the interpreter is taken
        # down beneath them; everything of ours is written by now.
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run()
