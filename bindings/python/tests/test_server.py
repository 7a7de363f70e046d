"""The REST API of a manager, started from Python."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import taskmgr
from conftest import GUARD, Script
from taskmgr import Manager, Module, Server


@pytest.fixture
def server(manager: Manager) -> Iterator[Server]:
    with manager.serve("127.0.0.1:0", test_endpoints=True) as server:
        yield server


def ask(server: Server, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(f"{server.url}{path}", method=method)
    with urllib.request.urlopen(request, timeout=GUARD) as answer:
        body = answer.read()
    return json.loads(body) if body else None


def test_rest_2_it_answers(server: Server, module: Module) -> None:
    host, port = server.address
    assert (host, server.url) == ("127.0.0.1", f"http://127.0.0.1:{port}")
    task = module.task("repair", keyspace="ks", abortable=True).start()
    assert ask(server, "/task_manager/list_modules") == ["repair"]
    (stats,) = ask(server, "/task_manager/list_module_tasks/repair")
    assert (stats["task_id"], stats["keyspace"]) == (str(task.id), "ks")
    ask(server, f"/task_manager/abort_task/{task.id}", "POST")
    assert task.abort_requested
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(server, "/task_manager/list_module_tasks/backup")
    with caught.value as refused:
        assert refused.code == 400


def test_rest_3_what_goes_beyond_the_wire_format(server: Server, module: Module) -> None:
    task = module.task("repair", user_task=True).start()
    task.child("repair").start().fail("no space")
    assert "first_error" not in ask(server, f"/task_manager/task_status/{task.id}")
    extended = ask(server, f"/api/v1/task_status/{task.id}")
    assert (extended["first_error"], extended["settled"]) == ("no space", False)
    task.finish()
    for _ in range(2):
        assert ask(server, f"/api/v1/task_status/{task.id}")["settled"], "reading leaves it"


def test_rest_6_a_harness_makes_and_ends_tasks(server: Server) -> None:
    ask(server, "/task_manager_test/test_module", "POST")
    id = ask(server, "/task_manager_test/test_task?keyspace=ks&user_task=yes", "POST")
    running = ask(server, f"/task_manager/task_status/{id}")
    assert (running["state"], running["type"], running["keyspace"]) == ("running", "test", "ks")
    ask(server, f"/task_manager_test/finish_test_task/{id}?error=broken", "POST")
    assert ask(server, f"/task_manager/task_status/{id}")["error"] == "broken"
    ask(server, "/task_manager_test/test_module", "DELETE")
    assert "test" not in ask(server, "/task_manager/list_modules")


def test_rest_5_a_parked_wait_is_answered(server: Server, module: Module) -> None:
    task = module.task("repair", user_task=True).start()
    answers: list[Any] = []
    waiting = threading.Thread(
        target=lambda: answers.append(ask(server, f"/task_manager/wait_task/{task.id}"))
    )
    waiting.start()
    while server.pending_waits == 0:
        assert waiting.is_alive()
    task.finish()
    waiting.join(GUARD)
    assert [answer["state"] for answer in answers] == ["done"]


def test_it_stops(manager: Manager) -> None:
    server = manager.serve("127.0.0.1:0")
    assert server.stop() == 0
    assert server.stop() == 0
    with pytest.raises(urllib.error.URLError):
        ask(server, "/task_manager/list_modules")


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "127.0.0.1:99999", ":0"])
def test_an_address_that_is_none(manager: Manager, address: str) -> None:
    with pytest.raises(taskmgr.InvalidArgument, match="no address to listen on"):
        manager.serve(address)


def test_a_port_that_is_taken(manager: Manager, server: Server) -> None:
    with pytest.raises(OSError, match="cannot listen on"):
        manager.serve(f"127.0.0.1:{server.address[1]}")


class Node:
    """The routes of a host: starts and aborts repairs, and goes wrong where it is told to."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.tasks: list[taskmgr.Task] = []
        self.asked: list[taskmgr.Request] = []

    def __call__(self, request: taskmgr.Request) -> taskmgr.Response | None:
        self.asked.append(request)
        match request.segments():
            case ["node", "repair"] if request.method != "POST":
                return taskmgr.Response.error(405, "there is POST only", allow="POST")
            case ["node", "repair"]:
                task = self.module.task("repair", keyspace=request.query("keyspace") or "")
                self.tasks.append(task.start())
                return taskmgr.Response(str(task.id), 202)
            case ["node", "abort"]:
                self.tasks[0].observe().abort()
            case ["node", "wait"]:
                self.tasks[0].observe().wait()
            case ["node", "fail"]:
                raise OSError("no space left")
            case ["node", "text"]:
                return "text"  # type: ignore[return-value]
            case ["node", "object"]:
                return taskmgr.Response(object())
            case ["node", "nothing"]:
                return taskmgr.Response()
        return None


@pytest.fixture
def node(manager: Manager, module: Module) -> Iterator[tuple[Node, Server]]:
    node = Node(module)
    with manager.serve("127.0.0.1:0", routes=node) as server:
        yield node, server


def refused(server: Server, path: str, method: str = "GET") -> tuple[int, str, str | None]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(server, path, method)
    with caught.value as error:
        body = json.loads(error.read())
        assert body["code"] == error.code
        return error.code, body["message"], error.headers["Allow"]


def test_rest_5_routes_of_the_host(node: tuple[Node, Server], module: Module) -> None:
    routes, server = node
    answer = ask(server, "/node/repair?keyspace=my%20ks", "POST")
    (stats,) = module.list()
    assert (answer, stats.keyspace) == (str(stats.id), "my ks")
    assert refused(server, "/node/repair")[::2] == (405, "POST")
    assert ask(server, "/node/nothing") is None
    assert refused(server, "/elsewhere")[0] == 404
    # The API's own paths are not the host's.
    assert ask(server, "/task_manager/list_modules") == ["repair"]
    assert [request.path for request in routes.asked] == [
        "/node/repair",
        "/node/repair",
        "/node/nothing",
        "/elsewhere",
    ]
    assert repr(routes.asked[0]) == 'Request("POST", "/node/repair")'
    assert routes.asked[0].host == server.url.removeprefix("http://")


def test_what_a_route_raises(node: tuple[Node, Server], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda hook: told.append(hook.exc_value))
    _, server = node
    ask(server, "/node/repair", "POST")
    # What the package raises is answered as the API answers it, and is no news.
    assert refused(server, "/node/abort")[0] == 403
    assert refused(server, "/node/repair?keyspace=%zz", "POST")[0] == 400
    assert "no escape" in refused(server, "/node/%zz")[1]
    assert refused(server, "/node/repair?keyspace=a&keyspace=b", "POST")[0] == 400
    code, message, _ = refused(server, "/node/wait")
    assert (code, "would block" in message) == (500, True)
    assert told == []
    assert refused(server, "/node/fail")[:2] == (500, "OSError: no space left")
    assert "taskmgr.Response" in refused(server, "/node/text")[1]
    assert "JSON" in refused(server, "/node/object")[1]
    assert [type(error) for error in told] == [OSError, TypeError, TypeError]
    assert ask(server, "/task_manager/list_modules") == ["repair"]


def test_routes_that_are_none(manager: Manager) -> None:
    with pytest.raises(TypeError, match="callable"):
        manager.serve("127.0.0.1:0", routes=3)  # type: ignore[arg-type]
    with pytest.raises(taskmgr.InvalidArgument, match="99 is no status"):
        taskmgr.Response(status=99)


def test_an_interpreter_that_exits_while_a_route_runs(script: Script) -> None:
    process = script(
        """
import taskmgr, threading, time, urllib.request
entered = threading.Event()
def routes(request):
    entered.set()
    time.sleep(0.3)
    print("left", flush=True)
    return taskmgr.Response()
server = taskmgr.Manager().serve("127.0.0.1:0", routes=routes)
def ask():
    try: urllib.request.urlopen(server.url + "/x").read()
    except OSError: pass
threading.Thread(target=ask, daemon=True).start()
entered.wait()
"""
    )
    assert (*process.communicate(timeout=GUARD), process.returncode) == ("left\n", "", 0)


def test_an_interpreter_that_exits_with_a_server_and_a_provider(script: Script) -> None:
    process = script(
        """
import taskmgr, threading, urllib.request
class Slow(taskmgr.Provider):
    def list(self):
        entered.set()
        import time; time.sleep(0.3)
        return []
    def status(self, id): return None
entered = threading.Event()
manager = taskmgr.Manager()
manager.register_module("m").register_provider(Slow())
server = manager.serve("127.0.0.1:0")
def ask():
    try: urllib.request.urlopen(server.url + "/task_manager/list_module_tasks/m").read()
    except OSError: pass
threading.Thread(target=ask, daemon=True).start()
entered.wait()
"""
    )
    assert (*process.communicate(timeout=GUARD), process.returncode) == ("", "", 0)
