"""How an operation ended. The views do not say: its row is there, and then it is not.

It is `done` only if PostgreSQL shows that it succeeded; otherwise it is `failed`, with an error
that says what is known. What shows it:

- a vacuum or analyze: the time of the relation's last one, which a failure leaves as it was;
- an index made concurrently: it is valid;
- another index: its transaction is committed, and until it is, or rolled back, the operation is
  not over. What a savepoint takes back meanwhile is not noticed;
- a base backup: PostgreSQL keeps nothing about it, but ends the segment of its WAL when all files
  are streamed. So one that was streaming has succeeded if a segment has ended since then, and the
  host did not cancel it. This can be mistaken where so much WAL is written that a segment ends
  between two looks anyway, and where another cancels it while it waits for the archive. On a
  standby it does not show.

An operation that begins and ends between two looks is never seen, and of an index whose
transaction had no number yet when it was last seen nothing shows how it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import psycopg

from .server import Moment, Server
from .views import Operation

STREAMING = "streaming database files"
NO_SIGN = "it is over, and PostgreSQL shows no sign that it succeeded"


@dataclass(frozen=True)
class Seen:
    """An operation, and what is kept of earlier looks."""

    operation: Operation
    number: int
    table: str
    first: Moment
    last: Moment
    streaming: Moment | None = None  # when a base backup was last seen to stream
    ending: bool = False  # its row is gone, and the outcome is open

    def again(self, operation: Operation, now: Moment) -> Seen:
        """The same as it is now."""
        return replace(
            self,
            operation=replace(operation, xid=operation.xid or self.operation.xid),
            last=now,
            streaming=now if operation.phase == STREAMING else self.streaming,
            ending=False,
        )


def is_open(server: Server, seen: Seen, now: Moment) -> bool:
    """Whether it is too early to tell, though the row is gone."""
    operation = seen.operation
    if operation.view.type != "create_index":
        return False
    try:
        if server.statement_is_active(operation):
            return True
        return _transaction(server, seen, now) == "in progress"
    except psycopg.Error:
        if server.is_lost():
            raise
        # `error_of` meets it again, and tells it.
        return False


def error_of(server: Server, seen: Seen, now: Moment, aborted: str | None) -> str | None:
    """`None` if the operation has succeeded. `aborted` is the reason if the host cancelled it."""
    try:
        error = _found(server, seen, now, cancelled=aborted is not None)
    except psycopg.Error as failed:
        if server.is_lost():
            raise
        error = f"{NO_SIGN}: {failed}".rstrip()
    if error is None:
        return None
    if aborted is not None:
        return f"aborted: {aborted}" if error == NO_SIGN else f"aborted: {aborted} ({error})"
    if error == NO_SIGN and _restarted(seen, now):
        return f"PostgreSQL was started anew at {now.server_start:%Y-%m-%d %H:%M:%S %Z}"
    return error


def _found(server: Server, seen: Seen, now: Moment, *, cancelled: bool) -> str | None:
    operation = seen.operation
    if operation.view.type in ("vacuum", "analyze"):
        # No other vacuum or analyze of the relation can have run since it was first seen.
        last = server.last_time(operation)
        return None if last is not None and last >= seen.first.now else NO_SIGN
    if operation.view.type == "basebackup":
        return None if not cancelled and _ended_a_segment(seen, now) else NO_SIGN
    if operation.row["command"].endswith("CONCURRENTLY"):
        index = server.index(operation)
        if index is None:
            return NO_SIGN
        name, valid = index
        return None if valid else f"it has left the index {name}, which is invalid"
    transaction = _transaction(server, seen, now)
    if transaction == "aborted":
        return "its transaction was rolled back"
    return None if transaction == "committed" else NO_SIGN


def _ended_a_segment(seen: Seen, now: Moment) -> bool:
    if _restarted(seen, now) or seen.streaming is None:
        return False
    before, after = seen.streaming.wal_segment, now.wal_segment
    return before is not None and after is not None and after > before


def _transaction(server: Server, seen: Seen, now: Moment) -> str | None:
    xid = seen.operation.xid
    # A server that has crashed gives numbers again that it had not written down.
    if xid is None or _restarted(seen, now):
        return None
    return server.transaction(seen.last.full(xid))


def _restarted(seen: Seen, now: Moment) -> bool:
    return now.server_start > seen.operation.backend_start
