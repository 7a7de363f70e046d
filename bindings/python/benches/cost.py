"""What the package costs, beside what Python programs use otherwise; all in one run.

    pip install tqdm rich && python benches/cost.py

Prints nanoseconds a call and the ratios that are promised; exits 1 if one is missed. A call is
written as programs write it, a method of an object, and stands 20 times in the loop that
measures, so that next to nothing of the loop is in the figure. The rounds of all of them are
interleaved, so that a machine whose speed changes changes it for all; the best round counts.
"""

from __future__ import annotations

import io
import sys
import timeit
from collections.abc import Callable
from concurrent.futures import Future

import rich.console
import rich.progress
import taskmgr
import tqdm

ROUNDS = 25
AT_ONCE = 20


def measure() -> dict[str, float]:
    manager = taskmgr.Manager()
    task = manager.register_module("bench").task("bench").start()
    console = rich.console.Console(file=io.StringIO())
    progress = rich.progress.Progress(console=console)
    names = {
        "task": task,
        "reporter": task.reporter(),
        "bar": tqdm.tqdm(total=10**12, file=io.StringIO()),
        "progress": progress,
        "row": progress.add_task("bench", total=10**12),
        "Future": Future,
    }
    statements = {
        "advance": "task.advance()",
        "advance by 1": "task.advance(1)",
        "a reporter's advance": "reporter.advance(1)",
        # What a method of pyo3's costs by itself: this one does two loads.
        "a bare method": "task.check_abort()",
        "tqdm update": "bar.update()",
        "tqdm update by 1": "bar.update(1)",
        "rich advance": "progress.advance(row, 1)",
        "child": "c = task.child('part').start(); c.finish()",
        "child in a block": "with task.child('part'): pass",
        "Future": "f = Future(); f.set_result(1); f.result()",
    }
    slow = {"rich advance", "Future", "child", "child in a block"}
    turns = {name: 100 if name in slow else 2_000 for name in statements}
    timers = {
        name: timeit.Timer("\n".join([statement] * AT_ONCE), globals=names)
        for name, statement in statements.items()
    }
    best = dict.fromkeys(statements, float("inf"))
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            seconds = timer.timeit(turns[name]) / turns[name] / AT_ONCE
            best[name] = min(best[name], seconds * 1e9)
    return best


GOALS: list[tuple[str, str, float]] = [
    ("advance", "tqdm update", 0.15),
    ("advance by 1", "tqdm update by 1", 0.15),
    ("advance by 1", "a bare method", 2.0),
    ("child", "Future", 0.25),
]


def main(write: Callable[[str], object] = print) -> int:
    costs = measure()
    for name, nanoseconds in costs.items():
        write(f"{name:<20} {nanoseconds:8.1f} ns")
    missed = 0
    for ours, theirs, goal in GOALS:
        ratio = costs[ours] / costs[theirs]
        missed += ratio > goal
        met = "met" if ratio <= goal else "missed"
        write(f"{ours} / {theirs}: {ratio:.3f} (goal {goal}, {met})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
