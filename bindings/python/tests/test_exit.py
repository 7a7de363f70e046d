"""An interpreter that goes away, and a process that forks."""

from __future__ import annotations

import os

import pytest
from conftest import GUARD, Script

PROLOGUE = """
import sys, threading, time
import taskmgr
manager = taskmgr.Manager()
module = manager.register_module("repair")
task = module.task("repair", abortable=True).start()
"""

# Where one sleeps, others get into what they do; nothing that is looked for depends on it.
EXITS = {
    "tasks running": "children = [task.child('x').start() for _ in range(100)]",
    "callbacks pending": "task.observe().on_done(print); task.on_abort(lambda: print(1))",
    "a thread that waits": (
        "threading.Thread(target=task.observe().wait, daemon=True).start(); time.sleep(0.1)"
    ),
    "a thread that works": """
def work():
    while True:
        with task.child("x") as child:
            child.observe().on_done(lambda status: status.to_dict())
            child.advance()
threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
""",
    "a callback that runs": """
entered = threading.Event()
def callback(_):
    entered.set()
    time.sleep(0.5)
    print("left", flush=True)
task.observe().on_done(callback)
threading.Thread(target=task.finish, daemon=True).start()
entered.wait()
""",
    "an exception": "raise RuntimeError('the end')",
    "sys.exit": "task.observe().on_done(print); sys.exit(3)",
}

CODES = {"an exception": 1, "sys.exit": 3}
# A callback that had begun is let out; one that has not is dropped with the interpreter.
OUTPUT = {"a callback that runs": "left\n"}


@pytest.mark.parametrize("name", EXITS)
def test_exit(name: str, script: Script) -> None:
    process = script(PROLOGUE + EXITS[name])
    out, err = process.communicate(timeout=GUARD)
    assert process.returncode == CODES.get(name, 0), err
    assert out == OUTPUT.get(name, "")
    if name != "an exception":
        assert err == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_life_10_a_forked_child(script: Script) -> None:
    process = script(
        PROLOGUE
        + """
import gc, os, warnings
warnings.simplefilter("ignore", DeprecationWarning)
observer, reporter = task.observe(), task.reporter()
observer.on_done(lambda _: None)
# A thread in a callback is not in the child; what it holds must not keep the child waiting.
inside, leave = threading.Event(), threading.Event()
other = module.task("other").start()
other.observe().on_done(lambda _: (inside.set(), leave.wait()))
threading.Thread(target=other.finish).start()
inside.wait()
pid = os.fork()
if pid == 0:
    calls = [
        lambda: module.task("x"), lambda: task.child("x"), observer.status, observer.wait,
        lambda: observer.wait(1), lambda: manager.status(task.id), task.finish, task.status,
        task.abort, observer.abort, observer.suspend, module.list, manager.modules,
        lambda: manager.close(), lambda: observer.on_done(print), task.reporter,
        lambda: task.on_abort(print), lambda: manager.register_module("y"), module.drain,
    ]
    for call in calls:
        try:
            call()
        except taskmgr.Forked:
            continue
        print("no error from", call, flush=True)
    task.advance(3); reporter.advance(3); task.set_total(9)
    del task, observer, reporter, calls, call
    gc.collect()
    # A manager of the child's own works.
    with taskmgr.Manager() as mine, mine.register_module("m").task("x") as t:
        seen = []
        t.observe().on_done(seen.append)
        t.fail("own")
        assert seen[0].error == "own", seen
    print("child", flush=True)
    sys.exit(0)
_, code = os.waitpid(pid, 0)
leave.set()
print("code", code, task.status().state, task.status().progress.completed)
"""
    )
    out, err = process.communicate(timeout=GUARD)
    assert (out, err) == ("child\ncode 0 running 0\n", "")
