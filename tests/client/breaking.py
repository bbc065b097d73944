"""A server behind something that loses the 401 of an upload: the client sees a break, or a 502."""

from __future__ import annotations

from threading import Event
from typing import Literal, TypeAlias

from tests.client.server import Answer, Request, Server

__all__ = [
    "HOW",
    "UPLOAD",
    "How",
    "asked",
    "breaking",
    "checks",
    "dropping",
    "stalling",
    "uploads",
]

How: TypeAlias = Literal["reset", "502"]
HOW: tuple[How, ...] = ("reset", "502")
UPLOAD = b"an upload " * 1000


def breaking(
    server: Server, how: How, *, status: int = 401, always: bool = False, waits_for: int = 0
) -> None:
    """Let no refusal of an upload arrive; nor, with `always`, any answer to one.

    `status` is that of a refusal. A small request waits until so many uploads have arrived.
    """

    def answer(request: Request) -> Answer:
        if request.path == "/login":
            return server._log_in()
        if request.method == "HEAD":
            server.wait_for("/upload", waits_for)
        given = server.routes.get(request.path, server.protected)(request)
        if request.body and (given.status == status or always):
            if how == "reset":
                raise ConnectionResetError
            return Answer(502, body=b"bad gateway")
        return given

    server.answers = answer


def stalling(server: Server) -> Event:
    """Let the first upload wait for its answer until the event is set."""
    quick, go = server.answers, Event()
    assert quick is not None

    def slow(request: Request) -> Answer:
        if request.body and request.path == "/upload" and len(server.seen("/upload")) == 1:
            go.wait(10)
        return quick(request)

    server.answers = slow
    return go


def dropping(server: Server, times: int, path: str = "/login") -> list[Request]:
    """Close a connection without an answer when this path is asked for over it, so often."""
    dropped: list[Request] = []

    def drop(request: Request) -> Answer:
        if request.path == path and len(dropped) < times:
            dropped.append(request)
            raise ConnectionResetError
        return server._log_in() if request.path == "/login" else server.protected(request)

    server.answers = drop
    return dropped


def uploads(server: Server) -> list[bytes]:
    """The bodies that a living session brought, which the server has so applied."""
    good = {f"s3cret-{number}" for number in range(1, server.logins + 1)} - set(server.ended)
    return [request.body for request in server.seen("/upload") if request.token in good]


def checks(server: Server) -> list[Request]:
    """The small requests."""
    return [request for request in server.requests if request.method == "HEAD"]


def asked(server: Server) -> list[str]:
    """What was asked for, in its order, from the first upload on."""
    lines = [f"{request.method} {request.path}" for request in server.requests]
    first = next(number for number, line in enumerate(lines) if "/upload" in line)
    return lines[first:]
