"""What can go wrong: one hierarchy, whose classes carry a stable code and the values as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from uuid import UUID

    from ._views import State


class TaskmgrError(Exception):
    """Whatever this package refuses or fails to do.

    `code` is the same word in every language; `task_id` is the task that the error is about,
    if it is about one.

    >>> import taskmgr, uuid
    >>> manager = taskmgr.Manager()
    >>> try:
    ...     manager.status(uuid.UUID(int=1))
    ... except taskmgr.TaskmgrError as error:
    ...     print(error.code, error.task_id)
    not_found 00000000-0000-0000-0000-000000000001
    """

    code: ClassVar[str] = "error"
    task_id: UUID | None

    def __init__(self, message: str = "", *, task_id: UUID | None = None) -> None:
        super().__init__(message)
        self.task_id = task_id


class InvalidArgument(TaskmgrError, ValueError):
    """A name, a number or an id that cannot be."""

    code = "invalid_argument"


class ModuleExists(TaskmgrError):
    """A module of that name is registered, or still closing."""

    code = "module_exists"


class UnknownModule(TaskmgrError, LookupError):
    """No module has that name."""

    code = "unknown_module"


class IdInUse(TaskmgrError):
    """A task that is alive has the id that the host brings."""

    code = "id_in_use"


class NotFound(TaskmgrError, LookupError):
    """No task has that id."""

    code = "not_found"


class Gone(NotFound):
    """The task was there and is not any more: `reason` says why, `state` how it had ended.

    The reasons are `expired`, `read`, `drained`, `folded` and `evicted`.
    """

    code = "gone"
    reason: str | None
    state: State | None

    def __init__(
        self,
        message: str = "",
        *,
        task_id: UUID | None = None,
        reason: str | None = None,
        state: State | None = None,
    ) -> None:
        super().__init__(message, task_id=task_id)
        self.reason = reason
        self.state = state


class Expired(Gone):
    """The task's time to live has passed."""


class ParentTerminal(TaskmgrError):
    """The parent has ended; it takes no more children."""

    code = "parent_terminal"


class AlreadyStarted(TaskmgrError):
    """A task starts once."""

    code = "already_started"


class AlreadyFinished(TaskmgrError):
    """A task ends once, and another has ended it."""

    code = "already_finished"


class NotAbortable(TaskmgrError):
    """The task is not marked abortable; only its owner, or closing its module, ends it."""

    code = "not_abortable"


class Aborted(TaskmgrError):
    """The task was told to abort."""

    code = "aborted"


class Timeout(TaskmgrError, TimeoutError):
    """What was waited for had not come when the time was over."""

    code = "timeout"


class NotSettled(TaskmgrError):
    """The task, or one below it, is still at work."""

    code = "not_settled"


class WouldDeadlock(TaskmgrError):
    """The call would wait, inside a callback or a provider, where it must not."""

    code = "would_deadlock"


class Closed(TaskmgrError):
    """The module or the manager is closed."""

    code = "closed"


class Forked(TaskmgrError):
    """The manager belongs to the process from which this one was forked."""

    code = "forked"


class ProviderError(TaskmgrError):
    """A provider of virtual tasks failed, or took too long."""

    code = "provider"


class NotSupported(TaskmgrError):
    """It cannot be done with a task of this kind."""

    code = "not_supported"


class Exhausted(TaskmgrError):
    """The system has no more of what is needed, such as threads."""

    code = "exhausted"


class TaskFailed(TaskmgrError):
    """The work of a task failed."""

    code = "task_failed"


class NotStarted(TaskmgrError):
    """The task was finished before it was started, and has failed."""

    code = "not_started"


BY_CODE: dict[str, type[TaskmgrError]] = {
    cls.code: cls
    for cls in (
        InvalidArgument,
        ModuleExists,
        UnknownModule,
        IdInUse,
        NotFound,
        Gone,
        ParentTerminal,
        AlreadyStarted,
        AlreadyFinished,
        NotAbortable,
        Aborted,
        Timeout,
        NotSettled,
        WouldDeadlock,
        Closed,
        Forked,
        ProviderError,
        NotSupported,
        Exhausted,
        TaskFailed,
        NotStarted,
    )
}


def make(
    code: str,
    message: str,
    task_id: UUID | None,
    reason: str | None,
    state: State | None,
) -> TaskmgrError:
    """The exception for an error of the core."""
    if code == Gone.code:
        gone = Expired if reason == "expired" else Gone
        return gone(message, task_id=task_id, reason=reason, state=state)
    return BY_CODE.get(code, TaskmgrError)(message, task_id=task_id)
