"""Crew: the workers of a sweep, behind one executor of concurrent.futures: processes here, or a Dask cluster."""

from __future__ import annotations

import logging
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import connection, forkserver, get_context, parent_process
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from gdtui.experiment import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from gdtui.sweeps.work import Job, Outcome

    Batch = list[Job]
    Work = Callable[[Batch], list[Outcome]]

CONNECT_S = 10
"""Seconds to wait for a scheduler."""

COUNT_EVERY_S = 2.0
"""Between two looks at how many workers a cluster has: each asks the scheduler."""


class LostError(Exception):
    """The workers cannot be reached any more."""


class Crew(Protocol):
    """Workers."""

    @property
    def size(self) -> int:
        """How many batches are done at once."""

    def submit(self, work: Work, batch: Batch) -> Future[list[Outcome]]:
        """Have a batch done."""

    def is_death(self, error: BaseException) -> bool:
        """Whether a batch's error says that a worker died at it, or may have."""

    def loses_all(self, error: BaseException) -> bool:
        """Whether it says that whatever is under way is lost with it."""

    def mend(self, error: BaseException) -> None:
        """After that, see to it that there are workers again.

        Raises:
            LostError: if there are none; it says why.
        """

    def close(self) -> None:
        """Send them home at once, whatever they are at."""


class Processes:
    """Processes of this machine."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._executor = self._begin()

    @property
    def size(self) -> int:
        """The processes."""
        return self._jobs

    def _begin(self) -> ProcessPoolExecutor:
        # A fork of a process with threads may inherit a lock that nobody will ever release.
        context = get_context("spawn" if sys.platform == "win32" else "forkserver")
        if sys.platform != "win32":
            _begin_server()
        return ProcessPoolExecutor(self._jobs, context, initializer=_begin_to_work)

    def submit(self, work: Work, batch: Batch) -> Future[list[Outcome]]:
        """Have a batch done."""
        return self._executor.submit(work, batch)

    def is_death(self, error: BaseException) -> bool:
        """One of the processes has died; nobody knows which."""
        return isinstance(error, BrokenProcessPool)

    def loses_all(self, _error: BaseException) -> bool:
        """The executor gives up the others with it."""
        return True

    def mend(self, _error: BaseException) -> None:
        """Begin with new processes."""
        self.close()
        self._executor = self._begin()

    def close(self) -> None:
        """End the processes."""
        processes = list((self._executor._processes or {}).values())  # of a public name from Python 3.14 on
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.join()


def module_paths() -> dict[str, str]:
    """The environment in which another process has this one's modules, and none of the folder's.

    It would look for modules in the working directory first, where a person may well have a random.py.
    """
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _begin_server() -> None:
    """Begin the process that workers are forked from."""
    paths = module_paths()
    before = {name: os.environ.get(name) for name in paths}
    os.environ.update(paths)
    try:
        forkserver.set_forkserver_preload(["gdtui.sweeps.work"])
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _begin_to_work() -> None:
    """In a worker: Ctrl-C is for the process that began it; and without that one, there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def leave_with_the_parent() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    Thread(target=leave_with_the_parent, daemon=True).start()


class Cluster:
    """The workers of a Dask cluster that is there already.

    Raises:
        InputError: if Dask is not installed, or nothing answers at the scheduler's address.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        try:
            import distributed
        except ImportError:
            text = "--scheduler needs Dask: pip install 'gdtui[dask]', here and on the cluster"
            raise InputError("scheduler", text) from None
        self._distributed: Any = distributed
        for name in [name for name in logging.root.manager.loggerDict if name.startswith(("distributed", "tornado"))]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # they would write across the progress bar
        try:
            self._connect()
        except (OSError, ValueError) as error:
            raise InputError("scheduler", f"no Dask scheduler answers at {shown(address)}: {_brief(error)}") from error
        if not self.size:
            self.close()
            raise InputError("scheduler", f"the Dask scheduler at {address} has no workers: dask worker {address}")

    def _connect(self) -> None:
        self._client = self._distributed.Client(self._address, timeout=CONNECT_S, set_as_default=False)
        self._executor: Executor = self._client.get_executor(pure=False)
        self._size, self._again = 0, 0.0

    @property
    def size(self) -> int:
        """The threads of all its workers, as they come and go."""
        if monotonic() > self._again:
            with suppress(Exception):  # a scheduler that is gone shows by what it was to do
                self._size = sum(self._client.nthreads().values())
            self._again = monotonic() + COUNT_EVERY_S
        return self._size

    def submit(self, work: Work, batch: Batch) -> Future[list[Outcome]]:
        """Have a batch done."""
        return self._executor.submit(work, batch)

    def is_death(self, error: BaseException) -> bool:
        """The scheduler has tried it on several workers, and all of them died."""
        return isinstance(error, self._distributed.scheduler.KilledWorker)

    def loses_all(self, error: BaseException) -> bool:
        """Unless it was but a worker, it was the scheduler."""
        return not self.is_death(error)

    def mend(self, error: BaseException) -> None:
        """Connect anew."""
        self.close()
        try:
            self._connect()
        except (OSError, ValueError):
            raise LostError(f"the Dask scheduler at {self._address} is gone") from error

    def close(self) -> None:
        """Leave the cluster; what it still does for us is cancelled."""
        with suppress(Exception):
            self._executor.shutdown(wait=False)
        with suppress(Exception):
            self._client.close(timeout=1)


def _brief(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
