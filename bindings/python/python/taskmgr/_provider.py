"""Virtual tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ._errors import NotAbortable, NotSupported

if TYPE_CHECKING:
    from uuid import UUID

    from ._taskmgr import Completion
    from ._views import Stats, Status


class Provider(ABC):
    """Answers for tasks that live elsewhere: in the whole cluster, in another process.

    Derive from it and register an object with `Module.register_provider`. Every call is made
    on a thread of its own and given up after the manager's `provider_deadline`; one that raises
    or takes too long spoils its own answer only. Nothing may wait in it.

    >>> import taskmgr, uuid
    >>> class Topology(taskmgr.Provider):
    ...     id = uuid.UUID(int=7)
    ...     def list(self):
    ...         return [taskmgr.Stats(id=self.id, type="topology change")]
    ...     def status(self, id):
    ...         return taskmgr.Status(id=id, type="topology change") if id == self.id else None
    >>> manager = taskmgr.Manager()
    >>> manager.register_module("node_ops").register_provider(Topology())
    >>> manager.status(Topology.id).kind
    <Kind.CLUSTER: 'cluster'>
    """

    @abstractmethod
    def list(self) -> Iterable[Stats]:
        """The stats of all its tasks."""

    @abstractmethod
    def status(self, id: UUID) -> Status | None:
        """The status of one of its tasks; `None` for an id that is not its own."""

    def contains(self, id: UUID) -> bool:
        """Whether an id is its own."""
        return self.status(id) is not None

    def abort(self, id: UUID, reason: str) -> None:
        """Aborts one of its tasks; called only if its status says that it is abortable."""
        raise NotAbortable(f"task {id} cannot be aborted: its provider does not know how")

    def watch(self, id: UUID, done: Completion) -> None:
        """Sees to it that `done.complete` is called once with the final status, when the task
        has ended, or at once if it has. It must not wait for that itself."""
        raise NotSupported(f"task {id} cannot be waited for: its provider does not watch it")
