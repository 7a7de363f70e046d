"""Functions as tasks: tracked, and given to an executor."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import taskmgr
from conftest import GUARD
from taskmgr import Manager, Module, State, current_task


def test_a_tracked_function(manager: Manager, module: Module) -> None:
    @module.tracked("repair", keyspace="ks")
    def repair(ranges: int, *, step: int = 1) -> int:
        """Repairs."""
        task = current_task()
        assert task is not None
        task.advance(ranges)
        return ranges * step

    assert repair(3, step=2) == 6
    assert current_task() is None
    assert (repair.__name__, repair.__doc__) == ("repair", "Repairs.")
    (stats,) = module.list()
    assert (stats.type, stats.keyspace, stats.state) == ("repair", "ks", State.DONE)
    assert manager.status(stats.id).progress.completed == 3


def test_a_tracked_function_that_fails(manager: Manager, module: Module) -> None:
    @module.tracked()
    def cleanup() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        cleanup()
    (stats,) = module.list()
    assert stats.type == "cleanup"
    assert manager.status(stats.id).error == "OSError: gone"


def test_tracked_functions_nest(manager: Manager, module: Module) -> None:
    @module.tracked()
    def inner() -> None:
        pass

    @module.tracked()
    def outer() -> None:
        inner()
        inner()

    outer()
    (stats,) = module.list()
    assert [s.type for s in manager.status_tree(stats.id)] == ["outer", "inner", "inner"]


def test_a_tracked_coroutine(manager: Manager, module: Module) -> None:
    @module.tracked("part")
    async def part(number: int) -> int:
        await asyncio.sleep(0)
        task = current_task()
        assert task is not None
        task.advance(number)
        return number

    @module.tracked("whole")
    async def whole() -> list[int]:
        return list(await asyncio.gather(part(1), part(2)))

    assert asyncio.run(whole()) == [1, 2]
    (stats,) = module.list()
    tree = manager.status_tree(stats.id)
    assert [status.type for status in tree] == ["whole", "part", "part"]
    assert tree[0].progress.completed == 3


def test_a_generator_is_not_tracked(module: Module) -> None:
    with pytest.raises(TypeError, match=r"items is a generator.*Task\.track"):

        @module.tracked()
        def items() -> Iterator[int]:
            yield 1


def test_submit(manager: Manager, module: Module) -> None:
    def work(n: int, *, step: int) -> int:
        task = current_task()
        assert task is not None
        task.advance(n)
        return n * step

    with ThreadPoolExecutor(2) as executor:
        submitted = module.submit(
            executor, work, 3, step=2, task={"type": "repair", "keyspace": "ks"}
        )
        assert submitted.result(GUARD) == 6
        status = submitted.observer.wait(GUARD)
    assert (status.type, status.keyspace, status.state) == ("repair", "ks", State.DONE)
    assert status.progress.completed == 3


def test_submit_under_the_task_that_runs_here(manager: Manager, module: Module) -> None:
    with ThreadPoolExecutor(2) as executor:

        @module.tracked()
        def whole() -> None:
            for part in [module.submit(executor, len, "abc") for _ in range(3)]:
                assert part.result(GUARD) == 3

        whole()
    (stats,) = module.list()
    types = [status.type for status in manager.status_tree(stats.id)]
    assert types == ["whole", "len", "len", "len"]


def test_what_is_submitted_may_fail(module: Module) -> None:
    def work() -> None:
        raise KeyError("x")

    with ThreadPoolExecutor(1) as executor:
        submitted = module.submit(executor, work)
        with pytest.raises(KeyError):
            submitted.result(GUARD)
    assert submitted.done()
    assert isinstance(submitted.exception(), KeyError)
    assert submitted.observer.wait(GUARD).error == "KeyError: 'x'"


def test_what_is_cancelled_has_failed(module: Module) -> None:
    leave = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        module.submit(executor, leave.wait, GUARD)
        waiting = module.submit(executor, len, "abc")
        assert waiting.cancel()
        status = waiting.observer.wait(GUARD)
        leave.set()
    assert status.error == "CancelledError: cancelled"
    with pytest.raises(CancelledError):
        waiting.result()


def test_an_executor_that_is_shut_down(module: Module) -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(RuntimeError):
        module.submit(executor, len, "abc")
    (stats,) = module.list()
    assert stats.state is State.FAILED


def test_a_process_cannot_have_it(module: Module) -> None:
    with ProcessPoolExecutor(1) as executor:
        submitted = module.submit(executor, len, "abc")
        with pytest.raises(TypeError, match="cannot be pickled"):
            submitted.result(GUARD)
    assert "cannot be pickled" in (submitted.observer.wait(GUARD).error or "")


def test_a_reporter_for_each_worker(module: Module) -> None:
    task = module.task("repair", total=40, units="ranges").start()

    def work(reporter: taskmgr.Reporter) -> None:
        for _ in reporter.track(range(10)):
            pass

    with ThreadPoolExecutor(4) as executor:
        for part in [executor.submit(work, task.reporter()) for _ in range(4)]:
            part.result(GUARD)
    progress = task.status().progress
    assert (progress.completed, progress.total) == (40, 40)
