"""Progress: how far a task is."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import taskmgr
from conftest import GUARD
from taskmgr import Module, Progress


def test_prog_1_owners_and_reporters_add_up(module: Module) -> None:
    task = module.task("repair", total=100, units="ranges").start()
    first, second = task.reporter(), task.reporter()
    task.advance()
    first.advance(10)
    second.advance(20)
    second.reporter().advance(30)
    assert task.status().progress == Progress(61, 100, True, "ranges")
    first.set_completed(15)
    first.set_completed(3)
    assert task.status().progress.completed == 66
    task.set_total(200)
    assert task.status().progress.fraction == 0.33


@pytest.mark.parametrize("handle", ["task", "reporter"])
def test_prog_1_no_thread_loses_what_it_counts(module: Module, handle: str) -> None:
    task = module.task("repair").start()
    worker = task if handle == "task" else task.reporter()

    def count() -> None:
        for _ in range(10_000):
            worker.advance(2)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GUARD)
    assert task.status().progress.completed == 80_000


def test_prog_2_a_parent_shows_its_children(module: Module) -> None:
    with module.task("repair") as root:
        for number in range(3):
            child = root.child("repair", total=10, units="ranges").start()
            child.advance(10 - number)
            child.finish()
        assert root.status().progress == Progress(27, 30, True, "ranges")
        root.child("flush", total=5, units="bytes").start().finish()
        assert root.status().progress == Progress(4, 4, True, "children")
        root.child("flush").start().fail("no space left on device")
        assert root.status().progress == Progress(4, 5, True, "children")


def test_prog_2_nothing_known(module: Module) -> None:
    task = module.task("repair").start()
    before = task.status().progress
    assert (before.completed, before.total) == (0, 1)
    task.finish()
    after = task.status().progress
    assert (after.completed, after.total) == (1, 1)
    failed = module.task("repair").start()
    failed.fail("no space left on device")
    after = failed.status().progress
    assert (after.completed, after.total) == (0, 1)


def test_prog_3_never_above_the_total_and_frozen_at_the_end(module: Module) -> None:
    task = module.task("repair", total=10, units="rows").start()
    task.advance(12)
    assert task.status().progress == Progress(12, 12, True, "rows")
    task.finish()
    task.advance(5)
    task.set_total(99)
    assert task.status().progress == Progress(12, 12, True, "rows")


def test_track_counts_what_has_been_gone_through(module: Module) -> None:
    task = module.task("repair", units="files").start()
    counted = []
    for item in task.track(["a", "b", "c"]):
        counted.append((item, task.status().progress.completed))
    assert counted == [("a", 0), ("b", 1), ("c", 2)]
    assert task.status().progress == Progress(3, 3, True, "files")


def test_track_of_a_generator_has_no_total_unless_told(module: Module) -> None:
    def items() -> Iterator[int]:
        yield from range(4)

    task = module.task("repair").start()
    assert list(task.track(items())) == [0, 1, 2, 3]
    progress = task.status().progress
    assert (progress.completed, progress.total_known) == (4, False)
    reporter = task.reporter()
    assert list(reporter.track(items(), total=8)) == [0, 1, 2, 3]
    assert task.status().progress == Progress(8, 8, True, "")


def test_track_names_the_units(module: Module) -> None:
    with module.task("repair") as job:
        with job.child("repair", table="events") as task:
            for number, _ in enumerate(task.track("abcd", units="sstables")):
                assert task.status().progress == Progress(number, 4, True, "sstables")
        assert job.status().progress == Progress(4, 4, True, "sstables")
        other = job.child("repair").start()
        assert list(other.reporter().track("ab", units="rows", total=4)) == ["a", "b"]
        assert other.status().progress == Progress(2, 4, True, "rows")
        with pytest.raises(taskmgr.InvalidArgument, match="units"):
            other.track("", units="a\n")
        with pytest.raises(TypeError, match="str"):
            other.track("", units=3)  # type: ignore[arg-type]


def test_track_leaves_a_total_that_another_handle_told(module: Module) -> None:
    task = module.task("t").start()
    task.reporter().set_total(10)
    assert list(task.track("abc")) == list("abc")
    assert (task.status().progress.completed, task.status().progress.total) == (3, 10)


def test_track_leaves_a_total_that_was_told(module: Module) -> None:
    task = module.task("repair", total=40).start()
    assert list(task.track("abcd")) == list("abcd")
    assert list(task.reporter().track("ef")) == list("ef")
    assert task.status().progress == Progress(6, 40, True, "")


def test_track_does_not_count_an_item_that_failed(module: Module) -> None:
    with pytest.raises(ValueError, match="bad"), module.task("repair") as task:
        for item in task.track(range(10)):
            if item == 3:
                raise ValueError("bad")
    assert task.status().progress.completed == 3


def test_track_stops_at_an_abort(module: Module) -> None:
    seen = []
    with pytest.raises(taskmgr.Aborted), module.task("repair") as task:
        for item in task.track(range(10)):
            seen.append(item)
            if item == 2:
                task.abort("enough")
    assert seen == [0, 1, 2]
    assert task.status().progress == Progress(3, 10, True, "")


def test_track_passes_an_error_of_its_items_on(module: Module) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    task = module.task("repair").start()
    with pytest.raises(OSError, match="gone"):
        list(task.track(items()))
    with pytest.raises(TypeError, match="not iterable"):
        task.track(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("handle", ["task", "reporter"])
def test_advance_is_given_its_amount_in_any_way(module: Module, handle: str) -> None:
    class Number:
        def __index__(self) -> int:
            return 1000

    task = module.task("repair").start()
    worker = task if handle == "task" else task.reporter()
    kind: Any = type(worker)
    worker.advance()
    worker.advance(2)
    worker.advance(n=30)
    worker.advance(True)
    kind.advance(worker, 100)
    worker.advance(Number())  # type: ignore[arg-type]
    assert task.status().progress.completed == 1134
    worker.advance(2**53)
    assert task.status().progress.completed == 2**53
    refused: list[tuple[Any, Any, str]] = [
        ((1, 2), {}, "2 were given"),
        ((1,), {"n": 2}, "2 were given"),
        ((), {"n": 1, "m": 2}, "2 were given"),
        ((), {"m": 2}, "unexpected keyword argument 'm'"),
        ((None,), {}, "NoneType"),
        ((), {"n": "3"}, "str"),
    ]
    for args, names, words in refused:
        with pytest.raises(TypeError, match=words):
            worker.advance(*args, **names)
    with pytest.raises(TypeError, match="advance"):
        kind.advance(task.observe(), 1)
    with pytest.raises(ZeroDivisionError):
        worker.advance(Failing())  # type: ignore[arg-type]
    assert str(inspect.signature(worker.advance)) == "(n=1)"


class Failing:
    def __index__(self) -> int:
        return 1 // 0
