"""Virtual tasks: those that an object of Python's answers for."""

from __future__ import annotations

import asyncio
import pickle
import re
import signal
import threading
import time
import uuid
from collections.abc import Iterable
from datetime import datetime, timezone

import pytest
import taskmgr
from conftest import GUARD, Script
from taskmgr import Kind, Manager, Module, Progress, State, Stats, Status


class Topology(taskmgr.Provider):
    """One task, which ends when it is told to."""

    def __init__(self) -> None:
        self.id = uuid.uuid4()
        self.state = State.RUNNING
        self.asked: list[str] = []
        self.watching: list[taskmgr.Completion] = []
        self.raises: Exception | None = None
        self.hangs: threading.Event | None = None

    def view(self) -> Status:
        return Status(
            id=self.id,
            type="topology change",
            scope="cluster",
            state=self.state,
            is_abortable=True,
            start_time=datetime(2024, 1, 2, 3, 4, 5, 678901, timezone.utc),
            progress=Progress(3, 7, True, "nodes"),
            children=(taskmgr.ChildId(uuid.UUID(int=5), "10.0.0.2"),),
        )

    def enter(self, what: str) -> None:
        self.asked.append(what)
        if self.hangs is not None:
            self.hangs.wait(GUARD)
        if self.raises is not None:
            raise self.raises

    def list(self) -> Iterable[Stats]:
        self.enter("list")
        yield Stats(id=self.id, type="topology change", state=self.state)

    def status(self, id: uuid.UUID) -> Status | None:
        self.enter("status")
        return self.view() if id == self.id else None

    def abort(self, id: uuid.UUID, reason: str) -> None:
        self.enter(f"abort {reason}")
        self.end(State.FAILED)

    def watch(self, id: uuid.UUID, done: taskmgr.Completion) -> None:
        self.enter("watch")
        self.watching.append(done)
        if self.state.is_terminal:
            done.complete(self.view())

    def end(self, state: State = State.DONE) -> None:
        self.state = state
        for done in self.watching:
            done.complete(self.view())


@pytest.fixture
def topology(module: Module) -> Topology:
    topology = Topology()
    module.register_provider(topology)
    return topology


def test_virt_1_its_tasks_appear(manager: Manager, module: Module, topology: Topology) -> None:
    own = module.task("repair").start()
    listed = {stats.id: stats.kind for stats in module.list()}
    assert listed == {own.id: Kind.NODE, topology.id: Kind.CLUSTER}
    status = manager.status(topology.id)
    assert (status.kind, status.module, status.scope) == (Kind.CLUSTER, "repair", "cluster")
    assert status.progress == Progress(3, 7, True, "nodes")
    assert status.start_time == topology.view().start_time
    assert taskmgr.ChildId(uuid.UUID(int=5), "10.0.0.2") in status.children
    with pytest.raises(taskmgr.NotFound):
        manager.status(uuid.uuid4())
    assert "topology change" in str(manager.tree())


def test_virt_1_local_children(manager: Manager, module: Module, topology: Topology) -> None:
    child = module.task("stream", parent=topology.id).start()
    assert child.status().parent_id == topology.id
    tree = manager.status_tree(topology.id)
    assert [status.type for status in tree] == ["topology change", "stream"]
    assert child.id in [listed.task_id for listed in tree[0].children]
    # In the module's list it is a root; in the tree of all, its parent's child and nothing else.
    assert {child.id, topology.id} == {stats.id for stats in module.list()}
    drawn = str(manager.tree()).splitlines()
    # Its provider names one more, which is elsewhere.
    names = [line.split("  ")[0] for line in drawn]
    assert names == ["topology change cluster", "├─ stream", "└─ and 1 more"]


def test_virt_1_abort(manager: Manager, topology: Topology) -> None:
    manager.abort(topology.id, "enough")
    assert "abort enough" in topology.asked
    assert manager.status(topology.id).state is State.FAILED


def test_virt_1_wait(manager: Manager, topology: Topology) -> None:
    observer = manager.observe(topology.id)
    with pytest.raises(taskmgr.Timeout):
        observer.wait(0.01)
    assert all(done.is_cancelled for done in topology.watching)
    seen: list[object] = []
    observer.on_done(seen.append)
    ending = threading.Thread(target=topology.end)
    ending.start()
    assert observer.wait(GUARD).state is State.DONE
    assert manager.wait(topology.id, GUARD).kind is Kind.CLUSTER
    ending.join(GUARD)

    async def main() -> Status:
        return await asyncio.wait_for(observer, GUARD)

    assert asyncio.run(main()).state is State.DONE
    assert [getattr(status, "state", status) for status in seen] == [State.DONE]


def test_virt_1_a_watch_that_is_dropped(manager: Manager, topology: Topology) -> None:
    observer = manager.observe(topology.id)
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            observer.wait(GUARD)
        except taskmgr.ProviderError as error:
            failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while "watch" not in topology.asked:
        time.sleep(0.001)
    topology.watching.clear()
    waiting.join(GUARD)
    assert "dropped the watch" in str(failed[0])


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError("gone"), taskmgr.ProviderError, "OSError: gone"),
        (taskmgr.NotSupported("not here"), taskmgr.NotSupported, "not here"),
    ],
)
def test_virt_1_a_failure_spoils_its_own_answer_only(
    manager: Manager,
    module: Module,
    topology: Topology,
    error: Exception,
    kind: type[Exception],
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = module.task("repair").start()
    assert module.list().is_complete
    topology.raises = error
    caplog.clear()
    listed = module.list()
    assert [stats.id for stats in listed] == [own.id]
    assert not listed.is_complete
    assert "repair" in listed.missing[0]
    assert re.search(words, listed.missing[0])
    assert [(each.levelname, each.name) for each in caplog.records] == [("WARNING", "taskmgr")]
    assert listed.missing[0] in caplog.text
    caplog.clear()
    manager.tree()
    assert listed.missing[0] in caplog.text
    with pytest.raises(kind, match=words):
        manager.status(topology.id)
    assert manager.status(own.id).state is State.RUNNING


def test_virt_1_one_that_takes_too_long() -> None:
    manager = Manager(provider_deadline=0.05)
    module = manager.register_module("node_ops")
    topology = Topology()
    module.register_provider(topology)
    topology.hangs = threading.Event()
    with pytest.raises(taskmgr.ProviderError, match="longer"):
        manager.status(topology.id)
    listed = manager.list("node_ops")
    assert listed == []
    assert len(listed.missing) == 1
    assert pickle.loads(pickle.dumps(listed)).missing == listed.missing
    topology.hangs.set()


def test_wait_2_a_wait_is_no_longer_than_its_timeout() -> None:
    manager = Manager(provider_deadline=GUARD)
    module = manager.register_module("node_ops")
    topology = Topology()
    module.register_provider(topology)
    observer = manager.observe(topology.id)
    topology.hangs = threading.Event()
    begun = time.monotonic()
    for timeout in (0, 0.01):
        with pytest.raises(taskmgr.Timeout):
            manager.wait(topology.id, timeout)
        with pytest.raises(taskmgr.Timeout):
            observer.wait(timeout)
    assert time.monotonic() - begun < GUARD / 2
    topology.hangs.set()


@pytest.mark.parametrize("answer", [3, "x", taskmgr.ManualClock()])
def test_virt_1_answers_that_are_none(
    manager: Manager, topology: Topology, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    monkeypatch.setattr(topology, "status", lambda id: answer)
    with pytest.raises(taskmgr.ProviderError, match=r"taskmgr\.Status"):
        manager.status(topology.id)
    bad = Status(id=topology.id, type="x", shard=-1)
    monkeypatch.setattr(topology, "status", lambda id: bad)
    with pytest.raises(taskmgr.ProviderError, match="shard"):
        manager.status(topology.id)


def test_virt_1_what_is_no_provider(module: Module) -> None:
    with pytest.raises(TypeError, match="method list"):
        module.register_provider(3)  # type: ignore[arg-type]


def test_wait_5_nothing_waits_inside_a_provider(
    manager: Manager, module: Module, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = module.task("repair").start()

    def status(id: uuid.UUID) -> Status | None:
        running.observe().wait()
        return None

    monkeypatch.setattr(topology, "status", status)
    with pytest.raises(taskmgr.WouldDeadlock):
        manager.status(topology.id)


def test_ctrl_c_ends_a_question_to_a_provider(script: Script) -> None:
    process = script(
        """
import signal, taskmgr, threading, uuid
signal.signal(signal.SIGINT, signal.default_int_handler)
class Slow(taskmgr.Provider):
    def list(self): return []
    def status(self, id): threading.Event().wait(30)
manager = taskmgr.Manager(provider_deadline=3600)
manager.register_module("m").register_provider(Slow())
print("ready")
try:
    manager.status(uuid.uuid4())
except KeyboardInterrupt:
    print("interrupted")
import os; os._exit(0)
"""
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    # It shall be asleep by then; if it is not yet, it is interrupted all the same.
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=GUARD) == ("interrupted\n", "")
