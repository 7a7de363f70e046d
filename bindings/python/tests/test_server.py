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


def test_it_answers(server: Server, module: Module) -> None:
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


def test_a_parked_wait_is_answered(server: Server, module: Module) -> None:
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
