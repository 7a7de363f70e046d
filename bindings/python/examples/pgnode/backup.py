"""A base backup that the host takes itself: its part of the work as children of the server's."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import taskmgr

from .server import Server
from .watch import Watch

KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE
# What `pg_basebackup --progress` says now and then, as in `  1024/30000 kB (3%), 0/1 tablespace`.
PROGRESS = re.compile(r"\s*(\d+)/(\d+) kB \(")


class Failed(Exception):
    """A backup that cannot be had or used."""


@dataclass(frozen=True)
class Settings:
    """Where a backup is put, and how many kB/s it may take at most."""

    directory: Path
    rate: int | None


class Backup:
    """Takes a base backup with `pg_basebackup`, and verifies it, on a thread of its own.

    The server's side of it is a virtual task; `receive` and `verify` are tasks of the host, and
    children of that. To abort the virtual task ends both, and so does to abort `receive`. What
    has been received then stays where it is.
    """

    def __init__(
        self, module: taskmgr.Module, server: Server, watch: Watch, settings: Settings
    ) -> None:
        self._module, self._watch, self._settings = module, watch, settings
        # By it the row of this backup is told from those of others.
        self._application = f"postgres_node {uuid.uuid4()}"
        self._conninfo, self._secret = server.for_program(self._application)
        self._thread = threading.Thread(target=self._run, name="backup")
        self._thread.start()

    def join(self) -> None:
        """Waits for its end; to abort its tasks brings that about."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._take()
        except (Failed, OSError, taskmgr.TaskmgrError) as error:
            print(f"postgres_node: backup: {error}", file=sys.stderr, flush=True)

    def _take(self) -> None:
        program = shutil.which("pg_basebackup")
        if program is None:
            raise Failed("pg_basebackup is not on the PATH; it comes with PostgreSQL's client")
        command = [program, "--pgdata", str(self._settings.directory), "--dbname", self._conninfo]
        command += ["--progress", "--checkpoint", "fast", "--no-password"]
        command += ["--manifest-checksums", "SHA256"]
        if self._settings.rate is not None:
            command += ["--max-rate", str(self._settings.rate)]
        environment = {**os.environ, **self._secret, "LC_ALL": "C"}
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            # A group of its own, for `_end`.
            start_new_session=True,
        ) as process:
            try:
                parent = self._parent(process)
                # Both from the start, so that whoever looks sees what is still to come.
                receive = self._task("receive", parent)
                verify = self._task("verify", parent)
                try:
                    with receive, receive.on_abort(lambda: _end(process)):
                        _follow(process, receive)
                except BaseException:
                    verify.fail("there is no backup to verify")
                    raise
            except BaseException:
                _end(process)
                raise
        with verify:
            _verify(self._settings.directory, verify)

    def _parent(self, process: subprocess.Popen[str]) -> UUID | None:
        """The virtual task, if the backup is not over before that was seen."""
        while process.poll() is None:
            for id, seen in self._watch.running().items():
                if seen.operation.application == self._application:
                    return id
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
        return None

    def _task(self, type: str, parent: UUID | None) -> taskmgr.Task:
        directory = str(self._settings.directory)
        return self._module.task(
            type, parent=parent, entity=directory, scope="node", units="bytes", abortable=True
        )


def _end(process: subprocess.Popen[str]) -> None:
    """Ends `pg_basebackup` with its child, which would keep the server's connection open."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


def _follow(process: subprocess.Popen[str], task: taskmgr.Task) -> None:
    """Counts what `pg_basebackup` receives, until it ends."""
    assert process.stderr is not None  # it is a pipe
    said: list[str] = []
    for line in process.stderr:
        progress = PROGRESS.match(line)
        if progress is None:
            said.append(line.strip())
            continue
        done, total = (int(kilobytes) * KILOBYTE for kilobytes in progress.groups())
        task.set_total(total)
        task.set_completed(done)
    code = process.wait()
    task.check_abort()
    if code != 0:
        errors = [line for line in said if "error: " in line] or said
        raise Failed(" ".join(errors) or f"pg_basebackup ended with status {code}")


def _verify(directory: Path, task: taskmgr.Task) -> None:
    """Compares every file with its checksum in the manifest."""
    manifest = json.loads((directory / "backup_manifest").read_bytes())
    files = manifest["Files"]
    task.set_total(sum(entry["Size"] for entry in files))
    for entry in files:
        path = directory / _path(entry)
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(MEGABYTE):
                digest.update(chunk)
                task.check_abort()
                task.advance(len(chunk))
        if digest.hexdigest() != entry["Checksum"]:
            raise Failed(f"{path} is not what the server sent: its checksum differs")


def _path(entry: dict[str, Any]) -> str:
    if "Path" in entry:
        return str(entry["Path"])
    # A name that is not UTF-8.
    return os.fsdecode(bytes.fromhex(entry["Encoded-Path"]))
