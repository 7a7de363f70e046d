"""Parts of `postgres_node` that cannot be reached reliably over REST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from pgnode.server import Moment, Server
from pgnode.views import VIEWS
from postgres import Cluster, Gate, Statement, until
from taskmgr import Progress


def test_only_the_very_operation_is_cancelled(
    cluster: Cluster, table: str, run: Callable[..., Statement], gate: Callable[..., Gate]
) -> None:
    gate(3000)
    build = run(f"CREATE INDEX ON {table} (gate(i))")
    server = Server(cluster.dsn())
    try:
        (operation,) = until("the build", lambda: server.look()[1])
        moment = timedelta(microseconds=1)
        for other in (
            replace(operation, query_start=operation.query_start + moment),
            replace(operation, backend_start=operation.backend_start + moment),
            replace(operation, row={**operation.row, "relid": "1"}),
            replace(operation, view=VIEWS["vacuum"]),
        ):
            assert other.id != operation.id
            assert not server.cancel(other)
        assert [each.id for each in server.look()[1]] == [operation.id]
        assert server.cancel(operation)
        assert isinstance(build.ended(), psycopg.errors.QueryCanceled)
        assert not server.cancel(operation)
    finally:
        server.close()


@pytest.mark.parametrize(
    ("next_xid", "xid", "full"),
    [(800, "799", 799), (2**32 + 5, "4", 2**32 + 4), (2**32 + 5, "4294967290", 4294967290)],
)
def test_the_number_of_a_transaction(next_xid: int, xid: str, full: int) -> None:
    now = datetime.now(timezone.utc)
    assert Moment(now, now, next_xid, None).full(xid) == str(full)


@pytest.mark.parametrize(
    ("type", "row", "shown"),
    [
        ("vacuum", {"heap_blks_scanned": 7, "heap_blks_total": 9}, Progress(7, 9, True, "blocks")),
        # A table that has grown since.
        ("vacuum", {"heap_blks_scanned": 9, "heap_blks_total": 7}, Progress(7, 7, True, "blocks")),
        (
            "vacuum",
            {"heap_blks_scanned": 0, "heap_blks_total": 0},
            Progress(0, 0, False, "blocks"),
        ),
        # The client did not ask for an estimate.
        (
            "basebackup",
            {"backup_streamed": 5, "backup_total": None},
            Progress(5, 5, False, "bytes"),
        ),
    ],
)
def test_figures(type: str, row: dict[str, int | None], shown: Progress) -> None:
    assert VIEWS[type].progress(row) == shown
