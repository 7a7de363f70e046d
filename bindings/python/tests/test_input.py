"""Bad input: an error that names what was wrong, and nothing changed."""

from __future__ import annotations

import copy
import datetime
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import taskmgr
from taskmgr import Manager, Module, Task

Bad = Callable[[Any, Any, Any], object]

REFUSED: dict[str, tuple[type[Exception], str, Bad]] = {
    "negative amount": (ValueError, "-1 is no amount", lambda m, r, t: t.advance(-1)),
    "huge amount": (ValueError, r"2\*\*53", lambda m, r, t: t.advance(2**53 + 1)),
    "amount past 64 bits": (ValueError, "no amount", lambda m, r, t: t.advance(2**70)),
    "amount of text": (TypeError, "str", lambda m, r, t: t.advance("3")),
    "fractional amount": (TypeError, "float", lambda m, r, t: t.set_completed(0.5)),
    "negative total": (ValueError, "-3", lambda m, r, t: t.set_total(-3)),
    "total of a child": (ValueError, "-3", lambda m, r, t: t.child("x", total=-3)),
    "id of text": (ValueError, "no task id", lambda m, r, t: m.status("xyz")),
    "id of a number": (TypeError, "uuid.UUID", lambda m, r, t: m.abort(7)),
    "nil id": (ValueError, "nil", lambda m, r, t: r.task("x", id="0" * 32)),
    "negative time": (ValueError, "-1", lambda m, r, t: t.observe().wait(-1)),
    "no number": (ValueError, "nan", lambda m, r, t: m.close(float("nan"))),
    "negative delta": (
        ValueError,
        "duration",
        lambda m, r, t: m.set_task_ttl(datetime.timedelta(-1)),
    ),
    "time of text": (TypeError, "timedelta", lambda m, r, t: m.set_task_ttl("60")),
    "shard": (ValueError, "-1 is no shard", lambda m, r, t: r.task("x", shard=-1)),
    "shard past 32 bits": (ValueError, "shard", lambda m, r, t: r.task("x", shard=2**32)),
    "empty type": (ValueError, "type", lambda m, r, t: r.task("")),
    "long keyspace": (ValueError, "255", lambda m, r, t: t.child("x", keyspace="k" * 256)),
    "control character": (ValueError, "table", lambda m, r, t: r.task("x", table="a\0")),
    "override": (ValueError, r"U\+202E at byte 1", lambda m, r, t: r.task("x", table="a\u202e")),
    "blanks": (ValueError, "nothing but blanks", lambda m, r, t: t.child("x", entity="  ")),
    "surrogate": (UnicodeEncodeError, "surrogate", lambda m, r, t: r.task("\ud800")),
    "unknown keyword": (TypeError, "colour", lambda m, r, t: r.task("x", colour=1)),
    "parent of a number": (TypeError, "Observer", lambda m, r, t: r.task("x", parent=1)),
    "state": (ValueError, "suspended", lambda m, r, t: r.list(state="asleep")),
    "failure": (TypeError, "exception", lambda m, r, t: t.fail(3)),
    "callback": (TypeError, "callable", lambda m, r, t: t.on_abort(3)),
    "clock": (TypeError, "ManualClock", lambda m, r, t: Manager(clock=t)),
    "long ttl": (
        ValueError,
        "TTL of tasks is 1000000000000 s, which does not fit; the longest is 3153600000 s",
        lambda m, r, t: Manager(task_ttl=1e12),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, manager: Manager, module: Module) -> None:
    kind, words, bad = REFUSED[name]
    task = module.task("repair").start()
    with pytest.raises(kind, match=words) as caught:
        bad(manager, module, task)
    if kind is ValueError:
        assert isinstance(caught.value, taskmgr.InvalidArgument)
    assert (len(module.list()), task.status().progress.completed) == (1, 0)


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
def test_handles_stay_in_their_process(
    manager: Manager, module: Module, carry: Callable[[object], object]
) -> None:
    task: Task = module.task("repair").start()
    handles = [manager, module, task, task.observe(), task.reporter()]
    handles += [task.on_abort(print), task.track([]), taskmgr.ManualClock()]
    handles += [taskmgr.Request("GET", "/")]
    for handle in handles:
        name = type(handle).__name__
        with pytest.raises(TypeError, match=f"a {name} cannot be pickled or copied"):
            carry(handle)


def test_views_and_errors_travel(manager: Manager, module: Module) -> None:
    status = module.task("repair", total=3).start().status()
    assert pickle.loads(pickle.dumps(status)) == status
    with module.task("x", internal=True) as task:
        pass
    with pytest.raises(taskmgr.Gone) as caught:
        manager.status(task.id)
    error = pickle.loads(pickle.dumps(caught.value))
    assert type(error) is type(caught.value)
    assert (error.task_id, error.reason) == (task.id, caught.value.reason)
    assert str(error) == str(caught.value)


def test_the_hierarchy_of_errors() -> None:
    for name in taskmgr.__all__:
        thing = getattr(taskmgr, name)
        if isinstance(thing, type) and issubclass(thing, Exception):
            assert issubclass(thing, taskmgr.TaskmgrError)
            assert thing.code == thing("text").code
    assert issubclass(taskmgr.Expired, taskmgr.NotFound)
    assert issubclass(taskmgr.Timeout, TimeoutError)
    assert issubclass(taskmgr.NotFound, LookupError)
