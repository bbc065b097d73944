"""What a login's own session sends with: once more where a kept connection turns out to be closed.

aiohttp does so by itself for methods that may be repeated, and a login is mostly none of them.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from aiohttp import (
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ServerDisconnectedError,
    TraceConfig,
)

from relogin.client.aiohttp.body import rewinding
from relogin.client.aiohttp.exchange import Handler
from relogin.client.logins.request import SPENDS

__all__ = ["once_more", "reuse"]

_reused: ContextVar[list[object]] = ContextVar("relogin: kept connections that were used")


async def _note(_: object, __: object, params: object) -> None:
    _reused.get([]).append(params)


def reuse() -> TraceConfig:
    """Make what tells `once_more` that a request went over a kept connection."""
    config = TraceConfig()
    config.on_connection_reuseconn.append(_note)
    return config


async def once_more(request: ClientRequest, handler: Handler) -> ClientResponse:
    """Send a request, once more on a new connection where a kept one breaks before any answer."""
    reused: list[object] = []
    before = _reused.set(reused)
    try:
        return await handler(request)
    except (ServerDisconnectedError, ClientOSError) as error:
        if SPENDS.get() or not reused or _has_begun(error) or not rewinding(request.body)():
            raise
    finally:
        _reused.reset(before)
    _leave_kept(request)
    await request.close()
    return await handler(request)


once_more.sends_again = True  # type: ignore[attr-defined]  # for who would do it in its place


def _has_begun(error: Exception) -> bool:
    """Tell whether a part of an answer came: aiohttp keeps it in place of a text."""
    return not isinstance(getattr(error, "message", ""), str)


def _leave_kept(request: ClientRequest) -> None:
    """Let no other kept connection to this server be taken: aiohttp has no public way."""
    connector: Any = request.session.connector
    for protocol, _ in connector._conns.pop(request.connection_key, ()):
        protocol.close()
