"""A host beside PostgreSQL: its operations as virtual tasks, and the host's own as theirs.

    pip install ./bindings/python 'psycopg[binary]'
    python bindings/python/examples/postgres_node.py --help

Two modules work on it:

- `postgres`: a virtual task (kind `cluster`) for each row of `pg_stat_progress_vacuum`,
  `_create_index`, `_analyze` and `_basebackup`; in blocks, tuples, lockers or bytes, as the phase
  has it.
- `backup`: a base backup that the host takes, with `--backup`. Its tasks `receive` and `verify`
  are children of the server's `basebackup`; in bytes.

An abort of a virtual task is a `pg_cancel_backend`. A role that has `pg_monitor` sees the
operations of all; to cancel those of others takes `pg_signal_backend`, too, or a superuser.

Where to read on in `pgnode`: views.py says what is shown of each view, watch.py sees operations
come and go, verdict.py finds out how they ended, provider.py makes virtual tasks of them,
server.py asks PostgreSQL, backup.py is the host's own operation.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import taskmgr
from pgnode.backup import Backup, Settings
from pgnode.provider import Operations
from pgnode.server import Server, Unusable
from pgnode.watch import Watch

# The exit status when the host could not run at all.
UNUSABLE = 2
# For the last answers to clients, and for the host's own tasks to end.
DEADLINE = 5.0


def number(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(
            f"expected a whole number from {least} to {most}, not {text!r}"
        )

    return parse


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Shows the vacuums, index builds, analyzes and base backups of a PostgreSQL"
        " server as tasks, over REST. SIGINT and SIGTERM end it.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--dsn",
        default="",
        help="how to reach PostgreSQL, as a connection string or URI of libpq's; what it leaves"
        " out comes from PGHOST, PGUSER and the like",
    )
    parser.add_argument(
        "--listen",
        default="127.0.0.1:10000",
        metavar="ADDR:PORT",
        help="where to serve REST; port 0 is any free one [%(default)s]",
    )
    seconds = number(0, 2**32 - 1)
    parser.add_argument(
        "--task-ttl-in-seconds",
        type=seconds,
        default=300,
        metavar="N",
        help="how long what has ended can be looked at [%(default)s]",
    )
    parser.add_argument(
        "--keep-on-read",
        action="store_true",
        help="keep a finished task of the host when its status is read",
    )
    parser.add_argument(
        "--look-every",
        type=number(1, 60_000),
        default=250,
        metavar="MILLISECONDS",
        help="how often to look whether an operation has ended, as long as one runs [%(default)s]",
    )
    parser.add_argument(
        "--print-every",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="how often to print all tasks; 0 for never [%(default)s]",
    )
    parser.add_argument(
        "--backup", type=Path, metavar="DIR", help="take a base backup into a new directory"
    )
    parser.add_argument(
        "--backup-rate",
        type=number(32, 1024 * 1024),
        metavar="KB",
        help="how much of it to take a second, at most",
    )
    return parser.parse_args()


def run(wanted: argparse.Namespace, stop: threading.Event) -> None:
    """Serves until it is told to stop."""
    server = Server(wanted.dsn)
    server.check()
    manager = taskmgr.Manager(
        node=wanted.listen.rpartition(":")[0],
        task_ttl=wanted.task_ttl_in_seconds,
        keep_on_read=wanted.keep_on_read,
    )
    watch = Watch(server, every=wanted.look_every / 1000, ttl=wanted.task_ttl_in_seconds)
    backup = None
    try:
        manager.register_module("postgres").register_provider(Operations(watch))
        module = manager.register_module("backup")
        with manager.serve(wanted.listen) as rest:
            print(f"Serving on {rest.url}\n", flush=True)
            if wanted.backup is not None:
                settings = Settings(wanted.backup, wanted.backup_rate)
                backup = Backup(module, server, watch, settings)
            while not stop.wait(wanted.print_every or None):
                print(manager.tree(), end="\n\n", flush=True)
            # The host's own tasks are told to abort, and whoever waits for a task is answered.
            manager.close(DEADLINE)
    finally:
        if backup is not None:
            backup.join()
        watch.stop()


def main() -> int:
    """The exit status."""
    wanted = options()
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    try:
        run(wanted, stop)
    except (Unusable, taskmgr.TaskmgrError, OSError) as error:
        print(f"postgres_node: {error}", file=sys.stderr)
    else:
        print("Ended by a signal.")
        return 0
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
