"""Sees operations come and go: one thread, which alone asks PostgreSQL what runs."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import psycopg
from taskmgr import ProviderError

from .server import Moment, Server
from .verdict import Seen, error_of, is_open
from .views import Operation

# How long a question may take: less than a manager gives its providers.
PATIENCE = 4.0
MAX_ENDED = 1024


@dataclass(frozen=True)
class Ended:
    """An operation that is over."""

    seen: Seen
    when: datetime  # it was noticed
    error: str | None
    until: float  # it is remembered, in monotonic seconds


Outcome = Callable[[Ended], None]


@dataclass
class _Waiter:
    told: Outcome
    is_cancelled: Callable[[], bool]


class Watch:
    """What runs, and what ran lately.

    Nothing in PostgreSQL wakes a client when an operation ends, so the thread looks every so
    often as long as one runs, whoever waits for it; with none it looks only when it is asked.
    Questions that come while it looks share the next look.
    """

    def __init__(self, server: Server, *, every: float, ttl: float) -> None:
        self._server, self._every, self._ttl = server, every, ttl
        self._changed = threading.Condition()
        self._asked = self._begun = self._finished = 0
        self._failure: str | None = None
        self._stopped = False
        self._running: dict[UUID, Seen] = {}
        self._ended: dict[UUID, Ended] = {}
        self._waiters: dict[UUID, list[_Waiter]] = {}
        self._aborted: dict[UUID, str] = {}
        self._numbers = itertools.count(1)
        self._thread = threading.Thread(target=self._run, name="postgres-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        # A server that has stopped in its tracks is not waited for: a look is a matter of
        # milliseconds, and the thread does not keep the process.
        self._thread.join(1.0)

    def running(self) -> dict[UUID, Seen]:
        """What runs now: by a look that began after the call. `ProviderError`."""
        with self._changed:
            self._asked = wanted = self._begun + 1
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._finished >= wanted, PATIENCE):
                raise ProviderError(
                    f"PostgreSQL at {self._server.name} has not answered for {PATIENCE:g} s"
                )
            if self._failure is not None:
                raise ProviderError(self._failure)
            return self._running

    def ended(self) -> dict[UUID, Ended]:
        """What is over, and not forgotten yet, as far as it was noticed."""
        with self._changed:
            self._forget()
            return dict(self._ended)

    def on_end(self, id: UUID, told: Outcome, is_cancelled: Callable[[], bool]) -> bool:
        """Calls `told` on the thread that looks, or at once if the operation is over; false for
        an operation that is not known."""
        with self._changed:
            over = self._ended.get(id)
            if over is None:
                if id not in self._running:
                    return False
                self._waiters.setdefault(id, []).append(_Waiter(told, is_cancelled))
                return True
        told(over)
        return True

    def cancel(self, seen: Seen, reason: str) -> bool:
        """Cancels an operation; false if there was nothing to cancel any more.
        `psycopg.Error`."""
        id = seen.operation.id
        with self._changed:
            # First, so that the end is not noticed before.
            is_first = id not in self._aborted
            self._aborted.setdefault(id, reason)
        cancelled = False
        try:
            cancelled = self._server.cancel(seen.operation)
        finally:
            if is_first and not cancelled:
                with self._changed:
                    self._aborted.pop(id, None)
        return cancelled

    def _run(self) -> None:
        while True:
            with self._changed:
                pause = self._every if self._running else None
                self._changed.wait_for(lambda: self._stopped or self._asked > self._begun, pause)
                if self._stopped:
                    break
                self._begun += 1
            try:
                self._publish(*self._look())
            except psycopg.Error as error:
                why = " ".join(str(error).split())
                self._fail(f"PostgreSQL at {self._server.name} does not answer: {why}")
            except Exception as error:  # a mistake in here, which whoever asks shall hear of
                self._fail(f"{type(error).__name__}: {error}")
        self._server.close()

    def _fail(self, failure: str) -> None:
        with self._changed:
            if self._failure is None:
                print(f"postgres_node: {failure}", file=sys.stderr, flush=True)
            self._failure, self._finished = failure, self._begun
            self._changed.notify_all()

    def _publish(self, running: dict[UUID, Seen], over: list[Ended]) -> None:
        waiters: list[tuple[_Waiter, Ended]] = []
        with self._changed:
            if self._failure is not None:
                said = f"PostgreSQL at {self._server.name} answers again"
                print(f"postgres_node: {said}", file=sys.stderr, flush=True)
            self._failure, self._finished = None, self._begun
            self._running = running
            for id in running:
                # A statement may come back to a table.
                self._ended.pop(id, None)
            for ended in over:
                id = ended.seen.operation.id
                self._ended[id] = ended
                self._aborted.pop(id, None)
                waiters += [(waiter, ended) for waiter in self._waiters.pop(id, [])]
            for id, waiting in self._waiters.items():
                self._waiters[id] = [each for each in waiting if not each.is_cancelled()]
            self._forget()
            self._changed.notify_all()
        for waiter, ended in waiters:
            waiter.told(ended)

    def _forget(self) -> None:
        now = time.monotonic()
        too_many = len(self._ended) - MAX_ENDED
        for index, (id, ended) in enumerate(list(self._ended.items())):
            if index < too_many or ended.until <= now:
                del self._ended[id]

    def _look(self) -> tuple[dict[UUID, Seen], list[Ended]]:
        """What runs now, and what is over since the last look."""
        now, operations = self._server.look()
        before, running = self._running, dict[UUID, Seen]()
        names = self._names(each for each in operations if each.id not in before)
        for operation in operations:
            id = operation.id
            known = before.get(id)
            if known is None:
                table = names.get((operation.database, operation.relid), "")
                known = Seen(operation, next(self._numbers), table, first=now, last=now)
            running[id] = known.again(operation, now)
        over: list[Ended] = []
        for id, seen in before.items():
            if id in running:
                continue
            if is_open(self._server, seen, now):
                running[id] = replace(seen, ending=True)
            else:
                over.append(self._end(seen, now))
        return running, over

    def _end(self, seen: Seen, now: Moment) -> Ended:
        error = error_of(self._server, seen, now, self._aborted.get(seen.operation.id))
        return Ended(seen, now.now, error, time.monotonic() + self._ttl)

    def _names(self, operations: Iterable[Operation]) -> dict[tuple[str, int | None], str]:
        """By database and number. A table that cannot be seen is its number."""
        wanted: dict[str, set[int]] = {}
        for operation in operations:
            if operation.relid is not None:
                wanted.setdefault(operation.database, set()).add(operation.relid)
        names: dict[tuple[str, int | None], str] = {}
        for database, relids in wanted.items():
            found: dict[int, str] = {}
            try:
                found = self._server.names(database, relids)
            except psycopg.Error:
                # The database may let nobody in; the server itself is another matter.
                if self._server.is_lost():
                    raise
            for relid in relids:
                names[database, relid] = found.get(relid, str(relid))
        return names
