"""Clients of the REST API of any node, ours or ScyllaDB's."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from . import _wire
from ._errors import (
    Closed,
    InvalidArgument,
    NotAbortable,
    NotFound,
    ProviderError,
    TaskmgrError,
    Timeout,
    UnknownModule,
)
from ._views import Stats, Status, Tree

if TYPE_CHECKING:
    from socket import socket

# In a class with a method `list` the builtin has another name.
_StatsList: TypeAlias = list[Stats]
_StatusList: TypeAlias = list[Status]
_V = TypeVar("_V")

# How often `wait_task_appears` looks: the API has nothing that tells of new tasks.
_LOOK_EVERY = 0.05
# What an answer may take beyond the time that the request itself asks the node to wait.
_PATIENCE = 30.0
_BASE = "/task_manager"


class Unreachable(TaskmgrError, ConnectionError):
    """The node could not be reached, or what it said was no answer."""

    code = "unreachable"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request, and whom an answer of 400 is about."""

    method: str
    path: str
    patience: float = _PATIENCE
    task_id: UUID | None = None
    module: str | None = None


def _id(value: UUID | str) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise InvalidArgument(f"{value!r} is no task id: it is a UUID or its text") from None


def _seconds(value: float | timedelta) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if math.isnan(seconds) or seconds < 0:
        raise InvalidArgument(f"{value!r} is no duration: seconds from 0 up")
    return seconds


def _ttl(value: float | timedelta) -> int:
    seconds = _seconds(value)
    if seconds != int(seconds):
        raise InvalidArgument(f"a TTL over the REST API is in whole seconds, not {value!r}")
    return int(seconds)


def _task(
    name: str, id: UUID | str, query: str = "", method: str = "GET", wait: float = 0
) -> _Call:
    task_id = _id(id)
    path = f"{_BASE}/{name}/{task_id}{query}"
    return _Call(method, path, patience=_PATIENCE + wait, task_id=task_id)


def _module(name: str, module: str, query: Mapping[str, str], method: str = "GET") -> _Call:
    text = "?" + urlencode(query) if query else ""
    return _Call(method, f"{_BASE}/{name}/{quote(module, safe='')}{text}", module=module)


def _listing(module: str, keyspace: str, table: str, internal: bool) -> _Call:
    query = {"internal": str(internal).lower(), "keyspace": keyspace, "table": table}
    return _module("list_module_tasks", module, {k: v for k, v in query.items() if v})


def _waiting(id: UUID | str, timeout: float | timedelta | None) -> _Call:
    if timeout is None:
        return _task("wait_task", id, wait=math.inf)
    seconds = math.ceil(_seconds(timeout))
    return _task("wait_task", id, f"?timeout={seconds}", wait=seconds)


def _refuse(call: _Call, status: int, body: bytes) -> NoReturn:
    try:
        message = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        message = body.decode(errors="replace").strip() or f"HTTP status {status}"
    kind: type[TaskmgrError]
    if status == 400 and call.task_id is not None:
        kind = NotFound
    elif status == 400 and call.module is not None:
        kind = UnknownModule
    elif status == 400:
        kind = InvalidArgument
    elif status == 500 and call.task_id is not None and "not found" in message:
        # The first nodes with a task manager had one HTTP status for all that goes wrong.
        kind = NotFound
    elif status == 500 and call.task_id is not None and "cannot be aborted" in message:
        kind = NotAbortable
    else:
        kinds = {403: NotAbortable, 408: Timeout, 502: ProviderError, 503: Closed}
        kind = kinds.get(status, TaskmgrError)
    raise kind(message, task_id=call.task_id)


def _parsed(call: _Call, status: int, body: bytes) -> Any:
    if status != 200:
        _refuse(call, status, body)
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise Unreachable(f"{call.path} was answered with what is no JSON: {error}") from None


def _view(call: _Call, wire: Any, of: Callable[[Any], _V]) -> _V:
    try:
        return of(wire)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise Unreachable(f"{call.path} was answered with what tells of no task: {what}") from None


def _one(call: _Call, wire: Any) -> Status:
    return _view(call, wire, _wire.status)


def _many(call: _Call, wires: Any) -> _StatusList:
    return _view(call, wires, lambda wires: [_wire.status(wire) for wire in wires])


def _listed(call: _Call, wires: Any) -> _StatsList:
    return _view(call, wires, lambda wires: [_wire.stats(wire) for wire in wires])


def _matching(listed: _StatsList, type: str, scope: str) -> Stats | None:
    for stats in listed:
        if (not type or stats.type == type) and (not scope or stats.scope == scope):
            return stats
    return None


def _absent(module: str, type: str, timeout: float) -> Timeout:
    wanted = f"of type {type!r} " if type else ""
    return Timeout(f"no task {wanted}appeared in module {module!r} within {timeout} s")


class _Base:
    """Where the node is."""

    def __init__(self, url: str) -> None:
        """`url` is what comes before `/task_manager`, such as `http://127.0.0.1:10000`."""
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
        if parts.scheme != "http" or not parts.hostname:
            raise InvalidArgument(f"{url!r} is no URL of a node, as in http://127.0.0.1:10000")
        self._host = parts.hostname
        self._port = parts.port or 10000
        self._prefix = parts.path.rstrip("/")

    @property
    def url(self) -> str:
        """Where the node is."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}{self._prefix}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def _unreachable(self, error: object) -> Unreachable:
        return Unreachable(f"no answer from {self.url}: {error or 'it hung up'}")


class Client(_Base):
    """The REST API of a node, ours or ScyllaDB's, for harnesses that test it from outside.

    Any number of threads may use it; each call is a connection of its own. What the API does
    not tell, such as the module in a status, is as in a status with nothing known.

    >>> import taskmgr
    >>> manager = taskmgr.Manager(task_ttl=60)
    >>> repair = manager.register_module("repair")
    >>> with manager.serve("127.0.0.1:0") as server:
    ...     client = taskmgr.Client(server.url)
    ...     with repair.task("repair", keyspace="ks", total=4, units="ranges") as task:
    ...         print(client.wait_task_appears("repair", type="repair").state)
    ...     print(client.wait_for_task(task.id))
    running
    <Status repair ks done 0/4 ranges id=...>
    """

    def _ask(self, call: _Call) -> Any:
        timeout = None if math.isinf(call.patience) else call.patience
        connection = HTTPConnection(self._host, self._port, timeout=timeout)
        with contextlib.closing(connection):
            try:
                connection.request(call.method, self._prefix + call.path)
                answer = connection.getresponse()
                status, body = answer.status, answer.read()
            except (OSError, HTTPException) as error:
                raise self._unreachable(error) from error
        return _parsed(call, status, body)

    def list_modules(self) -> list[str]:
        """The names of all modules."""
        return list(self._ask(_Call("GET", f"{_BASE}/list_modules")))

    def list(
        self, module: str, *, keyspace: str = "", table: str = "", internal: bool = False
    ) -> _StatsList:
        """The tasks of a module; `UnknownModule`."""
        call = _listing(module, keyspace, table, internal)
        return _listed(call, self._ask(call))

    def status(self, id: UUID | str) -> Status:
        """How the task is; a settled root is unregistered with that, unless the node keeps
        what was read. `NotFound`."""
        call = _task("task_status", id)
        return _one(call, self._ask(call))

    def status_tree(self, id: UUID | str) -> _StatusList:
        """The statuses of the task and all its descendants, breadth-first; as `status`."""
        call = _task("task_status_recursive", id)
        return _many(call, self._ask(call))

    def tree(self, id: UUID | str) -> Tree:
        """The same to look at."""
        return Tree(tuple(self.status_tree(id)))

    def abort(self, id: UUID | str) -> None:
        """Tells the task and all below it to abort; `NotAbortable`."""
        self._ask(_task("abort_task", id, method="POST"))

    def wait_for_task(self, id: UUID | str, timeout: float | timedelta | None = None) -> Status:
        """Waits until the task has ended, and returns its final status. `Timeout`.

        The node counts whole seconds; parts are rounded up.
        """
        call = _waiting(id, timeout)
        return _one(call, self._ask(call))

    def wait_task_appears(
        self,
        module: str,
        *,
        type: str = "",
        scope: str = "",
        keyspace: str = "",
        table: str = "",
        internal: bool = False,
        timeout: float | timedelta = 10.0,
    ) -> Stats:
        """Looks every 50 ms for a task like this, until there is one. `Timeout`."""
        until = time.monotonic() + _seconds(timeout)
        call = _listing(module, keyspace, table, internal)
        while True:
            found = _matching(_listed(call, self._ask(call)), type, scope)
            if found is not None:
                return found
            if time.monotonic() >= until:
                raise _absent(module, type, _seconds(timeout))
            time.sleep(_LOOK_EVERY)

    def drain(self, module: str) -> None:
        """Unregisters all settled roots of a module; `UnknownModule`."""
        self._ask(_module("drain", module, {}, "POST"))

    def task_ttl(self) -> int:
        """For how many seconds a finished root stays."""
        return int(self._ask(_Call("GET", f"{_BASE}/ttl")))

    def set_task_ttl(self, ttl: float | timedelta) -> int:
        """Sets it, in whole seconds; what it was before."""
        return int(self._ask(_Call("POST", f"{_BASE}/ttl?ttl={_ttl(ttl)}")))

    def user_task_ttl(self) -> int:
        """For how many seconds a finished root that a user started stays."""
        return int(self._ask(_Call("GET", f"{_BASE}/user_ttl")))

    def set_user_task_ttl(self, ttl: float | timedelta) -> int:
        """Sets it, in whole seconds; what it was before."""
        return int(self._ask(_Call("POST", f"{_BASE}/user_ttl?user_ttl={_ttl(ttl)}")))


class _Bytes:
    """What `HTTPResponse` reads an answer from that has come already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _answer(data: bytes) -> tuple[int, bytes]:
    source: socket = _Bytes(data)  # type: ignore[assignment]
    response = HTTPResponse(source)
    response.begin()
    return response.status, response.read()


class AsyncClient(_Base):
    """The same as `Client` in an event loop: nothing blocks it, and no thread waits.

    >>> import asyncio, taskmgr
    >>> manager = taskmgr.Manager(task_ttl=60)
    >>> task = manager.register_module("repair").task("repair").start()
    >>> async def main(url):
    ...     client = taskmgr.AsyncClient(url)
    ...     waiting = asyncio.ensure_future(client.wait_for_task(task.id, timeout=30))
    ...     print((await client.status(task.id)).state)
    ...     task.finish()
    ...     print((await waiting).state)
    >>> with manager.serve("127.0.0.1:0") as server:
    ...     asyncio.run(main(server.url))
    running
    done
    """

    async def _ask(self, call: _Call) -> Any:
        timeout = None if math.isinf(call.patience) else call.patience
        try:
            data = await asyncio.wait_for(self._exchange(call), timeout)
            status, body = _answer(data)
        except (OSError, HTTPException, asyncio.TimeoutError) as error:
            raise self._unreachable(error) from error
        return _parsed(call, status, body)

    async def _exchange(self, call: _Call) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            head = (
                f"{call.method} {self._prefix}{call.path} HTTP/1.1\r\n"
                f"Host: {self.url.removeprefix('http://').partition('/')[0]}\r\n"
                "Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode())
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()
            # Whether the other end has hung up by itself is nothing to hear about.
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def list_modules(self) -> list[str]:
        """As `Client.list_modules`."""
        return list(await self._ask(_Call("GET", f"{_BASE}/list_modules")))

    async def list(
        self, module: str, *, keyspace: str = "", table: str = "", internal: bool = False
    ) -> _StatsList:
        """As `Client.list`."""
        call = _listing(module, keyspace, table, internal)
        return _listed(call, await self._ask(call))

    async def status(self, id: UUID | str) -> Status:
        """As `Client.status`."""
        call = _task("task_status", id)
        return _one(call, await self._ask(call))

    async def status_tree(self, id: UUID | str) -> _StatusList:
        """As `Client.status_tree`."""
        call = _task("task_status_recursive", id)
        return _many(call, await self._ask(call))

    async def tree(self, id: UUID | str) -> Tree:
        """As `Client.tree`."""
        return Tree(tuple(await self.status_tree(id)))

    async def abort(self, id: UUID | str) -> None:
        """As `Client.abort`."""
        await self._ask(_task("abort_task", id, method="POST"))

    async def wait_for_task(
        self, id: UUID | str, timeout: float | timedelta | None = None
    ) -> Status:
        """As `Client.wait_for_task`."""
        call = _waiting(id, timeout)
        return _one(call, await self._ask(call))

    async def wait_task_appears(
        self,
        module: str,
        *,
        type: str = "",
        scope: str = "",
        keyspace: str = "",
        table: str = "",
        internal: bool = False,
        timeout: float | timedelta = 10.0,
    ) -> Stats:
        """As `Client.wait_task_appears`."""
        until = time.monotonic() + _seconds(timeout)
        call = _listing(module, keyspace, table, internal)
        while True:
            found = _matching(_listed(call, await self._ask(call)), type, scope)
            if found is not None:
                return found
            if time.monotonic() >= until:
                raise _absent(module, type, _seconds(timeout))
            await asyncio.sleep(_LOOK_EVERY)

    async def drain(self, module: str) -> None:
        """As `Client.drain`."""
        await self._ask(_module("drain", module, {}, "POST"))

    async def task_ttl(self) -> int:
        """As `Client.task_ttl`."""
        return int(await self._ask(_Call("GET", f"{_BASE}/ttl")))

    async def set_task_ttl(self, ttl: float | timedelta) -> int:
        """As `Client.set_task_ttl`."""
        return int(await self._ask(_Call("POST", f"{_BASE}/ttl?ttl={_ttl(ttl)}")))

    async def user_task_ttl(self) -> int:
        """As `Client.user_task_ttl`."""
        return int(await self._ask(_Call("GET", f"{_BASE}/user_ttl")))

    async def set_user_task_ttl(self, ttl: float | timedelta) -> int:
        """As `Client.set_user_task_ttl`."""
        return int(await self._ask(_Call("POST", f"{_BASE}/user_ttl?user_ttl={_ttl(ttl)}")))
