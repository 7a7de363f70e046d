"""Ctrl-C ends whatever waits, wherever the main thread waits."""

from __future__ import annotations

import signal
import sys
import time

import pytest
from conftest import GUARD, Script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

PROLOGUE = """
import signal, threading, time
# A shell that runs the tests in the background has SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
import taskmgr
manager = taskmgr.Manager()
module = manager.register_module("repair")
task = module.task("repair").start()
def interrupted(wait):
    print("ready")
    try:
        wait()
    except KeyboardInterrupt:
        print("interrupted", task.status().state)
"""

CALLBACK = """
entered = threading.Event()
def callback():
    entered.set()
    threading.Event().wait(3600)
guard = task.on_abort(callback)
threading.Thread(target=task.abort, daemon=True).start()
entered.wait()
"""

# A route that is under way keeps its server.
SERVER = """
import urllib.request
entered = threading.Event()
def routes(request):
    entered.set()
    threading.Event().wait(3600)
server = manager.serve("127.0.0.1:0", routes=routes)
threading.Thread(target=urllib.request.urlopen, args=(server.url + "/x",), daemon=True).start()
entered.wait()
"""

AWAIT = """
import asyncio
async def main():
    await task.observe()
"""

WAITS = {
    "wait": "interrupted(task.observe().wait)",
    "timed wait": "interrupted(lambda: task.observe().wait(3600))",
    "wait by id": "interrupted(lambda: manager.wait(task.id))",
    "checkpoint": "task.observe().suspend(); interrupted(task.checkpoint)",
    "module.close": "interrupted(lambda: module.close(3600))",
    "manager.close": "interrupted(lambda: manager.close(3600))",
    "close_module": "interrupted(lambda: manager.close_module('repair', 3600))",
    "the end of a manager's block": "interrupted(lambda: manager.__exit__(None, None, None))",
    "server.stop": SERVER + "interrupted(lambda: server.stop(3600))",
    "the end of a server's block": SERVER
    + "interrupted(lambda: server.__exit__(None, None, None))",
    "await": AWAIT + "interrupted(lambda: asyncio.run(main()))",
    "a client's wait": """
server = manager.serve("127.0.0.1:0")
interrupted(lambda: taskmgr.Client(server.url).wait_for_task(task.id))
""",
    "the end of a guard's block": CALLBACK
    + "interrupted(lambda: guard.__exit__(None, None, None))",
    "task.fail": CALLBACK + "interrupted(lambda: task.fail('x'))",
    "guard.cancel": CALLBACK + "interrupted(guard.cancel)",
    "task.finish": CALLBACK + "interrupted(task.finish)",
    "the end of a block": CALLBACK + "interrupted(lambda: task.__exit__(None, None, None))",
}


@pytest.mark.parametrize("name", WAITS)
def test_ctrl_c(name: str, script: Script) -> None:
    process = script(PROLOGUE + WAITS[name] + "\nimport os; os._exit(0)")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    # It shall be asleep by then; if it is not yet, it is interrupted all the same.
    time.sleep(0.2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    line = process.stdout.readline()
    took = time.monotonic() - began
    assert line.startswith("interrupted"), process.communicate()
    # 100 ms are promised; what a busy machine adds is none of the library's.
    assert took < 5, f"{name} took {took:.3f} s"
    assert process.wait(GUARD) == 0


def test_a_handler_that_returns_goes_on_waiting(script: Script) -> None:
    process = script(
        PROLOGUE
        + """
import os, signal
def handler(*_):
    print("handled", flush=True)
    threading.Thread(target=task.finish).start()
signal.signal(signal.SIGUSR1, handler)
print("ready", flush=True)
print(task.observe().wait().state)
"""
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGUSR1)
    out, err = process.communicate(timeout=GUARD)
    assert (out, err) == ("handled\ndone\n", "")
