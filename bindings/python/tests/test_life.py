"""The life of a task, from made to ended."""

from __future__ import annotations

import gc
import threading

import pytest
import taskmgr
from conftest import GUARD
from taskmgr import Manager, Module, State


def test_life_1_states(module: Module) -> None:
    task = module.task("repair")
    assert task.status().state is State.CREATED
    assert task.start() is task
    assert task.status().state is State.RUNNING
    task.finish()
    assert task.status().state is State.DONE


def test_life_1_finished_before_it_started(module: Module) -> None:
    task = module.task("repair")
    with pytest.raises(taskmgr.NotStarted):
        task.finish()
    assert task.status().state is State.FAILED


def test_life_1_a_block_starts_and_finishes(module: Module) -> None:
    with module.task("repair") as task:
        assert task.status().state is State.RUNNING
    status = task.status()
    assert (status.state, status.error) == (State.DONE, None)


def test_life_2_one_of_many_ends_it(module: Module) -> None:
    def end(how: str, task: taskmgr.Task, barrier: threading.Barrier, won: list[str]) -> None:
        barrier.wait(GUARD)
        try:
            task.finish() if how == "done" else task.fail(how)
        except taskmgr.AlreadyFinished:
            return
        won.append(how)

    for _ in range(200):
        task = module.task("repair").start()
        barrier = threading.Barrier(3)
        won: list[str] = []
        threads = [
            threading.Thread(target=end, args=(how, task, barrier, won))
            for how in ("done", "x", "y")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(GUARD)
        assert len(won) == 1
        status = task.status()
        assert status.error == (None if won == ["done"] else won[0])


def test_life_3_an_exception_is_kept_with_its_type(module: Module) -> None:
    class NoSpace(Exception):
        pass

    with pytest.raises(NoSpace), module.task("repair") as task:
        raise NoSpace("/var/lib")
    status = task.status()
    assert status.state is State.FAILED
    assert status.error is not None
    assert status.error.endswith("NoSpace: /var/lib")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_life_3_exceptions_that_are_no_errors(module: Module, error: type[BaseException]) -> None:
    with pytest.raises(error), module.task("repair") as task:
        raise error
    assert task.status().error == error.__name__


def test_life_3_an_exception_whose_text_fails(module: Module) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    task = module.task("repair").start()
    task.fail(Mute())
    assert (task.status().error or "").endswith("Mute")


def test_life_3_an_owner_that_goes_away(module: Module) -> None:
    task = module.task("repair").start()
    observer = task.observe()
    del task
    gc.collect()
    status = observer.wait(GUARD)
    assert (status.state, status.error) == (State.FAILED, "dropped before it finished")


def test_life_4_an_aborted_task_never_ends_as_done(module: Module) -> None:
    task = module.task("repair").start()
    task.abort("disk is full")
    with pytest.raises(taskmgr.Aborted, match="aborted: disk is full"):
        task.finish()
    status = task.status()
    assert (status.state, status.error) == (State.FAILED, "aborted: disk is full")


def test_life_4_a_block_that_was_aborted_raises(module: Module) -> None:
    with pytest.raises(taskmgr.Aborted, match="disk is full"), module.task("r") as task:
        task.abort("disk is full")
    assert task.status().error == "aborted: disk is full"


def test_life_4_a_failure_and_an_abort_are_both_kept(module: Module) -> None:
    with pytest.raises(OSError, match="gone"), module.task("repair") as task:
        task.abort("disk is full")
        raise OSError("gone")
    error = task.status().error
    assert error is not None
    assert "disk is full" in error
    assert "gone" in error


def test_life_4_aborted_before_it_started(module: Module) -> None:
    task = module.task("repair")
    task.abort("too late")
    with pytest.raises(taskmgr.Aborted), task:
        pytest.fail("the block must not run")
    assert task.status().state is State.FAILED


def test_life_5_times(module: Module, clock: taskmgr.ManualClock) -> None:
    task = module.task("repair")
    clock.advance(1.5)
    with task:
        clock.advance(2.25)
        assert task.status().end_time is None
    status = task.status()
    assert status.start_time is not None
    assert status.end_time is not None
    assert status.created_at.isoformat() == "2020-01-01T00:00:00+00:00"
    assert (status.start_time - status.created_at).total_seconds() == 1.5
    assert (status.end_time - status.start_time).total_seconds() == 2.25


def test_life_6_twice(module: Module) -> None:
    task = module.task("repair").start()
    with pytest.raises(taskmgr.AlreadyStarted):
        task.start()
    task.finish()
    with pytest.raises(taskmgr.AlreadyFinished):
        task.finish()
    with pytest.raises(taskmgr.AlreadyFinished):
        task.fail("late")
    with pytest.raises(taskmgr.ParentTerminal):
        task.child("repair")
    assert task.status().state is State.DONE


def test_life_6_a_block_may_end_its_task_itself(module: Module) -> None:
    with module.task("repair") as task:
        task.fail("no space")
    assert task.status().error == "no space"


def test_life_7_handles_outlive_the_manager() -> None:
    manager = Manager()
    module = manager.register_module("repair")
    task = module.task("repair", total=3).start()
    observer = task.observe()
    del module, manager
    gc.collect()
    assert task.abort_requested
    task.advance(2)
    with pytest.raises(taskmgr.Closed):
        task.child("repair")
    with pytest.raises(taskmgr.Aborted):
        task.finish()
    assert observer.wait(GUARD).progress.completed == 2


def test_life_7_a_module_keeps_its_manager() -> None:
    module = Manager().register_module("repair")
    gc.collect()
    with module.task("repair") as task:
        assert not task.abort_requested


def test_life_8_everything_has_happened_when_a_waiter_wakes(module: Module) -> None:
    with module.task("repair") as parent:
        child = parent.child("repair").start()
        seen: list[int] = []
        observer = child.observe()
        observer.on_done(lambda _: seen.append(parent.status().child_counts.succeeded))
        child.finish()
        assert seen == [1]


def test_life_9_suspend_and_resume(module: Module) -> None:
    task = module.task("repair").start()
    observer = task.observe()
    observer.suspend()
    status = observer.status()
    assert (status.state, status.suspend_requested) == (State.RUNNING, True)
    slept = threading.Event()

    def work() -> None:
        task.checkpoint()
        slept.set()

    worker = threading.Thread(target=work)
    worker.start()
    while observer.status().state is not State.SUSPENDED:
        assert worker.is_alive()
    assert not slept.is_set()
    observer.resume()
    worker.join(GUARD)
    assert slept.is_set()
    assert observer.status().state is State.RUNNING


def test_life_9_an_abort_wakes_a_sleeper(module: Module) -> None:
    task = module.task("repair").start()
    task.observe().suspend()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            task.checkpoint()
        except taskmgr.Aborted as error:
            errors.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    while task.status().state is not State.SUSPENDED:
        assert worker.is_alive()
    task.abort("enough")
    worker.join(GUARD)
    assert [str(error) for error in errors] == ["aborted: enough"]
