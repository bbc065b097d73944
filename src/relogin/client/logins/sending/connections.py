"""Connections that a client keeps open, and what it means if one of them breaks.

A server may close a connection at any moment between two requests. Nobody answers a request that is
sent over it then: a proxy in front says 502, or closes the connection to its client too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from queue import Empty, Full
from traceback import walk_tb
from typing import Any
from weakref import ref

from relogin.client.terms.libraries import library_of

__all__ = [
    "BAD_GATEWAY",
    "Kept",
    "chain",
    "close_idle",
    "is_bad_gateway",
    "is_broken",
    "kept_by",
    "leave_broken",
    "names",
]

BAD_GATEWAY = 502

# What the libraries raise if an established connection breaks before the answer. Their other errors
# have other names, or have one of these as their cause.
_BROKEN = frozenset(
    {
        *("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "SSLEOFError"),
        *("ReadError", "WriteError", "CloseError", "ServerDisconnectedError"),
    }
)


class Kept:
    """A connection that a client keeps open, as it was before a request."""

    def __init__(
        self, is_gone: Callable[[], bool], leave: Callable[[], object] = lambda: None
    ) -> None:
        self.is_gone = is_gone
        self.leave = leave
        """Close the idle connections to the same server: the next request takes a new one."""


def kept_by(http: Any) -> list[Kept]:
    """Return the open connections that a client keeps.

    Returns none for a client made for a login: it repeats broken requests by itself.
    """
    look = _KEPT.get(library_of(http) or "", _none)
    try:
        return list(look(http))
    except (AttributeError, TypeError):  # a transport or a connector of the user's own
        return []


def leave_broken(kept: Iterable[Kept]) -> bool:
    """Close what is left to servers whose connection is gone; tell whether there are any.

    The client may be the user's, so nothing else of it is closed.
    """
    gone = [one for one in kept if one.is_gone()]
    for one in gone:
        one.leave()
    return bool(gone)


def _of_requests(http: Any) -> Iterator[Kept]:
    if hasattr(http, "sends_again"):
        return
    for adapter in http.adapters.values():
        pools = adapter.poolmanager.pools if hasattr(adapter, "poolmanager") else {}
        for key in pools.keys():  # noqa: SIM118 - it refuses to be iterated over
            pool = pools.get(key)
            if pool is None or pool.pool is None:  # other threads have used many hosts meanwhile
                continue
            leave = partial(_close_idle_of, ref(pool))
            for kept in pool.pool.queue:
                if kept and kept.is_connected:
                    yield Kept(partial(_has_another, kept, kept.sock), leave)


def _has_another(kept: Any, sock: object) -> bool:
    return kept.sock is not sock


def _close_idle_of(pool: ref[Any]) -> None:
    close_idle(pool())  # a weak reference: urllib3 closes a pool that nobody holds


def close_idle(pool: Any) -> None:
    """Close the idle connections of a pool of urllib3, which opens them again when it needs them.

    Each is taken out first, so that no other thread takes it meanwhile.
    """
    idle: list[Any] = []
    queue: Any = getattr(pool, "pool", None)  # `None` if it is closed
    with suppress(Empty):
        while queue is not None:
            idle.append(queue.get_nowait())
    for kept in idle:
        if kept is not None:
            kept.close()
        with suppress(Full):
            queue.put_nowait(kept)


def _of_httpx(http: Any) -> Iterator[Kept]:
    transport = http._transport
    while not hasattr(transport, "_pool"):
        if hasattr(transport, "sends_again"):
            return
        transport = transport._transport  # one of ours sends with another one
    # httpx itself sees which of the others are closed.
    yield from (Kept(kept.is_closed) for kept in transport._pool.connections if kept.is_idle())


def _of_aiohttp(http: Any) -> Iterator[Kept]:
    if any(hasattr(middleware, "sends_again") for middleware in http._middlewares):
        return
    conns = http.connector._conns
    for key, idle in conns.items():
        for protocol, _ in idle:
            yield Kept(partial(_is_lost, protocol), partial(_drop_idle, conns, key))


def _is_lost(protocol: Any) -> bool:
    return not protocol.is_connected()


def _drop_idle(conns: Any, key: object) -> None:
    for protocol, _ in conns.pop(key, ()):
        protocol.close()


def _none(_: object) -> Iterator[Kept]:
    return iter(())


_KEPT: dict[str, Callable[[Any], Iterator[Kept]]] = {
    "requests": _of_requests,
    "httpx": _of_httpx,
    "httpx2": _of_httpx,
    "aiohttp": _of_aiohttp,
}


def is_broken(error: BaseException) -> bool:
    """Tell whether an established connection broke before any response came."""
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
    """Return the names of the classes of an error."""
    return {kind.__name__ for kind in type(error).__mro__}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        # A group has one for each address that was tried.
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
