"""An API that looks for its token in a given place, and refuses with given lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from relogin import Grant
from tests.client.server import Answer, Request, Server

__all__ = ["Travel", "by_cookie", "by_header", "by_query", "by_session"]

Read = Callable[[Request], str | None]


def by_header(name: str, scheme: str = "") -> Read:
    """Look in a header field, behind a scheme."""

    def read(request: Request) -> str | None:
        value = request.headers.get(name)
        return None if value is None else value.removeprefix(f"{scheme} ".lstrip())

    return read


def by_query(name: str) -> Read:
    """Look in the query."""
    return lambda request: dict(parse_qsl(urlsplit(request.path).query)).get(name)


def by_session(request: Request) -> str | None:
    """Look in `Authorization: Session token="…"`."""
    value = request.headers["Authorization"] or ""
    return value[15:-1] if value.startswith('Session token="') else None


def by_cookie(request: Request) -> str | None:
    """Look in the cookie `sid`."""
    return request.cookies.get("sid")


@dataclass
class Travel:
    """What it answers a request: its own path, or 401 unless the living token came."""

    server: Server
    read: Read
    lines: Iterable[str] = ()
    routes: dict[str, Callable[[Request], Answer]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Fields of the grant beside the token."""
    refusal: Answer | None = None
    """How it refuses, where that is no 401."""
    grant: Callable[[str], Grant] | None = None
    """What the login makes of a token."""
    logins: int = 0
    living: str | None = None

    def __post_init__(self) -> None:
        self.server.answers = self.answer

    def login(self, context: Any) -> Grant:
        """Make a session without asking anybody; each ends the one before."""
        self.logins += 1
        self.living = f"s3cret-{self.logins}"
        if self.grant is not None:
            return self.grant(self.living)
        return Grant(self.living, headers=self.headers)

    def kill(self) -> None:
        self.living = None

    def answer(self, request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path in self.routes:
            return self.routes[path](request)
        token = self.read(request)
        if token is not None and token == self.living:
            return Answer(200, body=b"content")
        if self.refusal is not None:
            return self.refusal
        return Answer(401, tuple(("WWW-Authenticate", line) for line in self.lines))
