"""The pytest plugin: fixtures, a check that no task is left at work, the tree of what failed.

- `taskmgr_manager`: a manager, closed after the test; `taskmgr_clock`: a manual clock, which
  it takes its time from where a test asks for both; `taskmgr_server`: its REST API.
- A test that leaves a task of it at work fails, unless it is marked
  `@pytest.mark.taskmgr_leaves_tasks`.
- The report of a test that failed has the tree of the manager.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from ._errors import Closed
from ._taskmgr import Manager, ManualClock, Server
from ._views import Tree

MARK = "taskmgr_leaves_tasks"
_MANAGER = pytest.StashKey[Manager]()
_FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}: tasks may be at work when the test is over")


@pytest.fixture
def taskmgr_clock() -> ManualClock:
    """A clock that moves when the test says so."""
    return ManualClock()


@pytest.fixture
def taskmgr_manager(request: pytest.FixtureRequest) -> Iterator[Manager]:
    """A manager whose finished roots stay for an hour."""
    clock: ManualClock | None = None
    if "taskmgr_clock" in request.fixturenames:
        clock = request.getfixturevalue("taskmgr_clock")
    manager = Manager(task_ttl=3600, clock=clock)
    request.node.stash[_MANAGER] = manager
    yield manager
    left = _drawn(manager, running=True)
    try:
        manager.close(0)
    except Closed:
        return
    may_leave = request.node.get_closest_marker(MARK) is not None
    if left and not may_leave and not request.node.stash.get(_FAILED, False):
        pytest.fail(f"the test left tasks at work:\n{left}", pytrace=False)


@pytest.fixture
def taskmgr_server(taskmgr_manager: Manager) -> Iterator[Server]:
    """The REST API of `taskmgr_manager`, with the endpoints for tests."""
    with taskmgr_manager.serve("127.0.0.1:0", test_endpoints=True) as server:
        yield server


def _drawn(manager: Manager, *, running: bool = False) -> str:
    try:
        modules = manager.modules()
        roots = [stats for module in modules for stats in manager.list(module, internal=True)]
        trees = [manager.status_tree(root.id) for root in roots]
    except Closed:
        return ""
    # A child is listed too; it is drawn with its root.
    whole = [tree for tree in trees if tree and tree[0].parent_id is None]
    if running:
        whole = [tree for tree in whole if not tree[0].settled]
    return str(Tree(tuple(status for tree in whole for status in tree)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.when == "call":
        item.stash[_FAILED] = True
        manager = item.stash.get(_MANAGER, None)
        if manager is not None:
            report.sections.append(("tasks", _drawn(manager) or "none"))
    return report
