"""The path that a client asked for, if a proxy asks the gate whether a request may pass.

Such a proxy (nginx calls it `auth_request`, others forward-auth) asks under a path of its own, and
sends the client's path in a field. Only the operator knows whether that field can be trusted: a
proxy that does not overwrite it lets clients choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from relogin.server.logs import log
from relogin.server.request import Request

__all__ = ["OriginalPath", "PathWatch"]

# Not plain, so never public, and stepped up by every pattern there is (`relogin.server.paths`).
UNKNOWN = "//"
# Two lines of the field that a WSGI server has joined, `/docs/a,/orders`.
_is_joined = re.compile(r",[ \t]*+(?:/|[A-Za-z][A-Za-z0-9+.-]*+://)").search
_origin = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+://[^/?#]*+").match
# What nginx, ingress-nginx, Traefik, Caddy, oauth2-proxy, Envoy and IIS call it.
_FIELDS = (
    *("x-original-uri", "x-original-url", "x-forwarded-uri", "x-auth-request-redirect"),
    *("x-envoy-original-path", "x-rewrite-url"),
)
_LOOKS = 100  # how many requests to check


class OriginalPath:
    """Reads that path from a field; without it nothing is public, and each step-up applies."""

    __slots__ = ("_field", "_missed")

    def __init__(self, field: str) -> None:
        self._field = field
        self._missed = False

    def of(self, request: Request) -> Request:
        """Return the request with the client's path."""
        value = request.header(self._field)
        if value is None or _is_joined(value):
            self._miss()
            return request._replace(path=UNKNOWN, raw_path="")
        path, raw_path = _read(value)
        return request._replace(path=path, raw_path=raw_path, mount="")

    def _miss(self) -> None:
        if not self._missed:
            self._missed = True
            log().warning(
                "a request came without %s, or with several, so no path was public for it, and "
                "every step-up applied. Use path_from only if nobody can reach the gate except "
                "through the proxy",
                self._field,
            )


class PathWatch:
    """Warns once if the paths of `step_up` are probably not those that the gate sees."""

    __slots__ = ("_left", "_patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = tuple(patterns)
        self._left = _LOOKS if self._patterns else 0

    def look(self, request: Request) -> None:
        """Check one of the first requests."""
        if not self._left:
            return
        self._left -= 1
        mount = request.mount.rstrip("/")
        below = [one for one in self._patterns if mount and one.startswith(f"{mount}/")]
        if below:
            self._tell(
                "the step_up path %s can never match: paths are matched below the mount %s",
                *(below[0], mount),
            )
        for field in _FIELDS:
            value = request.header(field)
            if value is not None and _read(value)[0] != f"{mount}{request.path}":
                self._tell(
                    "a proxy sends another path in %s, but step_up looks at %s: set path_from, "
                    "or stop the proxy from sending it",
                    *(field, request.path),
                )

    def _tell(self, message: str, *arguments: str) -> None:
        log().warning(message, *arguments)
        self._left = 0


def _read(value: str) -> tuple[str, str]:
    """Return the path, decoded once, and as it was sent; some proxies send a whole URL."""
    from urllib.parse import unquote_to_bytes  # slow to load, and few gates need it

    origin = _origin(value)
    sent = re.split(r"[?#]", value[origin.end() :] if origin else value, maxsplit=1)[0]
    return unquote_to_bytes(sent.encode("latin-1")).decode(errors="replace") or "/", sent
