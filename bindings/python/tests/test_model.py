"""Random trees, against a model that has no concurrency and no bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

import hypothesis
import taskmgr
from hypothesis import strategies as st
from taskmgr import Manager, State, Status, Task

OPERATIONS = st.tuples(
    st.sampled_from(["leaf", "inner", "advance", "advance", "finish", "finish", "fail", "abort"]),
    st.integers(0, 2**16),
    st.integers(0, 5),
)


@dataclass
class Node:
    """What must hold of a task: leaves count rows, inner ones show what is below them."""

    task: Task
    parent: Node | None
    total: int = 0
    completed: int = 0
    is_leaf: bool = False
    state: str = "running"
    error: str | None = None
    aborted: bool = False
    folded: bool = False
    first_error: str | None = None
    children: list[Node] = field(default_factory=list)
    counts: list[int] = field(default_factory=lambda: [0, 0])
    sums: list[int] = field(default_factory=lambda: [0, 0])

    def told(self) -> bool:
        return self.aborted or (self.parent is not None and self.parent.told())

    def progress(self) -> tuple[int, int]:
        if self.is_leaf:
            return self.completed, max(self.total, self.completed)
        live = [child.progress() for child in self.children if not child.folded]
        done, total = self.sums
        return done + sum(d for d, _ in live), total + sum(t for _, t in live)

    def has_failure(self) -> bool:
        return self.state == "failed" or any(child.has_failure() for child in self.children)

    def end(self, state: str, error: str | None) -> None:
        if self.told():
            state, error = "failed", error or "aborted"
        self.state, self.error = state, error
        self.fold()

    def fold(self) -> None:
        if self.state == "running" or any(not child.folded for child in self.children):
            return
        self.folded = True
        if self.parent is None:
            return
        parent = self.parent
        done, total = self.progress()
        parent.sums[0] += done
        parent.sums[1] += total
        parent.counts[self.state == "failed"] += 1
        parent.first_error = parent.first_error or self.first_error or self.error
        self.children = [child for child in self.children if child.has_failure()]
        parent.fold()

    def breadth_first(self) -> list[Node]:
        order: list[Node] = [self]
        for node in order:
            order.extend(node.children)
        return order


def same(node: Node, status: Status) -> None:
    assert status.id == node.task.id
    assert status.state == node.state
    assert status.parent_id == (node.parent.task.id if node.parent else None)
    assert status.error == node.error
    progress = status.progress
    assert (progress.completed, progress.total, progress.units) == (*node.progress(), "rows")
    assert [child.task_id for child in status.children] == [c.task.id for c in node.children]
    if not (node.folded and node.parent):
        counts = status.child_counts
        live = sum(not child.folded for child in node.children)
        assert [counts.live, counts.succeeded, counts.failed] == [live, *node.counts]
        assert status.first_error == node.first_error


class Forest:
    def __init__(self) -> None:
        self.manager = Manager(task_ttl=60)
        self.module = self.manager.register_module("m")
        self.root = Node(self.module.task("root").start(), None)
        self.all = [self.root]
        self.ended = 0
        self.leaf(self.root, 3)

    def add(self, node: Node) -> None:
        assert node.parent is not None
        node.parent.children.append(node)
        self.all.append(node)

    def leaf(self, parent: Node, total: int) -> None:
        task = parent.task.child("leaf", total=total, units="rows").start()
        self.add(Node(task, parent, total=total, is_leaf=True))

    def apply(self, what: str, which: int, amount: int) -> None:
        live = [node for node in self.all if node.state == "running"]
        node = live[which % len(live)]
        if what in ("leaf", "inner"):
            if node.is_leaf or node.told():
                return
            if what == "inner":
                inner = Node(node.task.child("inner").start(), node)
                self.add(inner)
                node = inner
            self.leaf(node, amount)
        elif what == "advance" and node.is_leaf:
            node.task.advance(amount)
            node.completed += amount
        elif what == "abort":
            node.task.abort("abort")
            node.aborted = True
        elif what in ("finish", "fail"):
            self.end(node, what)

    def end(self, node: Node, how: str) -> None:
        told = node.told()
        self.ended += 1
        text = f"no {self.ended}"
        try:
            node.task.finish() if how == "finish" else node.task.fail(text)
            assert not told or how == "fail"
        except taskmgr.Aborted:
            assert told
        failed = how == "fail"
        error = ": ".join(["aborted: abort"] * told + [text] * failed) or None
        node.end("failed" if failed else "done", error)

    def check(self) -> None:
        for node in self.all:
            assert node.task.abort_requested == (node.told() and node.state == "running") or (
                node.state != "running"
            )
        nodes = self.root.breadth_first()
        statuses = self.manager.status_tree(self.root.task.id)
        assert [s.id for s in statuses] == [n.task.id for n in nodes]
        for node, status in zip(nodes, statuses, strict=True):
            same(node, status)
        assert statuses[0].settled == self.root.folded


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(st.lists(OPERATIONS, max_size=40))
def test_random_trees(operations: list[tuple[str, int, int]]) -> None:
    forest = Forest()
    for what, which, amount in operations:
        if all(node.state != "running" for node in forest.all):
            break
        forest.apply(what, which, amount)
        forest.check()
    for node in forest.all:
        if node.state == "running":
            forest.end(node, "finish")
    forest.check()
    assert forest.root.folded
    (stats,) = forest.module.list(internal=True)
    assert (stats.id, State(stats.state).is_terminal) == (forest.root.task.id, True)
