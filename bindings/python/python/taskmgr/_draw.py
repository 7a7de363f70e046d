"""One task in a line, and trees of tasks as HTML; as text the core draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from ._views import Stats, Status


def _name(view: Stats | Status) -> str:
    place = ".".join(part for part in (view.keyspace, view.table) if part)
    parts = (view.type, view.scope, place, view.entity)
    return " ".join(part for part in parts if part)


def short(view: Stats | Status) -> str:
    """One line in angle brackets, as reprs are."""
    progress = getattr(view, "progress", None)
    figures = "" if progress is None else f" {progress}"
    error = getattr(view, "error", None)
    failure = "" if error is None else f" error={error!r}"
    head = f"{type(view).__name__} {_name(view)} {view.state}"
    return f"<{head}{figures}{failure} id={view.id}>"


def _families(
    statuses: Sequence[Status],
) -> tuple[list[Status], dict[UUID, list[Status]]]:
    """Those with no parent among them, and the children of each."""
    ids = {status.id for status in statuses}
    roots: list[Status] = []
    children: dict[UUID, list[Status]] = {}
    for status in statuses:
        if status.parent_id is None or status.parent_id not in ids:
            roots.append(status)
        else:
            children.setdefault(status.parent_id, []).append(status)
    return roots, children


def _html_line(status: Status) -> str:
    colour = {"done": "#2a7d4f", "failed": "#b3261e"}.get(status.state, "inherit")
    progress = status.progress
    error = "" if status.error is None else f" <em>{escape(status.error)}</em>"
    return (
        f'<span title="{status.id}">{escape(_name(status))}</span> '
        f'<progress max="{max(progress.total, 1)}" value="{progress.completed}"></progress> '
        f"{escape(str(progress))} "
        f'<span style="color:{colour}">{status.state}</span>{error}'
    )


def html(statuses: Iterable[Status]) -> str:
    """The trees as nested lists that fold."""
    roots, children = _families(list(statuses))
    out: list[str] = ['<ul class="taskmgr">']
    stack: list[Status | str] = ["</ul>", *reversed(roots)]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            out.append(item)
            continue
        below = children.get(item.id)
        if below is None:
            out.append(f"<li>{_html_line(item)}</li>")
            continue
        out.append(f"<li><details open><summary>{_html_line(item)}</summary><ul>")
        stack.append("</ul></details></li>")
        stack.extend(reversed(below))
    return "".join(out)
