"""What the tests of `postgres_node` share: a server, nodes beside it, and what holds operations.

Operations are held where a test wants them, by locks and pins, or are so slow that they do not
end before they are looked at: no test depends on how fast the machine is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from postgres import GATE, Cluster, Gate, Node, Pin, Statement, running_cluster

ROWS = 10_000


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        with cluster.connect() as connection:
            connection.execute("CREATE DATABASE other")
        for database in ("postgres", "other"):
            with cluster.connect(database) as connection:
                connection.execute(GATE)
        yield cluster


@pytest.fixture
def start(cluster: Cluster) -> Iterator[Callable[..., Node]]:
    """Starts nodes that are gone with the test."""
    nodes: list[Node] = []

    def start(*options: object, **more: Any) -> Node:
        nodes.append(Node(cluster, *options, **more))
        return nodes[-1]

    yield start
    for node in nodes:
        node.kill()


@pytest.fixture(scope="session")
def node(cluster: Cluster) -> Iterator[Node]:
    """One for all tests that need nothing particular. It goes on whatever happens."""
    node = Node(cluster)
    yield node
    try:
        assert node.process.poll() is None, node.errors()
        assert node.end() == 0
        assert node.errors() == ""
    finally:
        node.kill()


@pytest.fixture
def table(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A table of the test's own, in both databases."""
    name = re.sub(r"\W", "_", request.node.name)[:50].lower()
    for database in ("postgres", "other"):
        with cluster.connect(database) as connection:
            connection.execute(
                f"CREATE TABLE {name} AS SELECT i, repeat('x', 500) AS pad"
                f" FROM generate_series(1, {ROWS}) AS i".encode()
            )
    yield name
    for database in ("postgres", "other"):
        with cluster.connect(database) as connection:
            connection.execute(f"DROP TABLE {name}".encode())


@pytest.fixture
def run(cluster: Cluster, table: str) -> Iterator[Callable[..., Statement]]:
    """Runs SQL aside, until the end of the test at the latest."""
    statements: list[Statement] = []

    def run(sql: str, database: str = "postgres") -> Statement:
        statements.append(Statement(cluster, sql, database))
        return statements[-1]

    yield run
    for statement in statements:
        statement.stop()


@pytest.fixture
def gate(cluster: Cluster, table: str) -> Iterator[Callable[..., Gate]]:
    """Holds rows, until the end of the test at the latest."""
    gates: list[Gate | Pin] = []

    def hold(row: int, database: str = "postgres") -> Gate:
        gates.append(made := Gate(cluster, row, database))
        return made

    yield hold
    for each in gates:
        each.open()


@pytest.fixture
def pin(cluster: Cluster, table: str) -> Iterator[Callable[[int], Pin]]:
    """Holds pages, until the end of the test at the latest."""
    pins: list[Pin] = []

    def hold(row: int) -> Pin:
        pins.append(made := Pin(cluster, table, row))
        return made

    yield hold
    for each in pins:
        each.open()
