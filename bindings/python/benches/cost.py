"""What the package costs, beside what Python programs use otherwise; all in one run.

    pip install tqdm rich && python benches/cost.py

Prints nanoseconds a call, the best of several rounds, with the loop that measures in it, and
the ratios that are promised; exits 1 if one is missed.
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

ROUNDS = 15


def cost(statement: str, number: int, **names: object) -> float:
    rounds = timeit.repeat(statement, globals=names, number=number, repeat=ROUNDS)
    return min(rounds) / number * 1e9


def measure() -> dict[str, float]:
    manager = taskmgr.Manager()
    module = manager.register_module("bench")
    task = module.task("bench").start()
    bar = tqdm.tqdm(total=10**12, file=io.StringIO())
    console = rich.console.Console(file=io.StringIO())
    progress = rich.progress.Progress(console=console)
    row = progress.add_task("bench", total=10**12)
    many, some = 200_000, 20_000
    return {
        "advance": cost("advance(1)", many, advance=task.advance),
        # What a method of an extension costs by itself: this one does two loads.
        "a bare method": cost("bare()", many, bare=task.check_abort),
        "tqdm update": cost("update(1)", many, update=bar.update),
        "rich advance": cost("advance(row, 1)", some, advance=progress.advance, row=row),
        "child": cost("c = child('part').start(); c.finish()", some, child=task.child),
        "child in a block": cost("with child('part'): pass", some, child=task.child),
        "Future": cost("f = Future(); f.set_result(1); f.result()", some, Future=Future),
    }


GOALS: list[tuple[str, str, float]] = [
    ("advance", "tqdm update", 0.15),
    ("advance", "a bare method", 2.0),
    ("child", "Future", 0.25),
]


def main(write: Callable[[str], object] = print) -> int:
    costs = measure()
    for name, nanoseconds in costs.items():
        write(f"{name:<18} {nanoseconds:8.1f} ns")
    missed = 0
    for ours, theirs, goal in GOALS:
        ratio = costs[ours] / costs[theirs]
        missed += ratio > goal
        met = "met" if ratio <= goal else "missed"
        write(f"{ours} / {theirs}: {ratio:.2f} (goal {goal}, {met})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
