"""The example `postgres_node` as a program beside a real PostgreSQL, and its own tasks."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import taskmgr
from conftest import GUARD
from postgres import (
    GATE,
    NODE,
    Cluster,
    Gate,
    Node,
    Statement,
    running_cluster,
    until,
)
from taskmgr import Kind, State


def test_a_backup_of_the_nodes_own(
    start: Callable[..., Node], cluster: Cluster, tmp_path: Path
) -> None:
    directory = tmp_path / "backup"
    # A backup begins with a checkpoint. So that it is seen from its beginning, it has to wait.
    with cluster.connect() as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        ((checkpointer,),) = connection.execute(query).fetchall()
    os.kill(checkpointer, signal.SIGSTOP)
    try:
        node = start("--backup", directory, "--keep-on-read")
        backup, receive, verify = node.tree()
        assert (backup.kind, backup.entity) == (
            Kind.CLUSTER,
            "waiting for checkpoint to finish",
        )
        assert [child.task_id for child in backup.children] == [receive.id, verify.id]
        assert (receive.type, receive.kind, receive.state) == (
            "receive",
            Kind.NODE,
            State.RUNNING,
        )
        assert (verify.type, verify.kind, verify.state) == ("verify", Kind.NODE, State.CREATED)
        assert receive.parent_id == verify.parent_id == backup.id
        assert receive.entity == str(directory)
    finally:
        os.kill(checkpointer, signal.SIGCONT)
    for task in (receive, verify):
        ended = node.client.wait_for_task(task.id, timeout=GUARD)
        assert (ended.state, ended.error) == (State.DONE, None)
        assert ended.progress.units == "bytes"
        assert ended.progress.completed == ended.progress.total > 10_000_000
    # The tree stays as it was, though the server is done.
    assert node.client.wait_for_task(backup.id, timeout=GUARD).state.is_terminal
    types = [status.type for status in node.client.status_tree(backup.id)]
    assert types == ["basebackup", "receive", "verify"]
    checked = subprocess.run(
        [cluster.programs / "pg_verifybackup", directory], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert node.end() == 0
    assert node.errors() == ""


def command_line_of(*words: str) -> str:
    """That of a process, as everybody can see it."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # One that has ended meanwhile is another's.
        with contextlib.suppress(OSError):
            command = path.read_bytes().decode(errors="replace").replace("\0", " ")
            if all(word in command for word in words) and str(NODE) not in command:
                return command
    raise AssertionError(f"no process has {words} in its command line")


@pytest.mark.parametrize("which", ["basebackup", "receive"])
def test_a_backup_of_the_nodes_own_that_is_aborted(
    start: Callable[..., Node], tmp_path: Path, which: str
) -> None:
    # At this rate it would take a quarter of an hour.
    node = start(
        *("--backup", tmp_path / "backup", "--backup-rate", 32, "--keep-on-read"),
        user="postgres password=secret",
    )
    backup, receive, verify = node.tree()
    command = command_line_of("pg_basebackup", str(tmp_path))
    assert "application_name=" in command
    assert "secret" not in command
    began = node.status_when(receive.id, "bytes", lambda now: now.progress.completed > 0)
    assert began.progress.completed < began.progress.total
    node.client.abort(backup.id if which == "basebackup" else receive.id)
    ended = node.client.wait_for_task(backup.id, timeout=GUARD)
    received = node.client.wait_for_task(receive.id, timeout=GUARD)
    verified = node.client.wait_for_task(verify.id, timeout=GUARD)
    assert {ended.state, received.state, verified.state} == {State.FAILED}
    if which == "basebackup":
        assert ended.error == "aborted: asked for through the REST API"
        assert "Failed: pg_basebackup: error: " in str(received.error)
    else:
        assert "no sign" in str(ended.error)
        assert received.error == "aborted: asked for through the REST API"
    assert verified.error == "there is no backup to verify"


def test_a_backup_that_is_damaged(
    start: Callable[..., Node], cluster: Cluster, tmp_path: Path
) -> None:
    program = tmp_path / "pg_basebackup"
    real = cluster.programs / "pg_basebackup"
    program.write_text(f"""#!/bin/sh -e\n{real} "$@"\nprintf x >> "$2/PG_VERSION"\n""")
    program.chmod(0o755)
    node = start("--backup", tmp_path / "backup", "--keep-on-read", path=tmp_path)
    verify = node.client.wait_task_appears("backup", type="verify", timeout=GUARD)
    ended = node.client.wait_for_task(verify.id, timeout=GUARD)
    assert ended.state is State.FAILED
    assert "PG_VERSION is not what the server sent" in str(ended.error)


def test_a_backup_that_cannot_be(start: Callable[..., Node], tmp_path: Path) -> None:
    (tmp_path / "full").write_text("")
    node = start("--backup", tmp_path, "--keep-on-read")
    receive = node.client.wait_task_appears("backup", type="receive", timeout=GUARD)
    ended = node.client.wait_for_task(receive.id, timeout=GUARD)
    assert ended.state is State.FAILED
    assert "exists but is not empty" in str(ended.error)
    assert ended.parent_id is None
    assert "exists but is not empty" in node.errors()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_node_and_nothing_else(
    start: Callable[..., Node],
    cluster: Cluster,
    table: str,
    run: Callable[..., Statement],
    gate: Callable[..., Gate],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    node = start("--backup", tmp_path / "backup", "--backup-rate", 32)
    held = gate(3000)
    build = run(f"CREATE INDEX ON {table} (gate(i))")
    id = node.held("create_index", f"public.{table}")
    node.tree()
    assert node.end(number) == 0
    assert node.process.stdout is not None
    assert node.process.stdout.read().endswith("Ended by a signal.\n")
    with cluster.connect() as connection:
        # What the host does itself has ended with it.
        until(
            "the end of the backup",
            lambda: not connection.execute("SELECT FROM pg_stat_progress_basebackup").fetchall(),
        )
    # What others do has not, and is the same to another node.
    again = start()
    assert again.held("create_index", f"public.{table}") == id
    held.open()
    assert build.ended() is None
    assert again.client.wait_for_task(id, timeout=GUARD).state is State.DONE


def test_it_prints(
    start: Callable[..., Node],
    table: str,
    run: Callable[..., Statement],
    gate: Callable[..., Gate],
) -> None:
    gate(3000)
    run(f"CREATE INDEX ON {table} (gate(i))")
    node = start("--print-every", 1)
    assert node.process.stdout is not None
    wanted = f"create_index table postgres.public.{table} building index: scanning table"
    assert any(line.startswith(wanted) for line in node.process.stdout)


def test_a_server_that_goes_away_and_comes_back() -> None:
    with running_cluster() as cluster:
        with cluster.connect() as connection:
            connection.execute(GATE)
            connection.execute("CREATE TABLE t AS SELECT i FROM generate_series(1, 9999) AS i")
        node = Node(cluster)
        gate = Gate(cluster, 3000)
        build = Statement(cluster, "CREATE INDEX ON t (gate(i))")
        try:
            id = node.held("create_index", "public.t")
            cluster.stop()
            assert build.ended() is not None
            with pytest.raises(taskmgr.ProviderError, match=r"PostgreSQL at host=.*not answer"):
                until("an error", lambda: node.client.status(id).end_time)
            # A list goes without what cannot be said.
            assert node.client.list("postgres") == []
            assert node.client.list("backup") == []
            assert node.process.poll() is None
            cluster.start()
            until("an answer", lambda: node.client.list("postgres"))
            ended = node.client.wait_for_task(id, timeout=GUARD)
            assert ended.state is State.FAILED
            assert re.match(r"PostgreSQL was started anew at \d{4}-", str(ended.error))
            assert [stats.id for stats in node.client.list("postgres")] == [id]
            assert node.end() == 0
            lost, back = node.errors().splitlines()[0], node.errors().splitlines()[-1]
            assert "does not answer" in lost
            assert back.endswith("answers again")
        finally:
            gate.open()
            build.stop()
            node.kill()


def test_a_server_that_has_stopped_in_its_tracks() -> None:
    with running_cluster() as cluster:
        node = Node(cluster)
        try:
            with cluster.connect() as connection:
                query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'postgres_node'"
                ((backend,),) = connection.execute(query).fetchall()
            os.kill(backend, signal.SIGSTOP)
            try:
                with pytest.raises(taskmgr.ProviderError, match="has not answered for 4 s"):
                    node.client.status("00000000-0000-4000-8000-000000000000")
                assert node.end() == 0
            finally:
                os.kill(backend, signal.SIGCONT)
        finally:
            node.kill()


def called(*options: object) -> tuple[int, str]:
    """The example, called by somebody who gets something wrong."""
    done = subprocess.run(
        [sys.executable, NODE, "--listen", "127.0.0.1:0", *map(str, options)],
        capture_output=True,
        text=True,
        timeout=GUARD,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--dsn", "nonsense"], "the DSN is no connection string"),
        (
            ["--dsn", "host=/does/not/exist"],
            "cannot connect to PostgreSQL at host=/does/not/exist",
        ),
        (["--backup-rate", "31"], "a whole number from 32 to 1048576, not '31'"),
        (["--look-every", "x"], "a whole number from 1 to 60000, not 'x'"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_options(options: list[str], words: str) -> None:
    code, errors = called(*options)
    assert code == 2
    assert words in errors


def test_what_it_cannot_work_with(cluster: Cluster, node: Node) -> None:
    code, errors = called("--dsn", cluster.dsn(), "--listen", "nonsense")
    assert code == 2
    assert "no address to listen on" in errors
    with cluster.connect() as connection:
        connection.execute("CREATE ROLE nobody LOGIN")
    code, errors = called("--dsn", cluster.dsn(user="nobody"))
    assert code == 2
    assert "GRANT pg_monitor TO nobody" in errors
    secret = "do not tell"
    code, errors = called("--dsn", f"host=/does/not/exist password='{secret}'")
    assert code == 2
    assert secret not in errors
