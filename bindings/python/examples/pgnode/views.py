"""The progress views of PostgreSQL, and one operation as they show it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from psycopg import sql
from taskmgr import Progress

# Names of virtual tasks are made in it, so that a host that starts anew gives the same ids.
NAMESPACE = uuid.UUID("5b1f7c8e-2d0a-4c55-9d6e-6f0d5f0f1a15")


@dataclass(frozen=True)
class Counter:
    """Two columns of a view: how much is done, of how much."""

    units: str
    done: str
    total: str


@dataclass(frozen=True)
class View:
    """A progress view. Its figures are those of the present phase, in its own units.

    The first of `counters` that has a total is shown: PostgreSQL sets the others to 0 when a
    phase begins. So the fraction goes back only when the phase, and with it the total, changes.
    """

    type: str
    counters: tuple[Counter, ...]
    relation: bool = True  # of one relation of one database, or of the whole cluster

    @property
    def name(self) -> sql.Identifier:
        """As it stands in a query."""
        return sql.Identifier(f"pg_stat_progress_{self.type}")

    def progress(self, row: dict[str, Any]) -> Progress:
        """What a row says."""
        for counter in self.counters:
            total = row[counter.total] or 0
            if total > 0:
                # Tables grow, and estimates are short, while an operation is under way.
                done = min(max(row[counter.done] or 0, 0), total)
                return Progress(done, total, True, counter.units)
        # As in a task of the host's own: a total that is not known follows.
        done = max(row[self.counters[-1].done] or 0, 0)
        return Progress(done, done, False, self.counters[-1].units)


VIEWS = {
    view.type: view
    for view in (
        # Blocks that are skipped count as scanned: all are when the phases after that begin.
        View("vacuum", (Counter("blocks", "heap_blks_scanned", "heap_blks_total"),)),
        View(
            "create_index",
            (
                Counter("partitions", "partitions_done", "partitions_total"),
                Counter("lockers", "lockers_done", "lockers_total"),
                Counter("tuples", "tuples_done", "tuples_total"),
                Counter("blocks", "blocks_done", "blocks_total"),
            ),
        ),
        View(
            "analyze",
            (
                Counter("child tables", "child_tables_done", "child_tables_total"),
                Counter("blocks", "sample_blks_scanned", "sample_blks_total"),
            ),
        ),
        View("basebackup", (Counter("bytes", "backup_streamed", "backup_total"),), relation=False),
    )
}

# Everything at one moment: both views of a join are of one copy of the backends' state.
LOOK = sql.SQL(" UNION ALL ").join(
    sql.SQL(
        "SELECT {type}, to_jsonb(p), a.pid, a.backend_start, a.query_start, a.datname::text,"
        " a.application_name, a.backend_xid::text"
        " FROM {view} p JOIN pg_stat_activity a USING (pid)"
        " WHERE a.query_start IS NOT NULL"
    ).format(type=sql.Literal(view.type), view=view.name)
    for view in VIEWS.values()
)


@dataclass(frozen=True)
class Operation:
    """One command on one relation, or one base backup, as it was when last seen."""

    view: View
    row: dict[str, Any]
    pid: int
    backend_start: datetime
    query_start: datetime
    database: str
    application: str
    xid: str | None  # of its transaction, as soon as that has one

    @property
    def relid(self) -> int | None:
        """The relation's number, which means nothing in another database."""
        return int(self.row["relid"]) if self.view.relation else None

    @property
    def phase(self) -> str:
        """In PostgreSQL's words."""
        return str(self.row["phase"] or "")

    @property
    def progress(self) -> Progress:
        """How far the phase is."""
        return self.view.progress(self.row)

    @property
    def id(self) -> uuid.UUID:
        """The same for as long as it runs, and of no other: a backend that begins another
        statement has another `query_start`, one that goes on to the next table another `relid`."""
        began = (each.astimezone(timezone.utc) for each in (self.backend_start, self.query_start))
        times = "/".join(each.isoformat() for each in began)
        return uuid.uuid5(NAMESPACE, f"{self.view.type}/{self.pid}/{times}/{self.relid}")


def operation(found: tuple[Any, ...]) -> Operation:
    """A row of `LOOK`."""
    type, row, pid, backend_start, query_start, database, application, xid = found
    return Operation(
        VIEWS[type], row, pid, backend_start, query_start, database or "", application, xid
    )
