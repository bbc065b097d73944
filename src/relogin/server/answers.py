"""The gate's own responses: 401, 403, 503, and the response to a CORS preflight.

They contain nothing that a user typed. The reason is in the challenge and again in a problem
document (RFC 9457), because gateways rename that field and caches strip it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from relogin.server.fields import Headers
from relogin.server.schemes import DETAILS
from relogin.session import SessionChallenge

__all__ = ["EXPOSED", "Answer", "Page", "forbidden", "preflight", "store_trouble", "unauthorized"]

Page: TypeAlias = str | Callable[..., str]
"""HTML, or a function that gets the `SessionChallenge` and, if it takes it, the `Request`."""

# By name: a `*` does not count for a request with credentials (Fetch standard, CORS protocol).
EXPOSED = ("WWW-Authenticate", "Authentication-Info")


class Answer(NamedTuple):
    """A whole response: status, header fields in order, content; `error` is its code."""

    status: int
    headers: Headers
    body: bytes = b""
    error: str | None = None


def unauthorized(
    said: SessionChallenge,
    code: str | None,
    line: str,
    html: str | None,
    own: Mapping[str, str],
    scope: str | None,
) -> Answer:
    """Build the 401: the challenges, the operator's fields, and a problem document or a page."""
    headers = [("WWW-Authenticate", line), _exposed(own), *own.items()]
    if html is not None:
        return _answer(401, headers, "text/html; charset=utf-8", html.encode(), code)
    return _problem(
        401,
        "Unauthorized",
        said.error_description or DETAILS.get(said.error),
        headers,
        code,
        max_age=said.max_age,
        acr_values=" ".join(said.acr_values) or None,
        scope=scope,
    )


def forbidden(
    error: str, description: str | None, scope: str | None = None, line: str | None = None
) -> Answer:
    """Build the 403 for what no login cures; its challenge, if any, names the needed scope."""
    headers = [] if line is None else [("WWW-Authenticate", line), _exposed({})]
    detail = description or DETAILS.get(error)
    return _problem(403, "Forbidden", detail, headers, error, scope=scope)


def _exposed(own: Mapping[str, str]) -> tuple[str, str]:
    """Name the fields that scripts of other origins may read, with the operator's own."""
    return "Access-Control-Expose-Headers", ", ".join((*EXPOSED, *own))


def store_trouble(retry_after: int) -> Answer:
    """Build the 503 for a store that cannot answer: nobody knows whether the session lives."""
    headers = [
        ("Retry-After", str(retry_after)),
        ("Access-Control-Expose-Headers", "Retry-After"),
    ]
    detail = "Sessions cannot be checked at the moment"
    return _problem(503, "Service Unavailable", detail, headers)


def preflight() -> Answer:
    """Build the response to a CORS preflight that no CORS layer has answered: it allows nothing."""
    return Answer(204, [("Cache-Control", "no-store")])


def _problem(
    status: int,
    title: str,
    detail: str | None,
    headers: Headers,
    error: str | None = None,
    **more: str | int | None,
) -> Answer:
    import json

    members = {"title": title, "status": status, "detail": detail, "error": error, **more}
    said = {name: member for name, member in members.items() if member is not None}
    return _answer(status, headers, "application/problem+json", json.dumps(said).encode(), error)


def _answer(
    status: int, headers: Headers, content_type: str, body: bytes, error: str | None
) -> Answer:
    content = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    caching = ("Cache-Control", "private, no-store")
    return Answer(status, [*headers, caching, *content], body, error)
