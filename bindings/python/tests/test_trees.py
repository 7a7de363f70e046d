"""Modules, ids, trees and lists: what hangs where, and what is shown of it."""

from __future__ import annotations

import uuid
from itertools import product

import pytest
import taskmgr
from taskmgr import Manager, Module, State


def test_mod_1_names(manager: Manager, module: Module) -> None:
    assert (module.name, manager.modules()) == ("repair", ["repair"])
    with pytest.raises(taskmgr.ModuleExists):
        manager.register_module("repair")
    with pytest.raises(taskmgr.UnknownModule, match="backup"):
        manager.module("backup")
    for name in ("", "a\nb", "x" * 256):
        with pytest.raises(taskmgr.InvalidArgument):
            manager.register_module(name)


def test_mod_1_closing(manager: Manager, module: Module) -> None:
    task = module.task("repair").start()
    report = module.close(0)
    assert not report.is_complete
    assert [stats.id for stats in report.still_running] == [task.id]
    assert task.abort_requested
    with pytest.raises(taskmgr.ModuleExists):
        manager.register_module("repair")
    with pytest.raises(taskmgr.Closed):
        module.task("repair")
    with pytest.raises(taskmgr.Aborted):
        task.finish()
    assert module.close().is_complete
    anew = manager.register_module("repair")
    assert anew.list() == []
    assert module.close().is_complete, "the earlier one, which is over"
    with pytest.raises(taskmgr.Closed):
        module.drain()
    root = anew.task("repair").start()
    assert not root.abort_requested
    assert root.status().sequence_number == 1
    root.finish()


def test_mod_1_a_closed_manager() -> None:
    with Manager() as manager:
        manager.register_module("repair")
    with pytest.raises(taskmgr.Closed):
        manager.modules()
    assert manager.close().is_complete


def test_id_1_ids(manager: Manager, module: Module) -> None:
    drawn = module.task("repair").id
    assert isinstance(drawn, uuid.UUID)
    assert drawn.version == 4
    given = uuid.uuid4()
    task = module.task("repair", id=given).start()
    assert task.id == given
    assert manager.status(str(given)).id == given
    with pytest.raises(taskmgr.IdInUse):
        module.task("repair", id=str(given))
    with pytest.raises(taskmgr.InvalidArgument):
        module.task("repair", id=uuid.UUID(int=0))
    with pytest.raises(taskmgr.NotFound) as caught:
        manager.status(uuid.UUID(int=given.int ^ 1))
    assert caught.value.task_id == uuid.UUID(int=given.int ^ 1)
    assert not isinstance(caught.value, taskmgr.Gone)


def test_seq_1_numbers(manager: Manager, module: Module) -> None:
    other = manager.register_module("streaming")
    roots = [module.task("r", shard=shard).start() for shard in (0, 0, 1)]
    numbers = [root.status().sequence_number for root in roots]
    assert numbers == [1, 2, 1]
    child = roots[1].child("stream", shard=7, module=other).start()
    status = child.status()
    assert (status.sequence_number, status.shard, status.module) == (2, 7, "streaming")


def test_tree_1_parents_by_handle_and_by_id(module: Module) -> None:
    parent = module.task("repair").start()
    for named in (parent, parent.reporter(), parent.observe(), parent.id, str(parent.id)):
        child = module.task("repair", parent=named).start()
        status = child.status()
        assert status.parent_id == parent.id
        assert status.internal
        child.finish()
    assert parent.status().child_counts.succeeded == 5
    with pytest.raises(taskmgr.NotFound):
        module.task("repair", parent=uuid.uuid4())


def test_tree_2_an_internal_root_goes_at_once(manager: Manager, module: Module) -> None:
    with module.task("flush", internal=True) as task:
        assert module.list() == []
        assert [stats.id for stats in module.list(internal=True)] == [task.id]
    with pytest.raises(taskmgr.Gone):
        manager.status(task.id)


def test_fold_1_a_finished_child_is_its_parents(manager: Manager, module: Module) -> None:
    with module.task("repair") as parent:
        child = parent.child("repair", table="events").start()
        child.finish()
        with pytest.raises(taskmgr.Gone) as caught:
            manager.status(child.id)
        error = caught.value
        assert (error.reason, error.state) == ("folded", State.DONE)
        assert [kept.task_id for kept in parent.status().children] == [child.id]
        assert parent.status().children[0].node == "10.0.0.1"
        assert [s.table for s in manager.status_tree(parent.id)] == ["", "events"]


def test_fold_2_a_failure_is_kept_with_its_path(module: Module) -> None:
    with module.task("repair") as root:
        with root.child("keyspace") as middle:
            middle.child("good").start().finish()
            middle.child("bad").start().fail("no space")
        types = [status.type for status in root.observe().status_tree()]
        assert types == ["repair", "keyspace", "bad"]
        assert root.status().first_error == "no space"


def test_fold_3_a_parent_that_ends_first(manager: Manager, module: Module) -> None:
    root = module.task("repair").start()
    child = root.child("repair").start()
    root.finish()
    status = root.status()
    assert (status.state, status.settled) == (State.DONE, False)
    with pytest.raises(taskmgr.NotSettled):
        manager.take_status(root.id)
    child.finish()
    assert root.status().settled
    assert manager.take_status(root.id).child_counts.succeeded == 1


def test_fold_4_what_is_kept_is_bounded() -> None:
    manager = Manager(max_kept_children=10)
    with manager.register_module("repair").task("repair") as root:
        for number in range(100):
            with root.child("repair", entity=str(number), total=1, units="rows") as child:
                child.advance()
        status = root.status()
        assert len(status.children) == 10
        assert (status.child_counts.succeeded, status.child_counts.not_kept) == (100, 90)
        assert (status.progress.completed, status.progress.units) == (100, "rows")
        kept = [status.entity for status in root.observe().status_tree()[1:]]
        assert kept == [str(number) for number in range(90, 100)]


def test_fold_5_breadth_first(module: Module) -> None:
    root = module.task("root").start()
    a, b = root.child("a").start(), root.child("b").start()
    rest = [b.child("b1").start(), a.child("a1").start(), a.child("a2").start()]
    types = [status.type for status in root.observe().status_tree()]
    assert types == ["root", "a", "b", "a1", "a2", "b1"]
    assert len(rest) == 3


def test_list_1_filters(manager: Manager, module: Module, clock: taskmgr.ManualClock) -> None:
    tasks = []
    for scope, keyspace, table in product(("table", "range"), "ab", "xy"):
        tasks.append(module.task("repair", scope=scope, keyspace=keyspace, table=table).start())
        clock.advance(1)
    tasks[0].finish()
    ids = [task.id for task in tasks]
    assert [stats.id for stats in module.list()] == ids
    assert [stats.id for stats in module.list(limit=3)] == ids[:3]
    assert len(module.list(keyspace="a")) == 4
    assert len(module.list(keyspace="a", table="y")) == 2
    assert len(module.list(scope="range", keyspace="", table="y")) == 2
    assert len(module.list(type="repair")) == 8
    assert module.list(type="cleanup") == []
    assert [stats.id for stats in manager.list("repair", state="done")] == ids[:1]
    assert len(manager.list("repair", state=State.RUNNING)) == 7
    with pytest.raises(taskmgr.UnknownModule):
        manager.list("backup")
    with pytest.raises(taskmgr.InvalidArgument, match="paused"):
        module.list(state="paused")


def test_a_deep_tree_is_drawn_as_far_as_it_can_be_read(module: Module) -> None:
    tasks = [module.task("root").start()]
    for _ in range(3000):
        tasks.append(tasks[-1].child("deeper").start())
    tree = tasks[0].observe().tree()
    assert len(str(tree).splitlines()) == 1 + 32 + 1
    assert str(tree).endswith("└─ and 1 more")
    assert len(tree.draw(depth=3000).splitlines()) == 3001
    while tasks:
        tasks.pop().finish()
