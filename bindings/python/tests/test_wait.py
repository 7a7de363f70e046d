"""Waits: nobody wakes late, early, or twice."""

from __future__ import annotations

import threading
import time

import pytest
import taskmgr
from conftest import GUARD, raises
from taskmgr import Manager, Module, State


def test_wait_1_every_waiter_with_a_ttl_of_0() -> None:
    manager = Manager()
    module = manager.register_module("repair")
    for _ in range(50):
        task = module.task("repair").start()
        observer = task.observe()
        seen: list[State] = []
        waiters = [
            threading.Thread(target=lambda o=observer, s=seen: s.append(o.wait(GUARD).state))
            for _ in range(4)
        ]
        for waiter in waiters:
            waiter.start()
        task.finish()
        seen.append(manager_wait(manager, observer))
        for waiter in waiters:
            waiter.join(GUARD)
        assert seen == [State.DONE] * 5


def manager_wait(manager: Manager, observer: taskmgr.Observer) -> State:
    with pytest.raises(taskmgr.Gone):
        manager.wait(observer.id)
    return observer.wait().state


def test_wait_1_a_child_that_folds_away(module: Module) -> None:
    with module.task("repair") as parent:
        child = parent.child("repair").start()
        observer = child.observe()
        threading.Thread(target=child.fail, args=("no space",)).start()
        status = observer.wait(GUARD)
        assert (status.state, status.error) == (State.FAILED, "no space")
        assert observer.is_terminal


def test_wait_2_a_timeout_is_of_its_own_kind(module: Module) -> None:
    task = module.task("repair").start()
    for timeout in (0, 0.0, 0.01, 0.06):
        with pytest.raises(taskmgr.Timeout) as caught:
            task.observe().wait(timeout)
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.task_id == task.id
    task.finish()
    assert task.observe().wait(0).state is State.DONE


def test_wait_2_how_long_it_takes(module: Module) -> None:
    task = module.task("repair").start()
    began = time.monotonic()
    with pytest.raises(taskmgr.Timeout):
        task.observe().wait(0.3)
    assert time.monotonic() - began >= 0.3


def test_wait_3_a_callback_gets_the_final_status(module: Module) -> None:
    task = module.task("repair").start()
    seen: list[object] = []
    task.observe().on_done(seen.append)
    cancelled = task.observe().on_done(lambda _: seen.append("cancelled"))
    cancelled.cancel()
    task.advance(3)
    task.finish()
    task.observe().on_done(seen.append)
    assert [getattr(status, "state", status) for status in seen] == [State.DONE] * 2


def test_wait_3_a_waiter_of_a_manager_that_closes() -> None:
    manager = Manager()
    task = manager.register_module("repair").task("repair").start()
    seen: list[object] = []
    task.observe().on_done(seen.append)
    waiting = threading.Thread(target=lambda: raises(taskmgr.Closed, task.observe().wait, GUARD))
    waiting.start()
    report = manager.close(0.1)
    waiting.join(GUARD)
    assert not waiting.is_alive()
    assert [stats.id for stats in report.still_running] == [task.id]
    assert [type(error) for error in seen] == [taskmgr.Closed]


def test_wait_4_waiting_burns_no_cpu(module: Module) -> None:
    task = module.task("repair").start()
    began = time.process_time()
    with pytest.raises(taskmgr.Timeout):
        task.observe().wait(1)
    assert time.process_time() - began < 0.2


def test_wait_5_nothing_waits_inside_a_callback(module: Module) -> None:
    other = module.task("repair").start()
    other.observe().suspend()
    task = module.task("repair").start()
    errors: list[object] = []

    def callback(_: object) -> None:
        for wait in (
            lambda: other.observe().wait(),
            lambda: other.observe().wait(GUARD),
            other.checkpoint,
            lambda: module.close(GUARD),
        ):
            try:
                wait()
            except taskmgr.TaskmgrError as error:
                errors.append(type(error))
        report = module.close(0)
        errors.append([stats.id for stats in report.still_running])

    task.observe().on_done(callback)
    task.finish()
    assert errors == [taskmgr.WouldDeadlock] * 4 + [[other.id]]


def test_wait_5_nonblocking(module: Module) -> None:
    task = module.task("repair").start()
    assert taskmgr.nonblocking(task.status).state is State.RUNNING
    with pytest.raises(taskmgr.WouldDeadlock):
        taskmgr.nonblocking(task.observe().wait, timeout=GUARD)
