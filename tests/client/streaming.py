"""A stream of events that ends after two, for a reason that a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.client.server import Answer, Request, Server

__all__ = ["Ends", "asked", "goes_on", "streaming"]

Ends = Callable[[], object]
"""What happens on the server after two events: it raises where the stream breaks off."""


def streaming(server: Server, ends: Ends, kind: str = "text/event-stream; charset=utf-8") -> str:
    def two() -> Iterator[bytes]:
        yield b"data: one\n\n"
        yield b"data: two\n\n"
        ends()

    def events(request: Request) -> Answer:
        admitted = server.protected(request)
        if admitted.status != 200 or request.method == "HEAD":
            return admitted
        return Answer(200, (("Content-Type", kind),), two())

    server.routes["/events"] = events
    return f"{server.url}/events"


def goes_on() -> None:
    """The stream has no more to say."""


def asked(server: Server) -> list[str]:
    return [f"{request.method} {request.path}" for request in server.requests]
