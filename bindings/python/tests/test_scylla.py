"""The clients against what ScyllaDB answers.

ScyllaDB itself cannot be had where these tests run. The shapes are those that its own code and
API documents (`api/task_manager.cc`, `api/api-doc/task_manager.json`) have had since its task
manager came, as a small HTTP server of this file sends them; that a node of it would send no
other is not tested here.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
import taskmgr
from taskmgr import AsyncClient, ChildId, Client, Kind, Progress, State

ROOT = UUID("675ed9f4-6564-4dbd-8a08-43fddce95200")
CHILD = UUID("2ef0a5b6-f243-4c01-876f-54539b453766")
Answers = dict[tuple[str, str], tuple[int, Any]]

# The first nodes with a task manager: no kind, no scope, children by their ids alone, a nil
# parent, times with the hours of half a day.
FIRST_STATUS: dict[str, Any] = {
    "id": str(ROOT),
    "type": "repair",
    "state": "running",
    "is_abortable": True,
    "start_time": "Mon Jul 29 03:48:55 GMT 2024",
    "end_time": "Thu Jan 01 12:00:00 GMT 1970",
    "error": "",
    "parent_id": "00000000-0000-0000-0000-000000000000",
    "sequence_number": 5,
    "shard": 1,
    "keyspace": "ks",
    "table": "",
    "entity": "",
    "progress_units": "ranges",
    "progress_total": 256.0,
    "progress_completed": 64.0,
    "children_ids": [str(CHILD)],
}
FIRST_STATS: dict[str, Any] = {
    "task_id": str(ROOT),
    "state": "running",
    "type": "repair",
    "keyspace": "ks",
    "table": "",
    "entity": "",
    "sequence_number": 5,
}
# Today's, with what came since: virtual tasks, nodes of children, times in ISO 8601.
LATER_STATUS: dict[str, Any] = {
    **FIRST_STATUS,
    "kind": "cluster",
    "scope": "keyspace",
    "start_time": "2024-07-29T15:48:55Z",
    "end_time": "1970-01-01T00:00:00Z",
    "parent_id": "none",
    "children_ids": [{"task_id": str(CHILD), "node": "10.0.0.2"}],
}
LATER_STATS: dict[str, Any] = {
    **FIRST_STATS,
    "kind": "node",
    "scope": "keyspace",
    "shard": 3,
    "start_time": "2024-07-29T15:48:55Z",
    "end_time": "2024-07-29T15:49:00Z",
}
# One that may come: fields and words that nobody here knows, numbers as text, nothing for what
# is not there.
COMING_STATUS: dict[str, Any] = {
    "id": str(CHILD),
    "type": "resize",
    "kind": "group",
    "state": "paused",
    "is_abortable": "true",
    "start_time": "",
    "end_time": None,
    "creation_time": "2026-01-02T03:04:05.25+01:00",
    "parent_id": str(ROOT),
    "shard": "7",
    "sequence_number": "12",
    "progress_total": "nan",
    "progress_completed": "3.0",
    "children_ids": None,
    "weather": {"is": "fine"},
}


@pytest.fixture
def answers() -> Answers:
    return {}


@pytest.fixture
def url(answers: Answers) -> Iterator[str]:
    class Node(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, value = answers.get(
                (self.command, self.path), (404, {"message": "Not found", "code": 404})
            )
            body = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Node) as node:
        serving = threading.Thread(target=node.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{node.server_port}"
        node.shutdown()
        serving.join()


def status_of(url: str, answers: Answers, wire: object, id: UUID = ROOT) -> taskmgr.Status:
    answers["GET", f"/task_manager/task_status/{id}"] = (200, wire)
    status = Client(url).status(id)
    assert asyncio.run(AsyncClient(url).status(id)) == status
    return status


def test_a_status_of_the_first_nodes(url: str, answers: Answers) -> None:
    status = status_of(url, answers, FIRST_STATUS)
    assert (status.id, status.type, status.kind) == (ROOT, "repair", Kind.NODE)
    assert (status.scope, status.parent_id, status.error) == ("", None, None)
    assert (status.shard, status.sequence_number, status.is_abortable) == (1, 5, True)
    assert status.children == (ChildId(CHILD, ""),)
    assert status.progress == Progress(64, 256, True, "ranges")
    # Half of the day is not told, so the time is not known.
    assert (status.start_time, status.end_time) == (None, None)


def test_a_status_of_todays_nodes(url: str, answers: Answers) -> None:
    status = status_of(url, answers, LATER_STATUS)
    assert (status.kind, status.scope, status.parent_id) == (Kind.CLUSTER, "keyspace", None)
    assert status.start_time == datetime(2024, 7, 29, 15, 48, 55, tzinfo=timezone.utc)
    assert status.end_time is None
    assert status.children == (ChildId(CHILD, "10.0.0.2"),)
    assert str(status) == f"<Status repair keyspace ks running 64/256 ranges id={ROOT}>"


def test_a_status_of_nodes_to_come(url: str, answers: Answers) -> None:
    status = status_of(url, answers, COMING_STATUS, CHILD)
    assert (status.state, status.kind) == ("paused", "group")
    assert isinstance(status.state, State)
    assert not status.state.is_terminal
    assert f"{status.state}" == "paused"
    assert (status.shard, status.sequence_number, status.is_abortable) == (7, 12, True)
    assert status.progress == Progress(3, 0, False, "")
    assert (status.start_time, status.end_time, status.children) == (None, None, ())
    assert status.created_at.isoformat() == "2026-01-02T02:04:05.250000+00:00"
    assert status.parent_id == ROOT
    assert json.loads(json.dumps(status.to_dict()))["state"] == "paused"
    assert repr(status.state) == "<State.PAUSED: 'paused'>"
    assert pickle.loads(pickle.dumps(status)) == status


def test_trees(url: str, answers: Answers) -> None:
    path = f"/task_manager/task_status_recursive/{ROOT}"
    answers["GET", path] = (200, [LATER_STATUS, COMING_STATUS])
    assert str(Client(url).tree(ROOT)).splitlines() == [
        "repair keyspace ks on shard 1  running  25 %  64 of 256 ranges",
        "└─ resize on shard 7           paused         3",
    ]


@pytest.mark.parametrize("wire", [FIRST_STATS, LATER_STATS], ids=["first", "today's"])
def test_stats(url: str, answers: Answers, wire: dict[str, Any]) -> None:
    answers["GET", "/task_manager/list_module_tasks/repair?internal=false&keyspace=ks"] = (
        200,
        [{"task_id": str(CHILD), "state": "done"}, wire],
    )
    client = Client(url)
    least, stats = client.list("repair", keyspace="ks")
    assert (least.id, least.state, least.type, least.shard) == (CHILD, State.DONE, "", 0)
    assert (stats.id, stats.type, stats.kind, stats.state) == (ROOT, "repair", "node", "running")
    assert (stats.shard, stats.scope) == ((3, "keyspace") if "shard" in wire else (0, ""))
    if "start_time" in wire:
        assert stats.start_time is not None
        assert stats.end_time is not None
        assert (stats.end_time - stats.start_time).total_seconds() == 5
    assert client.wait_task_appears("repair", type="repair", keyspace="ks") == stats


def test_waiting_aborting_and_ttls(url: str, answers: Answers) -> None:
    done = {**LATER_STATUS, "state": "failed", "error": "seastar::abort_requested_exception"}
    answers["GET", f"/task_manager/wait_task/{ROOT}?timeout=10"] = (200, done)
    answers["GET", f"/task_manager/wait_task/{CHILD}?timeout=1"] = (
        408,
        {"message": "timed out", "code": 408},
    )
    answers["POST", f"/task_manager/abort_task/{ROOT}"] = (200, None)
    answers["GET", "/task_manager/ttl"] = (200, 10)
    answers["POST", "/task_manager/ttl?ttl=60"] = (200, 10)
    answers["GET", "/task_manager/user_ttl"] = (200, "3600")
    answers["POST", "/task_manager/drain/repair"] = (200, None)
    answers["GET", "/task_manager/list_modules"] = (200, ["compaction", "repair"])
    client = Client(url)
    ended = client.wait_for_task(ROOT, timeout=9.5)
    assert (ended.state, ended.error) == (State.FAILED, "seastar::abort_requested_exception")
    with pytest.raises(taskmgr.Timeout):
        client.wait_for_task(CHILD, timeout=1)
    client.abort(ROOT)
    client.drain("repair")
    assert (client.task_ttl(), client.set_task_ttl(60), client.user_task_ttl()) == (10, 10, 3600)
    assert client.list_modules() == ["compaction", "repair"]


@pytest.mark.parametrize(
    ("status", "message", "method", "kind"),
    [
        (400, f"task with id {ROOT} not found", "status", taskmgr.NotFound),
        (500, f"task with id {ROOT} not found", "status", taskmgr.NotFound),
        (403, f"task with id {ROOT} cannot be aborted", "abort", taskmgr.NotAbortable),
        (500, "Requested task cannot be aborted", "abort", taskmgr.NotAbortable),
        (500, "std::bad_alloc", "abort", taskmgr.TaskmgrError),
    ],
)
def test_refusals(
    url: str, answers: Answers, status: int, message: str, method: str, kind: type[Exception]
) -> None:
    for path in (("GET", f"task_status/{ROOT}"), ("POST", f"abort_task/{ROOT}")):
        answers[path[0], f"/task_manager/{path[1]}"] = (
            status,
            {"message": message, "code": status},
        )
    with pytest.raises(taskmgr.TaskmgrError, match=message) as caught:
        getattr(Client(url), method)(ROOT)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "wire", [None, [], {}, "text", {"id": "x", "state": "done"}, {"id": str(ROOT)}]
)
def test_what_tells_of_no_task(url: str, answers: Answers, wire: object) -> None:
    answers["GET", f"/task_manager/task_status/{ROOT}"] = (200, wire)
    with pytest.raises(taskmgr.Unreachable, match=f"{ROOT} was answered with"):
        Client(url).status(ROOT)
    answers["GET", "/task_manager/list_module_tasks/repair?internal=false"] = (200, [wire])
    with pytest.raises(taskmgr.Unreachable, match="repair"):
        asyncio.run(AsyncClient(url).list("repair"))
