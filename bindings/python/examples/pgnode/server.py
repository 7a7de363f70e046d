"""What the host asks of PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .views import LOOK, Operation, operation

Connection = psycopg.Connection[tuple[Any, ...]]

# The first whose statistics tell of a vacuum, or an analyze, as soon as it has succeeded.
OLDEST = 15

# Of the moment: the clock, the start of the server, the next transaction, the segment of the WAL.
MOMENT = """
SELECT clock_timestamp(), pg_postmaster_start_time(),
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE div(pg_current_wal_insert_lsn() - '0/0',
                     pg_size_bytes(current_setting('wal_segment_size')))::bigint END
"""

# In one statement, so that no other command of the backend is hit: but for the microseconds
# between the look that it begins with and the signal, which PostgreSQL leaves to chance.
CANCEL = sql.SQL(
    "SELECT pg_cancel_backend(a.pid) FROM pg_stat_activity a JOIN {view} p USING (pid)"
    " WHERE a.pid = %(pid)s AND a.backend_start = %(backend_start)s"
    " AND a.query_start = %(query_start)s"
    " AND (to_jsonb(p) ->> 'relid')::bigint IS NOT DISTINCT FROM %(relid)s::bigint"
)

ACTIVE = """
SELECT count(*) > 0 FROM pg_stat_activity
WHERE pid = %s AND backend_start = %s AND query_start = %s AND state = 'active'
"""

NAMES = """
SELECT c.oid::bigint, n.nspname || '.' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid::bigint = ANY(%s)
"""


class Unusable(Exception):
    """A server that the host cannot work with."""


@dataclass(frozen=True)
class Moment:
    """When the server was looked at."""

    now: datetime
    server_start: datetime
    next_xid: int
    wal_segment: int | None  # not on a standby

    def full(self, xid: str) -> str:
        """The 64 bits of a transaction's number, of which the activity shows the lower half."""
        epoch, lower = self.next_xid >> 32, int(xid)
        if lower > self.next_xid & 0xFFFFFFFF:
            epoch -= 1
        return str(epoch << 32 | lower)


class Server:
    """A connection to PostgreSQL, made anew when it was lost. One thread has it at a time;
    `cancel` makes one of its own."""

    def __init__(self, dsn: str) -> None:
        """`dsn` is a connection string or URI of libpq's; `Unusable` if it is none."""
        try:
            given = conninfo_to_dict(dsn)
        except psycopg.ProgrammingError as error:
            # Not the string itself, which may have a password.
            raise Unusable(f"the DSN is no connection string: {error}".rstrip()) from error
        self._parameters: dict[str, str | int | None] = {
            "fallback_application_name": "postgres_node",
            "connect_timeout": 3,
            # Names are text, also in databases that do not say in which encoding.
            "client_encoding": "utf8",
            **given,
        }
        shown = ("host", "hostaddr", "port", "user", "dbname", "service")
        words = {key: given[key] for key in shown if key in given}
        self.name = make_conninfo("", **words) or "libpq's default"
        self._connection: Connection | None = None

    def for_program(self, application: str) -> tuple[str, dict[str, str]]:
        """How another program connects: a connection string, which everybody can see, and
        variables of the environment with what nobody shall."""
        parameters = {**self._parameters, "application_name": application}
        password = parameters.pop("password", None)
        secret = {} if password is None else {"PGPASSWORD": str(password)}
        return make_conninfo("", **parameters), secret

    def _connect(self, **parameters: str) -> Connection:
        conninfo = make_conninfo("", **{**self._parameters, **parameters})
        connection = psycopg.connect(conninfo, autocommit=True)
        # Nothing here takes long, unless something is wrong.
        connection.execute("SET statement_timeout = '3s'")
        return connection

    def _main(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def is_lost(self) -> bool:
        """Whether the server has hung up, or could not be reached."""
        return self._connection is None or self._connection.closed

    def close(self) -> None:
        """Hangs up."""
        if self._connection is not None:
            self._connection.close()

    def check(self) -> None:
        """Connects. `Unusable` if that cannot be done, if the server is too old, or if it would
        not show the operations of others."""
        try:
            self._check(self._main())
        except psycopg.Error as error:
            raise Unusable(
                f"cannot connect to PostgreSQL at {self.name}: {error}".rstrip()
            ) from error

    def _check(self, connection: Connection) -> None:
        version = connection.info.server_version // 10000
        if version < OLDEST:
            raise Unusable(f"PostgreSQL {OLDEST} or later is needed, and {self.name} is {version}")
        row = connection.execute(
            "SELECT pg_has_role('pg_monitor', 'USAGE'), current_user"
        ).fetchone()
        if row is None or not row[0]:
            role = "" if row is None else row[1]
            raise Unusable(
                f"role {role} may not see what others do; needed is: GRANT pg_monitor TO {role}"
            )

    def look(self) -> tuple[Moment, list[Operation]]:
        """What runs now."""
        connection = self._main()
        moment = connection.execute(MOMENT).fetchone()
        assert moment is not None  # it is one row, always
        return Moment(*moment), [operation(row) for row in connection.execute(LOOK)]

    @contextlib.contextmanager
    def _inside(self, database: str) -> Iterator[Connection]:
        """Relations can be asked about in their own database only."""
        main = self._main()
        if database == main.info.dbname:
            yield main
            return
        with self._connect(dbname=database) as connection:
            yield connection

    def names(self, database: str, relids: Iterable[int]) -> dict[int, str]:
        """The names of relations, as far as they can be seen."""
        with self._inside(database) as connection:
            rows = connection.execute(NAMES, [list(relids)])
            return dict(rows.fetchall())

    def statement_is_active(self, of: Operation) -> bool:
        """Whether the backend is still at the statement."""
        row = self._main().execute(ACTIVE, [of.pid, of.backend_start, of.query_start]).fetchone()
        return row is not None and bool(row[0])

    def transaction(self, xid: str) -> str | None:
        """`in progress`, `committed` or `aborted`; `None` if that is forgotten."""
        row = self._main().execute("SELECT pg_xact_status(%s::text::xid8)", [xid]).fetchone()
        return None if row is None else row[0]

    def last_time(self, of: Operation) -> datetime | None:
        """When the latest vacuum, or analyze, of the operation's relation succeeded."""
        kind = of.view.type
        query = sql.SQL("SELECT greatest({by_hand}(%(relid)s), {by_itself}(%(relid)s))").format(
            by_hand=sql.Identifier(f"pg_stat_get_last_{kind}_time"),
            by_itself=sql.Identifier(f"pg_stat_get_last_auto{kind}_time"),
        )
        with self._inside(of.database) as connection:
            row = connection.execute(query, {"relid": of.relid}).fetchone()
            return None if row is None else row[0]

    def index(self, of: Operation) -> tuple[str, bool] | None:
        """The name of the index that the operation makes, and whether it is valid."""
        query = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indexrelid = %s"
        with self._inside(of.database) as connection:
            row = connection.execute(query, [int(of.row["index_relid"])]).fetchone()
            return None if row is None else (row[0], row[1])

    def cancel(self, of: Operation) -> bool:
        """Cancels the operation; false if it does not run any more."""
        query = CANCEL.format(view=of.view.name)
        which = {
            "pid": of.pid,
            "backend_start": of.backend_start,
            "query_start": of.query_start,
            "relid": of.relid,
        }
        with self._connect() as connection:
            row = connection.execute(query, which).fetchone()
            return row is not None and bool(row[0])
