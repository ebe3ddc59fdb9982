"""Threads: work off the event loop, which nobody waits for when the app ends unless it must be finished."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")


def in_thread(function: Callable[[], T], must_finish: bool = False) -> asyncio.Future[T]:
    """Call in a thread of its own, at once; unlike asyncio's, one that computes does not hold up the end of the app.

    With `must_finish` the process waits for it when the app has ended.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(set_outcome: Callable[[Any], None], outcome: Any) -> None:
        if not future.done():
            set_outcome(outcome)

    def run() -> None:
        try:
            outcome: tuple[Callable[[Any], None], Any] = future.set_result, function()
        except BaseException as error:
            outcome = future.set_exception, error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    Thread(target=run, daemon=not must_finish).start()
    return future
