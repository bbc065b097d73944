"""Reading what is left of a refused request's content, so that the refusal arrives.

A server that answers before it has read the content resets the connection, and a proxy in front of
it turns the 401 into a 502. So the gate decides first, and answers when it has read the rest.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeAlias

from relogin.server.event_loops import cancellable, sleep, within
from relogin.server.options import Bounds

__all__ = ["Receive", "drain", "drain_async", "goes_on", "reading_on"]

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

_PIECE = 64 * 1024
_UNKNOWN = float("inf")  # how much there is to read
_AN_HOUR = 3600.0


def drain(
    environ: Mapping[str, Any],
    bounds: Bounds | None,
    read: Callable[[int], bytes] | None = None,
) -> None:
    """Read and drop a WSGI request's content, unless it is too long or the client waits for 100.

    `read` is the framework's own function, which knows what has been read already. The time is
    checked between two reads; the server decides how long one read may take.
    """
    if bounds is None or (environ.get("HTTP_EXPECT") and not _sends_100_itself(environ)):
        return
    left, until = _length(environ), time.monotonic() + bounds[1]
    if left > bounds[0]:
        left = bounds[0] if left == _UNKNOWN else 0
    try:
        read = read or environ["wsgi.input"].read
        while left > 0 and time.monotonic() < until:
            piece = read(int(min(_PIECE, left)))
            left = left - len(piece) if piece else 0
    except Exception:  # noqa: BLE001 - the connection is broken: what a server raises then varies
        return


def _sends_100_itself(environ: Mapping[str, Any]) -> bool:
    """Whether this server sends 100 before it calls the application: the content is coming."""
    software: str = environ.get("SERVER_SOFTWARE", "").lower()
    return software.startswith(("gunicorn", "werkzeug", "cheroot"))


def _length(environ: Mapping[str, Any]) -> float:
    """Return how much there is to read; 0 if nobody knows where the content ends."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        return int(length)
    return _UNKNOWN if environ.get("wsgi.input_terminated") else 0


async def drain_async(
    scope: Mapping[str, Any], receive: Receive, bounds: Bounds | None, *, begun: bool = False
) -> bool:
    """Read and drop an ASGI request's content; return `False` if some is left unread."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    if bounds is None or _is_empty(scope, headers) or (not begun and _waits(headers)):
        return True
    if length.isdigit() and int(length) > bounds[0]:
        return False
    try:
        async with within(bounds[1]):
            return await _read(receive, bounds)
    except TimeoutError:
        return False


@asynccontextmanager
async def reading_on(scope: Mapping[str, Any], receive: Receive | None) -> AsyncIterator[None]:
    """Read and drop what is left of the content while a response is sent in this block.

    hypercorn holds ten pieces for an application. If they are left unread, it never finishes the
    response: the connection stays open, and nobody reads from it.
    """
    if receive is None or not _under_hypercorn() or _is_empty(scope, dict(scope["headers"])):
        yield
        return
    async with cancellable() as start:
        start(partial(_read_on, receive))
        yield


async def _read_on(receive: Receive) -> None:
    with suppress(Exception):  # whatever a server raises: there is nothing more to read
        while goes_on(await receive()):
            pass
    await sleep(_AN_HOUR)  # until the answer is sent: the end of this would end the answer


def _under_hypercorn() -> bool:
    return "hypercorn.protocol" in sys.modules


def _waits(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client waits for a 100; hypercorn sends one before any application is asked."""
    return b"expect" in headers and not _under_hypercorn()


def _is_empty(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a common request has no content, without asking the server."""
    framed = b"content-length" in headers or b"transfer-encoding" in headers
    return scope.get("method", "GET") in {"GET", "HEAD", "OPTIONS"} and not framed


async def _read(receive: Receive, bounds: Bounds) -> bool:
    left, until = bounds[0], time.monotonic() + bounds[1]
    while left >= 0 and time.monotonic() < until:
        try:
            message = await receive()
        except OSError:  # the connection is broken: there is nothing more to read
            return True
        if not goes_on(message):
            return True
        left -= len(message.get("body", b""))
    return False


def goes_on(message: Mapping[str, Any]) -> bool:
    """Whether more of the content comes after this message."""
    return message["type"] == "http.request" and bool(message.get("more_body"))
