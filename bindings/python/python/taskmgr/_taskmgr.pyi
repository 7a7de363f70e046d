"""The part of the package that is written in Rust; use `taskmgr`."""

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import Any, Generic, NoReturn, ParamSpec, TypeAlias, TypeVar, final
from uuid import UUID

from typing_extensions import Self

from ._errors import TaskmgrError
from ._provider import Provider
from ._routes import Response
from ._views import CloseReport, Listing, State, Status, Tree
from ._work import Submitted

__all__ = [
    "Completion",
    "Guard",
    "Manager",
    "ManualClock",
    "Module",
    "Observer",
    "Reporter",
    "Request",
    "Server",
    "Task",
    "Track",
    "__version__",
    "draw",
    "nonblocking",
]

__version__: str

_T = TypeVar("_T")
_P = ParamSpec("_P")
_F = TypeVar("_F", bound=Callable[..., Any])
_Seconds: TypeAlias = float | timedelta
_Id: TypeAlias = UUID | str
_Parent: TypeAlias = Task | Reporter | Observer | UUID | str

def nonblocking(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls `function` as if inside a callback: whatever would wait raises `WouldDeadlock`.

    >>> with taskmgr.Manager() as manager, manager.register_module("m").task("t") as task:
    ...     taskmgr.nonblocking(task.observe().wait)
    Traceback (most recent call last):
    taskmgr._errors.WouldDeadlock: waiting for a task would block inside a callback or a ...
    """

def draw(statuses: Sequence[Status], children: int, depth: int, width: int | None) -> str:
    """The trees of these statuses as text: use `Tree.draw`."""

@final
class ManualClock:
    """A clock for tests: it stands at 2020-01-01T00:00:00Z until it is told to move.

    >>> clock = taskmgr.ManualClock()
    >>> manager = taskmgr.Manager(clock=clock, task_ttl=60)
    >>> with manager.register_module("repair").task("repair") as task:
    ...     clock.advance(5)
    >>> clock.advance(60)
    >>> manager.status(task.id)
    Traceback (most recent call last):
    taskmgr._errors.Expired: task ... is gone (expired): ...
    """

    def __new__(cls) -> Self: ...
    def advance(self, by: _Seconds) -> None:
        """Moves the clock on."""

    def set_wall(self, now: datetime) -> None:
        """Sets the wall clock, forwards or back; TTLs do not notice."""

    def __reduce__(self) -> NoReturn: ...

@final
class Guard:
    """A callback that is registered. It stays so when the guard is dropped; `cancel`, or the
    end of a `with` block, takes it back, and waits for it if it is running on another thread.
    """

    def cancel(self, *, wait: bool = True) -> None:
        """Takes the callback back, and waits for it if it is running on another thread.

        With `wait=False` one that runs there may still be running afterwards.
        """

    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Completion:
    """Tells those who wait for a virtual task how it has ended. Dropped without that, it tells
    them that the provider has lost it."""

    def complete(self, outcome: Status | BaseException) -> None:
        """The task has ended with this final status, or cannot be watched any more."""

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody waits any more, so that the provider may stop watching."""

    def __reduce__(self) -> NoReturn: ...

@final
class Track(Generic[_T]):
    """The items of an iterable, each counted once the next one is asked for; before each it
    looks for an abort."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> _T: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Observer:
    """A handle that can look at a task, wait for it and ask for its abort, from any thread; it
    keeps the task valid. `await` waits for it in an event loop.

    >>> import asyncio
    >>> repair = taskmgr.Manager().register_module("repair")
    >>> async def main():
    ...     with repair.task("repair") as task:
    ...         pass
    ...     return await task.observe()
    >>> asyncio.run(main()).state
    <State.DONE: 'done'>
    """

    @property
    def id(self) -> UUID:
        """The task's id."""

    def status(self) -> Status:
        """How the task is."""

    def status_tree(self) -> list[Status]:
        """The statuses of the task and all its descendants, breadth-first."""

    def tree(self) -> Tree:
        """The same to look at, in a terminal or a notebook."""

    @property
    def is_terminal(self) -> bool:
        """Whether the task has ended."""

    def wait(self, timeout: _Seconds | None = None) -> Status:
        """Sleeps until the task has ended, and returns its final status, whatever that is.

        Raises `Timeout` if it has not by then; a timeout of 0 only asks. Other threads run
        meanwhile, and Ctrl-C ends it.

        >>> manager = taskmgr.Manager()
        >>> task = manager.register_module("repair").task("repair").start()
        >>> task.observe().wait(0.01)
        Traceback (most recent call last):
        taskmgr._errors.Timeout: task ... had not ended when the time given to the wait ...
        >>> task.fail("no space left")
        >>> task.observe().wait().error
        'no space left'
        """

    def abort(self, reason: str = "asked for by an observer") -> None:
        """Tells the task and all below it to abort; `NotAbortable` if it is not marked so."""

    def suspend(self) -> None:
        """Asks the task's owner to sleep at its next checkpoint."""

    def resume(self) -> None:
        """Takes that back."""

    def on_done(self, callback: Callable[[Status | TaskmgrError], object]) -> Guard:
        """Calls `callback` once with the final status when the task has ended, at once if it
        has. What keeps that from being known, such as a manager that is closed, comes instead.

        It runs on the thread that ends the task; nothing may wait in it. What it raises goes
        to `sys.unraisablehook`.

        >>> repair = taskmgr.Manager().register_module("repair")
        >>> with repair.task("repair") as task:
        ...     guard = task.observe().on_done(lambda status: print(status.state))
        done
        """

    def __await__(self) -> Generator[Any, None, Status]: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Reporter:
    """One more handle of a task for another worker: it counts in a cell of its own, and cannot
    end the task.

    >>> repair = taskmgr.Manager().register_module("repair")
    >>> with repair.task("repair", total=8, units="ranges") as task:
    ...     for worker in [task.reporter(), task.reporter()]:
    ...         worker.advance(4)
    ...     print(task.status().progress)
    8/8 ranges
    """

    @property
    def id(self) -> UUID:
        """The task's id."""

    def advance(self, n: int = 1) -> None:
        """Counts `n` units more, from 0 to 2**53."""

    def set_completed(self, n: int) -> None:
        """Sets what this handle has counted; never lowers it."""

    def set_total(self, total: int) -> None:
        """Tells how many units there are."""

    @property
    def abort_requested(self) -> bool:
        """Whether the task was told to abort."""

    def check_abort(self) -> None:
        """Raises `Aborted`, with the reason, if the task was told to abort."""

    def child(
        self,
        type: str,
        *,
        scope: str = "",
        keyspace: str = "",
        table: str = "",
        entity: str = "",
        shard: int | None = None,
        total: int | None = None,
        units: str = "",
        abortable: bool = False,
        internal: bool = False,
        user_task: bool = False,
        id: _Id | None = None,
        module: Module | None = None,
    ) -> Task:
        """Makes a child of the task, of its module and on its shard unless told otherwise.

        `ParentTerminal` if the task has ended. See `Module.task`.
        """

    def observe(self) -> Observer:
        """A handle that can look, wait and ask for an abort, for other threads."""

    def reporter(self) -> Reporter:
        """One more handle for a further worker."""

    def status(self) -> Status:
        """How the task is."""

    def abort(self, reason: str = "asked for by a worker of its") -> None:
        """Tells the task and all below it to abort."""

    def on_abort(self, callback: Callable[[], object]) -> Guard:
        """Calls `callback` when the task is told to abort, at once if it was."""

    def track(
        self, iterable: Iterable[_T], *, total: int | None = None, units: str | None = None
    ) -> Track[_T]:
        """Goes through a worker's part of the work: counts each item, and looks for an abort.

        The task's total is what was told, or `total`; `units` names what it counts.
        """

    def __reduce__(self) -> NoReturn: ...

@final
class Task:
    """The owner of a task, for any number of threads. As a context manager it starts the task,
    and ends it with the block: done, or failed with the exception's type and message, which
    goes on. A block whose task was told to abort raises `Aborted` at its end. When the last
    reference goes before the end, the task has failed.

    >>> manager = taskmgr.Manager(task_ttl=60)
    >>> repair = manager.register_module("repair")
    >>> with repair.task("repair", keyspace="ks") as job:
    ...     with job.child("repair", table="events") as task:
    ...         raise OSError("no space left")
    Traceback (most recent call last):
    OSError: no space left
    >>> print(manager.tree(job.id))
    repair ks         failed  OSError: no space left
    └─ repair events  failed  OSError: no space left
    """

    @property
    def id(self) -> UUID:
        """The task's id."""

    def start(self) -> Self:
        """Starts the task, and returns it. `Aborted` if it was told to abort: it has failed
        then; `AlreadyStarted`."""

    def finish(self) -> None:
        """Ends the task as done. `Aborted` if it was told to abort: it has failed then;
        `AlreadyFinished` for all but the one that ends it, once it has."""

    def fail(self, error: str | BaseException) -> None:
        """Ends the task as failed, with a text or with the exception's type and message."""

    def advance(self, n: int = 1) -> None:
        """Counts `n` units more, from 0 to 2**53."""

    def set_completed(self, n: int) -> None:
        """Sets what this handle has counted; never lowers it."""

    def set_total(self, total: int) -> None:
        """Tells how many units there are."""

    @property
    def abort_requested(self) -> bool:
        """Whether the task was told to abort."""

    def check_abort(self) -> None:
        """Raises `Aborted`, with the reason, if the task was told to abort."""

    def checkpoint(self) -> None:
        """Raises `Aborted` if the task was told to abort; sleeps as long as it is suspended."""

    def child(
        self,
        type: str,
        *,
        scope: str = "",
        keyspace: str = "",
        table: str = "",
        entity: str = "",
        shard: int | None = None,
        total: int | None = None,
        units: str = "",
        abortable: bool = False,
        internal: bool = False,
        user_task: bool = False,
        id: _Id | None = None,
        module: Module | None = None,
    ) -> Task:
        """Makes a child of the task, of its module and on its shard unless told otherwise.

        `ParentTerminal` if the task has ended. See `Module.task`.
        """

    def observe(self) -> Observer:
        """A handle that can look, wait and ask for an abort, for other threads."""

    def reporter(self) -> Reporter:
        """One more handle for a further worker, which counts in a cell of its own."""

    def status(self) -> Status:
        """How the task is."""

    def abort(self, reason: str = "asked for by its owner") -> None:
        """Tells the task and all below it to abort."""

    def on_abort(self, callback: Callable[[], object]) -> Guard:
        """Calls `callback` when the task is told to abort, at once if it was.

        It runs on the thread that aborts; nothing may wait in it. The task's end waits for one
        that is running on another thread.
        """

    def track(
        self, iterable: Iterable[_T], *, total: int | None = None, units: str | None = None
    ) -> Track[_T]:
        """Goes through the work: counts each item, and looks for an abort before each.

        The task's total is what was told, else `total`, or the length if there is one; `units`
        names what it counts.

        >>> repair = taskmgr.Manager().register_module("repair")
        >>> with repair.task("repair") as task:
        ...     for file in task.track(["a", "b"], units="files"):
        ...         print(file, task.status().progress)
        a 0/2 files
        b 1/2 files
        """

    def __enter__(self) -> Self: ...
    def __exit__(self, _type: object, exception: object, _traceback: object) -> None: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Module:
    """A module of a manager: makes tasks, lists and drains them. It keeps its manager open."""

    @property
    def name(self) -> str:
        """The module's name."""

    def task(
        self,
        type: str,
        *,
        scope: str = "",
        keyspace: str = "",
        table: str = "",
        entity: str = "",
        shard: int | None = None,
        total: int | None = None,
        units: str = "",
        abortable: bool = False,
        internal: bool = False,
        user_task: bool = False,
        id: _Id | None = None,
        parent: _Parent | None = None,
    ) -> Task:
        """Makes a task, in the state `created`: `with` or `start` starts it.

        `total` and `units` say how much there is to do; `abortable` lets observers abort it;
        `internal` leaves it out of lists; `user_task` keeps it for the user tasks' TTL;
        `parent` is a handle of a task, or the id of one, which may be virtual.

        >>> repair = taskmgr.Manager().register_module("repair")
        >>> repair.task("repair", scope="keyspace", keyspace="ks").status().state
        <State.CREATED: 'created'>
        """

    def list(
        self,
        *,
        keyspace: str = "",
        table: str = "",
        type: str = "",
        scope: str = "",
        state: State | str | None = None,
        internal: bool = False,
        limit: int | None = None,
    ) -> Listing:
        """The module's tasks, by time of creation and then id; "" and `None` filter nothing. What
        is missing among them is in `missing`, and is logged."""

    def drain(self) -> int:
        """Unregisters all settled roots; how many there were."""

    def close(self, deadline: _Seconds = 5.0) -> CloseReport:
        """Closes the module: no new tasks, and those that run are told to abort and waited for.

        What still runs at the deadline is in the report. Closing again waits on for that, and
        never reaches a module that was registered under the name since. In a callback the
        deadline must be 0, or it is `WouldDeadlock`.
        """

    def register_provider(self, provider: Provider) -> None:
        """Lets an object answer for virtual tasks: see `Provider`."""

    def tracked(self, type: str | None = None, /, **attributes: Any) -> Callable[[_F], _F]:
        """Makes a task of each call of the function below, or of each run of the coroutine.

        The type is the function's name unless given, the attributes those of `Module.task`.
        Inside, `current_task` is the task; what is tracked there becomes a child of it.

        >>> repair = taskmgr.Manager(task_ttl=60).register_module("repair")
        >>> @repair.tracked(keyspace="ks")
        ... def rebuild(rows):
        ...     taskmgr.current_task().advance(rows)
        ...     return rows
        >>> rebuild(3)
        3
        >>> repair.list()
        [<Stats rebuild ks done id=...>]
        """

    def submit(
        self,
        executor: Executor,
        function: Callable[..., _T],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Submitted[_T]:
        """Gives a function to an executor of threads, as a task.

        The keyword `task` has the attributes of `Module.task`, and is not the function's.
        Inside, `current_task` is the task.

        >>> from concurrent.futures import ThreadPoolExecutor
        >>> repair = taskmgr.Manager().register_module("repair")
        >>> with ThreadPoolExecutor() as executor:
        ...     submitted = repair.submit(executor, pow, 2, 10, task={"type": "power"})
        ...     print(submitted.result(), submitted.observer.wait().type)
        1024 power
        """

    def __reduce__(self) -> NoReturn: ...

@final
class Request:
    """A request that is none of the API's own, for the routes of the host. It has no body.

    >>> request = taskmgr.Request("POST", "/node/repair/my%20ks?table=events")
    >>> request.method, request.segments(), request.query("table"), request.query("shard")
    ('POST', ['node', 'repair', 'my ks'], 'events', None)
    """

    def __new__(cls, method: str, target: str, *, host: str | None = None) -> Self: ...
    @property
    def method(self) -> str:
        """The method, in capitals as it was sent."""

    @property
    def path(self) -> str:
        """The path as it was sent, so still percent-encoded."""

    @property
    def host(self) -> str | None:
        """The `Host` that the client asked, if it named one."""

    def segments(self) -> list[str]:
        """The segments of the path, decoded one by one; `InvalidArgument` for a broken escape."""

    def query(self, name: str) -> str | None:
        """The decoded value of a query parameter, `None` if it is absent or empty;
        `InvalidArgument` for a broken escape or a parameter that is given twice."""

    def __reduce__(self) -> NoReturn: ...

@final
class Server:
    """The REST API of a manager on a thread of its own, until it is stopped, dropped, or its
    block ends."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: the IP address and the port."""

    @property
    def url(self) -> str:
        """The same as what clients begin with."""

    @property
    def pending_waits(self) -> int:
        """How many clients wait for a task."""

    def stop(self, deadline: _Seconds = 5.0) -> int:
        """Stops listening, lets requests end until the deadline; how many were cut off."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Manager:
    """Keeps track of a node's long-running operations. As a context manager it is closed with
    the block.

    TTLs are for how long a finished root stays, `user_task_ttl` for one that a user started.
    `reaper=False` leaves the sweeping to `tick`. When the last reference to it and its modules
    goes without `close`, new tasks are refused and those that run are told to abort.

    >>> with taskmgr.Manager(task_ttl=60, node="10.0.0.1") as manager:
    ...     compaction = manager.register_module("compaction")
    ...     with compaction.task("major compaction", keyspace="ks") as job:
    ...         pass
    ...     manager.list("compaction")
    [<Stats major compaction ks done id=...>]
    """

    def __new__(
        cls,
        *,
        task_ttl: _Seconds = 0.0,
        user_task_ttl: _Seconds = 3600.0,
        clock: ManualClock | None = None,
        node: str = "",
        reaper: bool = True,
        keep_on_read: bool = False,
        max_kept_children: int = 1024,
        max_kept_per_root: int = 16384,
        tombstones: int = 4096,
        max_finished_bytes: int = 67108864,
        max_modules: int = 65536,
        max_live_tasks: int | None = None,
        provider_deadline: _Seconds = 5.0,
    ) -> Self: ...
    def register_module(self, name: str) -> Module:
        """Registers a module; `ModuleExists` if there is one of that name."""

    def module(self, name: str) -> Module:
        """The module of this name; `UnknownModule` if there is none."""

    def modules(self) -> list[str]:
        """The names of all modules, in order of registration."""

    @property
    def node(self) -> str:
        """The address that the manager was given."""

    @property
    def keep_on_read(self) -> bool:
        """Whether reading the status of a settled root over REST leaves it registered."""

    @property
    def finished_bytes(self) -> int:
        """About how many bytes the finished roots take that are kept, with all that they keep."""

    @property
    def evicted(self) -> int:
        """How many finished roots have gone before their time, as all of them took too much."""

    @property
    def task_ttl(self) -> float:
        """For how many seconds a finished root stays."""

    def set_task_ttl(self, ttl: _Seconds) -> float:
        """Sets it for roots that settle from now on; what it was before."""

    @property
    def user_task_ttl(self) -> float:
        """For how many seconds a finished root that a user started stays."""

    def set_user_task_ttl(self, ttl: _Seconds) -> float:
        """Sets it for roots that settle from now on; what it was before."""

    def observe(self, id: _Id) -> Observer:
        """An observer of the task of this id; `NotFound`, `Gone` or `Expired` without one."""

    def status(self, id: _Id) -> Status:
        """How the task is. This only looks."""

    def take_status(self, id: _Id) -> Status:
        """How the settled root has ended; it is unregistered with that. `NotSettled`."""

    def read_status(self, id: _Id) -> Status:
        """What the REST API answers: a settled root is unregistered with that, unless the
        manager keeps what was read."""

    def status_tree(self, id: _Id) -> list[Status]:
        """The statuses of the task and all its descendants, breadth-first."""

    def take_status_tree(self, id: _Id) -> list[Status]:
        """The same of a settled root, which is unregistered with that."""

    def read_status_tree(self, id: _Id) -> list[Status]:
        """The same as the REST API answers it."""

    def tree(self, id: _Id | None = None) -> Tree:
        """The tree of a task, or of all tasks that are not internal, to look at."""

    def list(
        self,
        module: str,
        *,
        keyspace: str = "",
        table: str = "",
        type: str = "",
        scope: str = "",
        state: State | str | None = None,
        internal: bool = False,
        limit: int | None = None,
    ) -> Listing:
        """The tasks of a module, as `Module.list`."""

    def drain(self, module: str) -> int:
        """Unregisters all settled roots of a module; how many there were."""

    def abort(self, id: _Id, reason: str = "asked for by id") -> None:
        """Tells the task and all below it to abort; `NotAbortable` if it is not marked so."""

    def suspend(self, id: _Id) -> None:
        """Asks the task's owner to sleep at its next checkpoint."""

    def resume(self, id: _Id) -> None:
        """Takes that back."""

    def wait(self, id: _Id, timeout: _Seconds | None = None) -> Status:
        """Sleeps until the task has ended, as `Observer.wait`."""

    def on_done(self, id: _Id, callback: Callable[[Status | TaskmgrError], object]) -> Guard:
        """Calls `callback` once when the task has ended, as `Observer.on_done`."""

    def close_module(self, module: str, deadline: _Seconds = 5.0) -> CloseReport:
        """Closes a module, as `Module.close`."""

    def close(self, deadline: _Seconds = 5.0) -> CloseReport:
        """Closes all modules and the manager with them.

        Whoever still waits for a task at the deadline, or comes later, gets `Closed`. Closing
        again waits on for what still runs. In a callback the deadline must be 0, or it is
        `WouldDeadlock`.
        """

    def serve(
        self,
        address: str = "127.0.0.1:10000",
        *,
        test_endpoints: bool = False,
        allowed_hosts: Iterable[str] = (),
        max_connections: int = 2048,
        header_timeout: _Seconds = 10.0,
        routes: Callable[[Request], Response | None] | None = None,
    ) -> Server:
        """Serves the REST API, on a thread of its own. It has no authentication: whoever
        reaches the port can abort tasks.

        `routes` is asked for paths that the API does not know, see `Response`; `None` becomes
        a 404. It is called on a thread of the server, one call at a time, and nothing may wait
        in it: start long work elsewhere, and answer with the id of its task. An exception of
        this package is answered as the API answers it; any other is a 500, and goes to
        `sys.unraisablehook`.

        >>> manager = taskmgr.Manager()
        >>> with manager.serve("127.0.0.1:0") as server:
        ...     import urllib.request
        ...     urllib.request.urlopen(server.url + "/task_manager/list_modules").read()
        b'[]'
        """

    def tick(self) -> int:
        """Forgets the roots whose time has come, for hosts without the reaper; how many."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def __reduce__(self) -> NoReturn: ...
