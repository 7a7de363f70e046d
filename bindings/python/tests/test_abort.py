"""Aborts: who may ask, whom it reaches, and how work sees it."""

from __future__ import annotations

import threading

import pytest
import taskmgr
from conftest import GUARD, raises
from taskmgr import Manager, Module


def test_abort_1_only_what_is_abortable(manager: Manager, module: Module) -> None:
    task = module.task("repair").start()
    with pytest.raises(taskmgr.NotAbortable) as caught:
        manager.abort(task.id, "now")
    assert caught.value.task_id == task.id
    with pytest.raises(taskmgr.NotAbortable):
        task.observe().abort()
    assert not task.abort_requested
    assert task.status().abort is None
    willing = module.task("repair", abortable=True).start()
    manager.abort(willing.id, "now")
    assert willing.abort_requested


def test_abort_2_it_reaches_all_below(module: Module) -> None:
    root = module.task("repair", abortable=True).start()
    child = root.child("repair").start()
    grandchild = child.child("repair").start()
    root.observe().abort("now")
    assert child.abort_requested
    with pytest.raises(taskmgr.Aborted, match="aborted: now"):
        grandchild.check_abort()
    born = child.child("repair")
    assert born.abort_requested
    with pytest.raises(taskmgr.Aborted):
        born.start()


def test_abort_2_also_below_one_that_has_ended(module: Module) -> None:
    root = module.task("repair", abortable=True).start()
    child = root.child("repair").start()
    root.finish()
    root.observe().abort("now")
    assert child.abort_requested


def test_abort_3_the_first_reason_wins(module: Module) -> None:
    task = module.task("repair", abortable=True).start()
    task.observe().abort("first")
    task.observe().abort("second")
    abort = task.status().abort
    assert abort is not None
    assert abort.reason == "first"


def test_abort_4_a_callback(module: Module) -> None:
    task = module.task("repair").start()
    threads: list[int] = []
    guard = task.on_abort(lambda: threads.append(threading.get_ident()))
    del guard  # it stays registered
    taken_back = task.on_abort(lambda: threads.append(-1))
    taken_back.cancel()
    taken_back.cancel()
    with task.on_abort(lambda: threads.append(-2)):
        pass
    aborter = threading.Thread(target=task.abort, args=("now",))
    aborter.start()
    aborter.join(GUARD)
    assert threads == [aborter.ident]
    task.on_abort(lambda: threads.append(0))
    assert threads[1:] == [0]


def test_abort_4_a_callback_that_raises_hurts_nobody(
    module: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda hook: told.append(hook.exc_value))
    task = module.task("repair").start()
    called: list[int] = []
    task.on_abort(lambda: 1 // 0)
    task.on_abort(lambda: called.append(1))
    task.abort("now")
    assert called == [1]
    assert [type(error) for error in told] == [ZeroDivisionError]


def test_abort_4_ending_waits_for_a_callback_elsewhere(module: Module) -> None:
    task = module.task("repair").start()
    entered, leave, over = threading.Event(), threading.Event(), threading.Event()

    def callback() -> None:
        entered.set()
        leave.wait(GUARD)
        over.set()

    task.on_abort(callback)
    aborter = threading.Thread(target=task.abort, args=("now",))
    aborter.start()
    assert entered.wait(GUARD)
    ender = threading.Thread(target=lambda: raises(taskmgr.Aborted, task.finish))
    ender.start()
    leave.set()
    ender.join(GUARD)
    assert over.is_set()
    aborter.join(GUARD)


def test_abort_5_how_the_work_took_it(module: Module, clock: taskmgr.ManualClock) -> None:
    task = module.task("repair").start()
    task.abort("now")
    clock.advance(3)
    assert task.abort_requested
    with pytest.raises(taskmgr.Aborted):
        task.check_abort()
    status = task.status()
    assert status.state is taskmgr.State.RUNNING
    abort = status.abort
    assert abort is not None
    assert abort.polls == 2
    assert abort.requested_at is not None
    assert abort.last_poll is not None
    assert (abort.last_poll - abort.requested_at).total_seconds() == 3
