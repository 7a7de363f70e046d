"""What is shown of a task: frozen objects, the same whether a manager or a client made them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from . import _draw
from ._taskmgr import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

_log = logging.getLogger("taskmgr")

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _Word(str, Enum):
    """A word with a meaning; equal to it, so that it hashes as it does."""

    __hash__ = str.__hash__

    def __str__(self) -> str:
        return str.__str__(self)

    @classmethod
    def _named(cls, text: str) -> Self:
        """A member, or a word that only the nodes know from which it comes."""
        try:
            return cls(text)
        except ValueError:
            word = str.__new__(cls, text)
            word._name_, word._value_ = text.upper(), text
            return word

    def __reduce_ex__(self, _protocol: object) -> tuple[Callable[[str], Self], tuple[str]]:
        return self._named, (str(self),)


class State(_Word):
    """Where a task is in its life. A `Client` shows words that only newer nodes know, too.

    >>> State.FAILED.is_terminal, State.RUNNING == "running"
    (True, True)
    """

    CREATED = "created"
    RUNNING = "running"
    SUSPENDED = "suspended"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing leaves this state."""
        return self in (State.DONE, State.FAILED)


class Kind(_Word):
    """Who answers for a task: its manager, or a provider of virtual tasks."""

    NODE = "node"
    CLUSTER = "cluster"


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


class _View:
    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The same as what `json.dumps` takes: ids and times as text."""
        plain: dict[str, Any] = _plain(self)
        return plain


@dataclass(frozen=True, slots=True)
class Progress(_View):
    """How far a task is: `completed` of `total` in `units`.

    >>> Progress(64, 256, True, "ranges").fraction
    0.25
    """

    completed: int = 0
    total: int = 1
    total_known: bool = False
    units: str = ""

    @property
    def fraction(self) -> float:
        """From 0 to 1; 0 where nothing is known."""
        return self.completed / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.completed}/{self.total} {self.units}".rstrip()


@dataclass(frozen=True, slots=True)
class ChildId(_View):
    """A child, and the address of the node that runs it."""

    task_id: UUID
    node: str = ""


@dataclass(frozen=True, slots=True)
class ChildCounts(_View):
    """The children of a task, counted."""

    live: int = 0
    succeeded: int = 0
    failed: int = 0
    not_kept: int = 0


@dataclass(frozen=True, slots=True)
class AbortInfo(_View):
    """An abort that was asked for, and how the work took it."""

    reason: str
    requested_at: datetime | None = None
    polls: int = 0
    last_poll: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats(_View):
    """The short view of a task, as lists show it.

    Of a client, `created_at` is the epoch and `internal` false: the REST API does not say.
    """

    id: UUID
    type: str
    kind: Kind = Kind.CLUSTER
    scope: str = ""
    state: State = State.RUNNING
    sequence_number: int = 0
    keyspace: str = ""
    table: str = ""
    entity: str = ""
    shard: int = 0
    start_time: datetime | None = None
    end_time: datetime | None = None
    created_at: datetime = EPOCH
    internal: bool = False

    def __repr__(self) -> str:
        return _draw.short(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(_View):
    """The full view of a task.

    >>> import uuid
    >>> Status(id=uuid.UUID(int=1), type="repair", scope="keyspace", keyspace="ks")
    <Status repair keyspace ks running 0/1 id=00000000-0000-0000-0000-000000000001>
    """

    id: UUID
    type: str
    kind: Kind = Kind.CLUSTER
    module: str = ""
    scope: str = ""
    state: State = State.RUNNING
    is_abortable: bool = False
    start_time: datetime | None = None
    end_time: datetime | None = None
    error: str | None = None
    parent_id: UUID | None = None
    sequence_number: int = 0
    shard: int = 0
    keyspace: str = ""
    table: str = ""
    entity: str = ""
    progress: Progress = field(default_factory=Progress)
    children: tuple[ChildId, ...] = ()
    internal: bool = False
    user_task: bool = False
    settled: bool = False
    created_at: datetime = EPOCH
    suspend_requested: bool = False
    abort: AbortInfo | None = None
    child_counts: ChildCounts = field(default_factory=ChildCounts)
    first_error: str | None = None

    def __repr__(self) -> str:
        return _draw.short(self)

    def _repr_html_(self) -> str:
        return _draw.html([self])


@dataclass(frozen=True, slots=True)
class Tree(_View):
    """Statuses of whole trees, to look at: `print` draws them, and so does a notebook.

    It holds the statuses breadth-first, tree by tree.
    """

    statuses: tuple[Status, ...]

    def __str__(self) -> str:
        return self.draw()

    def draw(self, *, children: int = 24, depth: int = 32, width: int | None = None) -> str:
        """The trees as text, a task a line; `str` is the same with what is the default here.

        Of the children of one task it draws the first `children`, and `depth` levels below the
        roots; "and 3,976 more" says what it leaves out. Lines longer than `width` characters end
        with "…".

        >>> import uuid
        >>> done = Progress(1, 4, True, "ranges")
        >>> root = Status(id=uuid.UUID(int=1), type="repair", progress=done)
        >>> part = Status(id=uuid.UUID(int=2), type="part", parent_id=root.id)
        >>> print(Tree((root, part)).draw())
        repair   running  25 %  1 of 4 ranges
        └─ part  running
        >>> print(Tree((root, part)).draw(children=0, width=16))
        repair  running…
        └─ and 1 more
        """
        return draw(self.statuses, children, depth, width).removesuffix("\n")

    def _repr_html_(self) -> str:
        return _draw.html(self.statuses)


def _warn_of(missing: tuple[str, ...]) -> None:
    for each in missing:
        _log.warning("a list of tasks is incomplete: %s", each)


class Listing(list[Stats]):
    """The tasks of a module: a list, which knows what is missing in it."""

    __slots__ = ("missing",)

    missing: tuple[str, ...]
    """The providers that gave no answer in time, and why, in words."""

    def __init__(self, tasks: Iterable[Stats] = (), missing: Iterable[str] = ()) -> None:
        super().__init__(tasks)
        self.missing = tuple(missing)
        _warn_of(self.missing)

    @property
    def is_complete(self) -> bool:
        """Whether every provider has said in time which tasks it has."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class CloseReport(_View):
    """What closing a module or a manager has left behind: the tasks that had not ended."""

    still_running: tuple[Stats, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everything has ended."""
        return not self.still_running
