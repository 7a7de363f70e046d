"""What is shown: frozen, readable, and drawn."""

from __future__ import annotations

import dataclasses
import json
from datetime import timezone
from uuid import UUID

import pytest
import taskmgr
from taskmgr import Manager, Module, State, Status


def test_a_status_is_frozen_and_compares(module: Module) -> None:
    task = module.task("repair", keyspace="ks").start()
    status = task.status()
    assert status == task.status()
    assert hash(status) == hash(task.status())
    with pytest.raises(dataclasses.FrozenInstanceError):
        status.state = State.DONE  # type: ignore[misc]
    task.advance()
    assert status != task.status()


def test_states_are_their_words(module: Module) -> None:
    state = module.task("repair").status().state
    assert state == "created"
    words: dict[str, int] = {state: 1}
    assert words["created"] == 1
    assert f"{state}" == "created"
    assert [state.is_terminal for state in State] == [False] * 3 + [True] * 2


def test_times_are_aware(module: Module) -> None:
    status = module.task("repair").start().status()
    assert status.start_time is not None
    assert status.start_time.tzinfo == timezone.utc


def test_to_dict_is_json(module: Module) -> None:
    with module.task("repair", abortable=True) as parent:
        child = parent.child("repair", total=4, units="ranges").start()
        parent.reporter().advance()
        plain = json.loads(json.dumps(parent.status().to_dict()))
        assert plain["id"] == str(parent.id)
        assert plain["children"] == [{"task_id": str(child.id), "node": "10.0.0.1"}]
        assert plain["start_time"] == "2020-01-01T00:00:00+00:00"
        assert plain["state"] == "running"
        assert json.loads(json.dumps(module.list()[0].to_dict()))["kind"] == "node"
        child.finish()


def test_reprs(manager: Manager, module: Module) -> None:
    task = module.task("repair", scope="table", keyspace="ks", table="t", total=4)
    assert repr(task) == f"Task(id={task.id})"
    assert repr(task.status()) == f"<Status repair table ks.t created 0/4 id={task.id}>"
    assert repr(module.list()[0]) == f"<Stats repair table ks.t created id={task.id}>"
    assert repr(manager) == 'Manager(node="10.0.0.1")'
    assert repr(module) == 'Module("repair")'
    task.start().fail("no space")
    assert "failed 0/4 error='no space'" in repr(task.status())


def test_a_tree_in_a_terminal(
    manager: Manager, module: Module, clock: taskmgr.ManualClock
) -> None:
    root = module.task("repair", scope="keyspace", keyspace="ks").start()
    events = root.child("repair", table="events", total=4, units="ranges").start()
    events.advance(2)
    part = events.child("repair", entity="(0, 5]").start()
    part.fail("timed\nout")
    users = root.child("repair", table="users", total=4, units="ranges").start()
    clock.advance(1)
    other = module.task("cleanup").start()
    assert str(manager.tree()).splitlines() == [
        "repair keyspace ks   running  25 %  2 of 8 ranges",
        "├─ repair events     running  50 %  2 of 4 ranges",
        "│  └─ repair (0, 5]  failed                        timed…",
        "└─ repair users      running   0 %  0 of 4 ranges",
        "cleanup              running",
    ]
    assert str(manager.tree(other.id)) == str(other.observe().tree())
    for task in (users, events, root, other):
        task.finish()


def test_of_many_children_the_first_are_drawn(module: Module) -> None:
    with module.task("repair") as root:
        for number in range(30):
            with root.child("range", entity=str(number)):
                pass
        tree = root.observe().tree()
        assert str(tree).splitlines()[-2:] == ["├─ range 23  done", "└─ and 6 more"]
        assert tree.draw(children=1).splitlines()[1:] == ["├─ range 0  done", "└─ and 29 more"]
        assert tree.draw(depth=0).splitlines()[1:] == ["└─ and 30 more"]
        assert max(map(len, tree.draw(width=9).splitlines())) == 9


def test_whatever_a_node_answers_is_drawn() -> None:
    root = Status(
        id=UUID(int=1),
        type="\ud800",
        state=State._named("paused"),
        shard=-1,
        progress=taskmgr.Progress(-3, 2**70, True, "x\ny"),
        error="\x1b[2J",
        abort=taskmgr.AbortInfo("enough"),
        children=(taskmgr.ChildId(UUID(int=2)),),
    )
    other = Status(id=UUID(int=1), type="t", parent_id=root.id, shard=2**40)
    first, second = str(taskmgr.Tree((root, other))).splitlines()
    assert first.split() == [
        *("\N{REPLACEMENT CHARACTER}" * 3, "on", "shard", "0", "paused", "0", "%", "0", "of"),
        *("18,446,744,073,709,551,615", "x\N{REPLACEMENT CHARACTER}y"),
        "\N{REPLACEMENT CHARACTER}[2J",
    ]
    assert second.split() == ["└─", "t", "on", "shard", "4294967295", "running"]
    assert str(taskmgr.Tree(())) == ""
    aborted = Status(id=UUID(int=1), type="t", abort=taskmgr.AbortInfo("enough"))
    assert str(taskmgr.Tree((aborted,))) == "t  running  told to abort: enough"


def test_a_tree_in_a_notebook(module: Module) -> None:
    with module.task("<repair>", keyspace="ks") as root:
        with pytest.raises(ValueError, match="&"), root.child("part") as child:
            raise ValueError("a < b & c")
        html = root.observe().tree()._repr_html_()
        assert "&lt;repair&gt;" in html
        assert "ValueError: a &lt; b &amp; c" in html
        assert f'title="{child.id}"' in html
        for tag in ("ul", "li", "details", "summary", "span", "em"):
            assert html.count(f"<{tag}>") + html.count(f"<{tag} ") == html.count(f"</{tag}>")
        assert root.status()._repr_html_().startswith('<ul class="taskmgr"><li>')


def test_a_status_of_ones_own() -> None:
    from uuid import uuid4

    status = Status(id=uuid4(), type="vacuum", progress=taskmgr.Progress(1, 4))
    assert (status.kind, status.progress.fraction) == ("cluster", 0.25)
