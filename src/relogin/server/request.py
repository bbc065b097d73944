"""A request, as a gate sees it: method, path and header fields, without its framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

__all__ = ["Request"]


class Request(NamedTuple):
    """The facts a gate decides on.

    `path` is the one the application routes by, below its mount, percent-decoded once; `raw_path`
    is what the client sent, if the server tells. `lines` takes a header's name in lower case and
    returns its field lines. `mount` is the part of the path before the application. `source` is the
    framework's own request: WSGI's environ, ASGI's scope, Django's request.

    >>> Request("GET", "/orders", {"host": ["shop.example"]}.get).header("Host")
    'shop.example'
    """

    method: str
    path: str
    lines: Callable[[str], Sequence[str]]
    raw_path: str = ""
    mount: str = ""
    source: Any = None

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None if there is none, or more than one line of it."""
        lines = self.lines(name.lower())
        return lines[0] if len(lines) == 1 else None

    @property
    def host(self) -> str | None:
        """The Host header. Do not trust it: a client may send any."""
        return self.header("host")

    @property
    def is_preflight(self) -> bool:
        """Whether this is a CORS preflight, the one request that has no credentials by design.

        HEAD and any other OPTIONS are requests like all others (Fetch standard, CORS-preflight).
        """
        return (
            self.method == "OPTIONS"
            and bool(self.lines("origin"))
            and bool(self.lines("access-control-request-method"))
        )

    @property
    def is_navigation(self) -> bool:
        """Whether a browser will show the response as a page; older ones, and http, do not say so.

        Turbo Drive fetches the pages that it shows. It accepts XHTML too, as browsers do for a
        page, and other scripts do not.
        """
        mode = self.lines("sec-fetch-mode")
        accepted = ",".join(self.lines("accept"))
        if not mode:
            return "text/html" in accepted
        return mode[0] == "navigate" or all(kind in accepted for kind in _OF_PAGES)


_OF_PAGES = ("text/html", "application/xhtml+xml")
