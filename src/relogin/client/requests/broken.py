"""Why a request of requests ended without a response."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any

from requests import PreparedRequest, RequestException
from requests.adapters import BaseAdapter, HTTPAdapter

__all__ = ["is_broken", "pool_that_keeps_one"]

# Not a refused connection: then nothing of the request was sent.
_BROKEN = (
    BrokenPipeError,
    ConnectionAbortedError,
    ConnectionResetError,  # and `RemoteDisconnected`
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)


def is_broken(error: RequestException) -> bool:
    """Tell whether an established connection broke before the response came."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _BROKEN):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


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
