"""Tracks the long-running background operations of a database as trees of tasks.

>>> import taskmgr
>>> manager = taskmgr.Manager(node="10.0.0.1")
>>> repair = manager.register_module("repair")
>>> with repair.task("repair", scope="keyspace", keyspace="ks", abortable=True) as job:
...     for table in ("events", "users"):
...         with job.child("repair", scope="table", table=table, units="ranges") as task:
...             for _range in task.track(range(4)):
...                 pass  # the work: counted, and stopped by an abort
...     print(job.status().progress)
8/8 ranges

Handles may be shared between threads; whatever may wait lets other threads run, and Ctrl-C
ends it. In a forked child they raise `Forked`.
"""

from ._client import AsyncClient, Client, Unreachable
from ._errors import (
    Aborted,
    AlreadyFinished,
    AlreadyStarted,
    Closed,
    Exhausted,
    Expired,
    Forked,
    Gone,
    IdInUse,
    InvalidArgument,
    ModuleExists,
    NotAbortable,
    NotFound,
    NotSettled,
    NotStarted,
    NotSupported,
    ParentTerminal,
    ProviderError,
    TaskFailed,
    TaskmgrError,
    Timeout,
    UnknownModule,
    WouldDeadlock,
)
from ._provider import Provider
from ._routes import Response
from ._taskmgr import (
    Completion,
    Guard,
    Manager,
    ManualClock,
    Module,
    Observer,
    Reporter,
    Request,
    Server,
    Task,
    Track,
    __version__,
    nonblocking,
)
from ._views import (
    AbortInfo,
    ChildCounts,
    ChildId,
    CloseReport,
    Kind,
    Listing,
    Progress,
    State,
    Stats,
    Status,
    Tree,
)
from ._work import Submitted, current_task

__all__ = [
    "AbortInfo",
    "Aborted",
    "AlreadyFinished",
    "AlreadyStarted",
    "AsyncClient",
    "ChildCounts",
    "ChildId",
    "Client",
    "CloseReport",
    "Closed",
    "Completion",
    "Exhausted",
    "Expired",
    "Forked",
    "Gone",
    "Guard",
    "IdInUse",
    "InvalidArgument",
    "Kind",
    "Listing",
    "Manager",
    "ManualClock",
    "Module",
    "ModuleExists",
    "NotAbortable",
    "NotFound",
    "NotSettled",
    "NotStarted",
    "NotSupported",
    "Observer",
    "ParentTerminal",
    "Progress",
    "Provider",
    "ProviderError",
    "Reporter",
    "Request",
    "Response",
    "Server",
    "State",
    "Stats",
    "Status",
    "Submitted",
    "Task",
    "TaskFailed",
    "TaskmgrError",
    "Timeout",
    "Track",
    "Tree",
    "UnknownModule",
    "Unreachable",
    "WouldDeadlock",
    "__version__",
    "current_task",
    "nonblocking",
]
