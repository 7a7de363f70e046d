"""The pytest plugin, in pytest runs of its own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest, taskmgr

def test_fixtures(taskmgr_manager, taskmgr_clock, taskmgr_server):
    module = taskmgr_manager.register_module("m")
    with module.task("t") as task:
        taskmgr_clock.advance(5)
    status = taskmgr_manager.status(task.id)
    assert (status.end_time - status.start_time).total_seconds() == 5
    assert taskmgr.Client(taskmgr_server.url).list_modules() == ["m"]

def test_leaves(taskmgr_manager):
    global left
    left = taskmgr_manager.register_module("m").task("left behind").start()

@pytest.mark.taskmgr_leaves_tasks
def test_may_leave(taskmgr_manager):
    global marked
    marked = taskmgr_manager.register_module("m").task("t").start()

def test_fails(taskmgr_manager):
    global failed
    failed = taskmgr_manager.register_module("m").task("stuck here", total=4).start()
    failed.child("below").start().finish()
    assert False

def test_closes(taskmgr_manager):
    taskmgr_manager.register_module("m").task("t").start().finish()
    taskmgr_manager.close()

def test_fails_with_nothing_to_show(taskmgr_manager):
    taskmgr_manager.close()
    assert False

def test_without():
    pass
"""


def test_the_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("--strict-markers", "-rA")
    # What a test leaves is an error of its teardown; one that failed has said enough.
    result.assert_outcomes(passed=5, failed=2, errors=1)
    result.stdout.fnmatch_lines(["*the test left tasks at work:", "left behind *running"])
    result.stdout.fnmatch_lines(["*- tasks -*", "none"])
    result.stdout.fnmatch_lines(["*- tasks -*", "stuck here *running *1 of 4", "└─ below *done"])
