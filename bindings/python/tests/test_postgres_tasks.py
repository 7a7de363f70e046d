"""virt_1: operations of a real PostgreSQL as virtual tasks, over REST, by `postgres_node`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import psycopg
import pytest
import taskmgr
from conftest import GUARD
from postgres import (
    Cluster,
    Gate,
    Node,
    Pin,
    Statement,
    running_cluster,
    waiter,
)
from taskmgr import Kind, State


def test_an_index_that_is_built(
    node: Node, table: str, run: Callable[..., Statement], gate: Callable[..., Gate]
) -> None:
    first, second = gate(3000), gate(6000)
    before = datetime.now(timezone.utc).replace(microsecond=0)
    build = run(f"CREATE INDEX ON {table} (gate(i))")
    stats = node.appears("create_index", f"public.{table}")
    assert (stats.kind, stats.scope, stats.state) == (Kind.CLUSTER, "table", State.RUNNING)
    assert stats.start_time is not None
    assert stats.start_time >= before
    assert stats.sequence_number > 0

    held = node.status_when(
        stats.id, "the first gate", lambda status: status.progress.completed > 0
    )
    assert held.entity == "building index: scanning table"
    assert (held.id, held.kind, held.is_abortable) == (stats.id, Kind.CLUSTER, True)
    assert (held.error, held.end_time, held.parent_id) == (None, None, None)
    assert held.progress.units == "blocks"
    waits = [waiter(node, stats.id) for _ in range(3)]
    first.open()
    further = node.status_when(
        stats.id, "the second gate", lambda now: now.progress.completed > held.progress.completed
    )
    assert further.progress.completed <= further.progress.total == held.progress.total
    with pytest.raises(taskmgr.Timeout):
        node.client.wait_for_task(stats.id, timeout=0)
    second.open()
    assert build.ended() is None
    for wait in waits:
        ended = wait()
        assert (ended.id, ended.state, ended.error) == (stats.id, State.DONE, None)
        assert ended.end_time is not None
        assert ended.end_time >= stats.start_time


def test_what_has_ended_is_told(
    node: Node, table: str, run: Callable[..., Statement], gate: Callable[..., Gate]
) -> None:
    held = gate(3000)
    run(f"CREATE INDEX ON {table} (gate(i))")
    id = node.held("create_index", f"public.{table}")
    held.open()
    ended = node.client.wait_for_task(id, timeout=GUARD)
    assert ended.state is State.DONE
    assert node.client.wait_for_task(id, timeout=0) == ended
    assert node.client.status(id) == ended
    assert not ended.is_abortable
    # To abort what has ended is no error, and changes nothing.
    node.client.abort(id)
    assert node.client.status(id) == ended
    (listed,) = [stats for stats in node.client.list("postgres") if stats.id == id]
    assert (listed.state, listed.end_time) == (State.DONE, ended.end_time)


def test_an_index_that_waits_for_others_and_is_aborted(
    node: Node, cluster: Cluster, table: str, run: Callable[..., Statement]
) -> None:
    with cluster.connect() as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT 1")
        build = run(f"CREATE INDEX CONCURRENTLY {table}_idx ON {table} (i)")
        id = node.appears("create_index", f"public.{table}").id
        held = node.status_when(
            id, "the wait", lambda status: status.entity == "waiting for old snapshots"
        )
        # Beside `old` it waits for whoever reads at that moment, as the host does.
        assert held.progress.units == "lockers"
        assert held.progress.total_known
        assert 0 <= held.progress.completed < held.progress.total
        wait = waiter(node, id)
        node.client.abort(id)
        assert isinstance(build.ended(), psycopg.errors.QueryCanceled)
        ended = wait()
    assert ended.state is State.FAILED
    assert ended.error == (
        "aborted: asked for through the REST API"
        f" (it has left the index {table}_idx, which is invalid)"
    )


def test_an_index_made_concurrently(
    node: Node, cluster: Cluster, table: str, run: Callable[..., Statement]
) -> None:
    with cluster.connect() as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT 1")
        build = run(f"CREATE INDEX CONCURRENTLY ON {table} (i)")
        id = node.appears("create_index", f"public.{table}").id
        node.status_when(
            id, "the wait", lambda status: status.entity == "waiting for old snapshots"
        )
    assert build.ended() is None
    assert node.client.wait_for_task(id, timeout=GUARD).state is State.DONE


@pytest.mark.parametrize(
    ("last", "error"), [("COMMIT", None), ("ROLLBACK", "its transaction was rolled back")]
)
def test_an_index_whose_transaction_goes_on(
    node: Node,
    table: str,
    run: Callable[..., Statement],
    gate: Callable[..., Gate],
    last: str,
    error: str | None,
) -> None:
    held = gate(3000)
    build = run(f"BEGIN; CREATE INDEX ON {table} (gate(i))")
    id = node.held("create_index", f"public.{table}")
    held.open()
    assert build.ended() is None
    ending = node.status_when(id, "the end", lambda status: status.entity == "ending")
    assert (ending.state, ending.is_abortable) == (State.RUNNING, False)
    with pytest.raises(taskmgr.NotAbortable):
        node.client.abort(id)
    build.connection.execute(last.encode())
    ended = node.client.wait_for_task(id, timeout=GUARD)
    assert (ended.state, ended.error) == (State.FAILED if error else State.DONE, error)


def test_an_index_that_fails(
    node: Node,
    cluster: Cluster,
    table: str,
    run: Callable[..., Statement],
    gate: Callable[..., Gate],
) -> None:
    with cluster.connect() as connection:
        connection.execute(f"INSERT INTO {table} VALUES (1, '')".encode())
    held = gate(3000)
    build = run(f"CREATE UNIQUE INDEX ON {table} (gate(i))")
    id = node.held("create_index", f"public.{table}")
    held.open()
    assert isinstance(build.ended(), psycopg.errors.UniqueViolation)
    ended = node.client.wait_for_task(id, timeout=GUARD)
    assert (ended.state, ended.error) == (State.FAILED, "its transaction was rolled back")


def test_a_table_of_another_database(
    node: Node, table: str, run: Callable[..., Statement], gate: Callable[..., Gate]
) -> None:
    held = gate(3000, "other")
    build = run(f"CREATE INDEX ON {table} (gate(i))", "other")
    id = node.held("create_index", f"public.{table}", "other")
    listed = node.client.list("postgres", keyspace="other", table=f"public.{table}")
    assert [stats.id for stats in listed] == [id]
    held.open()
    assert build.ended() is None
    assert node.client.wait_for_task(id, timeout=GUARD).state is State.DONE


def test_a_vacuum(
    node: Node, table: str, run: Callable[..., Statement], pin: Callable[[int], Pin]
) -> None:
    first, second = pin(3000), pin(6000)
    vacuum = run(f"VACUUM (FREEZE) {table}")
    stats = node.appears("vacuum", f"public.{table}")
    assert (stats.kind, stats.scope, stats.keyspace) == (Kind.CLUSTER, "table", "postgres")
    held = node.status_when(stats.id, "the first pin", lambda now: now.progress.completed > 0)
    assert (held.entity, held.progress.units) == ("scanning heap", "blocks")
    assert held.is_abortable
    wait = waiter(node, stats.id)
    first.open()
    further = node.status_when(
        stats.id, "the second pin", lambda now: now.progress.completed > held.progress.completed
    )
    assert further.progress.completed < further.progress.total == held.progress.total
    second.open()
    assert vacuum.ended() is None
    assert (wait().state, wait().error) == (State.DONE, None)


def test_a_vacuum_that_is_aborted(
    node: Node, table: str, run: Callable[..., Statement], pin: Callable[[int], Pin]
) -> None:
    pin(3000)
    vacuum = run(f"VACUUM (FREEZE) {table}")
    id = node.appears("vacuum", f"public.{table}").id
    wait = waiter(node, id)
    node.client.abort(id)
    assert isinstance(vacuum.ended(), psycopg.errors.QueryCanceled)
    assert (wait().state, wait().error) == (
        State.FAILED,
        "aborted: asked for through the REST API",
    )


def test_a_vacuum_that_another_ends(
    node: Node,
    cluster: Cluster,
    table: str,
    run: Callable[..., Statement],
    pin: Callable[[int], Pin],
) -> None:
    with cluster.connect() as connection:
        # One that succeeded before is no sign.
        connection.execute(f"VACUUM {table}".encode())
        pin(3000)
        vacuum = run(f"VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) {table}")
        id = node.appears("vacuum", f"public.{table}").id
        connection.execute("SELECT pg_terminate_backend(%s)", [vacuum.pid])
    assert isinstance(vacuum.ended(), psycopg.OperationalError)
    ended = node.client.wait_for_task(id, timeout=GUARD)
    assert (ended.state, ended.error) == (
        State.FAILED,
        "it is over, and PostgreSQL shows no sign that it succeeded",
    )


def test_each_table_of_a_statement_is_a_task(
    node: Node,
    cluster: Cluster,
    table: str,
    run: Callable[..., Statement],
    pin: Callable[[int], Pin],
) -> None:
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE small AS SELECT 1 AS i")
        try:
            held = pin(3000)
            vacuum = run(f"VACUUM (FREEZE) {table}, small")
            first = node.appears("vacuum", f"public.{table}")
            with Pin(cluster, "small", 1) as _:
                held.open()
                second = node.appears("vacuum", "public.small")
                assert node.client.wait_for_task(first.id, timeout=GUARD).state is State.DONE
                assert second.id != first.id
                # Whoever still means the first table does not hit the second.
                node.client.abort(first.id)
                assert node.client.status(second.id).state is State.RUNNING
            assert vacuum.ended() is None
            assert node.client.wait_for_task(second.id, timeout=GUARD).state is State.DONE
        finally:
            connection.execute("DROP TABLE small")


def test_an_analyze(
    node: Node,
    cluster: Cluster,
    table: str,
    run: Callable[..., Statement],
    gate: Callable[..., Gate],
) -> None:
    with cluster.connect() as connection:
        connection.execute(f"CREATE INDEX ON {table} (gate(i))".encode())
    held = gate(3000)
    analyze = run(f"ANALYZE {table}")
    id = node.appears("analyze", f"public.{table}").id
    computing = node.status_when(
        id, "the gate", lambda status: status.entity == "computing statistics"
    )
    assert computing.progress.completed == computing.progress.total > 0
    wait = waiter(node, id)
    held.open()
    assert analyze.ended() is None
    assert (wait().state, wait().error) == (State.DONE, None)


def test_an_analyze_that_is_aborted(node: Node, table: str, run: Callable[..., Statement]) -> None:
    # A tenth of a second for each of some 700 pages: it does not end while it is looked at.
    analyze = run(f"SET vacuum_cost_delay = '100ms'; SET vacuum_cost_limit = 1; ANALYZE {table}")
    id = node.appears("analyze", f"public.{table}").id
    began = node.status_when(id, "a page", lambda status: status.progress.completed > 0)
    assert (began.entity, began.progress.units) == ("acquiring sample rows", "blocks")
    further = node.status_when(
        id, "a further page", lambda now: now.progress.completed > began.progress.completed
    )
    assert further.progress.total == began.progress.total
    wait = waiter(node, id)
    node.client.abort(id)
    assert isinstance(analyze.ended(), psycopg.errors.QueryCanceled)
    assert wait().error == "aborted: asked for through the REST API"


def test_an_autovacuum() -> None:
    # A tenth of a second for each of some 700 pages: it does not end while it is looked at.
    slow = {"autovacuum_vacuum_cost_delay": 100, "autovacuum_vacuum_cost_limit": 1}
    with running_cluster(autovacuum="on", autovacuum_naptime=1, **slow) as cluster:
        with cluster.connect() as connection:
            connection.execute(
                "CREATE TABLE t AS SELECT i, repeat('x', 500) FROM generate_series(1, 10000) AS i"
            )
            connection.execute("DELETE FROM t WHERE i % 2 = 0")
        node = Node(cluster)
        try:
            id = node.appears("vacuum", "public.t").id
            node.status_when(id, "a page", lambda status: status.progress.completed > 0)
            node.client.abort(id)
            ended = node.client.wait_for_task(id, timeout=GUARD)
            assert ended.error == "aborted: asked for through the REST API"
        finally:
            node.kill()


class Receiver:
    """A `pg_basebackup` whose output is taken when a test wants it."""

    def __init__(self, cluster: Cluster, *options: str) -> None:
        command: list[str | Path] = [cluster.programs / "pg_basebackup", "--dbname", cluster.dsn()]
        command += ["-D", "-", "--format", "tar", "--wal-method", "none", "--checkpoint", "fast"]
        self._process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )

    def take(self, bytes: int) -> None:
        assert self._process.stdout is not None
        assert len(self._process.stdout.read(bytes)) == bytes

    def ended(self) -> tuple[int, str]:
        """Takes the rest; the status, and what was said."""
        _, errors = self._process.communicate(timeout=GUARD)
        return self._process.returncode, errors.decode()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def test_a_base_backup(node: Node, cluster: Cluster) -> None:
    with Receiver(cluster) as receiver:
        stats = node.appears("basebackup", keyspace="")
        assert (stats.kind, stats.scope) == (Kind.CLUSTER, "cluster")
        held = node.status_when(stats.id, "bytes", lambda now: now.progress.completed > 0)
        assert (held.entity, held.progress.units) == ("streaming database files", "bytes")
        assert held.is_abortable
        receiver.take(10_000_000)
        further = node.status_when(
            stats.id, "more bytes", lambda now: now.progress.completed > held.progress.completed
        )
        assert further.progress.completed < further.progress.total
        wait = waiter(node, stats.id)
        assert receiver.ended()[0] == 0
        assert (wait().state, wait().error) == (State.DONE, None)


@pytest.mark.parametrize("error", [None, "aborted: asked for through the REST API"])
def test_a_base_backup_that_waits_for_the_archive(error: str | None) -> None:
    with running_cluster(
        archive_mode="on", archive_command="until [ -e archive ]; do sleep 0.1; done"
    ) as cluster:
        node = Node(cluster)
        try:
            with Receiver(cluster) as receiver:
                id = node.appears("basebackup", keyspace="").id
                node.status_when(id, "bytes", lambda status: status.progress.completed > 0)
                with ThreadPoolExecutor() as executor:
                    taken = executor.submit(receiver.ended)
                    node.status_when(id, "the wait", lambda status: "archiving" in status.entity)
                    if error is not None:
                        node.client.abort(id)
                        assert "canceling statement due to user request" in taken.result()[1]
                    # Now the backup may go on, or, if it is over, the archiver may end.
                    (cluster.data / "archive").touch()
                    code, errors = taken.result()
                    assert (code == 0) == (error is None), errors
                assert node.client.wait_for_task(id, timeout=GUARD).error == error
        finally:
            node.kill()


def test_a_base_backup_that_is_aborted(node: Node, cluster: Cluster) -> None:
    with Receiver(cluster) as receiver:
        id = node.appears("basebackup", keyspace="").id
        node.status_when(id, "bytes", lambda status: status.progress.completed > 0)
        wait = waiter(node, id)
        node.client.abort(id)
        code, errors = receiver.ended()
        assert code != 0
        assert "canceling statement due to user request" in errors
        assert (wait().state, wait().error) == (
            State.FAILED,
            "aborted: asked for through the REST API",
        )


def test_a_base_backup_whose_client_goes_away(node: Node, cluster: Cluster) -> None:
    with Receiver(cluster):
        id = node.appears("basebackup", keyspace="").id
        node.status_when(id, "bytes", lambda status: status.progress.completed > 0)
    ended = node.client.wait_for_task(id, timeout=GUARD)
    assert ended.state is State.FAILED
    assert "no sign" in str(ended.error)


def test_many_who_ask_share_one_connection(
    node: Node,
    cluster: Cluster,
    table: str,
    run: Callable[..., Statement],
    gate: Callable[..., Gate],
) -> None:
    held = gate(3000)
    run(f"CREATE INDEX ON {table} (gate(i))")
    id = node.held("create_index", f"public.{table}")
    waits = [waiter(node, id) for _ in range(8)]
    for _ in range(20):
        assert node.client.status(id).state is State.RUNNING
    with cluster.connect() as connection:
        query = "SELECT FROM pg_stat_activity WHERE application_name = 'postgres_node'"
        assert len(connection.execute(query).fetchall()) == 1
    held.open()
    assert {wait().state for wait in waits} == {State.DONE}


def test_a_role_that_may_not_cancel(
    start: Callable[..., Node],
    cluster: Cluster,
    table: str,
    run: Callable[..., Statement],
    gate: Callable[..., Gate],
) -> None:
    with cluster.connect() as connection:
        connection.execute("CREATE ROLE looker LOGIN IN ROLE pg_monitor")
    node = start(user="looker")
    held = gate(3000)
    build = run(f"CREATE INDEX ON {table} (gate(i))")
    id = node.held("create_index", f"public.{table}")
    with pytest.raises(taskmgr.NotAbortable, match=r"must be a superuser|permission denied"):
        node.client.abort(id)
    held.open()
    assert build.ended() is None
    # It was not told to abort after all.
    assert node.client.wait_for_task(id, timeout=GUARD).state is State.DONE


def test_unknown_tasks(node: Node) -> None:
    for call in (node.client.status, node.client.abort, node.client.wait_for_task):
        with pytest.raises(taskmgr.NotFound):
            call("00000000-0000-4000-8000-000000000000")
