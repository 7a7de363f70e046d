"""Many threads at once, callbacks from all of them, and nothing left over."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import taskmgr
from conftest import GUARD, raises
from taskmgr import Manager, Module, State


def test_callbacks_of_many_threads_neither_deadlock_nor_get_lost(module: Module) -> None:
    root = module.task("repair").start()
    counts = [0] * 4
    lock = threading.Lock()
    called: list[State] = []

    def done(status: object) -> None:
        # A lock of the host's, taken in a callback and around calls as well.
        with lock:
            called.append(getattr(status, "state"))  # noqa: B009

    def work(number: int) -> None:
        for turn in range(250):
            with lock:
                child = root.child("repair").start()
                child.observe().on_done(done)
            if turn % 5 == 0:
                child.on_abort(lambda: None)
                child.abort("now")
                raises(taskmgr.Aborted, child.finish)
            else:
                child.finish()
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GUARD)
    assert counts == [250] * 4
    assert len(called) == 1000
    assert called.count(State.FAILED) == 200
    child_counts = root.status().child_counts
    assert (child_counts.succeeded, child_counts.failed) == (800, 200)


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Three threads do this over and over, until the block ends, however it does."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            work()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(GUARD)
    assert not any(thread.is_alive() for thread in threads)


def test_life_5_statuses_are_whole_while_others_work(module: Module) -> None:
    root = module.task("repair").start()

    def work() -> None:
        with root.child("repair", total=3, units="rows") as child:
            for _ in child.track(range(3)):
                pass

    before = 0.0
    with meanwhile(work):
        for _ in range(60):
            tree = root.observe().status_tree()
            assert tree[0].progress.completed >= before
            before = tree[0].progress.completed
            for status in tree[1:]:
                assert status.state.is_terminal == (status.end_time is not None)


def test_list_2_a_list_is_whole_while_others_work() -> None:
    # Roots that have ended are not kept, so that there is no end to how many there may be.
    module = Manager().register_module("repair")
    root = module.task("root").start()
    places = {"root": ("", ""), "repair": ("ks", ""), "part": ("", "t")}

    def work() -> None:
        with module.task("repair", keyspace="ks"), root.child("part", table="t"):
            pass

    with meanwhile(work):
        for _ in range(60):
            listed = module.list(internal=True)
            assert root.id in [stats.id for stats in listed]
            # Ticks are finer than what is shown of them, so that ids tell nothing here.
            order = [stats.created_at for stats in listed]
            assert order == sorted(order)
            for stats in listed:
                assert (stats.keyspace, stats.table) == places[stats.type]
                assert stats.state.is_terminal == (stats.end_time is not None)


def test_prog_4_reporters_go_on_while_others_ask(module: Module) -> None:
    root = module.task("root").start()
    parts = [root.child("part", total=20_000, units="rows").start() for _ in range(100)]

    def ask() -> None:
        progress = root.observe().status_tree()[0].progress
        assert progress.completed <= progress.total

    with meanwhile(ask):
        for _ in range(20_000):
            parts[0].advance()
    assert root.status().progress.completed == 20_000


def cycle(module: Module) -> None:
    with module.task("repair", keyspace="ks") as task:
        task.observe().on_done(lambda status: status)
        task.on_abort(lambda: None)
        for _ in task.reporter().track(range(3)):
            task.child("repair").start().finish()
        task.status().to_dict()
        task.observe().status_tree()
    with pytest.raises(taskmgr.Gone):
        module.task("repair", parent=task.id)


def test_no_reference_leaks() -> None:
    manager = Manager()
    module = manager.register_module("repair")

    def grown(turns: int) -> int:
        for _ in range(turns):
            cycle(module)
        gc.collect()
        return sys.getallocatedblocks()

    grown(300)
    before = grown(300)
    after = grown(3000)
    # 3,000 turns make tens of thousands of objects; one left of each turn would be 3,000.
    assert after - before < 1000


def test_callbacks_are_let_go() -> None:
    class Callback:
        def __call__(self, *_: object) -> None:
            pass

    module = Manager().register_module("repair")
    task = module.task("repair").start()
    kept: list[weakref.ref[Callback]] = []
    for register in (task.on_abort, task.observe().on_done):
        for how in ("runs", "cancelled", "dropped"):
            callback = Callback()
            guard = register(callback)
            kept.append(weakref.ref(callback))
            if how == "cancelled":
                guard.cancel()
            del callback, guard
    task.finish()
    del task, register
    gc.collect()
    assert [ref() for ref in kept] == [None] * 6


def test_objects_can_be_referred_to_weakly(module: Module) -> None:
    task = module.task("repair").start()
    refs = [weakref.ref(handle) for handle in (task, module)]
    assert [ref() for ref in refs] == [task, module]
    task.finish()
    del task
    gc.collect()
    assert refs[0]() is None
