"""Reading what is left of a refused request's content, so that the refusal arrives.

A server that answers before it has read the content resets the connection, and a proxy in front of
it turns the 401 into a 502. So the gate decides first, and answers when it has read the rest.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from math import inf
from typing import Any

from relogin.server.loops import within
from relogin.server.words import Bounds

__all__ = ["drain", "drain_async"]

_PIECE = 64 * 1024


def drain(
    environ: Mapping[str, Any],
    bounds: Bounds | None,
    read: Callable[[int], bytes] | None = None,
) -> None:
    """Read and drop a WSGI request's content, unless it is too long or the client waits for 100.

    `read` is a framework's own, which knows what of the content has been read already.

    The time is looked at between two reads: how long one may take is up to the server.
    """
    if bounds is None or environ.get("HTTP_EXPECT"):
        return
    left, until = _length(environ), time.monotonic() + bounds[1]
    if left > bounds[0]:
        left = bounds[0] if left == inf else 0
    try:
        read = read or environ["wsgi.input"].read
        while left > 0 and time.monotonic() < until:
            piece = read(int(min(_PIECE, left)))
            left = left - len(piece) if piece else 0
    except Exception:  # noqa: BLE001 - the connection is broken: what a server raises then varies
        return


def _length(environ: Mapping[str, Any]) -> float:
    """Tell how much there is to read, as far as it is known where the content ends."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        return int(length)
    return inf if environ.get("wsgi.input_terminated") else 0


async def drain_async(
    scope: Mapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    bounds: Bounds | None,
) -> bool:
    """Read and drop an ASGI request's content; `False` where some of it is left unread."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    if bounds is None or b"expect" in headers or _is_empty(scope, headers):
        return True
    if length.isdigit() and int(length) > bounds[0]:
        return False
    try:
        async with within(bounds[1]):
            return await _read(receive, bounds)
    except TimeoutError:
        return False


def _is_empty(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> bool:
    """Tell of a request like most that it has no content, without asking the server."""
    framed = b"content-length" in headers or b"transfer-encoding" in headers
    return scope.get("method", "GET") in {"GET", "HEAD", "OPTIONS"} and not framed


async def _read(receive: Callable[[], Awaitable[MutableMapping[str, Any]]], bounds: Bounds) -> bool:
    left, until = bounds[0], time.monotonic() + bounds[1]
    while left >= 0 and time.monotonic() < until:
        try:
            message = await receive()
        except OSError:  # the connection is broken: there is nothing more to read
            return True
        if message["type"] != "http.request" or not message.get("more_body"):
            return True
        left -= len(message.get("body", b""))
    return False
