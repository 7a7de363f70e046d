"""What the tests share."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest
import taskmgr

# Where there is no driver of PostgreSQL, as without a GIL, the tests that want one fail or are
# left out by whoever runs them.
pytest_plugins = ["postgres_fixtures"] if importlib.util.find_spec("psycopg") else []

# A bound for what is woken by an event: only a hang comes to it.
GUARD = 60.0


@pytest.fixture
def clock() -> taskmgr.ManualClock:
    return taskmgr.ManualClock()


@pytest.fixture
def manager(clock: taskmgr.ManualClock) -> Iterator[taskmgr.Manager]:
    """One whose roots stay for a minute of the manual clock."""
    manager = taskmgr.Manager(task_ttl=60, clock=clock, node="10.0.0.1")
    yield manager
    # What a test has left at work is told to abort, and not waited for.
    with contextlib.suppress(taskmgr.Closed):
        manager.close(0)


@pytest.fixture
def module(manager: taskmgr.Manager) -> taskmgr.Module:
    return manager.register_module("repair")


def raises(error: type[BaseException], call: Callable[..., object], *args: object) -> None:
    """As `pytest.raises`, for the target of a thread."""
    with pytest.raises(error):
        call(*args)


Script = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def script() -> Iterator[Script]:
    """Runs a piece of Python in a process of its own."""
    running: list[subprocess.Popen[str]] = []

    def start(text: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", textwrap.dedent(text)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
