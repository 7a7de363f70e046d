"""Waiting in event loops."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import taskmgr
from conftest import GUARD
from taskmgr import Module, State


def later(call: object, *args: object) -> threading.Thread:
    thread = threading.Thread(target=call, args=args)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_await(module: Module) -> None:
    async def main() -> None:
        task = module.task("repair").start()
        observer = task.observe()
        thread = later(task.fail, "no space")
        status = await observer
        thread.join(GUARD)
        assert (status.state, status.error) == (State.FAILED, "no space")
        assert (await observer) == status

    asyncio.run(main())


def test_the_loop_goes_on_and_many_wait_without_threads(module: Module) -> None:
    async def main() -> None:
        tasks = [module.task("repair").start() for _ in range(200)]
        waits = [asyncio.ensure_future(wait(task.observe())) for task in tasks]
        await asyncio.sleep(0)
        threads = threading.active_count()
        thread = later(finish, tasks)
        statuses = await asyncio.wait_for(asyncio.gather(*waits), GUARD)
        thread.join(GUARD)
        assert {status.state for status in statuses} == {State.DONE}
        assert threads == threading.active_count()

    async def wait(observer: taskmgr.Observer) -> taskmgr.Status:
        return await observer

    def finish(tasks: list[taskmgr.Task]) -> None:
        for task in tasks:
            task.finish()

    asyncio.run(main())


def test_wait_for_gives_up_and_leaves_the_task(module: Module) -> None:
    async def main() -> None:
        with module.task("repair") as task:
            observer = task.observe()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(observer, 0.01)
            assert not observer.is_terminal
        assert (await asyncio.wait_for(observer, GUARD)).state is State.DONE

    asyncio.run(main())


def test_a_manager_that_closes(module: Module) -> None:
    async def main() -> None:
        task = module.task("repair").start()
        thread = later(module.close, 0)
        thread.join(GUARD)
        later(task.fail, "closed").join(GUARD)
        assert (await task.observe()).state is State.FAILED

    asyncio.run(main())


def test_a_loop_that_is_gone(module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", told.append)
    task = module.task("repair").start()

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(task.observe(), 0)

    asyncio.run(main())
    task.finish()
    assert told == []


def test_ctrl_c_and_cancelling(module: Module) -> None:
    async def main() -> None:
        task = module.task("repair").start()
        waiting = asyncio.ensure_future(asyncio.wait_for(task.observe(), GUARD))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        task.finish()

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < GUARD / 2
