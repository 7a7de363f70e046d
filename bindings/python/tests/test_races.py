"""Several threads at one thing at the same time: what would go wrong without a lock or an atomic.

The more so where no GIL keeps them apart.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import sysconfig
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import taskmgr
from conftest import GUARD
from taskmgr import Manager, Module, State, Stats, Status

THREADS = 8
ROUNDS = 100


@pytest.fixture(autouse=True)
def many_switches() -> Iterator[None]:
    """Where there is a GIL, it is handed on all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What they returned, or the exceptions that they raised."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[object] = [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        barrier.wait(GUARD)
        try:
            outcomes[number] = call()
        except Exception as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GUARD)
        assert not thread.is_alive()
    return outcomes


def lost(outcomes: list[object]) -> list[type]:
    return [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)]


def test_it_leaves_the_gil_as_it_is() -> None:
    """Imported into an interpreter without a GIL, it brings none back."""
    asked = "import sys, taskmgr; print(getattr(sys, '_is_gil_enabled', lambda: True)())"
    # By itself: PYTHON_GIL=0 would keep it away whatever the package declares.
    told = subprocess.run(
        [sys.executable, "-E", "-W", "error", "-c", asked],
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD,
    )
    has_gil = not sysconfig.get_config_var("Py_GIL_DISABLED")
    assert (told.stdout, told.stderr) == (f"{has_gil}\n", "")


def test_one_starts_it(module: Module) -> None:
    for _ in range(ROUNDS):
        task = module.task("repair")
        outcomes = at_once(*[task.start] * THREADS)
        assert lost(outcomes) == [taskmgr.AlreadyStarted] * (THREADS - 1)
        task.finish()


def test_one_registers_a_module(manager: Manager) -> None:
    for number in range(ROUNDS):
        name = f"module {number}"
        outcomes = at_once(*[partial(manager.register_module, name)] * THREADS)
        assert lost(outcomes) == [taskmgr.ModuleExists] * (THREADS - 1)
        assert manager.modules().count(name) == 1


def test_one_gets_an_id(module: Module) -> None:
    for _ in range(ROUNDS):
        id = uuid.uuid4()
        outcomes = at_once(*[partial(module.task, "repair", id=id)] * THREADS)
        assert lost(outcomes) == [taskmgr.IdInUse] * (THREADS - 1)


def test_many_close_the_manager() -> None:
    for _ in range(ROUNDS):
        manager = Manager()
        task = manager.register_module("repair").task("repair").start()
        outcomes = at_once(*[partial(manager.close, 0)] * THREADS, task.observe().wait)
        waited = outcomes.pop()
        assert isinstance(waited, taskmgr.Closed)
        # Whoever finds it closing is told what still runs, too; who finds it closed, just that.
        assert set(lost(outcomes)) <= {taskmgr.Closed}
        reports = [report for report in outcomes if isinstance(report, taskmgr.CloseReport)]
        assert reports
        assert {stats.id for report in reports for stats in report.still_running} == {task.id}


def test_handles_that_many_count_with(module: Module) -> None:
    task = module.task("repair").start()
    reporter = task.reporter()

    def count() -> None:
        for _ in range(1000):
            task.advance()
            reporter.advance(2)
            task.reporter().advance(3)

    assert lost(at_once(*[count] * THREADS)) == []
    assert task.status().progress.completed == 6 * 1000 * THREADS


def test_an_iterator_that_many_share(module: Module) -> None:
    class Items:
        """An iterator that many may share: those of lists are not made for that."""

        def __init__(self, last: int) -> None:
            self.left = last
            self.lock = threading.Lock()

        def __iter__(self) -> Items:
            return self

        def __next__(self) -> int:
            with self.lock:
                if not self.left:
                    raise StopIteration
                self.left -= 1
                return self.left

    task = module.task("repair", total=8000).start()
    track = task.track(Items(8000))
    seen = [item for part in at_once(*[lambda: list(track)] * THREADS) for item in part]  # type: ignore[attr-defined]
    assert sorted(seen) == list(range(8000))
    assert task.status().progress.completed == 8000


def test_items_that_several_are_given_at_the_same_time(module: Module) -> None:
    both = threading.Barrier(2)
    left = [1, 2]

    class Items:
        def __iter__(self) -> Items:
            return self

        def __next__(self) -> int:
            # Nobody is given an item before everybody has asked for one.
            both.wait(GUARD)
            try:
                return left.pop()
            except IndexError:
                raise StopIteration from None

    task = module.task("repair", total=2).start()
    track = task.track(Items())

    # Each has been given one when the first asks for the next.
    assert {*at_once(*[lambda: next(track)] * 2)} == {1, 2}
    assert at_once(*[lambda: list(track)] * 2) == [[], []]
    assert task.status().progress.completed == 2


def test_a_callback_that_is_cancelled_as_it_comes(module: Module) -> None:
    for _ in range(ROUNDS):
        task = module.task("repair").start()
        events: list[str] = []
        on_abort = task.on_abort(partial(events.append, "abort"))
        on_done = task.observe().on_done(partial(lambda to, _: to.append("done"), events))

        def cancel(guard: taskmgr.Guard, what: str, events: list[str] = events) -> None:
            guard.cancel()
            events.append(f"no {what}")

        def end(task: taskmgr.Task = task) -> None:
            task.abort("now")
            task.fail("x")

        calls: list[Callable[[], object]] = [
            partial(cancel, guard, what)
            for guard, what in ((on_abort, "abort"), (on_done, "done"))
        ]
        assert lost(at_once(end, *calls)) == []
        for what in ("abort", "done"):
            mine = [event for event in events if event.endswith(what)]
            # It comes once or not at all, and never after who took it back has been told so.
            assert mine in ([f"no {what}"], [what, f"no {what}"])


def test_one_tells_how_a_virtual_task_ended(manager: Manager, module: Module) -> None:
    class Topology(taskmgr.Provider):
        def list(self) -> list[Stats]:
            return []

        def status(self, id: uuid.UUID) -> Status | None:
            return Status(id=id, type="topology change")

        def watch(self, id: uuid.UUID, done: taskmgr.Completion) -> None:
            watching.append((id, done))

    module.register_provider(Topology())
    for _ in range(ROUNDS):
        watching: list[tuple[uuid.UUID, taskmgr.Completion]] = []
        told: list[object] = []
        manager.on_done(uuid.uuid4(), told.append)
        ((id, done),) = watching
        over = Status(id=id, type="topology change", state=State.DONE)
        assert lost(at_once(*[partial(done.complete, over)] * THREADS)) == []
        assert [getattr(status, "state", status) for status in told] == [State.DONE]


def test_the_last_owner_of_many_goes(module: Module) -> None:
    for _ in range(ROUNDS):
        owners = [[module.task("repair").start()]]
        observer = owners[0][0].observe()
        owners += [list(owners[0]) for _ in range(THREADS - 1)]
        at_once(*[owner.clear for owner in owners])
        status = observer.wait(GUARD)
        assert (status.state, status.error) == (State.FAILED, "dropped before it finished")


def test_a_server_that_many_stop(manager: Manager, module: Module) -> None:
    task = module.task("repair").start()
    for _ in range(5):
        server = manager.serve("127.0.0.1:0", routes=lambda _: taskmgr.Response(1))
        client = taskmgr.Client(server.url)
        outcomes = at_once(*[client.list_modules] * 3, *[server.stop] * 4)
        assert set(lost(outcomes)) <= {taskmgr.Unreachable}
        assert outcomes[3:] == [0] * 4
    task.finish()


def test_loops_that_wait_for_one_task(module: Module) -> None:
    for _ in range(ROUNDS // 10):
        task = module.task("repair").start()

        async def wait(observer: taskmgr.Observer) -> Status:
            return await observer

        def loop(observer: taskmgr.Observer = task.observe()) -> State:  # noqa: B008
            return asyncio.run(wait(observer)).state

        outcomes = at_once(*[loop] * (THREADS - 1), task.finish)
        assert outcomes == [State.DONE] * (THREADS - 1) + [None]
