"""Retention: for how long what has ended is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
import taskmgr
from taskmgr import Manager, ManualClock, Module, State


def ended(module: Module, **attributes: object) -> taskmgr.Task:
    with module.task("repair", **attributes) as task:  # type: ignore[arg-type]
        pass
    return task


def test_ttl_1_two_kinds(manager: Manager, module: Module, clock: ManualClock) -> None:
    assert (manager.task_ttl, manager.user_task_ttl) == (60.0, 3600.0)
    plain, users = ended(module), ended(module, user_task=True)
    clock.advance(59)
    assert manager.status(plain.id).state is State.DONE
    clock.advance(timedelta(seconds=1))
    with pytest.raises(taskmgr.Expired) as caught:
        manager.status(plain.id)
    assert (caught.value.reason, caught.value.state) == ("expired", State.DONE)
    assert manager.status(users.id).user_task
    clock.advance(timedelta(hours=1))
    with pytest.raises(taskmgr.Expired):
        manager.status(users.id)


def test_ttl_1_a_later_change_does_not_move_it(
    manager: Manager, module: Module, clock: ManualClock
) -> None:
    before = ended(module)
    assert manager.set_task_ttl(timedelta(minutes=10)) == 60.0
    after = ended(module)
    assert manager.set_user_task_ttl(0.5) == 3600.0
    assert manager.user_task_ttl == 0.5
    clock.advance(60)
    assert [stats.id for stats in module.list()] == [after.id]
    assert before.status().state is State.DONE
    with pytest.raises(taskmgr.InvalidArgument):
        manager.set_task_ttl(float("inf"))


def test_ttl_2_hidden_before_it_is_swept(
    manager: Manager, module: Module, clock: ManualClock
) -> None:
    ended(module)
    clock.advance(60)
    assert module.list() == []
    assert (manager.tick(), manager.tick()) == (1, 0)


def test_ttl_3_looking_taking_and_reading(manager: Manager, module: Module) -> None:
    task = module.task("repair").start()
    with pytest.raises(taskmgr.NotSettled):
        manager.take_status(task.id)
    assert manager.read_status(task.id).state is State.RUNNING
    task.finish()
    assert manager.wait(task.id).state is State.DONE
    assert manager.status(task.id).state is State.DONE
    assert [status.id for status in manager.take_status_tree(task.id)] == [task.id]
    with pytest.raises(taskmgr.Gone) as caught:
        manager.status(task.id)
    assert caught.value.reason == "read"
    again = ended(module)
    assert manager.read_status_tree(again.id)[0].id == again.id
    with pytest.raises(taskmgr.Gone):
        manager.read_status(again.id)


def test_ttl_3_keep_on_read() -> None:
    manager = Manager(task_ttl=60, keep_on_read=True)
    assert manager.keep_on_read
    task = ended(manager.register_module("repair"))
    for _ in range(2):
        assert manager.read_status(task.id).state is State.DONE


def test_ttl_4_drain(manager: Manager, module: Module) -> None:
    tasks = [ended(module) for _ in range(3)]
    running = module.task("repair").start()
    assert (manager.drain("repair"), module.drain()) == (3, 0)
    assert [stats.id for stats in module.list()] == [running.id]
    with pytest.raises(taskmgr.Gone) as caught:
        manager.observe(tasks[0].id)
    assert caught.value.reason == "drained"
    running.finish()


def test_ttl_5_the_memory_of_what_is_gone_is_bounded() -> None:
    manager = Manager(tombstones=0)
    task = ended(manager.register_module("repair"))
    with pytest.raises(taskmgr.NotFound) as caught:
        manager.status(task.id)
    assert type(caught.value) is taskmgr.NotFound


def test_ttl_9_no_more_modules_than_the_bound() -> None:
    manager = Manager(max_modules=1)
    first = manager.register_module("first")
    with pytest.raises(taskmgr.Exhausted, match="max_modules"):
        manager.register_module("second")
    first.close()
    manager.register_module("second")


def test_ttl_9_no_more_live_tasks_than_the_bound() -> None:
    manager = Manager(max_live_tasks=1)
    module = manager.register_module("repair")
    with module.task("repair"), pytest.raises(taskmgr.Exhausted, match="max_live_tasks"):
        module.task("repair")
    ended(module)
    unbounded = Manager(max_live_tasks=None).register_module("repair")
    for task in [unbounded.task("repair") for _ in range(100)]:
        task.start()
        task.finish()


def test_ttl_7_what_has_finished_takes_no_more_than_it_may() -> None:
    manager = Manager(task_ttl=60, max_finished_bytes=0)
    task = ended(manager.register_module("repair"))
    with pytest.raises(taskmgr.Gone) as caught:
        manager.status(task.id)
    assert (caught.value.reason, caught.value.state) == ("evicted", State.DONE)
    assert (manager.evicted, manager.finished_bytes) == (1, 0)
    roomy = Manager(task_ttl=60)
    ended(roomy.register_module("repair"))
    assert roomy.evicted == 0 < roomy.finished_bytes
