"""Why a request of requests ended without a response."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from requests import PreparedRequest
from requests.adapters import BaseAdapter, HTTPAdapter

__all__ = ["has_stalled", "is_broken", "pool_that_keeps_one"]

# Not a refused connection: then nothing of the request was sent.
_BROKEN = (
    BrokenPipeError,
    ConnectionAbortedError,
    ConnectionResetError,  # and `RemoteDisconnected`
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)


def is_broken(error: Exception, *also: type[Exception]) -> bool:
    """Tell whether an established connection broke before the response came.

    `also` are errors that say so in the library that sent it.
    """
    kinds: tuple[type[Exception], ...] = (*_BROKEN, *also)
    return any(isinstance(cause, kinds) for cause in (error, *_causes(error)))


def has_stalled(error: Exception, never_connected: type[Exception]) -> bool:
    """Tell whether a server stopped reading a body until the timeout, once connected."""
    causes = list(_causes(error))
    stalled = any(isinstance(each, TimeoutError) for each in causes)
    return stalled and not any(isinstance(each, never_connected) for each in causes)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def pool_that_keeps_one(
    adapter: BaseAdapter, request: PreparedRequest, sending: dict[str, Any]
) -> Any:
    """Return the pool of an adapter that has an open connection to send this request over.

    Returns `None` if there is none.
    """
    if not isinstance(adapter, HTTPAdapter):
        return None
    with suppress(Exception):  # if the request is wrong, sending it will raise
        pool: Any = adapter.get_connection_with_tls_context(
            request, sending.get("verify", True), sending.get("proxies"), sending.get("cert")
        )
        if any(kept is not None and kept.is_connected for kept in pool.pool.queue):
            return pool
    return None
