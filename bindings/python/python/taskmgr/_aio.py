"""Waiting in an event loop."""

from __future__ import annotations

import asyncio

from ._errors import TaskmgrError
from ._taskmgr import Observer
from ._views import Status


async def wait(observer: Observer) -> Status:
    """The final status; the loop goes on meanwhile, and no thread waits."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Status] = loop.create_future()

    def settle(outcome: Status | TaskmgrError) -> None:
        # Whoever waited may have been cancelled in between.
        if future.done():
            return
        if isinstance(outcome, TaskmgrError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def ended(outcome: Status | TaskmgrError) -> None:
        try:
            loop.call_soon_threadsafe(settle, outcome)
        except RuntimeError:
            # A loop that is closed has nobody left who waits.
            if not loop.is_closed():
                raise

    guard = observer.on_done(ended)
    try:
        return await future
    finally:
        # What comes too late finds a future that is over; the loop does not wait for it.
        guard.cancel(wait=False)
