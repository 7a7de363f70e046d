"""What a route of the host answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ._errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class Response:
    """The answer of a route to a `Request`: a value, sent as JSON; `None` is an empty body.

    >>> import taskmgr, urllib.request
    >>> def routes(request):
    ...     if request.path != "/node/version":
    ...         return None  # not one of ours: a 404
    ...     if request.method != "GET":
    ...         return taskmgr.Response.error(405, "there is GET only", allow="GET")
    ...     return taskmgr.Response({"version": "1.0"})
    >>> with taskmgr.Manager().serve("127.0.0.1:0", routes=routes) as server:
    ...     urllib.request.urlopen(server.url + "/node/version").read()
    b'{"version": "1.0"}'
    """

    value: Any = None
    status: int = 200
    allow: str = ""

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:
            raise InvalidArgument(f"{self.status} is no status of an answer; those are 200 to 599")

    @classmethod
    def error(cls, status: int, message: str, *, allow: str = "") -> Response:
        """An error as the API has them; `allow` goes with a 405, and names its methods."""
        return cls({"message": message, "code": status}, status, allow)

    @property
    def body(self) -> bytes:
        """What is sent."""
        return b"" if self.value is None else json.dumps(self.value).encode()
