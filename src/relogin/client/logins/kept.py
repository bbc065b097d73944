"""Connections that a client keeps, and what it means that one of them breaks.

A server may close a connection at any moment between two requests. What is sent over it then is
answered by nobody: a proxy in front says 502, or breaks the connection to its client too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from traceback import walk_tb
from typing import Any

from relogin.client.terms.libraries import library_of

__all__ = [
    "BAD_GATEWAY",
    "chain",
    "is_bad_gateway",
    "is_broken",
    "kept_by",
    "leave_kept",
    "names",
]

BAD_GATEWAY = 502

# What the libraries raise where a connection breaks that had stood, before its answer came. Their
# other errors have other names, or hold one of these as what came before.
_BROKEN = frozenset(
    {
        *("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "SSLEOFError"),
        *("ReadError", "WriteError", "CloseError", "ServerDisconnectedError"),
    }
)


def kept_by(http: Any) -> list[Callable[[], bool]]:
    """Return, for each open connection that a client keeps, what tells whether it is gone.

    A client that a login has for itself has none here: it sends again what breaks there.
    """
    look = _KEPT.get(library_of(http) or "", _none)
    try:
        return [_gone(kept) for kept in look(http)]
    except (AttributeError, TypeError):  # a transport or a connector of the user's own
        return []


def _gone(kept: Any) -> Callable[[], bool]:
    if hasattr(kept, "sock"):  # urllib3
        before = kept.sock
        return lambda: kept.sock is not before
    if hasattr(kept, "is_closed"):  # httpcore
        return lambda: bool(kept.is_closed())
    return lambda: not kept.is_connected()  # aiohttp


def leave_kept(http: Any) -> None:
    """Close the connections that nothing goes over, so that the next request takes a new one.

    httpx itself sees which of them are closed.
    """
    library = library_of(http)
    if library == "requests":
        for adapter in http.adapters.values():
            adapter.close()
    elif library == "aiohttp":
        for protocol in list(_of_aiohttp(http)):
            protocol.close()
        http.connector._conns.clear()


def _of_requests(http: Any) -> Iterator[object]:
    if hasattr(http, "sends_again"):
        return
    for adapter in http.adapters.values():
        pools = adapter.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118 - it refuses to be iterated over
            yield from (kept for kept in pools[key].pool.queue if kept and kept.is_connected)


def _of_httpx(http: Any) -> Iterator[object]:
    transport = http._transport
    while not hasattr(transport, "_pool"):
        if hasattr(transport, "sends_again"):
            return
        transport = transport._transport  # one of ours sends with another one
    yield from (kept for kept in transport._pool.connections if kept.is_idle())


def _of_aiohttp(http: Any) -> Iterator[Any]:
    if any(hasattr(middleware, "sends_again") for middleware in http._middlewares):
        return
    yield from (protocol for kept in http.connector._conns.values() for protocol, _ in kept)


def _none(_: object) -> Iterator[object]:
    return iter(())


_KEPT: dict[str, Callable[[Any], Iterator[object]]] = {
    "requests": _of_requests,
    "httpx": _of_httpx,
    "httpx2": _of_httpx,
    "aiohttp": _of_aiohttp,
}


def is_broken(error: BaseException) -> bool:
    """Tell whether a connection broke that had stood, before any answer came."""
    for each in chain(error):
        # httpx has one error for a connection that breaks before an answer and within it.
        frames = {frame.f_code.co_name for frame, _ in walk_tb(each.__traceback__)}
        if frames & {"iter_raw", "aiter_raw"} or "ChunkedEncodingError" in names(each):
            return False  # the answer had begun
        if not isinstance(getattr(each, "message", ""), str):
            return False  # aiohttp has a part of an answer there
        if names(each) & _BROKEN or str(each).startswith("Server disconnected"):
            return True
    return False


def is_bad_gateway(error: BaseException) -> bool:
    """Tell whether an error is a 502 that somebody raised."""
    answer = getattr(error, "response", None)
    status = getattr(answer, "status_code", getattr(error, "status", None))
    return status == BAD_GATEWAY


def names(error: BaseException) -> set[str]:
    """Return the names of the classes that an error is of."""
    return {kind.__name__ for kind in type(error).__mro__}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Go from an error down to what came before it."""
    while error is not None:
        yield error
        # A group has one for each address that was tried.
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
