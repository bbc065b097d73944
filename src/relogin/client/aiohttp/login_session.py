"""The middlewares of a login's own session.

One retries if a kept connection was closed: aiohttp retries by itself, but only methods that may be
repeated, and a login is mostly a POST. One verifies the server as the refused request did. One
takes the environment's proxy for each URL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, TypeAlias

from aiohttp import (
    BasicAuth,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ServerDisconnectedError,
    TraceConfig,
    TraceRequestHeadersSentParams,
)
from aiohttp.helpers import get_env_proxy_for_url
from yarl import URL

from relogin.client.aiohttp.body import rewinding
from relogin.client.aiohttp.exchange import Handler
from relogin.client.logins.sending.request import SENT_ONCE
from relogin.client.terms.progress import progress_here

__all__ = ["once_more", "proxied_by_environment", "reuse", "verified_as"]

Middleware: TypeAlias = Callable[[ClientRequest, Handler], Awaitable[ClientResponse]]

_reused: ContextVar[list[object]] = ContextVar("relogin: kept connections that were used")


async def _note(_: object, __: object, params: object) -> None:
    _reused.get([]).append(params)


async def _sends(_: object, __: object, params: TraceRequestHeadersSentParams) -> None:
    progress = progress_here()
    if progress is not None:
        progress.sends(params.method)


def reuse() -> TraceConfig:
    """Make a trace that tells `once_more` that a request used a kept connection.

    It also notes what a login sends.
    """
    config = TraceConfig()
    config.on_connection_reuseconn.append(_note)
    config.on_request_headers_sent.append(_sends)
    return config


async def once_more(request: ClientRequest, handler: Handler) -> ClientResponse:
    """Send a request; if a kept connection breaks before any response, again on a new one."""
    progress = progress_here()
    once = SENT_ONCE.get()
    if once is None:
        once = progress is not None and progress.spends
    response = await (handler(request) if once else _once_more(request, handler))
    if progress is not None:
        progress.answered(request.method, response.status)
    return response


async def _once_more(request: ClientRequest, handler: Handler) -> ClientResponse:
    reused: list[object] = []
    before = _reused.set(reused)
    try:
        return await handler(request)
    except (ServerDisconnectedError, ClientOSError) as error:
        if not reused or _has_begun(error) or not rewinding(request.body)():
            raise
    finally:
        _reused.reset(before)
    _leave_kept(request)
    await request.close()
    return await handler(request)


once_more.sends_again = True  # type: ignore[attr-defined]  # tells others that it retries


def verified_as(refused: ClientRequest) -> Middleware:
    """Return a middleware that uses the `ssl` of a refused request for requests to its server.

    An `ssl` of the connector needs no middleware.
    """

    async def verified(request: ClientRequest, handler: Handler) -> ClientResponse:
        if request.ssl is True and request.url.origin() == refused.url.origin():
            request._ssl = refused.ssl  # aiohttp has no public API for that
            request.server_hostname = request.server_hostname or refused.server_hostname
        return await handler(request)

    return verified


def proxied_by_environment(refused: ClientRequest) -> Middleware:
    """Return a middleware that chooses the environment's proxy for each URL of a login.

    The refused request had the proxy of its own URL; another server may need another, or none. A
    proxy that you named stays.
    """

    async def proxied(request: ClientRequest, handler: Handler) -> ClientResponse:
        if request.url.origin() != refused.url.origin() and request.proxy == refused.proxy:
            there, _ = await asyncio.to_thread(_of_environment, refused.url)
            if there == refused.proxy:
                here = await asyncio.to_thread(_of_environment, request.url)
                request.update_proxy(*here, None)
        return await handler(request)

    return proxied


def _of_environment(url: URL) -> tuple[URL | None, BasicAuth | None]:
    try:
        return get_env_proxy_for_url(url)
    except LookupError:
        return None, None


def _has_begun(error: Exception) -> bool:
    """Tell whether a part of a response came: aiohttp keeps it as the message."""
    return not isinstance(getattr(error, "message", ""), str)


def _leave_kept(request: ClientRequest) -> None:
    """Use no other kept connection to this server; aiohttp has no public API for that."""
    connector: Any = request.session.connector
    for protocol, _ in connector._conns.pop(request.connection_key, ()):
        protocol.close()
