"""The clients against a node's REST API, in another thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from collections.abc import Iterator

import pytest
import taskmgr
from conftest import GUARD
from taskmgr import AsyncClient, Client, Manager, Module, Server, State


@pytest.fixture
def server(manager: Manager) -> Iterator[Server]:
    with manager.serve("127.0.0.1:0") as server:
        yield server


@pytest.fixture
def client(server: Server) -> Client:
    return Client(server.url)


def test_rest_1_lists_and_statuses(
    client: Client, module: Module, manager: Manager, clock: taskmgr.ManualClock
) -> None:
    parent = module.task("repair", keyspace="ks", scope="keyspace").start()
    clock.advance(1)
    child = parent.child("repair", table="t", total=4, units="ranges").start()
    child.advance()
    assert client.list_modules() == ["repair"]
    (stats,) = client.list("repair")
    assert (stats.id, stats.keyspace, stats.state) == (parent.id, "ks", State.RUNNING)
    assert stats.start_time == parent.status().start_time
    assert [s.id for s in client.list("repair", internal=True)] == [parent.id, child.id]
    assert client.list("repair", keyspace="other") == []
    root, below = client.status_tree(parent.id)
    assert (root.parent_id, below.parent_id) == (None, parent.id)
    assert root.children == (taskmgr.ChildId(child.id, "10.0.0.1"),)
    assert str(below.progress) == "1/4 ranges"
    assert (root.error, root.end_time) == (None, None)
    assert str(client.tree(str(parent.id))) == str(manager.tree(parent.id))


def test_waiting_and_reading(client: Client, module: Module) -> None:
    task = module.task("repair").start()
    with pytest.raises(taskmgr.Timeout) as caught:
        client.wait_for_task(task.id, timeout=0)
    assert caught.value.task_id == task.id
    threading.Timer(0.05, task.fail, ["no space"]).start()
    assert client.wait_for_task(task.id, timeout=GUARD).error == "no space"
    assert client.status(task.id).state is State.FAILED
    with pytest.raises(taskmgr.NotFound) as gone:
        client.status(task.id)
    assert gone.value.task_id == task.id


def test_aborting(client: Client, module: Module) -> None:
    task = module.task("repair").start()
    with pytest.raises(taskmgr.NotAbortable):
        client.abort(task.id)
    willing = module.task("repair", abortable=True).start()
    client.abort(willing.id)
    assert willing.abort_requested


def test_rest_2_ttls_and_draining(client: Client, module: Module) -> None:
    assert (client.task_ttl(), client.set_task_ttl(5), client.task_ttl()) == (60, 60, 5)
    assert (client.set_user_task_ttl(7), client.user_task_ttl()) == (3600, 7)
    with module.task("repair"):
        pass
    client.drain("repair")
    assert client.list("repair") == []


def test_a_task_that_appears(client: Client, module: Module) -> None:
    module.task("cleanup").start()
    with pytest.raises(taskmgr.Timeout, match="repair"):
        client.wait_task_appears("repair", type="repair", timeout=0.1)
    started: list[taskmgr.Task] = []
    timer = threading.Timer(0.1, lambda: started.append(module.task("repair").start()))
    timer.start()
    appeared = client.wait_task_appears("repair", type="repair", timeout=GUARD)
    timer.join(GUARD)
    assert appeared.id == started[0].id


def test_rest_2_refusals(client: Client, module: Module) -> None:
    with pytest.raises(taskmgr.UnknownModule, match="backup"):
        client.list("backup")
    with pytest.raises(taskmgr.UnknownModule):
        client.drain("a/b?c")
    with pytest.raises(taskmgr.NotFound):
        client.status(uuid.uuid4())
    with pytest.raises(taskmgr.InvalidArgument, match="no task id"):
        client.status("xyz")
    with pytest.raises(taskmgr.InvalidArgument, match="whole seconds"):
        client.set_task_ttl(0.5)
    for url in ("https://127.0.0.1", "ftp://x", "http://"):
        with pytest.raises(taskmgr.InvalidArgument, match="no URL of a node"):
            Client(url)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(taskmgr.Unreachable) as caught:
        Client(f"127.0.0.1:{port}").list_modules()
    assert isinstance(caught.value, ConnectionError)
    with pytest.raises(taskmgr.Unreachable):
        asyncio.run(AsyncClient(f"127.0.0.1:{port}").list_modules())


def test_in_an_event_loop(server: Server, module: Module, manager: Manager) -> None:
    async def main() -> None:
        client = AsyncClient(server.url)
        task = module.task("repair", keyspace="ks", abortable=True).start()
        waits = [asyncio.ensure_future(client.wait_for_task(task.id, GUARD)) for _ in range(20)]
        assert await client.list_modules() == ["repair"]
        assert (await client.wait_task_appears("repair", keyspace="ks")).id == task.id
        assert [s.id for s in await client.list("repair")] == [task.id]
        assert str(await client.tree(task.id)) == str(manager.tree(task.id))
        await client.abort(task.id)
        with pytest.raises(taskmgr.Aborted):
            task.finish()
        assert {status.state for status in await asyncio.gather(*waits)} == {State.FAILED}
        assert (await client.status(task.id)).id == task.id
        with pytest.raises(taskmgr.NotFound):
            await client.status(task.id)
        assert (await client.set_task_ttl(5), await client.task_ttl()) == (60, 5)
        assert (await client.set_user_task_ttl(5), await client.user_task_ttl()) == (3600, 5)
        await client.drain("repair")
        with pytest.raises(taskmgr.Timeout):
            await client.wait_task_appears("repair", timeout=0)

    asyncio.run(main())
