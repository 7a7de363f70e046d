"""Operations of PostgreSQL as virtual tasks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import taskmgr
from taskmgr import State, Stats, Status

from .verdict import Seen
from .watch import Ended, Watch


class Operations(taskmgr.Provider):
    """What PostgreSQL is at, and what it was at lately.

    `entity` is the phase, and `progress` is that of the phase; both stay as they were last seen
    when the operation is over.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def list(self) -> Iterable[Stats]:
        """What runs now, and what has ended."""
        running = self._watch.running()
        ended = self._watch.ended()
        for seen in running.values():
            yield Stats(**_common(seen))
        for id, over in ended.items():
            if id not in running:
                yield Stats(**_common(over.seen), **_end(over))

    def status(self, id: UUID) -> Status | None:
        """One of these."""
        over = self._watch.ended().get(id)
        if over is not None:
            return _ended(over)
        seen = self._watch.running().get(id)
        if seen is not None:
            return Status(
                **_common(seen),
                is_abortable=not seen.ending,
                progress=seen.operation.progress,
            )
        # It may have been over by that look.
        over = self._watch.ended().get(id)
        return None if over is None else _ended(over)

    def abort(self, id: UUID, reason: str) -> None:
        """Cancels its statement. The backend ends that when it notices."""
        seen = self._watch.running().get(id)
        if seen is None:
            return
        try:
            cancelled = self._watch.cancel(seen, reason)
        except psycopg.errors.InsufficientPrivilege as refused:
            raise taskmgr.NotAbortable(f"task {id} cannot be aborted: {refused}") from refused
        if not cancelled and id in self._watch.running():
            raise taskmgr.NotAbortable(f"task {id} is ending: there is nothing left to cancel")

    def watch(self, id: UUID, done: taskmgr.Completion) -> None:
        """Tells how it ended when that is noticed."""
        known = self._watch.on_end(
            id,
            lambda over: done.complete(_ended(over)),
            lambda: done.is_cancelled,
        )
        if not known:
            done.complete(taskmgr.NotFound(f"PostgreSQL is not at task {id} any more", task_id=id))


def _ended(over: Ended) -> Status:
    return Status(
        **_common(over.seen),
        **_end(over),
        error=over.error,
        progress=over.seen.operation.progress,
    )


def _end(over: Ended) -> dict[str, Any]:
    return {"state": State.DONE if over.error is None else State.FAILED, "end_time": over.when}


def _common(seen: Seen) -> dict[str, Any]:
    operation = seen.operation
    start: datetime = operation.query_start
    return {
        "id": operation.id,
        "type": operation.view.type,
        "scope": "table" if operation.view.relation else "cluster",
        "keyspace": operation.database,
        "table": seen.table,
        "entity": "ending" if seen.ending else operation.phase,
        "sequence_number": seen.number,
        "start_time": start,
        "created_at": start,
    }
