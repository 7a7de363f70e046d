"""What nodes answer, ours and those of any ScyllaDB that has a task manager, as views.

ScyllaDB's answers have grown: the first had neither kind, scope nor times in its stats, and named
children by their ids alone; what an answer lacks is as in a view of which nothing is known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from ._views import EPOCH, ChildId, Kind, Progress, State, Stats, Status

# Older nodes write times with the hours of half a day, and do not say which half: no time at all.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?")


def _time(wire: Mapping[str, Any], name: str) -> datetime | None:
    written = _TIME.fullmatch(str(wire.get(name) or ""))
    if written is None:
        return None
    seconds, fraction, zone = written.groups()
    moment = datetime.strptime(seconds.replace(" ", "T") + (zone or "Z"), "%Y-%m-%dT%H:%M:%S%z")
    moment = moment.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")))
    # An unset time is the epoch.
    return moment.astimezone(timezone.utc) if moment != EPOCH else None


def _int(wire: Mapping[str, Any], name: str) -> int:
    value = wire.get(name) or 0
    try:
        return int(value)
    except ValueError:
        # The text of a double, as in "12.0" or "nan".
        number = float(value)
        return int(number) if math.isfinite(number) else 0


def _text(wire: Mapping[str, Any], name: str) -> str:
    return str(wire.get(name) or "")


def _bool(wire: Mapping[str, Any], name: str) -> bool:
    return str(wire.get(name, "")).lower() in ("true", "1", "yes")


def _parent(wire: Mapping[str, Any]) -> UUID | None:
    parent = _text(wire, "parent_id")
    if parent in ("", "none") or not UUID(parent).int:
        return None
    return UUID(parent)


def _child(wire: str | Mapping[str, Any]) -> ChildId:
    if isinstance(wire, str):
        return ChildId(UUID(wire))
    return ChildId(UUID(wire["task_id"]), _text(wire, "node"))


def stats(wire: Mapping[str, Any]) -> Stats:
    """The stats of a list. `KeyError`, `ValueError` or `TypeError` if they are none."""
    return Stats(
        id=UUID(wire["task_id"]),
        type=_text(wire, "type"),
        kind=Kind._named(_text(wire, "kind") or "node"),
        scope=_text(wire, "scope"),
        state=State._named(wire["state"]),
        sequence_number=_int(wire, "sequence_number"),
        keyspace=_text(wire, "keyspace"),
        table=_text(wire, "table"),
        entity=_text(wire, "entity"),
        shard=_int(wire, "shard"),
        start_time=_time(wire, "start_time"),
        end_time=_time(wire, "end_time"),
        created_at=_time(wire, "creation_time") or EPOCH,
    )


def status(wire: Mapping[str, Any]) -> Status:
    """A status. `KeyError`, `ValueError` or `TypeError` if it is none."""
    total = _int(wire, "progress_total")
    return Status(
        id=UUID(wire["id"]),
        type=_text(wire, "type"),
        kind=Kind._named(_text(wire, "kind") or "node"),
        scope=_text(wire, "scope"),
        state=State._named(wire["state"]),
        is_abortable=_bool(wire, "is_abortable"),
        start_time=_time(wire, "start_time"),
        end_time=_time(wire, "end_time"),
        error=_text(wire, "error") or None,
        parent_id=_parent(wire),
        sequence_number=_int(wire, "sequence_number"),
        shard=_int(wire, "shard"),
        keyspace=_text(wire, "keyspace"),
        table=_text(wire, "table"),
        entity=_text(wire, "entity"),
        progress=Progress(
            completed=_int(wire, "progress_completed"),
            total=total,
            total_known=total > 0,
            units=_text(wire, "progress_units"),
        ),
        children=tuple(_child(child) for child in wire.get("children_ids") or ()),
        created_at=_time(wire, "creation_time") or EPOCH,
    )
