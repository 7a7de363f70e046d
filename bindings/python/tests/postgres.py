"""A PostgreSQL of the tests' own, and the example `postgres_node` beside it."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import taskmgr
from conftest import GUARD

NODE = Path(__file__).parents[1] / "examples" / "postgres_node.py"

Connection = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")


def until(what: str, look: Callable[[], T | None]) -> T:
    """Asks again and again for something that must come."""
    end = time.monotonic() + GUARD
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not come within {GUARD} s"
        time.sleep(0.005)


def binaries() -> Path:
    """Where PostgreSQL's programs are: where the `PATH` leads to, or Debian's newest."""
    initdb = shutil.which("initdb")
    if initdb is not None:
        # A link to it does not have the others beside it.
        return Path(initdb).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    assert newest is not None, "there is no PostgreSQL: install the package postgresql"
    return newest.parent


def unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: arguments of `subprocess` that make it somebody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise AssertionError("PostgreSQL does not run as root, and there is no user nobody")


class Cluster:
    """A server in a directory of its own, reached through a socket there."""

    def __init__(self, directory: Path, **settings: object) -> None:
        self.directory = directory
        self._settings = {
            "unix_socket_directories": directory,
            "listen_addresses": "",
            "fsync": "off",
            # Nothing happens but what a test does.
            "autovacuum": "off",
            **settings,
        }
        self.programs = binaries()
        self._as = unprivileged()
        if self._as:
            os.chown(directory, self._as["user"], self._as["group"])
        # No language of the machine's: messages are looked at.
        self._environment = {"PATH": f"{self.programs}:{os.environ['PATH']}", "LC_ALL": "C"}
        self.data = directory / "data"
        self._process: subprocess.Popen[str] | None = None
        subprocess.run(
            [
                *(self.programs / "initdb", "--pgdata", self.data, "--username", "postgres"),
                *("--auth", "trust", "--encoding", "UTF8", "--no-sync", "--no-instructions"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=directory,
            env=self._environment,
            **self._as,
        )

    def start(self) -> None:
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
                cwd=self.directory,
                env=self._environment,
                **self._as,
            )
        until("an answer of PostgreSQL", self._answers)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "log").read_text()
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stops it at once, as it is when its machine goes away; without harm if it is not up."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(GUARD)
            self._process = None

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"host={self.directory} user={user} dbname={database}"

    def connect(self, database: str = "postgres", user: str = "postgres") -> Connection:
        return psycopg.connect(self.dsn(database, user), autocommit=True)


@contextlib.contextmanager
def running_cluster(**settings: object) -> Iterator[Cluster]:
    """One that is gone with the block, whatever happens in it."""
    # Not pytest's: PostgreSQL's user could not get there, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="pg-") as directory:
        cluster = Cluster(Path(directory), **settings)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


class Node:
    """The example as a child process."""

    def __init__(
        self,
        cluster: Cluster,
        *options: object,
        user: str = "postgres",
        path: Path | None = None,
    ) -> None:
        # What it says of errors goes to a file, which nothing can fill up.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by `kill`)
        where = [*([path] if path is not None else []), cluster.programs, os.environ["PATH"]]
        self.process = subprocess.Popen(
            [
                *(sys.executable, NODE, "--dsn", cluster.dsn(user=user)),
                *("--listen", "127.0.0.1:0", "--look-every", "20", *map(str, options)),
            ],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "PATH": ":".join(map(str, where)), "PYTHONFAULTHANDLER": "1"},
        )
        assert self.process.stdout is not None
        serving = re.fullmatch(r"Serving on (\S+)\n", self.process.stdout.readline())
        assert serving is not None, self.errors()
        self.client = taskmgr.Client(serving[1])

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read()

    def tree(self) -> list[taskmgr.Status]:
        """The base backup that the host takes, and its children, when all are there."""

        def look() -> list[taskmgr.Status] | None:
            for stats in self.client.list("postgres"):
                if stats.type == "basebackup":
                    tree = self.client.status_tree(stats.id)
                    return tree if len(tree) == 3 else None
            return None

        return until("the host's backup", look)

    def appears(self, type: str, table: str = "", keyspace: str = "postgres") -> taskmgr.Stats:
        """The task of an operation that runs."""

        def look() -> taskmgr.Stats | None:
            for stats in self.client.list("postgres"):
                of = (stats.type, stats.keyspace, stats.table)
                if of == (type, keyspace, table) and not stats.state.is_terminal:
                    return stats
            return None

        return until(f"a {type} of {table!r}", look)

    def held(self, type: str, table: str, keyspace: str = "postgres") -> UUID:
        """The id of an operation on a table that is under way, not only about to begin."""
        id = self.appears(type, table, keyspace).id
        self.status_when(id, "its first figures", lambda now: now.progress.completed > 0)
        return id

    def status_when(
        self, id: object, what: str, wanted: Callable[[taskmgr.Status], bool]
    ) -> taskmgr.Status:
        """The status once it is as wanted."""

        def look() -> taskmgr.Status | None:
            status = self.client.status(str(id))
            return status if wanted(status) else None

        return until(what, look)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(GUARD)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self._errors.close()


class Statement:
    """SQL that runs in a session and a thread of its own."""

    def __init__(self, cluster: Cluster, sql: str, database: str = "postgres") -> None:
        self.connection = cluster.connect(database)
        self.pid = self.connection.info.backend_pid
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=[sql])
        self._thread.start()

    def _run(self, sql: str) -> None:
        try:
            *before, last = sql.split(";")
            for each in before:
                self.connection.execute(each.encode())
            self.connection.execute(last.encode())
        except Exception as error:
            self._error = error

    def ended(self) -> BaseException | None:
        """Waits for its end; with what error, if with one."""
        self._thread.join(GUARD)
        assert not self._thread.is_alive()
        return self._error

    def stop(self) -> None:
        self.connection.cancel_safe(timeout=GUARD)
        self._thread.join(GUARD)
        self.connection.close()


# Goes on past a row only when nobody holds the lock of the row's number. As an expression of an
# index it holds whatever evaluates that where a test wants it.
GATE = """
CREATE FUNCTION gate(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    IF i % 1000 = 0 THEN
        PERFORM pg_advisory_lock_shared(i);
        PERFORM pg_advisory_unlock_shared(i);
    END IF;
    RETURN i;
END $$
"""


class Gate:
    """Holds the lock of a row's number."""

    def __init__(self, cluster: Cluster, row: int, database: str = "postgres") -> None:
        self._connection = cluster.connect(database)
        self._connection.execute("SELECT pg_advisory_lock(%s)", [row])

    def open(self) -> None:
        self._connection.close()


class Pin:
    """Holds the page of a table's row in memory. A vacuum that freezes waits there."""

    def __init__(self, cluster: Cluster, table: str, row: int) -> None:
        self._connection = cluster.connect()
        self._connection.execute("BEGIN")
        self._connection.execute(f"DECLARE pin CURSOR FOR SELECT FROM {table}".encode())
        self._connection.execute(f"MOVE {row} FROM pin".encode())

    def open(self) -> None:
        self._connection.close()

    def __enter__(self) -> Pin:
        return self

    def __exit__(self, *_: object) -> None:
        self.open()


def waiter(node: Node, id: object) -> Callable[[], taskmgr.Status]:
    """Waits for a task over REST in a thread; the result waits for that."""
    ended: list[taskmgr.Status | taskmgr.TaskmgrError] = []

    def wait() -> None:
        try:
            ended.append(node.client.wait_for_task(str(id), timeout=GUARD))
        except taskmgr.TaskmgrError as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()

    def result() -> taskmgr.Status:
        thread.join(2 * GUARD)
        (outcome,) = ended
        assert isinstance(outcome, taskmgr.Status), outcome
        return outcome

    return result
