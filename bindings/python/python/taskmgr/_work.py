"""Functions as tasks: `Module.tracked` and `Module.submit`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar, cast

from ._taskmgr import Module, Observer, Task

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_current: ContextVar[Task | None] = ContextVar("taskmgr.current_task", default=None)


def current_task() -> Task | None:
    """The task of the tracked or submitted function that runs here, if one does.

    >>> import taskmgr
    >>> repair = taskmgr.Manager().register_module("repair")
    >>> @repair.tracked("repair", keyspace="ks")
    ... def work():
    ...     taskmgr.current_task().check_abort()
    ...     return taskmgr.current_task().status().keyspace
    >>> work()
    'ks'
    """
    return _current.get()


@contextmanager
def _running(task: Task) -> Iterator[Task]:
    with task:
        token = _current.set(task)
        try:
            yield task
        finally:
            _current.reset(token)


def _task(module: Module, type_: str, attributes: dict[str, Any]) -> Task:
    """A task of the module, under the one that runs here unless a parent is named."""
    parent = _current.get()
    if parent is not None:
        attributes = {"parent": parent, **attributes}
    return module.task(type_, **attributes)


def tracked(module: Module, type_: str | None = None, **attributes: Any) -> Callable[[F], F]:
    """See `Module.tracked`."""

    def decorate(function: F) -> F:
        name = type_ or function.__name__
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with _running(_task(module, name, attributes)):
                    return await function(*args, **kwargs)

            return cast("F", run_async)
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{name} is a generator, whose body runs piece by piece for whoever asks; "
                "track the function that goes through it, or iterate with Task.track"
            )

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with _running(_task(module, name, attributes)):
                return function(*args, **kwargs)

        return cast("F", run)

    return decorate


class Submitted(Generic[T]):
    """A function that an executor runs as a task: its future, and an observer of the task."""

    __slots__ = ("future", "observer")

    def __init__(self, future: Future[T], observer: Observer) -> None:
        self.future = future
        self.observer = observer

    def result(self, timeout: float | None = None) -> T:
        """What the function returned, or raises what it raised; as `Future.result`."""
        return self.future.result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the function raised, if it did; as `Future.exception`."""
        return self.future.exception(timeout)

    def done(self) -> bool:
        """Whether the function has returned, raised, or was cancelled."""
        return self.future.done()

    def cancel(self) -> bool:
        """Takes the function back unless it has begun: its task has failed then."""
        return self.future.cancel()

    def __repr__(self) -> str:
        return f"Submitted({self.future!r}, {self.observer!r})"


def _work(task: Task, function: Callable[..., T], args: Any, kwargs: Any) -> T:
    with _running(task):
        return function(*args, **kwargs)


def submit(
    module: Module,
    executor: Executor,
    function: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None,
) -> Submitted[T]:
    """See `Module.submit`."""
    kwargs = dict(kwargs or {})
    attributes = dict(kwargs.pop("task", None) or {})
    type_ = attributes.pop("type", None) or getattr(function, "__name__", "task")
    task = _task(module, type_, attributes)
    try:
        future = executor.submit(_work, task, function, args, kwargs)
    except BaseException as error:
        task.fail(error)
        raise

    def ended(future: Future[T]) -> None:
        # A function that never ran has left its task as it was made; so has one that an
        # executor could not take to where it would have run.
        error = CancelledError("cancelled") if future.cancelled() else future.exception()
        if error is not None and not observer.is_terminal:
            task.fail(error)

    observer = task.observe()
    future.add_done_callback(ended)
    return Submitted(future, observer)
